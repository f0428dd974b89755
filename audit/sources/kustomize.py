"""Kustomizations inside a directory: what they change or bring in is not in the files beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from audit.snapshot import Gap, InputFile
from audit.sources.kinds import words
from audit.sources.text import Found, Text

GROUP = "kustomize.config.k8s.io"
FILES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
"""Names under which kustomize looks for them; such a file needs neither version nor kind."""
HARMLESS = words("""
    apiVersion kind metadata resources images replicas configMapGenerator secretGenerator generatorOptions
    buildMetadata sortOptions openapi
""")
"""Fields that neither change nor add anything that a verdict rests on."""
EVIDENCE = ("Namespace", "NetworkPolicy", "Pod")
"""Kinds of which something is missing when nobody knows what is."""


class Kustomization(msgspec.Struct, frozen=True, gc=False):
    """One that was passed over."""

    file: str
    line: int
    note: str
    """That it was skipped."""
    changes: tuple[str, ...]
    """Fields that change or add objects, sorted."""
    resources: tuple[str, ...]
    """Files, directories and addresses that it builds on."""


def is_file_of(text: Text) -> bool:
    """Whether a file has a name that kustomize looks for."""
    return Path(text.file).name in FILES


def kustomization(text: Text, found: Found, note: str) -> Kustomization:
    """The object as one."""
    value: dict[str, Any] = msgspec.json.decode(found.json)
    changes = tuple(sorted(field for field in value.keys() - HARMLESS if value[field]))
    listed = value.get("resources")
    resources = tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
    return Kustomization(text.file, found.line, note, changes, resources)


def unrendered(found: Iterable[Kustomization], inputs: Iterable[InputFile]) -> tuple[Gap, ...]:
    """The gaps that they leave beside the files that were read."""
    built = list(found)
    read = {Path(one.file).resolve() for one in inputs} if built else set()
    folders = {folder for file in read for folder in (file, *file.parents)}
    return tuple(gap for one in built for reason in _reasons(one, folders) for gap in missing(one.file, reason))


def missing(scope: str, text: str) -> Iterator[Gap]:
    """Gaps for objects of unknown kinds."""
    return (Gap(kind=kind, reason="partial", scope=scope, text=text) for kind in EVIDENCE)


def _reasons(one: Kustomization, read: set[Path]) -> Iterator[str]:
    folder = Path(one.file).parent
    outside = [name for name in one.resources if (folder / name).resolve() not in read]
    hint = f"render it: `kubectl kustomize {folder} | zone-audit scan - ...`"
    if one.changes:
        fields = ", ".join(f"`{field}`" for field in one.changes)
        yield f"`{one.file}` line {one.line} changes objects by {fields}; {hint}"
    if outside:
        yield f"`{one.file}` line {one.line} builds on `{outside[0]}`, which was not read; {hint}"
