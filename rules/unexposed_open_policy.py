"""NET002: policies that admit outside addresses although nothing leads them in yet."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Cell, Context, Finding, ObjectRef, rule


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
                yield Finding(
                    title=f"policy lets {cell.source} into {cell.target} on {breach.traffic}, but nothing leads there",
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
                    owner=_owner(context, cell),
                    counts={"pairs": breach.pairs, "targets": breach.targets},
                )


def _fix(cell: Cell, subjects: tuple[ObjectRef, ...]) -> str:
    names = ", ".join(str(subject) for subject in subjects[:3])
    more = f" and {len(subjects) - 3} more" if len(subjects) > 3 else ""  # noqa: PLR2004 - as many as were named
    return (
        f"Let {names or 'the policies of the zone'}{more} admit addresses of {cell.source} only where the matrix does."
    )


def _owner(context: Context, cell: Cell) -> str:
    zone = context.matrix.zone(cell.target)
    return zone.owner if zone else ""
