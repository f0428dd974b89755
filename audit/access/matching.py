"""Whether one rule of a role grants one right, as the API server decides it.

Source: evaluation_helpers.go of kubernetes/pkg/apis/rbac/v1, told in docs/access.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from audit.control_bodies import PolicyRule

EVERY = "*"


class Right(NamedTuple):
    """A verb on one kind of object, whatever its namespace and name."""

    verb: str
    group: str
    """API group, empty for core."""
    resource: str
    """In plural, as in a URL."""
    subresource: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.kind}"

    @property
    def kind(self) -> str:
        """`pods/exec`, `networkpolicies.networking.k8s.io`."""
        group = f".{self.group}" if self.group else ""
        return f"{self.resource}{group}{f'/{self.subresource}' if self.subresource else ''}"


class Hit(NamedTuple):
    """A rule that grants a right."""

    rule: int
    """0-based index within its role."""
    names: tuple[str, ...]
    """The only objects that it holds for; empty for all of them."""


def grants(rule: PolicyRule, right: Right) -> bool:
    """Whether the rule grants the right for an object of some name."""
    return (
        _among(right.verb, rule.verbs)
        and _among(right.group, rule.apiGroups)
        and _covers(rule.resources or (), right.resource, right.subresource)
    )


def names(rule: PolicyRule, name: str) -> bool:
    """Whether the rule holds for an object of this name; empty for a request that names none, such as create."""
    return not rule.resourceNames or name in rule.resourceNames


def grants_url(rule: PolicyRule, verb: str, url: str) -> bool:
    """Whether the rule grants a verb on a path of the API server that is no resource."""
    return _among(verb, rule.verbs) and any(_leads(one, url) for one in rule.nonResourceURLs or ())


def hits(rules: Iterable[PolicyRule], right: Right) -> tuple[Hit, ...]:
    """The rules that grant the right."""
    return tuple(Hit(number, rule.resourceNames or ()) for number, rule in enumerate(rules) if grants(rule, right))


def _among(word: str, listed: tuple[str, ...] | None) -> bool:
    return listed is not None and (word in listed or EVERY in listed)


def _covers(listed: tuple[str, ...], resource: str, subresource: str) -> bool:
    """`pods` leaves out `pods/exec`, `*` covers every subresource, `pods/*` is no wildcard."""
    if EVERY in listed or (f"{resource}/{subresource}" if subresource else resource) in listed:
        return True
    return bool(subresource) and f"*/{subresource}" in listed


def _leads(pattern: str, url: str) -> bool:
    return pattern in (EVERY, url) or (pattern.endswith(EVERY) and url.startswith(pattern.rstrip(EVERY)))
