"""Calls in threads of their own, a few at a time; nobody waits for them when the process is to end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from threading import Thread
from typing import TypeVar

THREADS = 4
"""At a time: enough to hide the way there and back, few enough for one client of a shared server."""

A = TypeVar("A")
T = TypeVar("T")


def started(call: Callable[[], T]) -> Future[T]:
    """What the call gives or raises, once it does; an executor would keep the process waiting for it (Ctrl-C)."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def each(call: Callable[[A], T], given: Iterable[A]) -> tuple[T, ...]:
    """What the call gives for each, in their order."""
    results: list[Future[T]] = []
    for one in given:
        running = [future for future in results if not future.done()]
        if len(running) >= THREADS:
            wait(running, return_when=FIRST_COMPLETED)
        results.append(started(lambda one=one: call(one)))  # type: ignore[misc]
    return tuple(future.result() for future in results)
