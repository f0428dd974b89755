"""Egress firewalls of zones: those that let everything through, and those that do not do what they say.

Input: a Scene. Output: one value per firewall and fault. Decisions: an EgressFirewall or EgressNetworkPolicy counts
only where the plug-in that runs knows the kind; the first rule that matches decides and no match allows, so that a
firewall denies only what a deny rule still reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from audit.controls.scene import Ground, Scene, ref
from audit.exposure.netnamespaces import Tenant, both_groups, tenants
from audit.exposure.raw import decoded, listed, text_of
from audit.firewalls import APPLIED, FIREWALL_KEYS
from audit.model import ObjectRef, Zone
from audit.policy.clause import Block, Clause, DomainNames, Nodes
from audit.policy.egressfirewall import OVN, SDN, FirewallText, lower
from audit.snapshot import Entry
from audit.traffic import ALL, MAX_V4, NOWHERE, AddressSet

Fault = Literal["refused", "silent", "unread", "several", "shared", "ipv6", "unreached", "names"]
_V4 = AddressSet.cidr("0.0.0.0/0")
_V6 = AddressSet.cidr("::/0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One egress firewall in a namespace of a zone."""

    ref: ObjectRef
    zone: Zone
    text: FirewallText
    foreign: bool
    """Whether the plug-in that runs does not know the kind."""
    status: str | None
    """What the plug-in says of it; None where nothing was read, empty where it has not said anything."""
    messages: tuple[str, ...]
    """What its status says, node by node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A firewall that denies nothing."""

    filter: Filter
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A firewall that does not do what it says."""

    filters: tuple[Filter, ...]
    fault: Fault
    detail: str
    """Rules, names or messages, for people."""


def filters(scene: Scene) -> tuple[Filter, ...]:
    """Every egress firewall of a namespace of a zone, by kind, namespace and name."""
    profile = scene.inventory.profile
    known = {
        OVN: profile.plugin in ("ovn-kubernetes", "spec", "unknown"),
        SDN: profile.plugin in ("openshift-sdn", "spec", "unknown") and profile.mode != "subnet",
    }
    texts: dict[tuple[str, bytes], FirewallText] = {}
    return tuple(
        _filter(entry, zone, texts, foreign=not known[entry.kind])
        for entry in _entries(scene)
        if (zone := scene.matrix.zone(scene.zone_of(entry.namespace))) and zone.kind == "cluster"
    )


def named_by_namespace(scene: Scene) -> Mapping[str, tuple[ObjectRef, ...]]:
    """The egress firewalls of each namespace that has any."""
    found: dict[str, tuple[ObjectRef, ...]] = {}
    for entry in scene.of(*FIREWALL_KEYS):
        found[entry.namespace] = (*found.get(entry.namespace, ()), ref(entry))
    return found


def _entries(scene: Scene) -> Iterator[Entry]:
    yield from scene.of(FIREWALL_KEYS[0])
    yield from both_groups(scene.inventory.snapshot, SDN)


def _filter(entry: Entry, zone: Zone, texts: dict[tuple[str, bytes], FirewallText], *, foreign: bool) -> Filter:
    key = entry.kind, bytes(entry.body.spec)
    if key not in texts:
        texts[key] = lower(*key)
    status = decoded(entry.body.status) if entry.kind == OVN else {}
    return Filter(
        ref=ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin),
        zone=zone,
        text=texts[key],
        foreign=foreign,
        status=text_of(status, "status") if status else None,
        messages=tuple(one for one in listed(status, "messages") if isinstance(one, str)),
    )


def ground(scene: Scene) -> Ground:
    """What the judgement of egress firewalls rests on; without one, what leaves is a question of the matrix alone."""
    profile = scene.inventory.profile
    if not scene.once(filters):
        return Ground(idle="no namespace of a zone has an egress firewall")
    if profile.plugin == "unknown" or (profile.plugin == "openshift-sdn" and not profile.mode):
        return Ground(doubt=f"which egress firewalls are enforced is not known: network profile {profile}")
    return Ground()


def idle(scene: Scene) -> tuple[Idle, ...]:
    """Firewalls of zones whose way out the matrix restricts, and that deny nothing."""
    known = tenants(scene.inventory)
    bound = {zone.name for zone in scene.zones if restricted(scene, zone)}
    crowded = {one.ref for each in _crowded(scene) for one in each.filters}
    found = []
    for one in scene.once(filters):
        if one.ref in crowded:
            continue
        tenant = known.get(one.ref.namespace)
        why = _why_idle(scene, one, tenant) if one.zone.name in bound else ""
        if why:
            found.append(Idle(filter=one, why=why))
    return tuple(found)


def restricted(scene: Scene, zone: Zone) -> tuple[str, ...]:
    """Zones with addresses outside the cluster that the matrix does not let a zone reach on every port."""
    others = (one for one in scene.matrix.zones if one.name != zone.name)
    outside = [one.name for one in others if one.kind in ("external", "internet") or one.cidrs]
    return tuple(name for name in outside if scene.matrix.expect(zone.name, name).allowed != ALL)


def _why_idle(scene: Scene, one: Filter, tenant: Tenant | None) -> str:
    if one.foreign:
        return f"{scene.inventory.profile} does not know the kind"
    if one.ref.kind == SDN and tenant and tenant.netid == 0:
        return "its namespace has the netid 0, where it is ignored"
    if one.ref.kind == SDN and tenant and tenant.joined:
        return ""
    if one.text.unknown or any(_denies(scene, clause, passed) for clause, passed in _reached(one.text)):
        return ""
    return "everything is allowed before a rule denies anything" if _deny_rules(one.text) else "no rule denies anything"


def _deny_rules(text: FirewallText) -> bool:
    return any(clause.action == "deny" for clause in text.clauses)


def _reached(text: FirewallText) -> Iterator[tuple[Clause, AddressSet]]:
    """Every rule with the addresses that the rules before it decide on every port."""
    decided = NOWHERE
    for clause in text.clauses:
        yield clause, decided
        peer = clause.peers[0] if clause.peers else None
        if isinstance(peer, Block) and not clause.unknown and clause.ports.traffic == ALL:
            decided |= peer.addresses


def _denies(scene: Scene, clause: Clause, decided: AddressSet) -> bool:
    """Whether a rule denies, or may deny, anything."""
    if clause.action != "deny" and not clause.unknown:
        return False
    match clause.peers[0] if clause.peers else None:
        case Block(addresses):
            used = addresses if scene.once(dual_stack) else addresses & _V4
            return clause.unknown or bool(used - decided)
        case Nodes(nodes):
            known = scene.inventory.nodes.values()
            return not known or any(nodes.matches(one.labels) for one in known)
        case _:
            return clause.unknown or bool(_V4 - decided)


def broken(scene: Scene) -> tuple[Broken, ...]:
    """Every fault of every firewall that is in force, by firewall."""
    alive = [one for one in scene.once(filters) if not one.foreign]
    return (*_crowded(scene), *(found for one in alive for found in _faults(scene, one)))


def _crowded(scene: Scene) -> Iterator[Broken]:
    """EgressNetworkPolicies that make openshift-sdn drop everything: several of a namespace, or a shared network."""
    known = tenants(scene.inventory)
    by_namespace: dict[str, list[Filter]] = {}
    for one in scene.once(filters):
        if one.ref.kind == SDN and not one.foreign:
            by_namespace.setdefault(one.ref.namespace, []).append(one)
    for name, own in by_namespace.items():
        tenant = known.get(name)
        if tenant and tenant.netid == 0:
            continue
        if tenant and tenant.joined:
            yield Broken(filters=tuple(own), fault="shared", detail=", ".join(tenant.joined))
        elif len(own) > 1:
            yield Broken(filters=tuple(own), fault="several", detail=", ".join(one.ref.name for one in own))


def _faults(scene: Scene, one: Filter) -> Iterator[Broken]:
    if one.ref.kind == OVN:
        if state := _state(scene, one):
            yield Broken(
                filters=(one,), fault=state, detail="; ".join(one.messages or one.text.gaps or (one.status or "",))
            )
        if scene.once(dual_stack) and _half_open(one.text):
            yield Broken(filters=(one,), fault="ipv6", detail="")
    if rules := _unreached(one):
        words = f"rule{'s' if rules[1:] else ''} {', '.join(map(str, rules))}"
        yield Broken(filters=(one,), fault="unreached", detail=words)
    names = [name for clause in one.text.clauses for peer in clause.peers if isinstance(peer, DomainNames)
             for name in peer.names]  # fmt: skip
    if names:
        yield Broken(filters=(one,), fault="names", detail=", ".join(dict.fromkeys(names)))


def _state(scene: Scene, one: Filter) -> Fault | None:
    """What the status of an EgressFirewall speaks against it; manifests have none."""
    if one.status == APPLIED:
        return None
    if one.status:
        return "refused"
    if one.text.gaps:
        return "unread"
    return "silent" if one.status is not None or scene.cluster else None


def dual_stack(scene: Scene) -> bool:
    """Whether pods, nodes or the pod network have addresses of IPv6."""
    for entry in scene.of("Network.config.openshift.io"):
        for block in listed(decoded(entry.body.status), "clusterNetwork"):
            if ":" in text_of(block, "cidr"):
                return True
    if any(node.addresses and node.addresses[-1] > MAX_V4 for node in scene.inventory.nodes.values()):
        return True
    return any(pod.addresses and pod.addresses[-1] > MAX_V4 for pod in scene.inventory.endpoints)


def _half_open(text: FirewallText) -> bool:
    """Whether it denies all of IPv4 that is left, and leaves something of IPv6 to no rule."""
    decided = NOWHERE
    denied = False
    for clause in text.clauses:
        peer = clause.peers[0] if clause.peers else None
        if isinstance(peer, Block) and clause.ports.traffic == ALL:
            if clause.action != "deny" and not _V4 - peer.addresses and _V4 - decided:
                return False
            denied = denied or (clause.action == "deny" and bool(peer.addresses & _V4 - decided))
            decided |= peer.addresses
    return denied and not _V4 - decided and bool(_V6 - decided)


def _unreached(one: Filter) -> list[int]:
    """Numbers of the rules that never match, because earlier ones decide all that they name."""
    everywhere = _V4 if one.ref.kind == SDN else _V4 | _V6
    found = []
    for clause, decided in _reached(one.text):
        peer = clause.peers[0] if clause.peers else None
        named = peer.addresses if isinstance(peer, Block) else everywhere
        if named and not clause.unknown and named <= decided:
            found.append(clause.index)
    return found
