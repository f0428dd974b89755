"""NET004: namespaces of a protected zone that no policy isolates."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import UNZONED, Context, Finding, NotApplicable, rule, together


@rule(
    "NET004",
    "Namespace of a zone has no NetworkPolicy",
    severity="medium",
    needs=("Namespace", "Pod", "NetworkPolicy"),
    undone_by=("NetworkPolicy",),
    controls=("nist-800-53r5/sc-7.5", "cis-openshift-1.9.0/5.3.2", "disa-stig-ocp4/cntr-os-000100"),
)
def namespace_without_policy(context: Context) -> Iterator[Finding | NotApplicable]:
    """What it checks: namespaces with pods, in a zone that the matrix protects, that no policy isolates for ingress.

    Why it matters: without isolation every pod of the cluster can reach these pods, whatever zone it is in, and each
    new pod is born open.

    How to fix: add the zone's policy to the namespace; the finding carries one that follows the matrix. Better still,
    have the project template create it.

    Limits: zones that the matrix lets everybody into are skipped, and so are platform namespaces, which are judged by
    the cells of the matrix alone. Namespaces with policies that do not isolate are NET003.
    """
    if context.inventory.profile.enforcement == "no":
        yield NotApplicable("the network plug-in enforces no policy, so one more would close nothing")
        return
    found = (("", one) for one in _each(context))
    yield from together(found, lambda count, one: f"{count} namespaces of zone {one.to_zone} have no NetworkPolicy")


def _each(context: Context) -> Iterator[Finding]:
    for name, isolation in sorted(context.facts.isolation.items()):
        zone = context.matrix.zone(context.zone_of(name))
        if zone is None or zone.name == UNZONED or zone.kind == "platform" or zone.name not in context.protected:
            continue
        if not isolation.policies and isolation.pods and not isolation.ingress:
            yield Finding(
                title=f"namespace {name} of zone {zone.name} has no NetworkPolicy",
                subjects=(context.namespace_ref(name),),
                to_zone=zone.name,
                expected="every pod isolated for ingress",
                observed=f"{isolation.pods} pods, no policy",
                fix="Add a policy that isolates the namespace and admits what the matrix allows."
                f"\n\n{context.zone_policy(name, zone.name)}",
                owner=zone.owner,
                counts={"pods": isolation.pods},
            )
