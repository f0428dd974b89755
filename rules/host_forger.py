"""OWN007: tenants may claim any host name or forge the admission of routes."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_words import Wording, told
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="claim host names or forge the admission of routes",
    expected="tenants take the host names that they are given",
    fix="Give the tenants a role without routes/custom-host and routes/status; or name them in "
    "`settings.zoning_owners`.",
)


@rule(
    "OWN007",
    "Tenants may claim any host name or forge the admission of routes",
    severity="medium",
    needs=NEEDS,
    controls=(
        "nist-800-53r5/ac-4",
        "nist-800-53r5/sc-7",
    ),
)
def host_forger(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may choose host names or forge the status of Routes.

    The rights are routes/custom-host and routes/status in the namespaces of zones. The roles edit and admin may choose
    host names, and admin writes the status.

    Why it matters: a Route with the host name of another zone takes its traffic where it was not claimed first, and a
    forged status shows a route as served, or not, by a shard.

    How to fix: bind tenants to a role without routes/custom-host and routes/status, or delete the binding with the
    `kubectl` command that the finding gives.

    Limits: who holds every right is told by OWN010 only. Which host names belong to which zone is not known here;
    routers refuse a name that another namespace holds unless their namespaceOwnership allows it.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for part in kept(found, context.of(guards), "hosts"):
        yield Finding(**told(context.scene, part, WORDS))
