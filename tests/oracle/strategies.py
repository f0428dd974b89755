"""Random small clusters as parsed manifests, dense in the corners of the NetworkPolicy API.

Everything is drawn from small pools, so that labels meet selectors, addresses meet blocks and names meet ports.
Only objects that an API server of some version would hold are made; what it refuses is tested by the readers of input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

Json = Any
T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMESPACES = ("a", "b", "default", "kube-system", "0")
NAME_LABEL = "kubernetes.io/metadata.name"
KEYS = ("zone", "app", "example.com/Zone")
VALUES = ("a", "b", "", "true", "1e3")
"""Among them what YAML readers, truth tests and empty-string tests get wrong."""
PORT_NAMES = ("http", "dns", "a")
PORTS = (1, 2, 53, 80, 81, 443, 65534, 65535)
PROTOCOLS = ("TCP", "UDP", "SCTP")
POD_ADDRESSES = (
    "10.0.0.0",
    "10.0.0.1",
    "10.0.0.127",
    "10.0.0.128",
    "10.0.1.0",
    "10.255.255.255",
    "fd00::",
    "fd00::1",
    "fd00:0:0:1::1",
)
NODES = ("n1", "n2")
NODE_ADDRESSES = {"n1": ("10.0.0.2", "fd00::2"), "n2": ("192.168.0.1", "fd00:1::1")}
EXTERNAL_ADDRESSES = {"n1": "192.168.0.9", "n2": "2001:db8::2"}
BLOCKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("0.0.0.0/0", ("10.0.0.0/8", "128.0.0.0/1", "0.0.0.0/1", "10.0.0.1/32")),
    ("0.0.0.0/1", ("10.0.0.0/24", "0.0.0.0/2", "64.0.0.0/2")),
    ("128.0.0.0/1", ("192.168.0.0/16",)),
    ("10.0.0.0/8", ("10.0.0.0/24", "10.0.0.0/9", "10.128.0.0/9")),
    ("10.0.0.0/24", ("10.0.0.0/25", "10.0.0.128/25", "10.0.0.1/32", "10.0.0.2/31")),
    ("10.0.0.1/32", ()),
    ("10.0.0.77/25", ("10.0.0.0/32",)),
    ("192.168.0.1/32", ()),
    ("255.255.255.255/32", ()),
    ("::/0", ("fd00::/8", "::/1", "8000::/1")),
    ("fd00::/64", ("fd00::1/128", "fd00::/127")),
    ("fd00::1/128", ()),
    ("2001:db8::/33", ("2001:db8::/34", "2001:db8:4000::/34")),
)
"""CIDR blocks with exceptions that lie strictly inside them; one has host bits, as old API servers accepted."""


@dataclass(frozen=True)
class Shape:
    """What a cluster may contain."""

    host_network: bool = True
    dual_stack: bool = True
    addresses_known: bool = False
    named_ports: bool = True
    gaps: bool = True
    """Unknown fields, policy kinds without semantics, namespaces without an object."""
    templates: bool = True
    max_pods: int = 8
    max_policies: int = 6
    max_admin: int = 3


ANYTHING = Shape()
PLAIN = Shape(host_network=False, dual_stack=False, addresses_known=True, gaps=False)
"""Complete input: every verdict is allowed or denied."""

_SMALL = [st.integers(0, high) for high in range(41)]


def chance(draw: Draw, percent: int) -> bool:
    """True about so often; shrinks to False."""
    return int(draw(_SMALL[20])) > 20 - percent / 5


def pick(draw: Draw, pool: Sequence[T]) -> T:
    """One of the pool; shrinks to the first."""
    return pool[draw(_SMALL[len(pool) - 1])]


def some(draw: Draw, most: int, least: int = 0) -> range:
    """A range of a drawn length."""
    return range(least + draw(_SMALL[most - least]))


def labels(draw: Draw) -> dict[str, str]:
    """Up to two labels."""
    return {pick(draw, KEYS): pick(draw, VALUES) for _ in some(draw, 2)}


def selector(draw: Draw, *, namespaces: bool = False) -> Json:
    """A label selector in one of its written forms."""
    found: Json = {}
    if chance(draw, 20):
        return found
    keys = (*KEYS, NAME_LABEL) if namespaces else KEYS
    if chance(draw, 60):
        key = pick(draw, keys)
        found["matchLabels"] = {key: pick(draw, NAMESPACES if key == NAME_LABEL else VALUES)}
    else:
        found["matchExpressions"] = [expression(draw, pick(draw, keys)) for _ in some(draw, 2, 1)]
    return found


def expression(draw: Draw, key: str) -> Json:
    """One element of matchExpressions."""
    operator = pick(draw, ("In", "NotIn", "Exists", "DoesNotExist"))
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator} | ({"values": []} if chance(draw, 10) else {})
    pool = NAMESPACES if key == NAME_LABEL else VALUES
    return {"key": key, "operator": operator, "values": sorted({pick(draw, pool) for _ in some(draw, 2, 1)})}


def container_ports(draw: Draw, shape: Shape) -> list[Json]:
    """Ports of one container: names unique within it, sometimes the same number twice."""
    ports: dict[str, Json] = {}
    for _ in some(draw, 2):
        port: Json = {"containerPort": pick(draw, PORTS)}
        protocol = pick(draw, (None, *PROTOCOLS))
        if protocol:
            port["protocol"] = protocol
        if shape.named_ports:
            port["name"] = pick(draw, PORT_NAMES)
        ports[port.get("name", "")] = port
    return list(ports.values())


def pod_spec(draw: Draw, shape: Shape) -> Json:
    """Containers, init containers, host network."""
    spec: Json = {"containers": [{"name": "main", "ports": container_ports(draw, shape)}]}
    if chance(draw, 15):
        spec["containers"].append({"name": "second", "ports": container_ports(draw, shape)})
    if chance(draw, 20):
        init: Json = {"name": "init", "ports": container_ports(draw, shape)}
        if chance(draw, 60):
            init["restartPolicy"] = "Always"
        spec["initContainers"] = [init]
    if shape.host_network and chance(draw, 25):
        spec["hostNetwork"] = True
    return spec


def pod(draw: Draw, shape: Shape, name: str, ns: str, nodes: Sequence[str]) -> Json:
    """A pod as a cluster would show it, or as a manifest gives it."""
    metadata: Json = {"name": name, "namespace": ns, "labels": labels(draw)}
    if ns == "default" and chance(draw, 30):
        del metadata["namespace"]
    if not metadata["labels"] and chance(draw, 50):
        metadata["labels"] = None
    spec = pod_spec(draw, shape)
    status: Json = {}
    scheduled = chance(draw, 70)
    if scheduled:
        spec["nodeName"] = pick(draw, nodes)
    if chance(draw, 40):
        status["phase"] = pick(draw, ("Running", "Pending", "Succeeded", "Failed", "Unknown"))
    if spec.get("hostNetwork"):
        # In a cluster both addresses are the node's; a manifest has neither.
        if scheduled and chance(draw, 50):
            status["hostIP"] = status["podIP"] = NODE_ADDRESSES[spec["nodeName"]][0]
    elif shape.addresses_known or chance(draw, 75):
        addresses = [pick(draw, POD_ADDRESSES)]
        if shape.dual_stack and chance(draw, 20):
            addresses = ["10.0.0.1", pick(draw, ("fd00::1", "fd00:0:0:1::1"))]
        status |= pick(
            draw,
            (
                {"podIP": addresses[0], "podIPs": [{"ip": a} for a in addresses]},
                {"podIPs": [{"ip": a} for a in addresses]},
            ),
        )
    body: Json = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return body | ({"status": status} if status else {})


APIS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "extensions/v1beta1",
    "ReplicationController": "v1",
    "DeploymentConfig": "apps.openshift.io/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "VirtualMachine": "kubevirt.io/v1",
}


def machine(running: Json) -> Json:
    """A virtual machine with the ports of some containers: it declares them at its interface."""
    ports = [
        {"port": one["containerPort"], **{key: one[key] for key in ("name", "protocol") if key in one}}
        for container in running["containers"]
        for one in container.get("ports") or []
    ]
    return {"domain": {"devices": {"interfaces": [{"name": "default", "ports": ports}]}}}


def workload(draw: Draw, shape: Shape, name: str, ns: str) -> list[Json]:
    """A controller, sometimes with pods that it made."""
    kind = pick(draw, tuple(APIS))
    running = pod_spec(draw, shape)
    template = {"metadata": {"labels": labels(draw)}, "spec": machine(running) if kind == "VirtualMachine" else running}
    spec: Json = {"template": template}
    if kind == "CronJob":
        spec = {"jobTemplate": {"spec": spec}}
    metadata = {"name": name, "namespace": ns}
    made: list[Json] = [{"apiVersion": APIS[kind], "kind": kind, "metadata": metadata, "spec": spec}]
    if kind != "Deployment" or chance(draw, 50):
        return made
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "controller": True}
    replicas = {"name": f"{name}-7d9", "namespace": ns, "ownerReferences": [owner]}
    made.append({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": replicas, "spec": spec})
    for index in some(draw, 2, 1):
        owned = pod(draw, shape, f"{name}-7d9-{index}", ns, NODES)
        owned["metadata"]["namespace"] = ns
        owned["metadata"]["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-7d9", "controller": True}
        ]
        # Whether a template stands in for a controller whose pods have all finished is no question of policy.
        owned.get("status", {}).pop("phase", None)
        made.append(owned)
    return made


def peer(draw: Draw, shape: Shape) -> Json:
    """One element of `from` or `to`, valid or with no field set."""
    form = pick(draw, ("pods", "namespaces", "both", "block", "block", "empty"))
    found: Json = {}
    if form in ("pods", "both"):
        found["podSelector"] = selector(draw)
    if form in ("namespaces", "both"):
        found["namespaceSelector"] = selector(draw, namespaces=True)
    if form == "block":
        cidr, inside = pick(draw, BLOCKS)
        found["ipBlock"] = {"cidr": cidr}
        if inside and chance(draw, 50):
            found["ipBlock"]["except"] = sorted({pick(draw, inside) for _ in some(draw, 2, 1)})
        if shape.gaps and chance(draw, 5):
            found["ipBlock"]["asn"] = 64512
    if form == "empty" and chance(draw, 50):
        return None
    if shape.gaps and chance(draw, 5):
        found["nodes"] = {}
    return found


def policy_port(draw: Draw, shape: Shape) -> Json:
    """One element of `ports`."""
    form = pick(draw, ("number", "range", "name", "protocol", "empty", "null"))
    if form == "null":
        return None
    found: Json = {}
    if form == "number" or (form == "name" and not shape.named_ports):
        found["port"] = pick(draw, PORTS)
    elif form == "name":
        found["port"] = pick(draw, PORT_NAMES)
    elif form == "range":
        first, last = sorted((pick(draw, PORTS), pick(draw, PORTS)))
        found |= {"port": first, "endPort": last}
    if form != "empty":
        protocol = pick(draw, (None, *PROTOCOLS))
        if protocol or chance(draw, 20):
            found["protocol"] = protocol
    if shape.gaps and chance(draw, 5):
        found["appProtocol"] = "http"
    return found


def rule(draw: Draw, shape: Shape, direction: str) -> Json:
    """One rule of a direction, with every way to write "any"."""
    if chance(draw, 10):
        return pick(draw, (None, {}))
    found: Json = {}
    field = "from" if direction == "ingress" else "to"
    if chance(draw, 85):
        found[field] = [peer(draw, shape) for _ in some(draw, 2, 1)]
    elif chance(draw, 60):
        found[field] = pick(draw, (None, []))
    if chance(draw, 55):
        found["ports"] = [policy_port(draw, shape) for _ in some(draw, 2, 1)]
    elif chance(draw, 30):
        found["ports"] = pick(draw, (None, []))
    if shape.gaps and chance(draw, 3):
        found["action"] = "Deny"
    return found


def policy_spec(draw: Draw, shape: Shape) -> Json:
    """A NetworkPolicy spec."""
    spec: Json = {}
    if chance(draw, 85):
        spec["podSelector"] = selector(draw)
    elif chance(draw, 50):
        spec["podSelector"] = None
    for direction in ("ingress", "egress"):
        if chance(draw, 75):
            spec[direction] = [rule(draw, shape, direction) for _ in some(draw, 2)]
        elif chance(draw, 20):
            spec[direction] = None
    if chance(draw, 65):
        spec["policyTypes"] = pick(
            draw, (["Ingress"], ["Egress"], ["Ingress", "Egress"], ["Egress", "Ingress"], [], None)
        )
    if shape.gaps and chance(draw, 3):
        spec["tier"] = "x"
    return spec


def policy(draw: Draw, shape: Shape, name: str, ns: str) -> Json:
    """A NetworkPolicy, current or legacy."""
    api = "extensions/v1beta1" if chance(draw, 15) else "networking.k8s.io/v1"
    metadata = {"name": name, "namespace": ns}
    if ns == "default" and chance(draw, 30):
        del metadata["namespace"]
    return {"apiVersion": api, "kind": "NetworkPolicy", "metadata": metadata, "spec": policy_spec(draw, shape)}


OTHER_POLICIES = (
    ("cilium.io/v2", "CiliumNetworkPolicy", True),
    ("projectcalico.org/v3", "NetworkPolicy", True),
    ("crd.projectcalico.org/v1", "NetworkPolicy", True),
    ("security.istio.io/v1", "AuthorizationPolicy", True),
    ("crd.antrea.io/v1beta1", "NetworkPolicy", True),
    ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", True),
    ("cilium.io/v2", "CiliumClusterwideNetworkPolicy", False),
    ("projectcalico.org/v3", "GlobalNetworkPolicy", False),
    ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", False),
)


def other_policy(draw: Draw, ns: str) -> Json:
    """A policy of a kind that is not modelled, or one that concerns secondary networks only."""
    api, kind, namespaced = pick(draw, OTHER_POLICIES)
    metadata = {"name": "x"} | ({"namespace": ns} if namespaced else {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": {"subject": {}}}


def namespace(draw: Draw, name: str) -> Json:
    """A Namespace, as written in a manifest or as read from a cluster."""
    metadata: Json = {"name": name}
    form = pick(draw, ("labels", "server", "bare"))
    if form != "bare":
        metadata["labels"] = labels(draw) | ({NAME_LABEL: name} if form == "server" else {})
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def node(draw: Draw, name: str) -> Json:
    """A Node with one to three of its addresses."""
    four, six = NODE_ADDRESSES[name]
    addresses = [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": four}]
    if chance(draw, 30):
        addresses.append({"type": "InternalIP", "address": six})
    if chance(draw, 20):
        addresses.append({"type": "ExternalIP", "address": EXTERNAL_ADDRESSES[name]})
    metadata = {"name": name, "labels": labels(draw)}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"addresses": addresses}}


# Admin and baseline tiers --------------------------------------------------------------------------------------------

TIERS = ("ANP", "ANP", "CNP", "BANP", "CNP baseline")


def admin_policies(draw: Draw, shape: Shape) -> list[Json]:
    """Up to a few objects of the tiers around NetworkPolicy; at most one of the kind that a cluster has once."""
    if not shape.max_admin or chance(draw, 40):
        return []
    kinds = [pick(draw, TIERS) for _ in some(draw, shape.max_admin, 1)]
    once = [k for i, k in enumerate(kinds) if k != "BANP" or "BANP" not in kinds[:i]]
    return [admin_policy(draw, shape, kind, f"adm{index}") for index, kind in enumerate(once)]


def admin_policy(draw: Draw, shape: Shape, tier: str, name: str) -> Json:
    """One object: kind, priority, subject, rules."""
    second = tier.startswith("CNP")
    spec: Json = {"subject": admin_subject(draw)}
    if tier != "BANP":
        spec["priority"] = pick(draw, (5, 5, 0, 7, 1000))
    if second:
        spec["tier"] = "Baseline" if tier == "CNP baseline" else "Admin"
    for direction in ("ingress", "egress"):
        if chance(draw, 75):
            spec[direction] = [admin_rule(draw, shape, direction, tier) for _ in some(draw, 3, 1)]
        elif chance(draw, 20):
            spec[direction] = pick(draw, (None, []))
    if shape.gaps and chance(draw, 3):
        spec["selfTraffic"] = "x"
    kind = {"ANP": "AdminNetworkPolicy", "BANP": "BaselineAdminNetworkPolicy"}.get(tier, "ClusterNetworkPolicy")
    metadata = {"name": "default" if tier == "BANP" else name}
    version = f"policy.networking.k8s.io/v1alpha{1 + second}"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def admin_subject(draw: Draw) -> Json:
    """Whom the object concerns: often everyone, so that rules get to speak."""
    form = pick(draw, ("all", "namespaces", "pods"))
    if form == "all":
        return {"namespaces": {}}
    if form == "namespaces":
        return {"namespaces": selector(draw, namespaces=True)}
    return {"pods": {"namespaceSelector": selector(draw, namespaces=True), "podSelector": selector(draw)}}


def admin_rule(draw: Draw, shape: Shape, direction: str, tier: str) -> Json:
    """One rule with its action, peers and ports."""
    second = tier.startswith("CNP")
    allow = "Accept" if second else "Allow"
    action = pick(draw, (allow, "Deny") if tier == "BANP" else (allow, "Deny", "Pass"))
    found: Json = {"action": action}
    if chance(draw, 30):
        found["name"] = "r"
    peers = [admin_peer(draw, shape, direction, old=not second) for _ in some(draw, 2, 1)]
    found["from" if direction == "ingress" else "to"] = peers
    if chance(draw, 50):
        # The API server refuses named ports beside peers that have none.
        names = shape.named_ports and not any({"networks", "nodes", "domainNames"} & set(peer) for peer in peers)
        made = protocol_entry if second else port_entry
        found["protocols" if second else "ports"] = [made(draw, shape, names=names) for _ in some(draw, 2, 1)]
    if shape.gaps and chance(draw, 3):
        found["logging"] = True
    return found


def admin_peer(draw: Draw, shape: Shape, direction: str, *, old: bool) -> Json:
    """One element of `from` or `to`, of either generation where the version has two."""
    forms = ["namespaces", "pods", "namespaces", "pods"]
    if direction == "egress":
        forms += ["networks", "networks", "networks", "nodes"]
    if shape.gaps:
        forms += ["gap"]
    form = pick(draw, forms)
    old = old and chance(draw, 35)
    if form == "namespaces":
        return {"namespaces": old_namespaces(draw) if old else selector(draw, namespaces=True)}
    if form == "pods":
        inside = {"namespaces": old_namespaces(draw)} if old else {"namespaceSelector": selector(draw, namespaces=True)}
        return {"pods": inside | {"podSelector": selector(draw)}}
    if form == "networks":
        return {"networks": sorted({pick(draw, NETWORKS) for _ in some(draw, 2, 1)})}
    if form == "nodes":
        return {"nodes": selector(draw)}
    return gap_peer(draw, direction)


NETWORKS = tuple(dict.fromkeys(cidr for cidr, inside in BLOCKS for cidr in (cidr, *inside)))


def gap_peer(draw: Draw, direction: str) -> Json:
    """A peer that the version of the API does not have, or whose match no input can tell."""
    form = pick(draw, ("empty", "unknown", "domain"))
    if form == "unknown":
        return {"services": {}} | pick(draw, ({}, {"namespaces": {}}))
    return {"domainNames": ["*.example.com"]} if form == "domain" and direction == "egress" else {}


def old_namespaces(draw: Draw) -> Json:
    """The `namespaces` field of the first generation."""
    form = pick(draw, ("namespaceSelector", "sameLabels", "notSameLabels"))
    if form == "namespaceSelector":
        return {form: selector(draw, namespaces=True)}
    return {form: sorted({pick(draw, (*KEYS, NAME_LABEL)) for _ in some(draw, 2)})}


def port_entry(draw: Draw, shape: Shape, *, names: bool) -> Json:
    """One element of `ports`."""
    form = pick(draw, ("number", "range", "name"))
    if form == "name" and names:
        return {"namedPort": pick(draw, PORT_NAMES)}
    protocol = pick(draw, (None, *PROTOCOLS))
    given: Json = {"protocol": protocol} if protocol else {}
    if shape.gaps and chance(draw, 3):
        return pick(draw, ({}, {"appPort": 1}, {"portNumber": {"port": 80, "sourcePort": 1}}))
    if form == "range":
        start, end = sorted((pick(draw, PORTS), pick(draw, PORTS)))
        return {"portRange": given | {"start": start, "end": end}}
    return {"portNumber": given | {"port": pick(draw, PORTS)}}


def protocol_entry(draw: Draw, shape: Shape, *, names: bool) -> Json:
    """One element of `protocols`."""
    form = pick(draw, ("number", "range", "name"))
    if form == "name" and names:
        return {"destinationNamedPort": pick(draw, PORT_NAMES)}
    if shape.gaps and chance(draw, 3):
        return pick(draw, ({}, {"icmp": {}}, {"tcp": {"sourcePort": 1}}))
    low, high = sorted((pick(draw, PORTS), pick(draw, PORTS)))
    port = {"range": {"start": low, "end": high}} if form == "range" and low < high else {"number": low}
    return {pick(draw, ("tcp", "udp", "sctp")): {"destinationPort": port}}


# Whole clusters ------------------------------------------------------------------------------------------------------


@st.composite
def clusters(draw: Draw, shape: Shape = ANYTHING) -> list[Json]:
    """The objects of one cluster, in no particular order."""
    names = pick(draw, (NAMESPACES[:1], NAMESPACES[:2], NAMESPACES[:3], NAMESPACES[2:5]))
    objects = [namespace(draw, name) for name in names if not (shape.gaps and chance(draw, 15))]
    if shape.host_network:
        objects += [node(draw, name) for name in NODES if chance(draw, 60)]
    for index in some(draw, shape.max_pods, 2):
        ns = pick(draw, names)
        if shape.templates and chance(draw, 20):
            objects += workload(draw, shape, f"w{index}", ns)
        else:
            objects.append(pod(draw, shape, f"p{index}", ns, NODES))
    for index in some(draw, shape.max_policies, 1 if chance(draw, 90) else 0):
        objects.append(policy(draw, shape, f"np{index}", pick(draw, names)))
    objects += admin_policies(draw, shape)
    if shape.gaps and chance(draw, 6):
        objects.append(other_policy(draw, pick(draw, names)))
    return objects
