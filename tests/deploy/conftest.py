"""Everything that deploy/ can be rendered to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.rendering import COMPONENTS, OVERLAYS, composed, kustomized


@pytest.fixture(params=[*OVERLAYS, "everything"], scope="session")
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """YAML of each overlay, and of the base with all components."""
    if request.param == "everything":
        return composed(tmp_path_factory.mktemp("everything"), "base", COMPONENTS)
    return kustomized(request.param)


@pytest.fixture
def zone_audit(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command in an empty directory; `stdin` is text."""

    def start(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "audit", *map(str, arguments)]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path
        )

    return start
