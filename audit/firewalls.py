"""Everything that restricts what leaves the cluster, namespace by namespace.

These are egress firewalls, and egress addresses without which openshift-sdn drops what leaves.

Input: an Inventory. Output: per namespace the barriers that a connection must pass one after the other. Decisions: what
the platform's network plug-in does not enforce is left out; what it may not enforce lets everything through as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from audit.errors import AuditErrors, InputError, Position
from audit.exposure.netnamespaces import Tenant, both_groups, tenants
from audit.inventory import Inventory
from audit.model import ObjectRef
from audit.policy.clause import Block, Nodes
from audit.policy.egressfirewall import OVN, SDN, FirewallText, lower
from audit.policy.specs import SpecError
from audit.profile import Profile
from audit.snapshot import Entry
from audit.sources import locate
from audit.traffic import AddressSet

FIREWALL_KEYS = ("EgressFirewall.k8s.ovn.org", "EgressNetworkPolicy.network.openshift.io", "EgressNetworkPolicy")
"""Kind keys of the egress firewalls that are read."""
APPLIED = "EgressFirewall Rules applied"
"""`status.status` of an EgressFirewall that every node has taken over."""
_NAME = "default"
"""The only name that an EgressFirewall can have."""
_SHUT = FirewallText(())
_REFUSED = "an API server refuses this object"


@dataclass(frozen=True, slots=True)
class Barrier:
    """One thing that a connection of a namespace must pass on its way out."""

    ref: ObjectRef
    text: FirewallText
    shut: str = ""
    """Why nothing passes, for people; then the text has no rules. Empty when the rules decide."""
    doubts: tuple[str, ...] = ()
    """Reasons why it may not hold at all; empty when it certainly does."""
    own_node: bool = False
    """Whether name resolution at the pod's own node passes, whatever the rules say."""

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for barriers that let the same through."""
        return id(self.text), bool(self.shut), self.doubts, self.own_node


class Firewalls(NamedTuple):
    """All barriers of a cluster."""

    of: Mapping[str, tuple[Barrier, ...]]
    """Namespace -> its barriers."""
    blocks: tuple[AddressSet, ...]
    """All address blocks that they name."""
    nodes: bool
    """Whether some barrier looks at addresses of nodes."""
    gaps: tuple[tuple[ObjectRef, tuple[str, ...]], ...]
    """Objects that are not understood in full, and what of them."""


def firewalls(inventory: Inventory) -> Firewalls:
    """The barriers of every namespace; AuditErrors for all specs that no API server would hold."""
    errors: list[InputError] = []
    snapshot = inventory.snapshot
    ovn = list(_lowered(snapshot.of(FIREWALL_KEYS[0]), OVN, errors))
    sdn = list(_lowered(both_groups(snapshot, SDN), SDN, errors))
    if errors:
        raise AuditErrors(errors)
    found: dict[str, list[Barrier]] = {}
    for namespace, barrier in (*_ovn(ovn, inventory.profile), *_sdn(sdn, inventory)):
        found.setdefault(namespace, []).append(barrier)
    texts = {id(one.text): one.text for listed in found.values() for one in listed}.values()
    peers = [peer for text in texts for clause in text.clauses for peer in clause.peers]
    at_nodes = any(barrier.own_node for listed in found.values() for barrier in listed)
    return Firewalls(
        of={namespace: tuple(listed) for namespace, listed in sorted(found.items())},
        blocks=tuple(dict.fromkeys(peer.addresses for peer in peers if isinstance(peer, Block))),
        nodes=at_nodes or any(isinstance(peer, Nodes) for peer in peers),
        gaps=tuple((ref, text.gaps) for _, ref, text in (*ovn, *sdn) if text.gaps),
    )


_Read = tuple[Entry, ObjectRef, FirewallText]


def _lowered(entries: Iterable[Entry], kind: str, errors: list[InputError]) -> Iterator[_Read]:
    """Every object with what it says; equal specs are read once."""
    texts: dict[bytes, FirewallText] = {}
    for entry in entries:
        ref = ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)
        where = f"{entry.kind} `{entry.namespace}/{entry.name}`"
        if kind == OVN and entry.name != _NAME:
            position = Position(entry.origin.file, entry.origin.line)
            errors.append(InputError(f"{where}: its name must be `{_NAME}`", position, _REFUSED))
            continue
        spec = bytes(entry.body.spec)
        try:
            text = texts.get(spec) or texts.setdefault(spec, lower(kind, spec))
        except SpecError as error:
            position = locate(entry, ("spec", *error.path))
            errors.append(InputError(f"{where}: {error}", position, _REFUSED))
            continue
        yield entry, ref, text


def _ovn(listed: Sequence[_Read], profile: Profile) -> Iterator[tuple[str, Barrier]]:
    """EgressFirewalls where the plug-in knows them."""
    if profile.plugin not in ("spec", "ovn-kubernetes", "unknown"):
        return
    for entry, ref, text in listed:
        unsure = profile.plugin == "unknown" or not _applied(entry)
        yield entry.namespace, Barrier(ref, text, doubts=_doubts(text, unsure=unsure))


def _doubts(text: FirewallText, *, unsure: bool) -> tuple[str, ...]:
    """Reasons why an object may not hold: the plug-in may not enforce it, or may refuse what cannot be read."""
    return (*(("network-plugin",) if unsure else ()), *(("unknown-field",) if text.gaps else ()))


def _applied(entry: Entry) -> bool:
    """Whether nothing speaks against its being in force: a manifest has no status; one without a word is incomplete."""
    raw = bytes(entry.body.status)
    status = msgspec.json.decode(raw) if raw else None
    return status is None or (isinstance(status, dict) and status.get("status") == APPLIED)


def _sdn(listed: Sequence[_Read], inventory: Inventory) -> Iterator[tuple[str, Barrier]]:
    """EgressNetworkPolicies, and NetNamespaces whose egress addresses nobody serves, where the plug-in knows them."""
    profile = inventory.profile
    if profile.plugin not in ("spec", "openshift-sdn", "unknown") or profile.mode == "subnet":
        return
    known = tenants(inventory)
    unsure = profile.plugin == "unknown" or (profile.plugin == "openshift-sdn" and not profile.mode)
    own: dict[str, list[_Read]] = {}
    for read in listed:
        own.setdefault(read[1].namespace, []).append(read)
    for namespace in sorted(own.keys() | known.keys()):
        barrier = _policy(namespace, own, known, unsure=unsure, live=profile.plugin != "spec")
        if barrier:
            yield namespace, barrier
    if profile.plugin != "spec":
        yield from ((name, one) for name, tenant in known.items() if (one := _unserved(tenant, unsure=unsure)))


def _policy(
    namespace: str, own: Mapping[str, Sequence[_Read]], known: Mapping[str, Tenant], *, unsure: bool, live: bool
) -> Barrier | None:
    """What the EgressNetworkPolicies of a namespace, or of one that shares its network, do to it.

    `live` says that every namespace has a NetNamespace, read or not.
    """
    tenant, mine = known.get(namespace), own.get(namespace, ())
    if tenant and tenant.netid == 0:
        return None
    shared = [name for name in (tenant.joined if tenant else ()) if name in own]
    unsure = unsure or (not tenant and live)  # its netid may be 0
    doubts = ("network-plugin",) if unsure else ()
    if tenant and tenant.joined and (mine or shared):
        ref = (mine or own[shared[0]])[0][1]
        return Barrier(ref, _SHUT, f"it shares its network with {', '.join(tenant.joined)}", doubts, own_node=True)
    if len(mine) > 1:
        return Barrier(mine[0][1], _SHUT, f"there are {len(mine)} in the namespace", doubts, own_node=True)
    if not mine:
        return None
    return Barrier(mine[0][1], mine[0][2], doubts=_doubts(mine[0][2], unsure=unsure), own_node=True)


def _unserved(tenant: Tenant, *, unsure: bool) -> Barrier | None:
    """What a NetNamespace drops for want of an egress address."""
    if tenant.dropped is False:
        return None
    doubts = ("network-plugin",) if unsure or tenant.dropped is None else ()
    wanted = ", ".join(tenant.wanted) or "those of its network"
    return Barrier(tenant.ref, _SHUT, f"no node serves its egress addresses ({wanted})", doubts, own_node=True)
