"""Pods, workloads and virtual machines as typed structs: only the fields that some stage needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

MACVLAN = "pod.network.openshift.io/assign-macvlan"
"""The annotation of a pod that asks openshift-sdn for a network card of its own on the network of the nodes."""


ROUTER_SETTINGS = frozenset(
    {
        *("NAMESPACE_LABELS", "PROJECT_LABELS", "ROUTE_LABELS", "ROUTE_FIELDS", "ROUTER_SERVICE_NAME"),
        *("ROUTER_SERVICE_NAMESPACE", "ROUTER_ALLOWED_DOMAINS", "ROUTER_DENIED_DOMAINS", "ROUTER_SUBDOMAIN"),
        *("ROUTER_ALLOW_WILDCARD_ROUTES", "ROUTER_DISABLE_NAMESPACE_OWNERSHIP_CHECK", "ROUTER_CANONICAL_HOSTNAME"),
    }
)
"""Environment variables that only a router has; any one of them makes a workload one."""
EGRESS_SETTINGS = frozenset({"EGRESS_SOURCE", "EGRESS_GATEWAY"})
"""Environment variables that say how an egress router leaves."""


API_SERVER = "kube-apiserver-"
"""What the names of the pods of API servers begin with, where these run as static pods."""


class OwnerReference(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`metadata.ownerReferences[]`; only controllers matter."""

    kind: str = ""
    name: str = ""
    controller: bool = False


class Metadata(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`metadata`, as far as it is used."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    ownerReferences: list[OwnerReference] | None = None  # noqa: N815
    generateName: str = ""  # noqa: N815


class ContainerPort(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`containers[].ports[]`."""

    containerPort: int = 0  # noqa: N815
    name: str | None = None
    protocol: str | None = None
    hostPort: int | None = None  # noqa: N815
    hostIP: str | None = None  # noqa: N815


class Container(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`containers[]` and `initContainers[]`."""

    name: str = ""
    ports: list[ContainerPort] | None = None
    restartPolicy: str | None = None  # noqa: N815
    """`Always` on an init container makes it a native sidecar, whose named ports count."""


class Toleration(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`tolerations[]`. An empty key with `Exists` means every taint, no effect every effect."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class NodeRequirement(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`matchExpressions[]` and `matchFields[]` of a node selector term."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class NodeTerm(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`nodeSelectorTerms[]`: its requirements are joined by and, terms by or; an empty term matches no node."""

    matchExpressions: tuple[NodeRequirement, ...] | None = None  # noqa: N815
    matchFields: tuple[NodeRequirement, ...] | None = None  # noqa: N815


class NodeSelector(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`requiredDuringSchedulingIgnoredDuringExecution` of a node affinity, and the node affinity of a volume."""

    nodeSelectorTerms: tuple[NodeTerm, ...] | None = None  # noqa: N815


class NodeAffinity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`affinity.nodeAffinity`; what is only preferred binds nobody."""

    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None  # noqa: N815


class Affinity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`affinity`."""

    nodeAffinity: NodeAffinity | None = None  # noqa: N815


class ClaimVolume(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`volumes[].persistentVolumeClaim`."""

    claimName: str = ""  # noqa: N815


VolumeSource = dict[str, Any]


class Volume(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`volumes[]`, as far as it leads out of the pod; secrets, config maps and scratch space are left out."""

    name: str = ""
    persistentVolumeClaim: ClaimVolume | None = None  # noqa: N815
    ephemeral: VolumeSource | None = None
    hostPath: VolumeSource | None = None  # noqa: N815
    csi: VolumeSource | None = None
    nfs: VolumeSource | None = None
    iscsi: VolumeSource | None = None
    fc: VolumeSource | None = None
    rbd: VolumeSource | None = None
    cephfs: VolumeSource | None = None
    glusterfs: VolumeSource | None = None
    vsphereVolume: VolumeSource | None = None  # noqa: N815
    cinder: VolumeSource | None = None
    awsElasticBlockStore: VolumeSource | None = None  # noqa: N815
    gcePersistentDisk: VolumeSource | None = None  # noqa: N815
    azureDisk: VolumeSource | None = None  # noqa: N815
    azureFile: VolumeSource | None = None  # noqa: N815
    photonPersistentDisk: VolumeSource | None = None  # noqa: N815
    flexVolume: VolumeSource | None = None  # noqa: N815
    quobyte: VolumeSource | None = None
    scaleIO: VolumeSource | None = None  # noqa: N815
    storageos: VolumeSource | None = None
    portworxVolume: VolumeSource | None = None  # noqa: N815

    @property
    def leads_out(self) -> bool:
        """Whether anything but its name is known."""
        return self != Volume(name=self.name)


class PodSpec(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec` of a pod or of its template."""

    containers: Sequence[Container] | None = None
    initContainers: Sequence[Container] | None = None  # noqa: N815
    hostNetwork: bool | None = None  # noqa: N815
    nodeName: str | None = None  # noqa: N815
    nodeSelector: dict[str, str] | None = None  # noqa: N815
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] | None = None
    volumes: list[Volume] | None = None


class Variable(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`env[]`, kept of templates and of pods that may be routers where it configures one; all others are dropped."""

    name: str = ""
    value: str | None = None
    valueFrom: dict[str, Any] | None = None  # noqa: N815
    """Where it is given, the value is kept elsewhere and not known."""


class TemplateContainer(Container, frozen=True, gc=False):
    """`containers[]` of a pod template."""

    env: list[Variable] | None = None


class TemplateSpec(PodSpec, frozen=True, gc=False):
    """`spec.template.spec`."""

    containers: Sequence[TemplateContainer] | None = None
    initContainers: Sequence[TemplateContainer] | None = None  # noqa: N815


class PodIP(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status.podIPs[]`."""

    ip: str = ""


class Condition(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status.conditions[]`."""

    type: str = ""
    status: str = ""


class PodStatus(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status` of a pod."""

    phase: str | None = None
    podIP: str | None = None  # noqa: N815
    podIPs: list[PodIP] | None = None  # noqa: N815
    hostIP: str | None = None  # noqa: N815
    conditions: tuple[Condition, ...] | None = None


class PodBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A Pod."""

    metadata: Metadata = Metadata()
    spec: PodSpec | None = None
    status: PodStatus | None = None


class RouterPodBody(PodBody, frozen=True, gc=False):
    """A Pod that may be a router, or an egress router: its environment says what it serves, or how it leaves."""

    spec: TemplateSpec | None = None


class ServerContainer(Container, frozen=True, gc=False):
    """`containers[]` of an API server's pod; of its command and arguments only the flags of admission are kept."""

    command: list[str] | None = None
    args: list[str] | None = None


class ServerSpec(PodSpec, frozen=True, gc=False):
    """`spec` of an API server's pod."""

    containers: Sequence[ServerContainer] | None = None


class ServerPodBody(PodBody, frozen=True, gc=False):
    """The pod of an API server: its flags say which admission plug-ins are on."""

    spec: ServerSpec | None = None


class PodTemplate(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec.template` of a workload."""

    metadata: Metadata | None = None
    spec: TemplateSpec | None = None


class Ordinals(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec.ordinals` of a StatefulSet."""

    start: int = 0


class WorkloadSpec(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec` of every workload kind but CronJob."""

    template: PodTemplate | None = None
    replicas: int | None = None
    ordinals: Ordinals | None = None
    manualSelector: bool | None = None  # noqa: N815
    """Of a Job: its pods get no labels."""
    completionMode: str | None = None  # noqa: N815
    volumeClaimTemplates: list[dict[str, Any]] | None = None  # noqa: N815
    """Of a StatefulSet: what each replica claims."""


class WorkloadBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Any workload kind but CronJob."""

    metadata: Metadata = Metadata()
    spec: WorkloadSpec | None = None


class JobStatus(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status` of a Job."""

    conditions: list[Condition] | None = None


class JobBody(WorkloadBody, frozen=True, gc=False):
    """A Job: a workload that can be over."""

    status: JobStatus | None = None


class JobTemplate(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec.jobTemplate` of a CronJob."""

    spec: WorkloadSpec | None = None


class CronJobSpec(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec` of a CronJob."""

    jobTemplate: JobTemplate | None = None  # noqa: N815


class CronJobBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A CronJob."""

    metadata: Metadata = Metadata()
    spec: CronJobSpec | None = None


class MachinePort(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`interfaces[].ports[]` of a virtual machine."""

    port: int = 0
    name: str | None = None
    protocol: str | None = None


class MachineInterface(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`domain.devices.interfaces[]`."""

    name: str = ""
    ports: list[MachinePort] | None = None


class MachineDevices(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`domain.devices`."""

    interfaces: list[MachineInterface] | None = None


class MachineDomain(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`domain`."""

    devices: MachineDevices | None = None


class MachineNetwork(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`networks[]`; all but `pod` are networks beside the cluster's own, or in place of it."""

    name: str = ""
    pod: dict[str, Any] | None = None


class MachineSpec(TemplateSpec, frozen=True, gc=False):
    """`spec.template.spec` of a virtual machine."""

    domain: MachineDomain | None = None
    networks: list[MachineNetwork] | None = None
    hostname: str | None = None


class MachineTemplate(PodTemplate, frozen=True, gc=False):
    """`spec.template` of a virtual machine."""

    spec: MachineSpec | None = None


class MachineWorkloadSpec(WorkloadSpec, frozen=True, gc=False):
    """`spec` of a virtual machine."""

    template: MachineTemplate | None = None


class MachineBody(WorkloadBody, frozen=True, gc=False):
    """A VirtualMachine: a workload whose one pod, the launcher, is made from its machine."""

    spec: MachineWorkloadSpec | None = None
