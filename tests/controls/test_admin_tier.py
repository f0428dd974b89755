"""Laws of the admin tier: grouping namespaces changes no answer, and saves the pairs of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import zones
from audit.controls import admin_tier
from audit.controls.admin_tier import Group, decided, kept_out, texts_of
from audit.controls.scene import Scene
from audit.policy.clause import UnknownPeer
from tests.core.clusters import inventory, matrix, zone, zoned

Json = dict[str, Any]
PLAN = matrix((zone("a"), zone("b"), zone("c")))
NAMES, VALUES = ("tenant", "tier"), ("x", "y", "z")


def scene(*objects: Json) -> Scene:
    population = inventory(*objects)
    members = zones.assign(PLAN, population.namespaces.values(), population.nodes.values())
    return Scene(inventory=population, zone_map=members, matrix=PLAN)


def space(number: int, zone: str, labels: Json) -> Json:
    made: Json = zoned(f"ns-{number}", zone)
    made["metadata"]["labels"] |= labels
    return made


def fence(number: int, subject: Json, *rules: Json) -> Json:
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": f"fence-{number}"},
        "spec": {"priority": number, "subject": {"namespaces": subject}, "ingress": list(rules)},
    }


def rule(action: str, peer: Json) -> Json:
    return {"name": "r", "action": action, "from": [{"namespaces": peer}]}


LABELS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES))
SELECTORS = st.one_of(
    st.just({}),
    st.builds(lambda key, value: {"matchLabels": {key: value}}, st.sampled_from(NAMES), st.sampled_from(VALUES)),
    st.builds(
        lambda key, operator, values: {
            "matchExpressions": [
                {"key": key, "operator": operator, **({"values": values} if operator.endswith("In") else {})}
            ]
        },
        st.sampled_from((*NAMES, "network-zone", "kubernetes.io/metadata.name")),
        st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")),
        st.lists(st.sampled_from((*VALUES, "a", "b", "ns-1", "ns-2")), min_size=1, max_size=2),
    ),
)
PEERS = st.one_of(
    SELECTORS.map(lambda selector: {"namespaceSelector": selector}),
    st.builds(
        lambda word, keys: {word: keys},
        st.sampled_from(("sameLabels", "notSameLabels")),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True),
    ),
)
RULES = st.builds(rule, st.sampled_from(("Allow", "Deny", "Pass")), PEERS)


@settings(max_examples=150)
@given(
    labels=st.lists(st.tuples(st.sampled_from("abc"), LABELS), min_size=2, max_size=9),
    fences=st.lists(st.tuples(SELECTORS, st.lists(RULES, min_size=1, max_size=3)), min_size=1, max_size=3),
)
def test_groups_of_namespaces_get_the_answer_of_each_pair(
    labels: list[tuple[str, Json]], fences: list[tuple[Json, list[Json]]]
) -> None:
    spaces = [space(number, *one) for number, one in enumerate(labels)]
    seen = scene(*spaces, *(fence(n, subject, *rules) for n, (subject, rules) in enumerate(fences)))
    texts = texts_of(seen)
    assert len(texts) == len(fences)
    assert not any(isinstance(peer, UnknownPeer) for text in texts for clause in text.clauses for peer in clause.peers)
    each = [Group(seen.zone_of(one.name), one.labels, (), [one.name]) for one in seen.inventory.namespaces.values()]
    slowly = {one.names[0] for one in each if all(kept_out(seen, texts, one, other) for other in each)}
    assert set(decided(seen)) == slowly


@pytest.mark.parametrize(
    ("word", "tenants", "closed"),
    [
        ("sameLabels", "xyz", {"ns-0", "ns-1", "ns-2"}),
        ("sameLabels", "xyx", {"ns-1"}),
        ("sameLabels", "xxy", {"ns-2"}),
        ("notSameLabels", "xxx", {"ns-0", "ns-1", "ns-2"}),
        ("notSameLabels", "xyx", set()),
    ],
)
def test_namespaces_that_relate_to_a_target_are_judged_beside_those_that_do_not(
    word: str, tenants: str, closed: set[str]
) -> None:
    spaces = [space(number, "abc"[number], {"tenant": tenant}) for number, tenant in enumerate(tenants)]
    rules = (rule("Pass", {word: ["tenant"]}), rule("Deny", {"namespaceSelector": {}}))
    assert set(decided(scene(*spaces, fence(0, {}, *rules)))) == closed


@pytest.mark.parametrize("peer", [{"sameLabels": ["tenant"]}, {"namespaceSelector": {"matchLabels": {"tenant": "x"}}}])
def test_cost_grows_with_namespaces_not_with_their_pairs(monkeypatch: pytest.MonkeyPatch, peer: Json) -> None:
    asked = 0

    def counting(*arguments: Any) -> bool:
        nonlocal asked
        asked += 1
        return kept_out(*arguments)

    monkeypatch.setattr(admin_tier, "kept_out", counting)
    named = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ns-0"}}}
    rules = (rule("Allow", named), rule("Allow", peer), rule("Deny", {"namespaceSelector": {}}))
    spaces = [space(number, "abc"[number % 3], {"tenant": f"t-{number}"}) for number in range(120)]
    assert len(set(decided(scene(*spaces, fence(0, {}, *rules))))) == len(spaces)
    assert asked <= 12 * len(spaces)
