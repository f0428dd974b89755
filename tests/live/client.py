"""A raw client of a test server: one request, one answer, nothing hidden."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

Json = Any
_THREADS = 4
"""Requests at a time; the server has the same few processors."""
_OK = range(200, 300)
_JSON = "application/json"
_CONTENT = {"PATCH": "application/merge-patch+json"}


class RefusedError(Exception):
    """The server said no."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body.get('message', body) if isinstance(body, dict) else body}")
        self.status = status
        self.body = body


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def several(work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """The results in order, a few at a time; raises what the first failing one raises."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(work, items))


@dataclass
class Client:
    """Requests as one account. Threads may share it; each has its own connection."""

    port: int
    tls: ssl.SSLContext
    token: str = ""
    _local: threading.local = field(default_factory=threading.local)

    def ask(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        accept: str = _JSON,
        content_type: str = "",
        **parameters: object,
    ) -> tuple[int, Json]:
        """Status and decoded body; text where it is not JSON. A text is sent as it is, `parameters` in the query."""
        query = urllib.parse.urlencode(parameters)
        headers = {"Accept": accept, "Content-Type": content_type or _CONTENT.get(method, _JSON)}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        target = f"{path}?{query}" if query else path
        try:
            answer, raw = self._exchange(method, target, content, headers)
        except ConnectionError:  # the server ends connections that were idle
            answer, raw = self._exchange(method, target, content, headers)
        return answer.status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode()

    def _exchange(
        self, method: str, target: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self._connection()
        try:
            connection.request(method, target, content, headers)
            answer = connection.getresponse()
            return answer, answer.read()
        except BaseException:
            connection.close()
            raise

    def must(self, method: str, path: str, body: Json = None, **parameters: Any) -> Json:
        """Decoded body of a request that succeeds; RefusedError otherwise."""
        status, found = self.ask(method, path, body, **parameters)
        if status not in _OK:
            raise RefusedError(status, found)
        return found

    def all(self, requests: Iterable[tuple[str, str, Json]]) -> list[Json]:
        """Answers to many requests that must succeed, several at a time."""
        return several(lambda request: self.must(*request), requests)

    def allowed(self, verb: str, group: str, resource: str, *, subresource: str = "", namespace: str = "") -> bool:
        """Whether this account may do it, as the API server says."""
        asked = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**asked, "namespace": namespace}},
        }
        answer = self.must("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        return bool(answer["status"]["allowed"])

    def _connection(self) -> http.client.HTTPSConnection:
        made = getattr(self._local, "connection", None)
        if made is None:
            made = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.tls)
            self._local.connection = made
        return made
