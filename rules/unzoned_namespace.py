"""ZON001: namespaces that belong to no zone."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Context, Finding, NotApplicable, ObjectRef, Severity, is_platform, rule, stray_labels, together


@rule(
    "ZON001",
    "Namespace belongs to no zone",
    severity="high",
    needs=("Namespace",),
    controls=("nist-800-53r5/sc-7", "pci-dss-4.0.1/12.5.2", "iso-27001-2022/a.8.22"),
)
def unzoned_namespace(context: Context) -> Iterator[Finding | NotApplicable]:
    """What it checks: that some zone of the matrix claims every namespace, by label or by selector.

    Why it matters: nobody has said what may reach an unzoned namespace, so no policy of any zone can be right for it,
    and what it holds is outside every review of the matrix.

    How to fix: label the namespace with its zone; for the platform's own namespaces add a zone of kind `platform`.

    Limits: the weight follows `defaults.unzoned`. Namespaces without pods or policies count as low, and so
    does a zone label of a namespace that names no zone where something else decides. A namespace whose object
    was not read is ZON004.
    """
    if context.matrix.defaults.unzoned == "ignore":
        yield NotApplicable("the matrix sets `defaults.unzoned: ignore`")
        return
    names = [
        name for name, claim in sorted(context.zone_map.namespaces.items()) if not claim.claims and _seen(context, name)
    ]
    has_platform = any(zone.kind == "platform" for zone in context.matrix.zones)
    platform = [] if has_platform else [name for name in names if is_platform(name)]
    held = _held(context)
    single = (_finding(context, name, _severity(context, held=name in held)) for name in names if name not in platform)
    yield from together(((one.observed, one) for one in single), lambda n, _: f"{n} namespaces belong to no zone")
    if platform:
        yield _platform(context, platform, _severity(context, held=not held.isdisjoint(platform)))
    yield from _strays(context, frozenset(names))


def _seen(context: Context, name: str) -> bool:
    namespace = context.inventory.namespaces.get(name)
    return namespace is None or namespace.known


def _held(context: Context) -> frozenset[str]:
    """Namespaces with pods or policies."""
    held = {workload.ref.namespace for workload in context.inventory.workloads}
    return frozenset(held | {policy.namespace for policy in context.inventory.policies})


def _severity(context: Context, *, held: bool) -> Severity:
    """`low` for empty namespaces and where the matrix only warns."""
    defaults = context.matrix.defaults
    return "low" if defaults.unzoned == "warn" or not held else defaults.severity


def _finding(context: Context, name: str, severity: Severity) -> Finding:
    labels = context.matrix.settings.zone_labels
    hint = f"Label it: `{labels[0]}` with the name of its zone" if labels else "Let a zone of the matrix select it"
    return Finding(
        title=f"namespace {name} belongs to no zone",
        subjects=(context.namespace_ref(name),),
        severity=severity,
        expected="one zone claims it",
        observed=context.zone_map.namespaces[name].reason,
        fix=f"{hint}. Zones: {', '.join(zone.name for zone in context.matrix.zones if zone.kind == 'cluster')}.",
    )


def _platform(context: Context, names: list[str], severity: Severity) -> Finding:
    refs: tuple[ObjectRef, ...] = tuple(context.namespace_ref(name) for name in names)
    return Finding(
        title=f"platform namespace {names[0]} belongs to no zone"
        if len(names) == 1
        else f"{len(names)} platform namespaces belong to no zone",
        subjects=refs,
        severity=severity,
        expected="a zone of kind platform takes them",
        observed="the matrix has no zone of kind platform",
        fix="Add a zone for the platform to the matrix.\n\n- name: platform\n  kind: platform\n  trust: 90",
        counts={"namespaces": len(names)},
    )


def _strays(context: Context, said: frozenset[str]) -> Iterator[Finding]:
    """Namespaces with a zone label that names no zone, although something else gives them one.

    Nodes may carry other values: those that several zones share have to be called something.
    """
    matrix, inventory = context.matrix, context.inventory
    for name, namespace in sorted(inventory.namespaces.items()):
        stray = stray_labels(matrix, matrix.settings.zone_labels, namespace.labels)
        if stray and name not in said:
            yield _stray(namespace.ref, stray[0], context.zone_map.namespaces[name].reason)


def _stray(ref: ObjectRef, label: str, reason: str) -> Finding:
    return Finding(
        title=f"label {label} of {ref.kind.lower()} {ref.name} names no zone",
        subjects=(ref,),
        severity="low",
        expected="the name of a zone of the matrix",
        observed=reason,
        fix="Give the label the name of its zone, or remove it.",
        identity=(label,),
    )
