"""The slow evaluator's word on connections between ends that are given as text."""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.oracle.slow import Cluster
from tests.oracle.terms import Endpoint, Outside
from tests.oracle.world import WORLD

Json = Any
PLACED = [o | {"spec": o["spec"] | {"nodeName": "n5"}} if o["kind"] == "Pod" else o for o in WORLD]
"""The three pods on a node of which nothing else is known, so that only host-network pods of it reach them anyway."""


def ask(  # noqa: PLR0913 - a connection in a cluster
    objects: list[Json],
    source: str,
    target: str,
    port: int = 80,
    protocol: str = "TCP",
    *,
    plugin: str | None = None,
) -> str:
    """`allowed`, `denied` or `unknown` from one end to another: a pod id or an address."""
    cluster = Cluster(objects, plugin)

    def end(text: str) -> Endpoint:
        return cluster.pods[text] if "/" in text else Outside(ipaddress.ip_address(text))

    return cluster.decide(end(source), end(target), protocol, port)
