"""An API server reads, defaults and refuses manifests as our loader does, but for differences with a reason."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit import reach_json
from audit.errors import AuditError
from audit.sources import read
from tests.live import known_differences, odd
from tests.live.client import Client
from tests.live.population import Places, create

Json = Any
PEOPLE = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web", "labels": {"zone": "dmz"}}},
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "db", "labels": {"zone": "inner"}}},
]
"""Namespaces that the manifests need on the server."""


def _pod(namespace: str, name: str, address: str, *ports: Json) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "i", "ports": list(ports)}]},
        "status": {"podIP": address, "podIPs": [{"ip": address}]},
    }


CLUSTER = [
    *PEOPLE,
    _pod("web", "shop", "10.0.0.1", {"name": "http", "containerPort": 8080}),
    _pod("web", "y", "10.0.0.2", {"name": "metrics", "containerPort": 9100, "protocol": "UDP"}),
    _pod("db", "pg", "10.1.0.1", {"containerPort": 5432}),
    _pod("db", "bare", "fd00::1"),
]
"""What a manifest is judged in the middle of."""


def ours(manifest: str) -> Json:
    """What can reach what with this manifest in the cluster; the reason where we refuse it."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("cluster.json", "odd.json" if manifest[0] == "{" else "odd.yaml")]
        for path, content in zip(paths, ("\n".join(map(json.dumps, CLUSTER)), manifest), strict=True):
            path.write_text(content)
        try:
            found = reach_json.document(read(list(map(str, paths))), by="pod")
        except AuditError as error:
            return str(error)
    return {name: found[name] for name in ("endpoints", "connections", "entry_points")}


def theirs(admin: Client, places: Places, manifest: str) -> Json:
    """The object as the server would store it; the reason where it refuses."""
    metadata = yaml.load(manifest, yaml.BaseLoader)  # noqa: S506 - makes strings only
    key = metadata["apiVersion"], metadata["kind"]
    if key not in places.plurals:
        return "no such kind"
    status, answer = admin.ask(
        "POST", places.of(metadata), manifest, content_type="application/yaml", dryRun="All", fieldValidation="Strict"
    )
    return str(answer["message"]) if status >= 300 else answer


@dataclass(frozen=True)
class Reading:
    """What both sides make of one manifest."""

    ours: Json
    """What can reach what; a text where it is refused."""
    theirs: Json
    """What is stored; a text where it is refused."""


@pytest.fixture(scope="module")
def readings(admin: Client, places: Places) -> dict[str, Reading]:
    create(admin, PEOPLE)
    return {name: Reading(ours(text), theirs(admin, places, text)) for name, text in odd.manifests()}


def _listed(differences: Mapping[str, Iterable[str]]) -> set[str]:
    return {name for names in differences.values() for name in names}


def test_there_are_hundreds_of_odd_manifests_both_taken_and_refused(readings: dict[str, Reading]) -> None:
    refused = sum(isinstance(one.theirs, str) for one in readings.values())
    assert len(readings) > 300
    assert 100 < refused < len(readings) - 100


def test_what_the_server_refuses_is_refused_here(readings: dict[str, Reading]) -> None:
    read_here = {n for n, one in readings.items() if isinstance(one.theirs, str) and not isinstance(one.ours, str)}
    assert read_here == _listed(known_differences.WE_READ)


def test_what_the_server_takes_is_read_here(readings: dict[str, Reading]) -> None:
    refused_here = {n for n, one in readings.items() if isinstance(one.ours, str) and not isinstance(one.theirs, str)}
    assert refused_here == _listed(known_differences.WE_REFUSE)


def test_the_form_that_the_server_stores_reaches_what_the_manifest_reaches(readings: dict[str, Reading]) -> None:
    both = {n: one for n, one in readings.items() if not isinstance(one.theirs, str) and not isinstance(one.ours, str)}
    assert {n for n, one in both.items() if ours(json.dumps(one.theirs)) != one.ours} == set()


def test_manifests_that_the_server_tells_apart_are_told_apart_here(readings: dict[str, Reading]) -> None:
    """So that the comparison above would notice a reader who sees no difference between policies."""
    reached = {json.dumps(one.ours) for n, one in readings.items() if n.startswith("policy ") and one.ours}
    assert len(reached) > 60


@pytest.mark.parametrize("name", known_differences.UNKNOWN_FIELD)
def test_nothing_is_certain_under_a_policy_with_an_unknown_field(readings: dict[str, Reading], name: str) -> None:
    connections = readings[name].ours["connections"]
    assert "unknown-field" in {one.get("reason") for one in connections}


@pytest.mark.parametrize(
    ("spec", "stored"),
    [
        ("ingress: [null]", {"ingress": [{}], "policyTypes": ["Ingress"]}),
        ("ingress: []", {"policyTypes": ["Ingress"]}),
        ("egress: []", {"policyTypes": ["Ingress"]}),
        ("egress: [null]", {"egress": [{}], "policyTypes": ["Ingress", "Egress"]}),
        ("ingress: [{from: []}]", {"ingress": [{}], "policyTypes": ["Ingress"]}),
        (
            "ingress: [{ports: [{port: 8080}]}]",
            {"ingress": [{"ports": [{"port": 8080, "protocol": "TCP"}]}], "policyTypes": ["Ingress"]},
        ),
    ],
)
def test_the_facts_that_our_reading_builds_on_are_still_those_of_the_server(
    readings: dict[str, Reading], spec: str, stored: Json
) -> None:
    assert readings[f"policy {spec}"].theirs["spec"] == {"podSelector": {}, **stored}
