"""Objects that would run pods but whose pods the input does not show: the population is incomplete because of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from audit.bodies import WORKLOADS
from audit.control_bodies import TemplateBody
from audit.raw_body import RawBody
from audit.snapshot import Entry, Gap
from audit.sources.kinds import is_known, words

CERTAIN = words("""
    Template Template.template.openshift.io VirtualMachineInstance.kubevirt.io
    Workflow.argoproj.io CronWorkflow.argoproj.io TaskRun.tekton.dev PipelineRun.tekton.dev
    InferenceService.serving.kserve.io LLMInferenceService.serving.kserve.io InferenceGraph.serving.kserve.io
    Service.serving.knative.dev Configuration.serving.knative.dev Revision.serving.knative.dev
    Kafka.kafka.strimzi.io KafkaConnect.kafka.strimzi.io KafkaBridge.kafka.strimzi.io
    KafkaMirrorMaker2.kafka.strimzi.io KafkaNodePool.kafka.strimzi.io StrimziPodSet.core.strimzi.io
    Prometheus.monitoring.coreos.com Alertmanager.monitoring.coreos.com ThanosRuler.monitoring.coreos.com
    Cluster.postgresql.cnpg.io postgresql.acid.zalan.do PostgresCluster.postgres-operator.crunchydata.com
    RayCluster.ray.io RayJob.ray.io RayService.ray.io SparkApplication.sparkoperator.k8s.io
    ScaledJob.keda.sh BuildConfig.build.openshift.io Build.build.openshift.io
""")
"""Kinds that run pods whatever their spec says; a template holds whole objects that exist once it is processed."""
MARKS = re.compile(rb'"(?:containers":\[|container":\{|steps":\[|image":"|replicas":[0-9])')
"""What something that runs pods asks for; a schema has `"containers":{` and the like. Specs are minified JSON."""
CONTAINERS = b'"containers":['
NO_PODS = frozenset({"PodTemplate", "CustomResourceDefinition.apiextensions.k8s.io"})
PROJECT_PARTS = words("""
    Project Namespace NetworkPolicy ResourceQuota LimitRange Role RoleBinding RoleBindingRestriction ServiceAccount
    EgressFirewall EgressNetworkPolicy UserDefinedNetwork
""")
"""Kinds of a template for projects; none runs pods."""
SETTINGS = words("""
    monitoring.coreos.com cert-manager.io acme.cert-manager.io external-secrets.io generators.external-secrets.io
    bitnami.com secrets-store.csi.x-k8s.io snapshot.storage.k8s.io storage.k8s.io rbac.authorization.k8s.io
    authorization.openshift.io config.openshift.io operator.openshift.io machine.openshift.io cluster.x-k8s.io
    machineconfiguration.openshift.io tuned.openshift.io image.openshift.io samples.operator.openshift.io
    user.openshift.io oauth.openshift.io security.openshift.io quota.openshift.io project.openshift.io
    kyverno.io templates.gatekeeper.sh constraints.gatekeeper.sh admissionregistration.k8s.io
    image.toolkit.fluxcd.io source.toolkit.fluxcd.io notification.toolkit.fluxcd.io autoscaling.k8s.io
    operators.coreos.com packages.operators.coreos.com metrics.k8s.io coordination.k8s.io discovery.k8s.io
    events.k8s.io apiregistration.k8s.io velero.io loki.grafana.com
""")
"""Groups of settings, certificates, machines and the like: replicas and images there are not of pods that they run."""


def unread_workloads(entries: Mapping[str, tuple[Entry, ...]], live: int | None = None) -> tuple[Gap, ...]:
    """A gap in `Pod` for every object of an unknown workload kind that owns none of the pods that were read; sorted.

    Those of source `live`, a cluster, leave none: what they run was there to be read.
    """
    running = (entry for kind, listed in entries.items() for entry in _running(kind, listed))
    found = [entry for entry in running if entry.origin.source != live]
    if not found:
        return ()
    owners = _owners(entries)
    return tuple(sorted(_gap(entry) for entry in found if not _is_shown(entry, owners)))


def _running(kind: str, listed: Iterable[Entry]) -> Iterator[Entry]:
    if kind in NO_PODS:
        return
    for entry in listed:
        if isinstance(entry.body, TemplateBody) and _of_a_project(entry.body):
            continue
        if not isinstance(entry.body, RawBody | TemplateBody):
            return
        spec = bytes(entry.body.spec) if isinstance(entry.body, RawBody) else b""
        if kind in CERTAIN or runs_pods(kind, entry.group, spec):
            yield entry


def _of_a_project(body: TemplateBody) -> bool:
    """Whether a template only makes what a new project starts with."""
    return bool(body.objects) and all(str(one.get("kind")) in PROJECT_PARTS for one in body.objects or ())


def runs_pods(kind: str, group: str, spec: bytes) -> bool:
    """Whether a spec, as minified JSON, reads like that of something which runs pods."""
    if CONTAINERS in spec:
        return True
    custom = "." in group and group not in SETTINGS and not is_known(kind)
    return custom and MARKS.search(spec) is not None


_Owner = tuple[str, str, str]
"""Namespace, kind and name."""


def _owners(entries: Mapping[str, tuple[Entry, ...]]) -> frozenset[_Owner]:
    """All that owns, over however many steps, a pod or a workload whose template stands for its pods."""
    above: dict[_Owner, set[_Owner]] = {}
    seen: set[_Owner] = set()
    for kind, listed in entries.items():
        for entry in listed:
            owners = {(entry.namespace, one.kind, one.name) for one in entry.body.metadata.ownerReferences or ()}
            if kind == "Pod" or kind in WORKLOADS:
                seen |= owners
            elif owners:
                above.setdefault((entry.namespace, entry.kind, entry.name), set()).update(owners)
    pending = list(seen)
    for one in pending:
        new = above.get(one, set()) - seen
        seen |= new
        pending += new
    return frozenset(seen)


def _is_shown(entry: Entry, owners: frozenset[_Owner]) -> bool:
    """Whether its pods were read: it owns some, or what is named after it and was not read itself does."""
    if (entry.namespace, entry.kind, entry.name) in owners:
        return True
    return any(
        namespace == entry.namespace and kind not in WORKLOADS and name.startswith(f"{entry.name}-")
        for namespace, kind, name in owners
    )


def _gap(entry: Entry) -> Gap:
    name = f"{entry.kind} {entry.namespace}/{entry.name}".replace(" /", " ")
    text = f"the pods of {name} are not known: its kind is not read"
    return Gap(kind="Pod", reason="partial", scope=name, text=text)
