"""One pass over several kinds: pages of a few kinds at a time, their objects handed on as they come.

First pages come first, so that a kind that cannot take part is known before much was read. After that the kind with
most objects left is always among those that are asked, since its pages can only come one after the other.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Protocol

from audit.collection.listing import Reader, Refusal
from audit.collection.page import Page
from audit.collection.routes import Route
from audit.collection.threads import THREADS, started

RESTARTS = 3
"""Of a kind that is read at no common resource version, when the pages after the first are forgotten."""
SYSTEM = "kube-system"
"""The namespace that every cluster has; its UID is the cluster's."""


class Members(Protocol):
    """Where objects go: what a Draft of a snapshot file does."""

    def begin(self, key: str, api_version: str, kind: str) -> None:
        """Begin a kind anew, without what it had."""

    def add(self, key: str, items: Iterable[bytes]) -> None:
        """More objects of it."""

    def drop(self, key: str) -> None:
        """Forget what the kind had."""


Progress = Callable[[str, int, int], None]
"""Gets what is read, how many objects of it came, and how many there will be; 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every pass has at hand."""

    reader: Reader
    members: Members
    now: Callable[[], dt.datetime]
    progress: Progress

    @property
    def stamp(self) -> str:
        """The time, as the ledger has it."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


class ExpiredError(Exception):
    """The API server forgot the resource version of the pass, or the pages of this kind at it."""

    def __init__(self, key: str, *, first: bool) -> None:
        super().__init__(key)
        self.key = key
        self.first = first
        """It was the first page of the kind."""


@dataclass(slots=True)
class Tally:
    """What came of one kind so far."""

    route: Route
    started: str = ""
    ended: str = ""
    finished: float = 0.0
    """Monotonic."""
    objects: int = 0
    left: float = math.inf
    """Objects on the pages to come; infinite before the first one."""
    pages: int = 0
    retries: int = 0
    resource_version: str = ""
    exact: bool = True
    states: int = 0
    """Sum of the digests of all objects' identities: equal for equal sets, whatever their order."""
    uid: str = ""
    """Of the namespace `kube-system`, if this is the kind and it has one."""
    invalid: list[str] = field(default_factory=list)
    namespaces: dict[str, None] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    refusal: Refusal | None = None

    @property
    def key(self) -> str:
        """In the snapshot."""
        return self.route.kind.key

    def add(self, page: Page) -> None:
        """Count a page in."""
        self.objects += len(page.items)
        self.left = page.remaining
        self.pages += 1
        self.retries += page.retries
        self.resource_version = page.resource_version
        self.exact &= page.exact
        self.invalid += page.invalid
        self.namespaces |= dict.fromkeys([page.namespace] if page.namespace else ())
        self.warnings |= dict.fromkeys(page.warnings)
        for identity in page.identities:
            digest = hashlib.sha256("\0".join(identity).encode(errors="surrogatepass")).digest()
            self.states = (self.states + int.from_bytes(digest)) % (1 << 256)
            if self.key == "Namespace" and identity.name == SYSTEM:
                self.uid = identity.uid


def run(setting: Setting, routes: Iterable[Route], *, exact: str = "", keep: bool = True) -> Mapping[str, Tally]:
    """What came of each kind, by key; the objects are kept unless told otherwise.

    With a resource version `exact`, every kind is read at it, ExpiredError when it is forgotten; and when a kind cannot
    be read at it (`Refusal.why` is `inexact`), none is read beyond its first page, since the pass is of no use.
    """
    turns = [_Turn(setting, route, exact, keep=keep) for route in routes]
    waiting = list(turns)
    running: dict[Future[Page | None], _Turn] = {}
    try:
        while waiting or running:
            while waiting and len(running) < THREADS:
                turn = max(waiting, key=lambda one: one.tally.left)
                waiting.remove(turn)
                running[turn.ask()] = turn
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                turn = running.pop(future)
                waiting += [turn] if turn.took(future) else []
            if any(turn.inexact for turn in turns):
                waiting = [turn for turn in waiting if not turn.tally.pages]
    except ExpiredError:
        wait(running)  # the next pass is not to share the server with this one
        raise
    return {turn.tally.key: turn.tally for turn in turns}


class _Turn:
    """One kind in a pass."""

    def __init__(self, setting: Setting, route: Route, exact: str, *, keep: bool) -> None:
        self._setting = setting
        self._route = route
        self._exact = exact
        self._keep = keep
        self._restarts = 0
        self._begin()

    @property
    def inexact(self) -> bool:
        """Whether the kind cannot be read at the resource version of the pass."""
        return self.tally.refusal is not None and self.tally.refusal.why == "inexact"

    def ask(self) -> Future[Page | None]:
        """The next page, in a thread; None is the end."""
        self.tally.started = self.tally.started or self._setting.stamp
        pages = self._pages
        return started(lambda: next(pages, None))

    def took(self, future: Future[Page | None]) -> bool:
        """Take what came; whether there may be more."""
        try:
            page = future.result()
        except Refusal as refused:
            return self._refused(refused)
        self.tally.ended, self.tally.finished = self._setting.stamp, time.monotonic()
        if page is None:
            return False
        if self._keep:
            if not self.tally.pages:
                self._setting.members.begin(self.tally.key, self._route.api_version, self._route.kind.kind)
            self._setting.members.add(self.tally.key, page.items)
        self.tally.add(page)
        self._setting.progress(self._route.resource.name, self.tally.objects, self.tally.objects + int(self.tally.left))
        return True

    def _begin(self) -> None:
        self.tally = Tally(self._route)
        self._pages: Iterator[Page] = self._setting.reader.pages(self._route, self._exact)

    def _refused(self, refused: Refusal) -> bool:
        """Begin the kind anew where its pages were forgotten; else nothing of it is kept."""
        if refused.why == "expired" and self._exact:
            raise ExpiredError(self.tally.key, first=refused.first)
        if refused.why == "expired" and self._restarts < RESTARTS:
            self._restarts += 1
            self._begin()
            return True
        self.tally.refusal = refused
        self.tally.retries += refused.retries
        self.tally.ended, self.tally.finished = self._setting.stamp, time.monotonic()
        if self._keep and self.tally.pages:
            self._setting.members.drop(self.tally.key)
        return False
