"""`read`: SOURCE arguments -> Snapshot."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from audit.errors import AuditErrors, InputError, UsageError
from audit.ledger import Manifest
from audit.snapshot import Entry, Gap, InputFile, Snapshot
from audit.sources import inputs, json_text, layers, positions, yaml_text
from audit.sources.archive import is_snapshot
from audit.sources.collected import collected
from audit.sources.gathered import gathered
from audit.sources.held import Held
from audit.sources.kustomize import Kustomization, unrendered
from audit.sources.layers import Layer
from audit.sources.objects import entry, homeless
from audit.sources.shared import Shared
from audit.sources.text import Found, Text
from audit.sources.trees import roots
from audit.sources.unread import unread_workloads

MAX_ERRORS = 100
"""More than a person reads; reading stops there."""
_LARGE = 100_000
"""New containers from which a full collection takes a noticeable part of a second."""
_LONG = 8 << 20
"""Bytes from which hashing takes longer than a thread to start."""
Progress = Callable[[str], None]


def read(
    sources: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
) -> Snapshot:
    """Everything that the sources hold, later ones laid over earlier ones.

    A source is a YAML or JSON file, a directory of such files, a snapshot file of a live cluster, or `-` for `stdin`
    (the process's own if None), and `progress` gets a line of text before each larger step. Raises InputError, or
    AuditErrors with all that was found, for anything that cannot be read as Kubernetes objects, for sources that hold
    none at all and for a second cluster; UsageError for no source or a second `-`.
    """
    if not sources or list(sources).count("-") > 1:
        raise UsageError("give at least one SOURCE" if not sources else "`-` can be given once only")
    reader = _Reader(stdin, progress)
    with _no_collection():
        for ordinal, source in enumerate(sources):
            reader.read_source(source, ordinal)
        return reader.snapshot()


def _own_input() -> BinaryIO | None:
    return sys.stdin.buffer if sys.stdin else None


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cyclic collector, which would walk millions of new values over and over; none of them has cycles.

    A large result is frozen, so that the collections of later stages pass it by as well; it is still freed when unused.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _LARGE:
            gc.freeze()
        if enabled:
            gc.enable()


class _Reader:
    """What was read so far; used once."""

    def __init__(self, stdin: BinaryIO | None, progress: Progress | None) -> None:
        self._stdin = stdin
        self._progress = progress
        self._shared = Shared()
        self._layers: list[tuple[str, Layer]] = []
        self._files: list[InputFile] = []
        self._notes: list[str] = []
        self._gaps: list[Gap] = []
        self._built: list[Kustomization] = []
        self._errors: list[InputError] = []
        self._live: tuple[int, Manifest] | None = None

    def read_source(self, source: str, ordinal: int) -> None:
        """Adds one source."""
        if source != "-" and is_snapshot(source):
            self._read_snapshot(source, ordinal)
        elif source != "-" and roots(source):
            self._hold(source, gathered(source, ordinal, self._shared, self._say))
        else:
            self._read_files(source, ordinal)

    def _read_snapshot(self, source: str, ordinal: int) -> None:
        if self._live:
            raise InputError(f"`{source}` is a second snapshot of a cluster", hint="only manifests lie over one")
        name, manifest, held = collected(source, ordinal, self._shared, self._say)
        self._live = ordinal, manifest
        self._hold(name, held)

    def _hold(self, name: str, held: Held) -> None:
        self._layers.append((name, held.layer))
        self._files += held.files
        self._gaps += held.gaps
        self._notes += held.notes

    def _read_files(self, source: str, ordinal: int) -> None:
        layer: Layer = {}
        seen = False
        for text in inputs.texts(source, ordinal, self._stdin or _own_input(), self._say):
            if isinstance(text, InputError):
                self._fail(text)
            elif isinstance(text, Gap):
                self._gaps.append(text)
            else:
                seen |= self._read_text(text, layer)
        self._layers.append((source, layer))
        if not seen and not self._errors:
            self._fail(InputError(f"no Kubernetes object in `{source}`", hint="an empty input proves nothing"))

    def snapshot(self) -> Snapshot:
        """The result; raises what went wrong."""
        if len(self._errors) > 1:
            raise AuditErrors(self._errors)
        if self._errors:
            raise self._errors[0]
        merged, notes = layers.overlay(self._layers)
        if not merged:
            raise InputError("the sources hold no Kubernetes object", hint="an empty input proves nothing")
        entries = layers.by_kind(merged)
        live, manifest = self._live or (None, None)
        unread = unread_workloads(entries, live)
        return Snapshot(
            entries=entries,
            inputs=tuple(self._files),
            gaps=tuple(sorted({*self._gaps, *unrendered(self._built, self._files), *unread})),
            live=manifest is not None,
            manifest=manifest,
            named=tuple(name for name, _ in self._layers),
            notes=(*self._notes, *notes),
        )

    def _read_text(self, text: Text, layer: Layer) -> bool:
        """Adds one input; whether it said anything, if only that a list is empty."""
        if error := inputs.fault(text):
            self._fail(error)
            return True
        if text.file == "-":
            positions.remember_standard_input(text.content)
        digest = _digested(text)
        objects = 0
        remarks = []
        for found in (json_text if text.is_json else yaml_text).objects(text):
            if isinstance(found, str):
                remarks.append(found)
            else:
                objects += self._add(text, found, layer)
        self._notes += remarks
        self._files.append(InputFile(file=text.file, sha256=digest(), size=len(text.content), objects=objects))
        return bool(objects or remarks)

    def _add(self, text: Text, found: Found | InputError, layer: Layer) -> bool:
        made = found if isinstance(found, InputError) else entry(text, found, self._shared)
        match made:
            case Entry():
                if error := layers.add(layer, made):
                    self._fail(error)
                if made.kind == "NetworkPolicy" and not (text.named or made.body.metadata.namespace):
                    self._notes.append(homeless(made))
                return True
            case InputError():
                self._fail(made)
            case str():
                self._notes.append(made)
            case Kustomization():
                self._notes.append(made.note)
                self._built.append(made)
            case _:
                for error in made:
                    self._fail(error)
        return False

    def _fail(self, error: InputError) -> None:
        self._errors.append(error)
        if len(self._errors) >= MAX_ERRORS:
            raise AuditErrors([*self._errors, InputError("too many errors, reading stopped here")])

    def _say(self, line: str) -> None:
        if self._progress:
            self._progress(line)


def _digested(text: Text) -> Callable[[], str]:
    """What gives the digest of an input; that of a large one is worked out beside reading it, as it needs no lock."""
    if len(text.content) < _LONG:
        return lambda: text.sha256
    found: list[str] = []
    beside = threading.Thread(target=lambda: found.append(text.sha256), daemon=True)
    beside.start()

    def digest() -> str:
        beside.join()
        return found[0]

    return digest
