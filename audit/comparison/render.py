"""A Difference as JSON, which keeps text as it was read, and as table, Markdown or CSV through `safe_text`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from audit.comparison.changes import KINDS
from audit.comparison.record import SCHEMA, CauseRecord, Difference, FindingChange, SideRecord
from audit.safetext import encodable, rewrite, safe_text
from audit.tables import aligned, comma_separated, markdown, plain
from audit.traffic import Traffic

CONNECTIONS = ("change", "source", "target", "was", "now", "ports", "from", "to", "caused by")
ZONES = ("from", "to", "opened", "closed", "changed", "newly open ports", "caused by")
CAUSES = ("#", "object", "difference", "opened", "closed", "changed", "place")
FINDINGS = ("finding", "severity", "rule", "was", "now", "from", "to", "what", "place")
MOST_CAUSES, MOST_IDS = 50, 6
"""Causes that a table lists, those of most pairs, and that one of its cells names; JSON and CSV have all."""
Table = tuple[str, Sequence[str], list[tuple[str, ...]], str]
"""Title, head, rows, and a remark below."""


def render(found: Difference, name: str) -> str:
    """The difference in the format `table`, `json`, `md` or `csv`; ends with a newline."""
    renderers: Mapping[str, Callable[[Difference], str]] = {
        "table": _text,
        "json": _json,
        "md": _markdown,
        "csv": lambda one: comma_separated(CONNECTIONS, _connections(rewrite(one, _safe), named=True)),
    }
    return renderers[name](found)


def schema() -> bytes:
    """The JSON Schema of the JSON format; `docs/diff.schema.json` is a copy that a test keeps current."""
    described = msgspec.json.schema(Difference) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": "Text that does not apply is the empty string, a list without entries is [].",
    }
    return msgspec.json.format(msgspec.json.encode(described, order="sorted"), indent=2) + b"\n"


def _json(found: Difference) -> str:
    clean = rewrite(found, lambda text, _: encodable(text))
    return msgspec.json.format(msgspec.json.encode(clean, order="deterministic"), indent=1).decode() + "\n"


def _safe(text: str, _: str) -> str:
    return safe_text(text)


def _text(found: Difference) -> str:
    shown = rewrite(found, _safe)
    blocks = [shown.headline, *(f"{title}\n{aligned(head, rows)}{rest}" for title, head, rows, rest in _tables(shown))]
    return "\n\n".join([*blocks, *_remarks(shown)]) + "\n"


def _markdown(found: Difference) -> str:
    shown = rewrite(found, _safe)
    tables = (f"## {title}\n\n{markdown(head, rows)}{plain(rest)}" for title, head, rows, rest in _tables(shown))
    return "\n\n".join([f"**{plain(shown.headline)}**", *tables, *map(plain, _remarks(shown))]) + "\n"


def _tables(found: Difference) -> Iterator[Table]:
    """Everything but what is empty."""
    tables: Iterable[Table] = (
        ("Pairs of zones", ZONES, list(_zones(found)), ""),
        (
            "Objects that differ and decide a changed connection",
            CAUSES,
            list(map(_cause, found.causes[:MOST_CAUSES])),
            f"\n\n{rest:,} more objects; `-f json` has all" if (rest := len(found.causes) - MOST_CAUSES) > 0 else "",
        ),
        ("Connections", CONNECTIONS, list(_connections(found)), _left_out(found)),
        ("Findings", FINDINGS, [_finding(one) for one in found.findings if one.status != "unchanged"], ""),
    )
    yield from (table for table in tables if table[2])


def _zones(found: Difference) -> Iterator[tuple[str, ...]]:
    for one in found.zone_pairs:
        sums = [getattr(one.changes, kind).pairs for kind in KINDS]
        ports = _ports(one.changes.opened.ports)
        yield (one.from_zone, one.to_zone, *map(_count, sums), ports, _ids(one.causes))


def _cause(one: CauseRecord) -> tuple[str, ...]:
    what = f"{one.change}: {one.text}" if one.text else one.change
    sums = [getattr(one, kind) for kind in KINDS]
    place = _place(one.file, one.line) or _place(one.old_file, one.old_line)
    return (f"#{one.id}", one.object, what, *map(_count, sums), place)


def _connections(found: Difference, *, named: bool = False) -> Iterator[tuple[str, ...]]:
    """One row per listed connection; `named` spells its causes out."""
    first = {one.id: f"{one.id} ({', '.join(one.cidrs[:1])}{_more(len(one.cidrs) - 1)})" for one in found.ranges}
    objects = {one.id: f"{one.object} {one.change}" for one in found.causes}
    for one in found.connections:
        ends = (first.get(one.src, one.src), first.get(one.dst, one.dst))
        causes = "; ".join(objects[cause] for cause in one.causes) if named else _ids(one.causes)
        yield (one.change, *ends, one.was, one.now, _ports(one.ports), one.from_zone, one.to_zone, causes)


def _left_out(found: Difference) -> str:
    """How many connections are not listed."""
    parts = []
    for kind in KINDS:
        listed = len({(one.src, one.dst) for one in found.connections if one.change == kind})
        whole = getattr(found.changes, kind).pairs
        if listed < whole:
            parts.append(f"{listed:,} of {whole:,} {kind}")
    return f"\n\nlisted: {', '.join(parts)}; `--limit 0` lists all" if parts else ""


def _finding(one: FindingChange) -> tuple[str, ...]:
    what = f"{one.title}: {', '.join(one.subjects)}" if one.subjects else one.title
    words = (one.status, one.severity, one.rule, one.was, one.now, one.from_zone, one.to_zone)
    return (*words, what, _place(one.file, one.line))


def _remarks(found: Difference) -> Iterator[str]:
    if found.untraced:
        yield f"{found.untraced:,} pairs were not traced to their causes: too many kinds of change"
    yield from (remark for name, side in (("old", found.old), ("new", found.new)) for remark in _incomplete(name, side))


def _incomplete(name: str, side: SideRecord) -> Iterator[str]:
    if not side.complete:
        why = "; ".join(side.missed) or "not everything could be evaluated"
        yield f"the {name} snapshot `{side.source}` is incomplete: {why}"


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _ports(ports: Mapping[str, str]) -> str:
    return str(Traffic.parse(ports)) if ports else ""


def _place(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file


def _ids(causes: Sequence[int]) -> str:
    return " ".join(f"#{one}" for one in causes[:MOST_IDS]) + _more(len(causes) - MOST_IDS)


def _more(count: int) -> str:
    return f" +{count}" if count > 0 else ""
