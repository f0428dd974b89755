"""ZON002: namespaces and nodes that several zones claim."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Context, Finding, Membership, ObjectRef, rule


@rule(
    "ZON002",
    "Namespace or node is claimed by several zones",
    severity="high",
    needs=("Namespace", "Node"),
    controls=("nist-800-53r5/sc-7", "iso-27001-2022/a.8.22"),
)
def doubly_zoned_namespace(context: Context) -> Iterator[Finding]:
    """What it checks: that no namespace and no node is selected by more than one zone of the matrix.

    Why it matters: what two zones claim can be used to get from one into the other, and no row of the matrix says which
    rules hold. It is judged as unzoned until the claim is settled.

    How to fix: change the labels, or the selectors of the zones, so that one zone claims it.

    Limits: claims are compared as the matrix states them; a label that a user may change is a question of access
    rights.
    """
    for name, membership in sorted(context.zone_map.namespaces.items()):
        if len(membership.claims) > 1:
            yield _finding(context, context.namespace_ref(name), membership)
    for name, membership in sorted(context.zone_map.nodes.items()):
        if len(membership.claims) > 1:
            node = context.inventory.nodes.get(name)
            yield _finding(context, ObjectRef("Node", "", name, node.origin if node else None), membership)


def _finding(context: Context, ref: ObjectRef, membership: Membership) -> Finding:
    return Finding(
        title=f"{ref.kind.lower()} {ref.name} is claimed by {' and '.join(membership.claims)}",
        subjects=(ref,),
        severity=context.matrix.defaults.severity,
        expected="one zone claims it",
        observed=f"claimed by {', '.join(membership.claims)}",
        fix=f"Change its labels, or the selectors of {' and '.join(membership.claims)}, so that one zone claims it.",
        identity=tuple(sorted(membership.claims)),
    )
