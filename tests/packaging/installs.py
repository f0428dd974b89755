from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Installation:
    """A virtual environment outside the repository."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def pip(self, *arguments: str | Path) -> None:
        run([self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])

    def run(self, *arguments: str | Path, expect: int = 0) -> str:
        """What the installed command prints; run where no source lies about."""
        return run([self.folder / "bin" / "zone-audit", *arguments], cwd=self.folder, expect=expect)


def run(command: Sequence[str | Path], *, cwd: Path = ROOT, expect: int = 0) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = inherited | {"SOURCE_DATE_EPOCH": "1788220800"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def backend(hook: str, source: Path, target: Path) -> Path:
    """What a PEP 517 hook of setuptools builds from `source`, with the setuptools of the lock."""
    code = f"from setuptools import build_meta as b; import sys; print('built:' + b.{hook}(sys.argv[1]))"
    printed = run([sys.executable, "-c", code, target], cwd=source)
    return target / printed.rpartition("built:")[2].strip()


def copy_of_sources(target: Path) -> Path:
    """What a build reads, so that it leaves nothing in the working tree."""
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, target)
    for name in ("audit", "report_templates", "rules"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def members(wheel: Path) -> Mapping[str, bytes]:
    """Contents of a wheel but its own list of hashes."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/RECORD")}


def fresh(folder: Path) -> Installation:
    """An environment with the locked runtime packages and setuptools, and without the project."""
    venv.create(folder, with_pip=True, symlinks=True)
    made = Installation(folder)
    made.pip("--require-hashes", "-r", ROOT / "requirements" / "runtime.lock")
    return made
