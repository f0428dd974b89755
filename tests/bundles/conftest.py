"""One small estate in two forms, and bundles of it, made in this process with a quick stand-in for the PDF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from audit import cli, pages
from audit.enclosures import Enclosure
from audit.exports import results_v1
from audit.report import Report
from tests.cli.conftest import NAMESPACES, PODS, POLICIES, ZONES
from tests.sources.snapshots import of_manifests

NOW, LATER = "1795392000", "1795478400"


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def checks(self) -> dict[str, str]:
        return {one["name"]: one["result"] for one in json.loads(self.out)["checks"]}


Zone = Callable[..., Done]


def stand_in(report: Report, enclosures: Iterable[Enclosure] = ()) -> bytes:
    names = ",".join(one.name for one in enclosures)
    return f"%PDF-1.7 {results_v1.digest(results_v1.render(report))} {names}".encode()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "pdf", stand_in)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def zone(capfd: pytest.CaptureFixture[str]) -> Zone:
    """`zone-audit` with these arguments, in this process."""

    def run(*words: str | Path) -> Done:
        code = cli.run([str(word) for word in words])
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Path:
    """`manifests/` that break the matrix in `zones.yaml`, and `today.zip`, a snapshot of the same objects."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    leaky = POLICIES.replace("    ports: [{port: 8443}]\n", "")
    for name, text in (("namespaces", NAMESPACES), ("pods", PODS), ("policies", leaky)):
        (folder / f"{name}.yaml").write_text(text)
    (tmp_path / "zones.yaml").write_text(ZONES)
    of_manifests(folder, tmp_path / "today.zip")
    return tmp_path


@pytest.fixture
def make(place: Path, zone: Zone) -> Callable[..., Path]:
    """A bundle of the snapshot, or of other sources, with more options."""

    def made(name: str = "evidence.zip", *more: str | Path, source: str = "today.zip") -> Path:
        done = zone("scan", place / source, "--zones", place / "zones.yaml", *more, "-f", "bundle", "-o", place / name)
        assert done.code in (0, 1, 3), done.err
        return place / name

    return made
