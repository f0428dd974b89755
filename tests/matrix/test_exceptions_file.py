"""The exceptions file: what can be read, the state of each entry, and what it excuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import exceptions, matrix
from audit.errors import AuditErrors
from audit.exceptions import ANY, EXCUSING, ExceptionEntry, match
from audit.report import FindingRecord
from audit.traffic import Traffic

TODAY = date(2026, 11, 23)
GOOD = """\
apiVersion: zone-audit/v1
kind: Exceptions
exceptions:
- id: EX-1
  title: Nightly export
  flow: ZM-1
  rule: NET001
  scope:
    from: dmz
    to: [db]
    services: [tcp/5432, tcp/8000-8010]
    subjects: [NetworkPolicy db/allow, NetworkPolicy db/more]
  justification: the old export runs until the new one is accepted
  requested_by: app@example.org
  requested_on: 2026-01-10
  approved_by: ciso@example.org
  approved_on: 2026-01-20
  valid_from: 2026-02-01
  expires_on: 2027-01-31
  ticket: CHG1
  owner: app@example.org
"""
MATRIX = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: m}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
zones: [{name: dmz}, {name: db}]
flows: [{id: ZM-1, from: dmz, to: db, access: block-all}]
"""


@dataclass(frozen=True)
class Finding:
    """As little as a finding needs."""

    rule: str = "NET001"
    from_zone: str = "dmz"
    to_zone: str = "db"
    ports: dict[str, str] = field(default_factory=lambda: {"TCP": "5432"})
    subjects: tuple[str, ...] = ("NetworkPolicy db/allow",)
    matrix_row: str = "ZM-1"


def load(folder: Path, text: str) -> tuple[ExceptionEntry, ...]:
    path = folder / "exceptions.yaml"
    path.write_text(text, encoding="utf-8")
    return exceptions.load(path)


@pytest.fixture(name="entry")
def _entry(tmp_path: Path) -> ExceptionEntry:
    (only,) = load(tmp_path, GOOD)
    return only


def test_every_field_of_the_file_arrives(entry: ExceptionEntry) -> None:
    assert (entry.id, entry.rule, entry.flow, entry.line) == ("EX-1", "NET001", "ZM-1", 4)
    assert entry.scope.sources == ("dmz",)
    assert entry.scope.traffic == Traffic.parse({"TCP": "5432,8000-8010"})
    assert str(entry.scope) == (
        "from dmz to db tcp/5432, tcp/8000-8010 for NetworkPolicy db/allow, NetworkPolicy db/more"
    )
    assert (entry.valid_from, entry.expires_on, entry.approved_by) == ("2026-02-01", "2027-01-31", "ciso@example.org")


TABLE = {
    "scope part": ("    to: [db]\n", "", "9:5: `to` is missing in `scope`"),
    "empty scope part": ("to: [db]", "to: []", "10:9: `to` must not be empty"),
    "any with more": ("from: dmz", "from: [any, dmz]", "9:11: `any` already includes the other values"),
    "service": ("tcp/5432,", "tpc/5432,", "11:15: unknown protocol `tpc` in `tpc/5432` (hint: did you mean `tcp`?)"),
    "date": ("expires_on: 2027-01-31", "expires_on: next year", "19:15: `expires_on` must be a date"),
    "field": ("owner:", "onwer:", "21:3: unknown field `onwer` in `exceptions` (hint: did you mean `owner`?)"),
    "kind": ("kind: Exceptions", "kind: ZoneMatrix", "2:7: `kind` must be `Exceptions`, not `ZoneMatrix`"),
    "rule and flow": (
        "  flow: ZM-1\n  rule: NET001\n", "", "4:3: the exception names neither a `rule` nor a `flow` (hint: say what"
    ),
    "no value": ("ticket: CHG1", "ticket:", "20:10: `ticket` has no value"),
    "key twice": ("ticket: CHG1", "ticket: CHG1\n  ticket: CHG2", "21:3: the key `ticket` is given twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE, ids=lambda name: name.replace(" ", "-"))
def test_a_mistake_is_named_at_its_place(case: str, tmp_path: Path) -> None:
    old, new, expected = TABLE[case]
    with pytest.raises(AuditErrors) as caught:
        load(tmp_path, GOOD.replace(old, new))
    (found,) = caught.value.errors
    assert str(found).removeprefix(f"{tmp_path / 'exceptions.yaml'}:").startswith(expected)


def test_ids_are_unique_whatever_their_case(tmp_path: Path) -> None:
    second = GOOD.partition("exceptions:\n")[2].replace("EX-1", "ex-1")
    with pytest.raises(AuditErrors, match=r":22:7: a second exception with the id `ex-1`, first on line 4"):
        load(tmp_path, GOOD + second)


def status(entry: ExceptionEntry, *findings: Finding, today: date = TODAY) -> str:
    register = match([entry], findings, today)
    excused = set(register.excused)
    assert excused <= ({entry.id, ""} if register.rulings[0].status in EXCUSING else {""})
    return register.rulings[0].status


def test_an_entry_is_matched_or_unused(entry: ExceptionEntry) -> None:
    assert status(entry, Finding()) == "matched"
    assert status(entry) == "unused"


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 1, 31), "not-yet-valid"),
        (date(2026, 2, 1), "matched"),
        (date(2026, 12, 31), "matched"),
        (date(2027, 1, 1), "expiring"),
        (date(2027, 1, 31), "expiring"),
        (date(2027, 2, 1), "expired"),
    ],
)
def test_the_first_and_the_last_day_count(today: date, expected: str, entry: ExceptionEntry) -> None:
    assert status(entry, Finding(), today=today) == expected


@pytest.mark.parametrize(
    "name",
    ["justification", "requested_by", "requested_on", "approved_by", "approved_on", "valid_from", "expires_on"],
)
def test_what_an_approval_needs_makes_it_invalid_when_missing(name: str, entry: ExceptionEntry) -> None:
    lacking = replace(entry, **{name: ""})  # type: ignore[arg-type]  # the names are all of texts
    assert status(lacking, Finding()) == "invalid"
    assert f"`{name}`" in match([lacking], [], TODAY).rulings[0].reason


def test_a_missing_approver_in_the_file_is_no_error_but_invalid(tmp_path: Path) -> None:
    (entry,) = load(tmp_path, GOOD.replace("  approved_by: ciso@example.org\n", ""))
    assert status(entry, Finding()) == "invalid"


def test_dates_that_contradict_are_invalid(entry: ExceptionEntry) -> None:
    assert status(replace(entry, expires_on="2026-01-31"), Finding()) == "invalid"
    assert status(replace(entry, approved_on="2026-11-24"), Finding()) == "invalid"


def test_the_own_approval_excuses_nothing(entry: ExceptionEntry) -> None:
    assert status(replace(entry, requested_by="CISO@example.org"), Finding()) == "self-approved"


def test_any_in_every_part_is_too_broad_and_in_three_is_not(entry: ExceptionEntry) -> None:
    whole = replace(entry.scope, sources=ANY, targets=ANY, services=ANY, subjects=ANY)
    assert status(replace(entry, scope=whole), Finding()) == "over-broad"
    assert status(replace(entry, scope=replace(whole, sources=("dmz",))), Finding()) == "matched"


def test_names_that_do_not_exist_are_invalid(entry: ExceptionEntry, tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(MATRIX, encoding="utf-8")
    one = matrix.load(path)

    def found(changed: ExceptionEntry) -> str:
        return match([changed], [Finding()], TODAY, matrix=one, rules={"NET001"}).rulings[0].status

    assert found(entry) == "matched"
    assert found(replace(entry, flow="ZM-2")) == "invalid"
    assert found(replace(entry, rule="NET999")) == "invalid"
    assert found(replace(entry, scope=replace(entry.scope, sources=("dzm",)))) == "invalid"


OUTSIDE = {
    "rule": Finding(rule="NET002"),
    "flow": Finding(matrix_row="ZM-2"),
    "no flow": Finding(matrix_row=""),
    "from": Finding(from_zone="db"),
    "to": Finding(to_zone="dmz"),
    "no zone": Finding(from_zone=""),
    "one more port": Finding(ports={"TCP": "5432-5433"}),
    "one more protocol": Finding(ports={"TCP": "5432", "UDP": "53"}),
    "no ports": Finding(ports={}),
    "one more subject": Finding(subjects=("NetworkPolicy db/allow", "NetworkPolicy db/else")),
    "no subject": Finding(subjects=()),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_a_finding_with_anything_outside_the_scope_is_not_covered(case: str, entry: ExceptionEntry) -> None:
    assert status(entry, OUTSIDE[case]) == "unused"


def test_any_covers_what_a_finding_does_not_have(entry: ExceptionEntry) -> None:
    scope = replace(entry.scope, sources=ANY, services=ANY, subjects=ANY)
    loose = replace(entry, flow="", scope=scope)
    assert status(loose, Finding(from_zone="", ports={}, subjects=(), matrix_row="")) == "matched"


def test_several_findings_and_entries_are_told_apart(entry: ExceptionEntry) -> None:
    second = replace(entry, id="EX-2")
    findings = [Finding(rule="NET002"), Finding(), Finding(ports={"TCP": "8000-8010"})]
    register = match([entry, second], findings, TODAY)
    assert register.excused == ("", "EX-1", "EX-1")
    assert [ruling.findings for ruling in register.rulings] == [(1, 2), (1, 2)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"expires_on": "2026-10-31"}, "expired"),
        ({"requested_by": "ciso@example.org"}, "self-approved"),
        ({"valid_from": "2026-12-01"}, "not-yet-valid"),
        ({"approved_by": ""}, "invalid"),
    ],
)
def test_what_is_not_in_force_says_what_it_would_cover(
    changes: dict[str, str], expected: str, entry: ExceptionEntry
) -> None:
    refused = replace(entry, **changes)  # type: ignore[arg-type]  # the names are all of texts
    register = match([refused], [Finding(rule="NET002"), Finding()], TODAY)
    (ruling,) = register.rulings
    assert (ruling.status, ruling.findings, ruling.refused) == (expected, (), (1,))
    assert register.excused == ("", "")
    second = match([refused, replace(entry, id="EX-2")], [Finding()], TODAY)
    assert [ruling.refused for ruling in second.rulings] == [(), ()]


def test_findings_of_the_report_can_be_matched(entry: ExceptionEntry) -> None:
    record = FindingRecord(
        fingerprint="f",
        rule="NET001",
        verdict="fail",
        severity="high",
        title="t",
        from_zone="dmz",
        to_zone="db",
        ports={"TCP": "5432"},
        subjects=("NetworkPolicy db/more",),
        matrix_row="ZM-1",
    )
    assert match([entry], [record], TODAY).excused == ("EX-1",)


PORTS = st.tuples(st.integers(1, 20), st.integers(0, 5)).map(lambda pair: (pair[0], min(pair[0] + pair[1], 20)))


@given(st.lists(PORTS, min_size=1, max_size=4), st.lists(PORTS, min_size=1, max_size=4))
def test_ports_are_covered_when_and_only_when_all_lie_inside(
    scope: list[tuple[int, int]], ports: list[tuple[int, int]]
) -> None:
    allowed = {port for low, high in scope for port in range(low, high + 1)}
    found = {port for low, high in ports for port in range(low, high + 1)}
    traffic = Traffic.parse({"TCP": ",".join(f"{low}-{high}" for low, high in scope)})
    entry = ExceptionEntry(
        id="EX", title="t", rule="NET001", justification="j", requested_by="a", requested_on="2026-01-01",
        approved_by="b",
        approved_on="2026-01-01", valid_from="2026-01-01", expires_on="2027-12-31",
        scope=exceptions.Scope(sources=ANY, targets=ANY, services=("x",), subjects=ANY, traffic=traffic),
    )  # fmt: skip
    finding = Finding(ports={"TCP": ",".join(f"{low}-{high}" for low, high in ports)})
    assert (status(entry, finding) == "matched") == (found <= allowed)
