"""CMP003: workloads that stay in their zone only if something unseen keeps them there."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.node_isolation import NOT_ASKED, Isolation, isolation, shown
from audit.controls.node_sharing import Loose, loose
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar, together


@rule(
    "CMP003",
    "Workload could land outside its zone",
    severity="low",
    needs=("Namespace", "Node", "Pod"),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/cm-6", "iso-27001-2022/a.8.22"),
)
def loose_workload(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: workloads whose namespace may not be confined, and that do not keep to their zone either.

    It looks at namespaces of which CMP001 cannot tell whether they are confined, and there at node selector, required
    node affinity and tolerations of every workload.

    Why it matters: where nobody can see that admission confines a namespace, the workload's own settings are all there
    is. Without them its next pod may stand anywhere.

    How to fix: put the label of the zone's nodes into `nodeSelector` of the workload, as the YAML of the finding does,
    or show the tool what CMP001 misses.

    Limits: today's labels and taints count, a cordon or a node in trouble is no limit. Resources, affinity between pods
    and where volumes are may narrow the choice further. Bare pods never move and are not judged.
    """
    ground = context.of(isolation)
    if not ground.asked:
        yield NotApplicable(NOT_ASKED)
    elif missing := context.missing("Node", *(() if context.inventory.endpoints else ("Pod",))):
        yield missing
    else:
        found = (((one.beyond, one.unseen), _finding(context, ground, one)) for one in loose(ground))
        yield from together(found, lambda n, one: f"workloads of {n} namespaces are not bound to zone {one.to_zone}")


def _finding(context: Context, ground: Isolation, one: Loose) -> Finding:
    many = len(one.workloads)
    return Finding(
        title=f"{many} workload{'s' if many > 1 else ''} of namespace {one.namespace} could land outside zone "
        f"{one.zone.name}",
        subjects=tuple(sorted(context.inventory.workloads[number].ref for number in one.workloads)),
        verdict="not-evaluated" if one.unseen else "fail",
        to_zone=one.zone.name,
        expected=f"only nodes of zone {one.zone.name} fit",
        observed=f"nodes {shown(one.beyond)} fit as well",
        reason="; ".join(one.unseen),
        fix=_fix(ground, one),
        identity=("unseen",) if one.unseen else (),
        owner=one.zone.owner,
        counts={"workloads": many},
    )


def _fix(ground: Isolation, one: Loose) -> str:
    selector = ground.selecting(one.zone)
    if not selector:
        return f"Give the nodes of zone {one.zone.name} a label of their own, and the workloads a selector for it."
    labels = (part.partition("=") for part in selector.split(","))
    lines = "\n".join(f"        {scalar(key)}: {scalar(value)}" for key, _, value in labels)
    return (
        f"Bind the workloads to the nodes of their zone.\n\nspec:\n  template:\n    spec:\n      nodeSelector:\n{lines}"
    )
