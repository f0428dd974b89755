"""Our own audit passes on our own deployment, and would tell if it were not so."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.deploy.rendering import DEPLOY, EXAMPLE, Object, kustomized, objects, templated

Run = Callable[..., subprocess.CompletedProcess[str]]
SURROUNDINGS = EXAMPLE / "surroundings.yaml"
ZONES = ("--zones", EXAMPLE / "zones.yaml")


def scanned(zone_audit: Run, text: str) -> subprocess.CompletedProcess[str]:
    return zone_audit("scan", "-", SURROUNDINGS, *ZONES, stdin=text)


def test_the_audit_passes_on_every_rendering(rendered: str, zone_audit: Run) -> None:
    done = scanned(zone_audit, rendered)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 findings" in done.stdout


def test_the_audit_passes_on_the_chart(zone_audit: Run) -> None:
    done = scanned(zone_audit, templated("--set", "monitoring.enabled=true,openReports.enabled=true"))
    assert done.returncode == 0, done.stdout + done.stderr


def opened(found: dict[Any, Object]) -> None:
    del found["NetworkPolicy", "zone-audit", "zone-audit-default-deny"]
    del found["NetworkPolicy", "zone-audit", "zone-audit-api-server"]


def anywhere(found: dict[Any, Object]) -> None:
    (first, _) = found["NetworkPolicy", "zone-audit", "zone-audit-api-server"]["spec"]["egress"]
    first["to"] = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]


def escalating(found: dict[Any, Object]) -> None:
    rules = found["ClusterRole", "", "zone-audit-reader"]["rules"]
    rules.append({"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["update"]})


@pytest.mark.parametrize("change", [opened, anywhere, escalating])
def test_the_audit_fails_where_the_deployment_is_weaker(change: Callable[[Any], None], zone_audit: Run) -> None:
    found = objects(kustomized("base"))
    change(found)
    assert scanned(zone_audit, yaml.safe_dump_all(found.values())).returncode == 1


def shipped(name: str) -> list[str]:
    """Every file of this name below deploy/."""
    return sorted(str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob(name))


@pytest.mark.parametrize("file", shipped("zones.yaml"))
def test_every_matrix_that_is_shipped_is_valid(file: str, zone_audit: Run) -> None:
    assert zone_audit("matrix", "check", DEPLOY / file).returncode == 0


@pytest.mark.parametrize("file", shipped("exceptions.yaml"))
def test_the_exceptions_that_are_shipped_are_valid_and_except_nothing(file: str, zone_audit: Run) -> None:
    done = zone_audit("scan", SURROUNDINGS, *ZONES, "--exceptions", DEPLOY / file)
    assert done.returncode in (0, 1), done.stderr
    assert yaml.safe_load((DEPLOY / file).read_text())["exceptions"] == []
