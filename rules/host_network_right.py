"""OWN009: pods of a zone may be put onto the host network."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, Ownership, ownership
from audit.controls.ownership_guards import Kept, guards
from audit.controls.ownership_hosts import (
    CONSTRAINTS,
    ENFORCE,
    Unlabelled,
    allowed,
    constrained,
    named,
    unlabelled,
    unread,
    without_constraints,
)
from audit.controls.ownership_words import Wording, some, told, who
from audit.controls.storage_quotas import RUN_LEVEL
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

EXPECTED = "nobody puts pods of a zone onto the host network"
OUTSIDE = "manifests without security context constraints or nodes do not tell which platform admits the pods"


@rule(
    "OWN009",
    "Pods of a zone may be put onto the host network",
    severity="medium",
    needs=(*NEEDS, CONSTRAINTS),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "cis-openshift-1.9.0/5.2.4"),
)
def host_network_right(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may run pods with hostNetwork in the namespaces of zones.

    On OpenShift that is whoever may use security context constraints that allow it: users, groups and service accounts
    that the constraints list, and holders of the verb use. Namespaces with a run level have no constraints at all. On
    Kubernetes the label pod-security.kubernetes.io/enforce decides.

    Why it matters: no policy binds a pod on the host network; it acts as its node does, and it is in every zone that
    the node can reach.

    How to fix: `oc adm policy remove-scc-from-user` for what the constraints list; delete the binding with the
    `kubectl` command that the finding gives; label the namespaces as the finding says.

    Limits: who holds every right is told by OWN010 only. Whether a holder may create pods is not asked. A default of
    pod security that the API server reads from a file is in no object. Engines of admission only weaken a finding.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if constrained(context.scene):
        if missing := context.missing(CONSTRAINTS):
            yield missing
        if found.unread:
            yield NotEvaluated(found.unread)
        yield from _constraints(context, found)
    elif not context.scene.cluster:
        yield NotApplicable(OUTSIDE)
        return
    else:
        for one in unlabelled(context.scene, context.of(guards)):
            yield _label(context, one)
    if unknown := unread(context.scene):
        yield NotEvaluated(f"the labels of namespaces {some(unknown)} were not read, and they decide")


def _constraints(context: Context, found: Ownership) -> Iterator[Finding]:
    for listed in named(found):
        yield Finding(
            title=f"{listed.constraints} lets {who(listed.subjects)} use the host network in zones",
            subjects=(listed.constraints,),
            expected=EXPECTED,
            observed=f"users and groups of {listed.constraints} hold {who(listed.subjects)}",
            fix="Take them out of `users` and `groups` of the constraints.",
            identity=("listed",),
            counts={"subjects": len(listed.subjects)},
        )
    for one in allowed(found):
        words = Wording(
            f"use the host network ({some(one.constraints)})",
            EXPECTED,
            "Let the role name constraints without host network in `resourceNames`, or delete the bindings.",
        )
        yield Finding(**told(context.scene, Kept(one.holding, ()), words))
    if free := tuple(without_constraints(context.scene)):
        yield Finding(
            title=f"a run level keeps {len(free)} namespace{'s' if free[1:] else ''} of zones unchecked",
            subjects=tuple(one.ref for one in free),
            expected=EXPECTED,
            observed=f"label {RUN_LEVEL}, or a name of the platform's own, on {some(tuple(one.name for one in free))}",
            fix="Take the label away; move the workloads out where the name is the platform's own.\n\n"
            f"kubectl label namespace {free[0].name} {RUN_LEVEL}-",
            identity=("run-level",),
            counts={"namespaces": len(free)},
        )


def _label(context: Context, one: Unlabelled) -> Finding:
    zone = context.matrix.zone(one.zone)
    names = tuple(namespace.name for namespace in one.namespaces)
    many = f"{len(names)} namespaces of zone {one.zone} let" if names[1:] else f"namespace {names[0]} lets"
    guarded = f", unless {some(one.guards)} refuses it" if one.guards else ""
    return Finding(
        title=f"{many} pods use the host network{guarded}",
        severity="low" if one.guards else None,
        subjects=tuple(namespace.ref for namespace in one.namespaces),
        to_zone=one.zone,
        owner=zone.owner if zone else "",
        expected=EXPECTED,
        observed=f"label {ENFORCE} is neither baseline nor restricted on {some(names)}",
        fix=f"Label the namespaces, once their pods fit the level.\n\n"
        f"kubectl label namespace {names[0]} {ENFORCE}=baseline --overwrite",
        identity=("label", *one.guards),
        counts={"namespaces": len(names)},
    )
