"""Quotas that look like isolation of storage and hold nothing.

Input: `Storage`. Output: `Fault` values, equal ones of many quotas as one.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal, NamedTuple

from audit.controls.storage import Storage
from audit.controls.storage_quotas import Quota
from audit.model import ObjectRef

Nearest = Callable[[str], str]
"""Name of a class -> that name if there is such a class, else the most similar one; empty if none is similar."""
What = Literal["scope", "no-class", "no-namespace", "size", "key"]


class Fault(NamedTuple):
    """One reason why quotas of one zone hold nothing."""

    what: What
    zone: str
    """Empty for a quota that reaches no zone."""
    about: str
    """The class, key or scope that is wrong."""
    detail: str
    """The class that is meant, the limit as written, or the namespaces that are selected without effect."""
    harmless: bool
    """Whether nothing is open for it."""
    quotas: tuple[ObjectRef, ...]


class _Draft(NamedTuple):
    what: What
    zone: str
    about: str
    detail: str
    harmless: bool


def faults(storage: Storage) -> Iterator[Fault]:
    """Every fault, by zone."""
    found: dict[_Draft, list[ObjectRef]] = {}
    known = frozenset({*storage.names, *storage.classes.owners})
    listed = sorted(known)

    @cache  # thousands of quotas are made from one template
    def nearest(name: str) -> str:
        return name if name in known else next(iter(difflib.get_close_matches(name, listed, n=1, cutoff=0.75)), "")

    for quota in storage.quotas.listed:
        for draft in dict.fromkeys(_of(quota, storage, nearest)):
            found.setdefault(draft, []).append(quota.ref)
    for draft, refs in sorted(found.items()):
        yield Fault(*draft, tuple(sorted(refs)))


def _of(quota: Quota, storage: Storage, nearest: Nearest) -> Iterator[_Draft]:
    zones: dict[str, list[str]] = {}
    for name in quota.namespaces:
        if storage.scene.kind_of(name) == "cluster":
            zones.setdefault(storage.scene.zone_of(name), []).append(name)
    limits = quota.limits
    if not zones and quota.ref.kind != "ResourceQuota" and limits.zero:
        selected = f"run-level namespaces {', '.join(quota.exempt[:3])}" if quota.exempt else "no namespace of a zone"
        yield _Draft("no-namespace", "", ", ".join(sorted(limits.zero)), selected, harmless=False)
    for zone, namespaces in sorted(zones.items()):
        if limits.scopes and (limits.named or limits.everything):
            yield _Draft("scope", zone, ", ".join(limits.scopes), "", harmless=False)
        else:
            yield from _keys(quota, zone, namespaces, storage, nearest)


def _keys(quota: Quota, zone: str, namespaces: list[str], storage: Storage, nearest: Nearest) -> Iterator[_Draft]:
    """What is wrong with single keys of a quota that binds some namespaces of a zone."""
    for name in quota.limits.named if storage.classes.known else ():
        if (meant := nearest(name)) != name:
            yield _Draft("no-class", zone, name, meant, _harmless(meant, zone, namespaces, storage))
    for name, text in quota.limits.sized:
        if storage.classes.foreign(zone, name) and _open(name, namespaces, storage):
            yield _Draft("size", zone, name, text, harmless=False)
    for key in quota.limits.dead:
        yield _Draft("key", zone, key, "", harmless=False)


def _harmless(meant: str, zone: str, namespaces: list[str], storage: Storage) -> bool:
    """Whether nothing is open for the mistake; `meant` is empty where no class has a similar name."""
    return not (meant and storage.classes.foreign(zone, meant) and _open(meant, namespaces, storage))


def _open(name: str, namespaces: list[str], storage: Storage) -> bool:
    return any(not storage.quotas.held(one).forbids(name) for one in namespaces)
