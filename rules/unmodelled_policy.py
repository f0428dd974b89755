"""NET007: policies that this audit does not understand in full."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Context, Finding, Gap, ObjectRef, rule

_NOT_UNDERSTOOD = frozenset({"not-modelled", "unknown-field"})


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
            yield _undecided(fact.gaps[0], (fact.ref,), fact.gaps)
    by_kind: dict[str, list[ObjectRef]] = {}
    for ref in context.facts.foreign:
        by_kind.setdefault(ref.kind, []).append(ref)
    for kind, refs in sorted(by_kind.items()):
        yield _undecided(f"{kind} is not modelled", tuple(sorted(refs)), (f"{kind} is not modelled",))
    yield from _gaps(context, {*by_kind, *(str(fact.ref) for fact in context.facts.policies if fact.gaps)})


def _gaps(context: Context, stated: set[str]) -> Iterator[Finding]:
    """What the sources report of kinds and objects that are not named yet."""
    by_kind: dict[str, list[Gap]] = {}
    for gap in sorted(context.gaps):
        kind = gap.kind.partition(".")[0]
        if gap.reason in _NOT_UNDERSTOOD and gap.scope not in stated and not {kind, gap.kind} & stated:
            by_kind.setdefault(gap.kind, []).append(gap)
    for kind, gaps in sorted(by_kind.items()):
        entries = context.inventory.snapshot.of(kind)
        refs = tuple(ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin) for entry in entries)
        texts = tuple(dict.fromkeys(gap.text or f"{kind} is not modelled" for gap in gaps))
        yield _undecided(texts[0], refs or (ObjectRef(kind, "", gaps[0].scope or "cluster"),), texts)


def _undecided(title: str, subjects: tuple[ObjectRef, ...], texts: tuple[str, ...]) -> Finding:
    named = f"{subjects[0]}: " if len(subjects) == 1 else ""
    return Finding(
        title=f"{named}{title}",
        subjects=subjects,
        verdict="not-evaluated",
        observed="; ".join(texts),
        fix="Judge it by hand, or express what it does with the kinds and fields of the NetworkPolicy API.",
        reason="; ".join(texts),
        counts={"objects": len(subjects)},
    )
