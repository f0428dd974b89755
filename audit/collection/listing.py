"""One kind, page by page, each page checked before the next one is asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from audit.collection.answers import Answer, Failure, redacted
from audit.collection.api import FORBIDDEN, GONE, OK, Api, refusal, soon
from audit.collection.page import Listed, Page, WrongPageError, check_order, cut_down, listed
from audit.collection.routes import Route
from audit.projection import Pseudonyms

LIMIT = 500
"""Objects of a page: what kubectl asks for."""
TRIES = 3
"""Of a page whose content is wrong; what is wrong with the connection is tried again by the connection."""
_INEXACT = frozenset({400, 500, 501, 504})
"""What servers say of a resource version that they do not take, or do not know yet (500 in 1.20, 504 in 1.36)."""
_SMALLER = 10
"""How many times fewer objects are asked for where a page is too large."""
_NOTHING = Page((), (), (), "")
"""Comes before the first page."""

Why = Literal["forbidden", "expired", "inexact", "unavailable"]
"""expired: the resource version, or the page after it, is forgotten. inexact: no list at just this resource version."""
_CUTTING = threading.Lock()
"""One thread at a time makes the types that objects are decoded into: msgspec crashes where another uses them then."""
_WHY: Mapping[int, Why] = {FORBIDDEN: "forbidden", GONE: "expired"}
Seen = set[tuple[str, str]]
"""Namespaces and names of the pages before."""


class Refusal(Exception):  # noqa: N818 - it becomes an entry of the ledger, not an error
    """A kind could not be read to its end."""

    def __init__(self, why: Why, text: str, *, first: bool, retries: int = 0) -> None:
        super().__init__(text)
        self.why: Why = why
        self.text = text
        """Status code and what was said, or what is wrong with the answer."""
        self.first = first
        """It was the first page."""
        self.retries = retries


@dataclass(frozen=True, slots=True)
class Reader:
    """How pages are asked for and cut down."""

    api: Api
    deadline: float
    """Monotonic."""
    pseudonyms: Pseudonyms | None = None
    namespaces: Sequence[str] = ()
    """Those to read where the whole cluster is forbidden; none if empty."""

    def pages(self, route: Route, exact: str = "") -> Iterator[Page]:
        """All objects of a kind, at resource version `exact` if given; Refusal where they do not all come."""
        try:
            yield from self._listed(route, "", exact)
        except Refusal as refused:
            if refused.why != "forbidden" or not refused.first or not self.namespaces:
                raise
            yield from self._scoped(route, exact, refused)

    def revision(self, route: Route, namespace: str = "", exact: str = "") -> str:
        """The resource version of this list: what its store is at, or `exact` while that is known; empty if none."""
        query = {"limit": "1", **_position(_NOTHING, exact)}
        try:
            found = listed(self._answer(route.path(namespace), query, first=True), route).metadata.resource_version
        except (Refusal, WrongPageError):
            return ""
        return found if found.strip("0") else ""

    def _scoped(self, route: Route, exact: str, refused: Refusal) -> Iterator[Page]:
        """The objects of each namespace that may be read; `refused` if there is none."""
        if not route.namespaced and route.kind.key != "Namespace":
            raise refused
        read = 0
        for namespace in self.namespaces:
            pages = self._listed(route, namespace, exact) if route.namespaced else self._namespace(route, namespace)
            try:
                for page in pages:
                    read += 1
                    yield page
            except Refusal as own:
                if own.why != "forbidden" or not own.first:
                    raise
        if not read:
            raise refused

    def _namespace(self, route: Route, name: str) -> Iterator[Page]:
        """The Namespace itself: many may get theirs who may not list."""
        answer = self._answer(f"{route.path()}/{name}", {}, first=True)
        found = Listed(items=[msgspec.Raw(answer.body)])
        with _CUTTING:
            page = cut_down(found, route, self.pseudonyms, namespace="", seen=())
        if page.invalid or page.identities[0].name != name:
            raise Refusal("unavailable", f"the answer is not namespace `{name}`", first=True, retries=answer.retries)
        yield page._replace(namespace=name, retries=answer.retries, warnings=answer.warnings)

    def _listed(self, route: Route, namespace: str, exact: str) -> Iterator[Page]:
        page = _NOTHING
        seen: Seen = set()
        while page is _NOTHING or page.token:
            page = self._page(route, namespace, exact, page, seen)
            seen.update(identity[:2] for identity in page.identities)
            yield page

    def _page(self, route: Route, namespace: str, exact: str, before: Page, seen: Seen) -> Page:
        """The page after `before`; asked for again while its content is wrong."""
        first = before is _NOTHING
        retries = 0
        for left in reversed(range(TRIES)):
            answer = self._sized(route.path(namespace), _position(before, exact), first=first)
            retries += answer.retries
            try:
                found = listed(answer, route)
                if first and exact and found.metadata.resource_version != exact:
                    raise Refusal("inexact", "it answers for another resource version", first=True, retries=retries)
                if not first:
                    check_order(found, before)
                with _CUTTING:
                    page = cut_down(found, route, self.pseudonyms, namespace=namespace, seen=seen)
                return page._replace(exact=bool(exact), retries=retries, warnings=answer.warnings)
            except WrongPageError as wrong:
                if not left:
                    raise Refusal("unavailable", redacted(str(wrong)), first=first, retries=retries) from None
                retries += 1
        raise AssertionError  # the last try returns or raises

    def _sized(self, path: str, position: Mapping[str, str], *, first: bool) -> Answer:
        """The answer in a size that is taken: with fewer objects where they are large."""
        limit = LIMIT
        while True:
            try:
                return self._answer(path, {"limit": str(limit), **position}, first=first)
            except Refusal as refused:
                cause = refused.__cause__
                if not isinstance(cause, Failure) or cause.reason != "too-large" or limit == 1:
                    raise
            limit = max(1, limit // _SMALLER)

    def _answer(self, path: str, query: Mapping[str, str], *, first: bool) -> Answer:
        """An answer of success; Refusal for any other."""
        exact = "resourceVersionMatch" in query
        try:
            answer = self.api.get(path, query, deadline=soon(self.deadline))
        except Failure as failure:
            why: Why = "inexact" if exact and failure.status in _INEXACT else "unavailable"
            raise Refusal(why, failure.message, first=first, retries=failure.retries) from failure
        if answer.status == OK:
            return answer
        raise Refusal(_why(answer.status, exact=exact), refusal(answer), first=first, retries=answer.retries)


def _position(before: Page, exact: str) -> Mapping[str, str]:
    """Which page is asked for."""
    if before.token:
        return {"continue": before.token}
    return {"resourceVersion": exact, "resourceVersionMatch": "Exact"} if exact else {}


def _why(status: int, *, exact: bool) -> Why:
    if exact and status in _INEXACT:
        return "inexact"
    return _WHY.get(status, "unavailable")
