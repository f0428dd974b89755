"""The objects of a sample as the directory trees that support tools would have written of that cluster."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from audit.api_resources import RESOURCES, Resource
from audit.sources.kinds import is_namespaced, kind_key

Object = dict[str, Any]
_RESOURCE = {kind_key(one.group, one.kind): one for one in RESOURCES}
_NAMESPACE, _POD = _RESOURCE["Namespace"], _RESOURCE["Pod"]
_ASKED = frozenset({
    "Pod", "Service", "ReplicationController", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob",
    "DeploymentConfig.apps.openshift.io", "Route.route.openshift.io", "Endpoints", "EndpointSlice.discovery.k8s.io",
    "PersistentVolumeClaim",
})  # fmt: skip
"""What `oc adm inspect namespace` lists, beside events, config maps, secrets and the like."""


def inspect(objects: Iterable[Object], root: Path, *, everything: bool) -> Path:
    """A tree of `oc adm inspect`: `everything` has a list of every kind in every namespace, and of the namespaces.

    Otherwise it is what must-gather asks for: some lists of each namespace, and objects of the cluster one by one.
    """
    held = list(objects)
    names = sorted({one["metadata"]["name"] for one in held if one["kind"] == "Namespace"} | set(map(_namespace, held)))
    names.remove("")
    for one in RESOURCES:
        own = [item for item in held if _resource(item) is one]
        if one is _NAMESPACE:
            for item in own:
                name = item["metadata"]["name"]
                _write(root / "namespaces" / name / f"{name}.yaml", item)
        if is_namespaced(one.group, one.kind):
            for name in names:
                _namespaced(root, one, name, [item for item in own if _namespace(item) == name], everything=everything)
        elif everything or one.group == "config.openshift.io":
            _write(root / "cluster-scoped-resources" / (one.group or "core") / f"{one.name}.yaml", _list(one, own))
        else:
            for item in own:
                folder = root / "cluster-scoped-resources" / (one.group or "core") / one.name
                _write(folder / f"{item['metadata']['name']}.yaml", item)
    return root


def _namespaced(root: Path, one: Resource, name: str, own: list[Object], *, everything: bool) -> None:
    folder = root / "namespaces" / name / (one.group or "core")
    if everything or kind_key(one.group, one.kind) in _ASKED:
        _write(folder / f"{one.name}.yaml", _list(one, own))
    else:
        for item in own:
            _write(folder / one.name / f"{item['metadata']['name']}.yaml", item)
    if one is _POD:
        for item in own:
            pod = item["metadata"]["name"]
            place = root / "namespaces" / name / "pods" / pod
            later = {**item, "status": {**item.get("status", {}), "phase": "Running", "qosClass": "Burstable"}}
            _write(place / f"{pod}.yaml", later)
            _log(place / "main" / "main" / "logs" / "current.log")


def must_gather(objects: Iterable[Object], root: Path, *, everything: bool) -> Path:
    """What `oc adm must-gather` leaves: the tree of its image among logs, secrets and pages."""
    image = inspect(objects, root / "quay-io-openshift-release-sha256-0123", everything=everything)
    (root / "timestamp").write_text("2026-11-23 06:18:00\n2026-11-23 06:21:00\n")
    (root / "event-filter.html").write_text("<html></html>")
    (image / "version").write_text("openshift/must-gather\n4.20.1\n")
    (image / "host_service_logs" / "masters").mkdir(parents=True)
    (image / "host_service_logs" / "masters" / "kubelet_service.log.gz").write_bytes(b"\x1f\x8b\x08\x00")
    for namespace in (image / "namespaces").iterdir():
        for name in ("secrets", "configmaps", "events"):
            _log(namespace / "core" / f"{name}.yaml")
        _log(namespace / "core" / "configmaps" / "settings.yaml")
    _log(image / "cluster-scoped-resources" / "oauth.openshift.io" / "oauthclients" / "console.yaml")
    _log(image / "pod_network_connectivity_check" / "podnetworkconnectivitychecks.yaml")
    return root


def dumped(objects: Iterable[Object], root: Path) -> Path:
    """What `kubectl cluster-info dump --output-directory` leaves."""
    held = list(objects)
    files = {
        "pods": _POD,
        "services": _RESOURCE["Service"],
        "replication-controllers": _RESOURCE["ReplicationController"],
    }
    _write_json(root / "nodes.json", _list(_RESOURCE["Node"], [one for one in held if one["kind"] == "Node"]))
    for name in sorted(set(map(_namespace, held)) - {""}):
        for file, resource in files.items():
            own = [one for one in held if _resource(one) is resource and _namespace(one) == name]
            _write_json(root / name / f"{file}.json", _list(resource, own))
        _write_json(root / name / "events.json", {"kind": "EventList", "apiVersion": "v1", "items": [{"odd": 1}]})
        _log(root / name / "some-pod" / "logs.txt")
    return root


def _resource(item: Object) -> Resource | None:
    return _RESOURCE.get(kind_key(item["apiVersion"].rpartition("/")[0], item["kind"]))


def _namespace(item: Object) -> str:
    group = item["apiVersion"].rpartition("/")[0]
    given: str = item["metadata"].get("namespace", "")
    return given or ("default" if is_namespaced(group, item["kind"]) else "")


def _list(one: Resource, items: list[Object]) -> Object:
    version = items[0]["apiVersion"] if items else f"{one.group}/v1".removeprefix("/")
    return {"apiVersion": version, "items": items, "kind": f"{one.kind}List", "metadata": {"resourceVersion": "7"}}


def _write(path: Path, item: Object) -> None:
    """As the printer of kubectl does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n" + yaml.dump(item, Dumper=yaml.CSafeDumper), "utf-8")


def _write_json(path: Path, item: Object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(item, indent=4) + "\n", "utf-8")


def _log(path: Path) -> None:
    """What must not be read: no reader of YAML or JSON would survive it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xfe: [{ canary-of-a-secret\n")
