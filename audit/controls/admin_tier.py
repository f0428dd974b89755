"""Namespaces whose protection from other zones no NetworkPolicy can lift: policies of the admin tier decide before it.

Input: a Scene. Output: names of namespaces. Decisions: namespaces that no policy tells apart are judged as one, so that
the cost follows from what the policies name, not from pairs of namespaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from audit.controls.scene import Scene
from audit.model import CLUSTER_WIDE, Namespace
from audit.policy import adminpolicy, plugins
from audit.policy.clause import AdminText, AnyPeer, Clause, Peer, Relation, SelectedPods
from audit.selectors import LabelSelector
from audit.traffic import ALL

Values = tuple[str, ...] | None
"""Of the keys of a relation; None where a key is absent, which relates to nobody."""


class Group(NamedTuple):
    """Namespaces of one zone that no policy tells apart."""

    zone: str
    labels: Mapping[str, str]
    """Of one of them."""
    related: tuple[Values, ...]
    """Of each relation of Sight."""
    names: list[str]


class Sight(NamedTuple):
    """What policies see of a namespace."""

    named: Mapping[str, Mapping[str, tuple[int, ...]]]
    """Label key -> value -> the conditions that name it. Other values are all alike."""
    relations: tuple[tuple[str, ...], ...]
    """Label keys by which peers relate to the subject."""

    def of(self, labels: Mapping[str, str]) -> tuple[object, ...]:
        """What tells a namespace apart, but for the values of its relations."""
        return tuple(named.get(labels[key], ()) if key in labels else None for key, named in self.named.items())

    def related(self, labels: Mapping[str, str]) -> tuple[Values, ...]:
        """The values of its relations."""
        return tuple(
            tuple(labels[key] for key in keys) if all(key in labels for key in keys) else None
            for keys in self.relations
        )


class Crowd:
    """Every group, ready to be asked whom one of them has to do with."""

    def __init__(self, groups: Iterable[tuple[object, Group]]) -> None:
        self._alike: dict[object, list[int]] = {}
        """Groups that differ by values of relations only."""
        self._equal: dict[tuple[int, Values], list[int]] = {}
        """Relation and its values -> groups."""
        self.groups: list[Group] = []
        for seen, group in groups:
            number = len(self.groups)
            self.groups.append(group)
            self._alike.setdefault((seen, *(values is None for values in group.related)), []).append(number)
            for pair in enumerate(group.related):
                self._equal.setdefault(pair, []).append(number)

    def facing(self, target: Group) -> Iterator[Group]:
        """Groups that stand for all: those equal to the target in some relation, and one of each sort of the others."""
        near = {
            number
            for place, values in enumerate(target.related)
            if values is not None
            for number in self._equal[place, values]
        }
        far = (next((one for one in listed if one not in near), None) for listed in self._alike.values())
        return (self.groups[one] for one in (*near, *far) if one is not None)


def decided(scene: Scene) -> Iterator[str]:
    """Namespaces of zones into which the admin tier decides every connection from other zones."""
    texts = texts_of(scene)
    if not texts:
        return
    crowd = Crowd(_groups(scene, _sight(texts)))
    zones = {zone.name for zone in scene.zones}
    for one in crowd.groups:
        if one.zone in zones and all(kept_out(scene, texts, one, other) for other in crowd.facing(one)):
            yield from one.names


def texts_of(scene: Scene) -> list[AdminText]:
    """The policies that decide before NetworkPolicies, in order; of equal priority those that pass something first."""
    profile = scene.inventory.profile
    read = [
        plugins.read_admin(kind, adminpolicy.lower(kind, bytes(entry.body.spec)), profile)
        for kind, entry in ((entry.kind, entry) for entry in scene.of(*CLUSTER_WIDE))
    ]
    return sorted(
        (text for text in read if text.tier == "admin"),
        key=lambda text: (text.priority, all(clause.action != "pass" for clause in text.clauses)),
    )


def _sight(texts: Iterable[AdminText]) -> Sight:
    conditions = {one for text in texts for selector in _selectors(text) for one in selector.requirements}
    named: dict[str, dict[str, tuple[int, ...]]] = {}
    for number, condition in enumerate(sorted(conditions)):
        values = named.setdefault(condition.key, {})
        for value in condition.values:
            values[value] = (*values.get(value, ()), number)
    peers = (peer for text in texts for clause in text.clauses for peer in clause.peers)
    return Sight(named, tuple(sorted({peer.keys for peer in peers if isinstance(peer, Relation)})))


def _selectors(text: AdminText) -> Iterator[LabelSelector]:
    yield text.namespaces
    for clause in text.clauses:
        yield from (peer.namespaces for peer in clause.peers if isinstance(peer, SelectedPods))


def _groups(scene: Scene, sight: Sight) -> Iterator[tuple[object, Group]]:
    """Groups of the namespaces that are not the platform's, each with what tells it apart."""
    found: dict[tuple[object, ...], Group] = {}
    for name, namespace in scene.inventory.namespaces.items():
        if scene.kind_of(name) != "platform":
            seen, group = _group(scene, sight, namespace)
            found.setdefault((*seen, group.related), group).names.append(name)
    return ((seen[:-1], group) for seen, group in found.items())


def _group(scene: Scene, sight: Sight, namespace: Namespace) -> tuple[tuple[object, ...], Group]:
    zone, labels = scene.zone_of(namespace.name), namespace.labels
    return (zone, *sight.of(labels)), Group(zone, labels, sight.related(labels), [])


def kept_out(scene: Scene, texts: Sequence[AdminText], target: Group, source: Group) -> bool:
    """Whether the admin tier decides every connection from some namespaces to some of another zone."""
    if source.zone == target.zone or scene.matrix.expect(source.zone, target.zone).allowed == ALL:
        return True
    for text in texts:
        if not text.namespaces.matches(target.labels):
            continue
        whole = not text.pods.requirements and not text.unknown and not text.doubt
        for clause in text.clauses:
            if clause.direction != "ingress":
                continue
            match = _meets(clause, source.labels, target.labels)
            if clause.action == "pass" and match != "no":
                return False
            if whole and match == "all":
                return True
    return False


def _meets(clause: Clause, source: Mapping[str, str], target: Mapping[str, str]) -> str:
    """Whether a rule matches `all` connections from a namespace, `some`, or `no` one."""
    found = {_peer(peer, source, target) for peer in clause.peers}
    if "all" in found and clause.ports.traffic == ALL and not clause.unknown and not clause.doubt:
        return "all"
    return "some" if found - {"no"} or clause.unknown else "no"


def _peer(peer: Peer, source: Mapping[str, str], target: Mapping[str, str]) -> str:
    match peer:
        case AnyPeer():
            return "all"
        case SelectedPods(namespaces, pods):
            return ("some" if pods.requirements else "all") if namespaces.matches(source) else "no"
        case Relation(keys, same, pods):
            present = all(key in source and key in target for key in keys)
            equal = all(source.get(key) == target.get(key) for key in keys)
            return ("some" if pods.requirements else "all") if present and equal == same else "no"
    return "some"
