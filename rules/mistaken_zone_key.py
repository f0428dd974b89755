"""ZON005: policies that select zones by a label which no namespace carries."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.governance import POLICY_KINDS, MistakenKey, mistaken_keys, zone_labels
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule, scalar


@rule(
    "ZON005",
    "Policies select zones by a label that no namespace carries",
    severity="medium",
    needs=("Namespace", "NetworkPolicy"),
    controls=("nist-800-53r5/cm-6", "nist-800-53r5/sc-7", "pci-dss-4.0.1/1.2.8", "iso-27001-2022/a.8.22"),
)
def mistaken_zone_key(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: that policies select the namespaces of a zone by a label, and a value, that these do carry.

    Namespaces labelled `network-zone=a` and policies that select `name=network-zone-a` belong to two designs.

    Why it matters: the peer matches nothing. Connections that the matrix allows are cut, or somebody opens the policy
    further to make them work; and whoever may label a namespace is let in by giving it the forgotten label.

    How to fix: name the label of the zone in the selectors; the finding gives it for each value. List the labels with
    `oc get namespaces -L network-zone`.

    Limits: a value is taken for a zone when the name of a zone of the matrix that has namespaces stands in it, between
    `-`, `_` or `.`. Only `In` conditions on labels of namespaces are looked at. Peers that match nothing for
    another reason are NET005.
    """
    if not any(True for _ in context.scene.of(*POLICY_KINDS[1:])) and (missing := context.missing("NetworkPolicy")):
        yield missing
        return
    if missing := context.missing("Namespace"):
        yield missing
        return
    yield from (_finding(context, one) for one in context.of(mistaken_keys))


def _finding(context: Context, one: MistakenKey) -> Finding:
    known = one.key in context.matrix.settings.zone_labels
    shown = ", ".join(f"{one.key}={value}" for value, _ in one.values)
    return Finding(
        title=f"policies select zones by values of label {one.key} that no namespace carries"
        if known
        else f"policies select zones by label {one.key}, which no namespace of the zones carries",
        subjects=one.policies,
        verdict="not-evaluated" if one.unread else "fail",
        reason=f"the labels of namespace {one.unread[0]} were not read, so it may carry them" if one.unread else "",
        expected="the label that the namespaces of the zone carry",
        observed=f"{shown} in {len(one.policies)} {'policy' if len(one.policies) == 1 else 'policies'}; "
        "no namespace is labelled so",
        fix="Select the zone by the label that its namespaces carry.\n\n"
        + "\n".join(_replacement(context, one.key, value, zone) for value, zone in one.values),
        identity=(one.key,),
        counts={"policies": len(one.policies), "values": len(one.values)},
    )


def _replacement(context: Context, key: str, value: str, name: str) -> str:
    """The peer that means the zone, below what it stands for."""
    zone = context.matrix.zone(name)
    labels = zone_labels(zone, context.matrix.settings.zone_labels) if zone else {}
    pairs = ", ".join(f"{scalar(label)}: {scalar(text)}" for label, text in labels.items())
    instead = f"- namespaceSelector: {{matchLabels: {{{pairs}}}}}" if pairs else f"# as the matrix selects zone {name}"
    return f"# instead of {scalar(key)}: {scalar(value)}\n{instead}"
