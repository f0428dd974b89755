"""Networks that join what zones keep apart: shared netids, networks over several zones, connected networks, open ports.

Input: a Scene. Output: one Join per object or number. Decisions: only the wiring counts here, not what policies
make of it; netids part projects in the mode multitenant alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from audit.controls.scene import Ground, Scene
from audit.controls.side_networks import sides
from audit.exposure.netnamespaces import both_groups
from audit.model import ObjectRef
from audit.networks import DEFAULT, UNDECIDED, connects, network_name, networks_over

How = Literal["netid", "global", "network", "offered", "connect", "ports", "unread-ports"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One thing that joins networks of zones."""

    how: How
    refs: tuple[ObjectRef, ...]
    """The objects that do it, sorted."""
    zones: tuple[str, ...]
    """Zones that meet, sorted; what is unzoned and the platform count."""
    detail: str


def ground(scene: Scene) -> Ground:
    """What the judgement of joined networks rests on."""
    profile = scene.inventory.profile
    if profile.plugin in ("calico", "cilium"):
        return Ground(idle=f"{profile} has one network for all namespaces")
    if profile.plugin == "unknown" or (profile.plugin == "openshift-sdn" and not profile.mode):
        return Ground(doubt=f"whether networks part namespaces is not known: network profile {profile}")
    if profile.plugin == "openshift-sdn" and profile.mode != "multitenant":
        return Ground(idle=f"{profile} has one network for all namespaces")
    if profile.plugin == "openshift-sdn" and not scene.inventory.snapshot.of("NetNamespace"):
        return Ground(kinds=("NetNamespace.network.openshift.io",))
    return Ground()


def joins(scene: Scene) -> tuple[Join, ...]:
    """Every join that a zone of kind `cluster` takes part in, by kind and object."""
    if scene.inventory.profile.plugin == "openshift-sdn":
        return tuple(_by_number(scene))
    return (*_over(scene), *_connected(scene), *_open(scene))


def unread(scene: Scene) -> tuple[str, ...]:
    """Namespaces of zones on a network that cannot be told, sorted."""
    home = scene.inventory.networks.home
    return tuple(sorted(name for name, one in home.items() if one == UNDECIDED and scene.kind_of(name) == "cluster"))


def _own(scene: Scene, zones: set[str]) -> bool:
    return any(zone.name in zones for zone in scene.zones)


def _by_number(scene: Scene) -> Iterator[Join]:
    """NetNamespaces of one number; 0 reaches every other one."""
    groups: dict[int, list[ObjectRef]] = {}
    names: dict[ObjectRef, str] = {}
    for entry in both_groups(scene.inventory.snapshot, "NetNamespace"):
        name = entry.body.netname or entry.name
        if entry.body.netid is not None and name in scene.inventory.namespaces:
            ref = ObjectRef(entry.kind, "", entry.name, entry.origin)
            names[ref] = name
            groups.setdefault(entry.body.netid, []).append(ref)
    for number, refs in sorted(groups.items()):
        zoned = {ref: scene.zone_of(names[ref]) for ref in refs}
        if number == 0:
            tenant = [ref for ref in refs if scene.kind_of(names[ref]) == "cluster"]
            for ref in sorted(tenant):
                yield Join(how="global", refs=(ref,), zones=(zoned[ref],), detail="netid 0")
        elif len(set(zoned.values())) > 1 and _own(scene, set(zoned.values())):
            detail = f"netid {number}"
            yield Join(how="netid", refs=tuple(sorted(refs)), zones=tuple(sorted(set(zoned.values()))), detail=detail)


def _over(scene: Scene) -> Iterator[Join]:
    """Cluster-wide networks of several zones, but secondary ones where their pods meet: those are Sides."""
    met = {ref for side in scene.once(sides) if side.fault == "zones" for ref in side.refs}
    for entry, role, members in networks_over(scene.inventory.snapshot, scene.inventory.namespaces):
        zones = {scene.zone_of(name) for name in members}
        ref = ObjectRef(entry.kind, "", entry.name, entry.origin)
        if len(zones) > 1 and _own(scene, zones) and ref not in met:
            how: How = "offered" if role == "Secondary" else "network"
            yield Join(how=how, refs=(ref,), zones=tuple(sorted(zones)), detail=f"{len(members)} namespaces")


def _connected(scene: Scene) -> Iterator[Join]:
    """ClusterNetworkConnects between networks of different zones."""
    networks = scene.inventory.networks
    members: dict[str, set[str]] = {}
    for name in scene.inventory.namespaces:
        members.setdefault(networks.home.get(name, DEFAULT), set()).add(scene.zone_of(name))
    for entry, chosen in connects(scene.inventory.snapshot, scene.inventory.namespaces):
        zones = {zone for network in chosen for zone in members.get(network, ())}
        if len(chosen) > 1 and len(zones) > 1 and _own(scene, zones):
            ref = ObjectRef(entry.kind, "", entry.name, entry.origin)
            detail = " and ".join(sorted(network_name(one) for one in chosen))
            yield Join(how="connect", refs=(ref,), zones=tuple(sorted(zones)), detail=detail)


def _open(scene: Scene) -> Iterator[Join]:
    """Workloads of zones on a network of their own that open ports to the default network."""
    found: dict[ObjectRef, set[str]] = {}
    for pod in scene.inventory.endpoints:
        if pod.open_ports != () and scene.kind_of(pod.namespace) == "cluster":
            texts = {"?"} if pod.open_ports is None else {f"{one.lower()}/{port}" for one, port in pod.open_ports}
            found.setdefault(scene.inventory.workloads[pod.workload].ref, set()).update(texts)
    for ref, texts in sorted(found.items()):
        how: How = "unread-ports" if "?" in texts else "ports"
        detail = ", ".join(sorted(texts - {"?"}))
        yield Join(how=how, refs=(ref,), zones=(scene.zone_of(ref.namespace),), detail=detail)
