"""The engine and the slow evaluator agree on every connection of thousands of random clusters.

ZONE_AUDIT_CLUSTERS sets how many (2,000 by default). The clusters are the same in every run unless ZONE_AUDIT_SEED
names another seed; both are printed with a failure.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings

from tests.oracle.engine import Reach, reach
from tests.oracle.probes import blocks, probe_addresses, probe_ports
from tests.oracle.slow import PROTOCOLS, Cluster
from tests.oracle.strategies import ANYTHING, PLAIN, clusters
from tests.oracle.terms import Address, Endpoint, Outside

CLUSTERS = int(os.environ.get("ZONE_AUDIT_CLUSTERS", "2000"))
SEED = int(os.environ.get("ZONE_AUDIT_SEED", "0"))
PARTS = 4
"""The clusters are dealt over a few tests so that a parallel run can use every core."""


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


def disagreements(objects: list[Any], answer: Reach) -> list[str]:
    """Every connection on which engine and evaluator differ, at most a few per pair of endpoints."""
    cluster = Cluster(objects)
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


def check(objects: list[Any]) -> None:
    """Raises AssertionError with the cluster and every disagreement."""
    note(json.dumps(objects, indent=1))
    answer = reach(objects)
    answer.check_partition()
    assert answer.inside == tuple(sorted(Cluster(objects).pods))
    wrong = disagreements(objects, answer)
    assert not wrong, "\n".join(wrong)


many = settings(
    max_examples=max(1, CLUSTERS // PARTS),
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    report_multiple_bugs=False,
)


@pytest.mark.parametrize("part", range(PARTS))
def test_engine_agrees_with_the_slow_evaluator(part: int) -> None:
    shape = PLAIN if part == 0 else ANYTHING

    @seed(SEED * PARTS + part)
    @many
    @given(clusters(shape))
    def agree(objects: list[Any]) -> None:
        check(objects)

    print(f"seed {SEED}, part {part} of {PARTS}, {CLUSTERS} clusters")  # noqa: T201 - shown with a failure
    agree()
