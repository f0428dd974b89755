"""Snapshot files made of plain objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from audit.api_resources import RESOURCES
from audit.ledger import Cluster, Evidence, Manifest
from audit.sources.archive import Draft
from audit.sources.kinds import kind_key

UID = "93c62bd8-ce64-47b0-a737-2236a9be1484"
Object = dict[str, Any]


def line(item: object) -> bytes:
    return json.dumps(item, separators=(",", ":")).encode()


def pod(name: str, namespace: str = "shop", **fields: Any) -> Object:
    return {"metadata": {"name": name, "namespace": namespace}} | fields


def evidence(kind: str = "Pod", **fields: Any) -> Evidence:
    given: dict[str, Any] = {"resource": f"{kind.lower()}s", "version": "v1", "status": "complete", "cut": "exact"}
    return Evidence(kind=kind, **(given | fields))


def manifest(*ledger: Evidence, **fields: Any) -> Manifest:
    given: dict[str, Any] = {
        "tool": "zone-audit 0.1.0", "cluster": Cluster(uid=UID, version="v1.36.2"), "started": "2026-11-23T06:18:00Z",
        "ended": "2026-11-23T06:18:02Z", "ledger": ledger, "members": (),
    }  # fmt: skip
    return Manifest(**(given | fields))


def snapshot(target: Path, objects: Mapping[str, Iterable[Object]], *ledger: Evidence, **fields: Any) -> Path:
    """A snapshot of core objects by kind, with a ledger of these kinds, or the one given."""
    with Draft(target, directory=fields.pop("directory", False)) as draft:
        counts = {}
        for kind, items in objects.items():
            lines = [line(item) for item in items]
            draft.begin(kind, "v1", kind)
            draft.add(kind, lines)
            counts[kind] = len(lines)
        told = ledger or tuple(evidence(kind, objects=number) for kind, number in counts.items())
        return draft.finish(manifest(*told, **fields))


def running(target: Path, objects: Mapping[str, Iterable[Object]], *ledger: Evidence, **fields: Any) -> Path:
    """A snapshot of a cluster that runs: a namespace, a node and a ledger of every kind, but for the parts given."""
    held = {"Namespace": [{"metadata": {"name": "shop"}}], "Node": [{"metadata": {"name": "node"}}]}
    held |= {kind: list(items) for kind, items in objects.items()}
    entries = {
        key: evidence(key, group=one.group, resource=one.name, objects=len(held.get(key, ())))
        for one in RESOURCES
        for key in [kind_key(one.group, one.kind)]
    }
    return snapshot(target, held, *(entries | {one.kind: one for one in ledger}).values(), **fields)


def of_manifests(folder: Path, target: Path, **fields: Any) -> Path:
    """The snapshot that a cluster with the objects of a folder would give, every kind read to its end."""
    held: dict[str, list[Object]] = {}
    for item in loaded(folder):
        group = item["apiVersion"].rpartition("/")[0]
        held.setdefault(kind_key(group, item["kind"]), []).append(item)
    with Draft(target, directory=fields.pop("directory", False)) as draft:
        ledger = []
        for one in RESOURCES:
            key = kind_key(one.group, one.kind)
            items = held.pop(key, [])
            version = items[0]["apiVersion"] if items else f"{one.group}/v1".removeprefix("/")
            draft.begin(key, version, one.kind)
            draft.add(key, map(line, items))
            ledger.append(evidence(key, group=one.group, resource=one.name, objects=len(items)))
        return draft.finish(manifest(*ledger, **fields))


def loaded(folder: Path) -> list[Object]:
    """The objects of a folder of YAML and JSON files, lists expanded."""
    found: list[Object] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".yaml", ".json"):
            text = path.read_text("utf-8")
            documents = yaml.load_all(text, yaml.CSafeLoader) if path.suffix == ".yaml" else [json.loads(text)]
            for document in filter(None, documents):
                found += document["items"] if document["kind"].endswith("List") else [document]
    return found


def signed(archive: bytes) -> bytes:
    """Bytes of an archive with a comment of 64 bytes, with the digest that fits them there."""
    return archive[:-64] + hashlib.sha256(archive[:-64]).hexdigest().encode()
