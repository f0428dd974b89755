"""The network plug-in: which one a cluster has, and where it reads policies in another way than the API text.

Source: docs/reachability.md section 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.oracle.objects import group_of, name_of, namespace_of, of_kind, spec_of
from tests.oracle.terms import MAYBE, NO, YES, Json, network

NAMES = ("spec", "ovn-kubernetes", "openshift-sdn", "calico", "cilium", "unknown")
NETWORK_TYPES = {
    "ovnkubernetes": "ovn-kubernetes",
    "openshiftsdn": "openshift-sdn",
    "calico": "calico",
    "cilium": "cilium",
}
AGENTS = {
    ("openshift-ovn-kubernetes", "ovnkube-node"): "ovn-kubernetes",
    ("kube-system", "calico-node"): "calico",
    ("calico-system", "calico-node"): "calico",
    ("kube-system", "cilium"): "cilium",
    ("openshift-sdn", "sdn"): "openshift-sdn",
}
SDN = "network.openshift.io"
MODES = ("subnet", "multitenant", "networkpolicy")
OVN_PRIORITIES = 99
"""The greatest priority of an AdminNetworkPolicy that OVN-Kubernetes carries out."""
ADMIN_KINDS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
IP_BLOCKS, EGRESS = (4, 5), (4, 10)
"""The versions in which openshift-sdn learned these."""


@dataclass(frozen=True)
class Plugin:
    """A plug-in with what decides how it reads policies."""

    name: str = "spec"
    mode: str = ""
    """Of openshift-sdn; empty when not known."""
    version: tuple[int, int] | None = None
    """Of OpenShift."""

    @property
    def sdn(self) -> bool:
        """Whether NetworkPolicy is read by openshift-sdn, if by anything."""
        return self.name == "openshift-sdn" and self.mode in ("networkpolicy", "")

    @property
    def ovn(self) -> bool:
        """Whether this is OVN-Kubernetes."""
        return self.name == "ovn-kubernetes"

    @property
    def user_networks(self) -> bool:
        """Whether user-defined networks work, or may."""
        return self.name in ("spec", "ovn-kubernetes", "unknown")

    @property
    def multitenant(self) -> int:
        """Whether projects are kept apart by network id."""
        if self.name != "openshift-sdn" or self.mode not in ("multitenant", ""):
            return NO
        return YES if self.mode else MAYBE

    def enforced(self, direction: str) -> int:
        """Whether what policies do not let through in a direction is kept out."""
        if self.name == "unknown" or (self.name == "openshift-sdn" and not self.mode):
            return MAYBE
        if self.sdn and direction == "egress" and (self.version is None or self.version < EGRESS):
            return MAYBE
        return YES

    @property
    def network_policies(self) -> bool:
        """Whether NetworkPolicy objects are read at all."""
        return not (self.name == "openshift-sdn" and self.mode in ("subnet", "multitenant"))

    def may_ignore(self, kind: str, priority: int | None) -> bool:
        """Whether a policy of the tiers around NetworkPolicy may be without effect."""
        if self.ovn:
            return kind not in ADMIN_KINDS or (priority or 0) > OVN_PRIORITIES
        return self.name != "spec"

    # NetworkPolicy ---------------------------------------------------------------------------------------------------

    def block(self, block: Json) -> int:
        """How certainly a block is read for addresses that are outside and no node's."""
        if not self.sdn:
            return YES
        if self.version is None or self.version < IP_BLOCKS:
            return MAYBE
        if self.version < EGRESS:
            return MAYBE if block.get("except") else YES
        return MAYBE if network(block["cidr"]).version > 4 else YES

    def whole_policy(self, spec: Json, directions: set[str]) -> int:
        """How certainly what a policy with these directions lets through is let through."""
        old = self.sdn and (self.version is None or self.version < IP_BLOCKS)
        return MAYBE if old and any(names_a_port(spec, directions)) else YES

    def named_port(self, *, names_it: bool) -> int:
        """Whether an entry with a port's name covers a port of its protocol, which the target has under it or not."""
        if self.ovn:
            return YES if names_it else MAYBE
        if self.sdn and (self.version is None or self.version >= IP_BLOCKS):
            return MAYBE if names_it else NO
        return YES if names_it else NO


def names_a_port(spec: Json, directions: set[str]) -> Iterator[bool]:
    """For every entry of a port in some directions of a NetworkPolicy spec, whether it is a name."""
    for direction in directions:
        for rule in spec.get(direction) or []:
            for entry in (rule or {}).get("ports") or []:
                yield isinstance((entry or {}).get("port"), str)


# Detection -----------------------------------------------------------------------------------------------------------


def detected(objects: list[Json], name: str | None = None) -> Plugin:
    """The plug-in of a cluster; `name` overrides what its objects say."""
    found = name or detected_name(objects)
    if found != "openshift-sdn":
        return Plugin(found)
    return Plugin(found, mode(objects), version(objects))


def detected_name(objects: list[Json]) -> str:
    """What the objects say; `unknown` when they disagree."""
    said = set(evidence(objects))
    if not said:
        left = of_kind(objects, "NetNamespace", SDN, "") + of_kind(objects, "HostSubnet", SDN, "")
        return "openshift-sdn" if left else "spec"
    return said.pop() if len(said) == 1 else "unknown"


def evidence(objects: list[Json]) -> Iterator[str]:
    """What every source says."""
    for o in of_kind(objects, "Network", "config.openshift.io"):
        kind = (o.get("status") or {}).get("networkType")
        if name_of(o) == "cluster" and kind:
            yield NETWORK_TYPES.get(kind.lower(), "unknown")
    if openshift_sdn(objects):
        yield "openshift-sdn"
    for o in objects:
        if o["kind"] == "DaemonSet" and (namespace_of(o), name_of(o)) in AGENTS:
            yield AGENTS[namespace_of(o), name_of(o)]


def openshift_sdn(objects: Iterable[Json]) -> str:
    """The plug-in's name in the ClusterNetwork, or nothing."""
    for o in objects:
        if o["kind"] == "ClusterNetwork" and name_of(o) == "default" and group_of(o) in ("network.openshift.io", ""):
            name = str(o.get("pluginName") or "")
            return name if name.startswith("redhat/openshift-ovs-") else ""
    return ""


def mode(objects: list[Json]) -> str:
    """The mode of openshift-sdn; empty when nothing says."""
    last = openshift_sdn(objects).rpartition("-")[2]
    if last in MODES:
        return last
    for o in of_kind(objects, "Network", "operator.openshift.io"):
        network_spec = spec_of(o).get("defaultNetwork") or {}
        if name_of(o) == "cluster" and network_spec.get("type") == "OpenShiftSDN":
            return str((network_spec.get("openshiftSDNConfig") or {}).get("mode") or "NetworkPolicy").lower()
    return ""


def version(objects: list[Json]) -> tuple[int, int] | None:
    """Major and minor version of OpenShift."""
    for o in of_kind(objects, "ClusterVersion", "config.openshift.io"):
        status = o.get("status") or {}
        done = [entry["version"] for entry in status.get("history") or [] if entry["state"] == "Completed"]
        text = done[0] if done else (status.get("desired") or {}).get("version")
        if text:
            major, minor, *_ = text.split(".")
            return int(major), int(minor)
    return None
