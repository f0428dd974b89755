"""Label selectors: parsing (LabelSelector of the API) and matching.

Source: apimachinery `LabelSelector`; `NotIn` and `DoesNotExist` also match objects that lack the key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

Operator = Literal["In", "NotIn", "Exists", "DoesNotExist"]
SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
"""RFC 1123 subdomain: names of most kinds, prefixes of label keys."""
LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LABEL_KEY = re.compile(
    rf"(?:{SUBDOMAIN.pattern.replace(chr(92) + 'Z', '/')}/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"
)
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


class Requirement(msgspec.Struct, frozen=True, gc=False, cache_hash=True, order=True):
    """One condition on one label key."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()
    """Sorted, without repeats; empty for Exists and DoesNotExist."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels meets the condition."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value is not None and value in self.values
            case "NotIn":
                return value is None or value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None

    def __str__(self) -> str:
        match self.operator:
            case "In" if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case "In" | "NotIn":
                return f"{self.key} {self.operator.lower()} ({', '.join(self.values)})"
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"!{self.key}"


class LabelSelector(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Conditions that must all hold; none means everything."""

    requirements: tuple[Requirement, ...] = ()
    """Sorted, so that equal selectors written differently are equal values."""

    @classmethod
    def parse(cls, raw: object) -> LabelSelector:
        """The selector that `{matchLabels, matchExpressions}` means; `None` and `{}` select everything.

        Raises ValueError, in words for a user, for anything the API server would refuse: an unknown field or operator,
        a key or value that no label can have, values missing from In/NotIn or given to Exists/DoesNotExist.
        """
        if raw is None:
            return EVERYTHING
        if not isinstance(raw, Mapping):
            msg = "a label selector must be a mapping"
            raise ValueError(msg)
        unknown = sorted(str(key) for key in raw if key not in ("matchLabels", "matchExpressions"))
        if unknown:
            msg = f"unknown field `{unknown[0]}` in a label selector"
            raise ValueError(msg)
        found = _labels(raw.get("matchLabels")) + _expressions(raw.get("matchExpressions"))
        return cls(tuple(sorted(set(found)))) if found else EVERYTHING

    @classmethod
    def parse_text(cls, text: str) -> LabelSelector:
        """The selector that `a=b,c!=d,k in (x,y),m notin (z),!n,o` means; an empty text selects everything.

        `!=`, `notin` and `!key` also match what lacks the key. ValueError, in words for a user, for any other text.
        """
        found: list[Requirement] = []
        rest = text.strip()
        while rest:
            term = _TERM.match(rest)
            if term is None:
                msg = f"`{text}` is not a label selector"
                raise ValueError(msg)
            found.append(_term(term))
            rest = rest[term.end() :]
            if term["more"] and not rest:
                msg = f"`{text}` is not a label selector: nothing follows the last comma"
                raise ValueError(msg)
        return cls(tuple(sorted(set(found)))) if found else EVERYTHING

    @property
    def keys(self) -> frozenset[str]:
        """The label keys that decide whether an object matches."""
        return frozenset(requirement.key for requirement in self.requirements)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ", ".join(map(str, self.requirements)) or "everything"


def _labels(raw: object) -> list[Requirement]:
    if raw is None:
        return []
    if not isinstance(raw, Mapping):
        msg = "`matchLabels` must be a mapping of strings"
        raise ValueError(msg)
    for key, value in raw.items():
        if not isinstance(key, str) or not isinstance(value, str):
            msg = f"label `{key}` in `matchLabels` must be a string; quote it"
            raise ValueError(msg)
    return [_interned(key, "In", (value,)) for key, value in raw.items()]


def _expressions(raw: object) -> list[Requirement]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        msg = "`matchExpressions` must be a list"
        raise ValueError(msg)
    return [_expression(item) for item in raw]


def _expression(raw: Any) -> Requirement:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("key"), str) or not raw["key"]:
        msg = "an item of `matchExpressions` needs a `key`"
        raise ValueError(msg)
    if unknown := sorted(str(key) for key in raw if key not in ("key", "operator", "values")):
        msg = f"unknown field `{unknown[0]}` in `matchExpressions`"
        raise ValueError(msg)
    operator, values = raw.get("operator"), raw.get("values")
    values = [] if values is None else values
    if operator not in _OPERATORS:
        msg = f"unknown operator `{operator}`; it must be one of {', '.join(_OPERATORS)}"
        raise ValueError(msg)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        msg = "`values` must be a list of strings; quote them"
        raise ValueError(msg)
    if (operator in ("In", "NotIn")) != bool(values):
        msg = f"operator `{operator}` {'needs' if operator in ('In', 'NotIn') else 'takes no'} `values`"
        raise ValueError(msg)
    return _interned(raw["key"], operator, tuple(sorted(set(values))))


_TERM = re.compile(
    r"\s*(?P<no>!)?\s*(?P<key>[^\s,=!()]+)"
    r"(?:\s*(?P<sign>==|=|!=)\s*(?P<value>[^\s,=!()]*)|\s+(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?"
    r"\s*(?P<more>,\s*|\Z)"
)
"""One term of the string grammar with the comma behind it."""


def _term(term: re.Match[str]) -> Requirement:
    key = term["key"]
    if term["sign"] or term["set"]:
        if term["no"]:
            msg = f"`!{key}` takes no value in a label selector"
            raise ValueError(msg)
        values = [term["value"]] if term["sign"] else [value.strip() for value in term["values"].split(",")]
        negated = term["sign"] == "!=" or term["set"] == "notin"
        return _interned(key, "NotIn" if negated else "In", tuple(sorted(set(values))))
    return _interned(key, "DoesNotExist" if term["no"] else "Exists", ())


@lru_cache(1 << 16)
def _interned(key: str, operator: Operator, values: tuple[str, ...]) -> Requirement:
    if not LABEL_KEY.fullmatch(key):
        msg = f"`{key}` is not a valid label key; no object can have it"
        raise ValueError(msg)
    if wrong := [value for value in values if not LABEL_VALUE.fullmatch(value)]:
        msg = f"`{wrong[0]}` is not a valid value for the label `{key}`; no object can have it"
        raise ValueError(msg)
    return Requirement(key, operator, values)


EVERYTHING = LabelSelector()
