"""EGR004: egress addresses that several zones leave with."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.egress import ground, system
from audit.controls.egress_needs import Shared, shared
from audit.controls.egress_overlaps import unclear
from audit.rule import UNZONED, Context, Finding, NotApplicable, NotEvaluated, ObjectRef, rule, scalar


@rule(
    "EGR004",
    "Zones share an egress address",
    severity="high",
    needs=("Namespace", "EgressIP.k8s.ovn.org", "NetNamespace.network.openshift.io"),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/ac-4", "pci-dss-4.0.1/1.3.2"),
)
def shared_egress_address(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: an egress address is given to namespaces of one zone only.

    One EgressIP may select namespaces of several zones, by a selector such as NotIn that takes whatever lacks the
    label; several EgressIPs or NetNamespaces may list the same address.

    Why it matters: outside the cluster nobody can tell the zones apart, so that each has the rights of the other. Where
    two objects list one address, openshift-sdn drops what leaves, and on OVN-Kubernetes one of them gets nothing.

    How to fix: one object with addresses of its own for each zone, selected as in the YAML of the finding.

    Limits: addresses are compared as declared, whether or not a node serves them.
    """
    if stop := context.barred(context.of(ground)):
        yield stop
        return
    for one in context.of(shared):
        yield _finding(context, one)
    if names := context.of(unclear):
        yield NotEvaluated(f"which namespaces {names[0]} selects is not known: its selector, or labels, were not read")


def _finding(context: Context, one: Shared) -> Finding:
    owned = [zone for zone in context.scene.zones if zone.name in one.zones]
    zones = [f"zone {name}" if name != UNZONED else "namespaces of no zone" for name in one.zones]
    texts = ", ".join(one.addresses)
    title = f"{one.refs[0]} gives {' and '.join(zones)} the same egress addresses"
    if len(one.refs) > 1:
        title = f"{' and '.join(map(str, one.refs))} give {' and '.join(zones)} the same egress address {texts}"
    return Finding(
        title=title,
        subjects=one.refs,
        severity="high" if len(owned) > 1 else "medium",
        from_zone=owned[0].name,
        to_zone=owned[1].name if len(owned) == 2 == len(one.zones) else "",  # noqa: PLR2004 - a pair of zones
        expected="addresses of one zone are given to namespaces of that zone",
        observed=f"{texts} for {one.namespaces} namespaces of {' and '.join(zones)}{_drops(context, one)}",
        fix=_fix(context, one, owned[0].name),
        owner=owned[0].owner,
        identity=one.zones,
        counts={"namespaces": one.namespaces},
    )


def _drops(context: Context, one: Shared) -> str:
    if len(one.refs) == 1:
        return ""
    return (
        "; all that leaves is dropped"
        if system(context.scene) == "sdn"
        else "; which of the objects gets it is not defined"
    )


def _fix(context: Context, one: Shared, zone: str) -> str:
    if len(one.refs) > 1:
        return f"Leave the address to one of {_names(one.refs)}, and give every other free addresses of its own zone."
    labels = context.matrix.settings.zone_labels
    label = f"{labels[0]}: {scalar(zone)}" if labels else "# labels that only namespaces of the zone have"
    return (
        f"Let {one.refs[0]} select namespaces of zone {zone} only, and create one for each other zone.\n\n"
        f"spec:\n  namespaceSelector:\n    matchLabels:\n      {label}"
    )


def _names(refs: tuple[ObjectRef, ...]) -> str:
    return ", ".join(map(str, refs))
