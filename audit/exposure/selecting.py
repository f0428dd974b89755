"""Which namespaces some selectors pick, without trying every selector on every namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.model import NAME_LABEL, Namespace
from audit.selectors import LabelSelector, Requirement

Picked = tuple[int, bool]
"""Number of a selector, and whether it certainly picks."""


def readable(raw: Any) -> LabelSelector | None:
    """The selector; None for one that nobody can read, which may pick anything."""
    try:
        return LabelSelector.parse(raw)
    except ValueError:
        return None


def picked(
    namespaces: Mapping[str, Namespace], selectors: Sequence[LabelSelector | None]
) -> dict[str, tuple[Picked, ...]]:
    """Namespace -> the selectors that pick it, possibly or certainly; namespaces that none picks are left out."""
    index = _Index(namespaces.values())
    found: dict[str, list[Picked]] = {}
    for number, selector in enumerate(selectors):
        for namespace in index.candidates(selector):
            sure = False if selector is None else _picks(selector, namespace)
            if sure is not None:
                found.setdefault(namespace.name, []).append((number, sure))
    return {name: tuple(listed) for name, listed in found.items()}


def _picks(selector: LabelSelector, namespace: Namespace) -> bool | None:
    """Whether it certainly picks the namespace; None where it certainly does not."""
    decided = [one for one in selector.requirements if namespace.known or one.key == NAME_LABEL]
    if not all(one.matches(namespace.labels) for one in decided):
        return None
    return len(decided) == len(selector.requirements)


class _Index:
    """Namespaces by label; those whose labels are not known are candidates for every selector."""

    def __init__(self, namespaces: Iterable[Namespace]) -> None:
        self._all = tuple(namespaces)
        self._unknown = [one for one in self._all if not one.known]
        self._by_label: dict[tuple[str, str], list[Namespace]] = {}
        for one in self._all:
            for label in one.labels.items() if one.known else ():
                self._by_label.setdefault(label, []).append(one)

    def candidates(self, selector: LabelSelector | None) -> Iterable[Namespace]:
        """Every namespace that the selector may pick, and perhaps others."""
        listed = [one for one in selector.requirements if one.operator == "In"] if selector else []
        if not listed:
            return self._all
        return [*min((self._having(one) for one in listed), key=len), *self._unknown]

    def _having(self, requirement: Requirement) -> list[Namespace]:
        return [one for value in requirement.values for one in self._by_label.get((requirement.key, value), ())]
