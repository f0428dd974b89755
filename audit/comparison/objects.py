"""Which objects differ between two snapshots, and in what that may decide connections.

Workloads, Namespaces and Nodes are compared as the engine sees them, so that a pod made anew is no change of its
workload; every other object by all that was kept of it but its annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from audit.bodies import WORKLOADS
from audit.inventory import Inventory, Pod, Workload
from audit.model import Namespace, Node, ObjectRef
from audit.owners import NO_LABELS
from audit.snapshot import Entry, Snapshot
from audit.traffic import address_text

Labels = Mapping[str, str]
Change = Literal["added", "removed", "changed"]
_POPULATION = frozenset({"Pod", "Namespace", "Node", *WORKLOADS})
"""Kinds that are compared through the inventory."""
_SHOWN = 3
"""Differences of one object that its text lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One thing in which an object differs."""

    name: str
    """`label`, `ports`, `host-network`, `networks`, `addresses`, `nodes`, `object`, or a field such as `spec`."""
    text: str
    key: str = ""
    """Of a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectChange:
    """One object that differs."""

    change: Change
    old: ObjectRef | None
    new: ObjectRef | None
    group: str = ""
    """API group of kinds that need it to be told apart, as in the kind keys of a Snapshot."""
    aspects: tuple[Aspect, ...] = ()
    """Of a changed object, in a fixed order."""
    entries: tuple[Entry, ...] = ()
    """The object in each snapshot that holds it; none for workloads, Namespaces and Nodes."""

    @property
    def ref(self) -> ObjectRef:
        """The object, where it was read last."""
        ref = self.new or self.old
        assert ref is not None  # noqa: S101 - one of them is given
        return ref

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Kind, namespace, name and group."""
        return self.ref.kind, self.ref.namespace, self.ref.name, self.group

    @property
    def text(self) -> str:
        """In what it differs, for people; empty unless it changed."""
        shown = ", ".join(one.text for one in self.aspects[:_SHOWN])
        rest = len(self.aspects) - _SHOWN
        return f"{shown} and {rest} more" if rest > 0 else shown


def object_changes(old: Inventory, new: Inventory) -> tuple[ObjectChange, ...]:
    """Every object that differs, sorted by kind, namespace and name."""
    found = [
        *_entries(old.snapshot, new.snapshot),
        *_paired(_known(old), _known(new), lambda one: one.ref, _namespace),
        *_paired(old.nodes, new.nodes, _node_ref, _node),
        *_workloads(old, new),
    ]
    return tuple(sorted(found, key=lambda one: (one.key, one.change)))


def _known(inventory: Inventory) -> dict[str, Namespace]:
    return {name: one for name, one in inventory.namespaces.items() if one.known}


def _paired(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    ref: Callable[[Any], ObjectRef],
    compare: Callable[[Any, Any], Iterable[Aspect]],
) -> Iterator[ObjectChange]:
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        refs = (ref(before) if before else None, ref(after) if after else None)
        if before is None or after is None:
            yield ObjectChange(change="added" if after else "removed", old=refs[0], new=refs[1])
        elif aspects := tuple(compare(before, after)):
            yield ObjectChange(change="changed", old=refs[0], new=refs[1], aspects=aspects)


def _namespace(old: Namespace, new: Namespace) -> Iterator[Aspect]:
    yield from _labels([old.labels], [new.labels])


def _node_ref(node: Node) -> ObjectRef:
    return ObjectRef("Node", "", node.name, node.origin)


def _node(old: Node, new: Node) -> Iterator[Aspect]:
    yield from _labels([old.labels], [new.labels])
    yield from _values("addresses", *([*map(address_text, one.published)] for one in (old, new)))


def _workloads(old: Inventory, new: Inventory) -> Iterator[ObjectChange]:
    before, after = ({one.id: (one, side) for one in side.workloads} for side in (old, new))
    yield from _paired(before, after, lambda one: one[0].ref, _workload)


def _workload(old: tuple[Workload, Inventory], new: tuple[Workload, Inventory]) -> Iterator[Aspect]:
    before, after = ([side.endpoints[index] for index in one.pods] for one, side in (old, new))
    if before == after:
        return
    yield from _labels((pod.labels for pod in before), (pod.labels for pod in after))
    for name, value in _SEEN.items():
        yield from _values(name, map(value, before), map(value, after))


_SEEN: Mapping[str, Callable[[Pod], str]] = {
    "ports": lambda pod: ", ".join(
        [f"{one.name}={one.protocol.lower()}/{one.port}" for one in sorted(pod.named_ports)]
        + [f"host {protocol.lower()}/{port}" for protocol, port in sorted(pod.host_ports)]
    ),
    "host-network": lambda pod: "yes" if pod.host_network else "no",
    "networks": lambda pod: ", ".join(one.name or "further" for one in pod.attachments),
    "open ports": lambda pod: str(pod.open_ports),
    "unknown labels": lambda pod: ", ".join(pod.unknown_labels),
    "addresses": lambda pod: ", ".join(map(address_text, pod.addresses)),
    "nodes": lambda pod: pod.node,
}
"""What else the engine sees of a pod, as text."""


def _labels(old: Iterable[Labels], new: Iterable[Labels]) -> Iterator[Aspect]:
    """Every key whose values differ, sorted."""
    before, after = _by_key(old), _by_key(new)
    for key in sorted(before.keys() | after.keys()):
        mine, theirs = before.get(key, set()), after.get(key, set())
        if mine != theirs:
            yield Aspect(name="label", text=f"label {key}: {_listed(mine)} -> {_listed(theirs)}", key=key)


def _by_key(maps: Iterable[Labels]) -> dict[str, set[str]]:
    """Label key -> its values, among them `(none)` where only some maps have it."""
    listed = list({id(one): one for one in maps}.values())
    keys = {key for one in listed for key in one}
    return {key: {one.get(key, "(none)") for one in listed} for key in keys}


def _values(name: str, old: Iterable[str], new: Iterable[str]) -> Iterator[Aspect]:
    before, after = set(old), set(new)
    if before != after:
        yield Aspect(name=name, text=f"{name}: {_listed(before)} -> {_listed(after)}")


def _listed(values: Iterable[str]) -> str:
    found = sorted(values)
    shown = ", ".join(one or '""' for one in found[:_SHOWN])
    return f"{shown} and {len(found) - _SHOWN} more" if len(found) > _SHOWN else shown or "(none)"


def _entries(old: Snapshot, new: Snapshot) -> Iterator[ObjectChange]:
    for kind in sorted(old.entries.keys() | new.entries.keys()):
        if kind not in _POPULATION:
            yield from _of_kind(kind.partition(".")[2], old.of(kind), new.of(kind))


def _of_kind(group: str, old: Sequence[Entry], new: Sequence[Entry]) -> Iterator[ObjectChange]:
    sides = [{(one.namespace, one.name): one for one in listed} for listed in (old, new)]
    for name in {**sides[0], **sides[1]}:
        before, after = (side.get(name) for side in sides)
        refs = [ObjectRef(one.kind, one.namespace, one.name, one.origin) if one else None for one in (before, after)]
        both = tuple(one for one in (before, after) if one)
        aspects = tuple(_body(before, after)) if before and after else ()
        if aspects or len(both) == 1:
            change: Change = "changed" if aspects else "added" if after else "removed"
            yield ObjectChange(change=change, old=refs[0], new=refs[1], group=group, aspects=aspects, entries=both)


def _body(old: Entry, new: Entry) -> Iterator[Aspect]:
    """The fields that differ; a field that only one of the two kinds of struct has counts."""
    metadata = [one.body.metadata.labels or NO_LABELS for one in (old, new)]
    yield from _labels(metadata[:1], metadata[1:])
    names = dict.fromkeys((*old.body.__struct_fields__, *new.body.__struct_fields__))
    for name in names:
        before, after = (getattr(one.body, name, None) for one in (old, new))
        if name != "metadata" and before != after and _value(before) != _value(after):
            yield Aspect(name=name, text=_field(name, before, after))


def _value(value: Any) -> Any:
    """A field as a value: raw JSON may be written differently and mean the same."""
    if isinstance(value, msgspec.Raw):
        return msgspec.json.decode(value) if bytes(value) else None
    return value


def _field(name: str, old: Any, new: Any) -> str:
    """A field that differs, for people: of a typed one the parts with their values, of a raw one their names."""
    if isinstance(old, msgspec.Struct) and type(old) is type(new):
        parts = [(part, getattr(old, part), getattr(new, part)) for part in old.__struct_fields__]
        return ", ".join(f"{part}: {_word(a)} -> {_word(b)}" for part, a, b in parts if a != b)
    before, after = _value(old), _value(new)
    if isinstance(before, dict) and isinstance(after, dict):
        differing = (key for key in sorted({**before, **after}) if before.get(key) != after.get(key))
        return ", ".join(f"{name}.{key}" for key in differing)
    return name


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "(none)" if value is None else str(msgspec.json.encode(value), "utf-8")
