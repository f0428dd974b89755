"""A local API server that lists what it is given page by page, and breaks where it is told to.

    with FaultServer(kinds, faults=[Fault("reset", "pods", page="middle", times=1)]) as server:
        with Client(server.access()) as client: ...

`FAULTS` names everything that it can do wrong, `PASSING` those after which a second try succeeds.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from audit.collection import Access, access
from tests.collection import discovery_pages
from tests.collection.certificates import Pair, authority, server_pair
from tests.collection.faults import FAULTS, PASSING, Reply, Wire, expired, json_reply, status

__all__ = ["FAULTS", "PASSING", "Fault", "FaultServer", "Request", "Served"]

Page = Literal["first", "middle", "last"]
TOKEN = "canary-first-token-0123456789"  # noqa: S105 - of a server that lives for one test


@dataclass(frozen=True, slots=True)
class Served:
    """One kind and its objects."""

    kind: str
    plural: str
    items: Sequence[Mapping[str, Any]] = ()
    group: str = ""
    version: str = "v1"
    namespaced: bool = True

    @property
    def resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong (a name of FAULTS), with which list, on which page, how often."""

    name: str
    resource: str = ""
    """`pods`, `routes.route.openshift.io`; empty for every list. Or a path, such as `/apis`."""
    page: Page | None = None
    """None for every page. A list of one page has a first, middle and last page, which are the same."""
    times: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)


class FaultServer:
    """A context manager; `kinds`, `faults`, `resource_version` and the rest may be changed while it runs.

    It accepts `token`, which the fault `rotated` changes, together with the file `token_file`.
    """

    def __init__(
        self,
        kinds: Iterable[Served] = (),
        faults: Iterable[Fault] = (),
        *,
        pair: Pair | None = None,
        client_authority: bytes = b"",
    ) -> None:
        self.kinds = list(kinds)
        self.faults = list(faults)
        self.resource_version = 1000
        self.compacted = 0
        """Resource versions below are gone: 410."""
        self.stale: set[str] = set()
        """API groups whose server is down: stale in discovery, 503 otherwise."""
        self.aggregated_discovery = True
        """False: as before Kubernetes 1.26."""
        self.self_reviews = True
        """False: as before Kubernetes 1.28."""
        self.user = "system:serviceaccount:audit:reader"
        self.version = "v1.36.2"
        self.token = TOKEN
        """What it accepts; empty to accept everyone."""
        self._rotations = 0
        self.requests: list[Request] = []
        self.hits: list[tuple[str, str]] = []
        """Fault and resource, for each time that one struck."""
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory()
        self.token_file = Path(self._folder.name) / "token"
        self.token_file.write_text(f"{self.token}\n", encoding="ascii")
        self._tls = (pair or server_pair()).context(Path(self._folder.name), client_authority)
        self._http = _Listener(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self._folder.cleanup()
        if self._http.bugs and kind is None:
            raise self._http.bugs[0]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._http.server_port}"

    def kubeconfig(self, *, server: Mapping[str, Any] | None = None, user: Mapping[str, Any] | None = None) -> Path:
        """A kubeconfig with the context `lab`; the arguments replace fields of its cluster and its user."""
        cluster = {"server": self.url, "certificate-authority-data": base64.b64encode(authority().pem).decode()}
        found = {
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "reader"}}],
            "clusters": [{"name": "lab", "cluster": {**cluster, **(server or {})}}],
            "users": [{"name": "reader", "user": {"tokenFile": str(self.token_file)} if user is None else user}],
        }
        path = Path(self._folder.name) / "kubeconfig"
        path.write_text(json.dumps(found), encoding="utf-8")
        return path

    def access(self) -> Access:
        """Access with the token file."""
        return access(path=self.kubeconfig(), environment={})

    def wrap(self, connection: socket.socket) -> ssl.SSLSocket:
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)

    def struck(self, resource: str, pages: Sequence[Page] = (), *, listed: bool = False) -> Fault | None:
        """The fault that strikes now, which is used up by one; `pages` says which pages of a list this one is."""
        with self.lock:
            for index, fault in enumerate(self.faults):
                place = fault.page is None or fault.page in pages
                if fault.times > 0 and place and fault.resource in ("" if listed else resource, resource):
                    self.faults[index] = Fault(fault.name, fault.resource, fault.page, fault.times - 1)
                    self.hits.append((fault.name, resource))
                    return fault
        return None

    def rotate(self) -> None:
        """Another token; the file has it, the old one is refused."""
        with self.lock:
            self._rotations += 1
            token = f"canary-rotated-token-{self._rotations}"
            written = self.token_file.with_suffix(".new")
            written.write_text(f"{token}\n", encoding="ascii")
            written.replace(self.token_file)  # at once, as a mounted volume changes
            self.token = token  # after the file, so that nobody who is refused reads the old one again


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: FaultServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api
        self.bugs: list[BaseException] = []

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the thread of the connection, so that nobody waits for it."""
        with contextlib.suppress(OSError):  # the client went away, which is what many tests are about
            request.settimeout(60)
            wrapped = self.api.wrap(request)
            with contextlib.closing(wrapped):
                wrapped.do_handshake()
                super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the signature of socketserver
        import sys

        if error := sys.exception():
            self.bugs.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._serve()

    def _serve(self) -> None:
        api = self.server.api
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        api.requests.append(Request(self.command, url.path, query, dict(self.headers.items())))
        if api.token and self.headers.get("Authorization") != f"Bearer {api.token}":
            reply, fault = status(401, "Unauthorized", "Unauthorized"), None
        else:
            reply, fault = self._found(url.path, query)
        wire = Wire(self, api.stopping, api.rotate)
        broken = FAULTS[fault.name](reply, wire) if fault else reply
        if broken is not None:
            wire.send(broken)

    def _found(self, path: str, query: Mapping[str, str]) -> tuple[Reply, Fault | None]:
        """The true answer, and what is to go wrong with it."""
        api = self.server.api
        for served in api.kinds:
            if not path.startswith(served.root + "/"):
                continue
            match path.removeprefix(served.root).strip("/").split("/"):
                case [served.plural]:
                    return self._list(served, served.items, query)
                case ["namespaces", namespace, served.plural]:
                    items = [one for one in served.items if one["metadata"].get("namespace") == namespace]
                    return self._list(served, items, query)
                case [served.plural, name]:
                    return _one(served, name), api.struck(path)
        said = discovery_pages.answer(path, self.headers.get("Accept", ""), api)
        unknown = Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        return json_reply(*said) if said else unknown, api.struck(path)

    def _list(
        self, served: Served, items: Sequence[Mapping[str, Any]], query: Mapping[str, str]
    ) -> tuple[Reply, Fault | None]:
        api = self.server.api
        if served.group in api.stale:
            return Reply(503, b"service unavailable\n", {"Content-Type": "text/plain"}), None
        token = json.loads(base64.urlsafe_b64decode(query["continue"])) if "continue" in query else {}
        version = int(token.get("version") or query.get("resourceVersion") or api.resource_version)
        limit = int(query.get("limit", "0")) or max(len(items), 1)
        start, pages = token.get("start", 0), max(1, math.ceil(len(items) / limit))
        places: dict[Page, int] = {"first": 0, "middle": pages // 2, "last": pages - 1}
        here = [place for place, number in places.items() if number == start // limit]
        fault = api.struck(served.resource, here, listed=True)
        if version < api.compacted:
            return expired(_token(start, api.resource_version)), fault
        if version > api.resource_version:
            return status(504, "Timeout", f"Too large resource version: {version}", headers={"Retry-After": "1"}), fault
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if start + limit < len(items):
            metadata |= {"continue": _token(start + limit, version), "remainingItemCount": len(items) - start - limit}
        found = {"kind": f"{served.kind}List", "apiVersion": served.api_version, "metadata": metadata}
        return json_reply({**found, "items": list(items[start : start + limit])}), fault


def _one(served: Served, name: str) -> Reply:
    for item in served.items:
        if item["metadata"]["name"] == name:
            return json_reply({"apiVersion": served.api_version, "kind": served.kind, **item})
    return status(404, "NotFound", f'{served.plural} "{name}" not found')


def _token(start: int, version: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"start": start, "version": version}).encode()).decode()
