"""`Client`: questions to one API server, with credentials, retries and deadlines. It only reads.

GET, and one POST that asks who we are; no other method can be sent.
"""

from __future__ import annotations

import base64
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Self, TypeVar
from urllib.parse import urlencode

import msgspec

from audit.collection.access import Access
from audit.collection.answers import REDACTED, Answer, Broken, Failure, Limits, redacted
from audit.collection.connection import Connection, Method
from audit.errors import AuditError

ANONYMOUS = "system:anonymous"
_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_REVIEW = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
_USERS = "/apis/user.openshift.io/v1/users/~"
"""The same question to OpenShift, whose versions before 4.15 know no SelfSubjectReview."""
_OK, _CREATED, _UNAUTHORISED = 200, 201, 401
_FOUND = frozenset({_OK, _CREATED})

T = TypeVar("T")


class Client:
    """Asks one API server; threads may share it. A context manager that ends its connections.

    `sleep` and `jitter` (0 to 1) are the pauses between tries and their randomness.
    """

    def __init__(
        self,
        access: Access,
        limits: Limits | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.access = access
        self._limits = limits or Limits()
        self._connection = Connection(access, self._limits)
        self._sleep = sleep
        self._jitter = jitter
        self._lock = threading.Lock()
        self._credentials = access.authorisation
        self._secrets = _parts(access.authorisation) | _parts(access.proxy.header if access.proxy else "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = "application/json", deadline: float
    ) -> Answer:
        """What the API server answers: 200 with a JSON object, or a 4xx with what it says about it.

        `deadline` is a time of `time.monotonic` by which all is over, pauses and retries included. A 401 is asked
        once more with the credentials read afresh; 429, 5xx, broken connections and bodies that end early are asked
        again after growing pauses. Failure for everything else, and when tries or time are used up.
        """
        return self._ask("GET", path + ("?" + urlencode(query) if query else ""), {"Accept": accept}, None, deadline)

    def whoami(self, *, deadline: float) -> str:
        """The account as the API server names it; empty where neither Kubernetes (from 1.28) nor OpenShift says it.

        Failure when it takes us for nobody: what an anonymous account may not see would look as if it were not there.
        """
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        answer = self._ask("POST", _REVIEWS, headers, _REVIEW, deadline)
        if answer.status in _FOUND:
            name = self._read(answer, _Review).status.user_info.username
        elif f'"{ANONYMOUS}"' in answer.message:  # who may not even ask is named in the refusal
            name = ANONYMOUS
        else:
            answer = self.get(_USERS, deadline=deadline)
            name = self._read(answer, _User).metadata.name if answer.status in _FOUND else ""
        if name == ANONYMOUS:
            raise self._told(Failure("unauthorised", f"the API server takes us for `{ANONYMOUS}`"))
        return name

    def _ask(
        self, method: Method, target: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Answer:
        renewed = False
        retries = 0
        while True:
            used = self._credentials
            sent = {**headers, "Authorization": used} if used else headers
            try:
                answer = self._connection.exchange(method, target, sent, body, deadline)
            except Broken as broken:
                self._pause(broken, retries, deadline)
            except Failure as failure:
                raise self._told(failure, retries) from None
            else:
                if answer.status != _UNAUTHORISED:
                    return self._cleaned(answer, retries)
                if renewed:
                    refusal = Failure("unauthorised", f"401: {answer.message}".rstrip(": "), status=_UNAUTHORISED)
                    raise self._told(refusal, retries)
                self._renew(used)
                renewed = True
            retries += 1

    def _renew(self, used: str) -> None:
        """Read the credentials afresh, unless another thread did so since `used` was sent."""
        with self._lock:
            if self._credentials != used:
                return
            try:
                self._credentials = self.access.renewed()
            except AuditError as error:
                refusal = Failure("unauthorised", f"401, and {error.message}", status=_UNAUTHORISED)
                raise self._told(refusal) from None
            self._secrets = self._secrets | _parts(self._credentials)

    def _pause(self, broken: Broken, retries: int, deadline: float) -> None:
        """Wait before the next try; Failure when there is none, or no time for it."""
        grown = self._limits.backoff * 2**retries * (0.5 + self._jitter() / 2)
        wait = min(grown if broken.wait is None else broken.wait, self._limits.longest_wait)
        if retries + 1 >= self._limits.tries or time.monotonic() + wait >= deadline:
            raise self._told(broken.failure, retries)
        self._sleep(wait)

    def _told(self, failure: Failure, retries: int = 0) -> Failure:
        """The failure as others may see it."""
        tried = f" ({retries + 1} tries)" if retries else ""
        return Failure(
            failure.reason,
            self._clean(failure.message) + tried,
            status=failure.status,
            retries=retries,
            hint=f"the API server is {self.access.place}",
        )

    def _cleaned(self, answer: Answer, retries: int) -> Answer:
        return msgspec.structs.replace(
            answer,
            message=self._clean(answer.message),
            cause=self._clean(answer.cause),
            warnings=tuple(map(self._clean, answer.warnings)),
            retries=retries,
        )

    def _clean(self, text: str) -> str:
        """The text without credentials, which a server or a proxy may send back to us; shortened after that."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, REDACTED)
        return redacted(text)

    def _read(self, answer: Answer, struct: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.body, type=struct)
        except (msgspec.DecodeError, RecursionError):
            problem = Failure("unavailable", "it does not say as whom it knows us", status=answer.status)
            raise self._told(problem) from None


def _parts(header: str) -> frozenset[str]:
    """What must not be shown of an authorization header: all of it, what follows its scheme, a password in that."""
    scheme, _, value = header.partition(" ")
    password = base64.b64decode(value).decode().partition(":")[2] if scheme == "Basic" else ""
    return frozenset({header, value, password} - {""})


class _Named(msgspec.Struct, frozen=True):
    name: str


class _User(msgspec.Struct, frozen=True):
    metadata: _Named


class _UserInfo(msgspec.Struct, frozen=True):
    username: str


class _ReviewStatus(msgspec.Struct, frozen=True, rename="camel"):
    user_info: _UserInfo


class _Review(msgspec.Struct, frozen=True):
    status: _ReviewStatus
