"""EGR001: namespaces of a zone that requires egress addresses, whose pods leave without one."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from audit.controls.egress import GIVING, HOST_SUBNET, required_ground, system
from audit.controls.egress_needs import Bare, bare, doubtful, spare
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar, together


@rule(
    "EGR001",
    "Pods leave the cluster without an egress address of their zone",
    severity="high",
    needs=(
        "Namespace",
        "Pod",
        "EgressIP.k8s.ovn.org",
        "NetNamespace.network.openshift.io",
        "HostSubnet.network.openshift.io",
    ),
    undone_by=GIVING,
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/ac-4", "pci-dss-4.0.1/1.3.2", "iso-27001-2022/a.8.22"),
)
def namespace_without_egress_address(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: in a zone that `requires: [egress-ip]` every namespace has an egress address for all its pods.

    On OVN-Kubernetes an EgressIP gives it, on openshift-sdn the NetNamespace. Only the plug-in that runs counts: what
    objects of another one list has no effect.

    Why it matters: without an egress address pods leave with the address of whichever node they run on. The enterprise
    firewall then cannot tell the zone, and opens its rules for every zone that may use the node.

    How to fix: create the EgressIP, or run the `oc patch` commands, that the finding gives.

    Limits: an address that was asked for and is not served is EGR007. Pods on the host network always leave with the
    address of their node (HOST001), and routers on nodes of their zone need none. A namespace without pods counts as
    low.
    """
    if stop := context.barred(context.of(required_ground)):
        yield stop
        return
    found = ((_key(one), _finding(context, one)) for one in context.of(bare))
    yield from together(found, lambda count, first: f"{count} namespaces of zone {first.from_zone} have {_WITHOUT}")
    if unsure := context.of(doubtful):
        yield NotEvaluated(f"whether {unsure[0].ref}{_more(len(unsure))} leaves with an egress address is not known")


_WITHOUT = "no egress address for some pods"


def _more(count: int) -> str:
    return f", with {count - 1} more," if count > 1 else ""


def _key(one: Bare) -> tuple[object, ...]:
    return one.zone.name, one.certain, bool(one.workloads), bool(one.left), one.family


def _finding(context: Context, one: Bare) -> Finding:
    where = f"namespace {one.namespace} of zone {one.zone.name}"
    part = f" for {one.workloads} of its {one.all_workloads} workloads" if 0 < one.workloads < one.all_workloads else ""
    title = f"{where} has no egress address{f' of {one.family}' if one.family else ''}{part}"
    if not one.certain:
        title = f"whether {where} has an egress address is not known"
    elif not one.all_workloads:
        title = f"{where} has no egress address for the pods to come"
    own = set(one.node_zones) == {one.zone.name}
    return Finding(
        title=title,
        subjects=(context.namespace_ref(one.namespace),),
        verdict="fail" if one.certain else "not-evaluated",
        severity="low" if not one.all_workloads else "medium" if own else "high",
        from_zone=one.zone.name,
        expected=f"all pods leave with egress addresses of zone {one.zone.name}",
        observed=_observed(context, one),
        fix=_fix(context, one),
        owner=one.zone.owner,
        reason="" if one.certain else "the input does not hold what gives the namespace an egress address",
        identity=() if one.certain else ("unknown",),
        counts={"workloads": one.workloads},
    )


def _observed(context: Context, one: Bare) -> str:
    if one.family:
        other = "IPv4" if one.family == "IPv6" else "IPv6"
        return f"its egress addresses are of {other} alone: over {one.family} pods show the addresses of their nodes"
    names = [name for name in one.node_zones if name and name != one.zone.name]
    of = f", among them nodes of zone {' and '.join(names)}" if names else ""
    show = "it has no pods yet" if not one.all_workloads else f"its pods show the addresses of their nodes{of}"
    left = f"; {one.left}, which {context.inventory.profile} ignores" if one.left else ""
    return f"no object gives it an egress address: {show}{left}"


def _fix(context: Context, one: Bare) -> str:
    if one.family:
        return f"Add free {one.family} addresses of zone {one.zone.name} to the object that gives it the others."
    addresses = spare(context.scene, one.zone, 2)
    if not addresses:
        return (
            f"Declare `egress_cidrs` with free addresses for zone {one.zone.name}, and give the namespace two of them."
        )
    if system(context.scene) == "sdn":
        start = "Have two nodes of the zone serve an address each, and give them to the namespace."
        return f"{start}\n\n{_patches(context, one, addresses)}"
    return f"Give the namespace addresses of its zone.\n\n{_egress_ip(one, addresses)}"


def _egress_ip(one: Bare, addresses: tuple[str, ...]) -> str:
    return "\n".join(
        (
            "apiVersion: k8s.ovn.org/v1",
            "kind: EgressIP",
            "metadata:",
            f"  name: {scalar(f'{one.zone.name}-{one.namespace}')}",
            "spec:",
            f"  egressIPs: [{', '.join(map(scalar, addresses))}]",
            "  namespaceSelector:",
            "    matchLabels:",
            f"      kubernetes.io/metadata.name: {scalar(one.namespace)}",
        )
    )


def _patches(context: Context, one: Bare, addresses: tuple[str, ...]) -> str:
    """Commands for the namespace and for nodes of its zone, which keep what they serve already."""
    served = {entry.name: tuple(entry.body.egressIPs or ()) for entry in context.scene.of(HOST_SUBNET, "HostSubnet")}
    nodes = [name for name in sorted(context.inventory.nodes) if context.scene.node_zone(name) == one.zone.name]
    lines = [_patch("netnamespace", one.namespace, addresses)]
    lines += [
        _patch("hostsubnet", node, (*served.get(node, ()), address))
        for node, address in zip(nodes, addresses, strict=False)
    ]
    return "\n".join(lines)


def _patch(kind: str, name: str, addresses: tuple[str, ...]) -> str:
    patch = json.dumps({"egressIPs": list(addresses)})
    return f"oc patch {kind} {shlex.quote(name)} --type=merge -p {shlex.quote(patch)}"
