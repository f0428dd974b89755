"""Laws of the tiers around NetworkPolicy: the engine's answers for two clusters, one made from the other."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.draw_policies import admin_policy
from tests.oracle.draws import ANYTHING, NAMESPACES, PLAIN
from tests.oracle.netpol import policy_types
from tests.oracle.objects import spec_of
from tests.oracle.strategies import clusters
from tests.oracle.test_metamorphic import COMPLETE, is_policy, law, never_shrinks, same, tables

Json = Any
ADMIN = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
PEERS = {"ingress": "from", "egress": "to"}
EVERYONE: Json = {"namespaces": {}}
ANYWHERE: Json = {"ingress": [EVERYONE], "egress": [EVERYONE, {"networks": ["0.0.0.0/0", "::/0"]}]}
BARE = replace(ANYTHING, max_admin=0)


def of_admin(objects: list[Json]) -> list[Json]:
    return [o for o in objects if o["kind"] in ADMIN]


def without_admin(objects: list[Json]) -> list[Json]:
    return [o for o in objects if o["kind"] not in ADMIN]


def is_baseline(o: Json) -> bool:
    return bool(o["kind"] == "BaselineAdminNetworkPolicy" or o["spec"].get("tier") == "Baseline")


def changed(objects: list[Json], change: Callable[[Json], object]) -> list[Json]:
    """A copy of the objects with every cluster-wide policy's spec changed."""
    made = copy.deepcopy(objects)
    for o in of_admin(made):
        change(o["spec"])
    return made


def after_zero(spec: Json) -> None:
    """Leaves priority 0 to another object."""
    if "priority" in spec:
        spec["priority"] = spec["priority"] or 1


def admin(action: str, priority: int, directions: tuple[str, ...] = tuple(PEERS), name: str = "law") -> Json:
    """An object with one rule per direction, for every pod and about everyone."""
    rules = {d: [{"action": action, PEERS[d]: ANYWHERE[d]}] for d in directions}
    spec = {"priority": priority, "subject": EVERYONE} | rules
    api = "policy.networking.k8s.io/v1alpha1"
    return {"apiVersion": api, "kind": "AdminNetworkPolicy", "metadata": {"name": name}, "spec": spec}


@law
@given(clusters())
def test_shifting_all_priorities_changes_nothing(objects: list[Json]) -> None:
    def stretch(spec: Json) -> None:
        if "priority" in spec:
            spec["priority"] = 990 + spec["priority"] // 100 if spec["priority"] > 7 else spec["priority"] * 3 + 1

    same(objects, changed(objects, stretch))


@law
@given(clusters())
def test_pass_everywhere_equals_no_admin_tier(objects: list[Json]) -> None:
    bare = without_admin(objects)
    same(bare, [*bare, admin("Pass", 5)])


@law
@given(clusters())
def test_an_admin_pass_in_front_leaves_the_rest_of_the_admin_tier_unread(objects: list[Json]) -> None:
    """Ingress rules cannot name outside addresses, so the source there is always a pod or only egress is passed."""
    rest = [o for o in objects if o["kind"] not in ADMIN or is_baseline(o)]
    others = changed([o for o in objects if o not in rest], lambda spec: spec.pop("ingress", None))
    for o in others:
        if o["spec"].get("priority") == 0:
            o["spec"]["priority"] = 1
    clear = [o for o in others if set(o["spec"]) <= {"priority", "subject", "egress", "tier"}]
    same([*rest, admin("Pass", 0, ("egress",))], [*rest, *clear, admin("Pass", 0, ("egress",))])


@law
@given(clusters())
def test_pass_in_the_baseline_equals_no_baseline(objects: list[Json]) -> None:
    last = {
        "apiVersion": "policy.networking.k8s.io/v1alpha2",
        "kind": "ClusterNetworkPolicy",
        "metadata": {"name": "law"},
        "spec": admin("Pass", 5)["spec"] | {"tier": "Baseline"},
    }
    above = [o for o in objects if o["kind"] not in ADMIN or not is_baseline(o)]
    same(above, [*above, last])


@law
@given(clusters(), st.sampled_from(["Allow", "Deny", "Pass"]), st.data())
def test_a_rule_after_a_total_rule_changes_nothing(objects: list[Json], action: str, data: st.DataObject) -> None:
    later = admin_policy(data.draw, PLAIN, "ANP", "later")
    whole = admin(action, later["spec"]["priority"], ("egress",))
    longer = copy.deepcopy(whole)
    longer["spec"]["egress"] += later["spec"].get("egress") or []
    same([*objects, whole], [*objects, longer])


@law
@given(clusters())
def test_repeated_rules_change_nothing(objects: list[Json]) -> None:
    def twice(spec: Json) -> None:
        for direction in PEERS:
            if spec.get(direction):
                spec[direction] = [copy.deepcopy(r) for r in spec[direction] for _ in range(2)]

    same(objects, changed(objects, twice))


@law
@given(clusters(COMPLETE))
def test_one_rule_means_one_rule_per_peer(objects: list[Json]) -> None:
    def split(spec: Json) -> None:
        for direction, field in PEERS.items():
            if spec.get(direction):
                spec[direction] = [r | {field: [p]} for r in spec[direction] for p in r[field]]

    same(objects, changed(objects, split))


@law
@given(clusters(COMPLETE))
def test_one_rule_means_one_rule_per_port(objects: list[Json]) -> None:
    def split(spec: Json) -> None:
        for direction in PEERS:
            for name in ("ports", "protocols"):
                if spec.get(direction):
                    spec[direction] = [
                        part for r in spec[direction] for part in [r | {name: [p]} for p in r.get(name) or []] or [r]
                    ]

    same(objects, changed(objects, split))


@law
@given(clusters(), st.data())
def test_the_baseline_only_matters_for_pods_that_no_network_policy_isolates(
    objects: list[Json], data: st.DataObject
) -> None:
    everywhere = {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
        "egress": [{"to": [{"namespaceSelector": {}}]}],
    }
    isolating = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "all", "namespace": n},
            "spec": everywhere,
        }
        for n in NAMESPACES
    ]
    above = [o for o in objects if o["kind"] not in ADMIN or not is_baseline(o)]
    base = [
        admin_policy(data.draw, ANYTHING, tier, tier.replace(" ", "-").lower()) for tier in ("BANP", "CNP baseline")
    ]
    same(above + isolating, [*above, *isolating, *base])


@law
@given(clusters(COMPLETE), st.data())
def test_the_baseline_changes_nothing_between_isolated_pods(objects: list[Json], data: st.DataObject) -> None:
    def isolated(o: Json, direction: str) -> bool:
        return is_policy(o) and direction in policy_types(spec_of(o)) and not spec_of(o).get("podSelector")

    above = without_admin(objects)
    before, after = tables(above, [*above, admin_policy(data.draw, PLAIN, "BANP", "default")])
    shut = {
        d: {o["metadata"].get("namespace") or "default" for o in above if isolated(o, d)} for d in ("egress", "ingress")
    }
    for a, b in before.keys() | after.keys():
        if a.split("/")[0] in shut["egress"] and b.split("/")[0] in shut["ingress"]:
            assert before.get((a, b)) == after.get((a, b))


@law
@given(clusters(replace(COMPLETE, host_network=False)))
def test_denying_everything_first_leaves_nothing_between_pods(objects: list[Json]) -> None:
    shifted = changed(objects, after_zero)
    (after,) = tables([*shifted, admin("Deny", 0)])
    assert not [pair for pair in after if all("/" in end for end in pair)]
    assert not [pair for pair in after if "/" in pair[0] and "/" not in pair[1]]


def egress_only(o: Json) -> Json:
    """A NetworkPolicy that isolates for egress alone."""
    return o | {"spec": o["spec"] | {"policyTypes": ["Egress"]}} if is_policy(o) else o


@law
@given(clusters(COMPLETE))
def test_denying_everything_last_leaves_only_what_earlier_rules_allow(objects: list[Json]) -> None:
    """What only the lower tiers allow is gone: the same as without them. A Pass would reach them, so there is none."""

    def close(spec: Json) -> None:
        if "priority" in spec:
            spec["priority"] = min(spec["priority"], 999)
        for r in [r for d in PEERS for r in spec.get(d) or []]:
            r["action"] = "Deny" if r["action"] == "Pass" else r["action"]

    first = [egress_only(o) for o in changed(objects, close)]
    alone = [
        o for o in first if not (is_policy(o) or (o["kind"] in ADMIN and is_baseline(o) and "egress" in o["spec"]))
    ]
    ingress = [egress_free(o) for o in first if o["kind"] in ADMIN and is_baseline(o) and "egress" in o["spec"]]
    end = admin("Deny", 1000, ("egress",))
    same([*first, end], [*alone, *ingress, end])


def egress_free(o: Json) -> Json:
    """The object without its egress rules."""
    return o | {"spec": {name: value for name, value in o["spec"].items() if name != "egress"}}


@law
@given(clusters(), st.sampled_from(["Allow", "Deny"]))
def test_allow_in_front_never_closes_and_deny_never_opens(objects: list[Json], action: str) -> None:
    shifted = changed(objects, after_zero)
    more = [*shifted, admin(action, 0)]
    never_shrinks(*((shifted, more) if action == "Allow" else (more, shifted)))


@law
@given(clusters(BARE), st.data())
def test_an_object_about_nobody_changes_nothing(objects: list[Json], data: st.DataObject) -> None:
    """Nobody: a pod label that no pod has."""
    added = admin_policy(data.draw, ANYTHING, "ANP", "nobody")
    added["spec"]["subject"] = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"never": "seen"}}}}
    same(objects, [*objects, added])


@law
@given(clusters())
def test_both_generations_of_the_first_version_mean_the_same(objects: list[Json]) -> None:
    def older(spec: Json) -> None:
        for direction, field in PEERS.items():
            for r in spec.get(direction) or []:
                for p in r[field]:
                    if "namespaces" in p and set(p["namespaces"]) <= {"matchLabels", "matchExpressions"}:
                        p["namespaces"] = {"namespaceSelector": p["namespaces"]}
                    if set(p.get("pods", ())) == {"namespaceSelector", "podSelector"}:
                        p["pods"]["namespaces"] = {"namespaceSelector": p["pods"].pop("namespaceSelector")}

    first = [o for o in objects if o["kind"] != "ClusterNetworkPolicy"]
    same(first, changed(first, older))
