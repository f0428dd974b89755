"""Which of the objects that differ decide one changed connection.

Read off the rows and grants of both snapshots: only a side of the connection that changed has causes, and only the
policies whose word on it changed. Where a policy is the same and its word is not, labels, ports or addresses of its
subject or of its peer are the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import structs
from pyroaring import FrozenBitMap

from audit.comparison.columns import Columns
from audit.comparison.objects import ObjectChange
from audit.comparison.words import Key, Word, Words
from audit.model import CLUSTER_WIDE
from audit.policies import keys_of
from audit.policy.clause import Direction
from audit.snapshot import Entry
from audit.traffic import Traffic

_POLICIES = frozenset({"NetworkPolicy", *(one.partition(".")[0] for one in CLUSTER_WIDE)})
_NETWORK_GROUPS = frozenset({"k8s.ovn.org", "k8s.cni.cncf.io", "network.openshift.io"})
_NETWORK_KINDS = frozenset({"Network", "NetNamespace", "HostSubnet", "ClusterNetwork"})


class Asked(NamedTuple):
    """One changed connection."""

    source: int
    target: int
    traffic: Traffic
    rising: bool
    """Whether it is more open than before."""


class Blame:
    """The causes of changed connections between two snapshots, as places in the list of changed objects."""

    def __init__(self, old: Columns, new: Columns, changes: Sequence[ObjectChange]) -> None:
        self._sides = (old, new)
        self._changes = changes
        self._units = old.units
        self._of_key = {one.key: place for place, one in enumerate(changes)}
        self._namespaces = _namespaces(old, new)
        keys = [keys_of(side.meetings.reach.policies) for side in (old, new)]
        self._read = frozenset[str]().union(*(one.pods | one.namespaces for one in keys))
        """Label keys that any policy of either snapshot reads."""
        self._words = tuple(Words(side) for side in (old, new))
        self._by_namespace: dict[str, list[int]] = {}
        for place, one in enumerate(changes):
            self._by_namespace.setdefault(one.ref.namespace, []).append(place)

    def of(self, asked: Asked) -> tuple[int, ...]:
        """The places of all objects that decide it, ascending; as a last resort those nearest to it."""
        ends = (asked.source, asked.target)
        if made := [place for unit in ends for place in self._made(unit)]:
            return tuple(sorted(set(made)))
        found = {
            *self._policies("egress", asked.source, asked.target, asked),
            *self._policies("ingress", asked.target, asked.source, asked),
            *self._entries(asked.target),
            *self._placement(asked),
        }
        return tuple(sorted(found or self._nearest(asked)))

    def _made(self, unit: int) -> Iterator[int]:
        """The change that added or removed a workload."""
        place = self._workload(unit)
        if place is not None and self._changes[place].change != "changed":
            yield place

    def _workload(self, unit: int) -> int | None:
        if unit >= self._units.workloads:
            return None
        namespace, kind, name = self._units.ids[unit].split("/", 2)
        return self._of_key.get((kind, namespace, name, ""))

    def _policies(self, direction: Direction, unit: int, peer: int, asked: Asked) -> Iterator[int]:
        """Causes on one side, if that side changed."""
        words = [side.row(direction, unit, peer).within(asked.traffic) for side in self._words]
        if words[0] == words[1]:
            return
        before, after = (side.policies(direction, unit, peer) for side in self._words)
        less, more = (before, after) if asked.rising else (after, before)
        found = list(self._differing(unit, peer, asked, less, more))
        yield from found or self._networks(unit, peer)

    def _differing(
        self, unit: int, peer: int, asked: Asked, less: Mapping[Key, Word], more: Mapping[Key, Word]
    ) -> Iterator[int]:
        """Policies whose word is more open in `more` than in `less`; or what made it so, if they are the same."""
        for key in sorted(less.keys() | more.keys()):
            mine, theirs = (one.get(key, Word()).within(asked.traffic) for one in (less, more))
            freed, admitted = key in less and key not in more, theirs.exceeds(mine)
            place = self._of_key.get(key)
            if place is not None and (freed or admitted or key[0] != "NetworkPolicy"):
                yield place  # rules of the other kinds deny as well, which their grants do not show
            elif place is None and freed:
                yield from self._about(unit)
            elif place is None and admitted:
                yield from self._about(peer) or self._about(unit)

    def _networks(self, unit: int, peer: int) -> Iterator[int]:
        """Where policies say what they said: objects that make networks, or labels that put a namespace into one."""
        spaces = {self._namespaces[one] for one in (unit, peer) if one in self._namespaces}
        places = [place for name in ("", *sorted(spaces)) for place in self._by_namespace.get(name, ())]
        found = [place for place in places if any(map(_of_networks, self._changes[place].entries))]
        yield from found or (
            place for name in sorted(spaces) if (place := self._of_key.get(("Namespace", "", name, ""))) is not None
        )

    def _about(self, unit: int) -> list[int]:
        """Changes of a workload and of its namespace that policies see."""
        workload = self._workload(unit)
        namespace = self._of_key.get(("Namespace", "", self._namespaces.get(unit, ""), ""))
        places = [place for place in (workload, namespace) if place is not None]
        return [place for place in places if self._seen(place)] or [
            place for place in places if any(one.name == "addresses" for one in self._changes[place].aspects)
        ]

    def _seen(self, place: int) -> bool:
        """Whether it differs in what policies read; addresses and nodes are new with every pod."""
        change = self._changes[place]
        return change.change != "changed" or any(
            one.key in self._read if one.name == "label" else one.name not in ("addresses", "nodes")
            for one in change.aspects
        )

    def _entries(self, target: int) -> Sequence[int]:
        """Changed objects that lead to a workload from outside, if its exposure changed."""
        before, after = (_exposures(side, target) for side in self._sides)
        if before == after:
            return ()
        own = [place for place in self._by_namespace.get(self._namespaces[target], ()) if self._leads(place, target)]
        services = [place for place in own if self._changes[place].ref.kind == "Service"]
        return services or own or self._about(target)

    def _leads(self, place: int, target: int) -> bool:
        """Whether an object may be an entry point of a workload: a Service that selects it, or any non-policy."""
        change = self._changes[place]
        if change.ref.kind != "Service":
            return bool(change.entries) and change.ref.kind not in _POLICIES
        selectors = [one.body.spec.selector for one in change.entries if one.body.spec]
        return any(not one or one.items() <= labels.items() for one in selectors for labels in self._labels(target))

    def _labels(self, unit: int) -> Iterator[Mapping[str, str]]:
        for side in self._sides:
            classes = side.meetings.reach.classes
            yield from (classes.inventory.endpoints[classes.members[one][0]].labels for one in side.classes_of[unit])

    def _placement(self, asked: Asked) -> Iterator[int]:
        """Workloads whose pods moved, if only that makes a host-network pod meet a pod of its node."""
        before, after = (side.nearby.between(asked.source, asked.target) for side in self._sides)
        if before != after:
            for place in map(self._workload, (asked.source, asked.target)):
                if place is not None and {"nodes", "host-network"} & {one.name for one in self._changes[place].aspects}:
                    yield place

    def _nearest(self, asked: Asked) -> list[int]:
        """Where no policy or entry point tells: what changed about the ends, in their namespaces, or cluster-wide."""
        ends = (asked.source, asked.target)
        if about := [place for unit in ends for place in self._about(unit)]:
            return about
        near = {self._namespaces[unit] for unit in ends if unit in self._namespaces} | {""}
        found = [place for name in sorted(near) for place in self._by_namespace.get(name, ())]
        direct = [place for place in found if self._changes[place].entries]
        workloads = [place for unit in ends if (place := self._workload(unit)) is not None]
        return direct or workloads or found

    def touching(self) -> list[tuple[FrozenBitMap, FrozenBitMap]]:
        """For each changed object the units that it may be a cause for, as sources and as targets."""
        within: dict[str, list[int]] = {}
        for unit, name in self._namespaces.items():
            within.setdefault(name, []).append(unit)
        subjects: dict[Key, dict[Direction, set[int]]] = {}
        for side in self._words:
            side.subjects(self._of_key.keys(), subjects)
        return [self._touching(place, within, subjects.get(one.key)) for place, one in enumerate(self._changes)]

    def _touching(
        self, place: int, within: Mapping[str, Sequence[int]], subjects: Mapping[Direction, set[int]] | None
    ) -> tuple[FrozenBitMap, FrozenBitMap]:
        change, nobody = self._changes[place], FrozenBitMap()
        if subjects is not None:
            return FrozenBitMap(subjects["egress"]), FrozenBitMap(subjects["ingress"])
        if change.entries:
            own = within.get(change.ref.namespace, ()) if change.ref.namespace else ()
            return nobody, FrozenBitMap(unit for unit in own if self._leads(place, unit))
        if change.ref.kind == "Namespace" and not change.ref.namespace:
            here = FrozenBitMap(within.get(change.ref.name, ()))
            return here, here
        unit = self._units.number.get(f"{change.ref.namespace}/{change.ref.kind}/{change.ref.name}")
        here = nobody if unit is None else FrozenBitMap([unit])
        return here, here


def _of_networks(entry: Entry) -> bool:
    """Whether an object is of a kind that makes or joins networks."""
    return entry.group in _NETWORK_GROUPS or entry.kind in _NETWORK_KINDS


def _namespaces(old: Columns, new: Columns) -> dict[int, str]:
    """Workload unit -> its namespace."""
    return {
        old.units.number[one.id]: one.ref.namespace
        for side in (old, new)
        for one in side.meetings.reach.inventory.workloads
    }


def _exposures(side: Columns, unit: int) -> set[object]:
    """How the outside reaches the pods of a unit, and what gets in beside policies; routers by name."""
    meetings = side.meetings
    routers = [one.ref for one in meetings.reach.ways.routers]
    found: set[object] = set()
    for number in side.classes_of[unit]:
        if number < meetings.reach.classes.pods:
            exposure, beside = meetings.reach.exposure(number), meetings.beside(FrozenBitMap([number]))
            ways = frozenset((routers[way.router], *way.key()[1:], way.ports) for way in exposure.ways)
            passed = frozenset((one.traffic, one.reason, routers[one.router] if one.routed else None) for one in beside)
            found.add((structs.replace(exposure, ways=(), routers=()), ways, passed))
    return found
