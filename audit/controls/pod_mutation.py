"""What else may change pods when they are created: mutating webhooks, and the engines that work through them.

What a webhook does is not in any snapshot, so it may place pods. Validating engines only refuse; they are named and
decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from audit.control_bodies import Webhook, WebhookRule
from audit.controls.scene import Scene
from audit.model import NAME_LABEL
from audit.raw_body import RawBody
from audit.selectors import LabelSelector

MUTATING = "MutatingWebhookConfiguration.admissionregistration.k8s.io"
_MUTATORS = (
    "MutatingAdmissionPolicy.admissionregistration.k8s.io",
    "Assign.mutations.gatekeeper.sh",
    "ModifySet.mutations.gatekeeper.sh",
)
_KYVERNO = ("ClusterPolicy.kyverno.io", "Policy.kyverno.io")
_VALIDATORS = (
    "ValidatingAdmissionPolicy.admissionregistration.k8s.io",
    "ConstraintTemplate.templates.gatekeeper.sh",
    *_KYVERNO,
)
READ = (MUTATING, *_MUTATORS, *_VALIDATORS)


class Mutator(NamedTuple):
    """Something that may place pods."""

    text: str
    namespaces: LabelSelector | None
    """Whose pods it sees; None where that is not known, so every namespace's."""

    def sees(self, labels: Mapping[str, str]) -> bool:
        """Whether pods of a namespace with these labels may pass through it."""
        return self.namespaces is None or self.namespaces.matches(labels)


def mutators(scene: Scene) -> tuple[Mutator, ...]:
    """All that may place pods at their creation, sorted by name."""
    found = [*_webhooks(scene), *(Mutator(f"{one.kind} {one.name}", None) for one in scene.of(*_MUTATORS))]
    found += [
        Mutator(f"{one.kind} {one.name}", _own(one.namespace)) for one in scene.of(*_KYVERNO) if _mutates(one.body)
    ]
    return tuple(sorted(found, key=lambda one: one.text))


def validators(scene: Scene) -> tuple[str, ...]:
    """Engines that may refuse pods, as `kind name`, sorted; what they refuse is not evaluated."""
    return tuple(sorted({f"{one.kind} {one.name}" for one in scene.of(*_VALIDATORS)}))


def _webhooks(scene: Scene) -> Iterator[Mutator]:
    for entry in scene.of(MUTATING):
        for hook in entry.body.webhooks or ():
            if _on_pods(hook.rules or ()):
                yield Mutator(f"{entry.kind} {entry.name} ({hook.name})", _selector(hook))


def _on_pods(rules: Iterable[WebhookRule]) -> bool:
    return any(
        not {"", "*"}.isdisjoint(rule.apiGroups or ())
        and not {"CREATE", "*"}.isdisjoint(rule.operations or ())
        and not {"pods", "*", "*/*"}.isdisjoint(rule.resources or ())
        for rule in rules
    )


def _selector(hook: Webhook) -> LabelSelector | None:
    try:
        return LabelSelector.parse(hook.namespaceSelector)
    except ValueError:
        return None


def _own(namespace: str) -> LabelSelector | None:
    """What selects the one namespace that a policy of Kyverno stands in; None for one of the cluster."""
    return LabelSelector.parse({"matchLabels": {NAME_LABEL: namespace}}) if namespace else None


def _mutates(body: RawBody) -> bool:
    """Whether a policy of Kyverno has a rule that changes objects; one that cannot be read may."""
    try:
        spec: Any = msgspec.json.decode(body.spec) if bytes(body.spec) else {}
    except msgspec.DecodeError:
        return True
    rules = spec.get("rules") if isinstance(spec, dict) else None
    return any("mutate" in rule for rule in rules if isinstance(rule, dict)) if isinstance(rules, list) else True
