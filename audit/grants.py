"""Grants: which rule of which policy is behind each permit of a class.

Whoever asks for the grants of a class below an admin tier gets what the tier leaves of them. Only explanations ask, and
for few classes, so it is worked out then.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from audit.policy.clause import Clause

DEFAULT = -1
"""Instead of a policy: nothing decides, so it is open."""


class Grant(msgspec.Struct, frozen=True, gc=False):
    """One permit of one class with the rule behind it."""

    permit: int
    policy: int
    """Index into Reachability.policies, or DEFAULT."""
    clause: Clause


class Pending:
    """Grants that are worked out when they are first asked for; classes that share them share the answer."""

    def __init__(self, make: Callable[[], tuple[Grant, ...]]) -> None:
        self._make = make
        self._made: tuple[Grant, ...] | None = None

    def __call__(self) -> tuple[Grant, ...]:
        """The grants; the same object every time."""
        if self._made is None:
            self._made = self._make()
        return self._made


class Grants:
    """The grants of every pod class in one direction; None for a class that no policy isolates."""

    def __init__(self, classes: int) -> None:
        self._of: list[tuple[Grant, ...] | Pending | None] = [None] * classes

    def __getitem__(self, number: int) -> tuple[Grant, ...] | None:
        found = self._of[number]
        return found() if isinstance(found, Pending) else found

    def __setitem__(self, number: int, grants: tuple[Grant, ...] | Pending | None) -> None:
        self._of[number] = grants
