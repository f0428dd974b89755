"""TOP001: what belongs to another zone in a cluster that is to hold one zone only."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.topology import Stranger, outside_home, strangers
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

_NAMED = 5
"""Objects that a finding spells out."""
_FIX = {
    "namespaces": "Move the namespaces to the cluster of their zone, or label them with this one.",
    "nodes": "Take the nodes out of this cluster, or label them with its zone.",
    "routers": "Remove the routers of the other zone, or name them under `select.ingress` of this one.",
    "egress addresses": "Let the namespaces leave with addresses of this zone.",
    "storage classes": "Remove the classes of the other zone.",
}
_COMMAND = {
    "namespaces": "oc get namespaces -L {label}",
    "nodes": "oc get nodes -L {node_label} -o wide",
    "routers": "oc get ingresscontrollers -n openshift-ingress-operator",
    "egress addresses": "oc get egressips,netnamespaces,hostsubnets",
    "storage classes": "oc get storageclasses",
}


@rule(
    "TOP001",
    "A cluster that is to hold one zone holds parts of another",
    severity="high",
    needs=("Namespace", "Node"),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.4.1", "iso-27001-2022/a.8.22"),
)
def stranger_in_single_zone(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: with `cluster_mode: single-zone`, that nothing in the cluster belongs to another zone.

    Looked at are namespaces, nodes, routers, egress addresses and storage classes; and the nodes must have addresses
    of the zone.

    Why it matters: one cluster for each zone is chosen because it is easy to prove. It proves nothing once a second
    zone lives in it, since none of the controls that keep zones apart inside a cluster were set up.

    How to fix: move what belongs to the other zone to its own cluster (`oc get namespaces,nodes -L network-zone`
    shows it), or relabel what was only named wrongly.

    Limits: routers and storage classes are known by the names that the matrix gives under `select`, addresses by the
    `cidrs` and `egress_cidrs` of the zones. Addresses of load balancers are for the rules about ways in.
    """
    settings = context.matrix.settings
    if settings.cluster_mode != "single-zone":
        yield NotApplicable("the matrix does not set `cluster_mode: single-zone`")
        return
    if missing := context.missing("Namespace"):
        yield missing
        return
    yield from (_finding(context, one) for one in context.of(strangers))
    zone = context.matrix.zone(settings.cluster_zone)
    if not context.inventory.nodes:
        return
    if zone is not None and not zone.cidrs:
        yield NotEvaluated(f"zone {zone.name} has no `cidrs`, so nobody can tell whether the nodes stand in it")
    elif nodes := context.of(outside_home):
        yield Finding(
            title=f"nodes stand outside the addresses of zone {settings.cluster_zone}, the only one of the cluster",
            subjects=tuple(nodes),
            to_zone=settings.cluster_zone,
            expected=f"addresses within the cidrs of zone {settings.cluster_zone}",
            observed=_listed([f"{one.name}: {', '.join(addresses)}" for one, addresses in nodes.items()]),
            fix=f"Move the nodes, or add their network to `cidrs` of the zone.\n\n{_COMMAND['nodes']}".format(
                node_label=(*settings.node_labels, "network-zone")[0]
            ),
            owner=zone.owner if zone else "",
            identity=("addresses",),
            counts={"nodes": len(nodes)},
        )


def _finding(context: Context, one: Stranger) -> Finding:
    settings = context.matrix.settings
    labels = (*settings.zone_labels, "network-zone")[0], (*settings.node_labels, "network-zone")[0]
    zone = context.matrix.zone(settings.cluster_zone)
    return Finding(
        title=f"{one.what} of zone {one.zone} in a cluster that is to hold zone {settings.cluster_zone} only",
        subjects=one.objects,
        from_zone=one.zone,
        to_zone=settings.cluster_zone,
        severity="medium" if one.what == "storage classes" else None,
        expected=f"nothing but zone {settings.cluster_zone}",
        observed=_listed(one.seen),
        fix=f"{_FIX[one.what]}\n\n{_COMMAND[one.what].format(label=labels[0], node_label=labels[1])}",
        owner=zone.owner if zone else "",
        identity=(one.what,),
        counts={"objects": len(one.objects)},
    )


def _listed(texts: list[str] | tuple[str, ...]) -> str:
    more = len(texts) - _NAMED
    return "; ".join(texts[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
