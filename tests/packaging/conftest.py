from __future__ import annotations

import shutil
import tomllib
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from installs import ROOT, Installation, backend, copy_of_sources, fresh


@pytest.fixture(scope="session")
def project() -> Mapping[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="session")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return backend("build_wheel", sources, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def wheel_of_sdist(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sdist = backend("build_sdist", sources, tmp_path_factory.mktemp("sdist"))
    unpacked = tmp_path_factory.mktemp("unpacked")
    shutil.unpack_archive(sdist, unpacked)
    return backend("build_wheel", next(unpacked.iterdir()), tmp_path_factory.mktemp("wheel-of-sdist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel in an environment of its own."""
    made = fresh(tmp_path_factory.mktemp("installed"))
    made.pip("--no-deps", "--no-index", wheel)
    return made


@pytest.fixture(scope="session")
def editable(sources: Path, installed: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An editable installation of the copied sources, with the libraries of `installed`, which saves a download."""
    folder = tmp_path_factory.mktemp("editable")
    venv.create(folder, with_pip=True, symlinks=True)
    made = Installation(folder)
    made.pip("--require-hashes", "-r", ROOT / "requirements" / "build.lock")
    made.pip("--no-deps", "--no-build-isolation", "--no-index", "--editable", sources)
    site = next((folder / "lib").glob("python*/site-packages"))
    libraries = next((installed.folder / "lib").glob("python*/site-packages"))
    (site / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    return made
