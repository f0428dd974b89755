"""The fixes that findings carry: applied to the samples as they stand, they close what they say and open nothing."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.commands.scan import scan
from audit.report import FindingRecord, Report

SAMPLES = Path(__file__).parents[2] / "sample_snapshots"
CREATED = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
NAMES = ("enterprise", "two-zones-faulty")


def judged(manifests: Path, sample: str, *more: Path) -> Report:
    return scan((str(manifests), *map(str, more)), str(SAMPLES / sample / "zones.yaml"), created=CREATED)


def ready(sample: str) -> list[tuple[str, FindingRecord]]:
    report = judged(SAMPLES / sample / "manifests", sample)
    return [(sample, one) for one in report.findings if one.rule == "NET001" and "\n\n" in one.fix]


def repaired(source: Path, target: Path, finding: FindingRecord) -> None:
    """A copy of the manifests with what the finding asks for."""
    shutil.copytree(source, target)
    body = yaml.safe_load(finding.fix.partition("\n\n")[2])
    if "ports" not in body:
        spaces = [one.removeprefix("Namespace ") for one in finding.subjects]
        policies = [body | {"metadata": body["metadata"] | {"namespace": space}} for space in spaces]
        (target / "zz-fix.yaml").write_text(yaml.safe_dump_all(policies))
        return
    subject = finding.subjects[0].removeprefix("NetworkPolicy ")
    step = next(one for one in finding.path if one.object == finding.subjects[0])
    for file in sorted(target.glob("*.yaml")):
        documents = list(yaml.safe_load_all(file.read_text()))
        for one in documents:
            if (
                one["kind"] == "NetworkPolicy"
                and f"{one['metadata']['namespace']}/{one['metadata']['name']}" == subject
            ):
                one["spec"][step.direction][step.rule]["ports"] = body["ports"]
        file.write_text(yaml.safe_dump_all(documents))


@pytest.mark.parametrize(("sample", "finding"), [pair for name in NAMES for pair in ready(name)])
def test_ready_yaml_closes_its_finding_and_brings_no_new_one(
    tmp_path: Path, sample: str, finding: FindingRecord
) -> None:
    source = SAMPLES / sample / "manifests"
    repaired(source, tmp_path / "manifests", finding)
    before = {one.fingerprint: one.title for one in judged(source, sample).findings}
    after = {one.fingerprint: one.title for one in judged(tmp_path / "manifests", sample).findings}
    assert finding.fingerprint not in after
    assert not {title for key, title in after.items() if key not in before}


def fix(sample: str, subject: str, to_zone: str, from_zone: str) -> str:
    report = judged(SAMPLES / sample / "manifests", sample)
    (found,) = (
        one.fix
        for one in report.findings
        if one.subjects == (subject,) and (one.from_zone, one.to_zone) == (from_zone, to_zone) and one.rule == "NET001"
    )
    return found


def test_a_block_that_is_too_wide_is_named_and_no_port_is_touched() -> None:
    text = fix("enterprise", "NetworkPolicy partner-gateway/partners", "dmz", "internet")
    assert "198.51.100.0/23 except 198.51.100.128/25" in text
    assert "2001:db8" not in text
    assert "ports:" not in text


def test_ports_are_cut_to_those_that_the_rule_has_and_the_matrix_allows() -> None:
    text = fix("enterprise", "NetworkPolicy warehouse/loaders", "database", "internal")
    assert yaml.safe_load(text.partition("\n\n")[2]) == {"ports": [{"protocol": "TCP", "port": 1521, "endPort": 1525}]}


@pytest.mark.parametrize("source", ["b", "platform"])
def test_a_rule_for_any_peer_has_its_peers_narrowed(source: str) -> None:
    text = fix("two-zones-faulty", "NetworkPolicy mailing/allow-all", "a", source)
    assert "any peer" in text
    assert "ports:" not in text


# A small estate ------------------------------------------------------------------------------------------------------

ZONES = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: test}
settings: {pod_network: overlay}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
zones: [{name: a}, {name: b}, {name: c}, {name: internet, kind: internet}]
flows:
- {id: Z1, from: a, to: b, access: allow-only, services: [tcp/80]}
- {id: Z2, from: c, to: b, access: allow-all}
"""


def fixes(tmp_path: Path, *ingress: dict[str, Any], host: bool = False) -> list[str]:
    """What NET001 says of zone a into zone b, where one policy of namespace b has these rules."""
    objects: list[dict[str, Any]] = []
    for name in ("a", "b", "c"):
        metadata = {"name": name, "labels": {"network-zone": name}}
        objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        spec = {"hostNetwork": host and name == "b", "containers": [{"name": "c"}]}
        template = {"metadata": {"labels": {"app": name}}, "spec": spec}
        metadata = {"name": "main", "namespace": name}
        objects.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
                        "spec": {"template": template}})  # fmt: skip
        rules = list(ingress) if name == "b" else [{"from": [{"podSelector": {}}]}]
        spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": rules}
        objects.append({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                        "metadata": {"name": "p", "namespace": name}, "spec": spec})  # fmt: skip
    (tmp_path / "input.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    (tmp_path / "zones.yaml").write_text(ZONES)
    report = scan((str(tmp_path / "input.json"),), str(tmp_path / "zones.yaml"), created=CREATED)
    return [one.fix for one in report.findings if one.rule == "NET001" and (one.from_zone, one.to_zone) == ("a", "b")]


def space(*zones: str) -> dict[str, Any]:
    expression = {"key": "network-zone", "operator": "In", "values": list(zones)}
    return {"namespaceSelector": {"matchExpressions": [expression]}}


def test_a_rule_for_one_zone_keeps_the_allowed_ports(tmp_path: Path) -> None:
    (text,) = fixes(tmp_path, {"from": [space("a")], "ports": [{"port": 80}, {"port": 22}]})
    assert text == (
        "Narrow the ports of ingress rule 0 of NetworkPolicy b/p: from a to b the matrix allows only tcp/80.\n\n"
        "ports:\n- {protocol: TCP, port: 80}"
    )


def test_a_rule_that_serves_two_zones_keeps_its_ports(tmp_path: Path) -> None:
    (text,) = fixes(tmp_path, {"from": [space("a", "c")], "ports": [{"port": 80}, {"port": 22}]})
    assert text == (
        "Narrow the peers of ingress rule 0 of NetworkPolicy b/p: its peer namespaces network-zone in (a, c) covers a, "
        "and from a to b the matrix allows only tcp/80."
    )


def test_a_rule_with_nothing_that_is_allowed_goes(tmp_path: Path) -> None:
    (text,) = fixes(tmp_path, {"from": [space("c")]}, {"from": [space("a")], "ports": [{"port": 22}]})
    assert text == (
        "Remove ingress rule 1 of NetworkPolicy b/p: its peer namespaces network-zone=a is in a, "
        "and from a to b the matrix allows only tcp/80."
    )


def test_two_rules_at_fault_are_both_named_without_ports(tmp_path: Path) -> None:
    (text,) = fixes(tmp_path, {"from": [space("a")], "ports": [{"port": 22}]}, {"from": [space("a", "c")]})
    assert "ingress rules 0 and 1 of NetworkPolicy b/p" in text
    assert "\n" not in text


def test_two_rules_for_one_zone_are_told_apart_by_hand(tmp_path: Path) -> None:
    rule = {"from": [space("a")], "ports": [{"port": 80}, {"port": 22}]}
    (text,) = fixes(tmp_path, rule, rule | {"ports": [{"port": 23}]})
    assert text == (
        "Narrow the ports of ingress rules 0 and 1 of NetworkPolicy b/p: from a to b the matrix allows only tcp/80."
    )


def test_named_ports_are_not_guessed(tmp_path: Path) -> None:
    (text,) = fixes(tmp_path, {"from": [space("a")], "ports": [{"port": 22}, {"port": 80}, {"port": "web"}]})
    assert "\n" not in text


def test_the_host_network_is_no_place_for_a_policy(tmp_path: Path) -> None:
    (text,) = fixes(tmp_path, host=True)
    assert text == (
        "No policy binds Deployment b/main: take it off the host network, "
        "or filter at the nodes or at the egress of the sources."
    )
