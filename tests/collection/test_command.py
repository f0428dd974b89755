"""The whole way over TLS: an API server, `collect`, and every command on the file and on the cluster itself."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.api_resources import API_SERVICES, RESOURCES, reading_role
from audit.sources.archive import opened
from tests.collection.fault_server import Fault, FaultServer
from tests.collection.serving import SAMPLES, UID, basics, run, sample, served

SAMPLE = "four-zones-faulty"
ZONES = SAMPLES / SAMPLE / "zones.yaml"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer(served([*sample(SAMPLE), *basics()])) as running:
        yield running


@pytest.fixture(scope="module")
def live(server: FaultServer) -> tuple[str, ...]:
    return ("--kubeconfig", str(server.kubeconfig()))


@pytest.fixture(scope="module")
def snapshot(live: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot file of the cluster, in a directory of its own."""
    path = tmp_path_factory.mktemp("snapshot") / "snapshot.zip"
    done = run("collect", "-o", path, *live, home=path.parent)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert b" kinds in `" in done.stderr
    return path


def test_collect_writes_one_private_file_with_every_kind(snapshot: Path) -> None:
    assert [one.name for one in snapshot.parent.iterdir()] == ["snapshot.zip"]
    assert stat.S_IMODE(snapshot.stat().st_mode) == 0o600
    with opened(snapshot) as found:
        manifest = found.manifest
        assert {one.status for one in manifest.ledger} == {"complete"}
        assert {one.cut for one in manifest.ledger} == {"exact"}
        assert len(manifest.ledger) == len(manifest.members) == len(RESOURCES)
        assert (manifest.cluster.uid, manifest.cluster.context) == (UID, "lab")
        assert manifest.cluster.user == "system:serviceaccount:audit:reader"
        assert len(list(found.members())) == len(RESOURCES)


def test_the_same_cluster_gives_the_same_bytes(snapshot: Path, live: tuple[str, ...], tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    run("collect", "cluster:lab", "-o", again, *live, home=tmp_path)
    assert again.read_bytes() == snapshot.read_bytes()


def test_a_directory_holds_the_same(snapshot: Path, live: tuple[str, ...], tmp_path: Path) -> None:
    done = run("collect", "-o", f"{tmp_path}/tree/", *live, home=tmp_path)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(snapshot) as packed:
        for name in packed.namelist():
            assert (tmp_path / "tree" / name).read_bytes() == packed.read(name)


COMMANDS = {
    "scan": ("--zones", str(ZONES), "-f", "json"),
    "scan as text": ("--zones", str(ZONES)),
    "reach": ("-f", "json"),
    "ports": ("--zones", str(ZONES), "-f", "json"),
    "init": (),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_of_the_cluster_what_it_says_of_its_snapshot(
    name: str, snapshot: Path, live: tuple[str, ...], tmp_path: Path
) -> None:
    command, options = name.split(maxsplit=1)[0], COMMANDS[name]
    direct = run(command, "cluster", *options, *live, home=tmp_path)
    saved = run(command, snapshot, *options, home=tmp_path)
    assert direct.stdout == saved.stdout
    assert direct.returncode == saved.returncode, direct.stderr
    assert len(direct.stdout) > 100, direct.stderr
    assert list(tmp_path.iterdir()) == []


def test_who_can_and_explain_and_diff_read_a_cluster(snapshot: Path, live: tuple[str, ...], tmp_path: Path) -> None:
    endpoints = json.loads(run("reach", snapshot, "-f", "json", home=tmp_path).stdout)["endpoints"]
    names = [one["id"] for one in endpoints if one["kind"] != "outside"][:2]
    for words, position in ((("who-can", "create", "pods"), 3), (("explain", *names), 1)):
        direct = run(*words[:position], "cluster:lab", *words[position:], *live, home=tmp_path)
        saved = run(*words[:position], snapshot, *words[position:], home=tmp_path)
        assert direct.stdout == saved.stdout != b"", direct.stderr
    same = run("diff", snapshot, "cluster", "--zones", ZONES, "-f", "json", *live, home=tmp_path)
    assert same.returncode in (0, 3), same.stderr


def test_what_is_forbidden_is_said_with_the_role_that_lacks(server: FaultServer, tmp_path: Path) -> None:
    server.faults = [Fault("forbidden", "networkpolicies.networking.k8s.io"), Fault("error-501", "nodes")]
    path = tmp_path / "snapshot.zip"
    try:
        done = run("collect", "-o", path, "--kubeconfig", server.kubeconfig(), home=tmp_path)
    finally:
        server.faults = []
    assert done.returncode == 3
    assert b"forbidden: NetworkPolicy\n" in done.stderr
    assert b"unavailable: Node (501: not implemented)" in done.stderr
    wanted = [one for one in RESOURCES if (one.group, one.kind) == ("networking.k8s.io", "NetworkPolicy")]
    assert done.stdout.decode() == reading_role(wanted, "zone-audit-reader-more")
    scanned = run("scan", path, "--zones", ZONES, home=tmp_path)
    assert scanned.returncode in (1, 3)


def test_a_server_that_does_not_answer_leaves_no_file(tmp_path: Path) -> None:
    with FaultServer(served(basics())) as server:
        config = server.kubeconfig(user={"token": "abc"}).read_text()
    path = tmp_path / "kubeconfig"
    path.write_text(config)
    done = run("collect", "-o", "snapshot.zip", "--kubeconfig", path, "--timeout", "2", home=tmp_path)
    assert done.returncode == 4
    assert done.stderr.startswith(b"zone-audit: error: ")
    assert [one.name for one in tmp_path.iterdir()] == ["kubeconfig"]


def test_print_role_asks_nobody(tmp_path: Path) -> None:
    done = run("collect", "--print-role", home=tmp_path)
    assert done.returncode == 0
    assert done.stdout.decode() == reading_role((*RESOURCES, API_SERVICES))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("collect",), "a snapshot needs a file"),
        (("collect", "-o", "-"), "a snapshot needs a file"),
        (("collect", "manifests/", "-o", "x.zip"), "`manifests/` is not a live cluster"),
        (("collect", "cluster:", "-o", "x.zip"), "names no context"),
        (("collect", "-o", "missing/x.zip"), "does not exist"),
        (("collect", "-o", "x.zip", "--kubeconfig", "missing"), "missing"),
        (("collect", "-o", "x.zip", "--namespaces", "a,../b"), "`../b` is not the name of a namespace"),
        (("collect", "-o", "notes.txt", "--kubeconfig", "config"), "is there and no snapshot"),
        (("collect", "-o", "config", "--kubeconfig", "config"), "would replace an input"),
        (("scan", "cluster", "--zones", str(ZONES), "-f", "json", "-o", "config", "--kubeconfig", "config"), "input"),
        (("scan", "notes.txt", "--zones", str(ZONES), "--pseudonyms"), "options for a live cluster and none to read"),
        (("scan", "cluster", "cluster:lab", "--zones", str(ZONES)), "`cluster:lab` is a second cluster"),
        (
            ("collect", "-o", "x.zip", "--kubeconfig", "config", "--pseudonyms-key", "notes.txt"),
            "shorter than 16 bytes",
        ),
        (("collect", "-o", "x.zip", "--kubeconfig", "config", "--pseudonyms-key", "missing"), "cannot be read"),
        (("collect", "-o", "notes.txt", "--kubeconfig", "config", "--pseudonyms-key", "notes.txt"), "an input"),
        (("scan", "cluster:", "--zones", str(ZONES)), "names no context"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    arguments: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "config").write_text("{}")
    done = run(*arguments, home=tmp_path)
    assert done.returncode == 2, done.stderr
    assert reason in done.stderr.decode()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["config", "notes.txt"]
