"""DOOR002: Services of type NodePort in the namespaces of zones."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from audit.controls.doors import Doors, by_namespace, node_ports
from audit.controls.inbound import inbound
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together


@rule(
    "DOOR002",
    "Services of a zone open a port of every node",
    severity="medium",
    needs=("Namespace", "Service"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "nist-800-53r5/sc-7.5", "pci-dss-4.0.1/1.4.1"),
)
def node_port(context: Context) -> Iterator[Finding | NotEvaluated | NotApplicable]:
    """What it checks: Services of type NodePort in the namespaces of zones, but for those of the zone's routers.

    Why it matters: the port is open on every node of every zone, so the pods are reached through the network of any
    zone, and as a rule policies see the address of a node in place of the client's.

    How to fix: make it a Service of type ClusterIP and publish it by a Route:
    `oc patch service NAME -n NAMESPACE -p '{"spec": {"type": "ClusterIP"}}'`.

    Limits: a load balancer opens node ports, too, unless `allocateLoadBalancerNodePorts` is false; that is
    DOOR003. A firewall in front of the nodes is not seen.
    """
    if missing := context.missing("Service"):
        yield missing
        return
    doors = by_namespace(node_ports(context.scene, context.of(inbound)))
    found = (("", _finding(context, one)) for one in doors)
    yield from together(found, lambda count, one: f"{count} namespaces of zone {one.to_zone} open ports of every node")


def _finding(context: Context, doors: Doors) -> Finding:
    zone, first = context.matrix.zone(doors.zone), doors.refs[0]
    patch = quote('{"spec": {"type": "ClusterIP"}}')
    command = f"oc patch service {quote(first.name)} -n {quote(first.namespace)} -p {patch}"
    return Finding(
        title=f"namespace {doors.namespace} of zone {doors.zone} opens ports of every node",
        subjects=doors.refs,
        to_zone=doors.zone,
        expected="no Service of type NodePort",
        observed=doors.words,
        fix=f"Make them Services of type ClusterIP and publish them by a Route of the zone.\n\n{command}",
        owner=zone.owner if zone else "",
        counts={"objects": len(doors.refs)},
    )
