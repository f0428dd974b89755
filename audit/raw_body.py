"""Kinds whose spec its own module reads, because whoever reads it must see unknown fields."""

from __future__ import annotations

import msgspec

from audit.workloads import Metadata


class RawBody(msgspec.Struct, frozen=True, gc=False):
    """Any kind whose spec its own module reads: NetworkPolicy, Ingress, Route, and every kind that is not modelled.

    `spec` is JSON; empty (`b""`) when the object has none.
    """

    metadata: Metadata = Metadata()
    spec: msgspec.Raw = msgspec.Raw(b"")


class StatusBody(RawBody, frozen=True, gc=False):
    """A raw kind whose status says what the cluster made of it."""

    status: msgspec.Raw = msgspec.Raw(b"")
