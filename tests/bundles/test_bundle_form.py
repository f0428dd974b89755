"""What a bundle is to the byte: whatever changed is refused."""

from __future__ import annotations

import os
import random
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from audit.evidence import bundle as bundles
from audit.evidence.bundle import Part, composed, opened, read
from audit.evidence.manifest import MANIFEST, SUMS, Manifest, Member, Merkle, Parameters, Source, digest, sums, written
from audit.sources.archive import zip_layout
from audit.sources.archive.layout import BrokenError
from tests.bundles.conftest import Zone

Make = Callable[..., Path]
PARAMETERS = Parameters(sources=(Source(name="m"),), zones="z")
ABOUT = Manifest(
    tool="t", rule_pack="r", created="2026-11-23T00:00:00Z", verdict="compliant", exit_code=0, parameters=PARAMETERS,
    inputs=(), members=(), merkle=Merkle(root="", leaves=0),
)  # fmt: skip
PARTS = (Part("results.json", "results", b"{}"), Part("zones.yaml", "zones", b"zones: []\n"))


def small(target: Path) -> bytes:
    content = composed(ABOUT, PARTS)
    target.write_bytes(content)
    return content


def refused(target: Path) -> bool:
    try:
        read(target)
    except BrokenError:
        return True
    return False


def test_a_flipped_bit_anywhere_is_refused(tmp_path: Path) -> None:
    content = small(tmp_path / "e.zip")
    assert not refused(tmp_path / "e.zip")
    with (tmp_path / "e.zip").open("r+b", buffering=0) as stream:
        for at, byte in enumerate(content):
            for bit in (at % 8, (at + 3) % 8, 5):
                os.pwrite(stream.fileno(), bytes([byte ^ 1 << bit]), at)
                assert refused(tmp_path / "e.zip"), (at, bit)
            os.pwrite(stream.fileno(), bytes([byte]), at)
    assert not refused(tmp_path / "e.zip")


def test_a_flipped_bit_in_a_whole_bundle_is_said_by_verify(make: Make, zone: Zone) -> None:
    file = make()
    content = file.read_bytes()
    draw = random.Random(7)  # noqa: S311 - which bits, the same ones every time
    for at in (0, len(content) - 1, *(draw.randrange(len(content)) for _ in range(200))):
        file.write_bytes(content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :])
        assert refused(file), at
    done = zone("verify", file)
    assert (done.code, done.err) == (1, "")
    assert "broken" in done.out


def test_what_was_cut_or_added_to_is_refused(tmp_path: Path) -> None:
    content = small(tmp_path / "e.zip")
    for changed in (*(content[:size] for size in range(0, len(content), 7)), content + b"x", b"x" + content, b""):
        (tmp_path / "e.zip").write_bytes(changed)
        assert refused(tmp_path / "e.zip")


def packed(target: Path, *members: tuple[str, bytes]) -> Path:
    target.write_bytes(zip_layout.archive(members))
    return target


def unpacked(file: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as held:
        return [(name, held.read(name)) for name in held.namelist()]


def test_members_that_were_added_dropped_swapped_or_renamed_are_refused(tmp_path: Path) -> None:
    small(tmp_path / "e.zip")
    whole = unpacked(tmp_path / "e.zip")
    head, results, zones = whole[:2], whole[2], whole[3]
    for wrong in (
        [*whole, ("more.txt", b"")],
        whole[:-1],
        [*head, zones, results],
        [*head, (results[0], zones[1]), (zones[0], results[1])],
        [*head, results, ("other.yaml", zones[1])],
        [head[1], head[0], results, zones],
        [head[0], (SUMS, head[1][1].replace(b"0", b"1")), results, zones],
        [*head, results, results],
    ):
        assert refused(packed(tmp_path / "w.zip", *wrong))
    assert not refused(packed(tmp_path / "w.zip", *whole))


def test_an_older_manifest_does_not_fit_new_members(tmp_path: Path) -> None:
    small(tmp_path / "old.zip")
    newer = (PARTS[0], Part("zones.yaml", "zones", b"zones: [x]\n"))
    (tmp_path / "new.zip").write_bytes(composed(ABOUT, newer))
    old, new = unpacked(tmp_path / "old.zip"), unpacked(tmp_path / "new.zip")
    assert refused(packed(tmp_path / "w.zip", *old[:2], *new[2:]))


@pytest.mark.parametrize("name", ["../zones.yaml", "/etc/passwd", "a\\b", "Zones.yaml", "-rf", "x/y", ""])
def test_hostile_names_are_refused(tmp_path: Path, name: str) -> None:
    members = tuple(
        Member(name=one, role=part.role, sha256=digest(part.content), size=len(part.content))
        for one, part in zip((PARTS[0].name, name), PARTS, strict=True)
    )
    text = written(msgspec.structs.replace(ABOUT, members=members, merkle=Merkle(root="0" * 64, leaves=2)))
    wrong = [(MANIFEST, text), (SUMS, sums(text, members)), ("results.json", b"{}"), (name, PARTS[1].content)]
    with pytest.raises(BrokenError, match="no name of a member"):
        read(packed(tmp_path / "w.zip", *wrong))


def test_equal_scans_give_equal_bytes_and_private_files(make: Make) -> None:
    first, second = make("a.zip"), make("b.zip")
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600


def test_the_snapshot_goes_in_as_it_is_and_a_directory_packed(make: Make, place: Path) -> None:
    from tests.sources.snapshots import of_manifests

    of_manifests(place / "manifests", place / "today", directory=True)
    assert opened(make()).of("snapshot") == (place / "today.zip").read_bytes()
    assert opened(make("b.zip", source="today")).of("snapshot") is not None
    assert opened(make("b.zip", source="today")).of("results") == opened(make()).of("results")


def test_manifests_are_not_copied(make: Make) -> None:
    held = opened(make(source="manifests"))
    assert [one.name for one in held.manifest.members] == [
        "results.json", "report.html", "report.pdf", "results.sarif", "zones.yaml",
    ]  # fmt: skip
    assert {one.role for one in held.manifest.inputs} == {"source", "zones"}


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
def test_sha256sum_checks_what_was_unpacked(make: Make, tmp_path: Path) -> None:
    with zipfile.ZipFile(make()) as held:
        held.extractall(tmp_path / "out")
    done = subprocess.run(["sha256sum", "-c", SUMS], cwd=tmp_path / "out", capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0
    assert done.stdout.count(": OK") == len(list((tmp_path / "out").iterdir())) - 1


def test_the_published_schema_is_the_one_the_code_writes() -> None:
    published = Path(__file__).parents[2] / "docs" / "evidence.schema.json"
    update = "from audit.evidence import bundle; print(bundle.schema().decode(), end='')"
    assert published.read_bytes() == bundles.schema(), f'python -c "{update}" > docs/evidence.schema.json'


def test_a_bundle_is_no_source(make: Make, zone: Zone, place: Path) -> None:
    done = zone("scan", make(), "--zones", place / "zones.yaml")
    assert done.code == 2
    assert "zone-audit.evidence/1" in done.err
