"""Templates carry the labels that controllers add; a policy that asks for a value nobody knows is a gap."""

from __future__ import annotations

from typing import Any

import pytest

from audit.attachments import UNNAMED
from audit.inventory import NamedPort, Pod
from audit.template_labels import UNKNOWN
from tests.core.clusters import cell, evaluate, inventory, matrix, namespace, owned, pod, policy, zone, zoned

Json = Any
POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"
UIDS = ("batch.kubernetes.io/controller-uid", "controller-uid")
NAMES = ("batch.kubernetes.io/job-name", "job-name")
APIS = {
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "DeploymentConfig": "apps.openshift.io/v1",
    "VirtualMachine": "kubevirt.io/v1",
    "ReplicationController": "v1",
}


def workload(kind: str, labels: Json = None, machine: Json = None, **spec: Any) -> Json:
    template = {"metadata": {"labels": labels or {}}, "spec": machine or {}}
    made: Json = {"template": template, **spec}
    return {
        "apiVersion": APIS.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": "w", "namespace": "app"},
        "spec": {"jobTemplate": {"spec": made}} if kind == "CronJob" else made,
    }


def only(*objects: Json) -> Pod:
    (one,) = inventory(*objects).endpoints
    return one


KNOWN: list[tuple[Json, Json]] = [
    (workload("StatefulSet"), {POD_NAME: "w-0", POD_INDEX: "0"}),
    (workload("StatefulSet", ordinals={"start": 3}), {POD_NAME: "w-3", POD_INDEX: "3"}),
    (workload("Job"), dict.fromkeys(NAMES, "w")),
    (workload("DeploymentConfig"), {"deploymentconfig": "w"}),
    (workload("VirtualMachine"), {"kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": "w"}),
    (
        workload("VirtualMachine", machine={"hostname": "h"}),
        {"kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": "h"},
    ),
    (workload("ReplicaSet", {"pod-template-hash": "7d9"}), {"pod-template-hash": "7d9"}),
    (workload("ReplicationController"), {}),
    (workload("Job", manualSelector=True), {}),
    (workload("Job", dict.fromkeys((*UIDS, *NAMES), "read")), dict.fromkeys((*UIDS, *NAMES), "read")),
]
UNSURE: list[tuple[Json, tuple[str, ...]]] = [
    (workload("Deployment", {"pod-template-hash": "mine"}), ("pod-template-hash",)),
    (workload("DaemonSet"), ("controller-revision-hash", "pod-template-generation")),
    (workload("StatefulSet"), ("controller-revision-hash",)),
    (workload("Job"), UIDS),
    (workload("Job", completionMode="Indexed"), (UIDS[0], "batch.kubernetes.io/job-completion-index", UIDS[1])),
    (workload("CronJob"), tuple(sorted([*UIDS, *NAMES]))),
    (workload("DeploymentConfig"), ("deployment",)),
    (workload("VirtualMachine"), ("kubevirt.io/created-by",)),
]


@pytest.mark.parametrize(("made", "labels"), KNOWN)
def test_labels_whose_value_the_name_tells(made: Json, labels: Json) -> None:
    one = only(made)
    assert {key: value for key, value in one.labels.items() if value != UNKNOWN} == labels


@pytest.mark.parametrize(("made", "keys"), UNSURE)
def test_keys_whose_value_nobody_knows_are_there_all_the_same(made: Json, keys: tuple[str, ...]) -> None:
    one = only(made)
    assert one.unknown_labels == keys
    assert [one.labels[key] for key in keys] == [UNKNOWN] * len(keys)


def test_several_replicas_have_a_name_each() -> None:
    one = only(workload("StatefulSet", replicas=2))
    assert one.labels[POD_NAME] == "w-0"
    assert one.unknown_labels == (POD_INDEX, "controller-revision-hash", POD_NAME)


def test_a_pod_has_the_labels_it_has() -> None:
    one = only(owned(pod("w-0", labels={"a": "b"}), "StatefulSet", "w"), workload("StatefulSet"))
    assert (dict(one.labels), one.unknown_labels) == ({"a": "b"}, ())


# Policies that ask ---------------------------------------------------------------------------------------------------


def asks(key: str, operator: str, *values: str, **labels: str) -> Json:
    asked = {"key": key, "operator": operator} | ({"values": list(values)} if values else {})
    return {"matchLabels": labels, "matchExpressions": [asked]}


def gaps(selector: Json, *objects: Json, ns: str = "app", **peer: Any) -> list[str]:
    """Scopes of the gaps when a policy of `ns` selects by it, or when it is a peer."""
    spec = {"ingress": [{"from": [{"podSelector": selector, **peer}]}]} if peer else {"podSelector": selector}
    return [gap.scope for gap in inventory(*objects, namespace("app"), policy(spec, ns, "p")).snapshot.gaps]


DEPLOYMENT = workload("Deployment", {"a": "b"})


@pytest.mark.parametrize("operator", ["In", "NotIn"])
def test_a_value_that_nobody_knows_is_a_gap(operator: str) -> None:
    selector = asks("pod-template-hash", operator, "7d9")
    assert gaps(selector, DEPLOYMENT) == ["NetworkPolicy app/p"]
    assert gaps(selector, DEPLOYMENT, ns="other", namespaceSelector={}) == ["NetworkPolicy other/p"]
    (gap,) = inventory(DEPLOYMENT, policy({"podSelector": selector}, "app", "p")).snapshot.gaps
    assert (gap.kind, gap.reason) == ("Pod", "partial")
    assert "label `pod-template-hash`, which app/Deployment/w gets when it runs" in gap.text


@pytest.mark.parametrize(
    "selector",
    [
        asks("pod-template-hash", "Exists"),
        asks("pod-template-hash", "DoesNotExist"),
        asks("other", "In", "pod-template-hash"),
        asks("pod-template-hash", "In", "7d9", a="c"),
    ],
)
def test_presence_and_labels_that_are_known_are_certain(selector: Json) -> None:
    assert gaps(selector, DEPLOYMENT) == []


def test_a_policy_that_cannot_see_the_template_is_certain() -> None:
    selector = asks("pod-template-hash", "In", "7d9")
    assert gaps(selector, DEPLOYMENT, ns="other") == []
    assert gaps(selector, DEPLOYMENT, owned(pod("w-1"), "Deployment", "w")) == []


def test_a_name_of_a_replica_is_certain_unless_it_may_be_one_of_several() -> None:
    first, another = asks(POD_NAME, "In", "w-0"), asks(POD_NAME, "In", "x-0")
    assert gaps(first, workload("StatefulSet")) == []
    assert gaps(first, workload("StatefulSet", replicas=3)) == ["NetworkPolicy app/p"]
    assert gaps(another, workload("StatefulSet", replicas=3)) == []


def test_a_policy_for_pods_without_a_label_leaves_a_template_open_that_gets_it() -> None:
    def open_to(selector: Json) -> bool:
        found = evaluate(
            matrix([zone("a"), zone("b")]),
            *(zoned("app", "a"), zoned("far", "b"), pod("p", "far"), DEPLOYMENT),
            policy({"podSelector": selector}, "app", "p"),
        )
        return bool(cell(found, "b", "a").observed)

    assert open_to(asks("pod-template-hash", "DoesNotExist"))
    assert not open_to(asks("pod-template-hash", "Exists"))


# Machines ------------------------------------------------------------------------------------------------------------

POD_NETWORK: Json = {"name": "default", "pod": {}}
MULTUS: Json = {"name": "vlan", "multus": {"networkName": "vlan-a"}}


@pytest.mark.parametrize(("networks", "attached"), [([POD_NETWORK], 0), ([POD_NETWORK, MULTUS], 1), ([], 0)])
def test_a_machine_with_another_network_is_attached(networks: Json, attached: int) -> None:
    found = only(workload("VirtualMachine", machine={"networks": networks})).attachments
    assert found == (UNNAMED,) * attached


def test_ports_of_a_machine_are_those_of_its_launcher() -> None:
    ports = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}, {"port": 22}]
    devices = {"interfaces": [{"name": "default", "ports": ports}, {"name": "vlan"}]}
    one = only(workload("VirtualMachine", machine={"domain": {"devices": devices}}))
    assert one.named_ports == (NamedPort("http", "TCP", 80), NamedPort("dns", "UDP", 53))
    assert one.ports == (("TCP", 80), ("UDP", 53), ("TCP", 22))
