"""Objects of manifests behind an API server, over TLS, and the command line that asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from audit.api_resources import RESOURCES
from audit.sources.kinds import kind_key
from tests.collection.fault_server import Served
from tests.collection.living import namespaced, version_of

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_snapshots"
UID = "0a1b2c3d-0000-4000-8000-000000000000"
Object = dict[str, Any]


def sample(name: str) -> list[Object]:
    """The objects of a sample, lists taken apart."""
    found: list[Object] = []
    for path in sorted((SAMPLES / name / "manifests").rglob("*.y*ml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if document:
                found += document["items"] if document["kind"].endswith("List") else [document]
    return found


def basics() -> list[Object]:
    """What no cluster is without."""
    system = {"namespace": "kube-system"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": UID}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n0"}, "status": {"addresses": []}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "scheduler", **system},
            "spec": {"containers": [{"name": "s"}], "hostNetwork": True, "nodeName": "n0"},
            "status": {"phase": "Running", "podIP": "192.0.2.10"},
        },
    ]


def served(objects: Iterable[Object]) -> list[Served]:
    """Every kind that is asked for, with those of the objects that are of it, as an API server lists them."""
    by_key: dict[str, dict[tuple[str, str], Mapping[str, Any]]] = {}
    for one in objects:
        group = one["apiVersion"].rpartition("/")[0]
        meta = one["metadata"]
        stored = {"uid": f"uid-{meta.get('namespace', '')}-{meta['name']}", "resourceVersion": "7", **meta}
        item = {**{k: v for k, v in one.items() if k not in ("apiVersion", "kind")}, "metadata": stored}
        by_key.setdefault(kind_key(group, one["kind"]), {})[meta.get("namespace", ""), meta["name"]] = item
    return [
        Served(
            one.kind,
            one.name,
            [item for _, item in sorted(by_key.get(kind_key(one.group, one.kind), {}).items())],
            one.group,
            version_of(one),
            namespaced(one),
        )
        for one in RESOURCES
    ]


def run(*arguments: str | Path, home: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """The command line, in a process of its own."""
    environment = {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "SOURCE_DATE_EPOCH": "1763856000", **more}
    command = [sys.executable, "-m", "audit", *map(str, arguments)]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, check=False, timeout=120)
