"""Random policies as parsed manifests, dense in the corners of their API texts."""

from __future__ import annotations

from tests.oracle.draws import (
    BLOCKS,
    KEYS,
    NAME_LABEL,
    PORT_NAMES,
    PORTS,
    PROTOCOLS,
    Draw,
    Json,
    Shape,
    chance,
    pick,
    selector,
    some,
)


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
