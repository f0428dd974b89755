"""A firewall against what the nodes need: what is missing, for whom, and what is too much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit import inventory as inventories
from audit import zones
from audit.errors import AuditError
from audit.node_ports import firewall_file, render
from audit.node_ports.comparison import Compared, compare
from audit.node_ports.listing import listing
from audit.node_ports.service import ANYTHING, parse
from tests.core.clusters import inventory, matrix, node, zone
from tests.node_ports.test_openings import EDGE, FOUR, MASTER, OVN, PLAIN, operator

Json = Any
PLAN = matrix((zone("dmz"), zone("internal")))
ESTATE = (FOUR, OVN, operator(type="OVNKubernetes"), EDGE, PLAIN)
EVERYTHING = "dmz,internal,any\ninternal,dmz,any\n"


def compared(folder: Path, text: str, *objects: Json) -> Compared:
    population: inventories.Inventory = inventory(*(objects or ESTATE))
    zone_map = zones.assign(PLAN, population.namespaces.values(), population.nodes.values())
    path = folder / "rules.csv"
    path.write_text(text)
    return compare(listing(population, zone_map), firewall_file.read(str(path), population, zone_map, PLAN))


def missing(found: Compared) -> list[tuple[str, str, str]]:
    """(source nodes, target nodes, service) of what does not pass."""
    return [
        (
            ",".join(place.name for place in one.source.nodes),
            ",".join(place.name for place in one.target.nodes),
            f"{one.protocol}/{one.ports}",
        )
        for one in found.missing.openings
    ]


def test_what_is_listed_passes_when_every_line_is_a_rule(tmp_path: Path) -> None:
    population = inventory(*ESTATE)
    zone_map = zones.assign(PLAN, population.namespaces.values(), population.nodes.values())
    openings = listing(population, zone_map).openings
    for text in (render.csv(openings), render.csv(tuple(render.by_node(openings)))):
        found = compared(tmp_path, text)
        assert (missing(found), found.broad) == ([], ())


def test_without_a_rule_everything_that_is_needed_is_missing(tmp_path: Path) -> None:
    found = compared(tmp_path, "source,destination,service\n")
    needed = [one for one in listing_of().openings if not one.condition]
    assert len(missing(found)) == len(needed) > 0


def listing_of() -> Any:
    population = inventory(*ESTATE)
    return listing(population, zones.assign(PLAN, population.namespaces.values(), population.nodes.values()))


def test_what_is_left_of_a_range_is_missing(tmp_path: Path) -> None:
    rules = EVERYTHING.replace("internal,dmz,any\n", "")
    head = "source,destination,service\n"
    most = "tcp/1936; tcp/9000-9099; tcp/9101-9999; tcp/10250-10259; udp/6081; udp/9000-9999; icmp"
    found = compared(tmp_path, f'{head}{rules}internal,dmz,"{most}"\n')
    assert missing(found) == [("w1", "e1", "tcp/9100")]


def test_only_the_nodes_that_lack_it_are_named(tmp_path: Path) -> None:
    second = node("e2", "10.20.0.6", labels={"network-zone": "dmz"})
    found = compared(
        tmp_path, "source,destination,service\n10.20.0.5,internal,any\ninternal,dmz,any\n", *ESTATE, second
    )
    assert {one[:2] for one in missing(found)} == {("e2", "w1")}
    assert ("e2", "w1", "udp/6081") in missing(found)


def test_the_first_rule_that_matches_decides(tmp_path: Path) -> None:
    head = "source,destination,service,action\n"
    first = "any,any,udp/6081,drop\n"
    rest = "dmz,internal,any,accept\ninternal,dmz,any,accept\n"
    assert missing(compared(tmp_path, head + rest + first)) == []
    assert missing(compared(tmp_path, head + first + rest)) == [("e1", "w1", "udp/6081"), ("w1", "e1", "udp/6081")]


def test_a_rule_that_opens_more_than_is_needed_is_remarked_with_its_line(tmp_path: Path) -> None:
    found = compared(tmp_path, f"source,destination,service\n{EVERYTHING}dmz,internal,tcp/22\nany,192.0.2.7,tcp/22\n")
    places = [remark.partition(" ")[0].rpartition("/")[2] for remark in found.broad]
    assert places == ["rules.csv:2", "rules.csv:3", "rules.csv:4"]
    assert "opens tcp/22 between nodes" in found.broad[2]


@pytest.mark.parametrize(
    "head",
    [
        "From zone;To zone;Services;Access type",
        "src;dst;service;action",
        "Source Address;Destination Address;Service;Action",
    ],
)
def test_headers_of_firewall_managers_are_understood(tmp_path: Path, head: str) -> None:
    found = compared(tmp_path, f"{head}\nDMZ;internal;any;allow\ninternal;DMZ;any;Allow all\n")
    assert missing(found) == []


def test_protocol_and_ports_may_stand_in_columns_of_their_own(tmp_path: Path) -> None:
    head = "source,destination,protocol,ports\n"
    rules = "".join(f"any,any,{one}\n" for one in ('tcp,"1936,9000-9999,10250-10259"', "udp,any", "icmp,"))
    assert missing(compared(tmp_path, head + rules)) == []


def test_ports_narrow_a_rule_for_any_protocol(tmp_path: Path) -> None:
    head = "source,destination,protocol,ports\n"
    narrow = missing(compared(tmp_path, f"{head}any,any,any,80\n"))
    assert ("e1", "w1", "tcp/10250-10259") in narrow
    assert ("e1", "w1", "icmp/") in narrow
    assert missing(compared(tmp_path, f"{head}any,any,any,any\n")) == []


@pytest.mark.parametrize(("column", "off", "on"), [("Enabled", "false", "yes"), ("disabled", "TRUE", "no")])
def test_a_rule_that_is_switched_off_opens_nothing(tmp_path: Path, column: str, off: str, on: str) -> None:
    head = f"source,destination,service,{column}\n"
    nothing = missing(compared(tmp_path, "source,destination,service\n"))
    assert missing(compared(tmp_path, f"{head}any,any,any,{off}\n")) == nothing != []
    assert missing(compared(tmp_path, f"{head}any,any,any,{on}\n")) == []
    with pytest.raises(AuditError, match="neither yes nor no"):
        compared(tmp_path, f"{head}any,any,any,perhaps\n")


def test_a_rule_with_a_service_and_a_protocol_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="names a service and a protocol"):
        compared(tmp_path, "source,destination,service,protocol,ports\nany,any,any,tcp,80\n")


@pytest.mark.parametrize(
    ("row", "where", "words"),
    [
        ("dmx,internal,any", ":3", "`dmx` is no address, block, zone or node (hint: did you mean `dmz`?)"),
        ("dmz,internal,tcp/99999", ":3", "is not within 1-65535"),
        ("dmz,internal,https", ":3", "`https` is no service"),
        ("dmz,internal,", ":3", "the rule names no service"),
        (",internal,any", ":3", "the rule has no source"),
        ("10.0.0.9-10.0.0.1,internal,any", ":3", "runs backwards"),
        ("10.0.0.0/99,internal,any", ":3", "is no address"),
    ],
)
def test_a_wrong_rule_is_an_error_with_its_line(tmp_path: Path, row: str, where: str, words: str) -> None:
    with pytest.raises(AuditError) as caught:
        compared(tmp_path, f"source,destination,service\ndmz,internal,any\n{row}\n")
    assert words in str(caught.value)
    assert f"rules.csv{where}" in str(caught.value)


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", "source,destination\ndmz,internal\n"])
def test_a_table_that_is_none_of_rules_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(AuditError):
        compared(tmp_path, text)


def test_nodes_without_an_address_are_told(tmp_path: Path) -> None:
    bare = node("x1", labels={"network-zone": "dmz", **MASTER})
    assert compared(tmp_path, f"source,destination,service\n{EVERYTHING}", *ESTATE, bare).missing.unaddressed == ("x1",)


def test_services_are_written_as_in_the_matrix_and_with_protocols_without_ports() -> None:
    assert parse("any") == parse("*") == ANYTHING
    assert str(parse("TCP 10250-10259")) == "tcp/10250-10259"
    assert str(parse("esp") | parse("icmp") | parse("udp/500")) == "udp/500, esp, icmp"
    assert not parse("tcp/443") - parse("tcp/*")
