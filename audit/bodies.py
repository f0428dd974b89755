"""Every other kind as typed structs, and the table of all kinds: only the fields that some stage needs.

Specs of policies and of custom kinds stay raw JSON, because whoever reads them must see unknown fields (a field that
nobody models is a gap, never ignored).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from audit.control_bodies import CONTROL_BODY
from audit.raw_body import StatusBody
from audit.workloads import (
    Condition,
    CronJobBody,
    JobBody,
    MachineBody,
    Metadata,
    PodBody,
    WorkloadBody,
)


class NamespaceBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A Namespace."""

    metadata: Metadata = Metadata()


class NodeAddress(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status.addresses[]` of a Node."""

    type: str = ""
    address: str = ""


class Taint(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec.taints[]` of a Node."""

    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec` of a Node."""

    taints: tuple[Taint, ...] | None = None
    unschedulable: bool | None = None
    podCIDR: str | None = None  # noqa: N815
    podCIDRs: list[str] | None = None  # noqa: N815


class NodeStatus(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status` of a Node."""

    addresses: list[NodeAddress] | None = None
    conditions: tuple[Condition, ...] | None = None


class NodeBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A Node."""

    metadata: Metadata = Metadata()
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class ServicePort(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec.ports[]` of a Service."""

    port: int = 0
    name: str | None = None
    protocol: str | None = None
    targetPort: int | str | None = None  # noqa: N815
    nodePort: int | None = None  # noqa: N815


class ServiceSpec(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`spec` of a Service."""

    type: str | None = None
    selector: dict[str, str] | None = None
    ports: list[ServicePort] | None = None
    externalIPs: list[str] | None = None  # noqa: N815
    externalName: str | None = None  # noqa: N815
    externalTrafficPolicy: str | None = None  # noqa: N815
    loadBalancerSourceRanges: list[str] | None = None  # noqa: N815
    loadBalancerIP: str | None = None  # noqa: N815
    allocateLoadBalancerNodePorts: bool | None = None  # noqa: N815


class LoadBalancerAddress(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status.loadBalancer.ingress[]`."""

    ip: str | None = None
    hostname: str | None = None


class LoadBalancerStatus(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status.loadBalancer`."""

    ingress: list[LoadBalancerAddress] | None = None


class ServiceStatus(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status` of a Service."""

    loadBalancer: LoadBalancerStatus | None = None  # noqa: N815


class ServiceBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A Service."""

    metadata: Metadata = Metadata()
    spec: ServiceSpec | None = None
    status: ServiceStatus | None = None


class EndpointAddress(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`subsets[].addresses[]` of Endpoints."""

    ip: str = ""


class EndpointPort(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A port of Endpoints or of an EndpointSlice."""

    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class EndpointSubset(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`subsets[]` of Endpoints."""

    addresses: list[EndpointAddress] | None = None
    notReadyAddresses: list[EndpointAddress] | None = None  # noqa: N815
    ports: list[EndpointPort] | None = None


class EndpointsBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Endpoints: what a Service of the same name leads to."""

    metadata: Metadata = Metadata()
    subsets: list[EndpointSubset] | None = None


class SliceEndpoint(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`endpoints[]` of an EndpointSlice."""

    addresses: list[str] | None = None


class EndpointSliceBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An EndpointSlice: part of what the Service of its label `kubernetes.io/service-name` leads to."""

    metadata: Metadata = Metadata()
    addressType: str = ""  # noqa: N815
    endpoints: list[SliceEndpoint] | None = None
    ports: list[EndpointPort] | None = None


class NetNamespaceBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A NetNamespace of openshift-sdn."""

    metadata: Metadata = Metadata()
    netname: str = ""
    netid: int | None = None
    egressIPs: list[str] | None = None  # noqa: N815


class HostSubnetBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A HostSubnet of openshift-sdn."""

    metadata: Metadata = Metadata()
    host: str = ""
    hostIP: str = ""  # noqa: N815
    subnet: str = ""
    egressIPs: list[str] | None = None  # noqa: N815
    egressCIDRs: list[str] | None = None  # noqa: N815


class ClusterNetworkEntry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`clusterNetworks[]`."""

    CIDR: str = ""


class ClusterNetworkBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The ClusterNetwork of openshift-sdn."""

    metadata: Metadata = Metadata()
    pluginName: str = ""  # noqa: N815
    clusterNetworks: list[ClusterNetworkEntry] | None = None  # noqa: N815
    network: str = ""
    serviceNetwork: str = ""  # noqa: N815
    vxlanPort: int | None = None  # noqa: N815


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

_STATUS_KINDS = (
    *(f"{kind}.k8s.ovn.org" for kind in ("EgressIP", "EgressFirewall", "EgressService", "ClusterNetworkConnect")),
    *(f"{kind}.k8s.ovn.org" for kind in ("UserDefinedNetwork", "ClusterUserDefinedNetwork")),
    "AdminPolicyBasedExternalRoute.k8s.ovn.org",
    *(f"{kind}.policy.networking.k8s.io" for kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")),
    *(f"{kind}.gateway.networking.k8s.io" for kind in ("Gateway", "GatewayClass")),
    "CloudPrivateIPConfig.cloud.network.openshift.io",
    *(f"{kind}.config.openshift.io" for kind in ("ClusterVersion", "Infrastructure", "Ingress", "Network")),
    "EgressRouter.network.operator.openshift.io",
    "IngressController.operator.openshift.io",
    "Ingress.networking.k8s.io",
    *(f"{kind}.gateway.networking.k8s.io" for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")),
    "Route.route.openshift.io",
)

BODY_OF_KEY: Mapping[str, type[Any]] = {
    **CONTROL_BODY,
    **dict.fromkeys(_STATUS_KINDS, StatusBody),
    **{
        f"{kind}{suffix}": body
        for suffix in ("", ".network.openshift.io")
        for kind, body in (
            ("ClusterNetwork", ClusterNetworkBody),
            ("HostSubnet", HostSubnetBody),
            ("NetNamespace", NetNamespaceBody),
        )
    },
    "Endpoints": EndpointsBody,
    "EndpointSlice.discovery.k8s.io": EndpointSliceBody,
}
"""Kind key to struct outside GROUPS; 3.x served the kinds of openshift-sdn in the core group, too."""
