"""Pages come in several threads; what is made of them must not depend on it, nor bring the process down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from audit.collection import listing, page
from audit.sources.kinds import Kind
from tests.collection.fault_server import Fault, FaultServer
from tests.collection.reading import KEYS, cluster, collected
from tests.collection.serving import basics, sample, served

PLAIN = ("", "apps", "batch", "networking.k8s.io")


def test_objects_are_decoded_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: set[int] = set()
    most = []

    def project(_: Kind, item: bytes, __: object) -> bytes:
        inside.add(threading.get_ident())
        most.append(len(inside))
        time.sleep(0.0001)
        inside.discard(threading.get_ident())
        return item

    monkeypatch.setattr(page, "project", project)
    monkeypatch.setattr(listing, "LIMIT", 2)
    collected(cluster(*KEYS))
    assert max(most) == 1


@pytest.mark.parametrize("aggregated", [True, False])
def test_a_fresh_process_survives_that_its_threads_meet(aggregated: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Every type is made for the first time in it, and the kinds that are refused bring threads out of step."""
    plain = [one for one in served([*sample("four-zones-faulty"), *basics()]) if one.items or one.group in PLAIN]
    with FaultServer(plain, [Fault("forbidden", "networkpolicies.networking.k8s.io")]) as server:
        server.aggregated_discovery = aggregated
        command = [sys.executable, "-X", "faulthandler", "-m", "audit", "collect", "-o", str(tmp_path / "s.zip")]
        done = subprocess.run([*command, "--kubeconfig", str(server.kubeconfig())], capture_output=True, check=False)
    assert done.returncode == 3, done.stderr.decode()


@pytest.mark.parametrize("command", [["collect", "-o", "s.zip"], ["init", "cluster"]], ids=" ".join)
def test_an_interrupted_command_ends_at_once_and_leaves_nothing(command: list[str], tmp_path: Path) -> None:
    """Though the API server is silent, for which it would wait for half a minute and then try again."""
    with FaultServer(served(basics()), [Fault("stall", "nodes")]) as server:
        words = [sys.executable, "-m", "audit", *command, "--kubeconfig", str(server.kubeconfig())]
        environment = {**os.environ, "TMPDIR": str(tmp_path), "CI": ""}
        with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
            while not server.hits:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
    assert list(tmp_path.iterdir()) == []
