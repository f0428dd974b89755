"""DOOR007: networks that join zones."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from audit.controls.network_joins import How, Join, ground, joins, unread
from audit.rule import UNZONED, Context, Finding, NotApplicable, NotEvaluated, Severity, rule, scalar


class _Known(NamedTuple):
    """One kind of join in words; `{0}` is the object, `{1}` the zones, `{2}` the detail."""

    title: str
    severity: Severity
    expected: str
    certain: bool = True


_HOW: Mapping[How, _Known] = {
    "netid": _Known("{1} share one network: {2}", "high", "namespaces of different zones have networks of their own"),
    "global": _Known(
        "{0} of {1} is on the global network, which reaches every other one", "high", "a netid of its own"
    ),
    "network": _Known("{0} is one network for {1}", "medium", "a network for namespaces of one zone"),
    "offered": _Known("{0} may be attached to by {1}", "low", "a network for namespaces of one zone"),
    "connect": _Known("{0} joins networks of {1}: {2}", "high", "networks of different zones stay apart"),
    "ports": _Known(
        "{0} of {1} opens {2} to the default network, whatever its policies say", "medium", "no port is opened so"
    ),
    "unread-ports": _Known(
        "{0} of {1} may open ports to the default network", "medium", "no port is opened so", certain=False
    ),
}


@rule(
    "DOOR007",
    "Networks of zones are joined",
    severity="high",
    needs=(
        "Namespace",
        "Pod",
        "NetNamespace.network.openshift.io",
        "ClusterUserDefinedNetwork.k8s.ovn.org",
        "ClusterNetworkConnect.k8s.ovn.org",
    ),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/sc-7.5", "pci-dss-4.0.1/1.4.1", "iso-27001-2022/a.8.22"),
)
def joined_zone_networks(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: where networks part namespaces, nothing joins those of different zones.

    On openshift-sdn in mode multitenant: NetNamespaces of one netid over several zones, and netid 0. On OVN-Kubernetes:
    one ClusterUserDefinedNetwork for several zones, ClusterNetworkConnects, and pods that open ports to the default
    network by annotation.

    Why it matters: such networks are the isolation itself. In mode multitenant no policy is enforced that could help,
    and ports opened by annotation go past the policies of the pod.

    How to fix: each finding gives the `oc adm pod-network` command, the selector or the object to delete.

    Limits: it reports the wiring. What can be reached over it is judged by NET001, policies considered. Where all
    namespaces are on one network, as in mode networkpolicy, nothing is joined and NET001 says it all.
    """
    if stop := context.barred(context.of(ground)):
        yield stop
        return
    for one in context.of(joins):
        yield _finding(context, one)
    if names := context.of(unread):
        yield NotEvaluated(f"which network namespace {names[0]}{_more(len(names))} is on cannot be told")


def _more(count: int) -> str:
    return f", with {count - 1} more," if count > 1 else ""


def _finding(context: Context, one: Join) -> Finding:
    known = _HOW[one.how]
    zones = [f"zone {name}" if name != UNZONED else "namespaces of no zone" for name in one.zones]
    own = [zone for zone in context.scene.zones if zone.name in one.zones]
    title = known.title.format(one.refs[0], " and ".join(zones), one.detail)
    return Finding(
        title=title,
        subjects=one.refs,
        verdict="fail" if known.certain else "not-evaluated",
        severity=known.severity,
        from_zone=own[0].name,
        to_zone=own[1].name if len(own) == len(one.zones) == 2 else "",  # noqa: PLR2004 - a pair of zones
        expected=known.expected,
        observed=f"{one.detail}: {' and '.join(zones)}" if one.detail else " and ".join(zones),
        fix=_fix(context, one, own[0].name),
        owner=own[0].owner,
        reason="" if known.certain else f"the annotation of {one.refs[0]} cannot be read",
        identity=(one.how, *one.zones),
        counts={"objects": len(one.refs)},
    )


def _fix(context: Context, one: Join, zone: str) -> str:
    ref = one.refs[0]
    name = shlex.quote(ref.name)
    match one.how:
        case "netid" | "global":
            moved = [each.name for each in one.refs if one.how == "global" or context.zone_of(each.name) != zone]
            names = " ".join(map(shlex.quote, moved))
            return f"Give the others a network of their own.\n\noc adm pod-network isolate-projects {names}"
        case "network" | "offered":
            label = next(iter(context.matrix.settings.zone_labels), "network-zone")
            selector = f"spec:\n  namespaceSelector:\n    matchLabels:\n      {label}: {scalar(zone)}"
            return f"Create one network for each zone, since a selector cannot be changed later.\n\n{selector}"
        case "connect":
            return f"Delete it, or let it select networks of one zone.\n\noc delete clusternetworkconnect {name}"
        case "ports" | "unread-ports":
            return (
                "Remove the annotation from the template, and publish the port with a Route or a Service.\n\n"
                f"oc annotate {ref.kind.lower()} {name} -n {shlex.quote(ref.namespace)} k8s.ovn.org/open-default-ports-"
            )
