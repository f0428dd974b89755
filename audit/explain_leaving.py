"""What `explain` says of the way out of the cluster: egress firewalls, rule by rule, and the source address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit.firewalls import Barrier
from audit.permits import UNCERTAIN
from audit.reach import Reachability
from audit.traffic import NONE, Traffic


def leaving_lines(
    reach: Reachability, source: int, members: Sequence[int], target: int, asked: Traffic
) -> Iterator[str]:
    """Lines for a connection from a pod class to an address or a host-network class; none where nothing restricts it.

    `members` are the endpoints of the class that were asked for.
    """
    classes = reach.classes
    if target < classes.selectable:
        return
    if source < classes.selectable:
        namespace = classes.inventory.endpoints[members[0]].namespace
        for barrier in reach.limits.barriers.get(namespace, ()):
            yield from _barrier(reach, barrier, target, asked)
    if target < classes.pods:
        return
    for one in reach.leaving.of_workload(members):
        node = f", from node {one.node}" if one.node else ""
        if not one.address and one.of_node:
            continue
        if one.verdict == "denied":
            yield f"  {one.via}: no source address is served, and everything that leaves is dropped"
        else:
            may = "leaves" if one.verdict == "allowed" else "may leave"
            yield f"  {may} with source address {one.address or 'unknown'} ({one.via}{node})"


def _barrier(reach: Reachability, barrier: Barrier, target: int, asked: Traffic) -> Iterator[str]:
    """One barrier, with the rule that decides."""
    origin = barrier.ref.origin
    place = f" ({origin.place})" if origin and origin.place else ""
    yield f"  {barrier.ref} {'may restrict' if barrier.doubts else 'restricts'} what leaves the namespace{place}"
    for reason in barrier.doubts:
        yield f"    not certain because of {reason}: {UNCERTAIN[reason]}"
    if barrier.own_node:
        yield "    name resolution at the pod's own node always passes"
    if barrier.shut:
        yield f"    everything is denied: {barrier.shut}"
        return
    left = asked
    for clause in barrier.text.clauses:
        fitting = [one for one in reach.limits.clause(clause) if target in one.peers and one.traffic & left]
        certain = NONE
        for match in fitting:
            certain |= NONE if match.reason else match.traffic & left
        if not left:
            word = "not reached, a rule before it decides"
        elif certain:
            word = f"decides {certain}"
        else:
            word = "may decide" if fitting else "does not match"
        yield f"    rule {clause.index} ({clause.action}): {clause}: {word}"
        left -= certain
    if left:
        yield f"    no rule is left for {left}: it passes"
