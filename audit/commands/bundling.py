"""What a scan leaves as evidence: the members of a bundle, made from one report and the inputs of the run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audit.commands.past import Past
from audit.errors import RenderError, UsageError
from audit.report import Report

if TYPE_CHECKING:  # imported on use: most scans write no bundle
    from audit.assessment import Written
    from audit.evidence.bundle import Bundle, Part
    from audit.evidence.manifest import Manifest, Source

RENDERED = {"html": "report.html", "pdf": "report.pdf", "sarif": "results.sarif"}
"""Format to the member that holds the report in it."""
Render = Callable[[str, Report], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a scan was told."""

    sources: tuple[str, ...]
    zones: Written
    excused: Written | None
    past: Past
    plugin: str
    own_rules: bool
    previous: Bundle | None


def earlier(file: str | None, formats: Sequence[str]) -> Bundle | None:
    """The bundle before this one, opened before anything is scanned, since it is quick to refuse."""
    if file is None:
        return None
    if "bundle" not in formats:
        raise UsageError("`--previous` is written into a bundle, and none is made", hint="add `-f bundle -o FILE`")
    from audit.evidence.bundle import opened

    return opened(file)


def bundle(run: Run, report: Report, render: Render) -> bytes:
    """The evidence of a run; equal runs give equal bytes."""
    from audit.evidence.bundle import composed

    _check_order(run.previous, report)
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

    results = render("json", report)
    yield Part("results.json", "results", results)
    kept = decoded(results, Position("results.json"))  # as whoever verifies the bundle has it
    for form, name in RENDERED.items():
        yield Part(name, "report", render(form, kept))
    yield Part(f"zones.{_form(run.zones)}", "zones", run.zones.content)
    if run.excused:
        yield Part("exceptions.yaml", "exceptions", run.excused.content)
    if run.past.baseline:
        yield Part("baseline.json", "baseline", run.past.baseline.content)
    for source in run.sources:
        if _is_snapshot(source):
            yield Part(SNAPSHOT, "snapshot", _snapshot(source, report))


def _form(zones: Written) -> str:
    from audit import matrix

    return matrix.form(zones.file, zones.content)


def _is_snapshot(source: str) -> bool:
    from audit.sources.archive import is_snapshot

    return source != "-" and is_snapshot(source)


def _snapshot(source: str, report: Report) -> bytes:
    """The snapshot that was scanned, as one file: an archive as it is, a directory packed."""
    from audit.sources.archive import opened, zip_layout
    from audit.sources.archive.layout import MANIFEST

    with opened(source) as found:
        digest = hashlib.sha256(found.text).hexdigest()
        if all(one.sha256 != digest for one in report.inputs):
            raise RenderError(f"`{source}` changed while it was scanned")
        if not Path(source).is_dir():
            return Path(source).read_bytes()
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
            sources=tuple(map(_source, run.sources)),
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


def _source(given: str) -> Source:
    from audit.evidence.bundle import SNAPSHOT
    from audit.evidence.manifest import Source
    from audit.sources.archive import opened
    from audit.sources.collected import cluster_name

    if not _is_snapshot(given):
        return Source(name=given)
    with opened(given) as found:
        return Source(name=cluster_name(found.manifest), member=SNAPSHOT)
