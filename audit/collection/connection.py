"""One request and its response: the only module that uses `urllib3`.

A response is taken whole or not at all. Redirects, compressed bodies, other content types and bodies that are too
large or end early are no responses; nothing is unpacked, so nothing can swell.
"""

from __future__ import annotations

import math
import re
import ssl
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Literal

from audit import __version__
from audit.collection.access import Access, Proxy
from audit.collection.answers import (
    Answer,
    Broken,
    Failure,
    Limits,
    first_line,
    retry_after,
    said,
    status_of,
    warnings_of,
)

Method = Literal["GET", "POST"]

_GOOD = frozenset({200, 201})
"""Not 206, which is a part of something."""
_RETRIED = frozenset({429, 500, 502, 503, 504})
_CHUNK = 1 << 16
_END = 64
"""Bytes at the end of a body that are looked at; the API server ends with one line feed."""
_CONNECTIONS = 4
"""Kept open; more are opened when more threads ask."""
_JSON = re.compile(r"\s*application/json\s*(;|$)", re.IGNORECASE)
"""Parameters follow in discovery: `application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`."""
_ALWAYS = {"Accept-Encoding": "identity", "User-Agent": f"zone-audit/{__version__}"}
_ends: ContextVar[float] = ContextVar("_ends", default=math.inf)
"""When the request of this thread must be over, a time of `time.monotonic`."""


class _Socket(ssl.SSLSocket):
    """Reads until the request must be over, however steadily bytes drip in; headers are read through it too."""

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        left = _ends.get() - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(min(left, self.gettimeout() or left))
        return super().recv_into(buffer, nbytes, flags)


class Connection:
    """Connections to one API server; threads may share it."""

    def __init__(self, access: Access, limits: Limits) -> None:
        import urllib3

        access.tls.sslsocket_class = _Socket
        kept: dict[str, Any] = {
            "maxsize": _CONNECTIONS,
            "ssl_context": access.tls,
            "cert_reqs": access.tls.verify_mode,
            "server_hostname": access.server_name or None,
        }
        if access.unverified_tls:  # said once in our own words
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        manager = (
            urllib3.ProxyManager(access.proxy.url, proxy_headers=_proxy_headers(access.proxy), **kept)
            if access.proxy
            else urllib3.PoolManager(**kept)
        )
        self._prefix = access.prefix
        self._limits = limits
        self._pool: Any = manager.connection_from_host(access.host, access.port, "https")

    def close(self) -> None:
        """End all of them."""
        self._pool.close()

    def exchange(
        self, method: Method, target: str, headers: Mapping[str, str], body: bytes | None, ends: float
    ) -> Answer:
        """The answer to one try; Broken where another may help, Failure where none will."""
        import urllib3

        if ends <= time.monotonic():
            raise Failure("timeout", "its time was over before it was asked")
        token = _ends.set(ends)
        response = None
        try:
            response = self._pool.urlopen(
                method,
                self._prefix + target,
                body=body,
                headers={**headers, **_ALWAYS},
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=self._limits.connect, read=self._limits.read),
            )
            return _answer(response, _content(response, self._limits.size, ends))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._fault(error, ends) from None
        finally:
            _ends.reset(token)
            if response is not None:
                _release(response)

    def _fault(self, error: Exception, ends: float) -> Exception:
        """What went wrong with the connection, in our own words: those of libraries hold addresses and values."""
        if time.monotonic() >= ends:
            return Failure("timeout", "the answer was not complete in the time given for it")
        cause = error.args[0] if error.args and isinstance(error.args[0], ssl.SSLError) else error
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure("untrusted", f"the certificate of the API server is not trusted: {cause.verify_message}")
        return Broken(_interruption(error, cause, self._limits))


def _proxy_headers(proxy: Proxy) -> dict[str, str]:
    return {"Proxy-Authorization": proxy.header} if proxy.header else {}


def _interruption(error: Exception, cause: object, limits: Limits) -> Failure:
    from urllib3 import exceptions

    silence = Failure("timeout", f"silence for {limits.read:g} s")
    known = {
        exceptions.ProxyError: Failure("unavailable", "the proxy gives no way to the API server"),
        exceptions.NameResolutionError: Failure("unavailable", "the name of the API server does not resolve"),
        exceptions.NewConnectionError: Failure("unavailable", "no connection"),
        exceptions.ConnectTimeoutError: Failure("timeout", f"no connection within {limits.connect:g} s"),
        exceptions.TimeoutError: silence,
        TimeoutError: silence,
        exceptions.SSLError: Failure("unavailable", f"TLS failed ({getattr(cause, 'reason', None) or 'handshake'})"),
    }
    broken = Failure("unavailable", "the connection broke before the answer was complete")
    return next((failure for kind, failure in known.items() if isinstance(error, kind)), broken)


def _release(response: Any) -> None:
    """Give the connection back, closed unless the response was read to its end."""
    if not response.isclosed():
        response.close()
    response.release_conn()


def _content(response: Any, limit: int, ends: float) -> bytes:
    """The body; never more than `limit` bytes of it are held."""
    too_large = Failure("too-large", f"the body is larger than {limit:,} bytes", status=response.status)
    if (response.length_remaining or 0) > limit:
        raise too_large
    chunks: list[bytes] = []
    held = 0
    while chunk := response.read1(_CHUNK, decode_content=False):
        held += len(chunk)
        if held > limit:
            raise too_large
        if time.monotonic() >= ends:
            raise TimeoutError
        chunks.append(chunk)
    return b"".join(chunks)


def _answer(response: Any, content: bytes) -> Answer:
    status: int = response.status
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        raise Failure("redirect", f"{status}: it points to another place, which is not followed", status=status)
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise Failure("wrong content type", "the body is compressed, which was not asked for", status=status)
    if status in _RETRIED:
        raise Broken(_refusal(status, content), retry_after(response.headers.get("retry-after", "")))
    error = 400 <= status < 500  # noqa: PLR2004 - the class of what the client did wrong
    if not error and status not in _GOOD:
        raise _refusal(status, content)
    if not error:
        _check(status, response.headers.get("content-type", ""), content)
    return Answer(
        status=status,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=content,
        message=said(content) if error else "",
        cause=status_of(content).reason if error else "",
        warnings=warnings_of(response.headers.getlist("warning")),
    )


def _refusal(status: int, content: bytes) -> Failure:
    return Failure("unavailable", ": ".join(filter(None, (str(status), said(content)))), status=status)


def _check(status: int, content_type: str, content: bytes) -> None:
    """Failure unless the content is said to be JSON; Broken unless it ends as an object does.

    The end matters where the body has no length of its own and lasts until the connection ends.
    """
    if not _JSON.match(content_type):
        named = first_line(content_type.encode("utf-8", "replace")) or "none"
        raise Failure("wrong content type", f"the content type is `{named}`, not JSON", status=status)
    if not content[-_END:].rstrip().endswith(b"}"):
        raise Broken(Failure("unavailable", "the body ends early", status=status))
