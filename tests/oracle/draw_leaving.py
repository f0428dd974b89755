"""Random egress firewalls, and egress addresses of openshift-sdn."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.draw_plugins import projects
from tests.oracle.draws import BLOCKS, PORTS, PROTOCOLS, Draw, Json, Shape, chance, pick, selector, some

CIDRS = tuple(dict.fromkeys(cidr for cidr, inside in BLOCKS for cidr in (cidr, *inside)))
OLD_CIDRS = ("0.0.0.0/0", "0.0.0.0/32", *(cidr for cidr in CIDRS if ":" not in cidr and not cidr.startswith("0.")))
EGRESS_ADDRESSES = ("192.168.0.100", "192.168.0.101")
APPLIED = "EgressFirewall Rules applied"


def leaving(draw: Draw, shape: Shape, objects: list[Json], names: Sequence[str]) -> list[Json]:
    """What keeps the pods of these namespaces inside."""
    if not shape.leaving:
        return []
    found: list[Json] = []
    sdn = any("sdn" in str(o).lower() or "openshift-ovs" in str(o) for o in objects if o["kind"] in KINDS)
    for name in names:
        if chance(draw, 15 if sdn else 70):
            found.append(egress_firewall(draw, shape, name))
        if chance(draw, 60 if sdn else 15):
            found += [old_firewall(draw, shape, f"enp{i}", name) for i in some(draw, 2 if chance(draw, 15) else 1, 1)]
    if chance(draw, 80 if sdn else 20):
        found += egress_addresses(draw, [o for o in objects if o["kind"] == "NetNamespace"], names)
    return found


KINDS = ("Network", "ClusterNetwork")


def egress_firewall(draw: Draw, shape: Shape, namespace: str) -> Json:
    """An EgressFirewall, applied or not."""
    metadata = {"name": "default", "namespace": namespace}
    rules = [firewall_rule(draw, shape) for _ in some(draw, 4, 1)]
    made = {"apiVersion": "k8s.ovn.org/v1", "kind": "EgressFirewall", "metadata": metadata, "spec": {"egress": rules}}
    if chance(draw, 40):
        said = pick(draw, (APPLIED, APPLIED, "EgressFirewall Rules not correctly applied", "", None))
        made["status"] = {"messages": [f"n1: {said}"]} | ({} if said is None else {"status": said})
    return made


def firewall_rule(draw: Draw, shape: Shape) -> Json:
    """One rule of an EgressFirewall."""
    form = pick(draw, ("cidr", "cidr", "cidr", "nodes", "name"))
    if form == "cidr":
        to: Json = {"cidrSelector": pick(draw, CIDRS)}
    else:
        to = {"nodeSelector": selector(draw)} if form == "nodes" else {"dnsName": pick(draw, ("*.example.com", "a.b"))}
    rule: Json = {"type": pick(draw, ("Allow", "Deny")), "to": to}
    if chance(draw, 35):
        rule["ports"] = [{"protocol": pick(draw, PROTOCOLS), "port": pick(draw, PORTS)} for _ in some(draw, 2, 1)]
    if shape.gaps and chance(draw, 4):
        return pick(draw, (rule | {"log": True}, rule | {"to": {"serviceSelector": {}}}))
    return rule


def old_firewall(draw: Draw, shape: Shape, name: str, namespace: str) -> Json:
    """An EgressNetworkPolicy."""
    rules: list[Json] = []
    for _ in some(draw, 4, 1):
        to = {"cidrSelector": pick(draw, OLD_CIDRS)} if chance(draw, 85) else {"dnsName": "a.b"}
        rules.append({"type": pick(draw, ("Allow", "Deny")), "to": to})
    if shape.gaps and chance(draw, 4):
        rules[0]["log"] = True
    metadata = {"name": name, "namespace": namespace}
    api = "network.openshift.io/v1"
    return {"apiVersion": api, "kind": "EgressNetworkPolicy", "metadata": metadata, "spec": {"egress": rules}}


def egress_addresses(draw: Draw, known: list[Json], names: Sequence[str]) -> list[Json]:
    """NetNamespaces that want egress addresses, where none is known, and HostSubnets that serve them."""
    found = [] if known else projects(draw, names)
    for o in [*known, *found]:
        if chance(draw, 50):
            o["egressIPs"] = sorted({pick(draw, EGRESS_ADDRESSES) for _ in some(draw, 2)})
    for index in (1, 2):
        host: Json = {"apiVersion": "network.openshift.io/v1", "kind": "HostSubnet", "metadata": {"name": f"n{index}"}}
        host |= {"host": f"n{index}", "hostIP": f"192.168.0.{index}", "subnet": f"10.0.{index}.0/24"}
        if chance(draw, 40):
            host["egressIPs"] = sorted({pick(draw, EGRESS_ADDRESSES) for _ in some(draw, 2)})
        if chance(draw, 25):
            host["egressCIDRs"] = [pick(draw, ("192.168.0.0/24", "192.168.0.100/32"))]
        found.append(host)
    return found
