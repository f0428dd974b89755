"""OWN010: others than the owners may give themselves the rights of the owners."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, Ownership, ownership
from audit.controls.ownership_guards import Kept, guards, kept
from audit.controls.ownership_words import FEW, Wording, commands, some, told, who
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

FULL = Wording(
    may="do everything",
    expected="only the owners of zoning hold every right",
    fix="Bind a role with the rights that are needed; or name the holders in `settings.zoning_owners`.",
)
WORDS = Wording(
    may="take the rights of others",
    expected="nobody but the owners of zoning can widen their rights",
    fix="Take the right out of the role or delete the bindings; or name the holders in `settings.zoning_owners`.",
)


@rule(
    "OWN010",
    "Others than the owners may take every right, or give it to themselves",
    severity="high",
    needs=NEEDS,
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/cm-6"),
)
def escalation(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners holds every right, or can widen the rights they hold.

    Every right may hold cluster-wide or within a namespace of a zone. Rights are widened with escalate and bind, by
    impersonation, tokens of service accounts, groups and users, and by approval of certificates. Bindings to a role
    that does not exist are found at low: who may create the role decides what they give.

    Why it matters: with them every other control of who may change zoning is void. Every right in one namespace
    includes its policies and quotas and the Namespace object with its zone label.

    How to fix: bind a narrower role, or delete the binding with the `kubectl` command that the finding gives; name
    administrators that are meant to hold every right in settings.zoning_owners.

    Limits: the group system:cluster-admins of OpenShift passes while no Group object shows members, because then only
    certificates can hold it, as with system:masters; members of a Group object are judged one by one. To write roles
    and bindings without escalate or bind gives nothing that the writer does not hold, and is not reported. Secrets
    are not followed: the token of a service account may lie in one.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for holding in found.holdings.get("full", ()):
        fields = told(context.scene, Kept(holding, ()), FULL)
        yield Finding(**fields | {"severity": "critical" if holding.everywhere else None})
    for part in kept(found, context.of(guards), "escalation"):
        yield Finding(**told(context.scene, part, WORDS))
    yield from _dangling(found)


def _dangling(found: Ownership) -> Iterator[Finding]:
    """Bindings that wait for a role, by the name of the role."""
    waiting: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(found.dangling):
        kind = "Role" if one.role[0] else "ClusterRole"
        waiting.setdefault((kind, one.role[1]), []).append(place)
    for (kind, name), places in sorted(waiting.items()):
        bindings = tuple(sorted(found.dangling[place].ref for place in places))
        holders = {one for place in places for one in found.owners.strangers(found.dangling[place].subjects)}
        wait = "bindings wait" if places[1:] else "binding waits"
        yield Finding(
            title=f"{len(places)} {wait} for {kind} {name}, which does not exist",
            severity="low",
            subjects=bindings,
            expected="bindings name roles that exist",
            observed=f"{some(tuple(map(str, bindings)))} would give {who(sorted(holders))} whatever the role will say",
            fix=f"Delete the bindings, or create the role first.\n\n{commands(bindings[:FEW])}",
            identity=("dangling", kind, name),
            counts={"bindings": len(places), "subjects": len(holders)},
        )
