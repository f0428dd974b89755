"""CMP001: namespaces whose pods are not kept on the nodes of their zone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from audit.controls.node_isolation import NOT_ASKED, Isolation, Unconfined, isolation, shown, unconfined
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, together

TITLES = {
    "open": "pods of {} may land outside zone {}",
    "nowhere": "the node selector of {} matches no node of zone {}",
    "unreadable": "the node selector of {} cannot be read",
    "unknown": "nobody can tell whether pods of {} stay in zone {}",
    "confined": "the node selector of {} names a label twice, and only the last one counts",
}
WEIGHTS = {"nowhere": "medium", "unreadable": "medium", "confined": "low"}


@rule(
    "CMP001",
    "Namespace is not kept on the nodes of its zone",
    severity="high",
    needs=("Namespace", "Node"),
    controls=("nist-800-53r5/ac-4.21", "nist-800-53r5/sc-7.21", "iso-27001-2022/a.8.22"),
)
def unconfined_namespace(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that no pod of a zone with `requires: [node-isolation]` can land outside its nodes.

    What binds whoever writes the pod counts: the project node selector of the namespace (from
    `scheduler.alpha.kubernetes.io/node-selector`, else `openshift.io/node-selector`, else the cluster's default), and
    NoExecute taints that its whitelist of tolerations does not pass. A pod that names its node itself runs into no
    other taint.

    Why it matters: a selector in a pod is the choice of whoever writes the pod. Only what admission adds keeps
    applications of two zones off one kernel.

    How to fix: `oc annotate namespace NAME openshift.io/node-selector=KEY=VALUE`, with a label that only nodes of the
    zone carry, then restart the pods: those that run are never moved. On plain Kubernetes switch on PodNodeSelector
    and use its annotation.

    Limits: a default that no object shows (the masters' configuration of OpenShift 3, a Scheduler that was not read)
    and webhooks that may change pods make it not-evaluated, unless pods run that carry no such limit. Validating
    engines are named and not evaluated. Who may change the annotation is a question of access rights.
    """
    ground = context.of(isolation)
    if not ground.asked:
        yield NotApplicable(NOT_ASKED)
    elif missing := context.missing("Node"):
        yield missing
    else:
        found = ((_alike(one), _finding(ground, one)) for one in unconfined(ground))
        yield from together(found, lambda n, first: TITLES[first.identity[0]].format(f"{n} namespaces", first.to_zone))


def _alike(one: Unconfined) -> tuple[str, ...]:
    return (one.state, one.admitted.source, one.admitted.text, one.admitted.ignored)


def _finding(ground: Isolation, one: Unconfined) -> Finding:
    unknown = one.state == "unknown"
    return Finding(
        title=TITLES[one.state].format(f"namespace {one.namespace.name}", one.zone.name),
        subjects=(one.namespace.ref,),
        verdict="not-evaluated" if unknown else "fail",
        severity=WEIGHTS.get(one.state),  # type: ignore[arg-type]
        to_zone=one.zone.name,
        expected=f"a project node selector that only nodes of zone {one.zone.name} match",
        observed="; ".join(_observed(ground, one)),
        reason="; ".join((*one.admitted.doubts, *one.admitted.blind)) if unknown else "",
        fix=_fix(ground, one),
        identity=(one.state,),
        owner=one.zone.owner,
    )


def _observed(ground: Isolation, one: Unconfined) -> Iterator[str]:
    admitted = one.admitted
    if admitted.ignored:
        yield admitted.ignored
    if admitted.error:
        yield f"{admitted.source}: {admitted.error}, so the API server refuses every pod"
    elif not admitted.source:
        yield "no project node selector"
    elif not admitted.text.strip():
        yield f"{admitted.source} is empty, which means none"
    else:
        yield f"{admitted.source}: `{admitted.text}`"
    if admitted.repeated:
        yield f"two values for {', '.join(admitted.repeated)}"
    if one.beyond and not admitted.error:
        yield f"open to nodes {shown(one.beyond)}"
    if ground.engines and one.state != "confined":
        yield f"other admission engine present: {shown(ground.engines)}"


def _fix(ground: Isolation, one: Unconfined) -> str:
    selector, annotation = ground.selecting(one.zone), ground.annotation(one.namespace)
    if not selector:
        return f"Give the nodes of zone {one.zone.name} a label of their own, and the namespace a selector for it."
    first = "Give the namespace a node selector that only nodes of its zone match, then restart its pods."
    if annotation != "openshift.io/node-selector" and not ground.platform.selectors:
        first = f"Switch on the admission plug-in PodNodeSelector in every API server. {first}"
    mark = shlex.quote(f"{annotation}={selector}")
    return f"{first}\n\nkubectl annotate namespace {one.namespace.name} {mark} --overwrite"
