"""Egress addresses: which objects give them to which namespaces, and what became of each address.

Input: a Scene. Output: Grants. Decisions: only objects of the plug-in that runs count, those that another one left
behind protect nobody; what a cluster reports of an EgressIP is the truth, and an address on a node that is not ready,
or that the cloud did not put there, is not served.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from audit.controls.egress_sdn import of_net_namespaces
from audit.controls.egress_values import Address, Grant, at_node, number_of
from audit.controls.scene import Ground, Scene
from audit.exposure.egressips import EgressIP, assigned, egress_ips
from audit.exposure.egressrouters import ROUTER_KEY
from audit.exposure.egressservices import ROUTES_KEY, SERVICES_KEY
from audit.exposure.leaving import READ as LEAVING
from audit.exposure.selecting import picked
from audit.firewalls import FIREWALL_KEYS
from audit.model import Zone

EGRESS_IP = "EgressIP.k8s.ovn.org"
NET_NAMESPACE = "NetNamespace.network.openshift.io"
HOST_SUBNET = "HostSubnet.network.openshift.io"
READ = (
    *sorted(LEAVING),
    *FIREWALL_KEYS,
    "NetworkAttachmentDefinition.k8s.cni.cncf.io",
    *(f"{kind}.k8s.ovn.org" for kind in ("UserDefinedNetwork", "ClusterUserDefinedNetwork", "ClusterNetworkConnect")),
)
"""Kind keys that the controls of what leaves, and of networks beside the cluster's own, read."""
GIVING = (EGRESS_IP, NET_NAMESPACE, HOST_SUBNET)
"""Kind keys of what gives egress addresses."""
DETOURS = (ROUTER_KEY, SERVICES_KEY, ROUTES_KEY)
System = Literal["ovn", "sdn", ""]


def system(scene: Scene) -> System:
    """Which objects give egress addresses on this platform; empty where none does or nobody knows."""
    profile = scene.inventory.profile
    if profile.plugin == "openshift-sdn":
        return "sdn" if profile.mode != "subnet" else ""
    return "ovn" if profile.plugin in ("ovn-kubernetes", "spec") else ""


def requiring(scene: Scene) -> tuple[Zone, ...]:
    """The zones whose outside traffic must show an egress address."""
    return tuple(zone for zone in scene.zones if "egress-ip" in zone.requires)


def required_ground(scene: Scene) -> Ground:
    """What the requirement of egress addresses rests on."""
    if not requiring(scene):
        return Ground(idle="no zone of the matrix requires egress addresses (`requires: [egress-ip]`)")
    return _platform(scene)


def _platform(scene: Scene) -> Ground:
    profile = scene.inventory.profile
    if profile.plugin in ("unknown", "calico", "cilium") or (profile.plugin == "openshift-sdn" and not profile.mode):
        return Ground(doubt=f"how pods leave the cluster is not known: network profile {profile}")
    return Ground(kinds=kinds(scene))


def kinds(scene: Scene) -> tuple[str, ...]:
    """The kinds that give egress addresses on this platform, but those that were read under another API group."""
    if system(scene) == "ovn":
        return (EGRESS_IP,)
    if system(scene) == "sdn":
        wanted = [key for key in (NET_NAMESPACE, HOST_SUBNET) if not scene.inventory.snapshot.of(key.partition(".")[0])]
        return (*wanted, "Node")
    return ()


def ground(scene: Scene) -> Ground:
    """What the judgement of egress addresses that were declared rests on."""
    if any(tenant_zones(scene, grant) for grant in scene.once(grants_of)):
        return Ground()
    if requiring(scene):
        base = _platform(scene)
        if base.doubt or scene.without(*base.kinds):
            return base
    elif scene.inventory.profile.plugin == "unknown":
        return Ground(doubt=f"which egress addresses count is not known: network profile {scene.inventory.profile}")
    return Ground(idle="no namespace of a zone has an egress address")


def served_ground(scene: Scene) -> Ground:
    """What the judgement of nodes that serve them rests on; what openshift-sdn has is part of a cluster that runs."""
    base = ground(scene)
    if base != Ground():
        return base
    if system(scene) == "sdn" and scene.without("Node"):
        return Ground(doubt="the input holds no Node: add them, or scan a snapshot of the cluster")
    return Ground(kinds=("Node",))


def tenant_zones(scene: Scene, grant: Grant) -> tuple[str, ...]:
    """The zones of kind `cluster` among those of a grant."""
    return tuple(name for name in grant.zones if (zone := scene.matrix.zone(name)) and zone.kind == "cluster")


def grants_of(scene: Scene) -> tuple[Grant, ...]:
    """All grants of the plug-in that runs, by object."""
    match system(scene):
        case "ovn":
            return tuple(_of_egress_ips(scene))
        case "sdn":
            return tuple(of_net_namespaces(scene))
        case _:
            return ()


def _of_egress_ips(scene: Scene) -> Iterator[Grant]:
    inventory = scene.inventory
    listed = egress_ips(inventory.snapshot)
    members: dict[int, list[str]] = {}
    for name, found in picked(inventory.namespaces, [one.namespaces for one in listed]).items():
        for number, sure in found:
            if sure:
                members.setdefault(number, []).append(name)
    cloud = assigned(inventory.snapshot)
    for number, one in enumerate(listed):
        names = tuple(sorted(members.get(number, ())))
        yield Grant(
            ref=one.ref,
            namespaces=names,
            zones=tuple(sorted(set(map(scene.zone_of, names)))),
            addresses=tuple(_placed(scene, one, cloud)),
        )


def _placed(scene: Scene, one: EgressIP, cloud: Mapping[int, str] | None) -> Iterator[Address]:
    """The addresses that an EgressIP asks for, or shows, with their nodes."""
    nodes = {number_of(text) or text: (text, node) for text, node in one.served or ()}
    for text in one.wanted:
        number = number_of(text)
        _, node = nodes.pop(number or text, (text, ""))
        yield _address(scene, text, number, node, cloud, told=one.served is not None)
    for text, node in nodes.values():
        yield _address(scene, text, number_of(text), node, cloud, told=True)


def _address(  # noqa: PLR0913 - an address and all that is said of it
    scene: Scene, text: str, number: int | None, node: str, cloud: Mapping[int, str] | None, *, told: bool
) -> Address:
    if not told:
        return Address(text, number, "unknown", "", "its status does not say which node serves it")
    if not node:
        return Address(text, number, "idle", "", "no node serves it")
    if cloud is not None and number is not None and cloud.get(number) != node:
        return Address(text, number, "idle", node, f"the cloud has not assigned it to node {node}")
    return at_node(scene, text, number, node)
