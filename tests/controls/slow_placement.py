"""Where one pod may stand, node by node and condition by condition, as the API text says it. Slow, and no bits.

Written from the comments of core/v1 (NodeSelector, NodeSelectorTerm, Taint, Toleration, `spec.nodeName`); it shares no
line with `audit.controls.placement`.
"""

from __future__ import annotations

from audit.bodies import Taint
from audit.model import Node
from audit.workloads import NodeRequirement, NodeSelector, NodeTerm, PodSpec, Toleration


def may_stand(spec: PodSpec, node: Node) -> bool:
    for key, value in (spec.nodeSelector or {}).items():
        if key not in node.labels or node.labels[key] != value:
            return False
    required = None
    if spec.affinity is not None and spec.affinity.nodeAffinity is not None:
        required = spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
    if required is not None and not selects(required, node):
        return False
    if spec.nodeName:
        # The scheduler is not asked: the kubelet of that node checks the above, and evicts what NoExecute forbids.
        return spec.nodeName == node.name and not any(
            taint.effect == "NoExecute" and not any(takes(one, taint) for one in spec.tolerations or ())
            for taint in node.taints
        )
    taints = [taint for taint in node.taints if taint.effect != "PreferNoSchedule"]
    if node.unschedulable:
        taints.append(Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule"))
    return all(any(takes(one, taint) for one in spec.tolerations or ()) for taint in taints)


def selects(selector: NodeSelector, node: Node) -> bool:
    return any(fits(term, node) for term in selector.nodeSelectorTerms or ())


def fits(term: NodeTerm, node: Node) -> bool:
    expressions, fields = term.matchExpressions or (), term.matchFields or ()
    if len(expressions) + len(fields) == 0:
        return False
    fields_of_node = {"metadata.name": node.name}
    for one in fields:
        if one.key != "metadata.name" or one.operator not in ("In", "NotIn") or not one.values:
            return False
        if not meets(one, fields_of_node):
            return False
    return all(meets(one, dict(node.labels)) for one in expressions)


def meets(one: NodeRequirement, labels: dict[str, str]) -> bool:  # noqa: PLR0911 - an answer for each operator
    there = one.key in labels
    values = list(one.values or ())
    if one.operator == "In":
        return there and labels[one.key] in values
    if one.operator == "NotIn":
        return not there or labels[one.key] not in values
    if one.operator == "Exists":
        return there
    if one.operator == "DoesNotExist":
        return not there
    if one.operator in ("Gt", "Lt") and there and len(values) == 1:
        mine, asked = number(labels[one.key]), number(values[0])
        if mine is None or asked is None:
            return False
        return mine > asked if one.operator == "Gt" else mine < asked
    return False


def number(text: str) -> int | None:
    """A signed 64-bit number in decimal digits, as Go reads one."""
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if not digits or any(digit not in "0123456789" for digit in digits):
        return None
    value = 0
    for digit in digits:
        value = value * 10 + "0123456789".index(digit)
    value = -value if sign == "-" else value
    return value if -(1 << 63) <= value < 1 << 63 else None


def takes(one: Toleration, taint: Taint) -> bool:
    if one.effect and one.effect != taint.effect:
        return False
    if one.key and one.key != taint.key:
        return False
    if one.operator == "Exists":
        return True
    if one.operator in (None, "", "Equal"):
        return (one.value or "") == (taint.value or "")
    return False
