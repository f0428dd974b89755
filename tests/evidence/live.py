"""Samples as a live cluster would give them: every kind asked for, with a ledger that can be taken apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path

import msgspec

from audit import cells, checker, discovery, inventory, matrix
from audit.api_resources import RESOURCES
from audit.checker import Results
from audit.ledger import Cluster, Evidence, Manifest, Member
from audit.model import ZoneMatrix
from audit.rule import Rule
from audit.snapshot import Entry, Snapshot
from audit.sources import evidence, read
from audit.sources.kinds import kind_key
from audit.zones import assign
from tests.evidence import plain

ROOT = Path(__file__).parents[2]
TODAY = dt.date(2026, 11, 23)
KUBERNETES = frozenset(
    {"", "apps", "batch", "networking.k8s.io", "discovery.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io"}
    | {"admissionregistration.k8s.io", "snapshot.storage.k8s.io"}
)
OPENSHIFT_3 = KUBERNETES | {
    *("route.openshift.io", "apps.openshift.io", "template.openshift.io", "quota.openshift.io"),
    *("security.openshift.io", "user.openshift.io", "network.openshift.io"),
}
OPENSHIFT_4 = (OPENSHIFT_3 - {"network.openshift.io"}) | {
    *("config.openshift.io", "operator.openshift.io", "imageregistry.operator.openshift.io", "k8s.ovn.org"),
    *("controlplane.operator.openshift.io", "network.operator.openshift.io", "cloud.network.openshift.io"),
    *("k8s.cni.cncf.io", "policy.networking.k8s.io", "gateway.networking.k8s.io"),
}
SERVED: Mapping[str, frozenset[str]] = {
    "openshift-3": OPENSHIFT_3,
    "four-zones": OPENSHIFT_4,
    "dmz-cluster": OPENSHIFT_4,
    "four-zones-faulty": OPENSHIFT_4 | {"network.openshift.io"},
    "dmz-cluster-faulty": OPENSHIFT_4,
    "openshift-3-faulty": OPENSHIFT_3,
    "plain": KUBERNETES | {"crd.projectcalico.org"},
}
"""Sample -> API groups of its server."""


NONE: Mapping[str, tuple[Entry, ...]] = {}


@dataclass(frozen=True, kw_only=True)
class Live:
    """One cluster with all that it is judged by."""

    snapshot: Snapshot
    matrix: ZoneMatrix

    def with_entries(self, kind: str, entries: tuple[Entry, ...]) -> Live:
        """The cluster with other objects of a kind, all of them read."""
        old = self.entry(kind)
        if old.status == "absent" and not entries:
            return self
        return self.ablated({kind: complete(kind, old.group, old.resource, len(entries))}, {kind: entries})

    @property
    def _manifest(self) -> Manifest:
        assert self.snapshot.manifest is not None
        return self.snapshot.manifest

    def ablated(self, parts: Mapping[str, Evidence], entries: Mapping[str, tuple[Entry, ...]]) -> Live:
        """The cluster with other entries of the ledger, and with other objects of some kinds."""
        ledger = tuple(parts.get(one.kind, one) for one in self._manifest.ledger)
        return self.told(msgspec.structs.replace(self._manifest, ledger=ledger), entries)

    def told(self, manifest: Manifest, entries: Mapping[str, tuple[Entry, ...]] = NONE) -> Live:
        """The cluster with another manifest, and with other objects of some kinds."""
        listed = {kind: of for kind, of in {**self.snapshot.entries, **entries}.items() if of}
        return replace(self, snapshot=judged_by(manifest, listed))

    def entry(self, kind: str) -> Evidence:
        """What the ledger says of a kind."""
        return next(one for one in self._manifest.ledger if one.kind == kind)

    @property
    def kinds(self) -> tuple[str, ...]:
        """All that the ledger knows."""
        return tuple(one.kind for one in self._manifest.ledger)


def judged_by(manifest: Manifest, entries: Mapping[str, tuple[Entry, ...]]) -> Snapshot:
    """The snapshot that the reader of snapshot files would give."""
    members = tuple(
        Member(name=f"objects/{kind}.json", kind=kind, sha256="", size=0, objects=len(listed))
        for kind, listed in sorted(entries.items())
    )
    held = msgspec.structs.replace(manifest, members=members)
    return Snapshot(entries=entries, live=True, manifest=held, gaps=evidence.gaps(held))


def complete(kind: str, group: str, resource: str, objects: int) -> Evidence:
    return Evidence(
        kind=kind,
        group=group,
        version="v1",
        resource=resource,
        status="complete",
        objects=objects,
        cut="exact",
        pages=1,
    )


def absent(kind: str, group: str, resource: str) -> Evidence:
    proof = f"discovery, complete and fresh, has no group {group}, and GET of it answers 404"
    return Evidence(kind=kind, group=group, resource=resource, status="absent", proof=proof)


Verdicts = Mapping[object, str]


@cache
def live(name: str) -> Live:
    """A sample as its cluster would give it, everything read."""
    if name == "plain":
        found, zones = read(["-"], stdin=BytesIO(plain.listed())), Path(__file__).with_name("plain.yaml")
    else:
        folder = ROOT / "sample_snapshots" / name
        found, zones = read([str(folder / "manifests")]), folder / "zones.yaml"
    assert not found.gaps
    ledger = []
    for one in RESOURCES:
        key = kind_key(one.group, one.kind)
        served = one.group in SERVED[name]
        objects = len(found.of(key))
        assert served or not objects, key
        ledger.append(complete(key, one.group, one.name, objects) if served else absent(key, one.group, one.name))
    unasked = {kind for kind, listed in found.entries.items() if listed} - {one.kind for one in ledger}
    assert not unasked
    manifest = Manifest(
        tool="zone-audit test",
        cluster=Cluster(uid="5e1f0c1e-0000-4000-8000-000000000000", version="v1.30.0"),
        resource_version="1",
        started="2026-11-23T00:00:00Z",
        ended="2026-11-23T00:00:01Z",
        ledger=tuple(sorted(ledger, key=lambda one: one.kind)),
        members=(),
    )
    return Live(snapshot=judged_by(manifest, found.entries), matrix=matrix.load(zones))


@cache
def rules() -> tuple[Rule, ...]:
    return discovery.discover()


def verdicts(cluster: Live) -> Verdicts:
    """Every verdict: of each pair of zones, and of each rule."""
    found = results(cluster)
    judged: dict[object, str] = {(one.cell.source, one.cell.target): one.verdict for one in found.cells}
    return judged | {one.rule.id: one.verdict for one in found.rules}


def results(cluster: Live) -> Results:
    """The cluster as it is judged."""
    population = inventory.build(cluster.snapshot)
    zone_map = assign(cluster.matrix, population.namespaces.values(), population.nodes.values())
    found = cells.evaluate(population, zone_map, cluster.matrix)
    return checker.check(
        rules(),
        inventory=population,
        zone_map=zone_map,
        matrix=cluster.matrix,
        flows=found.cells,
        facts=found.facts,
        today=TODAY,
    )
