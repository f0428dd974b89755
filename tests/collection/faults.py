"""What can go wrong between an API server and us, one function per fault: the true reply -> a wrong one.

A fault gives another reply, or writes to the wire itself and gives None.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

JSON = {"Content-Type": "application/json"}
_HTML = b"<!DOCTYPE html><html><body><form action=/login>Sign in</form></body></html>"
_BOMB = 16 << 20
_DRIP = 0.02
"""Seconds between two bytes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that goes out with its length."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)

    @property
    def value(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Wire:
    """One connection to a client."""

    def __init__(self, handler: BaseHTTPRequestHandler, stopping: threading.Event, rotate: Callable[[], None]) -> None:
        self._handler = handler
        self.stopping = stopping
        self.rotate = rotate

    def send(self, reply: Reply) -> None:
        self.begin(reply, len(reply.body))
        self.write(reply.body)

    def begin(self, reply: Reply, length: int | None) -> None:
        """Status and headers; a length of None leaves the framing to `reply.headers`."""
        self._handler.send_response(reply.status)
        for name, value in reply.headers.items():
            self._handler.send_header(name, value)
        if length is not None:
            self._handler.send_header("Content-Length", str(length))
        self._handler.end_headers()
        self._handler.wfile.flush()

    def write(self, content: bytes) -> None:
        self._handler.wfile.write(content)
        self._handler.wfile.flush()

    def hang_up(self, *, reset: bool = False) -> None:
        """End the connection, with RST if asked, else as if all were said."""
        self._handler.close_connection = True
        if reset:
            self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._handler.connection.close()

    def drip(self, content: bytes) -> None:
        """One byte after the other, slowly, until the client or the server gives up."""
        for at in range(len(content)):
            if self.stopping.wait(_DRIP):
                break
            self.write(content[at : at + 1])
        self.hang_up()


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())


def status(code: int, reason: str, message: str, headers: Mapping[str, str] | None = None, *, token: str = "") -> Reply:
    """An error as the API server words it."""
    found = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {"continue": token} if token else {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return Reply(code, json.dumps(found).encode(), {**JSON, **(headers or {})})


def expired(token: str) -> Reply:
    """410, with the token that would go on with another resource version."""
    message = "The provided continue parameter is too old to display a consistent list result."
    return status(410, "Expired", message, token=token)


def _stall(reply: Reply, wire: Wire) -> None:  # noqa: ARG001 - the signature of faults
    wire.stopping.wait(60)
    wire.hang_up()


def _slow_headers(reply: Reply, wire: Wire) -> None:  # noqa: ARG001 - the signature of faults
    wire.drip(b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 4096)


def _slow_body(reply: Reply, wire: Wire) -> None:
    wire.begin(reply, len(reply.body))
    wire.drip(reply.body)


def _reset(reply: Reply, wire: Wire) -> None:
    wire.begin(reply, len(reply.body))
    wire.write(reply.body[: len(reply.body) // 2])
    wire.hang_up(reset=True)


def _truncated(reply: Reply, wire: Wire) -> None:
    wire.begin(reply, len(reply.body))
    wire.write(reply.body[: len(reply.body) // 2])
    wire.hang_up()


def _truncated_chunked(reply: Reply, wire: Wire) -> None:
    half = reply.body[: len(reply.body) // 2]
    wire.begin(replace(reply, headers={**reply.headers, "Transfer-Encoding": "chunked"}), None)
    wire.write(b"%x\r\n%s\r\n" % (len(half), half))
    wire.hang_up()


def _truncated_unframed(reply: Reply, wire: Wire) -> None:
    """Without a length the end of the connection is the end of the body."""
    wire.begin(replace(reply, headers={**reply.headers, "Connection": "close"}), None)
    wire.write(reply.body[: len(reply.body) // 2])
    wire.hang_up()


def _shortened(reply: Reply, wire: Wire) -> Reply:  # noqa: ARG001 - the signature of faults
    """Half of the JSON in a response that is complete as such."""
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _huge(reply: Reply, wire: Wire) -> None:
    wire.begin(reply, 1 << 40)
    _flood(wire, b" " * (1 << 16))


def _huge_chunked(reply: Reply, wire: Wire) -> None:
    wire.begin(replace(reply, headers={**reply.headers, "Transfer-Encoding": "chunked"}), None)
    _flood(wire, b"10000\r\n" + b" " * (1 << 16) + b"\r\n")


def _flood(wire: Wire, piece: bytes) -> None:
    while not wire.stopping.is_set():
        wire.write(piece)


def _gzip_bomb(reply: Reply, wire: Wire) -> Reply:  # noqa: ARG001 - the signature of faults
    return replace(reply, body=_bomb(), headers={**reply.headers, "Content-Encoding": "gzip"})


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(_BOMB))


def _gzipped(reply: Reply, wire: Wire) -> Reply:  # noqa: ARG001 - the signature of faults
    return replace(reply, body=gzip.compress(reply.body), headers={**reply.headers, "Content-Encoding": "gzip"})


def _rotated(reply: Reply, wire: Wire) -> Reply:  # noqa: ARG001 - the signature of faults
    wire.rotate()
    return status(401, "Unauthorized", "Unauthorized")


def _changed(**fields: Any) -> Callable[[Reply, Wire], Reply]:
    """The same list with other fields; None takes one away, `metadata` is laid over."""

    def change(reply: Reply, wire: Wire) -> Reply:  # noqa: ARG001 - the signature of faults
        value = reply.value
        metadata = {**value.get("metadata", {}), **fields.get("metadata", {})}
        merged = {**value, **fields, "metadata": {k: v for k, v in metadata.items() if v is not None}}
        return json_reply({key: item for key, item in merged.items() if item is not _ABSENT})

    return change


_ABSENT: Any = object()


def _same(reply: Reply) -> Callable[[Reply, Wire], Reply]:
    return lambda _reply, _wire: reply


def _foreign_item(reply: Reply, wire: Wire) -> Reply:  # noqa: ARG001 - the signature of faults
    """A list with an entry that is no object."""
    value = reply.value
    return json_reply({**value, "items": [*value.get("items", ()), "text"]})


def _status_in_list(reply: Reply, wire: Wire) -> Reply:  # noqa: ARG001 - the signature of faults
    return replace(status(200, "InternalError", "etcdserver: request timed out"), status=200)


_TEXT = {"Content-Type": "text/plain"}
_HTML_TYPE = {"Content-Type": "text/html; charset=utf-8"}

FAULTS: dict[str, Callable[[Reply, Wire], Reply | None]] = {
    "stall": _stall,
    "slow-headers": _slow_headers,
    "slow-body": _slow_body,
    "reset": _reset,
    "truncated": _truncated,
    "truncated-chunked": _truncated_chunked,
    "truncated-unframed": _truncated_unframed,
    "shortened": _shortened,
    "wrong-content-type": lambda reply, _: replace(reply, headers=_TEXT),
    "no-content-type": lambda reply, _: replace(reply, headers={}),
    "html-login": _same(Reply(200, _HTML, _HTML_TYPE)),
    "html-as-json": _same(Reply(200, _HTML)),
    "no-json": _same(Reply(200, b'{"kind":"PodList","items":[}}')),
    "no-utf8": lambda reply, _: replace(reply, body=reply.body.replace(b'"kind"', b'"\xff":1,"kind"', 1)),
    "empty-body": lambda reply, _: replace(reply, body=b""),
    "empty-object": _same(Reply(200, b"{}")),
    "status-200": _status_in_list,
    "items-null": _changed(items=None),
    "items-missing": _changed(items=_ABSENT),
    "items-object": _changed(items={}),
    "foreign-item": _foreign_item,
    "wrong-kind": _changed(kind="SecretList"),
    "no-resource-version": _changed(metadata={"resourceVersion": None}),
    "other-resource-version": _changed(metadata={"resourceVersion": "1001"}),
    "cut-short": _changed(metadata={"continue": None}),
    "redirect": _same(Reply(302, b"", {"Location": "https://elsewhere.example/api/v1/pods"})),
    "huge": _huge,
    "huge-chunked": _huge_chunked,
    "gzip-bomb": _gzip_bomb,
    "gzipped": _gzipped,
    "rotated": _rotated,
    "unauthorised": _same(status(401, "Unauthorized", "Unauthorized")),
    "forbidden": _same(status(403, "Forbidden", "it is forbidden: User cannot list resource at the cluster scope")),
    "not-found": _same(status(404, "NotFound", "the server could not find the requested resource")),
    "expired": _same(expired("an-inconsistent-token")),
    "throttled": _same(status(429, "TooManyRequests", "too many requests", {"Retry-After": "1"})),
    "throttled-silently": _same(Reply(429, b"slow down\n", _TEXT)),
    "throttled-for-long": _same(status(429, "TooManyRequests", "too many requests", {"Retry-After": "86400"})),
    "error-500": _same(status(500, "InternalError", "etcdserver: leader changed")),
    "error-503": _same(Reply(503, b"service unavailable\n", _TEXT)),
    "error-501": _same(status(501, "NotImplemented", "not implemented")),
    "error-504": _same(status(504, "Timeout", "Too large resource version", {"Retry-After": "1"})),
}
"""By name."""

PASSING = frozenset(
    {
        *("stall", "reset", "truncated", "truncated-chunked", "truncated-unframed", "shortened", "empty-body"),
        *("html-as-json", "rotated", "throttled", "throttled-silently", "throttled-for-long"),
        *("error-500", "error-503", "error-504"),
    }
)
"""Those that a client overcomes when they strike once, given the time that a server asks for or stays silent."""
