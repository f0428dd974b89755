"""The real command in a process of its own, on a small two-zone estate."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

NAMESPACES = """\
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {network-zone: dmz}}
---
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {network-zone: internal}}
"""
PODS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: proxy, namespace: web}
spec:
  template:
    metadata: {labels: {app: proxy}}
    spec: {containers: [{name: c}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: app}
spec:
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: c}]}
"""
POLICIES = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: zone-dmz, namespace: web}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {}}]}]
  egress:
  - to: [{podSelector: {}}]
  - to: [{namespaceSelector: {matchLabels: {network-zone: internal}}}]
    ports: [{port: 8443}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: zone-internal, namespace: app}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {}}]
  - from: [{namespaceSelector: {matchLabels: {network-zone: dmz}}}]
    ports: [{port: 8443}]
  egress: [{to: [{podSelector: {}}]}]
"""
ZONES = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata:
  {name: test, owner: netsec@example.org, approved_by: ciso@example.org, approved_on: 2020-01-31, review_by: 2999-12-31}
settings: {pod_network: overlay}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
zones:
- {name: internet, kind: internet, trust: 0}
- {name: dmz, kind: cluster, trust: 20}
- {name: internal, kind: cluster, trust: 50}
flows:
- {id: ZM-1, from: dmz, to: internal, access: allow-only, services: [tcp/8443]}
"""

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A directory with `manifests/` that keeps the matrix in `zones.yaml`."""
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "namespaces.yaml").write_text(NAMESPACES)
    (manifests / "pods.yaml").write_text(PODS)
    (manifests / "policies.yaml").write_text(POLICIES)
    (tmp_path / "zones.yaml").write_text(ZONES)
    return tmp_path


@pytest.fixture
def leaky(estate: Path) -> Path:
    """As `estate`, but the api admits every port of the dmz, which may send on any."""
    path = estate / "manifests" / "policies.yaml"
    path.write_text(path.read_text().replace("    ports: [{port: 8443}]\n", ""))
    return estate


@pytest.fixture
def unsure(estate: Path) -> Path:
    """As `estate`, but with a policy of a kind that is not modelled."""
    (estate / "manifests" / "cilium.yaml").write_text(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: app}\n"
        "spec: {endpointSelector: {}, ingress: [{fromEntities: [all]}]}\n"
    )
    return estate


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `zone-audit` with these arguments in `tmp_path`; `env` adds to a small environment."""

    def start(*args: str, env: dict[str, str] | None = None, stdin: bytes = b"", cwd: Path = tmp_path) -> object:
        return subprocess.run(
            [sys.executable, "-m", "audit", *args],
            input=stdin,
            capture_output=True,
            cwd=cwd,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "1795392000"} | (env or {}),
            timeout=120,
            check=False,
        )

    return start  # type: ignore[return-value]
