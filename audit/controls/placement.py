"""Where pods may land: what node selectors, node affinity, taints and tolerations leave of the nodes.

Nodes are the bits of an integer, so that one evaluation costs as much as its conditions, whatever the number of nodes.
Source: API text of NodeSelector, Taint and Toleration (core/v1); kubelets check selector, affinity and NoExecute taints
of a pod that names its node itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from audit.model import Node
from audit.workloads import NodeRequirement, NodeSelector, NodeTerm, PodSpec, Toleration

Labels = tuple[tuple[str, str], ...]
"""An exact node selector: key and value pairs that a node must have, sorted."""
ANY = (Toleration(operator="Exists"),)
"""Tolerates every taint."""
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
"""Key of the taint that stands for a cordoned node."""
PASSING = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""Prefixes of taints that say how a node is doing: they come and go by themselves."""
CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_BINDING = ("NoSchedule", "NoExecute")
_NAME_FIELD = "metadata.name"
_INTEGER = re.compile(r"[+-]?[0-9]{1,63}")
"""No label value is longer."""
_INT64 = range(-(2**63), 2**63)

TaintKey = tuple[str, str, str]
"""Key, value and effect."""


class Placement(NamedTuple):
    """All of a pod that decides where it may land."""

    selector: Labels = ()
    affinity: NodeSelector | None = None
    """The required one; None where there is none."""
    tolerations: tuple[Toleration, ...] = ()
    node: str = ""
    """Named by the pod itself, past the scheduler."""


def placement(spec: PodSpec | None, *, bound: bool = True) -> Placement:
    """What a spec says; of a `bound` pod the scheduler wrote the node's name, which places nothing anew."""
    if spec is None:
        return Placement()
    affinity = spec.affinity.nodeAffinity if spec.affinity else None
    return Placement(
        selector=tuple(sorted((spec.nodeSelector or {}).items())),
        affinity=affinity.requiredDuringSchedulingIgnoredDuringExecution if affinity else None,
        tolerations=spec.tolerations or (),
        node="" if bound else spec.nodeName or "",
    )


def merged(one: Placement, added: Labels) -> Placement | None:
    """The placement with the labels that admission adds to its selector; None where it is refused as contradicting."""
    own = dict(one.selector)
    if any(own.get(key, value) != value for key, value in added):
        return None
    return one._replace(selector=tuple(sorted((own | dict(added)).items())))


def is_control_plane(node: Node) -> bool:
    """Whether the node runs the control plane, by its role."""
    return any(key in node.labels for key in CONTROL_PLANE)


def taints_of(node: Node, *, lasting: bool) -> frozenset[TaintKey]:
    """The taints that bind the scheduler; a cordoned node has one more.

    `lasting` leaves out what passes by itself, and a cordon but on the control plane, where it once was the rule.
    """
    given = {(one.key, one.value or "", one.effect) for one in node.taints if one.effect in _BINDING}
    if lasting:
        given = {one for one in given if not one[0].startswith(PASSING)}
    if node.unschedulable and (not lasting or is_control_plane(node)):
        given.add((UNSCHEDULABLE, "", "NoSchedule"))
    return frozenset(given)


class NodeIndex:
    """Nodes by label, by name and by taints. Bit n is the n-th node by name."""

    def __init__(self, nodes: Iterable[Node], *, lasting: bool) -> None:
        listed = sorted(nodes, key=lambda node: node.name)
        self.names = tuple(node.name for node in listed)
        self.everything = (1 << len(listed)) - 1
        self._bits = {name: 1 << number for number, name in enumerate(self.names)}
        self._named: dict[int, tuple[str, ...]] = {}
        self._values: dict[str, dict[str, int]] = {}
        self._tainted: dict[frozenset[TaintKey], int] = {}
        self._tolerated: dict[tuple[tuple[Toleration, ...], tuple[str, ...]], int] = {}
        for node in listed:
            self._add(node, taints_of(node, lasting=lasting))

    def _add(self, node: Node, taints: frozenset[TaintKey]) -> None:
        bit = self._bits[node.name]
        for key, value in node.labels.items():
            values = self._values.setdefault(key, {})
            values[value] = values.get(value, 0) | bit
        self._tainted[taints] = self._tainted.get(taints, 0) | bit

    def bits(self, names: Iterable[str]) -> int:
        """The nodes of these names that are known."""
        found = 0
        for name in names:
            found |= self._bits.get(name, 0)
        return found

    def named(self, bits: int) -> tuple[str, ...]:
        """The names of nodes, sorted."""
        if bits not in self._named:
            self._named[bits] = tuple(name for name in self.names if self._bits[name] & bits)
        return self._named[bits]

    def landing(self, one: Placement) -> int:
        """The nodes on which a pod with this placement may land."""
        if one.node:
            return self.bits((one.node,)) & self.reach(one)
        return self.reach(one) & self._tolerating(one.tolerations, _BINDING)

    def reach(self, one: Placement) -> int:
        """The nodes on which it may run if it may also name its node itself, past the scheduler."""
        found = self.labelled(one.selector) & self._tolerating(one.tolerations, ("NoExecute",))
        return found if one.affinity is None else found & self._selected(one.affinity)

    def labelled(self, selector: Labels) -> int:
        """The nodes that have all of these labels."""
        found = self.everything
        for key, value in selector:
            found &= self._of(key).get(value, 0)
        return found

    def _of(self, key: str) -> Mapping[str, int]:
        return self._values.get(key, {})

    def _selected(self, selector: NodeSelector) -> int:
        found = 0
        for term in selector.nodeSelectorTerms or ():
            found |= self._term(term)
        return found

    def _term(self, term: NodeTerm) -> int:
        """The nodes that meet every requirement; of a term without any there are none."""
        if not term.matchExpressions and not term.matchFields:
            return 0
        found = self.everything
        for one in term.matchExpressions or ():
            found &= self._having(one)
        for one in term.matchFields or ():
            found &= self._called(one)
        return found

    def _called(self, field: NodeRequirement) -> int:
        """By name, the one field that the API lets a requirement ask for."""
        if field.key != _NAME_FIELD or field.operator not in ("In", "NotIn") or not field.values:
            return 0
        named = self.bits(field.values)
        return named if field.operator == "In" else self.everything & ~named

    def _having(self, one: NodeRequirement) -> int:
        values, asked = self._of(one.key), one.values or ()
        match one.operator:
            case "In":
                return _union(values.get(value, 0) for value in asked)
            case "NotIn":
                return self.everything & ~_union(values.get(value, 0) for value in asked)
            case "Exists":
                return _union(values.values())
            case "DoesNotExist":
                return self.everything & ~_union(values.values())
            case "Gt" | "Lt":
                return _union(bits for value, bits in values.items() if _compares(value, one.operator, asked))
            case _:
                return 0

    def _tolerating(self, tolerations: tuple[Toleration, ...], effects: tuple[str, ...]) -> int:
        """The nodes whose taints of these effects are all tolerated."""
        key = (tolerations, effects)
        if key not in self._tolerated:
            self._tolerated[key] = _union(
                bits
                for taints, bits in self._tainted.items()
                if all(tolerates(tolerations, taint) for taint in taints if taint[2] in effects)
            )
        return self._tolerated[key]


def tolerates(tolerations: Iterable[Toleration], taint: TaintKey) -> bool:
    """Whether one of the tolerations takes the taint; no effect means every effect, no key every key."""
    key, value, effect = taint
    return any(
        (not one.effect or one.effect == effect)
        and (not one.key or one.key == key)
        and (one.operator == "Exists" or (one.operator in (None, "", "Equal") and (one.value or "") == value))
        for one in tolerations
    )


def _union(bits: Iterable[int]) -> int:
    found = 0
    for one in bits:
        found |= one
    return found


def _compares(value: str, operator: str, asked: tuple[str, ...]) -> bool:
    """Whether a label is a number beyond the one that is asked for; what is no integer meets neither."""
    if len(asked) != 1:
        return False
    number, bound = _integer(value), _integer(asked[0])
    if number is None or bound is None:
        return False
    return number > bound if operator == "Gt" else number < bound


def _integer(text: str) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    return int(text) if int(text) in _INT64 else None
