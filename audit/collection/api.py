"""What reading a cluster asks of a connection, and how answers that are no success are said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from audit.collection.answers import Answer

OK, FORBIDDEN, NOT_FOUND, GONE = 200, 403, 404, 410


class Api(Protocol):
    """One API server, as `transport.Client` asks it; threads share it."""

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = "application/json", deadline: float
    ) -> Answer:
        """An answer with a JSON object, or a 4xx; answers.Failure for everything else. `deadline` is monotonic."""

    def whoami(self, *, deadline: float) -> str:
        """The account as the API server names it."""


def refusal(answer: Answer) -> str:
    """The status code and what the API server said: `403: pods is forbidden: ...`."""
    return f"{answer.status}: {answer.message}" if answer.message else str(answer.status)
