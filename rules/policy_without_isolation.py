"""NET003: namespaces that have a NetworkPolicy and are not isolated all the same."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.governance import POLICY_KINDS
from audit.rule import Context, Finding, Isolation, NotApplicable, ObjectRef, rule, together


@rule(
    "NET003",
    "Namespace has a NetworkPolicy but is not isolated",
    severity="high",
    needs=("Namespace", "Pod", "NetworkPolicy"),
    undone_by=POLICY_KINDS,
    controls=("nist-800-53r5/sc-7.5", "cis-openshift-1.9.0/5.3.2", "disa-stig-ocp4/cntr-os-000100"),
)
def policy_without_isolation(context: Context) -> Iterator[Finding | NotApplicable]:
    """What it checks: namespaces that have a NetworkPolicy while their pods are open for ingress all the same.

    Either no policy selects the pods, or the policies cover egress only, or one rule admits everybody on every port.

    Why it matters: scanners that look for the presence of a policy call such a namespace protected. One allow-all
    policy, or a selector with a typing error, turns them green while every pod stays open.

    How to fix: add a policy with an empty podSelector that lists Ingress, and remove the rules that admit everybody.

    Limits: only ingress is judged here, only in zones that the matrix protects; pods on the host network cannot be
    isolated by policy and are not counted. Platform namespaces are left to the platform's own operators.
    """
    if context.inventory.profile.enforcement == "no":
        yield NotApplicable("the network plug-in enforces no policy, see NET009")
        return
    yield from together(_each(context), _title_of_many)


def _each(context: Context) -> Iterator[tuple[tuple[str, ...], Finding]]:
    """Each finding with the names of the policies that open its namespace: copies of one policy are one cause."""
    for name, isolation in sorted(context.facts.isolation.items()):
        if isolation.policies and context.kind_of(name) != "platform" and context.zone_of(name) in context.protected:
            bare = isolation.pods - isolation.ingress
            if bare > 0 or isolation.open_ingress_by:
                one = _finding(context, name, isolation, bare)
                yield tuple(ref.name for ref in one.subjects[1:]), one


def _finding(context: Context, name: str, isolation: Isolation, bare: int) -> Finding:
    openers = tuple(sorted({cause.ref for cause in isolation.open_ingress_by if cause.ref}))
    partial = 0 < bare < isolation.pods and not openers
    zone = context.matrix.zone(context.zone_of(name))
    policies = f"{isolation.policies} {'policy' if isolation.policies == 1 else 'policies'}"
    return Finding(
        title=_title(name, isolation, bare, openers),
        subjects=(context.namespace_ref(name), *openers),
        severity="medium" if partial else "high",
        to_zone=zone.name if zone else "",
        path=isolation.open_ingress_by,
        expected="every pod isolated for ingress",
        observed=f"{policies}, {bare} of {isolation.pods} pods not isolated for ingress"
        + (f", {len(isolation.open_ingress_by)} rules admit everybody" if isolation.open_ingress_by else ""),
        fix=_fix(context, name, openers, bare=bare > 0),
        owner=zone.owner if zone else "",
        counts={"pods": isolation.pods, "not_isolated": bare, "policies": isolation.policies},
    )


def _title(name: str, isolation: Isolation, bare: int, openers: tuple[ObjectRef, ...]) -> str:
    if openers:
        return f"namespace {name} is isolated on paper only: {openers[0]} admits everybody"
    if bare == isolation.pods:
        return f"namespace {name} has policies, none of which isolates a pod for ingress"
    return f"namespace {name} has policies, but {bare} of its {isolation.pods} pods are open for ingress"


def _title_of_many(count: int, first: Finding) -> str:
    where = f"{count} namespaces of zone {first.to_zone}"
    if openers := first.subjects[1:]:
        return f"{where} are isolated on paper only: NetworkPolicy {openers[0].name} in each admits everybody"
    some = "not every pod" if first.severity == "medium" else "no pod"
    return f"{where} have policies that isolate {some} for ingress"


def _fix(context: Context, name: str, openers: tuple[ObjectRef, ...], *, bare: bool) -> str:
    remove = f"Remove or narrow the rules that admit everybody in {', '.join(map(str, openers))}. " if openers else ""
    if not bare and openers:
        return remove.strip()
    return f"{remove}Isolate every pod of namespace {name}.\n\n{context.zone_policy(name, context.zone_of(name))}"
