"""Zone cells: for every ordered pair of zones what flows, what may flow, and who lets it through beyond the matrix.

Input: Inventory, ZoneMap, ZoneMatrix. Output: an Evaluation. Decisions: an endpoint's zone is settled here once, before
classes are made, so that no class spans two zones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from audit.departures import departures
from audit.entry_points import entry_points
from audit.exposure.gateways import GATEWAY_LABEL
from audit.exposure.routers import SHARD_LABEL
from audit.exposure.routers import shards as router_shards
from audit.facts import gather
from audit.flows import CellFlow, EntryPoint, Facts, Paths
from audit.inventory import Inventory, Pod, build
from audit.lacking import Lacking
from audit.meet import Meetings, outside_groups
from audit.model import UNZONED, Node, ZoneMatrix
from audit.paths import paths
from audit.profile import Plugin
from audit.reach import Reachability
from audit.snapshot import BLOCKING, Snapshot
from audit.tally import Tally
from audit.traffic import AddressSet
from audit.zones import ZoneMap, assign, is_platform

NO_PATHS = Paths()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeFacts:
    """The population that the verdicts cover."""

    endpoint_pairs: int
    """Ordered pairs of different endpoints, plus both directions between endpoints and outside ranges."""
    outside_ranges: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything the engine says about a cluster and a matrix."""

    cells: tuple[CellFlow, ...]
    """Every ordered pair of zones in matrix order; UNZONED last, only when it has members."""
    facts: Facts
    scope: ScopeFacts
    paths: Paths = NO_PATHS
    """Ways between zones that the matrix keeps apart."""


def evaluate(
    inventory: Inventory,
    zone_map: ZoneMap,
    matrix: ZoneMatrix,
    progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Judges nothing; says what flows. InputError for policies that no API server would hold."""
    say = progress or (lambda _: None)
    say("reading policies")
    reach = reachability(inventory, zone_map, matrix)
    say("joining both sides of connections")
    meetings = joined(reach, zone_map)
    say("comparing with the matrix")
    found = tallied(meetings, zone_map, matrix)
    say("following paths through zones")
    return replace(found, paths=paths(meetings, matrix, found.cells))


def tallied(meetings: Meetings, zone_map: ZoneMap, matrix: ZoneMatrix) -> Evaluation:
    """What flows between the zones, of connections that are joined already; no paths are followed."""
    tally = Tally(meetings, matrix)
    cells = tally.cells()
    ranges = len(set(outside_groups(meetings)))
    pods = meetings.reach.inventory.pods
    scope = ScopeFacts(endpoint_pairs=pods * (pods - 1) + 2 * pods * ranges, outside_ranges=ranges)
    home = {name: member.zone for name, member in zone_map.namespaces.items()}
    facts = gather(
        meetings.reach,
        tally.doubts,
        home,
        departures(meetings.reach, zone_map, matrix),
        entry_points(meetings, zone_map),
    )
    return Evaluation(cells=cells, facts=facts, scope=scope)


def meetings_of(snapshot: Snapshot, matrix: ZoneMatrix | None, plugin: Plugin | None = None) -> Meetings:
    """What gets through in a cluster; without a matrix nothing has a zone. InputError as for `evaluate`."""
    inventory = build(snapshot, plugin)
    zone_map = zones_of(inventory, matrix)
    if matrix is None or zone_map is None:
        reach = Reachability(inventory)
        return Meetings(reach, [""] * len(reach.classes.space))
    return joined(reachability(inventory, zone_map, matrix), zone_map)


def zones_of(inventory: Inventory, matrix: ZoneMatrix | None) -> ZoneMap | None:
    """Who belongs to which zone; None without a matrix."""
    return assign(matrix, inventory.namespaces.values(), inventory.nodes.values()) if matrix else None


def ways_in(meetings: Meetings, matrix: ZoneMatrix | None) -> tuple[EntryPoint, ...]:
    """Every way into a cluster, with zones where there is a matrix."""
    return entry_points(meetings, zones_of(meetings.reach.inventory, matrix))


def missed(reach: Reachability) -> tuple[str, ...]:
    """What was not read although it may hold endpoints or policies, in the words of the report."""
    snapshot = reach.inventory.snapshot
    besides = {gap.text for gap in snapshot.gaps if gap.reason not in BLOCKING}
    return tuple(sorted({*besides, *Lacking(snapshot).said()}))


def reachability(inventory: Inventory, zone_map: ZoneMap, matrix: ZoneMatrix) -> Reachability:
    """Rows and grants with every endpoint in its zone."""
    return Reachability(
        inventory,
        zone_of=_pod_zone(inventory, zone_map, matrix),
        zone_addresses=[
            *(addresses for _, addresses in zone_map.addresses),
            *(one for name, node in inventory.nodes.items() if zone_map.nodes[name].claims for one in _addresses(node)),
        ],
        extra_keys=frozenset({SHARD_LABEL}),
        pod_network=matrix.settings.pod_network,
    )


def joined(reach: Reachability, zone_map: ZoneMap) -> Meetings:
    """Both sides of all connections, every address in its zone.

    The addresses of nodes belong to a zone that consists of nodes: one that nodes and no namespaces are in. Where a
    zone has namespaces, its isolation is that of its pods, and who reaches the nodes is for the firewall between them.
    """
    space = reach.classes.space
    zones = [UNZONED] * len(space)
    for zone, addresses in zone_map.addresses:
        for low, high in space.ranges(addresses):
            zones[low:high] = [zone] * (high - low)
    peopled = {member.zone for member in zone_map.namespaces.values()} | {UNZONED}
    nodes: dict[int, str] = {}
    for name, node in reach.inventory.nodes.items():
        member = zone_map.nodes[name].zone
        if member not in peopled:
            for number in node.addresses:
                zones[space.atom(number)] = nodes[space.atom(number)] = member
    return Meetings(reach, zones, nodes.keys())


def _addresses(node: Node) -> list[AddressSet]:
    return [AddressSet(((number, number),)) for number in node.addresses]


def _pod_zone(inventory: Inventory, zone_map: ZoneMap, matrix: ZoneMatrix) -> Callable[[Pod], str]:
    """Pod -> zone.

    A router or gateway pod of the platform counts as the one zone that names its shard, a host-network pod as its
    node's where that has one, any other pod as its namespace's.
    """
    claims: dict[str, set[str]] = {}
    for zone in matrix.zones:
        for shard in zone.ingress_controllers:
            claims.setdefault(shard, set()).add(zone.name)
    shards = {shard: next(iter(zones)) for shard, zones in claims.items() if len(zones) == 1}
    kinds = {zone.name: zone.kind for zone in matrix.zones}

    def platform(namespace: str) -> bool:
        """Whether the platform's people own the namespace: anybody may put the label on pods of their own."""
        zone = zone_map.namespaces[namespace].zone
        return kinds.get(zone) == "platform" or (zone == UNZONED and is_platform(namespace))

    deployed = _deployed(inventory, shards, platform)

    def zone_of(pod: Pod) -> str:
        labelled = pod.labels.get(SHARD_LABEL) or pod.labels.get(GATEWAY_LABEL, "") if shards else ""
        served = shards.get(labelled) or deployed.get(pod.workload)
        if served and platform(pod.namespace):
            return served
        if pod.host_network and (node := zone_map.nodes.get(pod.node)) and node.zone != UNZONED:
            return node.zone
        return zone_map.namespaces[pod.namespace].zone

    return zone_of


def _deployed(inventory: Inventory, shards: Mapping[str, str], platform: Callable[[str], bool]) -> dict[int, str]:
    """Workload -> zone, for the routers of 3.x: workloads with the name of a shard and the environment of a router."""
    named = {
        one.ref: number
        for number, one in enumerate(inventory.workloads)
        if one.ref.name in shards and platform(one.ref.namespace)
    }
    routers = {one.router.ref for one in router_shards(inventory)} if named else set()
    return {number: shards[ref.name] for ref, number in named.items() if ref in routers}
