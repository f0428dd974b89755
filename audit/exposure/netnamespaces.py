"""Which egress addresses of openshift-sdn are in use: NetNamespaces that want them, HostSubnets that serve them.

Input: an Inventory. Output: one Tenant per NetNamespace. Decisions: an address that two NetNamespaces want takes egress
away from both; addresses that one node would serve for one NetNamespace hinder each other; an address that no node
lists yet may be given to any node whose range holds it. Source: openshift-sdn `pkg/network/common/egressip.go`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from audit.inventory import Inventory
from audit.model import ObjectRef
from audit.snapshot import Entry, Snapshot
from audit.traffic import AddressSet, address_number

_GROUP = "network.openshift.io"
_ONE_ADDRESS = (3, 10)
"""The last version of OpenShift that used only the first egress address of a NetNamespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One NetNamespace."""

    ref: ObjectRef
    netid: int | None
    """0 is the global one; None when it is not written."""
    joined: tuple[str, ...] = ()
    """Other namespaces of the same netid, sorted."""
    wanted: tuple[str, ...] = ()
    """The egress addresses it lists."""
    active: tuple[tuple[str, str], ...] = ()
    """(address, node) of those that a node certainly serves."""
    possible: tuple[tuple[str, str], ...] = ()
    """(address, node) of those that a node may serve; an empty node is one of several."""
    dropped: bool | None = False
    """Whether everything that leaves is dropped; None when that is not certain."""


def tenants(inventory: Inventory) -> dict[str, Tenant]:
    """Namespace -> its NetNamespace, for the namespaces that have one."""
    snapshot, version = inventory.snapshot, inventory.profile.version
    most = 1 if version and version <= _ONE_ADDRESS else None
    listed = {entry.body.netname or entry.name: entry for entry in both_groups(snapshot, "NetNamespace")}
    unread = any(gap.kind.partition(".")[0] == "HostSubnet" for gap in snapshot.gaps)
    subnets = _Subnets(tuple(both_groups(snapshot, "HostSubnet")), unread=unread)
    texts = {name: tuple(entry.body.egressIPs or ())[:most] for name, entry in listed.items()}
    wanted = {name: _addresses(listed) for name, listed in texts.items()}
    claims = Counter(number for numbers in wanted.values() for number in numbers)
    members: dict[int, list[str]] = {}
    for name, entry in listed.items():
        if entry.body.netid:
            members.setdefault(entry.body.netid, []).append(name)
    wanting = {netid for netid, names in members.items() if any(texts[name] for name in names)}
    if any(texts[name] for name, entry in listed.items() if entry.body.netid == 0):
        wanting.add(0)
    found = {}
    for name, entry in sorted(listed.items()):
        netid = entry.body.netid
        joined = tuple(sorted(set(members.get(netid or 0, ())) - {name}))
        ref = ObjectRef(entry.kind, "", entry.name, entry.origin)
        tenant = Tenant(ref=ref, netid=netid, joined=joined, wanted=texts[name])
        unsuited = netid in wanting and (netid == 0 or bool(joined))
        found[name] = subnets.served(tenant, wanted[name], claims, unsuited=unsuited)
    return found


def both_groups(snapshot: Snapshot, kind: str) -> Iterator[Entry]:
    """Objects of a kind that OpenShift 3 served without a group, too; one of each name."""
    seen = set()
    for key in (f"{kind}.{_GROUP}", kind):
        for entry in snapshot.of(key):
            if (entry.namespace, entry.name) not in seen:
                seen.add((entry.namespace, entry.name))
                yield entry


def _addresses(texts: Iterable[str] | None) -> dict[int, str]:
    """Number -> text, in the order of the list; what is no address is left out, as nobody can serve it."""
    found: dict[int, str] = {}
    for text in texts or ():
        with suppress(ValueError):
            found.setdefault(address_number(text), text)
    return found


class _Subnets:
    """What the nodes offer; not all of it, where some HostSubnets or all were not read."""

    def __init__(self, entries: Sequence[Entry], *, unread: bool) -> None:
        self._unread = unread or not entries
        self._nodes: dict[int, list[str]] = {}
        self._ranges: dict[str, list[str]] = {}
        for entry in entries:
            node = entry.body.host or entry.name
            for number in _addresses(entry.body.egressIPs):
                self._nodes.setdefault(number, []).append(node)
            for text in entry.body.egressCIDRs or ():
                self._ranges.setdefault(text, []).append(node)

    def served(self, tenant: Tenant, wanted: Mapping[int, str], claims: Mapping[int, int], *, unsuited: bool) -> Tenant:
        """The NetNamespace with what is served of its addresses."""
        served = {number: nodes[0] for number in wanted if len(nodes := self._nodes.get(number, [])) == 1}
        load = Counter(served.values())
        possible = [(wanted[number], node) for number, node in served.items() if load[node] > 1]
        active = [(wanted[number], node) for number, node in served.items() if load[node] == 1]
        for number, text in wanted.items():
            if number not in self._nodes and (nodes := self._offering(number)):
                possible.append((text, nodes[0] if len(nodes) == 1 else ""))
        if any(claims[number] > 1 for number in wanted):
            active, possible = [], []
        dropped: bool | None = bool(tenant.wanted) and not active
        if unsuited or (dropped and (possible or self._unread)):
            dropped = None
        if unsuited:
            active, possible = [], [*active, *possible]
        return Tenant(
            ref=tenant.ref,
            netid=tenant.netid,
            joined=tenant.joined,
            wanted=tenant.wanted,
            active=tuple(active),
            possible=tuple(possible),
            dropped=dropped,
        )

    def _offering(self, number: int) -> list[str]:
        """Nodes that have a range for the address, sorted."""
        found = set()
        for text, nodes in self._ranges.items():
            try:
                inside = number in AddressSet.cidr(text)
            except ValueError:
                continue
            if inside:
                found.update(nodes)
        return sorted(found)
