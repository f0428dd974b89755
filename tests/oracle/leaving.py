"""What lets connections leave the cluster: egress firewalls, and egress addresses that nobody serves.

Source: docs/reachability.md section 4; field comments of k8s.ovn.org/v1 and network.openshift.io/v1.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from tests.oracle.admin import ALLOW, DENY, node_matches
from tests.oracle.objects import namespace_of, node_addresses, of_kind, spec_of
from tests.oracle.plugins import Plugin
from tests.oracle.terms import MAYBE, NO, YES, Flow, Json, Network, Pod, network

APPLIED = "EgressFirewall Rules applied"
SDN = "network.openshift.io"
DNS = 53
ONE_ADDRESS = (3, 10)
"""The last version of OpenShift in which only the first egress address of a project counts."""
DESTINATIONS = {
    "EgressFirewall": {"cidrSelector", "dnsName", "nodeSelector"},
    "EgressNetworkPolicy": {"cidrSelector", "dnsName"},
}


class Leaving:
    """The objects that keep the pods of a namespace inside."""

    def __init__(self, objects: list[Json], nodes: Mapping[str, Json], plugin: Plugin) -> None:
        self.nodes = nodes
        self.firewalls = of_kind(objects, "EgressFirewall", "k8s.ovn.org")
        self.policies = of_kind(objects, "EgressNetworkPolicy", SDN, "")
        self.projects = of_kind(objects, "NetNamespace", SDN, "")
        self.subnets = of_kind(objects, "HostSubnet", SDN, "")
        self.spec = plugin.name == "spec"
        self.works = works(plugin, "ovn-kubernetes")
        self.old = works(plugin, "openshift-sdn")
        self.served = NO if self.spec else self.old
        self.most = 1 if plugin.version is not None and plugin.version <= ONE_ADDRESS else None

    def lets_out(self, flow: Flow) -> int:
        """Whether a connection may leave; one to a pod of the pod network does not leave."""
        if isinstance(flow.target, Pod) and not flow.target.host_network:
            return YES
        if not isinstance(flow.source, Pod) or flow.source.host_network:
            return YES
        namespace = flow.source.namespace
        firewalls = [o for o in self.firewalls if namespace_of(o) == namespace]
        old = min(
            self._may(self.old, self._old_firewalls(namespace, flow)), self._may(self.served, self._unserved(namespace))
        )
        return min(
            self._may(self.works, {a for o in firewalls for a in self._firewall(o, flow)}),
            max(old, MAYBE) if self._asks_its_node(flow) else old,
        )

    def _may(self, works: int, answers: set[str]) -> int:
        """What the answers of a kind mean, as far as it works; none is no object."""
        if DENY not in answers or works == NO:
            return YES
        return NO if works == YES and answers == {DENY} else MAYBE

    def _asks_its_node(self, flow: Flow) -> bool:
        """Whether the target may be the name server of the pod's own node, which openshift-sdn never denies."""
        if flow.port != DNS or flow.protocol == "SCTP":
            return False
        return isinstance(flow.target, Pod) or any(
            flow.target_address in node_addresses(n) for n in self.nodes.values()
        )

    # Firewalls -------------------------------------------------------------------------------------------------------

    def _firewall(self, o: Json, flow: Flow) -> set[str]:
        """Every answer of an EgressFirewall."""
        status = o.get("status")
        # One rule that is not understood makes the plug-in reject the object.
        refused = not all(readable(o["kind"], r) for r in spec_of(o)["egress"])
        doubt = refused or (status is not None and status.get("status") != APPLIED)
        return self._first_match(o, flow) | ({ALLOW} if doubt else set())

    def _old_firewalls(self, namespace: str, flow: Flow) -> set[str]:
        """Every answer of the EgressNetworkPolicy objects of a namespace."""
        found = [o for o in self.policies if namespace_of(o) == namespace]
        netids = self._netids(namespace)
        together = {o["netname"] for o in self.projects if o["netid"] in netids}
        if 0 in netids:
            return {ALLOW}
        if len(together) > 1 and any(namespace_of(o) in together for o in self.policies):
            return {DENY}
        if not found:
            return {ALLOW}
        if len(found) > 1:
            answers = {DENY}
        else:
            doubt = not all(readable(found[0]["kind"], r) for r in spec_of(found[0])["egress"])
            answers = self._first_match(found[0], flow) | ({ALLOW} if doubt else set())
        # A project without a NetNamespace may be a global one.
        return answers if netids or self.spec else answers | {ALLOW}

    def _first_match(self, o: Json, flow: Flow) -> set[str]:
        """Every answer of the rules in order."""
        found = set()
        for rule in spec_of(o)["egress"]:
            if not readable(o["kind"], rule):
                found |= {ALLOW, DENY}
                continue
            truth = min(self._destination(o["kind"], rule, flow), ports_match(rule, flow))
            if truth > NO:
                found.add(rule["type"])
            if truth == YES:
                return found
        return found | {ALLOW}

    def _destination(self, kind: str, rule: Json, flow: Flow) -> int:
        """Whether the rule is about the target; one whose address is not known may be in every block."""
        to = rule["to"]
        if "nodeSelector" in to:
            return node_matches(self.nodes, to["nodeSelector"], flow.target, flow.target_address)
        if "dnsName" in to or flow.target_address is None:
            return MAYBE  # what a name resolves to is not in the input
        return YES if flow.target_address in cidr(kind, rule) else NO

    # Egress addresses ------------------------------------------------------------------------------------------------

    def _unserved(self, namespace: str) -> set[str]:
        """Every answer of the egress addresses of a namespace: without an active one nothing leaves."""
        netids = self._netids(namespace)
        together = [o for o in self.projects if o["netid"] in netids]
        if 0 in netids or len(together) > 1:
            return {ALLOW, DENY} if any(o.get("egressIPs") for o in together) else {ALLOW}
        wanted = [a for o in together for a in o.get("egressIPs") or []]
        if not wanted:
            return {ALLOW}
        truth = NO if self._contested(together) else max(map(self._active, wanted[: self.most]))
        return {NO: {DENY}, MAYBE: {ALLOW, DENY}, YES: {ALLOW}}[truth]

    def _netids(self, namespace: str) -> list[int]:
        return [o["netid"] for o in self.projects if o["netname"] == namespace]

    def _contested(self, projects: list[Json]) -> bool:
        """Whether another project wants one of the addresses."""
        wanted = {a for o in projects for a in o.get("egressIPs") or []}
        return any(wanted & set(o.get("egressIPs") or []) for o in self.projects if o not in projects)

    def _active(self, address: str) -> int:
        """Whether some node serves the address."""
        hosts = [o for o in self.subnets if address in (o.get("egressIPs") or [])]
        if not self.subnets:
            return MAYBE
        if len(hosts) > 1:
            return NO
        if hosts:
            # A node serves one address of a project.
            (owner,) = [o for o in self.projects if address in (o.get("egressIPs") or [])]
            return MAYBE if set(hosts[0]["egressIPs"]) & set(owner["egressIPs"]) - {address} else YES
        ranges = [network(text) for o in self.subnets for text in o.get("egressCIDRs") or []]
        return MAYBE if any(ipaddress.ip_address(address) in one for one in ranges) else NO


def works(plugin: Plugin, home: str) -> int:
    """Whether a kind of this plug-in works in another."""
    if plugin.name == "unknown":
        return MAYBE
    if plugin.name == home == "openshift-sdn" and plugin.mode in ("subnet", ""):
        return NO if plugin.mode else MAYBE
    return YES if plugin.name in ("spec", home) else NO


def readable(kind: str, rule: Json) -> bool:
    """Whether the rule has only fields that have a meaning here."""
    known = {"type", "to"} | ({"ports"} if kind == "EgressFirewall" else set())
    if set(rule) - known or rule["type"] not in (ALLOW, DENY):
        return False
    if len(rule["to"]) != 1 or set(rule["to"]) - DESTINATIONS[kind]:
        return False
    return not any(set(entry) - {"protocol", "port"} for entry in rule.get("ports") or [])


def cidr(kind: str, rule: Json) -> Network:
    """The block that a rule names; openshift-sdn takes one host of zeros for everything."""
    text = rule["to"]["cidrSelector"]
    return network("0.0.0.0/0" if (kind, text) == ("EgressNetworkPolicy", "0.0.0.0/32") else text)


def ports_match(rule: Json, flow: Flow) -> int:
    """Whether the rule is about the connection's destination port."""
    ports = rule.get("ports") or []
    return YES if not ports or any((p["protocol"], p["port"]) == (flow.protocol, flow.port) for p in ports) else NO
