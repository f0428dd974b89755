"""What a scan leaves as evidence: the members of a bundle, made from one report and the inputs of the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audit.commands.outlets import Outlet
from audit.commands.past import Past
from audit.errors import RenderError, UsageError
from audit.report import Report

if TYPE_CHECKING:  # imported on use: most scans write no bundle
    from audit.assessment import Written
    from audit.evidence.bundle import Bundle, Part
    from audit.evidence.manifest import Manifest, Source
    from audit.sources.archive import Archive

RENDERED = {"html": "report.html", "pdf": "report.pdf", "sarif": "results.sarif"}
"""Format to the member that holds the report in it."""
Render = Callable[[str, Report, Mapping[str, bytes]], bytes]


@dataclass(slots=True, kw_only=True)
class Held:
    """The sources of a run, and its snapshot, kept while they are there."""

    sources: tuple[Source, ...] = ()
    snapshot: bytes | None = None
    sha256: str = ""
    """Of the manifest in the snapshot."""

    def take(self, files: Sequence[str]) -> None:
        """Keeps what was read from these files."""
        self.sources = tuple(map(self._source, files))

    def _source(self, file: str) -> Source:
        from audit.evidence.bundle import SNAPSHOT
        from audit.evidence.manifest import Source
        from audit.sources.archive import is_snapshot, opened
        from audit.sources.collected import cluster_name

        if file == "-" or not is_snapshot(file):
            return Source(name=file)
        with opened(file) as found:
            self.snapshot, self.sha256 = _whole(found), hashlib.sha256(found.text).hexdigest()
            return Source(name=cluster_name(found.manifest), member=SNAPSHOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a scan was told."""

    held: Held
    zones: Written
    excused: Written | None
    past: Past
    plugin: str
    own_rules: bool
    previous: Bundle | None

    @property
    def declared(self) -> dict[str, bytes]:
        """What people wrote, by role."""
        return {"zones": self.zones.content} | ({"exceptions": self.excused.content} if self.excused else {})


def has_bundle(chosen: Iterable[Outlet]) -> bool:
    """Whether evidence is asked for."""
    return any(one.format == "bundle" for one in chosen)


def earlier(file: str | None, chosen: Iterable[Outlet]) -> Bundle | None:
    """The bundle before this one, opened before anything is scanned, since it is quick to refuse."""
    if file is None:
        return None
    if not has_bundle(chosen):
        raise UsageError("`--previous` is written into a bundle, and none is made", hint="add `-f bundle -o FILE`")
    from audit.evidence.bundle import opened

    return opened(file)


def started(  # noqa: PLR0913 - what a run is told
    zones: str, exceptions: str | None, known: Past, previous: Bundle | None, *, plugin: str, own_rules: bool
) -> Run:
    """A run, with what people wrote read once; MatrixError for what cannot be read."""
    from audit import assessment

    matrix, excused = assessment.written(zones, exceptions)
    return Run(
        held=Held(),
        zones=matrix,
        excused=excused,
        past=known,
        plugin=plugin,
        own_rules=own_rules,
        previous=previous,
    )


def bundle(run: Run, report: Report, render: Render) -> bytes:
    """The evidence of a run; equal runs give equal bytes."""
    from audit.evidence.bundle import composed

    _check_order(run.previous, report)
    if run.held.snapshot is not None and all(one.sha256 != run.held.sha256 for one in report.inputs):
        raise RenderError("the snapshot changed while it was scanned", hint="scan it again")
    parts = list(_parts(run, report, render))
    return composed(_manifest(run, report), parts)


def _check_order(previous: Bundle | None, report: Report) -> None:
    """UsageError for what cannot be the run before."""
    if previous is None:
        return
    cluster = report.collection.cluster.uid if report.collection else ""
    before = previous.manifest.cluster.uid if previous.manifest.cluster else ""
    if cluster != before:
        raise UsageError(f"`{previous.file}` is evidence of another cluster", hint="a chain is of one cluster")
    if previous.manifest.created > report.created:
        raise UsageError(f"`{previous.file}` is younger than this scan, so it is not the one before")


def _parts(run: Run, report: Report, render: Render) -> Iterator[Part]:
    """All members in the order of the file."""
    from audit.baseline import decoded
    from audit.errors import Position
    from audit.evidence.bundle import SNAPSHOT, Part

    results = render("json", report, {})
    yield Part("results.json", "results", results)
    kept = decoded(results, Position("results.json"))  # as whoever verifies the bundle has it
    for form, name in RENDERED.items():
        yield Part(name, "report", render(form, kept, run.declared))
    yield Part(f"zones.{_form(run.zones)}", "zones", run.zones.content)
    if run.excused:
        yield Part("exceptions.yaml", "exceptions", run.excused.content)
    if run.past.baseline:
        yield Part("baseline.json", "baseline", run.past.baseline.content)
    if run.held.snapshot is not None:
        yield Part(SNAPSHOT, "snapshot", run.held.snapshot)


def _form(zones: Written) -> str:
    from audit import matrix

    return matrix.form(zones.file, zones.content)


def _whole(found: Archive) -> bytes:
    """A snapshot as one file: an archive as it is, a directory packed."""
    from audit.sources.archive import zip_layout
    from audit.sources.archive.layout import MANIFEST

    if not Path(found.file).is_dir():
        return Path(found.file).read_bytes()
    members = ((one.name, content) for one, content in found.members())
    try:
        return zip_layout.archive([(MANIFEST, found.text), *members])
    except ValueError as error:
        raise RenderError("the snapshot takes more than 4 GiB as one file") from error


def _manifest(run: Run, report: Report) -> Manifest:
    """All that does not follow from the members."""
    from audit.evidence.manifest import Manifest, Merkle, Parameters

    return Manifest(
        tool=report.tool,
        rule_pack=report.rule_pack,
        created=report.created,
        cluster=report.collection.cluster if report.collection else None,
        verdict=report.verdict,
        exit_code=report.exit_code,
        parameters=Parameters(
            sources=run.held.sources,
            zones=run.zones.file,
            exceptions=run.excused.file if run.excused else "",
            baseline=run.past.baseline.name if run.past.baseline else "",
            history=bool(run.past.history),
            fail_on=report.fail_on,
            fail_on_new=run.past.fail_on_new,
            cni=run.plugin,
            own_rules=run.own_rules,
        ),
        inputs=report.inputs,
        members=(),
        merkle=Merkle(root="", leaves=0),
        previous=run.previous.sha256 if run.previous else None,
    )
