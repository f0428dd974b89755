"""An approval counts by what it means: who gave it, when, for how long and for how much, however it is written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from audit import exceptions, matrix
from audit.exceptions import Ruling, match
from audit.identity import same_person

TODAY = date(2026, 11, 23)
MATRIX = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: m}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
zones: [{name: a}, {name: b}, {name: c}, {name: d}]
"""
FIELDS = {
    "from": "[a]",
    "to": "[b]",
    "services": "[tcp/80]",
    "subjects": "[any]",
    "requested_by": "x@e.org",
    "requested_on": "2026-01-01",
    "approved_by": "y@e.org",
    "approved_on": "2026-01-02",
    "valid_from": "2026-01-03",
    "expires_on": "2027-12-31",
}
SCOPE = ("from", "to", "services", "subjects")


def ruling(folder: Path, **changes: str) -> Ruling:
    fields = FIELDS | changes
    scope = ", ".join(f"{name}: {fields[name]}" for name in SCOPE)
    others = "".join(f"  {name}: {value}\n" for name, value in fields.items() if name not in SCOPE)
    path = folder / "exceptions.yaml"
    path.write_text(
        "apiVersion: zone-audit/v1\nkind: Exceptions\nexceptions:\n- id: E1\n  title: t\n  rule: NET001\n"
        f"  scope: {{{scope}}}\n  justification: j\n{others}",
        encoding="utf-8",
    )
    zones = folder / "zones.yaml"
    zones.write_text(MATRIX, encoding="utf-8")
    entries = exceptions.load(path)
    return match(entries, [], TODAY, matrix=matrix.load(zones), rules={"NET001"}).rulings[0]


def test_the_entry_the_others_differ_from_is_in_force(tmp_path: Path) -> None:
    assert ruling(tmp_path).status == "unused"


@pytest.mark.parametrize(
    "approver",
    [
        "X@E.ORG",
        "mailto:x@e.org",
        "MailTo:X@e.org?subject=ok",
        "Jane Doe <x@e.org>",
        "x@e.org (Jane Doe)",
        "'\"Doe, Jane\" <x@e.org>'",
        '"x@e.org\\u200b"',
        '"x\\u00ad@e.org"',
        '"x\\u3164@e.o\\ufe0frg"',
        "\uff58\uff20\uff45.org",
        "x+approvals@e.org",
        "y@e.org, x@e.org",
    ],
)
def test_the_same_mailbox_is_the_same_person_however_it_is_written(approver: str, tmp_path: Path) -> None:
    assert ruling(tmp_path, approved_by=approver).status == "self-approved"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jane Doe", "jane  DOE", True),
        ("Jane Doe", "Jane Doe <jane@e.org>", True),
        ("Jane Doe", "John Doe", False),
        ("Security <a@e.org>", "Security <b@e.org>", False),
        ("x@e.org", "x@e.com", False),
        ("ax@e.org", "x@e.org", False),
        ("netsec", "app-team", False),
    ],
)
def test_names_count_where_an_address_is_missing(one: str, other: str, *, same: bool) -> None:
    assert same_person(one, other) is same
    assert same_person(other, one) is same


def test_a_person_of_invisible_characters_is_missing(tmp_path: Path) -> None:
    found = ruling(tmp_path, approved_by='"\\u200b\\u2060"')
    assert (found.status, found.reason) == ("invalid", "`approved_by` is missing")


def test_an_approval_before_the_request_is_invalid(tmp_path: Path) -> None:
    assert ruling(tmp_path, requested_on="2026-01-02").status == "unused"
    found = ruling(tmp_path, requested_on="2026-01-03")
    assert (found.status, found.reason) == ("invalid", "it is approved on 2026-01-02, before the request of 2026-01-03")


@pytest.mark.parametrize("day", ["2028-01-03", "9998-12-31", "9999-12-31"])
def test_an_end_out_of_sight_is_too_broad(day: str, tmp_path: Path) -> None:
    assert ruling(tmp_path, expires_on="2028-01-02").status == "unused"
    found = ruling(tmp_path, expires_on=day)
    assert found.status == "over-broad"
    assert "two years" in found.reason


WIDE = {
    "any": {"from": "any", "to": "any", "services": "any"},
    "every protocol": {"from": "any", "to": "any", "services": '["tcp/*", "udp/*", "sctp/*"]'},
    "every zone": {"from": "any", "to": "[a, b, c, d]", "services": "any"},
    "all spelled out": {"from": "[a, b, c, d]", "to": "[d, c, b, a]", "services": '["tcp/*", "udp/*", "sctp/*"]'},
    "one zone left out": {"from": "[a, b, c]", "to": "[b, c, d]", "services": "any"},
    "one port left out": {"from": "any", "to": "any", "services": "[tcp/1-65534]"},
    "nearly all of UDP": {"from": "any", "to": "any", "services": "[udp/1000-65535]"},
}


@pytest.mark.parametrize("case", WIDE)
def test_any_is_too_broad_however_it_is_written(case: str, tmp_path: Path) -> None:
    assert ruling(tmp_path, **WIDE[case]).status == "over-broad"


NARROW = {
    "one source": {"from": "[a]", "to": "any", "services": "any"},
    "one target": {"from": "any", "to": "[b]", "services": "any"},
    "half of the zones": {"from": "[a, b]", "to": "any", "services": "any"},
    "one port": {"from": "any", "to": "any", "services": "[tcp/22]"},
    "named subjects": {"from": "any", "to": "any", "services": "any", "subjects": "[NetworkPolicy b/p]"},
}


@pytest.mark.parametrize("case", NARROW)
def test_one_narrow_part_is_enough(case: str, tmp_path: Path) -> None:
    assert ruling(tmp_path, **NARROW[case]).status == "unused"
