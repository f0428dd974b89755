"""A snapshot file comes back as it was written, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from audit.errors import InputError, RenderError
from audit.ledger import Cluster, Manifest, Member
from audit.sources.archive import Draft, is_snapshot, layout, opened, zip_layout
from audit.sources.archive.zip_layout import Slot
from tests.sources.snapshots import evidence, line, manifest, pod, signed, snapshot

PODS = [pod("a"), pod("b")]
FORMS = pytest.mark.parametrize("directory", [False, True], ids=["zip", "directory"])


def contents(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    with opened(path) as found:
        return found.manifest, {member.name: content for member, content in found.members()}


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught, opened(path) as found:
        assert list(found.members())
    return str(caught.value)


@pytest.fixture(name="small", params=[False, True], ids=["zip", "directory"])
def _small(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return snapshot(tmp_path / "small", {"Pod": PODS, "Node": []}, directory=request.param)


# What comes back


def test_what_was_written_comes_back(small: Path) -> None:
    told, members = contents(small)
    assert list(members) == ["objects/Node.json", "objects/Pod.json"]
    assert json.loads(members["objects/Pod.json"]) == {"apiVersion": "v1", "kind": "PodList", "items": PODS}
    assert members["objects/Node.json"] == b'{"apiVersion":"v1","kind":"NodeList","items":[]}\n'
    assert [(one.kind, one.objects, one.size) for one in told.members] == [
        ("Node", 0, len(members["objects/Node.json"])), ("Pod", 2, len(members["objects/Pod.json"])),
    ]  # fmt: skip
    bare = structs.replace(told, members=(), seal="")
    assert bare == manifest(evidence("Node"), evidence("Pod", objects=2))


def test_both_forms_hold_the_same_and_other_tools_can_unpack_the_archive(tmp_path: Path) -> None:
    archive = snapshot(tmp_path / "a.zip", {"Pod": PODS})
    folder = snapshot(tmp_path / "a", {"Pod": PODS}, directory=True)
    with zipfile.ZipFile(archive) as found:
        assert found.testzip() is None
        assert found.namelist()[0] == "manifest.json"
        found.extractall(tmp_path / "unpacked")
    assert contents(tmp_path / "unpacked") == contents(folder) == contents(archive)


@FORMS
def test_equal_objects_give_equal_bytes_however_they_come(tmp_path: Path, *, directory: bool) -> None:
    items = [line(pod(f"p{number}", labels={"n": "x" * (number * 7919 % 999)})) for number in range(999)]

    def draft(name: str, sizes: Iterable[int], *, slowly: bool) -> dict[str, bytes]:
        with Draft(tmp_path / name, directory=directory) as one:
            for key in ("Service", "Pod") if slowly else ("Pod", "Service"):
                one.begin(key, "v1", key)
            if slowly:
                one.add("Pod", [b'{"of":"an earlier cut"}'])
                one.begin("Pod", "v1", "Pod")
            start = 0
            for size in sizes:
                one.add("Pod", iter(items[start : start + size]))
                start += size
            done = one.finish(manifest(evidence("Service"), evidence("Pod", objects=999)))
        files = [path for path in done.rglob("*") if path.is_file()] if directory else [done]
        return {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files}

    assert draft("a", [999], slowly=False) == draft("b", [1, 500, 498], slowly=True)


def test_kinds_may_be_written_at_the_same_time(tmp_path: Path) -> None:
    kinds = ["Pod", "Node", "Service", "Namespace"]
    with Draft(tmp_path / "a.zip") as draft:

        def write(kind: str) -> None:
            draft.begin(kind, "v1", kind)
            for number in range(200):
                draft.add(kind, [line(pod(f"{kind.lower()}-{number}"))])

        threads = [threading.Thread(target=write, args=(kind,)) for kind in kinds]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        path = draft.finish(manifest(*(evidence(kind, objects=200) for kind in kinds)))
    for name, content in contents(path)[1].items():
        names = [item["metadata"]["name"] for item in json.loads(content)["items"]]
        assert names == [f"{name[8:-5].lower()}-{number}" for number in range(200)]


@FORMS
def test_a_large_member_comes_back_and_nobody_else_may_read_it(tmp_path: Path, *, directory: bool) -> None:
    noise = [line(pod(os.urandom(40_000).hex())) for number in range(40)]
    previous = os.umask(0)
    try:
        with Draft(tmp_path / "a", directory=directory) as draft:
            draft.begin("Pod", "v1", "Pod")
            draft.add("Pod", noise)
            path = draft.finish(manifest(evidence(objects=40)))
    finally:
        os.umask(previous)
    assert len(json.loads(contents(path)[1]["objects/Pod.json"])["items"]) == 40
    for one in [path, *path.rglob("*")]:
        assert stat.S_IMODE(one.stat().st_mode) == (0o700 if one.is_dir() else 0o600)


def test_a_temporary_snapshot_goes_with_its_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Draft(None) as draft:
        draft.begin("Pod", "v1", "Pod")
        path = draft.finish(manifest(evidence()))
        assert path.parent == tmp_path
        assert contents(path)[0].members
    assert list(tmp_path.iterdir()) == []


def test_a_draft_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with suppress(KeyboardInterrupt), Draft(tmp_path / "a.zip") as draft:
        draft.begin("Pod", "v1", "Pod")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_a_place_that_cannot_be_taken_is_refused_before_anything_is_collected(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full" / "inside").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for target, directory in (("full", False), ("full", True), ("file", True), ("none/a.zip", False), ("empty", False)):
        with pytest.raises(RenderError):
            Draft(tmp_path / target, directory=directory)
    assert contents(snapshot(tmp_path / "empty", {"Pod": PODS}, directory=True))


def test_a_link_as_target_keeps_being_one(tmp_path: Path) -> None:
    old = snapshot(tmp_path / "old.zip", {"Pod": []})
    (tmp_path / "latest.zip").symlink_to("old.zip")
    assert snapshot(tmp_path / "latest.zip", {"Pod": PODS}) == old
    assert (tmp_path / "latest.zip").is_symlink()
    assert contents(tmp_path / "latest.zip") == contents(old)


# Told by content


def test_snapshots_are_told_by_content(small: Path, tmp_path: Path) -> None:
    assert is_snapshot(small)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "manifest.json").write_text('{"name": "app", "members": [], "icons": []}')
    (tmp_path / "a.zip").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    for path in (tmp_path, tmp_path / "web", tmp_path / "a.zip", tmp_path / "none"):
        assert not is_snapshot(path)


# Nothing changes unseen


def test_every_flipped_bit_is_refused(small: Path) -> None:
    files = [path for path in [small, *sorted(small.rglob("*"))] if path.is_file()]
    for path in files:
        data = path.read_bytes()
        with path.open("r+b", buffering=0) as stream:
            for bit in range(len(data) * 8):
                place, mask = divmod(bit, 8)
                os.pwrite(stream.fileno(), bytes([data[place] ^ 1 << mask]), place)
                assert is_snapshot(small) or not small.is_dir()
                refused(small)
                os.pwrite(stream.fileno(), data[place : place + 1], place)
    assert contents(small)


def test_every_cut_and_every_addition_is_refused(small: Path) -> None:
    for path in [one for one in [small, *sorted(small.rglob("*"))] if one.is_file()]:
        data = path.read_bytes()
        with path.open("r+b", buffering=0) as stream:
            for changed in (data + b"\n", b"\n" + data, data + data):
                os.pwrite(stream.fileno(), changed, 0)
                refused(small)
            os.pwrite(stream.fileno(), data, 0)
            for length in reversed(range(len(data))):
                stream.truncate(length)
                refused(small)
            os.pwrite(stream.fileno(), data, 0)
    assert contents(small)


def test_a_manifest_that_was_rewritten_with_its_digests_needs_its_seal(small: Path) -> None:
    if small.is_dir():
        place = small / "manifest.json"
        place.write_text(place.read_text().replace('"status": "complete"', '"status": "absent"'))
        assert "`manifest.json` was changed since it was written" in refused(small)


# What nobody writes

Entry = tuple[str, bytes]
POD_LIST = b'{"apiVersion":"v1","kind":"PodList","items":[]}\n'


def told(*members: Entry, **fields: Any) -> bytes:
    """The sealed manifest of members."""
    listed = tuple(
        Member(name=name, kind=name[8:-5], sha256=hashlib.sha256(content).hexdigest(), size=len(content), objects=0)
        for name, content in members
    )
    return layout.written(layout.sealed(structs.replace(manifest(), members=listed, **fields)))


def packed(*entries: Entry, overlap: bool = False, **facts: Any) -> bytes:
    """An archive laid out as ours, with facts of its last entry changed in all its headers."""
    data, slots = b"", []
    for number, (name, content) in enumerate(entries):
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = deflate.compress(content) + deflate.flush()
        slot = Slot(name, zlib.crc32(content), len(body), len(content), len(data))
        if number == len(entries) - 1:
            slot = slot._replace(**facts)
        slots.append(slot)
        data += zip_layout.local_header(slot) + body
    if overlap:
        slots[-1] = slots[-1]._replace(offset=slots[-2].offset)
    return signed(data + zip_layout.directory(slots, len(data)) + bytes(64))


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """What another tool would write, with our digest."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
        archive.comment = bytes(64)
    return signed(out.getvalue())


def info(name: str, mode: int = 0o100600, **fields: Any) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    made.create_system, made.external_attr, made.compress_type = 3, mode << 16, zipfile.ZIP_DEFLATED
    for field, value in fields.items():
        setattr(made, field, value)
    return made


POD = ("objects/Pod.json", POD_LIST)
MANIFEST = ("manifest.json", told(POD))
EVIL = [
    pytest.param(packed(MANIFEST, POD, POD), id="a member twice"),
    pytest.param(packed(MANIFEST, POD, ("objects/Node.json", b"{}")), id="an unknown member"),
    pytest.param(packed(MANIFEST), id="a missing member"),
    pytest.param(packed(POD, MANIFEST), id="the manifest last"),
    pytest.param(packed(), id="nothing"),
    pytest.param(packed(MANIFEST, POD, overlap=True), id="entries that overlap"),
    pytest.param(packed(MANIFEST, POD, size=len(POD_LIST) + 1), id="a size that is too large"),
    pytest.param(packed(MANIFEST, POD, size=len(POD_LIST) - 1), id="a size that is too small"),
    pytest.param(packed(MANIFEST, POD, crc=1), id="a wrong checksum"),
    pytest.param(packed(MANIFEST, POD, offset=3), id="a wrong offset"),
    pytest.param(packed(MANIFEST, POD, packed=10), id="a shorter entry"),
    pytest.param(packed(MANIFEST, (POD[0], POD_LIST.replace(b"v1", b"v2"))), id="another content"),
    pytest.param(packed(("manifest.json", told(("../../etc/Pod.json", b"")))), id="a name that leads out"),
    *(
        pytest.param(packed(("manifest.json", told(POD)), (name, POD_LIST)), id=name)
        for name in ("/objects/Pod.json", "../objects/Pod.json", "objects/../objects/Pod.json", "C:objects", "objects/")
    ),
    pytest.param(zipped((info("manifest.json", 0o120777), told(POD)), POD), id="a link"),
    pytest.param(zipped((info("manifest.json"), told(POD)), (info("objects/Pod.json", 0o040700), b"")), id="a folder"),
    pytest.param(zipped(("manifest.json", told())), id="another tool"),
    pytest.param(zipped((info("manifest.json", date_time=(2026, 1, 1, 0, 0, 0)), told())), id="a time"),
    pytest.param(zipped((info("manifest.json", comment=b"hidden"), told())), id="a comment of an entry"),
    pytest.param(zipped((info("manifest.json", extra=b"\x01\x00\x01\x00x"), told())), id="an extra field"),
    pytest.param(zipped(("manifest.json", told()), method=zipfile.ZIP_STORED), id="no compression"),
    pytest.param(zipped(("manifest.json", told()), method=zipfile.ZIP_LZMA), id="another compression"),
]


def tampered(at: int, value: int, *, central: bool) -> bytes:
    """A sound archive with one byte of the first local or central header changed, and the digest that fits."""
    data = bytearray(packed(MANIFEST, POD))
    data[(data.index(b"PK\x01\x02") if central else 0) + at] = value
    return signed(bytes(data))


ODD_HEADERS = [
    *(pytest.param(tampered(at, 1, central=False), id=f"local {what}") for what, at in (
        ("version", 4), ("encryption", 6), ("method", 8), ("time", 10), ("checksum", 14), ("sizes", 18), ("extra", 28),
    )),
    *(pytest.param(tampered(at, 1, central=True), id=f"central {what}") for what, at in (
        ("version", 4), ("encryption", 8), ("method", 10), ("extra", 30), ("comment", 32), ("disk", 34), ("text", 36),
        ("attributes", 38), ("offset", 42),
    )),
]  # fmt: skip


@pytest.mark.parametrize("data", [*EVIL, *ODD_HEADERS])
def test_an_archive_that_nobody_writes_is_refused(tmp_path: Path, data: bytes) -> None:
    place = tmp_path / "a.zip"
    place.write_bytes(data)
    assert is_snapshot(place) or not data.startswith(b"PK\x03\x04")
    assert refused(place).startswith(f"{place}: ")


def test_the_same_archive_untouched_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(packed(MANIFEST, POD))
    assert contents(tmp_path / "a.zip")[1] == dict([POD])


@pytest.mark.parametrize("extra", [b"PK\x03\x04" + bytes(26), b"#!/bin/sh\n"])
def test_data_before_the_archive_is_refused_even_with_offsets_that_fit(tmp_path: Path, extra: bytes) -> None:
    place = tmp_path / "a.zip"
    place.write_bytes(signed(extra + packed(MANIFEST, POD)))
    assert "cut short or added to" in refused(place)


def test_bombs_do_not_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a.zip"
    zeros = b" " * (70 << 20)
    place.write_bytes(packed(MANIFEST, ("objects/Pod.json", zeros)))
    assert "500 times its size" in refused(place)
    place.write_bytes(packed(("manifest.json", zeros[: 17 << 20])))
    assert "does not begin with `manifest.json`" in refused(place)
    monkeypatch.setattr(layout, "MAX_MEMBER", 10)
    place.write_bytes(packed(MANIFEST, POD))
    assert "out of range" in refused(place)
    monkeypatch.setattr(layout, "MAX_MEMBER", 100)
    monkeypatch.setattr(layout, "MAX_TOTAL", 10)
    assert "too large together" in refused(place)
    monkeypatch.setattr(layout, "MAX_MEMBERS", 0)
    assert "not named once each" in refused(place)


def test_an_entry_never_unpacks_to_more_than_it_says(tmp_path: Path) -> None:
    lie = told(("objects/Pod.json", b" " * 100))
    place = tmp_path / "a.zip"
    place.write_bytes(packed(("manifest.json", lie), ("objects/Pod.json", b" " * (50 << 20)), size=100))
    assert "unpacks to more than it says" in refused(place)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            told(schema="zone-audit.snapshot/2"),
            "its format `zone-audit.snapshot/2` of zone-audit 0.1.0 is not known",
        ),
        (told(schema="zone-audit.results/1"), "its schema is `zone-audit.results/1`, not `zone-audit.snapshot/1`"),
        (b'{"schema": "zone-audit.snapshot/1"}', "Object missing required field `tool`"),
        (b"[]", "Expected `object`, got `array`"),
        (b"\xff", "`manifest.json` is broken"),
        (b"[" * 100_000, "`manifest.json` is broken"),
        (told(ledger=(evidence(status="lost"),)), "Invalid enum value 'lost'"),
        (told().replace(b'"attempts": 1', b'"attempts": 1.0'), "Expected `int`, got `float`"),
        (told().replace(b'"attempts": 1,', b'"attempts": 1, "attempts": 1,'), "was changed"),
        (told().replace(b'"attempts": 1,', b'"attempts": 1, "more": 1,'), "was changed"),
        (layout.written(manifest()), "was changed"),
        (told(ledger=(evidence("Pod"), evidence("Node"))), "does not name each kind once"),
        (told(ledger=(evidence("Pod"), evidence("Pod"))), "does not name each kind once"),
        (told(ledger=(evidence("Pod", objects=1),)), "the objects of `Pod` are missing"),
        (told(("objects/Pod.json", b""), ("objects/Node.json", b"")), "not named once each, in order"),
        (told(cluster=Cluster(uid="a\nb")), "is no UID"),
    ],
)
@FORMS
def test_a_manifest_that_nobody_writes_is_refused_with_the_reason(
    tmp_path: Path, text: bytes, reason: str, *, directory: bool
) -> None:
    place = tmp_path / "a"
    if directory:
        (place / "objects").mkdir(parents=True)
        (place / "manifest.json").write_bytes(text)
    else:
        place.write_bytes(packed(("manifest.json", text)))
    assert reason in refused(place)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda at: (at / "notes.txt").write_text("x"), "`notes.txt` is not named in its `manifest.json`"),
        (lambda at: (at / "objects" / "Secret.json").write_text("x"), "`objects/Secret.json` is not named"),
        (lambda at: (at / "objects" / ".hidden").write_text("x"), "`objects/.hidden` is not named"),
        (lambda at: (at / "objects" / "Pod.json").unlink(), "`objects/Pod.json` is missing"),
        (
            lambda at: replaced(at / "objects" / "Pod.json", lambda one: one.symlink_to("Node.json")),
            "not a regular file",
        ),
        (lambda at: replaced(at / "objects" / "Pod.json", os.mkfifo), "not a regular file"),
        (lambda at: replaced(at / "objects" / "Pod.json", Path.mkdir), "is not a regular file"),
        (lambda at: replaced(at / "manifest.json", lambda one: one.symlink_to("elsewhere")), "not a regular file"),
        (
            lambda at: (at / "objects").rename(at / "moved") and (at / "objects").symlink_to("moved"),
            "not a regular file",
        ),
    ],
)
def test_a_directory_that_nobody_writes_is_refused(
    tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    place = snapshot(tmp_path / "a", {"Pod": PODS, "Node": []}, directory=True)
    change(place)
    assert reason in refused(place)


def replaced(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def test_what_does_not_fit_the_format_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Draft(tmp_path / "a.zip") as draft:
        with pytest.raises(ValueError, match="not the key of a kind"):
            draft.begin("../Pod", "v1", "Pod")
        with pytest.raises(ValueError, match="was not begun"):
            draft.add("Pod", [b"{}"])
        monkeypatch.setattr("audit.sources.archive.draft.MAX_MEMBER", 1 << 20)
        draft.begin("Pod", "v1", "Pod")
        with pytest.raises(RenderError, match="more than 0 GiB"):
            draft.add("Pod", [b" " * (2 << 20)])
    assert list(tmp_path.iterdir()) == []


# What others need to know

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "snapshot.schema.json"


def test_published_schema_is_the_one_the_code_writes() -> None:
    update = "from audit.sources.archive import layout; print(layout.schema().decode(), end='')"
    assert SCHEMA_FILE.read_bytes() == layout.schema(), f'update it: python -c "{update}" > docs/snapshot.schema.json'


def test_manifests_follow_the_published_schema(small: Path) -> None:
    jsonschema: Any = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_bytes()))
    with opened(small) as found:
        data = json.loads(found.text)
    assert list(validator.iter_errors(data)) == []
    assert list(validator.iter_errors(data | {"members": None})) != []
