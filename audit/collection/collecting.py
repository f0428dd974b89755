"""`collect`: every kind that can change a verdict, out of a live cluster and into a snapshot file."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from audit import __version__
from audit.api_resources import RESOURCES, Resource
from audit.collection.api import Api, soon
from audit.collection.cut import cut
from audit.collection.discovery import discover, server_version
from audit.collection.entries import ledger
from audit.collection.listing import Reader
from audit.collection.passing import Members, Progress, Setting
from audit.collection.routes import routes
from audit.ledger import Cluster, Evidence, Manifest
from audit.projection import Pseudonyms

Ledger = tuple[Evidence, ...]
TIMEOUT = 900.0
"""Seconds for all; 100,000 pods take about one minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be read, and how."""

    wanted: Sequence[Resource] = RESOURCES
    namespaces: Sequence[str] = ()
    """Those to read of a kind that may not be listed in the whole cluster; such kinds are left out if empty."""
    pseudonyms: Pseudonyms | None = None
    timeout: float = TIMEOUT
    """Seconds; kinds that were not read by then are unavailable."""


def collect(  # noqa: PLR0913 - what is asked, what of, and where it goes
    api: Api,
    cluster: Cluster,
    draft: Members,
    *,
    order: Order = Order(),
    clock: Callable[[], dt.datetime],
    progress: Progress,
) -> Manifest:
    """What the ledger says in the end; the objects are in the draft by then.

    `cluster` is what is known of it before it is asked, `clock` tells the time in UTC. Failure where the API server
    does not answer at all, or does not know us; whatever else goes wrong is an entry of the ledger.
    """
    deadline = time.monotonic() + order.timeout
    reader = Reader(api, deadline, order.pseudonyms, order.namespaces)
    setting = Setting(reader, draft, clock, progress)
    started = setting.stamp
    progress("who we are", 0, 0)
    user, version = api.whoami(deadline=soon(deadline)), server_version(api, deadline)
    progress("what the cluster serves", 0, 0)
    discovery = discover(api, deadline)
    served, missing = routes(api, discovery, order.wanted, deadline)
    found = cut(setting, served)
    entries = ledger(found, missing, order.namespaces)
    for entry in entries:
        if entry.status not in ("complete", "partial"):
            draft.drop(entry.kind)
    known = msgspec.structs.replace(cluster, uid=found.uid, version=version, user=user)
    if order.pseudonyms:
        known, entries = _nameless(known, entries, order.pseudonyms)
    return Manifest(
        tool=f"zone-audit {__version__}",
        cluster=known,
        resource_version=found.resource_version,
        started=started,
        ended=setting.stamp,
        attempts=found.attempts,
        pseudonyms=order.pseudonyms is not None,
        unmodelled_groups=discovery.unmodelled,
        ledger=entries,
        members=(),
    )


def _nameless(cluster: Cluster, entries: Ledger, names: Pseudonyms) -> tuple[Cluster, Ledger]:
    """The same without the name of the account, which refusals quote and many contexts end in."""
    token = names.of(cluster.user)

    def hidden(text: str) -> str:
        return text.replace(cluster.user, token) if cluster.user else text

    return msgspec.structs.replace(cluster, user=token, context=""), tuple(
        msgspec.structs.replace(one, reason=hidden(one.reason), warnings=tuple(map(hidden, one.warnings)))
        for one in entries
    )
