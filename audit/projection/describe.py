"""The allow-list in words: the second half of docs/redaction.md, made from the same data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from audit.api_resources import RESOURCES
from audit.projection import bodies, notes
from audit.projection.nodes import Line
from audit.projection.specs import METADATA, SPECS
from audit.raw_body import RawBody
from audit.sources.kinds import Kind, kind_of
from audit.workloads import Metadata, PodBody, RouterPodBody, ServerPodBody

_METADATA = "metadata"


def known() -> tuple[Kind, ...]:
    """Every kind that a snapshot is asked for, in the order of RESOURCES."""
    return tuple(kind_of(f"{one.group}/v1" if one.group else "v1", one.kind) for one in RESOURCES)


@cache
def kept(kind: Kind) -> tuple[Line, ...]:
    """What is kept of a kind beside the metadata that every kind has: (path, words; empty for all of it)."""
    if issubclass(kind.body, RawBody):
        chosen = SPECS.get(kind.key, METADATA)
        parts = (("spec", chosen.spec), ("status", chosen.status))
        return tuple(line for name, node in parts if node for line in node.lines(name))
    structs = (PodBody, RouterPodBody, ServerPodBody) if kind.body is PodBody else (kind.body,)
    found = [line for struct in structs for line in bodies.lines(struct) if not _of_every_kind(line)]
    return tuple(dict.fromkeys(found))


@cache
def metadata() -> tuple[Line, ...]:
    """What is kept of the metadata of every kind."""
    return tuple(bodies.lines(Metadata, _METADATA))


def _of_every_kind(line: Line) -> bool:
    return line in metadata()


def page() -> str:
    """Markdown."""
    return "\n".join([*_every(), *_annotations(), *_kinds()]) + "\n"


def _every() -> Iterator[str]:
    yield from ("### Metadata of every object", "", *_lines(metadata()), "")


def _annotations() -> Iterator[str]:
    listed = tuple(notes.lines())
    yield from ("### Annotations", "", *(f"- `{key}`{words and f': {words}'}" for key, words in listed), "")


def _kinds() -> Iterator[str]:
    grouped: dict[tuple[Line, ...], list[str]] = {}
    for kind in known():
        grouped.setdefault(_shortened(kind), []).append(f"`{kind.key}`")
    bare = grouped.pop((), [])
    for lines, keys in grouped.items():
        yield from (f"### {', '.join(keys)}", "", *_lines(lines), "")
    yield from ("### Metadata only", "", ", ".join(bare))


def _shortened(kind: Kind) -> tuple[Line, ...]:
    """What is kept of a kind, with what its template has in common with a Pod in one line."""
    common = {*metadata(), *kept(kind_of("v1", "Pod"))}
    found: dict[Line, None] = {}
    for path, words in kept(kind):
        start, template, rest = path.partition("template.")
        shared = bool(template) and (rest, words) in common
        found[(f"{start}template", "as of a Pod") if shared else (path, words)] = None
    return tuple(found)


def _lines(lines: Iterable[Line]) -> Iterator[str]:
    """One item for all fields of which the same is kept."""
    grouped: dict[str, dict[str, Any]] = {}
    for path, words in lines:
        node = grouped.setdefault(words, {})
        for step in path.split("."):
            node = node.setdefault(step, {})
    for words, tree in sorted(grouped.items(), key=lambda one: bool(one[0])):
        yield f"- {words}: `{_tree(tree)}`" if words else f"- `{_tree(tree)}`"


def _tree(tree: Mapping[str, Any]) -> str:
    """Paths that begin alike as one: `a.{b, c.d}`."""
    parts = [f"{name}.{_tree(below)}" if below else name for name, below in tree.items()]
    return parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"
