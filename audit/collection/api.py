"""What reading a cluster asks of a connection, and how answers that are no success are said."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from audit.collection.answers import Answer

REQUEST_SECONDS = 120.0
"""For one request with all its tries: one extension that drips must not use up the time of all others."""
OK, FORBIDDEN, NOT_FOUND, GONE = 200, 403, 404, 410


class Api(Protocol):
    """One API server, as `transport.Client` asks it; threads share it."""

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = "application/json", deadline: float
    ) -> Answer:
        """An answer with a JSON object, or a 4xx; answers.Failure for everything else. `deadline` is monotonic."""

    def whoami(self, *, deadline: float) -> str:
        """The account as the API server names it."""


def soon(deadline: float) -> float:
    """When a request must be over that is sent now."""
    return min(deadline, time.monotonic() + REQUEST_SECONDS)


def refusal(answer: Answer) -> str:
    """The status code and what the API server said: `403: pods is forbidden: ...`."""
    return f"{answer.status}: {answer.message}" if answer.message else str(answer.status)
