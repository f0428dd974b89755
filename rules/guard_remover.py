"""OWN011: others than the owners may remove admission guards or kinds of objects."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership
from audit.controls.ownership_guards import guards, kept
from audit.controls.ownership_words import Wording, told
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

WORDS = Wording(
    may="remove admission guards or kinds of objects",
    expected="only the owners of zoning change what guards it",
    fix="Take the right out of the role or delete the bindings; or name the holders in `settings.zoning_owners`.",
)


@rule(
    "OWN011",
    "Others than the owners may remove admission guards or kinds of objects",
    severity="high",
    needs=NEEDS,
    controls=(
        "nist-800-53r5/ac-4",
        "nist-800-53r5/cm-6",
    ),
)
def guard_remover(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who beside the owners may remove what guards objects at admission.

    That is to write webhook configurations, admission policies and their bindings, to change or delete custom resource
    definitions, and to write API services.

    Why it matters: whoever removes the guard of the policies may change them after that; deleting a definition deletes
    every object of the kind, such as all egress firewalls.

    How to fix: take the right out of the role, or delete the binding with the `kubectl` command that the finding gives;
    name operators that must install them in settings.zoning_owners.

    Limits: who holds every right is told by OWN010 only. Creating a new definition is not counted: it changes no object
    that is there.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for part in kept(found, context.of(guards), "guards"):
        yield Finding(**told(context.scene, part, WORDS))
