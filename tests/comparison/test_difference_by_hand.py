"""Small pairs of clusters whose difference and its cause are known beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.comparison.pairs import causes, compare, rows
from tests.core.clusters import (
    DENY_ALL,
    deployment,
    flow,
    host,
    matrix,
    namespace,
    node,
    owned,
    pod,
    policy,
    route,
    service,
    tcp,
    zone,
    zoned,
)

Json = Any
WEB, API, PG = "web/Deployment/web", "app/Deployment/api", "db/Deployment/pg"
BASE = [
    zoned("web", "dmz"),
    zoned("app", "internal"),
    zoned("db", "internal"),
    deployment("web", "web", {"app": "web"}),
    deployment("api", "app", {"app": "api"}),
    deployment("pg", "db", {"app": "pg"}),
]
PLAN = matrix(
    [zone("internet", kind="internet", trust=0), zone("dmz", trust=20), zone("internal", trust=60)],
    flow("dmz", "internal", "allow-only", tcp(8443)),
    flow("internet", "dmz", "allow-only", tcp(443)),
    flow("internal", "dmz", "allow-all"),
    flow("internal", "internet", "allow-all"),
    flow("dmz", "internet", "allow-all"),
)
CLOSED = policy(DENY_ALL, "app", "closed")


def admits(port: int, ns: str = "app", name: str = "admits", peer: Json = None) -> Json:
    rule = {"from": [peer or {"namespaceSelector": {}}], "ports": [{"port": port}]}
    return policy({"policyTypes": ["Ingress"], "ingress": [rule]}, ns, name)


def without(objects: list[Json], kind: str, name: str) -> list[Json]:
    return [one for one in objects if (one["kind"], one["metadata"]["name"]) != (kind, name)]


def test_a_deleted_policy_opens_what_it_kept_closed() -> None:
    found = compare([*BASE, CLOSED], BASE)
    assert rows(found) == [
        ("opened", API, PG, "denied", "allowed", "any"),
        ("opened", API, WEB, "denied", "allowed", "any"),
        ("opened", PG, API, "denied", "allowed", "any"),
        ("opened", WEB, API, "denied", "allowed", "any"),
    ]
    (cause,) = found.causes
    assert (cause.object, cause.change, cause.file) == ("NetworkPolicy app/closed", "removed", "")
    assert cause.old_file.endswith("0.json")
    assert cause.old_line
    # The internet is one range: two more pairs, one each way; the way in is as open as anybody knows.
    assert (cause.opened, found.changes.opened.pairs, cause.closed, cause.changed) == (6, 6, 0, 0)


def test_an_added_policy_closes_what_it_does_not_admit() -> None:
    found = compare(BASE, [*BASE, admits(8443)])
    assert rows(found) == [
        ("closed", PG, API, "allowed", "denied", "tcp/1-8442, tcp/8444-65535, udp/*, sctp/*"),
        ("closed", WEB, API, "allowed", "denied", "tcp/1-8442, tcp/8444-65535, udp/*, sctp/*"),
    ]
    assert causes(found, WEB, API) == {"added NetworkPolicy app/admits"}


def test_another_port_opens_one_and_closes_the_other() -> None:
    found = compare([*BASE, CLOSED, admits(8443)], [*BASE, CLOSED, admits(9443)])
    assert [row for row in rows(found) if row[1] == WEB] == [
        ("closed", WEB, API, "allowed", "denied", "tcp/8443"),
        ("opened", WEB, API, "denied", "allowed", "tcp/9443"),
    ]
    assert causes(found, WEB, API) == {"changed NetworkPolicy app/admits"}
    (cause,) = found.causes
    assert (cause.text, cause.opened, cause.closed) == ("spec.ingress", 2, 2)


def test_a_label_of_a_namespace_is_the_cause_where_policies_stayed() -> None:
    named = {"namespaceSelector": {"matchLabels": {"network-zone": "dmz"}}}
    old = [*BASE, admits(8443, peer=named)]
    moved = [*without(old, "Namespace", "web"), zoned("web", "internal")]
    found = compare(old, moved)
    assert rows(found) == [("closed", WEB, API, "allowed", "denied", "tcp/8443")]
    (cause,) = found.causes
    assert (cause.object, cause.text) == ("Namespace web", "label network-zone: dmz -> internal")


def test_a_label_that_nothing_reads_is_no_cause() -> None:
    old = [*BASE, CLOSED, admits(8443)]
    new = [*without(without(old, "Namespace", "web"), "NetworkPolicy", "admits"), namespace("web", colour="blue")]
    found = compare(old, new)
    assert {one.object for one in found.causes} == {"NetworkPolicy app/admits"}


def test_an_added_workload_is_the_cause_of_its_connections() -> None:
    found = compare(without(BASE, "Deployment", "pg"), [*BASE, CLOSED])
    assert causes(found, PG, WEB) == {"added Deployment db/pg"}
    assert causes(found, WEB, API) == {"added NetworkPolicy app/closed"}


def test_a_removed_workload_closes_its_connections() -> None:
    found = compare(BASE, without(BASE, "Deployment", "pg"))
    assert {one[0] for one in rows(found)} == {"closed"}
    assert {end for row in rows(found) for end in row[1:3]} == {WEB, API, PG}
    assert [one.object for one in found.causes] == ["Deployment db/pg"]


def test_a_service_that_becomes_a_node_port_opens_what_policy_admits() -> None:
    ports = {"port": 443, "targetPort": 443}
    inner = service("web", "web", {"app": "web"}, ports, type="ClusterIP")
    outer = service("web", "web", {"app": "web"}, ports, type="NodePort", externalTrafficPolicy="Local")
    found = compare([*BASE, inner], [*BASE, outer], PLAN)
    (one,) = found.connections
    assert (one.change, one.dst, one.was, one.now, one.ports) == (
        "opened",
        WEB,
        "unexposed",
        "allowed",
        {"TCP": "443"},
    )
    assert (one.from_zone, one.to_zone) == ("internet", "dmz")
    (cause,) = found.causes
    assert cause.object == "Service web/web"
    assert "type: ClusterIP -> NodePort" in cause.text


def test_a_route_that_publishes_a_service_is_the_cause() -> None:
    inner = service("web", "web", {"app": "web"}, {"port": 443})
    published = route("Route", "route.openshift.io/v1", "web", {"to": {"kind": "Service", "name": "web"}})
    found = compare([*BASE, inner], [*BASE, inner, published], PLAN)
    assert {one.object for one in found.causes} == {"Route web/r"}
    assert {(one.was, one.now) for one in found.connections} == {("unexposed", "unknown")}


def test_a_policy_of_a_kind_that_is_not_modelled_makes_certainty_a_change() -> None:
    foreign = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "c", "namespace": "app"},
        "spec": {},
    }
    found = compare(BASE, [*BASE, foreign])
    assert ("changed", WEB, API, "allowed", "unknown", "any") in rows(found)
    assert causes(found, WEB, API) == {"added CiliumNetworkPolicy app/c"}


def test_policies_of_one_name_and_two_groups_are_not_mistaken_for_each_other() -> None:
    calico = admits(8443) | {"apiVersion": "projectcalico.org/v3", "spec": {"selector": "all()"}}
    found = compare([*BASE, admits(8443)], [*BASE, admits(9443), calico])
    assert sorted((one.object, one.change) for one in found.causes) == [
        ("NetworkPolicy app/admits", "added"),
        ("NetworkPolicy app/admits", "changed"),
    ]
    other = calico | {"spec": {"selector": "none()"}}
    assert not compare([*BASE, admits(8443), calico], [*BASE, admits(8443), other]).causes


def test_two_causes_on_two_sides_are_both_named() -> None:
    out = policy({"policyTypes": ["Egress"]}, "web", "no-way-out")
    found = compare([*BASE, CLOSED, out], BASE)
    assert causes(found, WEB, API) == {"removed NetworkPolicy app/closed", "removed NetworkPolicy web/no-way-out"}
    assert causes(found, PG, API) == {"removed NetworkPolicy app/closed"}


def test_a_cluster_wide_policy_that_denies_is_a_cause() -> None:
    deny = {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "apart"},
        "spec": {
            "priority": 5,
            "subject": {"namespaces": {"matchLabels": {"network-zone": "internal"}}},
            "ingress": [{"action": "Deny", "from": [{"namespaces": {"matchLabels": {"network-zone": "dmz"}}}]}],
        },
    }
    found = compare(BASE, [*BASE, deny], PLAN)
    assert rows(found) == [
        ("closed", WEB, API, "allowed", "denied", "any"),
        ("closed", WEB, PG, "allowed", "denied", "any"),
    ]
    assert causes(found, WEB, API) == {"added AdminNetworkPolicy apart"}
    (between,) = found.zone_pairs
    assert (between.from_zone, between.to_zone, between.changes.closed.pairs) == ("dmz", "internal", 2)


def test_a_label_of_a_workload_is_a_cause() -> None:
    only = admits(5432, "db", peer={"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "api"}}})
    relabelled = [*without(BASE, "Deployment", "api"), deployment("api", "app", {"app": "other"}), only]
    found = compare([*BASE, only], relabelled)
    assert rows(found) == [("closed", API, PG, "allowed", "denied", "tcp/5432")]
    assert causes(found, API, PG) == {"changed Deployment app/api"}


def test_a_network_of_its_own_is_the_cause_where_policies_stayed() -> None:
    def pods(*labels: str) -> list[Json]:
        spaces = [namespace("app"), namespace("db", **dict.fromkeys(labels, ""))]
        return [*spaces, pod("api", "app", "10.0.0.1"), pod("pg", "db", "10.0.0.2")]

    made = {
        "apiVersion": "k8s.ovn.org/v1",
        "kind": "UserDefinedNetwork",
        "metadata": {"name": "own", "namespace": "db"},
        "spec": {"topology": "Layer2", "layer2": {"role": "Primary", "subnets": ["10.60.0.0/16"]}},
    }
    label = "k8s.ovn.org/primary-user-defined-network"
    found = compare(pods(label), [*pods(label), made])
    assert causes(found, "app/Pod/api", "db/Pod/pg") == {"added UserDefinedNetwork db/own"}
    found = compare([*pods(), made], [*pods(label), made])
    assert "changed Namespace db" in causes(found, "app/Pod/api", "db/Pod/pg")


def test_pods_made_anew_and_more_of_them_are_no_change() -> None:
    def replicas(*names: str) -> list[Json]:
        return [owned(pod(name, "app", "10.0.0.9", {"app": "api"}), "Deployment", "api") for name in names]

    assert not compare([*BASE, *replicas("a")], [*BASE, *replicas("b", "c")]).connections


def test_a_host_network_pod_that_moves_takes_its_way_to_the_pods_of_its_node_along() -> None:
    still = pod("still", "app", "10.0.0.5", nodeName="n1")
    base = [namespace("app"), CLOSED, node("n1", "192.0.2.1"), node("n2", "192.0.2.2"), still]
    found = compare([*base, host("h", "n1")], [*base, host("h", "n2")])
    assert ("closed", "app/Pod/h", "app/Pod/still", "allowed", "denied", "any") in rows(found)
    assert causes(found, "app/Pod/h", "app/Pod/still") == {"changed Pod app/h"}


def test_connections_count_between_the_zones_where_they_are_open() -> None:
    moved = [*without(BASE, "Namespace", "web"), zoned("web", "internal"), CLOSED]
    old = [*BASE, admits(8443)]
    found = compare(old, moved, PLAN)
    closed = [one for one in found.connections if (one.src, one.dst) == (WEB, API)]
    assert [(one.change, one.from_zone, one.to_zone) for one in closed] == [("closed", "dmz", "internal")]


def test_findings_are_new_fixed_or_unchanged() -> None:
    both, gone, come = (
        policy({"policyTypes": ["Ingress"], "ingress": [{}]}, ns, "open") for ns in ("web", "app", "db")
    )
    closed = [policy(DENY_ALL, ns, "closed") for ns in ("web", "app", "db")]
    found = compare([*BASE, *closed, both, gone], [*BASE, *closed, both, come], PLAN)
    by_status: dict[str, set[str]] = {}
    for one in found.findings:
        if one.rule == "NET003":
            by_status.setdefault(one.status, set()).update(one.subjects)
    assert by_status == {
        "new": {"NetworkPolicy db/open", "Namespace db"},
        "fixed": {"NetworkPolicy app/open", "Namespace app"},
        "unchanged": {"NetworkPolicy web/open", "Namespace web"},
    }
    assert found.exit_code == 1
    assert sum(found.finding_counts.values()) == len(found.findings)
    new = next(one for one in found.findings if one.status == "new" and one.rule == "NET003")
    assert new.file.endswith("0.json")
    assert new.line


def test_a_finding_that_is_gone_from_a_snapshot_that_is_in_doubt_is_not_fixed() -> None:
    foreign = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "c", "namespace": "app"},
        "spec": {},
    }
    closed = [policy(DENY_ALL, ns, "closed") for ns in ("web", "app", "db")]
    open_to_all = policy({"policyTypes": ["Ingress"], "ingress": [{}]}, "app", "open")
    way_out = policy({"policyTypes": ["Egress"], "egress": [{}]}, "web", "out")
    old = [*BASE, *closed, open_to_all, way_out]
    found = compare(old, [*BASE, *closed, way_out, foreign], PLAN)
    gone = [one for one in found.findings if one.rule == "NET001" and one.was == "fail" and not one.now]
    assert gone
    assert {one.status for one in gone if (one.from_zone, one.to_zone) == ("dmz", "internal")} == {"undecided"}
    assert found.exit_code == 3


@pytest.mark.parametrize(("threshold", "code"), [("low", 1), ("high", 1), ("critical", 0)])
def test_the_threshold_decides_which_new_findings_count(threshold: Any, code: int) -> None:
    closed = [policy(DENY_ALL, ns, "closed") for ns in ("web", "app", "db")]
    open_to_all = policy({"policyTypes": ["Ingress"], "ingress": [{}]}, "app", "open")
    found = compare([*BASE, *closed], [*BASE, *closed, open_to_all], PLAN, fail_on=threshold)
    assert found.exit_code == code
    assert compare([*BASE, *closed, open_to_all], [*BASE, *closed], PLAN, fail_on=threshold).exit_code == 0


def test_examples_are_capped_and_counts_are_not() -> None:
    crowd = [deployment(f"w{number:02}", "app", {"app": "w"}) for number in range(30)]
    old, new = [namespace("app"), *crowd, CLOSED], [namespace("app"), *crowd]
    found = compare(old, new, limit=7)
    assert found.changes.opened.pairs == 30 * 29 + 30 * 2
    assert len(found.connections) == 7
    assert len(compare(old, new).connections) == found.changes.opened.pairs
    assert found.causes[0].opened == found.changes.opened.pairs
