"""However many pods there are, they pass through; what stays are their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.sources.archive import opened
from tests.collection.crowd import measured, size

LIMIT = 512
"""Megabytes for 100,000 pods; `make bench-collect` measures those."""


@pytest.mark.parametrize("pods", [10_000])
def test_a_cluster_is_collected_in_little_memory(pods: int, tmp_path: Path) -> None:
    assert size() > 5000
    few, many = measured(2000, tmp_path), measured(pods, tmp_path)
    assert (few.code, many.code) == (0, 0), many.said
    with opened(tmp_path / "snapshot.zip") as found:
        counts = {one.kind: one.objects for one in found.manifest.ledger}
    assert counts["Pod"] == pods
    growth = (many.megabytes - few.megabytes) / (pods - 2000)
    assert many.megabytes < LIMIT / 3
    assert few.megabytes + growth * 100_000 < LIMIT
