"""DOOR001: host ports in the namespaces of zones."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from audit.controls.doors import Doors, by_namespace, host_ports
from audit.controls.inbound import inbound
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together


@rule(
    "DOOR001",
    "Pods of a zone open ports of their nodes",
    severity="medium",
    needs=("Namespace", "Pod"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "nist-800-53r5/sc-7.5", "pci-dss-4.0.1/1.4.1"),
)
def host_port(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: pods with a `hostPort` in the namespaces of zones, but for routers of the zone itself.

    Why it matters: whoever reaches the node reaches the pod, past the router of the zone and the firewall rules made
    for it, and whether policies bind such traffic depends on the network plug-in.

    How to fix: publish the port by a Service and a Route, and take `hostPort` out of the pod template, such as with
    `oc edit deployment NAME`. Forbid host ports to the namespace by its SCC or by Pod Security `baseline`.

    Limits: ports are those of the pods. Pods on the host network are HOST001.
    """
    if not context.inventory.endpoints and (missing := context.missing("Pod")):
        yield missing
        return
    doors = by_namespace(host_ports(context.scene, context.of(inbound)))
    found = (("", _finding(context, one)) for one in doors)
    yield from together(found, lambda count, one: f"{count} namespaces of zone {one.to_zone} open ports of nodes")


def _finding(context: Context, doors: Doors) -> Finding:
    zone, first = context.matrix.zone(doors.zone), doors.refs[0]
    command = f"oc edit {quote(first.kind.lower())} {quote(first.name)} -n {quote(first.namespace)}"
    return Finding(
        title=f"namespace {doors.namespace} of zone {doors.zone} opens ports of its nodes",
        subjects=doors.refs,
        to_zone=doors.zone,
        expected="no host ports",
        observed=doors.words,
        fix=f"Remove `hostPort` from the pod template, and publish the port by a Service and a Route.\n\n{command}",
        owner=zone.owner if zone else "",
        counts={"objects": len(doors.refs)},
    )
