"""Networks beside the cluster's own: who meets on them, and pods with a card on the network of the nodes.

Input: a Scene. Output: one Side per network of pods of zones, one Card per egress router. Decisions: a network that
ends inside the cluster has the members that are seen; any other one belongs to the zone whose addresses it has, else
nobody knows who is on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from audit.attachments import PHYSICAL, Attachment
from audit.controls.attachment_wires import WIDE, Wire, wires
from audit.controls.scene import Scene
from audit.exposure.egressrouters import ROUTER_KEY, router_pods
from audit.inventory import Pod
from audit.model import ObjectRef
from audit.workloads import MACVLAN

Meeting = Literal["zones", "other", "stranger", "unread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A network that is wrong for the zones on it."""

    fault: Meeting
    """`zones`: several meet. `other`: it is the network of another one. `stranger`: nobody knows who is on it.
    `unread`: its definition was not read."""
    text: str
    refs: tuple[ObjectRef, ...]
    """What defines it, else the namespaces of its pods; sorted."""
    zones: tuple[str, ...]
    """Of the pods on it, sorted; then, for `other`, the one that it belongs to."""
    namespaces: tuple[str, ...]
    pods: int


@dataclass
class _Members:
    """Who is on one network, while it is collected."""

    wire: Wire
    refs: set[ObjectRef] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)
    pods: int = 0


def sides(scene: Scene) -> tuple[Side, ...]:
    """By fault and name."""
    found = (_judged(scene, one) for one in _collected(scene).values())
    return tuple(sorted((one for one in found if one), key=lambda one: (one.fault, one.text, one.refs)))


def _collected(scene: Scene) -> dict[tuple[str, ...], _Members]:
    defined, virtual = wires(scene), _virtual(scene)
    cards = _carded(scene)
    found: dict[tuple[str, ...], _Members] = {}
    for pod in scene.inventory.endpoints:
        for attachment in pod.attachments:
            if not attachment.name and _key(scene, pod) in cards:
                continue
            ref, wire = _wire(pod, attachment, defined, virtual)
            members = found.setdefault(wire.key, _Members(wire))
            members.pods += 1
            members.namespaces.add(pod.namespace)
            members.refs.update({ref} if ref else ())
    return found


def _virtual(scene: Scene) -> dict[str, ObjectRef]:
    """Network id -> object, of networks of the plug-in."""
    found = {}
    for key in ("UserDefinedNetwork.k8s.ovn.org", WIDE):
        for one in scene.of(key):
            name = f"{one.namespace}/{one.name}" if one.namespace else one.name
            found[name] = ObjectRef(one.kind, one.namespace, one.name, one.origin)
    return found


def _wire(
    pod: Pod, attachment: Attachment, defined: dict[str, tuple[ObjectRef, Wire]], virtual: dict[str, ObjectRef]
) -> tuple[ObjectRef | None, Wire]:
    """The network of one attachment, with what defines it."""
    if attachment.network != PHYSICAL:
        ref = virtual.get(attachment.network)
        return ref, Wire(key=("virtual", attachment.network), text=str(ref or attachment.network), inside=True)
    if not attachment.name:
        text = f"a network that pods of {pod.namespace} do not name"
        return None, Wire(key=("unnamed", pod.namespace), text=text)
    name = attachment.name.partition("/")[2]
    if known := defined.get(attachment.name) or defined.get(f"/{name}"):
        return known
    return None, Wire(key=("unread", attachment.name), text=attachment.name, read=False)


def _judged(scene: Scene, members: _Members) -> Side | None:
    wire, zones = members.wire, sorted(set(map(scene.zone_of, members.namespaces)))
    kinds = {zone.name: zone for zone in scene.zones}
    own = [name for name in zones if name in kinds]
    fault: Meeting | None = None
    if not own:
        return None
    owners = [zone.name for zone in scene.matrix.zones if wire.addresses & zone.cidrs]
    if len(zones) > 1:
        fault = "zones"
    elif wire.inside or (wire.addresses and wire.addresses <= kinds[own[0]].cidrs):
        return None
    elif not wire.read:
        fault = "unread"
    else:
        fault = "other" if owners and owners != own else "stranger"
    return Side(
        fault=fault,
        text=wire.text,
        refs=tuple(sorted(members.refs or {_namespace(scene, name) for name in members.namespaces})),
        zones=(*zones, *(owners if fault == "other" else ())),
        namespaces=tuple(sorted(members.namespaces)),
        pods=members.pods,
    )


def _namespace(scene: Scene, name: str) -> ObjectRef:
    return scene.inventory.namespaces[name].ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Something in a namespace of a zone that leaves through a network card of its own."""

    ref: ObjectRef
    zone: str
    what: str
    addresses: tuple[str, ...]
    """That it shows, sorted; none where they are not known."""
    certain: bool


def cards(scene: Scene) -> tuple[Card, ...]:
    """Pods that ask for a card on the network of the nodes, and EgressRouters, by object."""
    plugin = scene.inventory.profile.plugin
    found: dict[ObjectRef, Card] = {}
    if plugin in ("openshift-sdn", "spec", "unknown"):
        carded = _carded(scene)
        for pod in scene.inventory.endpoints:
            ref = scene.inventory.workloads[pod.workload].ref
            if pod.attachments and scene.kind_of(pod.namespace) == "cluster" and _key(scene, pod) in carded:
                address = carded[_key(scene, pod)]
                found[ref] = _card(scene, ref, f"annotation {MACVLAN}", (address,) if address else ())
    if plugin in ("ovn-kubernetes", "spec", "unknown"):
        for entry in scene.of(ROUTER_KEY):
            if scene.kind_of(entry.namespace) == "cluster":
                ref = ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)
                found[ref] = _card(scene, ref, "macvlan of an EgressRouter", ())
    return tuple(found[ref] for ref in sorted(found))


def _card(scene: Scene, ref: ObjectRef, what: str, addresses: tuple[str, ...]) -> Card:
    certain = scene.inventory.profile.plugin != "unknown"
    return Card(ref=ref, zone=scene.zone_of(ref.namespace), what=what, addresses=addresses, certain=certain)


def _carded(scene: Scene) -> dict[tuple[str, str, str], str]:
    return scene.once(_router_pods)


def _router_pods(scene: Scene) -> dict[tuple[str, str, str], str]:
    return router_pods(scene.inventory.snapshot)


def _key(scene: Scene, pod: Pod) -> tuple[str, str, str]:
    kind = scene.inventory.workloads[pod.workload].ref.kind if pod.template else "Pod"
    return pod.namespace, kind, pod.name
