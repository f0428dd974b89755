"""The random clusters hold what an API server would, and every topic has its kinds and all three verdicts."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.oracle.draw_networks import without_nulls
from tests.oracle.objects import group_of
from tests.oracle.plugins import detected
from tests.oracle.probes import probe_addresses, probe_ports
from tests.oracle.slow import Cluster
from tests.oracle.strategies import ENTERING, EVERYTHING, LEAVING, NETWORKS, PLUGINS, rolled
from tests.oracle.terms import Endpoint, Outside

Json = Any
CRDS = Path(__file__).parents[3] / "shared" / "crds"
NUMBERS = range(60)
SHAPES = {"networks": NETWORKS, "ways out": LEAVING, "ways in": ENTERING}
KINDS = {
    "networks": "UserDefinedNetwork ClusterUserDefinedNetwork ClusterNetworkConnect RouteAdvertisements NetNamespace "
    "MultiNetworkPolicy",
    "ways out": "EgressFirewall EgressNetworkPolicy NetNamespace HostSubnet",
    "ways in": "Service IngressController Route Ingress IngressClass Gateway HTTPRoute GRPCRoute ReferenceGrant",
}
ADMIN = "policy.networking.k8s.io"
"""Drawn in two generations, and with peers that a server dropped."""
NEWER = ("Layer4", "serviceSelector", "'log'")
"""Fields of versions to come, drawn on purpose."""


@functools.cache
def schemas() -> dict[tuple[str, str], Json]:
    """Schema of every kind and version that the CRDs define."""
    found = {}
    for path in sorted(CRDS.glob("*.yaml")):
        crd = yaml.safe_load(path.read_text(encoding="utf-8"))
        for version in crd["spec"]["versions"]:
            api = f"{crd['spec']['group']}/{version['name']}"
            found[api, crd["spec"]["names"]["kind"]] = without_nulls(version["schema"]["openAPIV3Schema"])
    return found


@pytest.mark.skipif(not CRDS.is_dir(), reason="the CRDs are not in this checkout")
@pytest.mark.parametrize("topic", KINDS)
def test_drawn_objects_are_valid(topic: str) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    for number in NUMBERS:
        for o in rolled(number, SHAPES[topic]):
            schema = schemas().get((o["apiVersion"], o["kind"]))
            if schema and group_of(o) != ADMIN and not any(text in str(o) for text in NEWER):
                assert [error.message for error in validator(schema).iter_errors(o)] == [], o


@pytest.mark.parametrize("topic", KINDS)
def test_every_kind_of_a_topic_is_drawn(topic: str) -> None:
    drawn = {o["kind"] for number in NUMBERS for o in rolled(number, SHAPES[topic])}
    assert set(KINDS[topic].split()) - drawn == set()


def test_every_plugin_and_mode_is_drawn() -> None:
    found = [detected(rolled(number, PLUGINS)) for number in range(200)]
    drawn = {(plugin.name, plugin.mode) for plugin in found}
    modes = {("openshift-sdn", mode) for mode in ("networkpolicy", "multitenant", "subnet", "")}
    assert drawn == modes | {(name, "") for name in ("ovn-kubernetes", "calico", "cilium", "unknown")}


@pytest.mark.parametrize("shape", [PLUGINS, NETWORKS, LEAVING, ENTERING, EVERYTHING])
def test_no_verdict_is_rare(shape: Any) -> None:
    found: Counter[str] = Counter()
    for number in range(25):
        objects = rolled(number, shape)
        cluster = Cluster(objects)
        port = probe_ports(objects)[number % 2]
        outside = [Outside(address) for address in probe_addresses(objects)[:3]]
        pods = list(cluster.pods.values())
        ends: list[Endpoint] = [*pods, *outside]
        pairs: list[tuple[Endpoint, Endpoint]] = [(a, b) for a in pods for b in ends if a is not b]
        found.update(cluster.decide(a, b, "TCP", port) for a, b in pairs + [(b, a) for a, b in pairs])
    assert min(found.values()) > sum(found.values()) / 12
    assert len(found) == 3


def test_objects_of_the_core_and_of_groups_are_told_apart() -> None:
    assert [group_of({"apiVersion": api}) for api in ("v1", "apps/v1")] == ["", "apps"]
