"""NET002: policies that admit outside addresses although nothing leads them in yet."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Cell, Context, Finding, ObjectRef, rule

_NAMED = 3
"""Objects that a fix names; the finding lists them all."""


@rule(
    "NET002",
    "Policy admits outside addresses that no entry point leads in",
    severity="low",
    needs=("Namespace", "Pod", "NetworkPolicy"),
    controls=("nist-800-53r5/sc-7.5", "pci-dss-4.0.1/1.3.1"),
)
def unexposed_open_policy(context: Context) -> Iterator[Finding]:
    """What it checks: outside addresses that policy lets in beyond the matrix, although nothing leads them there.

    No route, ingress, load balancer, node port, host port or routable pod network is known that would.

    Why it matters: the only barrier left is that nobody has created an entry point, which any team may do with one
    object.

    How to fix: narrow the rule that admits the addresses, or isolate the namespace, so that an entry point alone opens
    nothing.

    Limits: entry points outside the cluster's objects, such as a static route to the pod network, are not seen.
    """
    for cell in context.cells:
        for breach in cell.flow.breaches:
            if not breach.exposed:
                cause = breach.ingress
                lets = "lets" if breach.certain else "may let"
                yield Finding(
                    title=f"policy {lets} outside addresses of {cell.source} into {cell.target} on {breach.traffic}; "
                    "nothing leads there",
                    verdict="fail" if breach.certain else "not-evaluated",
                    subjects=breach.subjects or (ObjectRef("Zone", "", cell.target),),
                    from_zone=cell.source,
                    to_zone=cell.target,
                    traffic=breach.traffic,
                    path=(cause,) if cause else (),
                    evidence=(breach.witness,) if breach.witness else (),
                    matrix_row=cell.expectation.row.id if cell.expectation.row else "",
                    expected=str(cell.expectation.allowed),
                    observed=f"{breach.traffic} is open in policy, not exposed",
                    fix=_fix(cell, breach.subjects),
                    reason=", ".join(breach.reasons),
                    identity=breach.reasons,
                    owner=_owner(context, cell),
                    counts={"pairs": breach.pairs, "targets": breach.targets},
                )


def _fix(cell: Cell, subjects: tuple[ObjectRef, ...]) -> str:
    names = ", ".join(str(subject) for subject in subjects[:_NAMED]) or f"zone {cell.target}"
    more = f" and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
    if any(subject.kind == "Namespace" for subject in subjects):
        return f"Isolate {names}{more} for ingress."
    return f"Narrow {names}{more}: addresses of {cell.source} may enter only where the matrix lets them."


def _owner(context: Context, cell: Cell) -> str:
    zone = context.matrix.zone(cell.target)
    return zone.owner if zone else ""
