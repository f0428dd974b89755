"""As many pods as wanted, of the size of real ones, made while they are listed; and a run of the command, measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from tests.collection.fault_server import FaultServer, Served
from tests.collection.serving import basics, served

_NOISE = [
    {"manager": f"controller-{number}", "fieldsV1": {f"f:{'x' * 12}{field}": {} for field in range(50)}}
    for number in range(3)
]
_ENVIRONMENT = [{"name": f"SETTING_{number}", "value": "canary " * 4} for number in range(24)]
_MEASURED = """
import resource, sys, time
from audit.cli import run
code = run(sys.argv[1:])
with open("/proc/self/status", encoding="ascii") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(f"measured {code} {peak} {time.process_time()}")
"""


class Pods(Sequence[Mapping[str, Any]]):
    """Pods `0` to `count - 1`, of about 5.4 kB each; none is kept."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        if isinstance(index, slice):
            return [pod(number) for number in range(*index.indices(self._count))]
        return pod(range(self._count)[index])


def pod(number: int) -> Mapping[str, Any]:
    namespace, name = f"team-{number % 400}", f"app-{number % 4000}-{number:x}"
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"{number:032x}",
            "resourceVersion": str(number + 1),
            "labels": {"app": f"app-{number % 4000}", "tier": "web", "pod-template-hash": f"{number:x}"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x" * 300},
            "managedFields": _NOISE,
        },
        "spec": {
            "nodeName": f"node-{number % 500}",
            "serviceAccountName": "app",
            "containers": [{"name": "app", "image": "app", "env": _ENVIRONMENT, "ports": [{"containerPort": 8080}]}],
        },
        "status": {"phase": "Running", "podIP": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"},
    }


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of `zone-audit collect`."""

    code: int
    megabytes: float
    """Largest resident set."""
    cpu: float
    """Seconds of its own, start and end of Python included."""
    said: str


def measured(pods: int, folder: Path) -> Measured:
    """What collecting a cluster with so many pods into `folder` takes."""
    kinds = [one for one in served(basics()) if one.kind != "Pod"]
    with FaultServer([*kinds, Served("Pod", "pods", Pods(pods))]) as server:
        words = ("collect", "-o", str(folder / "snapshot.zip"), "--kubeconfig", str(server.kubeconfig()))
        command = [sys.executable, "-c", _MEASURED, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "CI": ""})
    code, kilobytes, cpu = done.stdout.rpartition("measured ")[2].split()
    return Measured(int(code), int(kilobytes) / 1000, float(cpu), done.stderr)


def size() -> int:
    """Bytes of one pod as JSON."""
    return len(json.dumps(pod(12345)))
