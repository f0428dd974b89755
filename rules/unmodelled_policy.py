"""NET007: policies that this audit does not understand in full."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Context, Finding, Gap, ObjectRef, rule

_UNDERSTOOD = frozenset({"not-modelled", "unknown-field"})


@rule(
    "NET007",
    "Policy kind or field is not modelled",
    severity="medium",
    needs=(),
    controls=("nist-800-53r5/ca-7",),
)
def unmodelled_policy(context: Context) -> Iterator[Finding]:
    """What it checks: objects that may change what the network lets through and that the model does not read in full.

    These are policy kinds of network plug-ins and service meshes, and unknown fields of known kinds.

    Why it matters: they may open or close connections. A verdict that ignored them would be a guess, so the cells they
    could change are not-evaluated, and this rule names them.

    How to fix: judge these objects by hand, or express what they do as NetworkPolicies.

    Limits: the rule cannot fail; it never turns anything into a pass either. Kinds that the scan may not list are named
    in the completeness table.
    """
    for fact in context.facts.policies:
        if fact.gaps:
            yield Finding(
                title=f"{fact.ref}: {fact.gaps[0]}",
                subjects=(fact.ref,),
                verdict="not-evaluated",
                observed="; ".join(fact.gaps),
                fix="Check the field against the API; a typing error is the usual cause.",
                reason="; ".join(fact.gaps),
            )
    stated = {str(fact.ref) for fact in context.facts.policies if fact.gaps}
    by_kind: dict[str, list[Gap]] = {}
    for gap in context.gaps:
        if gap.reason in _UNDERSTOOD and gap.scope not in stated:
            by_kind.setdefault(gap.kind, []).append(gap)
    for kind, gaps in sorted(by_kind.items()):
        yield _kind(context, kind, sorted(gaps))


def _kind(context: Context, kind: str, gaps: list[Gap]) -> Finding:
    entries = context.inventory.snapshot.of(kind)
    subjects = tuple(ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin) for entry in entries)
    texts = tuple(dict.fromkeys(gap.text or f"{kind} is not modelled" for gap in gaps))
    return Finding(
        title=f"{kind} is not modelled" if any(gap.reason == "not-modelled" for gap in gaps) else f"{kind}: {texts[0]}",
        subjects=subjects or (ObjectRef(kind, "", gaps[0].scope or "cluster"),),
        verdict="not-evaluated",
        observed="; ".join(texts),
        fix="Judge these objects by hand, or express what they do as NetworkPolicies.",
        reason="; ".join(texts),
        identity=(kind,),
        counts={"objects": len(subjects)} if subjects else {},
    )
