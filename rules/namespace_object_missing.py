"""ZON004: namespaces whose labels are unknown because the object was not read."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import UNZONED, Context, Finding, rule, together


@rule(
    "ZON004",
    "Namespace object is missing, so its labels are unknown",
    severity="medium",
    needs=("Namespace",),
    controls=("nist-800-53r5/ca-7",),
)
def namespace_object_missing(context: Context) -> Iterator[Finding]:
    """What it checks: that the Namespace object of every namespace with pods or policies was read.

    Why it matters: zones and policies choose namespaces by label. Without the object only its name is certain, so
    neither its zone nor the peers that select it can be told.

    How to fix: add the Namespace manifests to the sources, or overlay them from the cluster.

    Limits: where the matrix claims the namespace by name its zone is certain, and this is information only; what
    policies make of its labels stays unknown.
    """
    found = (("", one) for one in _each(context))
    yield from together(found, lambda count, _: f"the labels of {count} namespaces are unknown")


def _each(context: Context) -> Iterator[Finding]:
    for name, namespace in sorted(context.inventory.namespaces.items()):
        if namespace.known:
            continue
        zoned = context.zone_of(name) != UNZONED
        reason = f"the Namespace object of {name} was not read"
        yield Finding(
            title=f"the labels of namespace {name} are unknown",
            subjects=(context.namespace_ref(name),),
            verdict="fail" if zoned else "not-evaluated",
            severity="info" if zoned else None,
            to_zone=context.zone_of(name) if zoned else "",
            expected="a Namespace object",
            observed="none",
            fix=f"Add the manifest of Namespace {name} to the sources.",
            reason="" if zoned else reason,
        )
