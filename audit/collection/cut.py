"""All kinds as they were at one time.

The API server is asked for every kind at one resource version. That is one state of its store, whatever changes while
the pages are read. When it forgets that state (410) all is read again at a newer one: the token that it offers instead
leads on in another state. A kind that has no such states (an extension with a store of its own, an old server) is read
before and after the others; if it is equal both times, it was so at the time of the others, too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audit.collection.passing import ExpiredError, Setting, Tally, run
from audit.collection.routes import Route

ATTEMPTS = 4
"""To read all kinds at one resource version: the first, and three at newer ones."""
BRACKETS = 2
"""To find the kinds that are read before and after the others equal."""
_TOLD_BY = ("Namespace", "Node", "Pod")
"""Kinds whose lists are asked for the resource version, the first that may be read."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What came of all kinds."""

    tallies: Mapping[str, Tally]
    """By key."""
    resource_version: str
    """Empty where no kind was read at one."""
    instant: float
    """When it was, monotonic."""
    bracketed: frozenset[str]
    """Kinds that were equal before and after it."""
    attempts: int

    @property
    def uid(self) -> str:
        """The cluster's; empty where its namespaces could not be read."""
        return next((one.uid for one in self.tallies.values() if one.uid), "")


def cut(setting: Setting, routes: Sequence[Route]) -> Cut:
    """What came of each kind, as close to one time as the API server lets it be."""
    plan = _Plan(setting, routes)
    while True:
        if found := plan.attempt():
            return found


@dataclass(slots=True)
class _Plan:
    """What earlier attempts showed."""

    setting: Setting
    routes: Sequence[Route]
    apart: set[str] = field(default_factory=set)
    """Kinds that are read before and after the others."""
    asked: tuple[Route, str] | None = None
    """The list that told the resource version: a kind, and a namespace or none."""
    attempts: int = 0
    brackets: int = 0

    def attempt(self) -> Cut | None:
        """The cut; None if another attempt has to be made."""
        self.attempts += 1
        before = run(self.setting, [one for one in self.routes if one.kind.key in self.apart])
        others = [one for one in self.routes if one.kind.key not in self.apart]
        version = self._revision() if others else ""
        if others and not version:
            self._read_all_apart()
            return None
        instant = time.monotonic()
        try:
            exact = run(self.setting, others, exact=version)
        except ExpiredError as expired:
            self._expired(expired, version)
            return None
        inexact = {key for key, one in exact.items() if one.refusal and one.refusal.why == "inexact"}
        if inexact:  # not an attempt of its own: nothing was forgotten, and little was read
            self.apart |= inexact
            self.attempts -= 1
            return None
        self.brackets += 1
        bracketed = self._unchanged(before)
        changed = any(not one.refusal and key not in bracketed for key, one in before.items())
        if changed and self.brackets < BRACKETS:
            return None
        return Cut({**before, **exact}, version, instant, bracketed, self.attempts)

    def _revision(self) -> str:
        own = {one.kind.key: one for one in self.routes}
        routes = [own[key] for key in _TOLD_BY if key in own]
        scoped = [(one, namespace) for namespace in self.setting.reader.namespaces for one in routes if one.namespaced]
        for self.asked in (*((one, "") for one in routes), *scoped):
            if found := self.setting.reader.revision(*self.asked):
                return found
        return ""

    def _expired(self, expired: ExpiredError, version: str) -> None:
        """Begin again; a kind that alone does not know the version has a store of its own."""
        if expired.first and self.asked and self.setting.reader.revision(*self.asked, version) == version:
            self.apart.add(expired.key)
            self.attempts -= 1
        elif self.attempts >= ATTEMPTS:
            self._read_all_apart()

    def _read_all_apart(self) -> None:
        self.apart = {one.kind.key for one in self.routes}

    def _unchanged(self, before: Mapping[str, Tally]) -> frozenset[str]:
        """Those of the kinds that are still as they were."""
        read = [one for one in before.values() if not one.refusal]
        after = run(self.setting, [one.route for one in read], keep=False)
        return frozenset(one.key for one in read if _same(one, after[one.key]))


def _same(one: Tally, other: Tally) -> bool:
    return not other.refusal and (one.states, one.objects, one.namespaces) == (
        other.states,
        other.objects,
        other.namespaces,
    )
