"""`Snapshot`: what was read, as typed structs with origin, plus what could not be read.

The structs hold only the fields that some stage needs; everything else is skipped while decoding. Policy specs stay raw
JSON because their dialects must see unknown fields (a field that nobody models is a gap, never ignored).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec


class Origin(msgspec.Struct, frozen=True, gc=False, order=True):
    """Where an object was read."""

    file: str
    """As the user would name it; `-` for standard input."""
    line: int
    """1-based line of the object's first token; 0 when unknown."""
    source: int = 0
    """Ordinal of the SOURCE argument; a later source overlays an earlier one."""


class OwnerReference(msgspec.Struct, frozen=True, gc=False):
    """`metadata.ownerReferences[]`; only controllers matter."""

    kind: str = ""
    name: str = ""
    controller: bool = False


class Metadata(msgspec.Struct, frozen=True, gc=False):
    """`metadata`, as far as it is used."""

    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    ownerReferences: list[OwnerReference] | None = None  # noqa: N815
    generateName: str = ""  # noqa: N815


class ContainerPort(msgspec.Struct, frozen=True, gc=False):
    """`containers[].ports[]`."""

    containerPort: int = 0  # noqa: N815
    name: str | None = None
    protocol: str | None = None
    hostPort: int | None = None  # noqa: N815
    hostIP: str | None = None  # noqa: N815


class Container(msgspec.Struct, frozen=True, gc=False):
    """`containers[]` and `initContainers[]`."""

    name: str = ""
    ports: list[ContainerPort] | None = None
    restartPolicy: str | None = None  # noqa: N815
    """`Always` on an init container makes it a native sidecar, whose named ports count."""


class PodSpec(msgspec.Struct, frozen=True, gc=False):
    """`spec` of a pod or of its template."""

    containers: list[Container] | None = None
    initContainers: list[Container] | None = None  # noqa: N815
    hostNetwork: bool | None = None  # noqa: N815
    nodeName: str | None = None  # noqa: N815


class PodIP(msgspec.Struct, frozen=True, gc=False):
    """`status.podIPs[]`."""

    ip: str = ""


class PodStatus(msgspec.Struct, frozen=True, gc=False):
    """`status` of a pod."""

    phase: str | None = None
    podIP: str | None = None  # noqa: N815
    podIPs: list[PodIP] | None = None  # noqa: N815
    hostIP: str | None = None  # noqa: N815


class PodBody(msgspec.Struct, frozen=True, gc=False):
    """A Pod."""

    metadata: Metadata = Metadata()
    spec: PodSpec | None = None
    status: PodStatus | None = None


class PodTemplate(msgspec.Struct, frozen=True, gc=False):
    """`spec.template` of a workload."""

    metadata: Metadata | None = None
    spec: PodSpec | None = None


class Ordinals(msgspec.Struct, frozen=True, gc=False):
    """`spec.ordinals` of a StatefulSet."""

    start: int = 0


class WorkloadSpec(msgspec.Struct, frozen=True, gc=False):
    """`spec` of every workload kind but CronJob."""

    template: PodTemplate | None = None
    replicas: int | None = None
    ordinals: Ordinals | None = None
    manualSelector: bool | None = None  # noqa: N815
    """Of a Job: its pods get no labels."""
    completionMode: str | None = None  # noqa: N815


class WorkloadBody(msgspec.Struct, frozen=True, gc=False):
    """Any workload kind but CronJob."""

    metadata: Metadata = Metadata()
    spec: WorkloadSpec | None = None


class Condition(msgspec.Struct, frozen=True, gc=False):
    """`status.conditions[]`."""

    type: str = ""
    status: str = ""


class JobStatus(msgspec.Struct, frozen=True, gc=False):
    """`status` of a Job."""

    conditions: list[Condition] | None = None


class JobBody(WorkloadBody, frozen=True, gc=False):
    """A Job: a workload that can be over."""

    status: JobStatus | None = None


class JobTemplate(msgspec.Struct, frozen=True, gc=False):
    """`spec.jobTemplate` of a CronJob."""

    spec: WorkloadSpec | None = None


class CronJobSpec(msgspec.Struct, frozen=True, gc=False):
    """`spec` of a CronJob."""

    jobTemplate: JobTemplate | None = None  # noqa: N815


class CronJobBody(msgspec.Struct, frozen=True, gc=False):
    """A CronJob."""

    metadata: Metadata = Metadata()
    spec: CronJobSpec | None = None


class MachinePort(msgspec.Struct, frozen=True, gc=False):
    """`interfaces[].ports[]` of a virtual machine."""

    port: int = 0
    name: str | None = None
    protocol: str | None = None


class MachineInterface(msgspec.Struct, frozen=True, gc=False):
    """`domain.devices.interfaces[]`."""

    name: str = ""
    ports: list[MachinePort] | None = None


class MachineDevices(msgspec.Struct, frozen=True, gc=False):
    """`domain.devices`."""

    interfaces: list[MachineInterface] | None = None


class MachineDomain(msgspec.Struct, frozen=True, gc=False):
    """`domain`."""

    devices: MachineDevices | None = None


class MachineNetwork(msgspec.Struct, frozen=True, gc=False):
    """`networks[]`; all but `pod` are networks beside the cluster's own, or in place of it."""

    name: str = ""
    pod: dict[str, Any] | None = None


class MachineSpec(PodSpec, frozen=True, gc=False):
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


class NamespaceBody(msgspec.Struct, frozen=True, gc=False):
    """A Namespace."""

    metadata: Metadata = Metadata()


class NodeAddress(msgspec.Struct, frozen=True, gc=False):
    """`status.addresses[]` of a Node."""

    type: str = ""
    address: str = ""


class NodeStatus(msgspec.Struct, frozen=True, gc=False):
    """`status` of a Node."""

    addresses: list[NodeAddress] | None = None


class NodeBody(msgspec.Struct, frozen=True, gc=False):
    """A Node."""

    metadata: Metadata = Metadata()
    status: NodeStatus | None = None


class ServicePort(msgspec.Struct, frozen=True, gc=False):
    """`spec.ports[]` of a Service."""

    port: int = 0
    name: str | None = None
    protocol: str | None = None
    targetPort: int | str | None = None  # noqa: N815
    nodePort: int | None = None  # noqa: N815


class ServiceSpec(msgspec.Struct, frozen=True, gc=False):
    """`spec` of a Service."""

    type: str | None = None
    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None
    externalIPs: list[str] | None = None  # noqa: N815
    externalTrafficPolicy: str | None = None  # noqa: N815
    loadBalancerSourceRanges: list[str] | None = None  # noqa: N815


class ServiceBody(msgspec.Struct, frozen=True, gc=False):
    """A Service."""

    metadata: Metadata = Metadata()
    spec: ServiceSpec | None = None


class RawBody(msgspec.Struct, frozen=True, gc=False):
    """Any kind whose spec its own module reads: NetworkPolicy, Ingress, Route, and every kind that is not modelled.

    `spec` is JSON; empty (`b""`) when the object has none.
    """

    metadata: Metadata = Metadata()
    spec: msgspec.Raw = msgspec.Raw(b"")


Body = PodBody | WorkloadBody | CronJobBody | NamespaceBody | NodeBody | ServiceBody | RawBody

BODY: Mapping[str, type[Any]] = {
    "Pod": PodBody,
    "Deployment": WorkloadBody,
    "StatefulSet": WorkloadBody,
    "DaemonSet": WorkloadBody,
    "ReplicaSet": WorkloadBody,
    "ReplicationController": WorkloadBody,
    "DeploymentConfig": WorkloadBody,
    "Job": JobBody,
    "VirtualMachine": MachineBody,
    "CronJob": CronJobBody,
    "Namespace": NamespaceBody,
    "Node": NodeBody,
    "Service": ServiceBody,
}
"""Kind to struct for the groups listed in GROUPS; anything else becomes a RawBody."""

GROUPS: Mapping[str, frozenset[str]] = {
    "Pod": frozenset({""}),
    "Deployment": frozenset({"apps", "extensions"}),
    "StatefulSet": frozenset({"apps"}),
    "DaemonSet": frozenset({"apps", "extensions"}),
    "ReplicaSet": frozenset({"apps", "extensions"}),
    "ReplicationController": frozenset({""}),
    "DeploymentConfig": frozenset({"apps.openshift.io", ""}),
    "Job": frozenset({"batch"}),
    "CronJob": frozenset({"batch"}),
    "VirtualMachine": frozenset({"kubevirt.io"}),
    "Namespace": frozenset({""}),
    "Node": frozenset({""}),
    "Service": frozenset({""}),
    "NetworkPolicy": frozenset({"networking.k8s.io", "extensions"}),
}
"""API groups under which a kind of that name is the one meant (a Cilium or Calico NetworkPolicy is another kind)."""

WORKLOADS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "DeploymentConfig",
    "Job",
    "CronJob",
    "VirtualMachine",
)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One object of the snapshot."""

    group: str
    """API group, empty for core; `extensions` objects that moved keep theirs."""
    version: str
    kind: str
    namespace: str
    """Empty for cluster-scoped kinds; namespaced objects without one are in `default`, as kubectl would put them."""
    name: str
    origin: Origin
    body: Any
    """The struct that BODY names for the kind, else RawBody."""


GapReason = Literal[
    "forbidden", "absent", "unavailable", "partial", "unknown-field", "not-modelled", "invalid-object", "missing"
]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Gap:
    """Something the audit needed and did not get, or saw and does not model. Never dropped; reaches the report."""

    kind: str
    reason: GapReason
    scope: str = ""
    """`cluster`, a namespace, or an object; empty for all of the kind."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file that was read, for the evidence sheet."""

    file: str
    sha256: str
    """Hex digest of the bytes as read."""
    size: int
    """Bytes."""
    objects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that was read. Equal inputs give equal snapshots whatever the order of files in a directory."""

    entries: Mapping[str, tuple[Entry, ...]]
    """By kind key, each sorted by namespace and name; overlays applied. The key is the kind (`Pod`, `NetworkPolicy`) or
    `Kind.group` outside GROUPS (`NetworkPolicy.crd.projectcalico.org`)."""
    inputs: tuple[InputFile, ...] = ()
    gaps: tuple[Gap, ...] = ()
    live: bool = False
    """True when it came from a cluster; manifests claim nothing about what else the cluster holds."""
    notes: tuple[str, ...] = field(default=())
    """Remarks for the report, such as overlays that replaced objects."""

    def of(self, kind: str) -> tuple[Entry, ...]:
        """All objects of one kind key; empty if none."""
        return self.entries.get(kind, ())
