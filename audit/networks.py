"""Which networks a cluster has: the primary one of every namespace, and those that pods attach to besides.

Input: a Snapshot with its namespaces and profile. Output: a Networks. Decisions: a network that cannot be told, because
labels were not read or two networks claim a namespace, is UNDECIDED; an attachment is virtual only where its network is
known to have no way out of the cluster. Sources: ovn-kubernetes `crd/userdefinednetwork`, `crd/clusternetworkconnect`;
openshift-sdn `NetNamespace`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from audit.model import Namespace, may_match
from audit.profile import Profile
from audit.selectors import LabelSelector
from audit.snapshot import Entry, Snapshot

PRIMARY_LABEL = "k8s.ovn.org/primary-user-defined-network"
DEFAULT = ""
"""The network of every namespace that has no other."""
UNDECIDED = "?"
"""Instead of a network: nobody can tell which."""
_ISOLATED = ("Layer2", "Layer3")
"""Topologies that end inside the cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """The networks of one cluster."""

    home: Mapping[str, str] = field(default_factory=dict)
    """Namespace -> network of its pods, or UNDECIDED; those on the default network are left out."""
    joined: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Network -> others that something may join it with."""
    virtual: Mapping[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)
    """(namespace of the pod, name of an attachment) -> secondary network that ends inside the cluster, and whether the
    name certainly stands for it there."""
    strict: bool = True
    """False: the plug-in may not part networks at all."""
    secondary_enforced: bool | None = True
    """Whether MultiNetworkPolicies are enforced; None when that is not known."""
    open_default: bool = False
    """True: the default network reaches every other one and is reached by it (openshift-sdn, netid 0)."""


SINGLE = Networks()


@dataclass(frozen=True, slots=True)
class _Network:
    """One UserDefinedNetwork or ClusterUserDefinedNetwork."""

    id: str
    namespace: str
    """Of a UserDefinedNetwork; empty for a cluster-wide one."""
    name: str
    labels: Mapping[str, str]
    selector: LabelSelector | None
    """Of a cluster-wide one; None for a UserDefinedNetwork, and for a selector that cannot be read."""
    role: str
    """`Primary`, `Secondary`, or empty where it cannot be read."""
    ends_inside: bool

    def selects(self, namespace: Namespace) -> bool | None:
        """Whether it is a network of the namespace; None where that cannot be told."""
        if self.namespace:
            return self.namespace == namespace.name
        if self.selector is None:
            return None
        if namespace.known or not self.selector.requirements:
            return self.selector.matches(namespace.labels)
        return None if may_match(self.selector, namespace) else False


def networks_of(snapshot: Snapshot, namespaces: Mapping[str, Namespace], profile: Profile) -> Networks:
    """The networks of what was read."""
    if profile.plugin == "openshift-sdn" and profile.mode in ("multitenant", ""):
        return _multitenant(snapshot, namespaces, strict=profile.mode == "multitenant")
    if profile.plugin not in ("spec", "ovn-kubernetes", "unknown"):
        return Networks(secondary_enforced=None)
    found = list(_networks(snapshot))
    return Networks(
        home=dict(_homes(found, namespaces)),
        virtual=dict(_virtual(found, namespaces)),
        joined=_joined(snapshot, found, namespaces),
        strict=profile.plugin != "unknown",
        secondary_enforced=_secondary_enforced(snapshot, profile),
    )


def _secondary_enforced(snapshot: Snapshot, profile: Profile) -> bool | None:
    if profile.plugin != "ovn-kubernetes":
        return True if profile.plugin == "spec" else None
    for entry in snapshot.of("Network.operator.openshift.io"):
        if entry.name == "cluster":
            return spec_of(entry).get("useMultiNetworkPolicy") is True
    return None


def _networks(snapshot: Snapshot) -> Iterator[_Network]:
    for kind in ("UserDefinedNetwork", "ClusterUserDefinedNetwork"):
        for entry in snapshot.of(f"{kind}.k8s.ovn.org"):
            yield _network(entry)


def _network(entry: Entry) -> _Network:
    spec = spec_of(entry)
    wide = entry.kind == "ClusterUserDefinedNetwork"
    body = mapping(spec.get("network")) if wide else spec
    topology = str(body.get("topology"))
    role = mapping(body.get(topology.lower())).get("role", "Secondary" if topology == "Localnet" else "")
    return _Network(
        id=f"{entry.namespace}/{entry.name}" if entry.namespace else entry.name,
        namespace=entry.namespace,
        name=entry.name,
        labels=entry.body.metadata.labels or {},
        selector=selector_of(spec.get("namespaceSelector")) if wide else None,
        role=role if role in ("Primary", "Secondary") else "",
        ends_inside=topology in _ISOLATED and not body.get("transport"),
    )


def _homes(found: Iterable[_Network], namespaces: Mapping[str, Namespace]) -> Iterator[tuple[str, str]]:
    """(namespace, network) for all that are not on the default network."""
    primary = [one for one in found if one.role != "Secondary"]
    own: dict[str, list[_Network]] = {}
    for one in primary:
        own.setdefault(one.namespace, []).append(one)
    wide = own.pop("", [])
    for namespace in namespaces.values():
        if not namespace.known:
            if primary:
                yield namespace.name, UNDECIDED
        elif PRIMARY_LABEL in namespace.labels:
            claims = [(one, one.selects(namespace)) for one in (*own.get(namespace.name, ()), *wide)]
            claims = [claim for claim in claims if claim[1] is not False]
            sure = len(claims) == 1 and claims[0][1] and claims[0][0].role and claims[0][0].ends_inside
            yield namespace.name, claims[0][0].id if sure else UNDECIDED


def _virtual(
    found: Iterable[_Network], namespaces: Mapping[str, Namespace]
) -> Iterator[tuple[tuple[str, str], tuple[str, bool]]]:
    for one in found:
        if one.role == "Secondary" and one.ends_inside:
            for namespace in [namespaces[one.namespace]] if one.namespace else namespaces.values():
                selected = one.selects(namespace)
                if selected is not False:
                    yield (namespace.name, one.name), (one.id, selected is True)


def _joined(
    snapshot: Snapshot, found: Iterable[_Network], namespaces: Mapping[str, Namespace]
) -> dict[str, frozenset[str]]:
    """Network -> the others that a ClusterNetworkConnect may join it with."""
    joined: dict[str, set[str]] = {}
    for _, chosen in _connects(snapshot, found, namespaces):
        for network in chosen:
            joined.setdefault(network, set()).update(chosen - {network})
    return {network: frozenset(others) for network, others in sorted(joined.items())}


def networks_over(
    snapshot: Snapshot, namespaces: Mapping[str, Namespace]
) -> Iterator[tuple[Entry, str, tuple[str, ...]]]:
    """Every ClusterUserDefinedNetwork with its role, and the namespaces that are certainly on it or may attach to it.

    A primary one takes only those that carry the label for one.
    """
    for entry in snapshot.of("ClusterUserDefinedNetwork.k8s.ovn.org"):
        one = _network(entry)
        members = (
            name
            for name, space in namespaces.items()
            if one.selects(space) is True and (one.role == "Secondary" or PRIMARY_LABEL in space.labels)
        )
        yield entry, one.role, tuple(members)


def connects(snapshot: Snapshot, namespaces: Mapping[str, Namespace]) -> Iterator[tuple[Entry, frozenset[str]]]:
    """Every ClusterNetworkConnect with the networks that it may join, by name."""
    return _connects(snapshot, list(_networks(snapshot)), namespaces)


def _connects(
    snapshot: Snapshot, found: Iterable[_Network], namespaces: Mapping[str, Namespace]
) -> Iterator[tuple[Entry, frozenset[str]]]:
    primary = [one for one in found if one.role != "Secondary"]
    for entry in snapshot.of("ClusterNetworkConnect.k8s.ovn.org"):
        yield (
            entry,
            frozenset(
                network
                for selection in sequence(spec_of(entry).get("networkSelectors"))
                for network in _chosen(mapping(selection), primary, namespaces)
            ),
        )


def _chosen(
    selection: Mapping[str, Any], primary: Iterable[_Network], namespaces: Mapping[str, Namespace]
) -> Iterator[str]:
    match selection.get("networkSelectionType"):
        case "DefaultNetwork":
            yield DEFAULT
        case "ClusterUserDefinedNetworks":
            wanted = _selector_in(selection, "clusterUserDefinedNetworkSelector", "networkSelector")
            yield from (one.id for one in primary if not one.namespace and (not wanted or wanted.matches(one.labels)))
        case "PrimaryUserDefinedNetworks":
            wanted = _selector_in(selection, "primaryUserDefinedNetworkSelector", "namespaceSelector")
            for one in primary:
                space = namespaces.get(one.namespace)
                if space and (not wanted or not space.known or wanted.matches(space.labels)):
                    yield one.id
        case _:
            yield from (DEFAULT, *(one.id for one in primary))


def _selector_in(selection: Mapping[str, Any], outer: str, inner: str) -> LabelSelector | None:
    return selector_of(mapping(selection.get(outer)).get(inner))


def _multitenant(snapshot: Snapshot, namespaces: Mapping[str, Namespace], *, strict: bool) -> Networks:
    """Networks by netid; 0 is the default one."""
    ids: dict[str, int | None] = {}
    for key in ("NetNamespace.network.openshift.io", "NetNamespace"):
        for entry in snapshot.of(key):
            name, netid = entry.body.netname or entry.name, entry.body.netid
            ids[name] = netid if ids.setdefault(name, netid) == netid else None
    home = {
        name: UNDECIDED if (netid := ids.get(name)) is None else f"netid {netid}" if netid else DEFAULT
        for name in namespaces
    }
    parted = {name: one for name, one in home.items() if one != DEFAULT}
    return Networks(home=parted, open_default=True, secondary_enforced=None, strict=strict)


def network_name(network: str) -> str:
    """What people call a primary network."""
    names = {DEFAULT: "the default network", UNDECIDED: "a network that cannot be told"}
    return names.get(network, f"network {network}")


def spec_of(entry: Entry) -> Mapping[str, Any]:
    """The spec of an object whose kind has no struct; empty where it is no mapping."""
    return mapping(msgspec.json.decode(entry.body.spec) if bytes(entry.body.spec) else None)


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def selector_of(value: Any) -> LabelSelector | None:
    """The label selector, None where it cannot be read."""
    try:
        return LabelSelector.parse(value)
    except ValueError:
        return None
