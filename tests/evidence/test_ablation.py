"""What was not read never helps: every entry of the ledger, and every pair, taken away from clusters that pass.

`ZONE_AUDIT_ABLATIONS` is the number of cases on pairs; with it every sample is struck by the adversary.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Literal, NamedTuple

import msgspec
import pytest

from audit.ledger import Evidence
from audit.snapshot import Entry
from tests.evidence.adversary import contents, half
from tests.evidence.live import Live, Verdicts, live, verdicts

CASES = int(os.environ.get("ZONE_AUDIT_ABLATIONS", "0"))
SAMPLES = ("plain", "dmz-cluster", "openshift-3", "four-zones")
STRUCK = SAMPLES if CASES else SAMPLES[:2]
PARTS = 8
"""Tests that share the cases, so that both processors have some."""
GOOD = ("pass", "not-applicable", "manual")
"""Verdicts that say that nothing is wrong."""
Mode = Literal["forbidden", "unavailable", "partial", "unproven", "unmentioned", "apart"]
MODES: tuple[Mode, ...] = ("forbidden", "unavailable", "partial", "unproven", "unmentioned", "apart")


class Loss(NamedTuple):
    """One entry of a ledger taken away."""

    kind: str
    mode: Mode

    def of(self, cluster: Live) -> tuple[Evidence, tuple[Entry, ...]]:
        """What the ledger says, and what is left of the objects."""
        old = cluster.entry(self.kind)
        left = half(cluster, self.kind, "left") if self.mode == "partial" else ()
        change = msgspec.structs.replace
        match self.mode:
            case "forbidden" | "unavailable":
                return change(old, status=self.mode, reason="it says no", proof="", objects=0, version=""), left
            case "partial":
                return change(old, status="partial", reason="it broke off", proof="", objects=len(left)), left
            case "unproven":
                return change(old, status="absent", proof="", objects=0, version=""), left
            case "unmentioned":
                return change(old, kind=f"Other{self.kind}"), left
            case "apart":
                entries = cluster.snapshot.of(self.kind)
                return change(old, status="complete", cut="none", skew=9.0, proof=""), entries


def after(name: str, *losses: Loss) -> Verdicts:
    """The verdicts on a sample that some of its ledger was taken from."""
    cluster = live(name)
    given = {loss.kind: loss.of(cluster) for loss in losses}
    parts = {kind: entry for kind, (entry, _) in given.items()}
    return verdicts(cluster.ablated(parts, {kind: left for kind, (_, left) in given.items()}))


@cache
def whole(name: str) -> Verdicts:
    return verdicts(live(name))


@cache
def alone(name: str, loss: Loss) -> Verdicts:
    return after(name, loss)


@cache
def flips(name: str) -> dict[str, frozenset[object]]:
    """Kind to the verdicts that say that nothing is wrong and that other objects of the kind alone would change."""
    found: dict[str, set[object]] = {}
    base = whole(name)
    for content in contents(name):
        struck = verdicts(live(name).with_entries(content.kind, content.entries))
        changed = {key for key, verdict in base.items() if verdict in GOOD and struck.get(key) != verdict}
        found.setdefault(content.kind, set()).update(changed)
    return {kind: frozenset(keys) for kind, keys in found.items()}


def unjustified(name: str, losses: tuple[Loss, ...], found: Verdicts) -> Iterator[str]:
    """Every verdict that says more than what was read can tell."""
    base = whole(name)
    rests = frozenset[object]().union(*(flips(name).get(one.kind, ()) for one in losses if name in STRUCK))
    for key, verdict in found.items():
        if verdict in (*GOOD, "fail") and verdict != base.get(key, "not-applicable"):
            yield f"{key}: {verdict}, and {base.get(key)} where everything was read"
        if verdict in GOOD and key in rests:
            yield f"{key}: {verdict}, though objects that were not read could change it"


def shown(name: str, losses: tuple[Loss, ...], found: Verdicts) -> list[str]:
    return [f"{name} without {losses}: {text}" for text in unjustified(name, losses, found)]


def pairs() -> list[tuple[str, tuple[Loss, ...]]]:
    """Every pair of kinds of every sample, in some mode each; in the same order in every run."""
    chosen = random.Random("pairs")  # noqa: S311 - only has to be the same in every run
    found: list[tuple[str, tuple[Loss, ...]]] = [
        (name, (Loss(one, chosen.choice(MODES)), Loss(other, chosen.choice(MODES))))
        for name in SAMPLES
        for one, other in combinations(live(name).kinds, 2)
    ]
    chosen.shuffle(found)
    return found[: CASES or 160]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_pass_where_everything_was_read(name: str) -> None:
    found = list(whole(name).values())
    assert "not-evaluated" not in [verdict for key, verdict in whole(name).items() if isinstance(key, tuple)]
    assert found.count("pass") > 60, "an ablation of what does not pass shows nothing"


@pytest.mark.parametrize("name", STRUCK)
def test_the_adversary_strikes(name: str) -> None:
    assert sum(bool(keys) for keys in flips(name).values()) >= {"plain": 38, "dmz-cluster": 45}.get(name, 38)
    assert {key for keys in flips(name).values() for key in keys if isinstance(key, tuple)}, "some pair of zones"


@pytest.mark.parametrize("name", STRUCK)
@pytest.mark.parametrize("mode", MODES if CASES else ("forbidden", "partial"))
def test_one_kind_that_was_not_read_makes_no_verdict_and_keeps_none_that_rests_on_it(name: str, mode: Mode) -> None:
    wrong = [
        text
        for kind in live(name).kinds
        if CASES or mode == "forbidden" or kind in flips(name)
        for text in shown(name, (Loss(kind, mode),), alone(name, Loss(kind, mode)))
    ]
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.parametrize("part", range(PARTS))
def test_two_kinds_that_were_not_read_make_no_verdict_and_keep_none_that_rests_on_them(part: int) -> None:
    wrong = []
    for name, losses in pairs()[part::PARTS]:
        found = after(name, *losses)
        wrong += shown(name, losses, found)
        if CASES:
            wrong += [
                f"{name} without {losses}: {key} is {verdict}, and {alone(name, one)[key]} where only {one} is lost"
                for one in losses
                for key, verdict in found.items()
                if verdict in GOOD and alone(name, one).get(key) != verdict
            ]
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.parametrize("name", SAMPLES[:2])
def test_nothing_passes_on_what_an_unverified_server_said(name: str) -> None:
    cluster = live(name)
    manifest = cluster.snapshot.manifest
    assert manifest is not None
    unsure = msgspec.structs.replace(manifest.cluster, unverified_tls=True)
    found = verdicts(cluster.told(msgspec.structs.replace(manifest, cluster=unsure)))
    passed = {key for key, verdict in found.items() if verdict == "pass"}
    assert passed == {"ZON007"}, "only the rule on the matrix itself looks at nothing of the cluster"


@pytest.mark.parametrize(
    ("group", "inside"), [("nsx.example.org", "not-evaluated"), ("traefik.io", "pass")], ids=["policies", "doors"]
)
def test_a_group_that_nobody_reads_may_decide_what_its_kinds_can(group: str, inside: str) -> None:
    cluster = live("plain")
    manifest = cluster.snapshot.manifest
    assert manifest is not None
    found = verdicts(cluster.told(msgspec.structs.replace(manifest, unmodelled_groups=(group,))))
    assert found["internet", "database"] == "not-evaluated"
    assert found["dmz", "database"] == inside
    assert found["STO001"] == whole("plain")["STO001"] == "pass"


def test_a_kind_that_nobody_reads_is_no_less_a_doubt_in_a_group_of_which_others_are_read() -> None:
    cluster = live("plain")
    manifest = cluster.snapshot.manifest
    assert manifest is not None
    told = cluster.told(msgspec.structs.replace(manifest, unmodelled_groups=("k8s.ovn.org",)))
    assert verdicts(told)["dmz", "database"] == "not-evaluated"
