"""Ways between zones that must be apart, as a section under the reachability document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from audit import path_records
from audit.report import CutRecord, TransitRecord
from audit.safetext import safe_text
from audit.tables import plain

MOST = 30
"""Pairs that are listed; the JSON has all."""


def section(document: Mapping[str, Any], name: str) -> str:
    """The section for the format `table` or `md`; empty for other formats, and for a document without ways."""
    if "apart" not in document or name not in ("table", "md"):
        return ""
    transits = msgspec.convert(document["transit"], tuple[TransitRecord, ...])
    cuts = msgspec.convert(document["cuts"], tuple[CutRecord, ...])
    lines = [(0, path_records.apart_text(document["apart"]))]
    pairs = path_records.joined(transits, cuts)
    for one in pairs[:MOST]:
        lines += _lines(one)
    if len(pairs) > MOST:
        lines.append((0, f"{MOST} of {len(pairs)} pairs shown; all of them with `-f json`"))
    if name == "table":
        return "\n" + "".join(f"{'  ' * depth}{safe_text(text)}\n" for depth, text in lines)
    (_, head), *rest = lines
    listed = "".join(f"{'  ' * max(depth - 1, 0)}- {plain(safe_text(text))}\n" for depth, text in rest)
    return f"\n## Zones that must be apart\n\n{plain(safe_text(head))}\n\n{listed}"


def _lines(one: path_records.Joined) -> Iterator[tuple[int, str]]:
    """(depth, text) of everything about one pair."""
    yield 1, f"{one.from_zone} to {one.to_zone}: {one.title}"
    for number, hop in enumerate(one.transit.hops if one.transit else (), start=1):
        yield 2, f"hop {number}: {path_records.hop_text(hop)}"
        if hop.path:
            yield 3, f"through {path_records.steps_text(hop.path)}"
    if one.cut:
        yield 2, f"to part them: {path_records.cut_text(one.cut)}"
