"""The engine's core: Inventory and policies -> what every endpoint class permits in each direction.

Input: an Inventory, and the address sets of zones. Output: a Reachability: per class and direction a row of permits,
and the grants behind it (which rule of which policy). Decisions: a class that no policy isolates has the one open row;
NetworkPolicies only ever add permits; whatever is not modelled adds an uncertain permit instead of being dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import NamedTuple

from pyroaring import FrozenBitMap

from audit.addresses import AddressSpace
from audit.adminrows import AdminRows, Folded
from audit.classes import Classes
from audit.egress_limits import EgressLimits
from audit.exposure.entries import HIDDEN, Exposure, ways_in
from audit.exposure.leaving import Leaving
from audit.exposure.publications import ENTRANCES
from audit.firewalls import firewalls
from audit.grants import DEFAULT, Grant, Grants, Pending
from audit.inventory import Inventory, Pod
from audit.lacking import Lacking
from audit.network_rows import NetworkRows
from audit.peers import Peers
from audit.permits import Permit, Permits, Row, open_permit
from audit.policies import attached_policies, keys_of, lowered
from audit.policy.clause import (
    DIRECTIONS,
    AdminText,
    AnyPeer,
    Clause,
    Direction,
    PolicyText,
    Ports,
    is_local,
)
from audit.policy.foreign import ADVERTISING, Foreign, foreign_policies, unread_policies
from audit.secondary import SecondaryRows
from audit.selectors import LabelSelector
from audit.traffic import ALL, NONE, AddressSet, Traffic

_ANY_PORT = Ports(ALL)


class _Rule(NamedTuple):
    """One rule of a NetworkPolicy."""

    clause: Clause
    local: bool
    """Whether it means other peers for policies of other namespaces."""
    named: bool
    """Whether it means other numbers for classes with other named ports."""


class _Rules(NamedTuple):
    """One direction of a NetworkPolicy."""

    isolates: bool
    listed: tuple[_Rule, ...]
    named: bool
    """Of any of them."""


def _rules(text: PolicyText, direction: Direction) -> _Rules:
    if text.unknown:  # the field may isolate either direction, and may qualify every rule
        doubt = Clause(direction, -1, (AnyPeer(),), _ANY_PORT, unknown=True)
        return _Rules(isolates=True, listed=(_rule(doubt),), named=False)
    listed = tuple(_rule(clause) for clause in text.clauses if clause.direction == direction)
    return _Rules(direction in text.isolates, listed, any(rule.named for rule in listed))


def _rule(clause: Clause) -> _Rule:
    return _Rule(clause, is_local(clause), bool(clause.ports.named) and clause.direction == "ingress")


class Reachability:
    """Rows and grants of every class. Read-only once built."""

    def __init__(
        self,
        inventory: Inventory,
        *,
        zone_of: Callable[[Pod], str] = lambda _: "",
        zone_addresses: Iterable[AddressSet] = (),
        extra_keys: frozenset[str] = frozenset(),
        pod_network: str = "unknown",
    ) -> None:
        """`extra_keys` are label keys that `zone_of` reads, `pod_network` is the setting.

        InputError for specs that no API server would hold.
        """
        self.inventory = inventory
        self.profile = inventory.profile
        self.policies = lowered(inventory.snapshot, self.profile)
        self.foreign = foreign_policies(inventory.snapshot, self.profile)
        self.unread = unread_policies(inventory.snapshot)
        self.ways = ways_in(inventory, self.routable(pod_network))
        attached = attached_policies(inventory.snapshot, self.profile)
        keys = keys_of([*self.policies, *attached])
        self.firewalls = firewalls(inventory)
        nodes = self._told_nodes(hosts=keys.nodes)
        self.classes = Classes(
            inventory,
            AddressSpace([*keys.blocks, *self.firewalls.blocks, *zone_addresses, *nodes]),
            pod_keys=keys.pods | extra_keys,
            namespace_keys=keys.namespaces,
            port_names=keys.ports,
            zone_of=zone_of,
            mark_of=lambda index: self.ways.exposed.get(index, HIDDEN),
            host_labels=keys.hosts,
        )
        self.permits = Permits()
        self.peers = Peers(self.classes)
        self.open = self.permits.number(open_permit(self.classes.everything))
        self.to_pods = self.permits.number(open_permit(self.classes.all_pods))
        """What an outside address permits: it has no policy, and outside to outside is not ours."""
        self._shared: dict[tuple[int, object], tuple[int, ...]] = {}
        self._known: dict[tuple[int, Direction], _Rules] = {}
        self.rows: dict[Direction, list[Row]] = {one: [(self.open,)] * self.classes.pods for one in DIRECTIONS}
        self.grants: dict[Direction, Grants] = {one: Grants(self.classes.pods) for one in DIRECTIONS}
        self.isolated: dict[Direction, set[int]] = {one: set() for one in DIRECTIONS}
        """Classes that some NetworkPolicy isolates."""
        self.selected: list[int] = [0] * len(self.policies)
        """Endpoints each policy selects."""
        self.admin = AdminRows(self.classes, self.peers, self.permits, self.policies)
        self.policed: dict[Direction, list[Row]] = {}
        """Rows as the policies of the cluster make them, before egress firewalls and networks come in."""
        self.called: list[Row] = []
        """Ingress rows but for advertised routes, which give pods one more way in and take none away."""
        self.limits = EgressLimits(self.classes, self.peers, self.permits, self.firewalls.of)
        self._build()
        self.secondary = SecondaryRows(self.classes, self.peers, self.permits, attached)
        self._add_secondary()
        self.outside_row = self.permits.row((self.to_pods, *self.secondary.beyond))
        """What every outside address admits."""

    def _add_secondary(self) -> None:
        for direction, number, row in self.secondary.rows():
            self.rows[direction][number] = self.permits.row((*self.rows[direction][number], *row))

    def _told_nodes(self, *, hosts: bool) -> Iterable[AddressSet]:
        """Addresses of nodes, where some policy or firewall tells nodes apart."""
        admins = any(isinstance(policy.text, AdminText) for policy in self.policies)
        return _node_addresses(self.inventory, hosts=hosts) if hosts or self.firewalls.nodes or admins else ()

    @cached_property
    def by_namespace(self) -> Mapping[str, Sequence[int]]:
        """Namespace -> its NetworkPolicies, as indices."""
        found: dict[str, list[int]] = {}
        for index, policy in enumerate(self.policies):
            if isinstance(policy.text, PolicyText):
                found.setdefault(policy.ref.namespace, []).append(index)
        return found

    @cached_property
    def leaving(self) -> Leaving:
        """With which source addresses endpoints leave the cluster."""
        return Leaving(self.inventory)

    def text(self, index: int) -> PolicyText:
        """What a NetworkPolicy says."""
        text = self.policies[index].text
        if not isinstance(text, PolicyText):
            msg = f"policy {index} is no NetworkPolicy"
            raise TypeError(msg)
        return text

    def routable(self, setting: str) -> Traffic | None:
        """What of the pod network the outside reaches without entry points, by `settings.pod_network`; None: not known.

        Two plug-ins keep it to themselves unless something advertises routes, or entry points of a cluster are unread.
        """
        advertised = any(one.ref.kind == ADVERTISING for one in (*self.foreign, *self.unread))
        if setting == "routable":
            return ALL
        if self.inventory.snapshot.live and Lacking(self.inventory.snapshot).of(ENTRANCES):
            return None
        overlay = setting == "overlay" or self.profile.plugin in ("ovn-kubernetes", "openshift-sdn")
        return NONE if overlay and not advertised else None

    def exposure(self, number: int) -> Exposure:
        """How the outside reaches the members of a pod class."""
        mark = self.classes.marks[number]
        return mark if isinstance(mark, Exposure) else HIDDEN

    def _build(self) -> None:
        for namespace, listed in self.by_namespace.items():
            if namespace in self.classes.ranges:
                self._namespace(namespace, listed)
        self._administer()
        self.policed = {direction: list(rows) for direction, rows in self.rows.items()}
        undecided = (*self.foreign, *self.unread)
        for foreign in undecided:
            if foreign.effect != "restrict-outside":
                self._unmodelled(foreign)
        self.called = list(self.rows["ingress"])
        for foreign in undecided:
            if foreign.effect == "restrict-outside":
                self._unmodelled(foreign)
        self.limits.apply(self.rows["egress"])
        routers = {self.classes.class_of[index] for router in self.ways.routers for index in router.pods}
        networks = NetworkRows(self.classes, self.permits, FrozenBitMap(routers))
        for network, number in networks.narrowed():
            for direction, rows in self.rows.items():
                rows[number] = networks.row(network, number, direction, rows[number])

    def _namespace(self, namespace: str, listed: Sequence[int]) -> None:
        """Rows of one namespace; classes that the same policies select share the work."""
        classes = self.classes
        start, end = classes.ranges[namespace]
        selecting: list[list[int]] = [[] for _ in range(end - start)]
        for index in listed:
            for number in self._subjects(namespace, self.text(index).subject):
                selecting[number - start].append(index)
                self.selected[index] += classes.weights[number]
        done: dict[tuple[object, ...], tuple[tuple[Grant, ...] | None, Row]] = {}
        said: dict[tuple[object, ...], list[Grant]] = {}
        for offset, policies in enumerate(selecting):
            number = start + offset
            for direction in DIRECTIONS:
                ports = classes.ports_of[number] if direction == "ingress" else None
                key = (direction, tuple(policies), ports, classes.families(number) if classes.dual_stack else None)
                if key not in done:
                    done[key] = self._side(namespace, direction, policies, number, said)
                self.grants[direction][number], self.rows[direction][number] = done[key]
                if done[key][0] is not None:
                    self.isolated[direction].add(number)

    def _administer(self) -> None:
        """Folds cluster-wide policies into the rows of the classes that they select."""
        done: dict[tuple[object, ...], tuple[Pending, Row]] = {}
        for number, selecting in sorted(self.admin.selecting.items()):
            for index, _ in selecting:
                self.selected[index] += self.classes.weights[number]
            for direction in DIRECTIONS:
                grants = self.grants[direction][number]
                ports = self.classes.ports_of[number] if direction == "ingress" else None
                families = self.classes.families(number) if self.classes.dual_stack else None
                key = (direction, selecting, id(grants), ports, families, self.admin.namespace_of(number))
                if key not in done:
                    done[key] = self._folded(number, direction, grants)
                self.grants[direction][number], self.rows[direction][number] = done[key]

    def _folded(self, number: int, direction: Direction, grants: tuple[Grant, ...] | None) -> tuple[Pending, Row]:
        lower = None if grants is None else self.rows[direction][number]
        folded = self.admin.fold(number, direction, lower)
        return Pending(lambda: self._explained(folded, direction, grants)), folded.row

    def _explained(self, folded: Folded, direction: Direction, grants: tuple[Grant, ...] | None) -> tuple[Grant, ...]:
        """What the admin tier allows, and what it leaves of the grants below, or of the open default."""
        below = (Grant(self.open, DEFAULT, Clause(direction, -1, (), _ANY_PORT)),) if grants is None else grants
        kept = [
            grant if permit == grant.permit else Grant(permit, grant.policy, grant.clause)
            for grant in below
            for upper in folded.above
            for permit in self.admin.kept(upper, grant.permit)
        ]
        return (*(Grant(*one) for one in folded.grants), *kept)

    def _subjects(self, namespace: str, selector: LabelSelector) -> Iterable[int]:
        return self.peers.own(namespace, selector) if selector.requirements else range(*self.classes.ranges[namespace])

    def _side(
        self,
        namespace: str,
        direction: Direction,
        policies: Sequence[int],
        number: int,
        said: dict[tuple[object, ...], list[Grant]],
    ) -> tuple[tuple[Grant, ...] | None, Row]:
        """The grants of some policies for one class, None where none isolates it, and its row.

        `said` is what policies of the namespace granted before.
        """
        ports = self.classes.ports_of[number] if direction == "ingress" else None
        grants: list[Grant] = []
        isolated = False
        for index in policies:
            rules = self._rules(index, direction)
            isolated |= rules.isolates
            key = (index, direction, ports if rules.named else None)
            if key not in said:
                said[key] = [
                    Grant(permit, index, rule.clause)
                    for rule in rules.listed
                    for permit in self._rule(namespace, rule, number)
                ]
            grants += said[key]
        if not isolated:
            return None, (self.open,)
        if self.classes.dual_stack:
            grants = [kept for grant in grants if (kept := self._in_family(grant, number))]
        return tuple(grants), self.permits.row(grant.permit for grant in grants)

    def _rules(self, index: int, direction: Direction) -> _Rules:
        """What one policy says in one direction; policies of equal specs share their text."""
        text = self.text(index)
        key = (id(text), direction)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _rules(text, direction)
        return found

    def _in_family(self, grant: Grant, number: int) -> Grant | None:
        """The grant as it holds for a class with addresses of one family; None if it cannot hold.

        Two ends talk over a family that both have; where they share none, that is no question of policy, and every pair
        of their addresses counts.
        """
        permit, families = self.permits.all[grant.permit], self.classes.families(number)
        if not permit.family or not families or permit.family in families:
            return grant
        rest = permit.peers - self.classes.having[next(iter(families))]
        if not rest:
            return None
        return Grant(self.permits.number(Permit(permit.traffic, rest, permit.reason)), grant.policy, grant.clause)

    def _doubt(self, reason: str) -> int:
        return self.permits.number(open_permit(self.classes.everything, reason))

    def _rule(self, namespace: str, rule: _Rule, number: int) -> tuple[int, ...]:
        """The permits of one rule for one class; all policies of a spec share those that depend on neither."""
        if rule.local:
            return tuple(self._permits(namespace, rule.clause, number))
        key = (id(rule.clause), self.classes.ports_of[number] if rule.named else None)
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = tuple(self._permits(namespace, rule.clause, number))
        return found

    def _permits(self, namespace: str, clause: Clause, number: int) -> Iterable[int]:
        if clause.unknown:
            yield self._doubt("unknown-field")
            return
        for traffic, among in self.peers.traffic(clause, number):
            for peers, reason, family in self.peers.of(namespace, clause.peers):
                within = peers if among is None else peers & among
                if within and traffic:
                    yield self.permits.number(Permit(traffic, within, reason or clause.doubt, family))
        if clause.ports.unknown:
            for peers, _, family in self.peers.of(namespace, clause.peers):
                yield self.permits.number(Permit(clause.ports.unknown, peers, "unknown-field", family))

    def _unmodelled(self, foreign: Foreign) -> None:
        """A policy that is not modelled, or was not read, takes the certainty from all that it may decide."""
        classes = self.classes
        if foreign.ref.namespace:
            numbers = range(*classes.ranges.get(foreign.ref.namespace, (0, 0)))
        else:
            numbers = range(classes.pods if foreign.nodes else classes.selectable)
        for number in numbers:
            for direction in DIRECTIONS:
                rows = self.rows[direction]
                rows[number] = self._doubted(rows[number], foreign)

    def _doubted(self, row: Row, foreign: Foreign) -> Row:
        uncertain = partial(self._uncertain, reason=foreign.reason)
        match foreign.effect:
            case "any":
                return (self._doubt(foreign.reason),)
            case "restrict":
                return self.permits.row(map(uncertain, row))
            case "restrict-outside":
                inside = [self._within(permit, self.classes.all_pods) for permit in row]
                outside = [self._within(permit, self.classes.outside) for permit in row]
                return self.permits.row([*inside, *map(uncertain, outside)])

    def _within(self, number: int, peers: FrozenBitMap) -> int:
        permit = self.permits.all[number]
        return self._narrowed(number, permit.traffic, permit.peers & peers)

    def _narrowed(self, number: int, traffic: Traffic, peers: FrozenBitMap) -> int:
        permit = self.permits.all[number]
        return self.permits.number(Permit(traffic, peers, permit.reason, permit.family))

    def _uncertain(self, number: int, reason: str) -> int:
        permit = self.permits.all[number]
        return self.permits.number(Permit(permit.traffic, permit.peers, permit.reason or reason, permit.family))


def _node_addresses(inventory: Inventory, *, hosts: bool) -> Iterator[AddressSet]:
    """Every address of a node, alone; with those that only `hosts`, the pods on the host network, show."""
    numbers = {number for node in inventory.nodes.values() for number in node.published}
    if hosts:
        numbers.update(number for pod in inventory.endpoints if pod.host_network for number in pod.addresses)
    return (AddressSet(((number, number),)) for number in numbers)
