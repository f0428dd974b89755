"""Where pods may land: the grouped evaluation agrees with the slow one, and with laws of its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.bodies import Taint
from audit.controls.placement import ANY, NodeIndex, Placement, merged, placement, taints_of
from audit.model import Node
from audit.workloads import (
    Affinity,
    NodeAffinity,
    NodeRequirement,
    NodeSelector,
    NodeTerm,
    PodSpec,
    Toleration,
)
from tests.controls.slow_placement import may_stand

KEYS = st.sampled_from(["zone", "disk", "size", "node.kubernetes.io/unschedulable"])
VALUES = st.sampled_from(
    ["a", "b", "", "5", "7", "-7", "+7", "007", "7.5", "9223372036854775807", "9223372036854775808"]
)
EFFECTS = st.sampled_from(["NoSchedule", "NoExecute", "PreferNoSchedule"])
NAMES = ("n0", "n1", "n2", "n3")
taints = st.builds(Taint, key=KEYS, value=st.none() | VALUES, effect=EFFECTS)
tolerations = st.builds(
    Toleration,
    key=st.none() | st.just("") | KEYS,
    operator=st.sampled_from([None, "", "Equal", "Exists", "Like"]),
    value=st.none() | VALUES,
    effect=st.none() | st.just("") | EFFECTS,
)
requirements = st.builds(
    NodeRequirement,
    key=KEYS,
    operator=st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Like"]),
    values=st.none() | st.lists(VALUES, max_size=2).map(tuple),
)
fields = st.builds(
    NodeRequirement,
    key=st.sampled_from(["metadata.name", "metadata.name", "spec.podCIDR"]),
    operator=st.sampled_from(["In", "NotIn", "Exists"]),
    values=st.lists(st.sampled_from([*NAMES, "elsewhere"]), max_size=1).map(tuple),
)
terms = st.builds(
    NodeTerm,
    matchExpressions=st.none() | st.lists(requirements, max_size=2).map(tuple),
    matchFields=st.none() | st.lists(fields, max_size=1).map(tuple),
)
selectors = st.builds(NodeSelector, nodeSelectorTerms=st.none() | st.lists(terms, max_size=3).map(tuple))
specs = st.builds(
    PodSpec,
    nodeSelector=st.none() | st.dictionaries(KEYS, VALUES, max_size=1),
    affinity=st.none() | st.builds(Affinity, nodeAffinity=st.none() | st.builds(NodeAffinity, st.none() | selectors)),
    tolerations=st.none() | st.lists(tolerations, max_size=2).map(tuple),
    nodeName=st.none() | st.sampled_from([*NAMES, "elsewhere"]),
)


@st.composite
def clusters(draw: Any) -> list[Node]:
    labels = st.dictionaries(KEYS, VALUES, max_size=3)
    given = [(draw(labels), draw(st.lists(taints, max_size=2)), draw(st.booleans())) for _ in NAMES]
    return [
        Node(name=name, labels=own, addresses=(), taints=tuple(tainted), unschedulable=cordoned)
        for name, (own, tainted, cordoned) in zip(NAMES, given, strict=True)
    ]


def node(name: str, *tainted: Taint, cordoned: bool = False, **labels: str) -> Node:
    return Node(name=name, labels=labels, addresses=(), taints=tainted, unschedulable=cordoned)


def landing(nodes: list[Node], one: Placement) -> tuple[str, ...]:
    index = NodeIndex(nodes, lasting=False)
    return index.named(index.landing(one))


@given(clusters(), specs)
@example([node("n0", Taint("zone", "a", "NoSchedule"))], PodSpec(nodeName="n0"))
@example([node("n0", Taint("zone", "a", "NoExecute"))], PodSpec(nodeName="n0"))
def test_the_grouped_evaluation_agrees_with_the_slow_one(nodes: list[Node], spec: PodSpec) -> None:
    wanted = tuple(sorted(one.name for one in nodes if may_stand(spec, one)))
    assert landing(nodes, placement(spec, bound=False)) == wanted


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=2), min_size=3, max_size=3), requirements | fields)
@example([{"zone": "7"}, {"zone": "8"}, {}], NodeRequirement("zone", "Gt", ("7",)))
@example([{"zone": "7"}, {"zone": "8"}, {}], NodeRequirement("zone", "Lt", ("8",)))
@example([{"zone": "9223372036854775808"}, {"zone": "9"}, {}], NodeRequirement("zone", "Gt", ("8",)))
@example([{"zone": "a"}, {"zone": "b"}, {}], NodeRequirement("zone", "NotIn", ("a",)))
@example([{"zone": "a"}, {"disk": "b"}, {}], NodeRequirement("zone", "DoesNotExist"))
@example([{}, {}, {}], NodeRequirement("metadata.name", "Exists", ("n1",)))
@example([{}, {}, {}], NodeRequirement("metadata.name", "In", ("n1",)))
@example([{}, {}, {}], NodeRequirement("metadata.name", "NotIn", ("n1",)))
def test_each_requirement_agrees_with_the_slow_one(labels: list[dict[str, str]], one: NodeRequirement) -> None:
    nodes = [Node(name=name, labels=own, addresses=()) for name, own in zip(NAMES, labels, strict=False)]
    by_name = one.key.endswith(("name", "CIDR"))
    term = NodeTerm(matchFields=(one,)) if by_name else NodeTerm(matchExpressions=(one,))
    spec = PodSpec(affinity=Affinity(NodeAffinity(NodeSelector((term,)))))
    assert landing(nodes, placement(spec)) == tuple(each.name for each in nodes if may_stand(spec, each))


@given(
    tainted=st.lists(taints, max_size=1),
    listed=st.lists(tolerations, max_size=1).map(tuple),
    cordoned=st.booleans(),
)
def test_each_toleration_agrees_with_the_slow_one(
    *, tainted: list[Taint], listed: tuple[Toleration, ...], cordoned: bool
) -> None:
    nodes, spec = [node("n0", *tainted, cordoned=cordoned)], PodSpec(tolerations=listed)
    assert landing(nodes, placement(spec)) == tuple(one.name for one in nodes if may_stand(spec, one))


@given(clusters(), specs)
def test_where_a_pod_was_bound_places_nothing_anew(nodes: list[Node], spec: PodSpec) -> None:
    free = PodSpec(nodeSelector=spec.nodeSelector, affinity=spec.affinity, tolerations=spec.tolerations)
    assert placement(spec) == placement(free)
    assert landing(nodes, placement(spec)) == landing(nodes, placement(free, bound=False))


@given(clusters(), specs, KEYS, VALUES)
def test_what_admission_adds_never_widens(nodes: list[Node], spec: PodSpec, key: str, value: str) -> None:
    own = placement(spec)
    bound = merged(own, ((key, value),))
    if bound is None:
        assert dict(own.selector)[key] != value
    else:
        only = landing(nodes, Placement(selector=((key, value),), tolerations=ANY))
        assert set(landing(nodes, bound)) <= set(landing(nodes, own)) & set(only)


@given(clusters(), specs)
def test_the_order_of_nodes_changes_nothing(nodes: list[Node], spec: PodSpec) -> None:
    assert landing(nodes, placement(spec)) == landing(nodes[::-1], placement(spec))


@pytest.mark.parametrize(
    ("given_node", "lasting"),
    [
        (node("n", Taint("zone", "a", "NoSchedule")), {("zone", "a", "NoSchedule")}),
        (node("n", Taint("zone", None, "PreferNoSchedule")), set()),
        (node("n", Taint("node.kubernetes.io/not-ready", None, "NoExecute")), set()),
        (node("n", cordoned=True), set()),
        (
            node("n", cordoned=True, **{"node-role.kubernetes.io/master": "true"}),
            {("node.kubernetes.io/unschedulable", "", "NoSchedule")},
        ),
    ],
)
def test_only_what_lasts_keeps_pods_away_for_good(given_node: Node, lasting: set[Any]) -> None:
    assert taints_of(given_node, lasting=True) == lasting
