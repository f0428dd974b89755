"""Which pods have a network in common: primary user-defined networks, projects of the multitenant mode.

Source: docs/reachability.md section 3; k8s.ovn.org/v1 field comments.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping

import yaml

from tests.oracle.objects import labels_of, name_of, namespace_of, of_kind, pod_addresses, spec_of
from tests.oracle.plugins import Plugin
from tests.oracle.probes import OPEN_PORTS
from tests.oracle.services import selects, target_ports
from tests.oracle.terms import MAYBE, NO, YES, Json, Pod, namespace_matches, selector_matches

OVN = "k8s.ovn.org"
PRIMARY_LABEL = "k8s.ovn.org/primary-user-defined-network"
POD_NETWORKS = "k8s.ovn.org/pod-networks"
HOST_NAMESPACE = "openshift-host-network"
DNS = (("openshift-dns", "dns-default"), ("kube-system", "kube-dns"))
Net = tuple[str, ...]
DEFAULT: Net = ("default network",)
UNDECIDED: Net = ()


class Networks:
    """The primary network of every namespace, and what joins them."""

    def __init__(self, objects: list[Json], namespaces: Mapping[str, Json], plugin: Plugin) -> None:
        self.namespaces = namespaces
        self.plugin = plugin
        self.own = of_kind(objects, "UserDefinedNetwork", OVN)
        self.shared = of_kind(objects, "ClusterUserDefinedNetwork", OVN)
        self.connects = of_kind(objects, "ClusterNetworkConnect", OVN)
        self.ids = {o["netname"]: o["netid"] for o in of_kind(objects, "NetNamespace", "network.openshift.io", "")}
        self.dns = [o for o in of_kind(objects, "Service", "") if (namespace_of(o), name_of(o)) in DNS]
        self.advertised = plugin.user_networks and bool(of_kind(objects, "RouteAdvertisements", OVN))
        self.on = functools.cache(self._uncached_on)

    # Primary networks ------------------------------------------------------------------------------------------------

    def _uncached_on(self, namespace: str) -> Net:
        """The network of the namespace's pods."""
        networks = [role_of(o["spec"]) for o in self.own] + [role_of(o["spec"]["network"]) for o in self.shared]
        if not self.plugin.user_networks or all(role == "Secondary" for role in networks):
            if namespace in self.namespaces and self.plugin.user_networks and self._labelled(namespace):
                return UNDECIDED
            return DEFAULT
        if namespace not in self.namespaces:
            return UNDECIDED
        if not self._labelled(namespace):
            return DEFAULT
        found = list(self._candidates(namespace))
        return found[0] if len(found) == 1 else UNDECIDED

    def _labelled(self, namespace: str) -> bool:
        return PRIMARY_LABEL in labels_of(self.namespaces[namespace])

    def _candidates(self, namespace: str) -> Iterator[Net]:
        """The networks that may be the namespace's; one that cannot be read is undecided."""
        for o in self.own:
            role = role_of(o["spec"])
            if namespace_of(o) == namespace and role != "Secondary":
                yield ("udn", namespace, name_of(o)) if role and known(o["spec"]) else UNDECIDED
        for o in self.shared:
            role = role_of(o["spec"]["network"])
            selected = namespace_matches(self.namespaces, o["spec"]["namespaceSelector"], namespace)
            if selected > NO and role != "Secondary":
                sure = role and selected == YES and known(o["spec"]["network"])
                yield ("cudn", name_of(o)) if sure else UNDECIDED

    def addresses(self, namespace: str, annotations: Mapping[str, str], status: Json) -> list[str]:
        """What peers see of a pod: on a user-defined network not what its status says."""
        if self.on(namespace) == DEFAULT:
            return pod_addresses(status)
        for entry in json.loads(annotations.get(POD_NETWORKS) or "{}").values():
            if entry.get("role") == "primary":
                return [text.partition("/")[0] for text in entry.get("ip_addresses") or [entry["ip_address"]]]
        return []

    def global_projects(self) -> list[str]:
        """The namespaces that openshift-sdn does not tell from nodes."""
        zero = [name for name, number in self.ids.items() if number == 0]
        return sorted({"default", HOST_NAMESPACE, *zero})

    # Two pods --------------------------------------------------------------------------------------------------------

    def relation(self, source: Pod, target: Pod, protocol: str, port: int, *, router: bool = False) -> tuple[int, int]:
        """Whether the pods have a network where both sides' policies decide, and one where only the source's do."""
        if source.host_network or target.host_network:
            return self._with_node(target), NO
        if source.namespace == target.namespace:
            return YES, NO
        if self.plugin.multitenant:
            joined = self._same_project(source.namespace, target.namespace)
            return joined if self.plugin.multitenant == YES else max(joined, MAYBE), NO
        there, here = self.on(source.namespace), self.on(target.namespace)
        opened = there in (DEFAULT, UNDECIDED) and here != DEFAULT and opens(target, protocol, port)
        return self._both(there, here, target, protocol, port, router=router), MAYBE if opened else NO

    def _both(self, there: Net, here: Net, target: Pod, protocol: str, port: int, *, router: bool) -> int:  # noqa: PLR0913 - a connection between two networks
        if UNDECIDED in (there, here):
            return MAYBE
        if there == here:
            return YES
        if (router and there == DEFAULT) or self.plugin.name == "unknown" or self._joined(there, here):
            return MAYBE
        asks = there != DEFAULT and any(
            selects(s, target) and (p, n) == (protocol, port) for s in self.dns for _, p, n in target_ports(s, target)
        )
        return MAYBE if asks else NO

    def _with_node(self, target: Pod) -> int:
        """A node talks to all, but to pods of a user-defined network not for certain."""
        if target.host_network or self.on(target.namespace) == DEFAULT:
            return YES
        return MAYBE

    def _same_project(self, there: str, here: str) -> int:
        numbers = [self.ids.get(there), self.ids.get(here)]
        if 0 in numbers:
            return YES
        if None in numbers:
            return MAYBE
        return YES if numbers[0] == numbers[1] else NO

    def _joined(self, there: Net, here: Net) -> bool:
        """Whether a ClusterNetworkConnect may join the networks."""
        return any(self._selected(o, there) and self._selected(o, here) for o in self.connects)

    def _selected(self, connect: Json, net: Net) -> bool:
        return any(self._selector(entry, net) for entry in spec_of(connect)["networkSelectors"])

    def _selector(self, entry: Json, net: Net) -> bool:
        """Whether one of the network selectors may select the network."""
        kind = entry["networkSelectionType"]
        if kind == "DefaultNetwork":
            return net == DEFAULT
        if kind == "ClusterUserDefinedNetworks":
            selector = entry["clusterUserDefinedNetworkSelector"]["networkSelector"]
            chosen = [name_of(o) for o in self.shared if selector_matches(selector, labels_of(o)) > NO]
            return net[0] == "cudn" and net[1] in chosen
        if kind == "PrimaryUserDefinedNetworks":
            selector = entry["primaryUserDefinedNetworkSelector"]["namespaceSelector"]
            return net[0] == "udn" and namespace_matches(self.namespaces, selector, net[1]) > NO
        return True


def role_of(spec: Json) -> str:
    """Primary or Secondary, whatever topology it is of; empty where the spec does not say."""
    for inside in spec.values():
        if isinstance(inside, dict) and inside.get("role") in ("Primary", "Secondary"):
            return str(inside["role"])
    return ""


def known(spec: Json) -> bool:
    """Whether the topology of a network is one that this knows."""
    return spec.get("topology") in ("Layer2", "Layer3", "Localnet")


def opens(target: Pod, protocol: str, port: int) -> bool:
    """Whether the pod takes connections from the default network on the port."""
    entries = yaml.safe_load(target.annotations.get(OPEN_PORTS) or "[]")
    return any((str(e["protocol"]).upper(), e.get("port")) == (protocol, port) for e in entries)
