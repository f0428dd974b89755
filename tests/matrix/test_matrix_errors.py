"""Every mistake in a zones.yaml gets one error at its place, in words a user can act on."""

from __future__ import annotations

import ipaddress
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import matrix
from audit.errors import AuditError, AuditErrors, MatrixError

HEAD = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: m}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
"""
ZONES = """\
zones:
- name: dmz
- name: internal
"""


def faults(tmp_path: Path, text: str | bytes, name: str = "zones.yaml") -> list[str]:
    """The errors of loading this text, file name cut, one string each; empty when it loads."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        matrix.load(path)
    except AuditErrors as errors:
        return [str(error).removeprefix(f"{path}:") for error in errors.errors]
    except AuditError as error:
        return [str(error).removeprefix(f"{path}:")]
    return []


def flow(rest: str) -> str:
    return f"{HEAD}{ZONES}flows:\n- {{id: F1, from: dmz, to: internal, {rest}}}\n"


def zone(rest: str) -> str:
    return f"{HEAD}zones:\n- {{name: dmz, {rest}}}\n"


def test_the_frame_of_the_table_loads(tmp_path: Path) -> None:
    assert faults(tmp_path, HEAD + ZONES) == []
    assert faults(tmp_path, flow("access: allow-all")) == []
    assert faults(tmp_path, zone("trust: 7")) == []


TABLE = {
    "duplicate key": (
        HEAD + "zones:\n- name: dmz\n  trust: 1\n  trust: 2\n",
        ["8:3: the key `trust` is given twice, first on line 7"],
    ),
    "unknown field": (
        zone("trst: 5"),
        ["6:15: unknown field `trst` in `zones` (hint: did you mean `trust`?)"],
    ),
    "unknown field at the top": (
        HEAD + ZONES + "flow: []\n",
        ["8:1: unknown field `flow` (hint: did you mean `flows`?)"],
    ),
    "apiVersion": (
        (HEAD + ZONES).replace("/v1", "/v2"),
        ["1:13: `apiVersion` must be `zone-audit/v1`, not `zone-audit/v2`"],
    ),
    "kind": ((HEAD + ZONES).replace("ZoneMatrix", "Matrix"), ["2:7: `kind` must be `ZoneMatrix`, not `Matrix`"]),
    "a zone twice": (
        HEAD + "zones:\n- name: dmz\n- name: dmz\n",
        ["7:9: a second zone named `dmz`, first on line 6"],
    ),
    "a pair twice": (
        flow("access: block-all") + "- {id: F2, from: dmz, to: internal, access: allow-all}\n",
        ["10:18: a second row from `dmz` to `internal`, first on line 9 (hint: merge the two rows)"],
    ),
    "an id twice": (
        flow("access: block-all") + "- {id: F1, from: internal, to: dmz, access: allow-all}\n",
        ["10:8: a second row with the id `F1`, first on line 9"],
    ),
    "unknown zone": (
        flow("access: block-all").replace("to: internal", "to: interal"),
        ["9:27: unknown zone `interal` (hint: did you mean `internal`?)"],
    ),
    "overlapping zones": (
        HEAD + "zones:\n- name: a\n  cidrs: [10.0.0.0/8]\n- name: b\n  cidrs: [192.0.2.0/24, 10.9.0.0/16]\n",
        ["9:25: `10.9.0.0/16` of zone `b` overlaps `10.0.0.0/8` of zone `a` (hint: the other stands on line 7)"],
    ),
    "egress in another zone": (
        HEAD + "zones:\n- name: a\n  cidrs: [10.0.0.0/8]\n- name: b\n  egress_cidrs: [10.9.0.0/16]\n",
        ["9:18: `10.9.0.0/16` of zone `b` overlaps `10.0.0.0/8` of zone `a` (hint: the other stands on line 7)"],
    ),
    "no CIDR": (
        zone("cidrs: [10.0.0.300/8]"),
        ["6:23: `10.0.0.300/8` is not a CIDR block (hint: write it as `10.20.0.0/16` or `2001:db8::/48`)"],
    ),
    "an address": (
        zone("cidrs: [10.0.0.1]"),
        ["6:23: `10.0.0.1` is not a CIDR block (hint: did you mean `10.0.0.1/32`?)"],
    ),
    "host bits": (
        zone('cidrs: ["2001:db8::1/48"]'),
        ["6:23: `2001:db8::1/48` is an address within a block, not a block (hint: did you mean `2001:db8::/48`?)"],
    ),
    "net mask": (
        zone("cidrs: [10.0.0.0/255.0.0.0]"),
        ["6:23: `10.0.0.0/255.0.0.0` is not a CIDR block (hint: write it as `10.20.0.0/16` or `2001:db8::/48`)"],
    ),
    "services with allow-all": (
        flow("access: allow-all, services: [tcp/80]"),
        ["9:56: `services` does not go with `access: allow-all` (hint: did you mean `allow-only`?)"],
    ),
    "empty services with block-all": (
        flow("access: block-all, services: []"),
        ["9:56: `services` does not go with `access: block-all` (hint: did you mean `block-only`?)"],
    ),
    "no services": (
        flow("access: allow-only"),
        ["9:45: `access: allow-only` needs `services` (hint: list them, such as `[tcp/443]`)"],
    ),
    "empty services": (
        flow("access: block-only, services: []"),
        ["9:67: `access: block-only` needs `services` (hint: list them, such as `[tcp/443]`)"],
    ),
    "trust": (zone("trust: 101"), ["6:22: `trust` must be at most 100, not `101`"]),
    "negative trust": (zone("trust: -1"), ["6:22: `trust` must be at least 0, not `-1`"]),
    "trust in words": (zone("trust: high"), ["6:22: `trust` must be a whole number, not `high`"]),
    "severity": (
        flow("access: block-all, severity: hgih"),
        [
            (
                "9:66: `severity` must be one of `info`, `low`, `medium`, `high`, `critical`, not `hgih` "
                "(hint: did you mean `high`?)"
            )
        ],
    ),
    "access that YAML reads as false": (
        flow("access: no"),
        [
            (
                "9:45: `access` must be one of `allow-all`, `block-all`, `allow-only`, `block-only`; "
                "YAML reads `no` as a boolean"
            )
        ],
    ),
    "a version that YAML reads as a number": (
        (HEAD + ZONES).replace("name: m", "name: m, version: 2026.10"),
        ["3:30: `version` must be text; YAML reads `2026.10` as a number (hint: quote it)"],
    ),
    "a whole number as text": (
        (HEAD + ZONES).replace("name: m", "name: m, ticket: 42"),
        ["3:29: `ticket` must be text, not the number `42` (hint: quote it)"],
    ),
    "a date in words": (
        (HEAD + ZONES).replace("name: m", "name: m, review_by: soon"),
        ["3:32: `review_by` must be a date such as `2026-11-23`, not `soon`"],
    ),
    "a day that never comes": (
        flow("access: block-all, review_by: 2027-02-30"),
        ["9:67: `review_by` is not right: `2027-02-30` is no day of the calendar"],
    ),
    "two internet zones": (
        HEAD + "zones:\n- {name: a, kind: internet}\n- {name: b, kind: internet}\n",
        ["7:19: a second zone of kind `internet`, first `a` (hint: a matrix has at most one internet zone)"],
    ),
    "two platform zones": (
        HEAD + "zones:\n- {name: a, kind: platform}\n- {name: b, kind: platform}\n",
        ["7:19: a second zone of kind `platform`, first `a` (hint: a matrix has at most one platform zone)"],
    ),
    "addresses of the internet": (
        zone("kind: internet, cidrs: [0.0.0.0/0]"),
        ["6:31: the internet zone is every address in no other zone, so it takes no `cidrs`"],
    ),
    "namespaces outside": (
        zone("kind: external, select: {namespaces: {}}"),
        ["6:40: the zone `dmz` lies outside the cluster (kind `external`) and selects no namespaces"],
    ),
    "a name in parentheses": (
        HEAD + "zones:\n- name: (unzoned)\n",
        [
            (
                "6:9: `name` must be up to 63 of `a-z`, `0-9`, `-`, `_`, `.` with a letter or digit at both ends, "
                "not `(unzoned)`"
            )
        ],
    ),
    "selector operator": (
        zone("select: {namespaces: {matchExpressions: [{key: a, operator: Is}]}}"),
        ["6:75: `operator` must be one of `In`, `NotIn`, `Exists`, `DoesNotExist`, not `Is`"],
    ),
    "selector values": (
        zone("select: {nodes: {matchExpressions: [{key: a, operator: In}]}}"),
        ["6:31: operator `In` needs `values`"],
    ),
    "selector value that is no text": (
        zone("select: {nodes: {matchLabels: {a: true}}}"),
        ["6:49: `a` must be text; YAML reads `true` as a boolean (hint: quote it)"],
    ),
    "single zone without its name": (
        HEAD + ZONES + "settings: {cluster_mode: single-zone}\n",
        ["8:26: `cluster_zone` is missing: a single-zone cluster needs it"],
    ),
    "single zone that is not there": (
        HEAD + ZONES + "settings: {cluster_mode: single-zone, cluster_zone: dzm}\n",
        ["8:53: unknown zone `dzm` (hint: did you mean `dmz`?)"],
    ),
    "cluster zone of many zones": (
        HEAD + ZONES + "settings: {cluster_zone: dmz}\n",
        ["8:26: `cluster_zone` needs `cluster_mode: single-zone`"],
    ),
    "zoning owner": (
        HEAD + ZONES + "settings: {zoning_owners: [netsec]}\n",
        [
            (
                "8:28: an item of `zoning_owners` must be `Group/NAME`, `User/NAME` or "
                "`ServiceAccount/NAMESPACE/NAME`, not `netsec`"
            )
        ],
    ),
    "address of a load balancer": (
        zone("select: {ingress: {addresses: [10.20.0.0/16]}}"),
        [
            (
                "6:46: an item of `addresses` is not right: `10.20.0.0/16` is not an address such as `10.20.0.10` or "
                "`2001:db8:20::10`"
            )
        ],
    ),
    "no value": (
        flow("access: block-all, owner: "),
        ["9:63: `owner` has no value (hint: write one or remove the line)"],
    ),
    "no zones": (HEAD + "zones: []\n", ["5:8: `zones` must not be empty"]),
    "a list for a mapping": (HEAD + "zones: [a]\n", ["5:9: an item of `zones` must be a mapping, not `a`"]),
    "a word for a list": (
        zone("requires: egress-ip"),
        ["6:25: `requires` must be a list, not `egress-ip` (hint: write `[...]` or one `- ` line per item)"],
    ),
    "a requirement": (
        zone("requires: [egress-ips]"),
        [
            (
                "6:26: an item of `requires` must be one of `node-isolation`, `storage-isolation`, `egress-ip`, "
                "not `egress-ips` (hint: did you mean `egress-ip`?)"
            )
        ],
    ),
    "control character": (
        zone(r'title: "a\e[2Jb"'),
        [r"6:22: `title` must be one line without control characters, not `a\x1b[2Jb`"],
    ),
    "tag": (HEAD + "zones: !!python/tuple [a]\n", ["5:8: the tag `tag:yaml.org,2002:python/tuple` is not accepted"]),
    "two documents": (HEAD + ZONES + "---\na: 1\n", ["8:1: the file holds more than one document"]),
    "merge key": (
        HEAD + ZONES + "<<: {a: 1}\n",
        ["8:1: the key `<<` is not text (hint: quote it)", "8:1: unknown field `<<`"],
    ),
    "alias to nothing": (HEAD + "zones: *z\n", ["5:8: the alias `z` refers to nothing above it, or to itself"]),
    "alias to itself": (HEAD + "zones: &z [*z]\n", ["5:12: the alias `z` refers to nothing above it, or to itself"]),
    "not YAML": ("a: [b\n", ["2:1: this is not YAML: while parsing a flow sequence did not find expected ',' or ']'"]),
    "empty": ("", ["1:1: the file is empty"]),
    "only a comment": ("# nothing\n", ["1:1: the file is empty"]),
    "a word": ("hello\n", ["1:1: the file must be a mapping, not `hello`"]),
}


@pytest.mark.parametrize("case", TABLE, ids=lambda name: name.replace(" ", "-"))
def test_a_mistake_is_named_at_its_line_and_column(case: str, tmp_path: Path) -> None:
    text, expected = TABLE[case]
    found = faults(tmp_path, text)
    if case in ("unknown field at the top", "merge key"):
        found = [fault if "hint: known" not in fault else fault.partition(" (hint: known")[0] for fault in found]
    assert found == expected


SERVICES = {
    "tpc/80": "unknown protocol `tpc` in `tpc/80` (hint: did you mean `tcp`?)",
    "TCP/80": "unknown protocol `TCP` in `TCP/80` (hint: did you mean `tcp`?)",
    "gre/1": "unknown protocol `gre` in `gre/1`",
    "tcp/0": "the port `0` in `tcp/0` is not within 1-65535",
    "udp/65536": "the port `65536` in `udp/65536` is not within 1-65535",
    "tcp/90-80": "the ports in `tcp/90-80` run backwards (hint: did you mean `tcp/80-90`?)",
    "tcp/http": "the ports in `tcp/http` are neither a number, a range nor `*`",
    "tcp/80,443": "the ports in `tcp/80,443` are neither a number, a range nor `*`",
    "tcp/": "the ports in `tcp/` are neither a number, a range nor `*`",
    "tcp/٨٠": "the ports in `tcp/٨٠` are neither a number, a range nor `*`",
    "tcp": "the service `tcp` lacks ports (hint: write `tcp/*` for every port)",
    "icmp/256": "the ICMP type in `icmp/256` is not a number from 0 to 255",
    "icmp/echo": "the ICMP type in `icmp/echo` is not a number from 0 to 255",
    "postgress": "unknown service group `postgress` (hint: did you mean `postgres`?)",
    "any/80": "unknown protocol `any` in `any/80`",
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_wrong_service_is_named_at_its_place(service: str, tmp_path: Path) -> None:
    text = flow(f"access: allow-only, services: [udp/53, '{service}']") + "service_groups: {postgres: [tcp/5432]}\n"
    (found,) = faults(tmp_path, text)
    assert found.startswith(f"9:76: {SERVICES[service]}")


def test_a_service_as_a_bare_number_is_refused(tmp_path: Path) -> None:
    found = faults(tmp_path, flow("access: allow-only, services: [443]"))
    assert found == ["9:68: an item of `services` must be text, not the number `443` (hint: quote it)"]


def test_any_beside_other_services_is_refused(tmp_path: Path) -> None:
    found = faults(tmp_path, flow("access: allow-only, services: [any, tcp/80]"))
    assert found == ["9:67: `any` already includes the other services"]


@pytest.mark.parametrize("field", ["apiVersion", "kind", "metadata", "defaults", "zones"])
def test_every_required_section_is_missed(field: str, tmp_path: Path) -> None:
    kept = [line for line in HEAD.splitlines() if not line.startswith(f"{field}:")]
    text = "\n".join(kept) + "\n" + (ZONES if field != "zones" else "")
    assert faults(tmp_path, text) == [f"1:1: `{field}` is missing"]


@pytest.mark.parametrize("field", ["inter_zone", "intra_zone", "unzoned", "severity"])
def test_every_default_is_required(field: str, tmp_path: Path) -> None:
    given = {"inter_zone": "deny", "intra_zone": "allow", "unzoned": "fail", "severity": "high"}
    rest = ", ".join(f"{name}: {value}" for name, value in given.items() if name != field)
    text = HEAD.replace(HEAD.splitlines()[3], f"defaults: {{{rest}}}") + ZONES
    assert faults(tmp_path, text) == [f"4:11: `{field}` is missing in `defaults`"]


@pytest.mark.parametrize("field", ["id", "from", "to", "access"])
def test_every_part_of_a_row_is_required(field: str, tmp_path: Path) -> None:
    given = {"id": "F1", "from": "dmz", "to": "internal", "access": "allow-all"}
    rest = ", ".join(f"{name}: {value}" for name, value in given.items() if name != field)
    assert faults(tmp_path, f"{HEAD}{ZONES}flows:\n- {{{rest}}}\n") == [f"9:3: `{field}` is missing in `flows`"]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (
            "{web: [tcp/80, db], db: [tcp/5432]}",
            "`db` is not a service (hint: a group lists services, not other groups)",
        ),
        ("{tcp: [tcp/80]}", "`tcp` cannot name a service group: it is a service"),
        ("{web: []}", "`web` must not be empty"),
        ("{web: [tcp/99999]}", "the port `99999` in `tcp/99999` is not within 1-65535"),
    ],
)
def test_a_wrong_service_group_is_refused(groups: str, expected: str, tmp_path: Path) -> None:
    (found,) = faults(tmp_path, f"{HEAD}{ZONES}service_groups: {groups}\n")
    assert found.split(": ", 1)[1] == expected


def test_all_mistakes_are_reported_at_once_and_in_file_order(tmp_path: Path) -> None:
    text = (
        HEAD.replace("severity: high", "severity: hi")
        + "zones:\n- {name: dmz, trust: 500}\n- {name: db, cidrs: [10.0.0.0/33]}\n"
        + "flows:\n- {id: a, from: dmz, to: bd, access: allow-all}\n- {id: b, from: db, to: dmz, access: allow-only}\n"
        + "- {id: c, from: db, to: dmz, access: maybe}\n"
    )
    found = faults(tmp_path, text)
    assert [int(fault.partition(":")[0]) for fault in found] == [4, 6, 7, 9, 10, 11]


def test_a_broken_zone_is_still_known_to_the_rows(tmp_path: Path) -> None:
    text = HEAD + "zones:\n- {name: dmz, trust: x}\nflows:\n- {id: a, from: dmz, to: dmz, access: allow-all}\n"
    assert len(faults(tmp_path, text)) == 1


def test_endless_mistakes_are_cut_and_counted(tmp_path: Path) -> None:
    rows = "".join(f"- {{id: F{n}, from: dmz, to: internal, access: no}}\n" for n in range(300))
    found = faults(tmp_path, f"{HEAD}{ZONES}flows:\n{rows}")
    assert len(found) == 101
    assert found[-1] == "and 200 more errors (hint: repair these first)"


def test_bytes_that_are_not_utf8_are_named_with_their_place(tmp_path: Path) -> None:
    found = faults(tmp_path, HEAD.encode() + "zones: [{name: dmz, title: Zône}]\n".encode("latin-1"))
    assert found == ["5:29: byte 0xf4 is not UTF-8 (hint: save the file as UTF-8)"]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert faults(tmp_path, b"\xef\xbb\xbf" + (HEAD + ZONES).encode()) == []


def test_an_alias_bomb_ends_in_an_error(tmp_path: Path) -> None:
    layers = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    layers += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (found,) = faults(tmp_path, "\n".join(layers))
    assert found == "6:5: the file holds more than 400000 values, aliases expanded"


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000])
def test_deep_nesting_ends_in_an_error(text: str, tmp_path: Path) -> None:
    (found,) = faults(tmp_path, text)
    assert found.endswith("the file is nested deeper than 64 levels")


def test_a_huge_file_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, b"#" * (6 << 20))
    assert found.endswith("the file is larger than 5 MiB")


@pytest.mark.parametrize("name", ["absent.yaml", ".", "a\0b"])
def test_what_is_no_file_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(AuditError):
        matrix.load(str(tmp_path / name))


def test_every_error_ends_the_process_with_the_code_for_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(AuditErrors) as caught:
        matrix.load(path)
    assert caught.value.exit_code == 2


BLOCKS = st.builds(
    lambda base, prefix: str(ipaddress.ip_network((base << 8, prefix), strict=False)),
    st.integers(0, 7),
    st.integers(22, 32),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(BLOCKS, unique=True, max_size=3), min_size=2, max_size=4))
def test_zones_overlap_when_and_only_when_two_of_their_blocks_do(tmp_path: Path, zones: list[list[str]]) -> None:
    text = (
        HEAD
        + "zones:\n"
        + "".join(f"- {{name: z{n}, cidrs: {json.dumps(blocks)}}}\n" for n, blocks in enumerate(zones))
    )
    networks = [[ipaddress.ip_network(block) for block in blocks] for blocks in zones]
    overlap = any(
        one.overlaps(other) for a, b in itertools.combinations(networks, 2) for one, other in itertools.product(a, b)
    )
    found = faults(tmp_path, text)
    assert bool(found) == overlap
    assert all(" overlaps " in fault for fault in found)


FOREIGN = {
    "a manifest": ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n", "a Deployment"),
    "several": ("kind: Namespace\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {name: a}\n", "a Namespace"),
    "vowel": ("apiVersion: networking.k8s.io/v1\nkind: 'Ingress'\n", "an Ingress"),
    "JSON": ('{\n "apiVersion": "v1",\n "kind": "List",\n "items": []}', "a List"),
    "exceptions": ("apiVersion: zone-audit/v1\nkind: Exceptions\nexceptions: []\n", "Exceptions"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_what_is_no_matrix_at_all_is_told_by_its_kind(case: str, tmp_path: Path) -> None:
    text, held = FOREIGN[case]
    path = tmp_path / "zones.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MatrixError) as caught:
        matrix.load(path)
    assert caught.value.message == f"the file holds {held}, not a ZoneMatrix"
    assert ("--exceptions" if held == "Exceptions" else "zone-audit init") in caught.value.hint


def test_a_matrix_that_is_missing_gets_a_way_to_a_first_one(tmp_path: Path) -> None:
    with pytest.raises(MatrixError) as caught:
        matrix.load(tmp_path / "nope.yaml")
    assert caught.value.hint == "`zone-audit init SOURCE -o zones.yaml` writes a first matrix"
    with pytest.raises(MatrixError) as caught:
        matrix.load(tmp_path)
    assert not caught.value.hint
