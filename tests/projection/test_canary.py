"""Nothing that is not on the allow-list gets into a snapshot, or out of a report."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from audit import pages
from audit.commands.scan import scan
from audit.exports import results_v1
from audit.projection import ProjectionError, project
from audit.projection.describe import known
from audit.sources.kinds import Kind, kind_of
from audit.terminal import print_report
from audit.workloads import EGRESS_SETTINGS, ROUTER_SETTINGS
from tests.projection.canaries import BASES, CRDS, TOKEN, Canaries
from tests.projection.projecting import Json, read, written
from tests.samples.running import ROOT

KINDS: Mapping[str, Kind] = {kind.key: kind for kind in known()}
BUILT_IN = {
    "Pod": 500, "Deployment": 500, "CronJob": 500, "Node": 30, "Service": 20, "Ingress.networking.k8s.io": 20,
    "PersistentVolume": 90, "ValidatingWebhookConfiguration.admissionregistration.k8s.io": 15,
}  # fmt: skip
"""Kinds of which the client tells the fields, with a number of tokens that they have at least."""


def test_there_is_an_object_of_every_kind_that_needs_one() -> None:
    assert BASES.keys() <= KINDS.keys()


@pytest.mark.parametrize("key", KINDS)
def test_no_token_outside_the_list_is_kept(key: str) -> None:
    item = json.dumps(Canaries(KINDS[key]).made()).encode()
    kept = project(KINDS[key], item)
    assert item.count(TOKEN.encode()) >= BUILT_IN.get(key, 12)
    assert not re.findall(rf"{TOKEN}[-\w.]*", kept.decode())
    assert project(KINDS[key], kept) == kept


@pytest.mark.skipif(not CRDS.is_dir(), reason="the published schemas are not beside the project")
def test_published_schemas_are_used() -> None:
    made = json.dumps(Canaries(KINDS["Route.route.openshift.io"]).made())
    assert all(f'"{field}": "{TOKEN}' in made for field in ("key", "certificate", "caCertificate", "path"))


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("v1", "Secret"),
        ("v1", "ConfigMap"),
        ("user.openshift.io/v1", "User"),
        ("user.openshift.io/v1", "Identity"),
        ("oauth.openshift.io/v1", "OAuthAccessToken"),
        ("networking.istio.io/v1", "VirtualService"),
    ],
)
def test_of_some_kinds_nothing_is_kept(version: str, kind: str) -> None:
    item = {"metadata": {"name": "x", "namespace": "y"}, "data": {"a": TOKEN}, "spec": {"a": TOKEN}}
    with pytest.raises(ProjectionError) as caught:
        project(kind_of(version, kind), json.dumps(item).encode())
    assert TOKEN not in str(caught.value)


def test_of_a_kind_that_nobody_models_metadata_is_kept() -> None:
    item = {"metadata": {"name": "x", "uid": TOKEN}, "spec": {"a": TOKEN}, "data": TOKEN, "status": {"b": TOKEN}}
    kept = project(kind_of("example.org/v1", "Widget"), json.dumps(item).encode())
    assert json.loads(kept) == {"metadata": {"name": "x"}}


ZONES = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: canary, owner: a@example.org}
settings: {pod_network: overlay, cluster_mode: multi-zone}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
zones:
- {name: internet, kind: internet, trust: 0}
- {name: dmz, kind: cluster, trust: 20, requires: [storage-isolation, egress-ip], cidrs: [10.0.0.0/8]}
- {name: internal, kind: cluster, trust: 50}
flows: []
"""


def test_no_token_gets_into_reports(tmp_path: Path) -> None:
    objects = [(kind, json.dumps(_placed(Canaries(kind).made())).encode()) for kind in known()]
    assert sum(item.count(TOKEN.encode()) for _, item in objects) > 4_000
    snapshot = written(objects, tmp_path / "cluster.json")
    (tmp_path / "zones.yaml").write_text(ZONES)
    said: list[str] = []
    created = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    report = scan((str(snapshot),), str(tmp_path / "zones.yaml"), created=created, progress=said.append)
    text = io.StringIO()
    print_report(report, text, colour=False, width=None)
    outputs = [snapshot.read_text(), results_v1.render(report).decode(), pages.html(report), text.getvalue(), *said]
    assert len(report.findings) > 10
    assert not [one for one in outputs if TOKEN in one.lower()]


def _placed(made: Json) -> Json:
    """The object in a zone, if it is a namespace."""
    if made["kind"] == "Namespace":
        made["metadata"]["labels"] = {"network-zone": "dmz"}
    return made


def test_errors_quote_no_value_that_is_not_kept() -> None:
    secret: Any = {"password": TOKEN}
    for kind, spec in (
        (KINDS["Pod"], {"containers": secret}),
        (KINDS["Pod"], {"containers": [{"name": secret}]}),
        (KINDS["Route.route.openshift.io"], {"to": TOKEN}),
        (KINDS["Route.route.openshift.io"], {"to": {"name": secret}}),
        (KINDS["NetworkPolicy"], {"ingress": secret}),
        (KINDS["NetworkPolicy"], {"ingress": [{"from": [{"podSelector": TOKEN}]}]}),
        (KINDS["NetworkPolicy"], {f"{TOKEN} with spaces": 1}),
    ):
        item = {"metadata": {"name": "x", "namespace": "y"}, "spec": spec}
        with pytest.raises(ProjectionError) as caught:
            project(kind, json.dumps(item).encode())
        assert TOKEN not in str(caught.value)
        assert "x" in str(caught.value)


SECRETS: tuple[Json, ...] = (
    {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "spec": {
            "host": "a.example.org",
            "path": f"/{TOKEN}",
            "to": {"kind": "Service", "name": "web"},
            "tls": dict.fromkeys(("key", "certificate", "caCertificate", "destinationCACertificate"), TOKEN),
        },
        "status": {"ingress": [{"host": TOKEN, "routerName": TOKEN}]},
    },
    *(
        {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": TOKEN, "a/token": TOKEN}},
            "spec": spec,
        }
        for pod in [
            {
                "containers": [
                    {
                        "name": "c",
                        "command": [TOKEN],
                        "args": ["--password", TOKEN],
                        "env": [
                            {"name": "ROUTE_LABELS", "value": "a=b"},
                            {"name": "STATS_PASSWORD", "value": TOKEN},
                            {"name": "ROUTER_METRICS_PASSWORD", "value": TOKEN},
                            {"name": "EGRESS_TOKEN", "value": TOKEN},
                            {"name": "ROUTER_SUBDOMAIN", "valueFrom": {"secretKeyRef": {"name": TOKEN, "key": TOKEN}}},
                        ],
                        "envFrom": [{"secretRef": {"name": TOKEN}}],
                        "lifecycle": {"postStart": {"exec": {"command": [TOKEN]}}},
                        "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": TOKEN}]}},
                    }
                ],
                "initContainers": [{"name": "i", "env": [{"name": "PASSWORD", "value": TOKEN}], "args": [TOKEN]}],
                "imagePullSecrets": [{"name": TOKEN}],
                "hostAliases": [{"ip": "10.0.0.1", "hostnames": [TOKEN]}],
                "volumes": [
                    {"name": "s", "secret": {"secretName": TOKEN}},
                    {"name": "c", "csi": {"driver": "d", "volumeAttributes": {"password": TOKEN}}},
                    {"name": "n", "nfs": {"server": "nfs.example.org", "path": f"/{TOKEN}"}},
                    {"name": "h", "hostPath": {"path": f"/{TOKEN}"}},
                ],
            }
        ]
        for version, kind, spec in (
            ("v1", "Pod", pod),
            ("apps/v1", "Deployment", {"template": {"spec": pod}}),
            ("apps.openshift.io/v1", "DeploymentConfig", {"template": {"spec": pod}}),
            ("batch/v1", "CronJob", {"jobTemplate": {"spec": {"template": {"spec": pod}}}}),
        )
    ),
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "webhooks": [{"name": "w", "clientConfig": {"caBundle": TOKEN, "url": f"https://{TOKEN}"}}],
    },
    {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "provisioner": "p",
        "parameters": {
            "resturl": f"https://admin:{TOKEN}@heketi.example.org:8080",
            "restuserkey": TOKEN,
            "csi.storage.k8s.io/provisioner-secret-name": TOKEN,
        },
        "mountOptions": [f"password={TOKEN}"],
    },
    {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "spec": {
            "iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": TOKEN, "secretRef": {"name": TOKEN}},
            "mountOptions": [TOKEN],
        },
    },
    {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "spec": {"config": json.dumps({"type": "macvlan", "master": "eth1", "kubeconfig": TOKEN, "auth": [TOKEN]})},
    },
    {"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "spec": {"clusterID": TOKEN}},
    {
        "apiVersion": "template.openshift.io/v1",
        "kind": "Template",
        "parameters": [{"name": "P", "value": TOKEN}],
        "objects": [{"kind": "Secret", "stringData": {"a": TOKEN}}],
    },
    {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "spec": {"template": {"spec": {"volumes": [{"name": "v", "cloudInitNoCloud": {"userData": TOKEN}}]}}},
    },
    {
        "apiVersion": "user.openshift.io/v1",
        "kind": "Group",
        "users": ["jo"],
        "metadata": {"annotations": {"openshift.io/ldap.uid": f"cn={TOKEN}"}},
    },
)


@pytest.mark.parametrize("item", SECRETS, ids=lambda item: item["kind"])
def test_secrets_in_their_usual_places_are_not_kept(item: Json) -> None:
    kind = kind_of(item["apiVersion"], item["kind"])
    metadata = {"name": "x", "namespace": "y", "managedFields": [{"fieldsV1": {TOKEN: {}}}], "uid": TOKEN}
    text = json.dumps(item | {"metadata": item.get("metadata", {}) | metadata}).encode()
    assert TOKEN.encode() in text
    assert TOKEN.encode() not in project(kind, text)


def test_only_settings_of_routers_are_kept_of_environments() -> None:
    kept = [
        json.loads(project(kind, item))
        for kind, item in read(ROOT / "sample_snapshots" / "openshift-3" / "manifests")
        if kind.kind in ("Pod", "DeploymentConfig")
    ]
    found = re.findall(r'"env":\s*\[(.*?)\]', json.dumps(kept))
    named = {name for text in found for name in re.findall(r'"name": "(\w+)"', text)}
    assert named
    assert named <= ROUTER_SETTINGS | EGRESS_SETTINGS
