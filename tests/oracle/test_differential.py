"""The engine and the slow evaluator agree on every connection of thousands of random clusters.

ZONE_AUDIT_CLUSTERS sets how many (2,000 by default), dealt over topics so that what fails is small. The clusters are
the same in every run unless ZONE_AUDIT_SEED names another seed; both are printed with a failure.
"""

from __future__ import annotations

import functools
import json
import os
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from audit.errors import AuditError
from audit.profile import Plugin
from tests.oracle.draws import ANYTHING, PLAIN, Shape
from tests.oracle.engine import Reach, reach
from tests.oracle.plugins import NAMES
from tests.oracle.probes import blocks, probe_addresses, probe_ports
from tests.oracle.shrinking import shrunk
from tests.oracle.slow import PROTOCOLS, Cluster
from tests.oracle.strategies import ENTERING, EVERYTHING, LEAVING, NETWORKS, PLUGINS, clusters, rolled
from tests.oracle.terms import Address, Endpoint, Outside

CLUSTERS = int(os.environ.get("ZONE_AUDIT_CLUSTERS", "2000"))
SEED = int(os.environ.get("ZONE_AUDIT_SEED", "0"))
POLICIES = {"complete": PLAIN, "first": ANYTHING, "second": ANYTHING, "third": ANYTHING}
TOPICS: dict[str, Shape] = {
    "plug-ins": PLUGINS,
    "networks": NETWORKS,
    "ways out": LEAVING,
    "ways in": ENTERING,
    "everything": EVERYTHING,
}
SHARE = max(1, CLUSTERS // (len(POLICIES) + len(TOPICS)))


def outside_samples(answer: Reach, objects: list[Any]) -> dict[str, list[Address]]:
    """Per outside endpoint one address for every combination of blocks that its addresses lie in.

    Taken from both ends of each of its ranges and from every boundary that a policy draws; nothing but the blocks can
    tell two outside addresses apart.
    """
    named = list({n for o in objects for n in blocks(o)})
    candidates = [(name, end) for name, networks in answer.outside.items() for n in networks for end in (n[0], n[-1])]
    candidates += [(answer.outside_of(address), address) for address in probe_addresses(objects)]
    found: dict[tuple[str, tuple[bool, ...], int], Address] = {}
    for name, address in candidates:
        found.setdefault((name, tuple(address in block for block in named), address.version), address)
    samples: dict[str, list[Address]] = {}
    for (name, _, _), address in found.items():
        samples.setdefault(name, []).append(address)
    return samples


def disagreements(objects: list[Any], answer: Reach, plugin: Plugin | None = None) -> list[str]:
    """Every connection on which engine and evaluator differ, at most a few per pair of endpoints."""
    cluster = Cluster(objects, plugin)
    ports = probe_ports(objects)
    inside: list[tuple[str, Endpoint]] = list(cluster.pods.items())
    outside: list[tuple[str, Endpoint]] = [
        (name, Outside(address))
        for name, addresses in outside_samples(answer, objects).items()
        for address in addresses
    ]
    pairs = [(a, b) for a in inside for b in inside if a is not b]
    pairs += [(a, b) for a in inside for b in outside] + [(a, b) for a in outside for b in inside]
    found = []
    for (source_id, source), (target_id, target) in pairs:
        wrong = [
            f"{source_id}{shown(source)} to {target_id}{shown(target)} {protocol} {port}: want {expected}, got {got}"
            for protocol in PROTOCOLS
            for port in ports
            if (expected := cluster.decide(source, target, protocol, port))
            != (got := answer.verdict(source_id, target_id, protocol, port))
        ]
        found += wrong[:3]
    return found


def shown(end: Endpoint) -> str:
    """The address of an outside endpoint in parentheses."""
    return f" ({end.address})" if isinstance(end, Outside) else ""


def check(objects: list[Any], plugin: Plugin | None = None) -> None:
    """Raises AssertionError with the cluster and every disagreement."""
    answer = reach(objects, plugin=plugin)
    answer.check()
    assert answer.inside == tuple(sorted(Cluster(objects, plugin).pods))
    wrong = disagreements(objects, answer, plugin)
    assert not wrong, "\n".join([f"plug-in {plugin}", *map(json.dumps, objects), *wrong])


many = settings(
    max_examples=SHARE,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    report_multiple_bugs=False,
)


@pytest.mark.parametrize("part", POLICIES)
def test_engine_agrees_with_the_slow_evaluator(part: str) -> None:
    @seed(SEED * len(POLICIES) + list(POLICIES).index(part))
    @many
    @given(clusters(POLICIES[part]))
    def agree(objects: list[Any]) -> None:
        check(objects)

    print(f"seed {SEED}, {part}, {SHARE} clusters")  # noqa: T201 - shown with a failure
    agree()


def plugin_of(number: int) -> Plugin | None:
    """What the user says of the plug-in of the cluster of this number: nothing as a rule."""
    return cast("Plugin", NAMES[number // 3 % len(NAMES)]) if number % 3 == 0 else None


@pytest.mark.parametrize("topic", TOPICS)
def test_engine_agrees_with_the_slow_evaluator_on(topic: str) -> None:
    for number in range(SEED * SHARE, (SEED + 1) * SHARE):
        objects, plugin = rolled(number, TOPICS[topic]), plugin_of(number)
        try:
            check(objects, plugin)
        except AssertionError:
            print(f"cluster {number} about {topic}, without what does not matter")  # noqa: T201 - shown with a failure
            check(shrunk(objects, functools.partial(faults, plugin=plugin)), plugin)
            raise


def faults(objects: list[Any], plugin: Plugin | None) -> set[str]:
    """What is wrong with the engine's answer, without the places; nothing where it would not read the cluster."""
    try:
        check(objects, plugin)
    except AssertionError as error:
        return {line.rpartition(": ")[2] for line in str(error).splitlines()}
    except AuditError:
        return set()
    return set()
