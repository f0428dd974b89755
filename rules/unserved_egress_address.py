"""EGR007: egress addresses that were asked for and that no node serves."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from audit.controls.egress import GIVING, served_ground, system
from audit.controls.egress_needs import Unserved, unserved
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together


@rule(
    "EGR007",
    "Egress address is not served by any node",
    severity="high",
    needs=(
        "Namespace",
        "Node",
        "EgressIP.k8s.ovn.org",
        "NetNamespace.network.openshift.io",
        "HostSubnet.network.openshift.io",
    ),
    undone_by=(*GIVING, "Node", "CloudPrivateIPConfig.cloud.network.openshift.io"),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/cm-6", "pci-dss-4.0.1/1.2.8"),
)
def unserved_egress_address(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: every egress address of a zone is served by a node that is there and ready.

    On OVN-Kubernetes the status of the EgressIP says so, and on a cloud its CloudPrivateIPConfig confirms it; on
    openshift-sdn exactly one NetNamespace and exactly one HostSubnet must list the address.

    Why it matters: the object looks as if the zone had its address. Where none is served, OVN-Kubernetes
    lets pods leave with the addresses of their nodes, which is a leak; openshift-sdn drops all that leaves.

    How to fix: have a node of the zone serve the address, with the `oc` command of the finding.

    Limits: manifests have no status, so that only a cluster is judged. Where a part of the addresses is served, the
    finding counts as low. Addresses that two zones list are EGR004.
    """
    if stop := context.barred(context.of(served_ground)):
        yield stop
        return
    found = (((one.zone, one.every, one.addresses[0].why), _finding(context, one)) for one in context.of(unserved))
    yield from together(found, lambda count, one: f"{count} objects of zone {one.from_zone} have unserved addresses")


def _finding(context: Context, one: Unserved) -> Finding:
    zone = context.matrix.zone(one.zone)
    texts, why = (
        ", ".join(each.text for each in one.addresses),
        "; ".join(f"{each.text}: {each.why}" for each in one.addresses),
    )
    what = "no node serves" if one.certain else "it is not known who serves"
    return Finding(
        title=f"{one.grant.ref} of zone {one.zone}: {what} {texts}",
        subjects=(one.grant.ref,),
        verdict="fail" if one.certain else "not-evaluated",
        severity="high" if one.every else "low",
        from_zone=one.zone,
        expected="a node of the zone serves each address",
        observed=f"{why}{_instead(context, one)}",
        fix=_fix(context, one),
        owner=zone.owner if zone else "",
        reason="" if one.certain else why,
        identity=("none" if one.every else "some", "known" if one.certain else "unknown"),
        counts={"addresses": len(one.addresses), "namespaces": len(one.grant.namespaces)},
    )


def _instead(context: Context, one: Unserved) -> str:
    """What happens to the traffic."""
    if not one.every:
        return "; other addresses of the object are served"
    if system(context.scene) == "sdn":
        return "; all that leaves is dropped"
    return "; pods leave with the addresses of their nodes"


def _fix(context: Context, one: Unserved) -> str:
    address = one.addresses[0].text
    if system(context.scene) == "sdn":
        if one.addresses[0].number is None:
            return f"Give {one.grant.ref} an address of zone {one.zone} in place of what is none."
        patch = shlex.quote(json.dumps([{"op": "add", "path": "/egressIPs/-", "value": address}]))
        return (
            f"Let exactly one node of zone {one.zone} list the address, besides those that it lists already.\n\n"
            f"oc patch hostsubnet NODE --type=json -p {patch}"
        )
    return (
        f"Label a ready node of zone {one.zone} that has an interface in the network of the address.\n\n"
        "oc label node NODE k8s.ovn.org/egress-assignable="
    )
