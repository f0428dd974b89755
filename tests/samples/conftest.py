"""Fixtures: each sample, and one scan of it with every output."""

from __future__ import annotations

import pytest

from tests.samples.running import EXPORTS, OUTPUTS, SAMPLES, Sample, Scan, command


@pytest.fixture(scope="session", params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> Sample:
    return Sample(request.param)


@pytest.fixture(scope="session")
def scan(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    folder = tmp_path_factory.mktemp(sample.name)
    files = [part for name in ("json", "html", "pdf") for part in ("-f", name, "-o", folder / OUTPUTS[name])]
    files += [part for name, file in EXPORTS.items() for part in ("-f", name, "-o", folder / file)]
    done = command("scan", *sample.sources, "-f", "text", *files)
    assert done.returncode in (0, 1, 3), done.stderr
    return Scan(sample, done.returncode, done.stdout, folder)
