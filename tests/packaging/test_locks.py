from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from installs import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PIN = re.compile(r"[a-z0-9][a-z0-9._-]*==[^ ]+( ; .+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(name: str) -> set[str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return {line.split(" ")[0] for line in lines if PIN.fullmatch(line)}


def names(requirements: list[Any]) -> set[str]:
    texts = (text for text in requirements if isinstance(text, str))
    return {canonical(re.split(r"[<>=!~\[ ;]", text)[0]) for text in texts}


def test_there_is_a_lock_for_building_running_developing_the_peer_and_the_schemas() -> None:
    assert [lock.name for lock in LOCKS] == [
        "build.lock", "dev.lock", "peer.lock", "runtime.lock", "schemas.lock",
    ]  # fmt: skip


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_holds_pins_and_hashes_and_no_address(lock: Any) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line) and not HASH.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_a_hash(lock: Any) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()
    followers = [lines[index + 1] for index, line in enumerate(lines) if PIN.fullmatch(line)]
    assert followers
    assert [line for line in followers if not HASH.fullmatch(line)] == []


def test_development_has_the_versions_of_runtime_and_build() -> None:
    assert pins("runtime.lock") | pins("build.lock") <= pins("dev.lock")


def test_every_declared_dependency_is_locked(project: Mapping[str, Any]) -> None:
    locked = {pin.partition("==")[0] for pin in pins("runtime.lock")}
    assert names(project["project"]["dependencies"]) <= locked
    developed = {pin.partition("==")[0] for pin in pins("dev.lock")}
    assert names(project["dependency-groups"]["dev"]) <= developed


def test_the_peer_is_measured_in_one_version_and_installed_with_nothing_else(project: Mapping[str, Any]) -> None:
    (pin,) = project["dependency-groups"]["peer"]
    assert pin in pins("peer.lock")
    elsewhere = pins("runtime.lock") | pins("dev.lock") | pins("build.lock")
    assert pin.partition("==")[0] not in {one.partition("==")[0] for one in elsewhere}


def test_every_dependency_has_a_range_and_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("\ndependencies = [\n")[2].partition("\n]")[0].splitlines()
    assert len(block) > 5
    assert [line for line in block if not re.fullmatch(r' +"[a-z0-9-]+>=[0-9.]+,<[0-9.]+", # .+', line)] == []
