"""Who is an endpoint: owners, templates, finished pods, overlays, host network, namespaces."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from audit.errors import InputError
from audit.inventory import Inventory, NamedPort, build
from audit.model import NAME_LABEL
from audit.traffic import address_number
from tests.core.clusters import container, deployment, host, inventory, namespace, node, owned, pod, policy, snapshot

Json = Any

APIS = {
    "Deployment": ("apps/v1", "extensions/v1beta1"),
    "StatefulSet": ("apps/v1",),
    "DaemonSet": ("apps/v1", "extensions/v1beta1"),
    "ReplicaSet": ("apps/v1", "extensions/v1beta1"),
    "ReplicationController": ("v1",),
    "DeploymentConfig": ("apps.openshift.io/v1", "v1"),
    "Job": ("batch/v1",),
    "CronJob": ("batch/v1", "batch/v1beta1"),
    "VirtualMachine": ("kubevirt.io/v1",),
}


def workload(kind: str, name: str, api: str = "", labels: Json = None, **spec: Any) -> Json:
    made = deployment(name, labels=labels, **spec)
    made |= {"apiVersion": api or APIS[kind][0], "kind": kind}
    return made | ({"spec": {"jobTemplate": {"spec": made["spec"]}}} if kind == "CronJob" else {})


def ids(found: Inventory) -> list[str]:
    return [found.endpoint_id(one) for one in found.endpoints]


def owners(found: Inventory) -> dict[str, list[str]]:
    """Workload id -> names of its endpoints."""
    return {one.id: [found.endpoints[index].name for index in one.pods] for one in found.workloads}


# Owners --------------------------------------------------------------------------------------------------------------

REVISION = {"pod-template-hash": "7d9"}
CHAINS: list[tuple[str, list[Json], Json, str]] = [
    (
        "Deployment and ReplicaSet read",
        [workload("Deployment", "web"), owned(workload("ReplicaSet", "web-7d9"), "Deployment", "web")],
        owned(pod("web-7d9-x", labels=REVISION), "ReplicaSet", "web-7d9"),
        "app/Deployment/web",
    ),
    (
        "Deployment not read",
        [owned(workload("ReplicaSet", "web-7d9"), "Deployment", "web")],
        owned(pod("web-7d9-x", labels=REVISION), "ReplicaSet", "web-7d9"),
        "app/Deployment/web",
    ),
    (
        "ReplicaSet not read",
        [workload("Deployment", "web")],
        owned(pod("web-7d9-x", labels=REVISION), "ReplicaSet", "web-7d9"),
        "app/Deployment/web",
    ),
    (
        "neither read",
        [],
        owned(pod("web-7d9-x", labels=REVISION), "ReplicaSet", "web-7d9"),
        "app/Deployment/web",
    ),
    (
        "a ReplicaSet of its own",
        [workload("ReplicaSet", "web")],
        owned(pod("web-x"), "ReplicaSet", "web"),
        "app/ReplicaSet/web",
    ),
    (
        "a ReplicaSet not read whose pods carry no revision",
        [],
        owned(pod("web-7d9-x"), "ReplicaSet", "web-7d9"),
        "app/ReplicaSet/web-7d9",
    ),
    (
        "DeploymentConfig and ReplicationController read",
        [
            workload("DeploymentConfig", "web"),
            owned(workload("ReplicationController", "web-1"), "DeploymentConfig", "web"),
        ],
        owned(pod("web-1-x"), "ReplicationController", "web-1"),
        "app/DeploymentConfig/web",
    ),
    (
        "ReplicationController not read",
        [workload("DeploymentConfig", "web")],
        owned(pod("web-1-x", labels={"openshift.io/deployment-config.name": "web"}), "ReplicationController", "web-1"),
        "app/DeploymentConfig/web",
    ),
    (
        "CronJob and Job read",
        [workload("CronJob", "tidy"), owned(workload("Job", "tidy-28"), "CronJob", "tidy")],
        owned(pod("tidy-28-x"), "Job", "tidy-28"),
        "app/CronJob/tidy",
    ),
    ("a Job of its own", [workload("Job", "once")], owned(pod("once-x"), "Job", "once"), "app/Job/once"),
    (
        "a virtual machine's launcher",
        [workload("VirtualMachine", "vm")],
        owned(pod("virt-launcher-vm-x"), "VirtualMachineInstance", "vm"),
        "app/VirtualMachine/vm",
    ),
    (
        "a controller that is not modelled",
        [],
        owned(pod("db-0"), "Cluster", "db"),
        "app/Cluster/db",
    ),
    ("no owner", [], pod("alone"), "app/Pod/alone"),
    ("an owner that is no controller", [], owned(pod("alone"), "Node", "n1", controller=False), "app/Pod/alone"),
]


@pytest.mark.parametrize(("objects", "child", "workload_id"), [case[1:] for case in CHAINS], ids=[c[0] for c in CHAINS])
def test_a_pod_is_shown_under_its_outermost_controller(objects: list[Json], child: Json, workload_id: str) -> None:
    found = inventory(*objects, child)
    assert owners(found) == {workload_id: [child["metadata"]["name"]]}
    assert ids(found) == [f"app/Pod/{child['metadata']['name']}"]


def test_controllers_that_own_each_other_end_somewhere() -> None:
    one, two = workload("Deployment", "one"), workload("Deployment", "two")
    found = inventory(
        owned(one, "Deployment", "two"), owned(two, "Deployment", "one"), owned(pod("p"), "Deployment", "one")
    )
    assert ids(found) == ["app/Pod/p", "app/Deployment/two"]


def test_workloads_that_claim_to_own_each_other_do_not_hide() -> None:
    claims = (("one", "two"), ("two", "one"), ("self", "self"))
    found = inventory(*(owned(workload("Deployment", name), "Deployment", owner) for name, owner in claims))
    assert ids(found) == ["app/Deployment/one", "app/Deployment/self", "app/Deployment/two"]


def test_an_owner_of_another_namespace_is_not_meant() -> None:
    found = inventory(workload("ReplicaSet", "web"), owned(pod("web-x", "other"), "ReplicaSet", "web"))
    assert owners(found) == {"app/ReplicaSet/web": ["web"], "other/ReplicaSet/web": ["web-x"]}


# Templates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "api"), [(kind, api) for kind, apis in APIS.items() for api in apis if kind != "VirtualMachine"]
)
def test_a_workload_without_pods_is_one_endpoint_made_from_its_template(kind: str, api: str) -> None:
    made = workload(kind, "w", api, labels={"a": "b"}, containers=[container(("http", "TCP", 8080))])
    found = inventory(made)
    (one,) = found.endpoints
    assert ids(found) == [f"app/{kind}/w"]
    assert one.template
    assert one.labels["a"] == "b"
    assert one.named_ports == (NamedPort("http", "TCP", 8080),)
    assert one.addresses == ()


@pytest.mark.parametrize("kind", list(APIS))
def test_a_workload_without_a_template_is_no_endpoint(kind: str) -> None:
    made = workload(kind, "w") | {"spec": {}}
    assert inventory(made, namespace("app")).endpoints == ()


def test_replicas_set_to_nothing_stay_an_endpoint_because_anyone_may_scale_them_up() -> None:
    made = workload("Deployment", "w")
    made["spec"]["replicas"] = 0
    assert ids(inventory(made)) == ["app/Deployment/w"]


def test_a_workload_that_has_pods_is_not_counted_again() -> None:
    found = inventory(workload("StatefulSet", "s"), *(owned(pod(f"s-{n}"), "StatefulSet", "s") for n in range(3)))
    assert ids(found) == [f"app/Pod/s-{n}" for n in range(3)]
    assert found.pods == 3


@pytest.mark.parametrize("custom", ["Kafka", "Cluster"])
def test_a_workload_of_an_operator_is_an_endpoint_although_its_owner_is_not_modelled(custom: str) -> None:
    found = inventory(
        owned(workload("Deployment", "w"), custom, "x"),
        owned(workload("StatefulSet", "s"), custom, "x"),
        owned(pod("s-0"), "StatefulSet", "s"),
    )
    assert [one.name for one in found.endpoints] == ["s-0", "w"]


def test_a_replica_set_whose_deployment_was_not_read_is_an_endpoint() -> None:
    found = inventory(owned(workload("ReplicaSet", "web-7d9", labels={"a": "b"}), "Deployment", "web"))
    (one,) = found.endpoints
    assert one.labels == {"a": "b"}


def test_a_replica_set_of_a_deployment_is_no_endpoint_beside_it() -> None:
    found = inventory(workload("Deployment", "web"), owned(workload("ReplicaSet", "web-7d9"), "Deployment", "web"))
    assert ids(found) == ["app/Deployment/web"]


# Pods ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "there"),
    [("Succeeded", False), ("Failed", False), ("Running", True), ("Pending", True), ("Unknown", True), (None, True)],
)
def test_finished_pods_are_gone_and_all_others_stay(phase: str | None, *, there: bool) -> None:
    made = pod("p", **({"phase": phase} if phase else {}))
    assert len(inventory(namespace("app"), made).endpoints) == there


def test_named_ports_of_containers_and_native_sidecars_count_and_those_of_init_containers_do_not() -> None:
    sidecar = container(("mesh", "TCP", 15008)) | {"restartPolicy": "Always"}
    once = container(("init", "TCP", 1))
    spec: Json = {"containers": [container(("http", "TCP", 80)), container(("dns", "UDP", 53))]}
    (one,) = inventory(pod("p", initContainers=[once, sidecar], **spec)).endpoints
    assert set(one.named_ports) == {
        NamedPort("http", "TCP", 80),
        NamedPort("dns", "UDP", 53),
        NamedPort("mesh", "TCP", 15008),
    }


def test_a_port_is_tcp_unless_it_says_otherwise_and_only_named_ones_have_names() -> None:
    ports = [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]
    (one,) = inventory(pod("p", containers=[{"name": "c", "ports": ports}])).endpoints
    assert one.named_ports == (NamedPort("http", "TCP", 80),)


def test_addresses_of_a_pod() -> None:
    both = [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]
    found = inventory(pod("a", ip="10.0.0.1"), pod("b", ip="10.0.0.1", podIPs=both), pod("c"), pod("d", podIPs=both))
    assert [[*one.addresses] for one in found.endpoints] == [
        [address_number("10.0.0.1")],
        [address_number("10.0.0.1"), address_number("fd00::1")],
        [],
        [address_number("10.0.0.1"), address_number("fd00::1")],
    ]


def test_a_host_network_pod_has_the_addresses_of_its_node() -> None:
    found = inventory(
        node("n1", "10.9.0.1", "fd09::1"),
        host("listed", "n1", hostIP="10.9.9.9", ip="10.9.9.9"),
        host("silent", "n2", hostIP="10.9.0.2"),
        host("nowhere", None),
        pod("normal", ip="10.0.0.1", nodeName="n1", hostIP="10.9.0.1"),
    )
    assert {one.name: [*one.addresses] for one in found.endpoints} == {
        "listed": [address_number("10.9.0.1"), address_number("fd09::1")],
        "silent": [address_number("10.9.0.2")],
        "nowhere": [],
        "normal": [address_number("10.0.0.1")],
    }
    assert [str(ref) for ref in found.host_network] == ["Pod app/listed", "Pod app/nowhere", "Pod app/silent"]


def test_only_internal_addresses_of_a_node_are_those_its_pods_act_with() -> None:
    made = node("n1", "10.9.0.1")
    made["status"]["addresses"] += [
        {"type": "ExternalIP", "address": "192.0.2.1"},
        {"type": "Hostname", "address": "n1.example.com"},
    ]
    (found,) = inventory(made).nodes.values()
    assert found.addresses == (address_number("10.9.0.1"),)


# Overlays ------------------------------------------------------------------------------------------------------------


def test_a_later_source_that_replaces_a_workload_speaks_for_it_instead_of_its_old_pods() -> None:
    old = [
        workload("Deployment", "web", labels={"v": "1"}),
        owned(workload("ReplicaSet", "web-7d9"), "Deployment", "web"),
        owned(pod("web-7d9-x", labels={"v": "1"} | REVISION), "ReplicaSet", "web-7d9"),
        owned(pod("other-0"), "StatefulSet", "other"),
    ]
    found = build(snapshot(old, [workload("Deployment", "web", labels={"v": "2"})]))
    assert ids(found) == ["app/Pod/other-0", "app/Deployment/web"]
    assert found.endpoints[1].labels["v"] == "2"


def test_a_later_source_with_the_pods_themselves_keeps_them() -> None:
    old = [workload("Deployment", "web")]
    new = [owned(pod("web-x", labels=REVISION), "ReplicaSet", "web-7d9")]
    assert ids(build(snapshot(old, new))) == ["app/Pod/web-x"]


def test_a_later_source_without_the_workload_changes_nothing() -> None:
    old = [workload("Deployment", "web"), owned(pod("web-x"), "Deployment", "web")]
    assert ids(build(snapshot(old, [namespace("app")]))) == ["app/Pod/web-x"]


# Namespaces ----------------------------------------------------------------------------------------------------------


def test_every_namespace_that_an_object_names_is_there_known_or_not() -> None:
    found = inventory(
        namespace("a", team="x"),
        pod("p", "b"),
        policy({}, "c"),
        workload("CronJob", "w") | {"metadata": {"name": "w", "namespace": "d"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "e"}},
        {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "Kafka", "metadata": {"name": "k", "namespace": "f"}},
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "s"}},
    )
    assert {one.name: (one.known, dict(one.labels)) for one in found.namespaces.values()} == {
        "a": (True, {"team": "x", NAME_LABEL: "a"}),
        "b": (False, {NAME_LABEL: "b"}),
        "c": (False, {NAME_LABEL: "c"}),
        **{name: (False, {NAME_LABEL: name}) for name in "def"},
    }


def test_objects_without_a_namespace_are_in_default() -> None:
    bare = pod("p")
    del bare["metadata"]["namespace"]
    assert ids(inventory(bare)) == ["default/Pod/p"]


def test_the_name_label_is_the_name_whatever_a_manifest_says() -> None:
    found = inventory(namespace("a", team="x", **{NAME_LABEL: "other"}), namespace("b")).namespaces
    assert {name: dict(one.labels) for name, one in found.items()} == {
        "a": {"team": "x", NAME_LABEL: "a"},
        "b": {NAME_LABEL: "b"},
    }


def test_a_cluster_that_says_another_name_label_is_refused() -> None:
    read = replace(snapshot([namespace("a", **{NAME_LABEL: "a"}), namespace("old")]), live=True)
    assert {name: dict(one.labels) for name, one in build(read).namespaces.items()} == {
        "a": {NAME_LABEL: "a"},
        "old": {},
    }
    with pytest.raises(InputError, match=r"0\.json:1: Namespace `a`: .* `other`, an API server never stores this"):
        build(replace(snapshot([namespace("a", **{NAME_LABEL: "other"})]), live=True))


# Order ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_objects_does_not_matter(seed: int) -> None:
    objects: list[Json] = [
        *(namespace(name) for name in ("b", "a")),
        *(objects for chain in CHAINS[:3] for objects in chain[1]),
        *(pod(f"p{n}", "ab"[n % 2], ip=f"10.0.0.{n}") for n in range(6)),
        workload("StatefulSet", "web"),
        policy({}, "a", "one"),
        policy({}, "a", "two"),
        node("n2", "10.9.0.2"),
        node("n1", "10.9.0.1"),
    ]
    unique = list({str(one): one for one in objects}.values())
    unique = [one for one in unique if not (one["kind"] == "ReplicaSet" and "ownerReferences" not in one["metadata"])]
    shuffled = random.Random(seed).sample(unique, len(unique))  # noqa: S311 - an order, not a secret
    one, two = inventory(*unique), inventory(*shuffled)
    assert ids(one) == ids(two)
    assert owners(one) == owners(two)
    assert list(one.namespaces) == list(two.namespaces) == sorted(one.namespaces)
    assert [entry.name for entry in one.policies] == [entry.name for entry in two.policies]
    order = [(found.ref.namespace, found.ref.kind, found.ref.name) for found in one.workloads]
    assert order == sorted(order)


# Between two runs ----------------------------------------------------------------------------------------------------


def finished(name: str) -> Json:
    return pod(name, phase="Succeeded")


def test_a_cron_job_between_two_runs_is_an_endpoint() -> None:
    job = owned(workload("Job", "tidy-28"), "CronJob", "tidy")
    found = inventory(workload("CronJob", "tidy"), job, owned(finished("tidy-28-x"), "Job", "tidy-28"))
    assert ids(found) == ["app/CronJob/tidy"]


def test_a_deployment_whose_pods_were_all_evicted_is_an_endpoint() -> None:
    found = inventory(workload("StatefulSet", "db"), owned(pod("db-0", phase="Failed"), "StatefulSet", "db"))
    assert ids(found) == ["app/StatefulSet/db"]


def job(*conditions: tuple[str, str]) -> Json:
    listed = [{"type": kind, "status": status} for kind, status in conditions]
    return workload("Job", "once") | {"status": {"conditions": listed}}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
@pytest.mark.parametrize("condition", ["Complete", "Failed"])
def test_a_job_that_is_over_is_none(condition: str, phase: str) -> None:
    over = job(("FailureTarget", "True"), (condition, "True"))
    assert ids(inventory(over, owned(pod("once-x", phase=phase), "Job", "once"))) == []
    assert ids(inventory(over, namespace("app"))) == []


@pytest.mark.parametrize("made", [workload("Job", "once"), job(), job(("Failed", "False")), job(("Suspended", "True"))])
def test_a_job_that_will_retry_is_an_endpoint(made: Json) -> None:
    failed = owned(pod("once-x", phase="Failed"), "Job", "once")
    assert ids(inventory(made, failed)) == ["app/Job/once"]
    assert ids(inventory(made, failed, owned(pod("once-y"), "Job", "once"))) == ["app/Pod/once-y"]


def test_a_finished_job_of_a_cron_job_that_was_not_read_stands_for_the_next_one() -> None:
    over = owned(job(("Complete", "True")), "CronJob", "tidy")
    assert ids(inventory(over, owned(finished("once-x"), "Job", "once"))) == ["app/Job/once"]
