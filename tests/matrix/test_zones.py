"""Who belongs to which zone: every way in, every conflict, and the addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matrix_strategies import matrices

from audit import matrix
from audit.model import UNZONED, Namespace, Node, ZoneMatrix
from audit.traffic import EVERYWHERE, AddressSet, address_number
from audit.zones import Membership, assign

HEAD = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: m}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
"""
MANY = (
    HEAD
    + """\
settings: {zone_labels: [network-zone, tier], node_labels: [network-zone]}
zones:
- {name: dmz}
- {name: internal}
- {name: db, select: {namespaces: {matchLabels: {data: "yes"}}}}
- {name: named, select: {namespaces: {matchLabels: {kubernetes.io/metadata.name: payroll}}}}
- name: strict
  select:
    namespaces: {matchExpressions: [{key: open, operator: DoesNotExist}, {key: strict, operator: Exists}]}
- {name: plat, kind: platform}
- {name: net, kind: internet}
- {name: corp, kind: external, cidrs: [10.0.0.0/8]}
"""
)


def load(folder: Path, text: str) -> ZoneMatrix:
    path = folder / "zones.yaml"
    path.write_text(text, encoding="utf-8")
    return matrix.load(path)


def namespace(name: str, labels: Mapping[str, str] | None = None, *, known: bool = True) -> Namespace:
    own = {"kubernetes.io/metadata.name": name}
    return Namespace(name=name, labels={**(labels or {}), **own}, annotations={}, known=known)


def member(one: ZoneMatrix, space: Namespace) -> Membership:
    return assign(one, [space], []).namespaces[space.name]


NAMESPACES: dict[str, tuple[Namespace, str, tuple[str, ...], str]] = {
    "by label": (namespace("a", {"network-zone": "dmz"}), "dmz", ("dmz",), "label network-zone=dmz"),
    "by second label": (namespace("a", {"tier": "internal"}), "internal", ("internal",), "label tier=internal"),
    "by selector": (namespace("a", {"data": "yes"}), "db", ("db",), "select.namespaces of zone db"),
    "by name": (namespace("payroll"), "named", ("named",), "select.namespaces of zone named"),
    "nothing": (namespace("a"), UNZONED, (), "no zone selects it"),
    "label of no zone": (
        namespace("a", {"network-zone": "dzm"}),
        UNZONED,
        (),
        "no zone selects it: label network-zone=dzm names no zone",
    ),
    "first label decides": (
        namespace("a", {"network-zone": "dzm", "tier": "dmz"}),
        UNZONED,
        (),
        "no zone selects it: label network-zone=dzm names no zone",
    ),
    "label of a zone that selects": (
        namespace("a", {"network-zone": "db"}),
        UNZONED,
        (),
        "no zone selects it: label network-zone=db, but select.namespaces of zone db does not match",
    ),
    "label of the internet": (
        namespace("a", {"network-zone": "net"}),
        UNZONED,
        (),
        "no zone selects it: label network-zone=net, but zone net of kind internet takes no labels",
    ),
    "label of the platform": (
        namespace("a", {"network-zone": "plat"}),
        UNZONED,
        (),
        "no zone selects it: label network-zone=plat, but zone plat of kind platform takes no labels",
    ),
    "two selectors": (
        namespace("payroll", {"data": "yes"}),
        UNZONED,
        ("db", "named"),
        "several zones claim it: select.namespaces of zone db, select.namespaces of zone named",
    ),
    "selector against label": (
        namespace("a", {"data": "yes", "network-zone": "dmz"}),
        UNZONED,
        ("dmz", "db"),
        "several zones claim it: select.namespaces of zone db, label network-zone=dmz",
    ),
    "selector with its own label": (
        namespace("a", {"data": "yes", "network-zone": "db"}),
        "db",
        ("db",),
        "select.namespaces of zone db",
    ),
    "two labels": (
        namespace("a", {"tier": "dmz", "network-zone": "internal"}),
        UNZONED,
        ("dmz", "internal"),
        "several zones claim it: label network-zone=internal, label tier=dmz",
    ),
    "two labels of one mind": (
        namespace("a", {"tier": "dmz", "network-zone": "dmz"}),
        "dmz",
        ("dmz",),
        "label network-zone=dmz",
    ),
    "platform": (namespace("openshift-dns"), "plat", ("plat",), "platform namespace"),
    "platform, default": (namespace("default"), "plat", ("plat",), "platform namespace"),
    "not platform": (namespace("openshiftish"), UNZONED, (), "no zone selects it"),
    "platform namespace with a label": (
        namespace("openshift-ingress", {"network-zone": "dmz"}),
        "dmz",
        ("dmz",),
        "label network-zone=dmz",
    ),
    "platform namespace that two zones want": (
        namespace("kube-x", {"network-zone": "dmz", "data": "yes"}),
        UNZONED,
        ("dmz", "db"),
        "several zones claim it: select.namespaces of zone db, label network-zone=dmz",
    ),
    "missing, by name": (namespace("payroll", known=False), "named", ("named",), "select.namespaces of zone named"),
    "missing": (
        namespace("a", known=False),
        UNZONED,
        (),
        "no zone selects it: its Namespace object is missing, so its labels are not known",
    ),
    "missing platform": (namespace("kube-system", known=False), "plat", ("plat",), "platform namespace"),
    "by absence": (namespace("a", {"strict": "1"}), "strict", ("strict",), "select.namespaces of zone strict"),
}


@pytest.mark.parametrize("case", NAMESPACES, ids=lambda name: name.replace(" ", "-"))
def test_a_namespace_belongs_where_it_is_claimed(case: str, tmp_path: Path) -> None:
    space, zone, claims, reason = NAMESPACES[case]
    assert member(load(tmp_path, MANY), space) == Membership(zone=zone, claims=claims, reason=reason)


def test_what_an_unread_namespace_lacks_is_not_taken_for_absent(tmp_path: Path) -> None:
    text = HEAD + "zones: [{name: a, select: {namespaces: {matchExpressions: [{key: x, operator: DoesNotExist}]}}}]\n"
    one = load(tmp_path, text)
    assert member(one, namespace("n")).zone == "a"
    assert member(one, namespace("n", known=False)).zone == UNZONED


def test_labels_handed_in_for_an_unread_namespace_are_not_trusted(tmp_path: Path) -> None:
    one = load(tmp_path, MANY)
    assert member(one, namespace("n", {"network-zone": "dmz"}, known=False)).zone == UNZONED


def test_a_selector_for_everything_takes_unread_namespaces_too(tmp_path: Path) -> None:
    one = load(tmp_path, HEAD + "zones: [{name: a, select: {namespaces: {}}}]\n")
    assert member(one, namespace("n", known=False)).zone == "a"


SINGLE = (
    HEAD
    + """\
settings: {cluster_mode: single-zone, cluster_zone: dmz}
zones: [{name: dmz}, {name: db}, {name: plat, kind: platform}]
"""
)


@pytest.mark.parametrize(
    ("space", "zone"),
    [
        (namespace("a"), "dmz"),
        (namespace("a", known=False), UNZONED),
        (namespace("openshift-x", known=False), "plat"),
        (namespace("a", {"network-zone": "db"}), "db"),
        (namespace("a", {"network-zone": "bd"}), UNZONED),
        (namespace("a", {"network-zone": ""}), UNZONED),
        (namespace("openshift-x"), "plat"),
        (namespace("a", {"network-zone": "plat"}), UNZONED),
    ],
)
def test_a_single_zone_cluster_takes_what_nobody_else_claims(space: Namespace, zone: str, tmp_path: Path) -> None:
    assert member(load(tmp_path, SINGLE), space).zone == zone


def test_why_a_single_zone_cluster_does_not_take_a_namespace(tmp_path: Path) -> None:
    one = load(tmp_path, SINGLE)
    assert member(one, namespace("a", {"network-zone": "bd"})).reason.endswith("label network-zone=bd names no zone")
    assert member(one, namespace("a", known=False)).reason.endswith("so its labels are not known")


@pytest.mark.parametrize(("labels", "zone"), [({}, "dmz"), ({"network-zone": "db"}, "db"), ({"network-zone": "x"}, "")])
def test_nodes_of_a_single_zone_cluster_belong_to_it(labels: dict[str, str], zone: str, tmp_path: Path) -> None:
    node = Node(name="n", labels=labels, addresses=())
    found = assign(load(tmp_path, SINGLE), [], [node]).nodes["n"]
    assert found.zone == (zone or UNZONED)
    assert zone or found.reason == "no zone selects it: label network-zone=x names no zone"


NODES = (
    HEAD
    + """\
zones:
- {name: dmz, cidrs: [10.1.0.0/16], select: {nodes: {matchLabels: {rack: "1"}}}}
- {name: db, cidrs: [10.2.0.0/16]}
- {name: plat, kind: platform, cidrs: ["2001:db8::/48"]}
"""
)


@pytest.mark.parametrize(
    ("labels", "addresses", "zone", "reason"),
    [
        ({"rack": "1"}, [], "dmz", "select.nodes of zone dmz"),
        ({"rack": "1", "network-zone": "db"}, ["10.2.0.1"], "dmz", "select.nodes of zone dmz"),
        ({"network-zone": "db"}, ["10.1.0.1"], "db", "label network-zone=db"),
        ({"network-zone": "plat"}, [], "plat", "label network-zone=plat"),
        ({"network-zone": "dmz"}, ["10.1.0.9"], "dmz", "address within cidrs of zone dmz"),
        ({}, ["10.2.3.4"], "db", "address within cidrs of zone db"),
        ({}, ["192.0.2.1", "2001:db8::7"], "plat", "address within cidrs of zone plat"),
        ({}, ["10.1.0.1", "10.2.0.1"], UNZONED, ("several zones claim it: address within cidrs of zone dmz, "
                                               "address within cidrs of zone db")),
        ({}, ["192.0.2.1"], UNZONED, "no zone selects it"),
        ({"network-zone": "dmz"}, [], UNZONED, "no zone selects it"),
    ],
)  # fmt: skip
def test_a_node_belongs_by_selector_then_label_then_address(
    labels: dict[str, str], addresses: list[str], zone: str, reason: str, tmp_path: Path
) -> None:
    node = Node(name="n", labels=labels, addresses=tuple(map(address_number, addresses)))
    found = assign(load(tmp_path, NODES), [], [node]).nodes["n"]
    assert (found.zone, found.reason) == (zone, reason)


def test_the_internet_is_every_address_in_no_other_zone(tmp_path: Path) -> None:
    owned = dict(assign(load(tmp_path, MANY), [], []).addresses)
    assert owned == {"net": ~AddressSet.cidr("10.0.0.0/8"), "corp": AddressSet.cidr("10.0.0.0/8")}


def test_without_an_internet_zone_the_rest_is_unzoned(tmp_path: Path) -> None:
    owned = assign(load(tmp_path, NODES), [], []).addresses
    assert [name for name, _ in owned] == ["dmz", "db", "plat", UNZONED]


@given(matrices())
def test_addresses_are_parted_among_zones(one: ZoneMatrix) -> None:
    owned = assign(one, [], []).addresses
    assert AddressSet.union_of(part for _, part in owned) == EVERYWHERE
    for at, (_, part) in enumerate(owned):
        assert part
        assert not [name for name, other in owned[at + 1 :] if part & other]


@given(matrices(), st.lists(st.ip_addresses(), max_size=3), st.data())
def test_members_do_not_depend_on_the_order_of_objects(
    one: ZoneMatrix, addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address], data: st.DataObject
) -> None:
    zones = [zone.name for zone in one.zones]
    labels = st.dictionaries(st.sampled_from(one.settings.zone_labels), st.sampled_from([*zones, "other"]))
    names = data.draw(st.lists(st.sampled_from(["default", "kube-a", "a", "b", "c"]), unique=True))
    spaces = [namespace(name, data.draw(labels), known=data.draw(st.booleans())) for name in names]
    numbers = tuple(address_number(str(address)) for address in addresses)
    nodes = [Node(name=name, labels=data.draw(labels), addresses=numbers) for name in ("n1", "n2")]
    there, back = assign(one, spaces, nodes), assign(one, spaces[::-1], nodes[::-1])
    assert there == back
    assert list(there.namespaces) == sorted(names)
    for found in (*there.namespaces.values(), *there.nodes.values()):
        assert found.zone == (found.claims[0] if len(found.claims) == 1 else UNZONED)
        assert found.reason
