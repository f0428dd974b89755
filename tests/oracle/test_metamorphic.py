"""Laws that relate the engine's answers for two clusters, one made from the other."""

from __future__ import annotations

import copy
import ipaddress
import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

from tests.oracle.draw_policies import policy, rule
from tests.oracle.draws import ANYTHING, NAMESPACES, PLAIN
from tests.oracle.engine import Address, Ports, Reach, reach
from tests.oracle.netpol import policy_types
from tests.oracle.portbits import NOTHING, PortBits
from tests.oracle.probes import probe_addresses
from tests.oracle.strategies import clusters
from tests.oracle.terms import NAME_LABEL

Json = Any
Table = dict[tuple[str, str], dict[str, Ports]]
ALL: Ports = {protocol: [(1, 65535)] for protocol in ("TCP", "UDP", "SCTP")}
BOTH = ["Ingress", "Egress"]
PEERS = {"ingress": "from", "egress": "to"}
COMPLETE = replace(ANYTHING, gaps=False)

law = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


# Tools ---------------------------------------------------------------------------------------------------------------


def is_policy(o: Json) -> bool:
    return o["kind"] == "NetworkPolicy" and o["apiVersion"] in ("networking.k8s.io/v1", "extensions/v1beta1")


def specs(objects: list[Json]) -> list[Json]:
    return [o["spec"] for o in objects if is_policy(o)]


def rules(objects: list[Json], directions: Iterable[str] = ("ingress", "egress")) -> list[tuple[str, Json]]:
    """Every rule that is an object, with the name of its peer field."""
    return [(PEERS[d], r) for spec in specs(objects) for d in directions for r in spec.get(d) or [] if r]


def types(spec: Json) -> list[str]:
    found = policy_types({name: value for name, value in spec.items() if value is not None})
    return [name for name in BOTH if name.lower() in found]


def changed(objects: list[Json], change: Callable[[list[Json]], object]) -> list[Json]:
    """A copy of the objects after the change."""
    made = copy.deepcopy(objects)
    change(made)
    return made


def replace_rules(objects: list[Json], rewrite: Callable[[str, Json], list[Json]]) -> list[Json]:
    """A copy in which every rule became the rules that `rewrite(peer_field, rule)` gives."""

    def change(made: list[Json]) -> None:
        for spec in specs(made):
            for direction, field in PEERS.items():
                if spec.get(direction):
                    spec[direction] = [new for old in spec[direction] for new in rewrite(field, old or {})]

    return changed(objects, change)


def replace_items(objects: list[Json], fields: Iterable[str], rewrite: Callable[[Json], list[Json]]) -> list[Json]:
    """A copy in which every item of the named lists of every rule became the items that `rewrite` gives."""

    def in_rule(_: str, old: Json) -> list[Json]:
        for field in fields:
            if old.get(field):
                old[field] = [new for item in old[field] for new in rewrite(item or {})]
        return [old]

    return replace_rules(objects, in_rule)


def tables(*clusters: list[Json]) -> list[Table]:
    """The engine's answers, all over the same outside addresses."""
    addresses = sorted({a for objects in clusters for a in probe_addresses(objects)}, key=str)
    for objects in clusters:
        note(json.dumps(objects, indent=1))
    return [reach(objects).table(addresses) for objects in clusters]


def same(*clusters: list[Json]) -> None:
    """Raises AssertionError unless the engine answers alike."""
    first, *others = tables(*clusters)
    for other in others:
        assert other == first


def levels(found: dict[str, Ports]) -> tuple[PortBits, PortBits]:
    """Ports that are allowed, and those that are allowed or unknown."""
    certain = found.get("allowed", {})
    return points(certain), points(certain) | points(found.get("unknown", {}))


def points(ports: Ports) -> PortBits:
    found = NOTHING
    for protocol, ranges in ports.items():
        for low, high in ranges:
            found |= PortBits.of(protocol, low, high)
    return found


def never_shrinks(before: list[Json], after: list[Json]) -> None:
    """Raises AssertionError unless every connection is at least as open afterwards."""
    less, more = tables(before, after)
    for pair, found in less.items():
        if found == more.get(pair):
            continue
        old, new = levels(found), levels(more.get(pair, {}))
        assert old[0] <= new[0], f"{pair} lost allowed ports"
        assert old[1] <= new[1], f"{pair} lost possible ports"


def host_network(o: Json) -> bool:
    return "hostNetwork" in json.dumps(o)


# Order, names, absence -----------------------------------------------------------------------------------------------


def shuffled(value: Json, random: Random) -> Json:
    """The value with every list inside in another order."""
    if isinstance(value, dict):
        return {name: shuffled(inner, random) for name, inner in random.sample(list(value.items()), len(value))}
    if isinstance(value, list):
        return [shuffled(inner, random) for inner in random.sample(value, len(value))]
    return value


@law
@given(clusters(), st.integers(0, 99))
def test_order_of_objects_rules_peers_and_ports_changes_nothing(objects: list[Json], number: int) -> None:
    random = Random(number)  # noqa: S311 - a permutation
    other = [o | {"spec": shuffled(o["spec"], random)} if is_policy(o) else o for o in objects]
    random.shuffle(other)
    assert json.dumps(reach(objects).document) == json.dumps(reach(other).document)


@law
@given(clusters())
def test_the_same_input_gives_the_same_document_twice(objects: list[Json]) -> None:
    assert json.dumps(reach(objects).document) == json.dumps(reach(objects).document)


def renamed(value: Json) -> Json:
    """Every namespace, pod, workload, node and policy under another name, `kubernetes.io/metadata.name` included."""
    if isinstance(value, list):
        return [renamed(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    found = {name: renamed(inner) for name, inner in value.items()}
    if value.get("key") == NAME_LABEL and value.get("values"):
        found["values"] = [other_name(v) for v in value["values"]]
    if NAME_LABEL in value:
        found[NAME_LABEL] = other_name(value[NAME_LABEL])
    if "nodeName" in value:
        found["nodeName"] = other_name(value["nodeName"])
    if "metadata" in value and "kind" in value:
        metadata = found["metadata"] = dict(found["metadata"])
        metadata["name"] = other_name(metadata["name"])
        if value["kind"] not in ("Namespace", "Node"):
            metadata["namespace"] = other_name(metadata.get("namespace") or "default")
        for owner in metadata.get("ownerReferences") or []:
            owner["name"] = other_name(owner["name"])
    return found


def other_name(name: str) -> str:
    """Another name, in another alphabetical order."""
    return f"{'zyx'[len(name) % 3]}-{name}"


@law
@given(clusters())
def test_renaming_everything_consistently_renames_the_answer(objects: list[Json]) -> None:
    def other_id(end: str) -> str:
        if "/" not in end:
            return end
        ns, kind, name = end.split("/")
        return f"{other_name(ns)}/{kind}/{other_name(name)}"

    before, after = tables(objects, renamed(objects))
    assert {(other_id(a), other_id(b)): found for (a, b), found in before.items()} == after


@law
@given(clusters())
def test_without_policies_everything_is_allowed(objects: list[Json]) -> None:
    bare = [o for o in objects if o["kind"] in ("Namespace", "Node", "Pod") or "template" in json.dumps(o)]
    answer = reach(bare)
    outside: list[Address] = [ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1")]
    pairs = list(itertools.permutations([*answer.inside, *outside], 2))
    for a, b in pairs:
        if isinstance(a, str) or isinstance(b, str):
            assert answer.pair(a, b) == {"allowed": ALL}


@law
@given(clusters(replace(COMPLETE, host_network=False, max_admin=0)))
def test_default_deny_in_both_directions_leaves_nothing(objects: list[Json]) -> None:
    spec = {"podSelector": {}, "policyTypes": BOTH}
    bare = [o for o in objects if not is_policy(o)]
    denied = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "x", "namespace": n},
            "spec": spec,
        }
        for n in NAMESPACES
    ]
    assert reach(bare + denied).document["connections"] == []


@law
@given(clusters(), st.sampled_from(["Ingress", "Egress"]))
def test_a_policy_that_selects_nothing_changes_nothing(objects: list[Json], direction: str) -> None:
    spec = {"podSelector": {"matchLabels": {"never": "seen"}}, "policyTypes": [direction], direction.lower(): [{}]}
    empty = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "x", "namespace": n},
            "spec": spec,
        }
        for n in NAMESPACES
    ]
    same(objects, objects + empty)


# Growing and shrinking -----------------------------------------------------------------------------------------------


@law
@given(clusters(), st.data())
def test_an_added_rule_never_closes_a_connection(objects: list[Json], data: st.DataObject) -> None:
    def add(made: list[Json]) -> None:
        candidates = [(spec, t.lower()) for spec in specs(made) for t in types(spec)]
        assume(candidates)
        spec, direction = data.draw(st.sampled_from(candidates))
        spec[direction] = [*(spec.get(direction) or []), rule(data.draw, PLAIN, direction)]
        spec["policyTypes"] = [
            t for t in BOTH if t in types(spec) and (t.lower() == direction or t in before[id(spec)])
        ]

    before: dict[int, list[str]] = {}

    def remember_and_add(made: list[Json]) -> None:
        before.update({id(spec): types(spec) for spec in specs(made)})
        add(made)

    never_shrinks(objects, changed(objects, remember_and_add))


@law
@given(clusters(), st.data())
def test_a_policy_for_pods_that_are_already_isolated_never_closes_a_connection(
    objects: list[Json], data: st.DataObject
) -> None:
    policies = [o for o in objects if is_policy(o)]
    assume(policies)
    model = data.draw(st.sampled_from(policies))
    added = policy(data.draw, PLAIN, "added", model["metadata"].get("namespace") or "default")
    added["spec"] |= {"podSelector": model["spec"].get("podSelector"), "policyTypes": types(model["spec"])}
    never_shrinks(objects, [*objects, added])


@law
@given(clusters(), st.data())
def test_a_policy_for_pods_that_nothing_isolates_never_opens_a_connection(
    objects: list[Json], data: st.DataObject
) -> None:
    ns = data.draw(st.sampled_from(NAMESPACES))
    free = [o for o in objects if not (is_policy(o) and (o["metadata"].get("namespace") or "default") == ns)]
    never_shrinks([*free, policy(data.draw, PLAIN, "added", ns)], free)


@law
@given(clusters(replace(ANYTHING, host_network=False)), st.sampled_from(NAMESPACES))
def test_a_policy_kind_without_semantics_makes_its_pods_uncertain_and_nothing_else(
    objects: list[Json], ns: str
) -> None:
    metadata = {"name": "more", "namespace": ns}
    other = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": metadata, "spec": {}}
    before, after = tables(objects, [*objects, other])
    for pair in before.keys() | after.keys():
        old, new = before.get(pair, {}), after.get(pair, {})
        if any(end.startswith(f"{ns}/") for end in pair):
            assert "allowed" not in new
            assert levels(old)[1] <= levels(new)[1]
        else:
            assert old == new


# Ways to write the same ----------------------------------------------------------------------------------------------


@law
@given(clusters())
def test_peers_of_one_rule_mean_one_rule_per_peer(objects: list[Json]) -> None:
    same(
        objects, replace_rules(objects, lambda field, old: [old | {field: [p]} for p in old.get(field) or []] or [old])
    )


@law
@given(clusters())
def test_ports_of_one_rule_mean_one_rule_per_port(objects: list[Json]) -> None:
    same(
        objects, replace_rules(objects, lambda _, old: [old | {"ports": [p]} for p in old.get("ports") or []] or [old])
    )


@law
@given(clusters())
def test_repeated_rules_and_policies_change_nothing(objects: list[Json]) -> None:
    twice = replace_rules(objects, lambda _, old: [old, copy.deepcopy(old)])
    again = [
        o | {"metadata": o["metadata"] | {"name": o["metadata"]["name"] + "-again"}} for o in objects if is_policy(o)
    ]
    same(objects, twice, objects + again)


@law
@given(clusters())
def test_one_policy_means_one_policy_per_rule(objects: list[Json]) -> None:
    made = [o for o in objects if not is_policy(o)]
    for o in filter(is_policy, objects):
        head = {name: value for name, value in o["spec"].items() if name not in PEERS} | {
            "policyTypes": types(o["spec"])
        }
        parts = [head] + [head | {d: [r]} for d in PEERS for r in o["spec"].get(d) or []]
        made += [
            o | {"spec": part, "metadata": o["metadata"] | {"name": f"{o['metadata']['name']}-{i}"}}
            for i, part in enumerate(parts)
        ]
    same(objects, made)


def split_range(port: Json) -> list[Json]:
    """The range in two, and its ends as single ports."""
    low, high = port.get("port"), port.get("endPort")
    if high is None or low == high:
        return [port]
    middle = (low + high) // 2
    single = {name: value for name, value in port.items() if name != "endPort"}
    return [single, port | {"endPort": middle}, port | {"port": middle + 1}, single | {"port": high}]


@law
@given(clusters())
def test_a_port_range_is_its_two_parts(objects: list[Json]) -> None:
    same(objects, replace_items(objects, ["ports"], split_range))


@law
@given(clusters())
def test_no_ports_means_every_port_of_three_protocols(objects: list[Json]) -> None:
    protocols = [{"protocol": p} for p in ALL]
    whole = [{"protocol": p, "port": 1, "endPort": 65535} for p in ALL]
    same(
        objects,
        replace_rules(objects, lambda _, old: [old | {"ports": old.get("ports") or protocols}]),
        replace_rules(objects, lambda _, old: [old | {"ports": old.get("ports") or whole}]),
    )


def halves(peer: Json) -> list[Json]:
    """A block as its two halves, exceptions dealt to where they lie; a half that is excepted altogether is left out."""
    block = peer.get("ipBlock")
    if not block or set(block) - {"cidr", "except"}:
        return [peer]
    cidr = ipaddress.ip_network(block["cidr"], strict=False)
    excepts = [ipaddress.ip_network(e) for e in block.get("except") or []]
    if cidr.prefixlen == cidr.max_prefixlen:
        return [peer]
    parts = [half for half in cidr.subnets() if half not in excepts]
    return [
        peer | {"ipBlock": {"cidr": str(half), "except": [str(e) for e in excepts if e.subnet_of(half)]}}  # type: ignore[arg-type]
        for half in parts
    ] or [{}]


@law
@given(clusters(replace(ANYTHING, addresses_known=True)))
def test_a_block_is_its_two_halves(objects: list[Json]) -> None:
    once = replace_items(objects, PEERS.values(), halves)
    same(objects, once, replace_items(once, PEERS.values(), halves))


@law
@given(clusters())
def test_a_block_with_exceptions_plus_the_exceptions_is_the_whole_block(objects: list[Json]) -> None:
    def whole(peer: Json) -> list[Json]:
        return (
            [peer | {"ipBlock": {n: v for n, v in peer["ipBlock"].items() if n != "except"}}]
            if "ipBlock" in peer
            else [peer]
        )

    def together(peer: Json) -> list[Json]:
        excepts = peer.get("ipBlock", {}).get("except") or []
        return [peer] + [peer | {"ipBlock": peer["ipBlock"] | {"cidr": e, "except": []}} for e in excepts]

    fields = list(PEERS.values())
    # Once more: an exception without the rest of the block is part of it anyhow.
    same(replace_items(objects, fields, whole), replace_items(objects, fields, together))


@law
@given(clusters())
def test_ipv4_blocks_never_decide_about_ipv6_addresses(objects: list[Json]) -> None:
    def add(made: list[Json]) -> None:
        for field, r in rules(made):
            if r.get(field):
                r[field] = [*r[field], {"ipBlock": {"cidr": "0.0.0.0/0"}}]

    addresses = [a for a in probe_addresses(objects) if a.version == 6]
    before, after = reach(objects), reach(changed(objects, add))
    for end, address in itertools.product(before.inside, addresses):
        assert before.pair(end, address) == after.pair(end, address)
        assert before.pair(address, end) == after.pair(address, end)


# Selectors -----------------------------------------------------------------------------------------------------------


def selectors(objects: list[Json]) -> list[Json]:
    """Every selector object of every policy."""
    found = [spec["podSelector"] for spec in specs(objects) if spec.get("podSelector")]
    for field, r in rules(objects):
        for p in r.get(field) or []:
            found += [p[name] for name in ("podSelector", "namespaceSelector") if p and p.get(name)]
    return found


@law
@given(clusters())
def test_a_match_label_is_an_in_expression_with_one_value(objects: list[Json]) -> None:
    def change(made: list[Json]) -> None:
        for s in selectors(made):
            pairs = (s.pop("matchLabels", None) or {}).items()
            added = [{"key": k, "operator": "In", "values": [v]} for k, v in pairs]
            s["matchExpressions"] = [*(s.get("matchExpressions") or []), *added]

    same(objects, changed(objects, change))


def by_value(peer: Json) -> list[Json]:
    """The peer once per value of its first expression with several values under `In`."""
    for name in ("podSelector", "namespaceSelector"):
        expressions = (peer.get(name) or {}).get("matchExpressions") or []
        for index, e in enumerate(expressions):
            if e["operator"] == "In" and len(e["values"]) > 1:
                rest = expressions[:index] + expressions[index + 1 :]
                return [
                    peer | {name: peer[name] | {"matchExpressions": [*rest, e | {"values": [v]}]}} for v in e["values"]
                ]
    return [peer]


@law
@given(clusters())
def test_in_is_the_union_over_its_values(objects: list[Json]) -> None:
    same(objects, replace_items(objects, PEERS.values(), by_value))


@law
@given(clusters(COMPLETE))
def test_in_and_not_in_together_are_everything(objects: list[Json]) -> None:
    def split(peer: Json) -> list[Json]:
        name = next((n for n in ("podSelector", "namespaceSelector") if n in peer), None)
        if name is None:
            return [peer]
        expressions = peer[name].get("matchExpressions") or []

        def with_operator(operator: str) -> Json:
            added = {"key": "zone", "operator": operator, "values": ["a", ""]}
            return peer | {name: peer[name] | {"matchExpressions": [*expressions, added]}}

        return [with_operator("In"), with_operator("NotIn")]

    same(objects, replace_items(objects, PEERS.values(), split))


@law
@given(clusters())
def test_exists_is_in_over_every_value_there_is_and_its_opposite_is_not_in(objects: list[Json]) -> None:
    seen = sorted(set(labels_of(objects)) | set(NAMESPACES))

    def change(made: list[Json]) -> None:
        for s in selectors(made):
            for e in s.get("matchExpressions") or []:
                other = {"Exists": "In", "DoesNotExist": "NotIn"}.get(e["operator"])
                if other:
                    e |= {"operator": other, "values": seen}

    same(objects, changed(objects, change))


def labels_of(value: Json) -> Iterable[str]:
    """Every label value of every object."""
    if isinstance(value, dict):
        yield from (value.get("labels") or {}).values()
        for inner in value.values():
            yield from labels_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from labels_of(inner)


@law
@given(clusters())
def test_a_label_that_no_selector_names_changes_nothing(objects: list[Json]) -> None:
    def change(made: list[Json]) -> None:
        for index, o in enumerate(made):
            if o["kind"] in ("Pod", "Namespace"):
                o["metadata"]["labels"] = (o["metadata"].get("labels") or {}) | {"unrelated": str(index % 3)}

    same(objects, changed(objects, change))


# Structure -----------------------------------------------------------------------------------------------------------


@law
@given(clusters(), st.data())
def test_a_copy_of_a_pod_has_the_same_connections(objects: list[Json], data: st.DataObject) -> None:
    pods = [
        o for o in objects if o["kind"] == "Pod" and (o.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]
    assume(pods)
    model = data.draw(st.sampled_from(pods))
    copied = copy.deepcopy(model)
    copied["metadata"]["name"] += "-copy"
    first = f"{model['metadata'].get('namespace') or 'default'}/Pod/{model['metadata']['name']}"
    second = f"{first}-copy"
    swap = {first: second, second: first}
    before, after = tables(objects, [*objects, copied])
    assert {pair: found for pair, found in after.items() if second not in pair} == before
    for a, b in [pair for pair in after if first in pair or second in pair]:
        if {a, b} != {first, second}:
            assert after[a, b] == after.get((swap.get(a, a), swap.get(b, b)))


@law
@given(clusters(replace(ANYTHING, host_network=False, named_ports=False, max_admin=0)))
def test_swapping_ingress_and_egress_transposes_the_answer(objects: list[Json]) -> None:
    def change(made: list[Json]) -> None:
        for spec in specs(made):
            spec["policyTypes"] = [t for t in BOTH if t not in types(spec)] if len(types(spec)) == 1 else BOTH
            ingress, egress = spec.pop("ingress", None), spec.pop("egress", None)
            spec["ingress"] = [r and {("from" if n == "to" else n): v for n, v in r.items()} for r in egress or []]
            spec["egress"] = [r and {("to" if n == "from" else n): v for n, v in r.items()} for r in ingress or []]

    before, after = tables(objects, changed(objects, change))
    assert {(b, a): found for (a, b), found in before.items()} == after


def one_sided(objects: list[Json], direction: str) -> list[Json]:
    """A copy in which every policy keeps one direction only."""
    made = copy.deepcopy(objects)
    kept = []
    for o in made:
        if is_policy(o):
            if direction not in types(o["spec"]):
                continue
            o["spec"]["policyTypes"] = [direction]
        kept.append(o)
    return kept


@law
@given(clusters(replace(COMPLETE, host_network=False, dual_stack=False)))
def test_a_connection_is_open_when_both_sides_let_it_through(objects: list[Json]) -> None:
    full, out, into = tables(objects, one_sided(objects, "Egress"), one_sided(objects, "Ingress"))
    for pair in set(full) | set(out) | set(into):
        both, left, right = (levels(t.get(pair, {})) for t in (full, out, into))
        assert both == (left[0] & right[0], left[1] & right[1])


def as_stored(objects: list[Json]) -> list[Json]:
    """The objects as an API server gives them back: defaults filled in, nulls and empty lists gone."""

    def stored_rule(field: str, old: Json) -> Json:
        found = {name: value for name, value in (old or {}).items() if value}
        if "ports" in found:
            found["ports"] = [
                {"protocol": "TCP"} | {n: v for n, v in (p or {}).items() if v is not None} for p in found["ports"]
            ]
        if field in found:
            found[field] = [p or {} for p in found[field]]
        return found

    def change(made: list[Json]) -> None:
        for o in made:
            if is_policy(o):
                spec = o["spec"]
                o["metadata"].setdefault("namespace", "default")
                lists = {d: [stored_rule(PEERS[d], r) for r in spec[d]] for d in PEERS if spec.get(d)}
                kept = {n: v for n, v in spec.items() if n not in PEERS}
                o["spec"] = kept | lists | {"podSelector": spec.get("podSelector") or {}, "policyTypes": types(spec)}
            if o["kind"] == "Namespace":
                o["metadata"]["labels"] = (o["metadata"].get("labels") or {}) | {NAME_LABEL: o["metadata"]["name"]}

    return changed(objects, change)


@law
@given(clusters())
def test_a_manifest_means_what_the_api_server_stores_for_it(objects: list[Json]) -> None:
    same(objects, as_stored(objects))


@law
@given(clusters(), st.integers(1, 3), st.data())
def test_scaling_a_deployment_never_changes_what_the_workload_may_do(
    objects: list[Json], replicas: int, data: st.DataObject
) -> None:
    def scaled(count: int) -> Reach:
        meta = {"name": "scaled", "namespace": ns}
        owner = [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "scaled", "controller": True}]
        made: list[Json] = [
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": {"template": template}}
        ]
        for i in range(count):
            made.append({"apiVersion": "v1", "kind": "Pod"} | copy.deepcopy(template))
            made[-1]["metadata"] |= {"name": f"scaled-{i}", "namespace": ns, "ownerReferences": owner}
        return reach(objects + made, by="workload")

    ns = data.draw(st.sampled_from(NAMESPACES))
    ports = [{"name": "http", "containerPort": 80}]
    template = {
        "metadata": {"labels": {"app": data.draw(st.sampled_from(["a", "b"]))}},
        "spec": {"containers": [{"name": "c", "ports": ports}]},
    }
    before, after = (answer.table(probe_addresses(objects)) for answer in (scaled(0), scaled(replicas)))
    itself = (f"{ns}/StatefulSet/scaled",) * 2
    assert {p: f for p, f in before.items() if p != itself} == {p: f for p, f in after.items() if p != itself}
