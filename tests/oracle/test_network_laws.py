"""Laws of networks and the ways out and in: the engine's answers for two clusters, one made from the other."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.draw_entering import route, service
from tests.oracle.draw_leaving import CIDRS, egress_firewall
from tests.oracle.draws import NAMESPACES, PLAIN, Shape, die, pick
from tests.oracle.engine import reach
from tests.oracle.strategies import ENTERING, EVERYTHING, LEAVING, NETWORKS, rolled
from tests.oracle.terms import network
from tests.oracle.test_metamorphic import law, never_shrinks, same, shuffled

Json = Any
NUMBERS = st.integers(0, 99999)
READ = replace(NETWORKS, gaps=False)
"""Every namespace is in the input."""
NOBODY: Json = {"matchLabels": {"never": "seen"}}


def clusters(shape: Shape, *kinds: str) -> st.SearchStrategy[list[Json]]:
    """Clusters about a topic that have one of the kinds, if any is given."""
    drawn = NUMBERS.map(lambda number: rolled(number, shape))
    return drawn.filter(lambda objects: any(o["kind"] in kinds for o in objects)) if kinds else drawn


def changed(objects: list[Json], kind: str, change: Callable[[Json], object]) -> list[Json]:
    """A copy of the objects with every one of a kind changed."""
    made = copy.deepcopy(objects)
    for o in made:
        if o["kind"] == kind:
            change(o)
    return made


# Everything ----------------------------------------------------------------------------------------------------------


@law
@given(clusters(EVERYTHING), st.integers(0, 99))
def test_order_of_objects_changes_no_byte(objects: list[Json], number: int) -> None:
    other = shuffled_objects(objects, number)
    assert json.dumps(reach(objects).document) == json.dumps(reach(other).document)


def shuffled_objects(objects: list[Json], number: int) -> list[Json]:
    """The same objects in another order, with other orders inside where order means nothing."""
    random = Random(number)  # noqa: S311 - a permutation
    free = ("Service", "Route", "HTTPRoute", "GRPCRoute", "ReferenceGrant", "ClusterNetworkConnect", "Ingress")
    other = [o | {"spec": shuffled(o["spec"], random)} if o["kind"] in free else o for o in objects]
    random.shuffle(other)
    return other


@law
@given(clusters(EVERYTHING))
def test_a_label_that_nothing_asks_for_changes_nothing(objects: list[Json]) -> None:
    def label(o: Json) -> None:
        o["metadata"]["labels"] = (o["metadata"].get("labels") or {}) | {"never.asked/for": "x"}

    other = objects
    for kind in ("Pod", "Namespace", "Node", "Route", "Ingress", "ClusterUserDefinedNetwork"):
        other = changed(other, kind, label)
    same(objects, other)


# Networks ------------------------------------------------------------------------------------------------------------


@law
@given(clusters(READ), st.sampled_from(["Primary", "Secondary"]))
def test_a_network_without_namespaces_changes_nothing(objects: list[Json], role: str) -> None:
    network_spec = {"topology": "Layer2", "layer2": {"role": role, "subnets": ["10.0.0.0/16"]}}
    spec = {"namespaceSelector": NOBODY, "network": network_spec}
    metadata = {"name": "nobody"}
    kind = {"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterUserDefinedNetwork"}
    same(objects, [*objects, kind | {"metadata": metadata, "spec": spec}])


@law
@given(clusters(NETWORKS))
def test_a_multi_network_policy_about_no_network_changes_nothing(objects: list[Json]) -> None:
    def forget(o: Json) -> None:
        o["metadata"]["annotations"] = {"k8s.v1.cni.cncf.io/policy-for": "never/seen"}

    without = [o for o in objects if o["kind"] != "MultiNetworkPolicy"]
    same(without, changed(objects, "MultiNetworkPolicy", forget))


@law
@given(clusters(READ, "ClusterUserDefinedNetwork", "UserDefinedNetwork"))
def test_joining_networks_never_closes_a_connection(objects: list[Json]) -> None:
    selectors = [
        {
            "networkSelectionType": "ClusterUserDefinedNetworks",
            "clusterUserDefinedNetworkSelector": {"networkSelector": {}},
        },
        {
            "networkSelectionType": "PrimaryUserDefinedNetworks",
            "primaryUserDefinedNetworkSelector": {"namespaceSelector": {}},
        },
    ]
    spec = {"networkSelectors": selectors, "connectivity": ["PodNetwork"]}
    spec["connectSubnets"] = [{"cidr": "192.168.0.0/16", "networkPrefix": 24}]
    kind = {"apiVersion": "k8s.ovn.org/v1", "kind": "ClusterNetworkConnect", "metadata": {"name": "law"}}
    never_shrinks(objects, [*objects, kind | {"spec": spec}])


# Out -----------------------------------------------------------------------------------------------------------------


@law
@given(clusters(LEAVING), st.sampled_from(NAMESPACES), NUMBERS)
def test_a_firewall_never_opens_a_connection(objects: list[Json], ns: str, number: int) -> None:
    places = [o["metadata"]["namespace"] for o in objects if o["kind"] == "EgressFirewall"]
    more = [] if ns in places else [egress_firewall(die(Random(number)), PLAIN, ns)]  # noqa: S311 - no secret
    never_shrinks([*objects, *more], objects)


@law
@given(clusters(LEAVING, "EgressFirewall"), st.sampled_from(CIDRS), st.integers(0, 3))
def test_a_denying_rule_never_opens_a_connection(objects: list[Json], cidr: str, at: int) -> None:
    def deny(o: Json) -> None:
        o["spec"]["egress"].insert(at, {"type": "Deny", "to": {"cidrSelector": cidr}})

    never_shrinks(changed(objects, "EgressFirewall", deny), objects)


@law
@given(clusters(replace(LEAVING, host_network=False), "EgressFirewall", "EgressNetworkPolicy"))
def test_the_halves_of_a_block_mean_the_block(objects: list[Json]) -> None:
    """A host-network pod whose address is not known is left out: whether rules miss it is asked rule by rule."""

    def halve(o: Json) -> None:
        rules = []
        for rule in o["spec"]["egress"]:
            text = rule["to"].get("cidrSelector")
            whole = network("0.0.0.0/0" if text == "0.0.0.0/32" and o["kind"] != "EgressFirewall" else text or "::1")
            halves = list(whole.subnets()) if text and whole.prefixlen < whole.max_prefixlen else []
            rules += [rule | {"to": {"cidrSelector": str(half)}} for half in halves] or [rule]
        o["spec"]["egress"] = rules

    same(objects, changed(changed(objects, "EgressFirewall", halve), "EgressNetworkPolicy", halve))


@law
@given(clusters(LEAVING, "EgressFirewall"))
def test_a_rule_for_several_ports_means_a_rule_for_each(objects: list[Json]) -> None:
    def split(o: Json) -> None:
        o["spec"]["egress"] = [
            part
            for rule in o["spec"]["egress"]
            for part in [rule | {"ports": [port]} for port in rule.get("ports") or []] or [rule]
        ]

    same(objects, changed(objects, "EgressFirewall", split))


# In ------------------------------------------------------------------------------------------------------------------


@law
@given(clusters(ENTERING, "IngressController"), NUMBERS)
def test_an_added_route_never_closes_a_connection(objects: list[Json], number: int) -> None:
    random = die(Random(number))  # noqa: S311 - no secret
    added = route(random, "added", pick(random, NAMESPACES))
    never_shrinks(objects, [*objects, added])


@law
@given(clusters(ENTERING), NUMBERS)
def test_an_added_service_never_closes_a_connection(objects: list[Json], number: int) -> None:
    random = die(Random(number))  # noqa: S311 - no secret
    added = service(random, "added", pick(random, NAMESPACES), objects)
    never_shrinks(objects, [*objects, added])


@law
@given(clusters(ENTERING, "ReferenceGrant"))
def test_a_grant_never_closes_a_connection(objects: list[Json]) -> None:
    never_shrinks([o for o in objects if o["kind"] != "ReferenceGrant"], objects)


@law
@given(clusters(ENTERING, "IngressController"))
def test_renaming_shards_consistently_changes_nothing(objects: list[Json]) -> None:
    """Only the names: those of the IngressControllers, and where a label or an owner's name repeats them."""
    key = '"ingresscontroller.operator.openshift.io/deployment-ingresscontroller": '
    text = json.dumps(objects)
    for name in ("default", "zone-a"):
        text = text.replace(f'{key}"{name}"', f'{key}"shard-{name}"')
    other = json.loads(text)
    for o in other:
        if o["kind"] == "IngressController":
            o["metadata"]["name"] = f"shard-{o['metadata']['name']}"
    same(objects, other)


@law
@given(clusters(ENTERING, "Route"))
def test_the_status_of_a_route_changes_nothing(objects: list[Json]) -> None:
    def forge(o: Json) -> None:
        conditions = [{"type": "Admitted", "status": "True"}]
        o["status"] = {"ingress": [{"routerName": "default", "host": "x", "conditions": conditions}]}

    def forget(o: Json) -> None:
        o.pop("status", None)

    same(changed(objects, "Route", forge), changed(objects, "Route", forget))


@law
@given(clusters(ENTERING, "Route"))
def test_weights_matter_only_where_they_are_zero(objects: list[Json]) -> None:
    def weigh(o: Json) -> None:
        for to in [o["spec"]["to"], *o["spec"].get("alternateBackends", [])]:
            if to.get("weight") != 0:
                to["weight"] = 7

    same(objects, changed(objects, "Route", weigh))
