"""Objects that would run pods which the input does not show leave the population incomplete."""

from __future__ import annotations

import io

import pytest

from audit.sources import read

ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: app}
spec: {template: {spec: {containers: [{name: c}]}}}
"""
OWNED = """---
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: app, ownerReferences: [{kind: %s, name: web, controller: true}]}
spec: {containers: [{name: c}]}
"""
TEMPLATE = """
apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: web, namespace: app}
objects: [{kind: Deployment}]
"""
MACHINE = """
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: web, namespace: app}
spec: {domain: {}}
"""
SCHEMA = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rollouts.argoproj.io}
spec: {versions: [{schema: {properties: {containers: [{}]}}}]}
"""


def gaps(text: str) -> list[str]:
    return [gap.scope for gap in read(["-"], stdin=io.BytesIO(text.encode())).gaps]


@pytest.mark.parametrize(
    ("text", "scope"),
    [(ROLLOUT, "Rollout app/web"), (TEMPLATE, "Template app/web"), (MACHINE, "VirtualMachineInstance app/web")],
)
def test_a_workload_of_an_unknown_kind_without_pods_is_a_gap(text: str, scope: str) -> None:
    assert gaps(text) == [scope]


def test_a_template_for_projects_runs_no_pods() -> None:
    parts = "objects: [{kind: Project}, {kind: NetworkPolicy}]"
    assert gaps(TEMPLATE.replace("objects: [{kind: Deployment}]", parts)) == []
    assert gaps(TEMPLATE.replace("objects: [{kind: Deployment}]", "objects: []")) == ["Template app/web"]


def test_a_workload_whose_pods_were_read_is_no_gap() -> None:
    assert gaps(ROLLOUT + OWNED % "Rollout") == []
    assert gaps(ROLLOUT + OWNED % "Job") == ["Rollout app/web"]


def test_a_schema_that_mentions_containers_is_no_workload() -> None:
    assert gaps(SCHEMA) == []


def custom(api: str, kind: str, spec: str, owner: str = "", name: str = "web") -> str:
    owners = f", ownerReferences: [{{kind: {owner}, name: web, controller: true}}]" if owner else ""
    metadata = f"{{name: {name}, namespace: app{owners}}}"
    return f"---\napiVersion: {api}\nkind: {kind}\nmetadata: {metadata}\nspec: {spec}\n"


@pytest.mark.parametrize(
    ("api", "kind", "spec"),
    [
        ("argoproj.io/v1alpha1", "Workflow", "{templates: [{container: {image: x}}]}"),
        ("argoproj.io/v1alpha1", "CronWorkflow", "{}"),
        ("argoproj.io/v1alpha1", "WorkflowTemplate", "{templates: [{script: {image: x}}]}"),
        ("tekton.dev/v1", "TaskRun", "{taskRef: {name: t}}"),
        ("tekton.dev/v1", "PipelineRun", "{}"),
        ("serving.kserve.io/v1beta1", "InferenceService", "{predictor: {model: {}}}"),
        ("serving.knative.dev/v1", "Service", "{}"),
        ("kafka.strimzi.io/v1beta2", "Kafka", "{kafka: {}}"),
        ("monitoring.coreos.com/v1", "Prometheus", "{}"),
        ("example.org/v1", "Widget", "{deep: [{er: {image: x}}]}"),
        ("example.org/v1", "Widget", "{replicas: 2}"),
        ("example.org/v1", "Widget", "{a: {container: {}}}"),
        ("example.org/v1", "Widget", "{a: {steps: []}}"),
    ],
)
def test_what_would_run_pods_is_a_gap(api: str, kind: str, spec: str) -> None:
    assert gaps(custom(api, kind, spec)) == [f"{kind} app/web"]


@pytest.mark.parametrize(
    ("api", "kind", "spec"),
    [
        ("example.org/v1", "Widget", "{action: Allow, replicas: {}, image: {name: x}, note: 'image: x'}"),
        ("example.org/v1", "Widget", '{note: \'"image":"x"\'}'),
        ("monitoring.coreos.com/v1", "ServiceMonitor", "{image: x}"),
        ("monitoring.coreos.com/v1", "PrometheusRule", "{replicas: 1}"),
        ("cert-manager.io/v1", "Certificate", "{image: x}"),
        ("external-secrets.io/v1", "ExternalSecret", "{image: x}"),
        ("bitnami.com/v1alpha1", "SealedSecret", "{template: {image: x}}"),
        ("autoscaling/v2", "HorizontalPodAutoscaler", "{replicas: 1}"),
        ("policy/v1", "PodDisruptionBudget", "{replicas: 1}"),
        ("operator.openshift.io/v1", "IngressController", "{replicas: 2}"),
        ("machine.openshift.io/v1beta1", "MachineSet", "{replicas: 2}"),
        ("v1", "ResourceQuota", "{replicas: 2}"),
        ("v1", "PersistentVolumeClaim", "{image: x}"),
    ],
)
def test_settings_are_no_gap(api: str, kind: str, spec: str) -> None:
    assert gaps(custom(api, kind, spec)) == []


def test_pods_are_traced_to_what_runs_them_over_several_owners() -> None:
    service, revision = ("serving.knative.dev/v1", "Service", "{}"), ("serving.knative.dev/v1", "Revision", "{}")
    between = custom("serving.knative.dev/v1", "Configuration", "{}", "Service")
    made = custom("apps/v1", "Deployment", "{template: {spec: {containers: [{name: c}]}}}", "Revision")
    below = custom(*revision, "Configuration")
    assert gaps(custom(*service) + between + below + made) == []
    assert gaps(custom(*service) + between + below) == [
        f"{kind} app/web" for kind in ("Configuration", "Revision", "Service")
    ]
    kafka = custom("kafka.strimzi.io/v1beta2", "Kafka", "{}")
    pods = (OWNED % "StrimziPodSet").replace("name: web,", "name: web-kafka,")
    assert gaps(kafka + pods) == []
    assert gaps(kafka + pods.replace("StrimziPodSet", "StatefulSet")) == ["Kafka app/web"]


def test_a_circle_of_owners_ends() -> None:
    one = custom("example.org/v1", "Widget", "{image: x}", "Gadget")
    assert gaps(one + custom("example.org/v1", "Gadget", "{image: x}", "Widget")) == [
        "Gadget app/web",
        "Widget app/web",
    ]
