"""What the platforms ask of the network between nodes, as rows.

Sources: for OpenShift 3.11 the prerequisites of its installation guide; for OpenShift 4 the network requirements for
user provisioned infrastructure in its installation guide, and, marked with the condition `listener`, what the
communication matrix of the product lists besides; for Kubernetes its page on ports and protocols, and the pages of the
network plug-ins on theirs. The last were not checked against code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Role = Literal["control plane", "infra", "worker", "router"]
"""`router` is a node that a router listens on, besides its other role."""
NODE: tuple[Role, ...] = ("infra", "worker")
ALL: tuple[Role, ...] = ("control plane", *NODE)
CONTROL: tuple[Role, ...] = ("control plane",)
ROUTER: tuple[Role, ...] = ("router",)
INFRA: tuple[Role, ...] = ("infra",)


class Row(NamedTuple):
    """One requirement."""

    sources: tuple[Role, ...]
    targets: tuple[Role, ...]
    protocol: str
    """`tcp`, `udp`, `icmp`, `esp` or `ipip`."""
    ports: str
    """`443`, `9000-9999`, or the name of a setting in braces; empty for a protocol without ports."""
    purpose: str
    when: str = ""
    """Key of CONDITIONS; empty for always."""


CONDITIONS: Mapping[str, str] = {
    "bare metal": "on bare metal",
    "cri-o": "where CRI-O runs the containers",
    "geneve": "if OVN-Kubernetes is the network plug-in",
    "ipip": "if Calico encapsulates in IP",
    "ipsec": "if IPsec between nodes is on",
    "ipsec-esp": "if IPsec between nodes is on, unless it is always wrapped in UDP",
    "listener": "optional: a component listens there",
    "logging": "if Elasticsearch of the aggregated logging runs there",
    "name-server": "if a name server runs on the nodes",
    "nfs": "if the registry keeps its images on NFS of a master",
    "node-ports": "once there is a Service of type NodePort or LoadBalancer",
    "provision": "if the nodes are managed over SSH from the first master",
    "time": "if nodes are the time servers of others",
    "typha": "if Calico runs Typha",
    "vxlan": "if the plug-in wraps traffic in VXLAN",
    "wireguard": "if WireGuard between nodes is on",
}
"""What decides whether a row applies, in words for where the input does not say."""

_KUBELET = "kubelet and other components of Kubernetes"
_HOST = "services of hosts, such as metrics of nodes 9100 and health of egress IPs 9107"

OPENSHIFT_4: tuple[Row, ...] = (
    Row(ALL, ALL, "icmp", "", "reachability and path MTU"),
    Row(ALL, ALL, "tcp", "1936", "metrics and health of routers"),
    Row(ALL, ALL, "tcp", "9000-9999", _HOST),
    Row(ALL, ALL, "tcp", "10250-10259", _KUBELET),
    Row(ALL, ALL, "udp", "{vxlan}", "pod network in VXLAN", "vxlan"),
    Row(ALL, ALL, "udp", "{geneve}", "pod network in Geneve", "geneve"),
    Row(ALL, ALL, "udp", "9000-9999", "services of hosts"),
    Row(ALL, ALL, "udp", "500", "IPsec, exchange of keys", "ipsec-esp"),
    Row(ALL, ALL, "udp", "4500", "IPsec in UDP", "ipsec"),
    Row(ALL, ALL, "esp", "", "IPsec", "ipsec-esp"),
    Row(ALL, ALL, "udp", "123", "time", "time"),
    Row(ALL, ALL, "tcp", "30000-32767", "node ports of Services", "node-ports"),
    Row(ALL, ALL, "udp", "30000-32767", "node ports of Services", "node-ports"),
    Row(ALL, CONTROL, "tcp", "6443", "API of Kubernetes"),
    Row(ALL, CONTROL, "tcp", "22623-22624", "machine configuration of nodes that join"),
    Row(CONTROL, CONTROL, "tcp", "2379-2380", "etcd"),
    Row(ALL, ROUTER, "tcp", "80", "Routes that components of the platform call"),
    Row(ALL, ROUTER, "tcp", "443", "Routes that components of the platform call"),
    Row(ALL, ALL, "tcp", "53", "names, from the hosts themselves", "listener"),
    Row(ALL, ALL, "udp", "53", "names, from the hosts themselves", "listener"),
    Row(ALL, ALL, "tcp", "8798", "metrics of the machine configuration", "listener"),
    Row(ALL, ALL, "tcp", "10300", "storage driver", "listener"),
    Row(ALL, ALL, "tcp", "10309", "storage driver", "listener"),
    Row(ALL, CONTROL, "tcp", "6080", "API server, insecure readiness", "listener"),
    Row(ALL, CONTROL, "tcp", "8080", "network operator", "listener"),
    Row(ALL, CONTROL, "tcp", "10260", "controllers of the cloud", "listener"),
    Row(ALL, CONTROL, "tcp", "10357", "API server, policy controller", "listener"),
    Row(ALL, CONTROL, "tcp", "17697", "API server, check of end points", "listener"),
    Row(ALL, ALL, "tcp", "18080", "name service of bare metal", "bare metal"),
    Row(ALL, CONTROL, "tcp", "5050", "provisioning of bare metal", "bare metal"),
    Row(ALL, CONTROL, "tcp", "6180-6183", "provisioning of bare metal", "bare metal"),
    Row(ALL, CONTROL, "tcp", "6385-6388", "provisioning of bare metal", "bare metal"),
)
"""Ports 9444, 9445, 9447 and the like fall into 9000-9999."""

OPENSHIFT_3: tuple[Row, ...] = (
    Row(ALL, ALL, "udp", "{vxlan}", "pod network in VXLAN"),
    Row(ALL, CONTROL, "tcp", "{dns}", "names"),
    Row(ALL, CONTROL, "udp", "{dns}", "names"),
    Row(ALL, CONTROL, "tcp", "{api}", "API"),
    Row(CONTROL, ALL, "tcp", "10250", "kubelet"),
    Row(CONTROL, ALL, "tcp", "10010", "commands in containers", "cri-o"),
    Row(CONTROL, CONTROL, "tcp", "2379-2380", "etcd"),
    Row(CONTROL, CONTROL, "tcp", "2049", "images of the registry", "nfs"),
    Row(INFRA, INFRA, "tcp", "9200", "Elasticsearch", "logging"),
    Row(INFRA, INFRA, "tcp", "9300", "Elasticsearch", "logging"),
    Row(ALL, ROUTER, "tcp", "80", "Routes that components of the platform call"),
    Row(ALL, ROUTER, "tcp", "443", "Routes that components of the platform call"),
    Row(ALL, ROUTER, "tcp", "1936", "metrics and health of routers"),
    Row(CONTROL, ALL, "tcp", "22", "installation and upgrades", "provision"),
)
"""TCP port 9, by which openshift-sdn watches nodes with egress addresses, goes inside VXLAN."""

KUBERNETES: tuple[Row, ...] = (
    Row(ALL, CONTROL, "tcp", "6443", "API"),
    Row(CONTROL, CONTROL, "tcp", "2379-2380", "etcd"),
    Row(CONTROL, ALL, "tcp", "10250", "kubelet"),
    Row(CONTROL, CONTROL, "tcp", "10257", "controller manager", "listener"),
    Row(CONTROL, CONTROL, "tcp", "10259", "scheduler", "listener"),
    Row(ALL, ALL, "tcp", "10256", "health of kube-proxy", "listener"),
    Row(ALL, ALL, "tcp", "30000-32767", "node ports of Services", "node-ports"),
    Row(ALL, ALL, "udp", "30000-32767", "node ports of Services", "node-ports"),
)

PLUGIN: Mapping[str, tuple[Row, ...]] = {
    "calico": (
        Row(ALL, ALL, "tcp", "179", "routes of Calico"),
        Row(ALL, ALL, "udp", "{vxlan}", "pod network in VXLAN", "vxlan"),
        Row(ALL, ALL, "ipip", "", "pod network in IP", "ipip"),
        Row(ALL, ALL, "tcp", "5473", "Typha", "typha"),
    ),
    "cilium": (
        Row(ALL, ALL, "udp", "8472", "pod network in VXLAN", "vxlan"),
        Row(ALL, ALL, "tcp", "4240", "health of Cilium"),
        Row(ALL, ALL, "icmp", "", "health of Cilium"),
        Row(ALL, ALL, "udp", "51871", "WireGuard", "wireguard"),
    ),
    "ovn-kubernetes": (Row(ALL, ALL, "udp", "{geneve}", "pod network in Geneve", "geneve"),),
}
"""What plug-ins of plain Kubernetes add."""
