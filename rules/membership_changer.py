"""OWN003: others than the owners may move namespaces between zones."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, Ownership, ownership
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_recreation import recreations
from audit.controls.ownership_words import Wording, removal, some, told, who
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="move namespaces between zones",
    expected="only the owners of zoning create namespaces and change their labels and annotations",
    fix="Take the right out of the role or delete the bindings; or name the holders in `settings.zoning_owners`.",
)


@rule(
    "OWN003",
    "Others than the owners may move namespaces between zones",
    severity="high",
    needs=NEEDS,
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "iso-27001-2022/a.8.22"),
)
def membership_changer(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may change labels and annotations of namespaces, or create them.

    A binding inside a namespace counts as well: it can give the right to change the Namespace object of that name. So
    does the configuration of project requests. Whoever may delete a project and ask for it again is found at low.

    Why it matters: the label is what puts a namespace into a zone, and annotations choose its nodes. Whoever changes or
    creates them joins any zone; a project that is asked for again comes back without labels, policies and quotas.

    How to fix: take `update`, `patch` and `create` on namespaces out of the role, or delete the binding with the
    `kubectl` command that the finding gives; take self-provisioner from `system:authenticated:oauth`.

    Limits: who holds every right is told by OWN010 only. The Project API of OpenShift changes no label, so rights on
    projects count for deletion only. What a template of project requests adds to a new project is judged elsewhere.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for part in kept(found, context.of(guards), "membership"):
        yield Finding(**told(context.scene, part, WORDS))
    yield from _recreated(found)


def _recreated(found: Ownership) -> Iterator[Finding]:
    for one in recreations(found):
        yield Finding(
            title=f"{who(one.subjects)} may delete {len(one.namespaces)} projects of zones and ask for them again",
            severity="low",
            subjects=one.asking.bindings,
            expected="a project of a zone is not made again without its zone",
            observed=f"delete in {some(one.namespaces)}; projectrequests through {one.asking.bindings[0]}",
            fix="Let the owners of zoning hand out projects: take the right to ask for projects away.\n\n"
            + removal(one.asking),
            identity=("recreate",),
            counts={"subjects": len(one.subjects), "namespaces": len(one.namespaces)},
        )
