"""What `explain` says of one connection: the answer, every policy that decides it, the way in and the way around."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from audit import reach_json
from audit.errors import UsageError
from audit.explain import MOST_CASES, Explanation, explain
from audit.permits import UNCERTAIN
from audit.traffic import NONE, Traffic
from tests.core.clusters import (
    DENY_ALL,
    Json,
    container,
    flow,
    host,
    matrix,
    namespace,
    owned,
    pod,
    policy,
    route,
    service,
    snapshot,
    tcp,
    zone,
    zoned,
)
from tests.oracle.draws import Shape
from tests.oracle.strategies import clusters

WEB, API, PG, OUT = "app/Pod/web", "app/Pod/api", "db/Pod/pg", "192.0.2.1"
WORLD = [
    namespace("app", team="one"),
    namespace("db", team="two"),
    pod("web", ip="10.0.0.1", labels={"tier": "web"}),
    pod("api", ip="10.0.0.2", labels={"tier": "api"}),
    pod("pg", "db", ip="10.0.1.1", labels={"tier": "db"}, containers=[container(("sql", "TCP", 5432))]),
]
SEALED = policy({}, "db", "sealed")
FROM_APP = {"namespaceSelector": {"matchLabels": {"team": "one"}}}


def ask(source: str, target: str, port: str | None, *objects: Json, **kwargs: Any) -> Explanation:
    return explain(snapshot([*WORLD, *objects]), source, target, port, **kwargs)


def section(found: Explanation, head: str) -> list[str]:
    """The lines below the one that begins with `head`, without indentation and file names."""
    lines = list(found.lines)
    start = next(number for number, line in enumerate(lines) if line.startswith(head)) + 1
    taken: list[str] = []
    for line in lines[start:]:
        if not line.startswith(" "):
            break
        taken.append(re.sub(r" \(\S+:\d+\)$", "", line).strip())
    return taken


# One side at a time --------------------------------------------------------------------------------------------------


def test_without_policies_both_sides_are_open_by_default() -> None:
    found = ask(WEB, PG, "tcp/5432")
    assert found.verdict == "allowed"
    assert found.lines == (
        f"{WEB} -> {PG}",
        "  allowed: tcp/5432",
        f"egress of {WEB}",
        "  no policy isolates it in this direction: open by default",
        f"ingress of {PG}",
        "  no policy isolates it in this direction: open by default",
    )


@pytest.mark.parametrize(
    ("port", "verdict", "effect"),
    [
        ("tcp/5432", "allowed", "admits tcp/5432"),
        ("tcp/80", "denied", "does not match this port (tcp/sql is tcp/5432 there)"),
        ("udp/5432", "denied", "does not match this port (tcp/sql is tcp/5432 there)"),
        ("tcp/5431-5432", "mixed", "admits tcp/5432"),
        (None, "mixed", "admits tcp/5432"),
    ],
)
def test_a_named_port_means_what_it_means_at_the_destination(port: str | None, verdict: str, effect: str) -> None:
    found = ask(WEB, PG, port, policy({"ingress": [{"from": [FROM_APP], "ports": [{"port": "sql"}]}]}, "db"))
    assert found.verdict == verdict
    assert section(found, "ingress of") == [
        "NetworkPolicy db/p isolates it",
        f"rule 0: namespaces team=one on tcp/sql: {effect}",
    ]


def test_the_policy_is_named_with_its_place() -> None:
    found = ask(WEB, PG, "tcp/1", policy({}, "db"))
    assert any(re.fullmatch(r"  NetworkPolicy db/p isolates it \(\S+\.json:\d+\)", line) for line in found.lines)


def test_a_policy_without_rules_admits_nothing() -> None:
    found = ask(WEB, PG, "tcp/80", policy(DENY_ALL, "app", "seal"))
    assert found.verdict == "denied"
    assert section(found, "egress of") == [
        "NetworkPolicy app/seal isolates it",
        "it has no rule for this direction: it admits nothing",
    ]


def test_every_rule_of_every_policy_that_selects_the_pod_is_judged() -> None:
    rules = [{"from": [{"podSelector": {}}]}, {"from": [FROM_APP], "ports": [{"port": 80}]}]
    other = policy({"podSelector": {"matchLabels": {"tier": "none"}}}, "db", "other")
    found = ask(WEB, PG, "tcp/80", policy({"ingress": rules}, "db", "a"), policy({}, "db", "b"), other)
    assert section(found, "ingress of") == [
        "NetworkPolicy db/a isolates it",
        "rule 0: the same namespace on any port: does not match this peer",
        "rule 1: namespaces team=one on tcp/80: admits tcp/80",
        "NetworkPolicy db/b isolates it",
        "it has no rule for this direction: it admits nothing",
    ]


def test_only_policies_of_the_direction_are_named() -> None:
    found = ask(WEB, PG, "tcp/80", policy({"policyTypes": ["Egress"]}, "db", "out"))
    assert section(found, "ingress of") == ["no policy isolates it in this direction: open by default"]


# Doubt ---------------------------------------------------------------------------------------------------------------


def test_an_unknown_answer_says_why() -> None:
    rules = {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 80}]}]}
    found = ask("app/Pod/new", PG, "tcp/80", pod("new"), policy(rules, "db"))
    assert found.verdict == "unknown"
    assert "  unknown: tcp/80" in found.lines
    assert f"  unknown because of pod-address: {UNCERTAIN['pod-address']}" in found.lines
    assert section(found, "ingress of")[1] == "rule 0: 10.0.0.0/8 on tcp/80: may admit tcp/80"


def test_a_policy_kind_that_is_not_modelled_is_named_where_it_may_decide() -> None:
    other = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "x", "namespace": "db"}}
    found = ask(WEB, PG, "tcp/80", other | {"spec": {}})
    assert found.verdict == "unknown"
    assert section(found, "ingress of")[0] == "CiliumNetworkPolicy db/x may decide it, and that kind is not modelled"
    assert section(found, "egress of") == ["no policy isolates it in this direction: open by default"]


# The matrix ----------------------------------------------------------------------------------------------------------

PLAN = matrix([zone("a"), zone("b"), zone("internet", kind="internet")], flow("a", "b", "allow-only", tcp(443)))
ZONED = [zoned("za", "a"), zoned("zb", "b"), pod("one", "za"), pod("two", "zb")]


def test_the_matrix_is_held_against_the_answer() -> None:
    found = ask("za/Pod/one", "zb/Pod/two", "tcp/443-444", *ZONED, matrix=PLAN)
    assert found.lines[1:4] == (
        "  allowed: tcp/443-444",
        "  matrix: a -> b allows tcp/443 (row a-b)",
        "  beyond the matrix: tcp/444",
    )


def test_where_no_row_stands_the_default_decides() -> None:
    found = ask("zb/Pod/two", "za/Pod/one", "tcp/80", *ZONED, matrix=PLAN)
    assert "  matrix: b -> a allows nothing (no row, by default)" in found.lines
    lost = ask(WEB, "za/Pod/one", "tcp/80", *ZONED, matrix=PLAN)
    assert "  matrix: (unzoned) -> a allows nothing (no row, by default)" in lost.lines


# Outside and nodes ---------------------------------------------------------------------------------------------------


def test_an_address_as_source() -> None:
    found = ask(OUT, PG, "tcp/80", policy({"ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}]}, "db"))
    assert section(found, "egress of") == ["outside the cluster: no policy of the cluster decides this side"]
    assert section(found, "ingress of")[1] == "rule 0: 192.0.2.0/24 on any port: admits tcp/80"
    assert section(found, "entry points") == ["none leads to it; `settings.pod_network` is unknown"]


def test_an_address_as_target() -> None:
    found = ask(WEB, "2001:db8::1", "tcp/80", policy({"policyTypes": ["Egress"]}, "app"))
    assert found.verdict == "denied"
    assert section(found, "ingress of") == ["outside the cluster: no policy of the cluster decides this side"]
    assert "entry points" not in found.lines


def test_the_ways_in_are_named() -> None:
    node_port = service("s", "db", {"tier": "db"}, {"port": 80, "targetPort": "sql"}, type="NodePort")
    published = route("Route", "route.openshift.io/v1", "db", {"to": {"name": "s"}})
    found = section(ask(OUT, PG, "tcp/5432", node_port, published), "entry points")
    assert any("tcp/5432" in line for line in found)
    assert UNCERTAIN["service-source-address"] in found
    assert f"routers publish tcp/5432. {UNCERTAIN['router']}" in found


def test_a_host_network_pod_has_no_side_that_policies_decide() -> None:
    found = ask("app/Pod/agent", PG, "tcp/80", host("agent", "n9", hostIP="10.9.0.1"), policy(DENY_ALL, "app"))
    assert section(found, "egress of") == ["host network: policies do not apply; it acts with its node's address"]


@pytest.mark.parametrize(
    ("mine", "theirs", "verdict"), [("n1", "n1", "allowed"), ("n1", "n2", "denied"), ("n1", None, "unknown")]
)
def test_a_node_always_reaches_its_own_pods(mine: str, theirs: str | None, verdict: str) -> None:
    placed = pod("placed", "db", ip="10.0.1.9", **({"nodeName": theirs} if theirs else {}))
    found = ask("app/Pod/agent", "db/Pod/placed", "tcp/80", host("agent", mine, hostIP="10.9.0.1"), placed, SEALED)
    assert found.verdict == verdict
    assert ("it runs on the same node, which may always reach it" in section(found, "ingress of")) == (mine == theirs)


@pytest.mark.parametrize(("policy_of_traffic", "verdict"), [("Cluster", "unknown"), ("Local", "denied")])
def test_behind_a_service_a_closed_pod_may_be_open(policy_of_traffic: str, verdict: str) -> None:
    node_port = service(
        "s", "db", {"tier": "db"}, {"port": 5432}, type="NodePort", externalTrafficPolicy=policy_of_traffic
    )
    assert ask(OUT, PG, "tcp/5432", node_port, SEALED).verdict == verdict
    assert ask(OUT, PG, "tcp/5433", node_port, SEALED).verdict == "denied"


def test_a_pod_may_come_back_in_through_a_node_port_with_a_nodes_address() -> None:
    node_port = service("s", "db", {"tier": "db"}, {"port": 5432}, type="NodePort")
    found = ask(WEB, PG, "tcp/5432", node_port, SEALED)
    assert found.verdict == "unknown"
    assert f"  unknown because of service-source-address: {UNCERTAIN['service-source-address']}" in found.lines
    kept_in = policy({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [FROM_APP]}]}, "app", "kept-in")
    assert ask(WEB, PG, "tcp/5432", node_port, SEALED, kept_in).verdict == "denied"


def test_networks_are_named_where_they_part_pods() -> None:
    label = {"k8s.ovn.org/primary-user-defined-network": ""}
    own = {"apiVersion": "k8s.ovn.org/v1", "kind": "UserDefinedNetwork", "metadata": {"name": "n", "namespace": "own"}}
    own |= {"spec": {"topology": "Layer2", "layer2": {"role": "Primary"}}}
    found = ask("own/Pod/x", PG, "tcp/80", own, namespace("own", **label), pod("x", "own"))
    assert found.verdict == "denied"
    apart = "pods of different networks do not meet there"
    assert f"  networks: network own/n -> the default network: {apart}" in found.lines
    assert not any("networks:" in line for line in ask(WEB, PG, "tcp/80").lines)


def test_what_was_not_read_is_said_first() -> None:
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "r", "namespace": "app"}}
    found = ask(WEB, PG, "tcp/80", rollout | {"spec": {"template": {"spec": {"containers": []}}}})
    assert found.lines[0].startswith("not everything was read: ")
    assert "Rollout" in found.lines[0]


def test_reasons_are_given_for_doubt_only() -> None:
    node_port = service("s", "db", {"tier": "db"}, {"port": 5432}, type="NodePort")
    found = ask(OUT, PG, "tcp/5432", node_port)
    assert found.verdict == "allowed"
    assert not any("unknown" in line for line in found.lines if "because" in line)


# Names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["app/Pod/web", "app/web"])
def test_an_endpoint_may_be_named_without_its_kind(name: str) -> None:
    assert ask(name, PG, "tcp/80").lines[0] == f"{name} -> {PG}"


def test_a_short_name_that_two_kinds_share_is_not_guessed() -> None:
    with pytest.raises(UsageError, match="no endpoint `app/web`"):
        ask("app/web", PG, None, owned(pod("web-0"), "StatefulSet", "web"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("app/Pod/wbe", "did you mean `app/Pod/web`?"),
        ("zzz", "known: `app/Pod/api`, `app/Pod/web`, `db/Pod/pg`"),
        ("app", "namespace `app` holds `app/Pod/api`, `app/Pod/web`"),
        ("app/frontend", "namespace `app` holds `app/Pod/api`, `app/Pod/web`"),
        ("nowhere/Deployment/pg", "did you mean `db/Pod/pg`?"),
    ],
)
def test_an_unknown_endpoint_gets_a_suggestion(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(name, PG, None)
    assert caught.value.message == f"no endpoint `{name}`"
    assert caught.value.hint == hint


@pytest.mark.parametrize("port", ["tcp", "80", "icmp/8", "tcp/0", "tcp/65536", "tcp/9-8", "tcp/http", "tcp/", "/80"])
def test_what_is_no_port_is_refused_with_an_example(port: str) -> None:
    with pytest.raises(UsageError, match=f"`{port}` is not a port") as caught:
        ask(WEB, PG, port)
    assert "tcp/5432" in caught.value.hint


def test_two_addresses_are_no_question_for_a_cluster() -> None:
    with pytest.raises(UsageError, match="both ends are outside the cluster"):
        ask(OUT, "198.51.100.1", None)


def test_a_pod_and_itself_are_no_question_of_policy() -> None:
    with pytest.raises(UsageError, match="the same pod"):
        ask(PG, PG, None)


@pytest.mark.parametrize("labels", [{"tier": "web"}, {"tier": "new"}])
def test_a_pod_and_itself_are_no_question_although_it_has_a_like(labels: Json) -> None:
    like = pod("like", ip="10.0.0.9", labels=labels)
    with pytest.raises(UsageError, match="the same pod"):
        ask("app/Pod/like", "app/Pod/like", None, like)
    assert ask("app/Pod/like", WEB, "tcp/80", like).verdict == "allowed"


# Replicas ------------------------------------------------------------------------------------------------------------


def replicas(count: int) -> list[Json]:
    return [owned(pod(f"s-{n}", ip=f"10.0.3.{n}", labels={"n": str(n)}), "StatefulSet", "s") for n in range(count)]


def test_replicas_that_differ_are_explained_one_by_one() -> None:
    closed = policy({"podSelector": {"matchLabels": {"n": "0"}}})
    found = ask(PG, "app/StatefulSet/s", "tcp/80", *replicas(2), closed)
    assert found.verdict == "mixed"
    assert [line for line in found.lines if line.startswith("== ")] == [
        f"== {PG} -> app/Pod/s-0",
        f"== {PG} -> app/Pod/s-1",
    ]
    assert [line.strip() for line in found.lines if line in ("  allowed: tcp/80", "  denied: tcp/80")] == [
        "denied: tcp/80",
        "allowed: tcp/80",
    ]


@pytest.mark.parametrize("name", ["10.0.0.300", "10.0.0", "10.0.0.0/24", "2001:db8::12345"])
def test_what_looks_like_an_address_is_said_to_be_none(name: str) -> None:
    with pytest.raises(UsageError, match=f"`{re.escape(name)}` is not an IP address"):
        ask(name, PG, "tcp/1")


def test_a_replica_and_itself_is_no_case_among_replicas() -> None:
    closed = policy({"podSelector": {"matchLabels": {"n": "0"}}})
    found = ask("app/StatefulSet/s", "app/StatefulSet/s", "tcp/80", *replicas(2), closed)
    assert [line for line in found.lines if line.startswith("== ")] == [
        "== app/Pod/s-0 -> app/Pod/s-1",
        "== app/Pod/s-1 -> app/Pod/s-0",
    ]


def test_replicas_that_nothing_tells_apart_are_one_case() -> None:
    found = ask(PG, "app/StatefulSet/s", "tcp/80", *replicas(3))
    assert found.verdict == "allowed"
    assert not any(line.startswith("== ") for line in found.lines)


def test_many_different_replicas_are_not_all_written_out() -> None:
    apart = [policy({"podSelector": {"matchLabels": {"n": str(n)}}}, name=f"p{n}") for n in range(MOST_CASES + 2)]
    found = ask(PG, "app/StatefulSet/s", "tcp/80", *replicas(MOST_CASES + 2), *apart)
    assert sum(line.startswith("== ") for line in found.lines) == MOST_CASES
    assert found.lines[-1] == "2 further combinations of replicas are not shown"


# The way around ------------------------------------------------------------------------------------------------------


def test_a_denied_connection_with_a_way_around_shows_it() -> None:
    only_api = {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": "api"}}}]}
    found = ask(WEB, PG, "tcp/5432", policy({"ingress": [only_api]}, "db"))
    assert found.verdict == "denied"
    assert [line.partition(" (")[0] for line in found.lines[-8:]] == [
        f"indirect path: {WEB} -> {API} -> {PG}",
        f"  hop 1: {WEB} -> {API} on any",
        "    egress of Pod app/web",
        "    ingress of Pod app/api",
        f"  hop 2: {API} -> {PG} on tcp/5432",
        "    egress of Pod app/api",
        "    ingress of NetworkPolicy db/p rule 0",
        "  it works only if every pod in between forwards the connection, or is taken over by an attacker",
    ]


def test_each_hop_of_a_way_around_has_its_own_ports() -> None:
    app = {"from": [{"podSelector": {"matchLabels": {"tier": "web"}}}], "ports": [{"port": 8080}]}
    db = {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": "api"}}}]}
    found = ask(WEB, PG, None, policy({"ingress": [app]}, "app"), policy({"ingress": [db]}, "db"))
    hops = [line for line in found.lines if line.startswith("  hop ")]
    assert hops == [f"  hop 1: {WEB} -> {API} on tcp/8080", f"  hop 2: {API} -> {PG} on any"]


def test_an_allowed_connection_needs_no_way_around() -> None:
    assert not any("indirect" in line for line in ask(WEB, PG, "tcp/5432").lines)


def test_without_a_way_around_nothing_is_said() -> None:
    found = ask(WEB, PG, "tcp/5432", policy({}, "db"))
    assert not any("indirect" in line for line in found.lines)


# Agreement -----------------------------------------------------------------------------------------------------------


@settings(settings.get_profile("same"), max_examples=60, suppress_health_check=list(HealthCheck))
@given(clusters(Shape(max_pods=4, max_policies=3)))
def test_the_answer_is_the_one_of_the_document(objects: list[Json]) -> None:
    read = snapshot(objects)
    document = reach_json.document(read)
    inside = [one["id"] for one in document["endpoints"] if one["kind"] != "IPBlock"]
    outside = {one["id"]: one["cidrs"][0].partition("/")[0] for one in document["endpoints"] if "cidrs" in one}
    open_on: dict[tuple[str, str], dict[str, Traffic]] = {}
    for one in document["connections"]:
        links = open_on.setdefault((one["src"], one["dst"]), {})
        links[one["verdict"]] = links.get(one["verdict"], NONE) | Traffic.parse(one["ports"])
    for source, target in itertools.permutations([*inside, *outside], 2):
        if source in outside and target in outside:
            continue
        found = explain(read, outside.get(source, source), outside.get(target, target))
        said = {
            word: line.partition(": ")[2]
            for line in found.lines
            for word in [line.strip().partition(":")[0]]
            if word in ("allowed", "unknown")
        }
        links = open_on.get((source, target), {})
        assert said == {word: str(traffic) for word, traffic in links.items()}


# Cluster-wide policies, rule by rule ---------------------------------------------------------------------------------

EVERY_SPACE: Json = {"namespaces": {}}
FAMILIES = {"podIPs": [{"ip": "10.0.1.9"}, {"ip": "fd00::9"}]}


def wide(name: str, priority: int, *actions: str, **peer: Json) -> Json:
    """An AdminNetworkPolicy for the pods of `db` with rules for ingress from a peer, or from everybody."""
    rules = [{"action": action, "from": [peer or EVERY_SPACE]} for action in actions]
    spec = {"priority": priority, "subject": {"namespaces": {"matchLabels": {"team": "two"}}}, "ingress": rules}
    api = {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy"}
    return api | {"metadata": {"name": name}, "spec": spec}


def base(action: str) -> Json:
    made = wide("default", 0, action)
    del made["spec"]["priority"]
    return made | {"kind": "BaselineAdminNetworkPolicy"}


def effects(*objects: Json, target: str = PG) -> list[str]:
    """What `explain` says of every rule for ingress, after the peers and ports."""
    lines = section(ask(WEB, target, "tcp/5432", *objects), "ingress of")
    return [line.rpartition(": ")[2] for line in lines if " on any port: " in line]


LATE = "not reached, a rule before it decides"


def test_the_first_rule_that_matches_decides_and_later_ones_are_not_reached() -> None:
    assert effects(wide("b", 7, "Allow"), wide("a", 9, "Deny", "Pass")) == ["decides tcp/5432", LATE, LATE]
    assert effects(wide("a", 9, "Allow"), base("Deny")) == ["decides tcp/5432", LATE]
    assert effects(wide("a", 9, "Pass"), base("Deny")) == ["passes tcp/5432 on", "decides tcp/5432"]


def test_where_the_order_is_open_rules_only_match() -> None:
    assert effects(wide("a", 7, "Allow"), wide("b", 7, "Deny"), wide("c", 9, "Deny")) == ["matches"] * 3
    assert effects(wide("a", 7, "Pass"), wide("b", 7, "Deny"), base("Deny")) == ["matches"] * 3


def test_behind_a_rule_that_may_match_rules_only_match() -> None:
    assert effects(wide("a", 7, "Allow", services={}), wide("b", 9, "Deny")) == ["may match", "matches"]


def test_two_ends_of_two_families_leave_open_which_rule_decides() -> None:
    dual = pod("dual", "db", "10.0.1.9", **FAMILIES)
    assert effects(dual, wide("a", 7, "Deny", "Allow"), target="db/Pod/dual") == ["matches"] * 2


def test_the_baseline_is_not_reached_where_a_network_policy_isolates() -> None:
    lines = section(ask(WEB, PG, "tcp/5432", wide("a", 9, "Pass"), base("Allow"), SEALED), "ingress of")
    assert lines[-1] == "the baseline tier is not reached: a NetworkPolicy isolates it in this direction"
    assert not any("BaselineAdminNetworkPolicy" in line for line in lines)
