"""What people would apply: the objects that kustomize and helm make of deploy/."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KUSTOMIZE = DEPLOY / "kustomize"
CHART = DEPLOY / "helm" / "zone-audit"
EXAMPLE = DEPLOY / "example"
TOOLS = ROOT / ".cache" / "deploy-tools"
SCRIPTS = Path(sys.executable).parent
"""Where Python packages put their programs."""
OVERLAYS = ("base", "overlays/kubernetes", "overlays/openshift")
COMPONENTS = ("monitoring", "openreports", "object-store")
ZONES = ("--set-file", f"zones={KUSTOMIZE / 'base' / 'zones.yaml'}")
ADDRESSES = ("--set", "networkPolicy.apiServer.cidrs={192.0.2.10/32}")
NEEDED = (*ZONES, *ADDRESSES)
"""Values of the chart that have no default, as the base of kustomize has them."""
Object = dict[str, Any]


@cache
def kustomized(overlay: str) -> str:
    """YAML of a directory below deploy/kustomize."""
    return _kustomize(KUSTOMIZE / overlay)


def composed(folder: Path, overlay: str, components: Sequence[str]) -> str:
    """YAML of an overlay with components, through a kustomization of its own in an empty directory."""
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "zone-audit",
        "resources": [os.path.relpath(KUSTOMIZE / overlay, folder)],
        "components": [os.path.relpath(KUSTOMIZE / "components" / one, folder) for one in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return _kustomize(folder)


def _kustomize(folder: Path) -> str:
    return run(SCRIPTS / "kubectl", "kustomize", folder).stdout


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A run of helm, which may fail; skips where there is none."""
    program = TOOLS / "helm"
    if not program.exists():
        pytest.skip("no helm: `scripts/deploy-tools` builds one where Go is installed")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)


@cache
def templated(*arguments: str | Path) -> str:
    """YAML of the chart with these values and the needed ones."""
    done = helm("template", "zone-audit", CHART, "--namespace=zone-audit", *NEEDED, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """A run that succeeds."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def objects(text: str) -> dict[tuple[str, str, str], Object]:
    """Objects by kind, namespace and name; none is there twice."""
    found: dict[tuple[str, str, str], Object] = {}
    for one in yaml.load_all(text, yaml.CSafeLoader):
        if one:
            key = (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
            assert key not in found
            found[key] = one
    return found


def pods(text: str) -> Iterator[tuple[str, Object]]:
    """Name of each workload and the spec of its pods."""
    for (kind, _, name), one in objects(text).items():
        if kind == "CronJob":
            yield name, one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        elif kind == "Deployment":
            yield name, one["spec"]["template"]["spec"]


def containers(pod: Object) -> list[Object]:
    """All containers of a pod, in the order in which they start."""
    return [*pod.get("initContainers", ()), *pod["containers"]]
