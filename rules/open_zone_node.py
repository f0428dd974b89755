"""CMP004: nodes of a zone that let pods of others in."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.node_isolation import NOT_ASKED, Isolation, isolation, shown
from audit.controls.node_strangers import Opened, strangers
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, ObjectRef, Zone, rule


@rule(
    "CMP004",
    "Nodes of a zone let strangers in",
    severity="medium",
    needs=("Namespace", "Node"),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def open_zone_node(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that no application of others can land on nodes of a zone with `requires: [node-isolation]`.

    The nodes carry a NoSchedule or NoExecute taint, or every namespace outside is confined to other nodes. Where taints
    are all there is and nothing keeps pods from tolerating them, the finding weighs low.

    Why it matters: a selector on the zone's own namespaces keeps its pods in, and nobody out. The scheduler fills free
    nodes with whatever fits.

    How to fix: `kubectl taint nodes NODE network-zone=ZONE:NoSchedule`, give the namespaces of the zone that toleration
    by default, and a whitelist of tolerations to all others; or give the cluster a default node selector that leads
    elsewhere.

    Limits: namespaces of zones that ask for nodes themselves are CMP001. The platform's own pods may stand anywhere. A
    pod that names its node itself passes a NoSchedule taint, but neither a NoExecute taint nor a project node selector.
    """
    ground = context.of(isolation)
    if not ground.asked:
        yield NotApplicable(NOT_ASKED)
    elif missing := context.missing("Node"):
        yield missing
    else:
        for one in strangers(ground):
            if one.zone:
                yield _finding(ground, one, one.zone)


def _finding(ground: Isolation, one: Opened, zone: Zone) -> Finding:
    unsure = bool(one.doubts)
    title = f"nodes of zone {zone.name} let pods of other namespaces in"
    if one.asking:
        title = f"nodes of zone {zone.name} are guarded by taints that any pod may tolerate"
    return Finding(
        title=f"nobody can tell whether nodes of zone {zone.name} let strangers in" if unsure else title,
        subjects=(ObjectRef("Zone", "", zone.name),),
        verdict="not-evaluated" if unsure else "fail",
        severity="low" if one.asking else None,
        to_zone=zone.name,
        expected="taints that others cannot tolerate, or a node selector on every other namespace",
        observed=f"nodes {shown(one.nodes)} are open to namespaces {shown(one.namespaces)}",
        reason="; ".join(one.doubts),
        fix=_whitelist(ground, one) if one.asking else _taint(one, zone),
        identity=("asking",) if one.asking else (),
        owner=zone.owner,
        counts={"nodes": len(one.nodes), "namespaces": len(one.namespaces)},
    )


def _taint(one: Opened, zone: Zone) -> str:
    return (
        "Taint the nodes, and let the namespaces of the zone tolerate that by default.\n\n"
        f"kubectl taint nodes {' '.join(one.nodes[:8])} network-zone={zone.name}:NoSchedule"
    )


def _whitelist(ground: Isolation, one: Opened) -> str:
    keys = ("not-ready", "unreachable", "memory-pressure")
    listed = ",".join(f'{{"key":"node.kubernetes.io/{key}","operator":"Exists"}}' for key in keys)
    first = "" if ground.platform.whitelists else "Switch on PodTolerationRestriction in every API server. "
    return (
        f"{first}Let the namespaces outside the zone tolerate no taint of their own choice.\n\n"
        f"kubectl annotate namespace {one.namespaces[0]} "
        f"scheduler.alpha.kubernetes.io/tolerationsWhitelist='[{listed}]' --overwrite"
    )
