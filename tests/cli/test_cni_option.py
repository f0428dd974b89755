"""`--cni`, and what the outputs say about the network profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.clusters import DENY_ALL, host, pod, policy, zoned
from tests.core.test_plugins import sdn

Json = Any
ZONES = """
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: test, version: "1", approved_by: ciso, approved_on: 2020-01-31, review_by: 2999-12-31}
settings: {pod_network: overlay}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
zones:
- {name: a, trust: 20, kind: cluster}
- {name: b, trust: 40, kind: cluster}
flows: []
"""
WORLD = [zoned("app", "a"), zoned("db", "b"), pod("web", "app", "10.0.0.1"), pod("pg", "db", "10.0.0.2"),
         policy(DENY_ALL, "app"), policy(DENY_ALL, "db")]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Any:
    """A function that writes a cluster and a matrix and gives their paths."""

    def written(*objects: Json) -> tuple[str, str]:
        items = {"apiVersion": "v1", "kind": "List", "items": [*WORLD, *objects]}
        (tmp_path / "cluster.json").write_text(json.dumps(items))
        (tmp_path / "zones.yaml").write_text(ZONES)
        return str(tmp_path / "cluster.json"), str(tmp_path / "zones.yaml")

    return written


@pytest.mark.parametrize("command", ["scan", "reach", "explain", "diff"])
def test_a_slip_in_the_name_gets_the_nearest_one(run: Any, place: Any, command: str) -> None:
    cluster, zones = place()
    ends = {"explain": ("app/Pod/web", "db/Pod/pg"), "diff": (cluster,)}.get(command, ())
    done = run(command, cluster, *ends, "--zones", zones, "--cni", "ovn-kubernets")
    assert done.returncode == 2
    assert b"did you mean `ovn-kubernetes`?" in done.stderr


def test_the_verdict_follows_the_option(run: Any, place: Any) -> None:
    cluster, zones = place()
    codes = [run("scan", cluster, "--zones", zones, *more).returncode for more in ((), ("--cni", "unknown"))]
    assert codes == [0, 3]
    assert b"unknown" in run("reach", cluster, "--cni", "unknown").stdout
    told = run("explain", cluster, "app/Pod/web", "db/Pod/pg", "--cni", "unknown").stdout.decode()
    assert "network plug-in: unknown, told by `--cni unknown`" in told
    assert "unknown because of network-plugin" in told
    assert "the network plug-in may not enforce it: may admit" in told


def test_results_carry_the_profile_and_its_evidence(run: Any, place: Any) -> None:
    cluster, zones = place(*sdn("networkpolicy", "4.12.1"))
    scope = json.loads(run("scan", cluster, "--zones", zones, "-f", "json").stdout)["scope"]
    assert (scope["profile"], scope["platform"]) == ("openshift-sdn", "OpenShift 4.12, mode networkpolicy")
    assert scope["enforcement"] == "yes"
    assert scope["profile_evidence"] == [
        "ClusterNetwork default: pluginName is redhat/openshift-ovs-networkpolicy",
        "ClusterVersion.config.openshift.io version: 4.12.1",
    ]


def test_a_plug_in_that_enforces_nothing_is_said_first(run: Any, place: Any, tmp_path: Path) -> None:
    cluster, zones = place(*sdn("subnet"))
    page = tmp_path / "report.html"
    done = run("scan", cluster, "--zones", zones, "-f", "text", "-f", "html", "-o", str(page))
    assert done.returncode == 1
    warning = "No NetworkPolicy is enforced: network profile openshift-sdn (mode subnet)"
    assert done.stdout.decode().splitlines()[1].startswith(warning)
    assert warning in page.read_text()
    told = run("explain", cluster, "app/Pod/web", "db/Pod/pg").stdout.decode()
    assert told.count("  the network plug-in enforces no policy: open") == 2


def test_manifests_without_evidence_say_what_they_said_before(run: Any, place: Any) -> None:
    cluster, zones = place()
    text = run("scan", cluster, "--zones", zones).stdout.decode()
    assert "profile" not in text
    assert "plug-in" not in run("explain", cluster, "app/Pod/web", "db/Pod/pg").stdout.decode()


def test_explain_tells_how_the_plug_in_may_read_a_rule(run: Any, place: Any) -> None:
    sloppy = policy({"policyTypes": ["Egress"], "ingress": [{"ports": [{"port": "sql"}]}]}, "db", "sloppy")
    cluster, _ = place(sloppy, host("h", ns="app"))
    told = run("explain", cluster, "app/Pod/web", "db/Pod/pg", "--cni", "ovn-kubernetes").stdout.decode()
    assert "NetworkPolicy db/sloppy does not list this direction" in told
    assert "rule 0, as the network plug-in may read it: any peer on tcp/*: may admit tcp/*" in told
