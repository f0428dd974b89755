"""Who leaves with which egress address: namespaces without one, addresses in the wrong place, pods with several.

Input: a Scene. Output: one value per fault. Decisions: the source addresses that the engine computed decide for every
workload; a namespace without pods is judged by what would be given to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from audit.controls.egress import NET_NAMESPACE, grants_of, requiring, system, tenant_zones
from audit.controls.egress_values import Address, Grant, number_of, owner_zone, pool
from audit.controls.scene import Scene
from audit.exposure.egressips import egress_ips
from audit.exposure.netnamespaces import both_groups
from audit.exposure.selecting import picked
from audit.flows import Departure
from audit.inventory import Workload
from audit.model import ObjectRef, Zone
from audit.traffic import MAX_V4, address_text

Cover = Literal["covered", "bare", "doubtful", "IPv4", "IPv6"]
"""`IPv4`, `IPv6`: only this family leaves without an egress address."""
_SPARE = 8
"""Free addresses of a zone that are looked for."""
_NODE = "node"
_UNGRANTED = frozenset({_NODE, "RouteAdvertisements"})
"""What gives addresses that are no egress addresses: the nodes, and advertised networks, which keep the pods' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """A namespace of a zone that requires egress addresses, and has none for some of its pods."""

    namespace: str
    zone: Zone
    workloads: int
    """That leave without one; 0 for a namespace without pods."""
    all_workloads: int
    node_zones: tuple[str, ...]
    """Zones of the nodes whose addresses show instead, sorted; empty text where one is not known."""
    certain: bool
    left: str
    """Addresses that an object of another plug-in, or of a mode that does not run, lists for it; empty if none."""
    family: str = ""
    """`IPv4` or `IPv6`, where it has egress addresses of the other family alone; empty if it has none at all."""


def bare(scene: Scene) -> tuple[Bare, ...]:
    """The namespaces, by zone and name."""
    workloads = scene.once(_by_namespace)
    granted = {name for grant in scene.once(grants_of) for name in grant.namespaces}
    populated = {workload.ref.namespace for workload in scene.inventory.workloads}
    left = _left_behind(scene)
    found = []
    for zone in requiring(scene):
        for namespace in scene.members(zone.name):
            own = workloads.get(namespace.name, ())
            half = {cover: None for _, cover, _ in own if cover in ("IPv4", "IPv6")}
            uncovered = [departures for _, cover, departures in own if cover == "bare" or cover in half]
            if uncovered or (namespace.name not in populated and namespace.name not in granted):
                found.append(
                    Bare(
                        namespace=namespace.name,
                        zone=zone,
                        workloads=len(uncovered),
                        all_workloads=len(own),
                        node_zones=tuple(sorted({one.zone for each in uncovered for one in each if one.via == _NODE})),
                        certain=not _undecided(scene, namespace.name),
                        left=left.get(namespace.name, ""),
                        family="" if any(cover == "bare" for _, cover, _ in own) else next(iter(half), ""),
                    )
                )
    return tuple(found)


def doubtful(scene: Scene) -> tuple[Workload, ...]:
    """Workloads of zones that require egress addresses, of which nobody can tell whether they leave with one."""
    if not scene.cluster:
        return ()
    wanted = {zone.name for zone in requiring(scene)}
    return tuple(
        workload
        for name, listed in scene.once(_by_namespace).items()
        if scene.zone_of(name) in wanted
        for workload, cover, _ in listed
        if cover == "doubtful"
    )


_Listed = tuple[Workload, Cover, tuple[Departure, ...]]


def _by_namespace(scene: Scene) -> dict[str, list[_Listed]]:
    """The workloads of namespaces of zones that need an egress address: not those of the host network, nor routers."""
    known: dict[int, Cover] = {}
    routers = {ref for one in scene.facts.entry_points if one.kind in ("router", "gateway") for ref in one.routers}
    found: dict[str, list[_Listed]] = {}
    for workload in scene.inventory.workloads:
        name = workload.ref.namespace
        if scene.kind_of(name) != "cluster" or _on_hosts(scene, workload):
            continue
        departures = scene.facts.departures.get(workload.id, ())
        if id(departures) not in known:
            known[id(departures)] = _cover(departures)
        if workload.ref in routers and {one.zone for one in departures} == {scene.zone_of(name)}:
            continue  # it opens connections to its backends only, and shows an address of its zone
        cover = known[id(departures)]
        half = _uncovered_family(scene, workload, departures) if cover == "covered" else None
        found.setdefault(name, []).append((workload, half or cover, departures))
    return found


def _uncovered_family(scene: Scene, workload: Workload, departures: Sequence[Departure]) -> Cover | None:
    """The family of addresses that its pods have and what it leaves with certainly has not."""
    texts = [one.address for one in departures if one.verdict != "denied"]
    if not texts or not all(texts):
        return None
    pods = (scene.inventory.endpoints[index] for index in workload.pods)
    has = {number > MAX_V4 for pod in pods if not pod.host_network for number in pod.addresses}
    missing = has - {":" in text for text in texts}
    return None if not missing else "IPv6" if True in missing else "IPv4"


def _on_hosts(scene: Scene, workload: Workload) -> bool:
    return all(scene.inventory.endpoints[index].host_network for index in workload.pods)


def _cover(departures: Sequence[Departure]) -> Cover:
    """Whether an egress address, or another way out of its own, is behind what the outside sees."""
    vias = {one.via for one in departures}
    if vias <= _UNGRANTED:
        return "bare"
    return "doubtful" if _NODE in vias else "covered"


def _undecided(scene: Scene, name: str) -> bool:
    """Whether some object may give the namespace an address: on openshift-sdn its NetNamespace must have been read."""
    profile = scene.inventory.profile
    if profile.plugin == "openshift-sdn" and profile.mode != "subnet":
        return name not in scene.once(_net_namespaces)
    return profile.plugin not in ("openshift-sdn", "ovn-kubernetes")


def _net_namespaces(scene: Scene) -> frozenset[str]:
    entries = both_groups(scene.inventory.snapshot, "NetNamespace")
    return frozenset(one.body.netname or one.name for one in entries)


def _left_behind(scene: Scene) -> dict[str, str]:
    """Namespace -> egress addresses that an object lists which nothing reads any more."""
    found: dict[str, str] = {}
    snapshot, running = scene.inventory.snapshot, system(scene)
    if running != "sdn":
        for entry in both_groups(snapshot, NET_NAMESPACE.partition(".")[0]):
            if entry.body.egressIPs:
                name = entry.body.netname or entry.name
                found[name] = f"NetNamespace {entry.name} lists {', '.join(entry.body.egressIPs)}"
    if running != "ovn":
        listed = egress_ips(snapshot)
        for name, chosen in picked(scene.inventory.namespaces, [one.namespaces for one in listed]).items():
            one = listed[chosen[0][0]]
            found.setdefault(name, f"{one.ref} lists {', '.join(one.wanted)}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """An egress address of a zone that does not come from the zone's addresses."""

    grant: Grant
    zone: Zone
    addresses: tuple[Address, ...]
    of: str
    """The zone that they belong to instead; empty where none claims them."""


def strays(scene: Scene) -> tuple[Stray, ...]:
    """Grants with addresses beyond every zone that they serve, one value for each zone the addresses belong to."""
    found = []
    for grant in scene.once(grants_of):
        zones = [zone for zone in scene.zones if zone.name in grant.zones]
        pools = [pool(zone) for zone in zones]
        names, by_owner = {zone.name for zone in zones}, dict[str, list[Address]]()
        for one in grant.addresses if zones else ():
            if one.number is not None and not any(one.number in each for each in pools):
                owner = owner_zone(scene.matrix.zones, one.number)
                if all(pools) or owner not in {"", *names}:  # without a pool only what another zone owns is wrong
                    by_owner.setdefault("" if owner == zones[0].name else owner, []).append(one)
        for owner, addresses in sorted(by_owner.items()):
            found.append(Stray(grant=grant, zone=zones[0], addresses=tuple(addresses), of=owner))
    return tuple(found)


def without_pool(scene: Scene) -> tuple[Zone, ...]:
    """Zones with egress addresses of which the matrix does not say where they must come from."""
    used = {name for grant in scene.once(grants_of) for name in grant.zones}
    return tuple(zone for zone in scene.zones if zone.name in used and not pool(zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Egress addresses that several zones leave with."""

    refs: tuple[ObjectRef, ...]
    """The objects that give them, sorted."""
    zones: tuple[str, ...]
    """Sorted; the platform and what is unzoned count."""
    addresses: tuple[str, ...]
    namespaces: int


def shared(scene: Scene) -> tuple[Shared, ...]:
    """Objects whose namespaces lie in several zones, then addresses that several objects of different zones list."""
    grants = scene.once(grants_of)
    found = [
        Shared(
            refs=(grant.ref,),
            zones=grant.zones,
            addresses=tuple(one.text for one in grant.addresses),
            namespaces=len(grant.namespaces),
        )
        for grant in grants
        if len(grant.zones) > 1 and tenant_zones(scene, grant)
    ]
    return (*found, *_same_address(scene, grants))


def _same_address(scene: Scene, grants: Sequence[Grant]) -> Iterator[Shared]:
    by_number: dict[int, list[Grant]] = {}
    for grant in grants:
        for number in {one.number for one in grant.addresses if one.number is not None}:
            by_number.setdefault(number, []).append(grant)
    groups: dict[tuple[ObjectRef, ...], list[int]] = {}
    for number, listed in by_number.items():
        if len({zone for grant in listed for zone in grant.zones}) > 1 and len(listed) > 1:
            groups.setdefault(tuple(sorted(grant.ref for grant in listed)), []).append(number)
    by_ref = {grant.ref: grant for grant in grants}
    for refs, numbers in sorted(groups.items()):
        members = [by_ref[ref] for ref in refs]
        if any(tenant_zones(scene, one) for one in members):
            yield Shared(
                refs=refs,
                zones=tuple(sorted({zone for one in members for zone in one.zones})),
                addresses=tuple(address_text(number) for number in sorted(numbers)),
                namespaces=sum(len(one.namespaces) for one in members),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """A grant with addresses that no node serves, or of which nobody knows."""

    grant: Grant
    zone: str
    addresses: tuple[Address, ...]
    certain: bool
    """False: nobody can tell whether they are served."""
    every: bool
    """Whether none of its addresses is certainly served."""


def unserved(scene: Scene) -> tuple[Unserved, ...]:
    """Grants of zones, by object. What comes of an address that zones fight over is left out: Shared tells it.

    With openshift-sdn that is every address of the NetNamespaces, elsewhere the address alone.
    """
    fights = [one for one in scene.once(shared) if len(one.refs) > 1]
    fought = {number for one in fights for text in one.addresses if (number := number_of(text))}
    spoilt = {ref for one in fights for ref in one.refs if ref.kind == "NetNamespace"}
    found = []
    for grant in scene.once(grants_of):
        zones = tenant_zones(scene, grant) if grant.ref not in spoilt else ()
        for state in ("idle", "unknown") if zones else ():
            listed = tuple(one for one in grant.addresses if one.state == state and one.number not in fought)
            if listed and (state == "idle" or scene.cluster):
                every = all(one.state != "served" for one in grant.addresses)
                found.append(
                    Unserved(grant=grant, zone=zones[0], addresses=listed, certain=state == "idle", every=every)
                )
    return tuple(found)


def spare(scene: Scene, zone: Zone, count: int) -> tuple[str, ...]:
    """The first free addresses of a zone's own, at most _SPARE; fewer where it has no more."""
    return scene.once(_free).get(zone.name, ())[:count]


def _free(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Zone -> its first addresses that neither a grant nor a node has; the first of a block is left out."""
    taken = {one.number for grant in scene.once(grants_of) for one in grant.addresses}
    taken |= {number for node in scene.inventory.nodes.values() for number in node.published}
    found = {}
    for zone in scene.zones:
        numbers = (number for low, high in pool(zone).spans for number in range(low + 1, high) if number not in taken)
        found[zone.name] = tuple(map(address_text, islice(numbers, _SPARE)))
    return found
