"""Collects from a test server as some account, into memory."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from audit.api_resources import RESOURCES, Resource
from audit.collection import Access, Client, Order, access, collect
from tests.collection.certificates import Pair
from tests.collection.reading import KEYS, Collected, Kept
from tests.live.serving import Server

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Collector:
    """Collects as one account, as often as wanted."""

    server: Server
    kubeconfig: Path

    def __call__(
        self,
        wanted: Iterable[Resource] = RESOURCES,
        progress: Progress | None = None,
        namespaces: tuple[str, ...] = (),
    ) -> Collected:
        reached = access(path=self.kubeconfig, environment={})
        return collected(reached, Order(wanted=tuple(wanted), namespaces=namespaces), progress)


def collected(reached: Access, order: Order, progress: Progress | None = None) -> Collected:
    """What comes of it where the API server answers."""
    kept = Kept()
    with Client(reached) as client:
        manifest = collect(
            client,
            reached.cluster,
            kept,
            order=order,
            clock=lambda: dt.datetime.now(dt.UTC),
            progress=progress or (lambda *_: None),
        )
    return Collected(manifest, kept)


def collector(server: Server, token: str = "", pair: Pair | None = None) -> Collector:
    """For the account of a token or a client certificate."""
    with tempfile.NamedTemporaryFile(dir=server.folder, prefix="kubeconfig-", delete=False) as file:
        return Collector(server, server.kubeconfig(Path(file.name), token, pair))


def kinds(*keys: str) -> tuple[Resource, ...]:
    """The kinds of these keys, with the one that tells who a cluster is."""
    return tuple(KEYS[key] for key in dict.fromkeys(("Namespace", *keys)))
