"""Every object of a sample that has a published schema keeps it, as the API server would demand."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.samples.running import ROOT, Sample

CRDS = ROOT.parent / "shared" / "crds"
pytestmark = [
    pytest.mark.xdist_group("samples"),
    pytest.mark.skipif(not CRDS.is_dir(), reason="the published schemas are not beside the project"),
]
Schema = dict[str, Any]
EXTENSIONS = ("x-kubernetes-preserve-unknown-fields", "additionalProperties")


@functools.cache
def schemas() -> dict[tuple[str, str], Schema]:
    """`(apiVersion, kind)` -> schema, closed: the API server drops what a schema does not know."""
    found = {}
    for path in sorted(CRDS.glob("*.yaml")):
        for crd in yaml.load_all(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            spec = crd["spec"]
            for version in spec["versions"]:
                key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                found[key] = closed(version["schema"]["openAPIV3Schema"], top=True)
    return found


def closed(schema: Any, *, top: bool = False) -> Any:
    """The schema without room for unknown fields; `nullable` and numbers-or-strings as JSON Schema says it.

    What stands under `anyOf` and the like only adds conditions and knows not every field, so it stays open.
    """
    if not isinstance(schema, dict):
        return schema
    made = {key: value for key, value in schema.items() if value is not None}
    if "items" in made:
        made["items"] = closed(made["items"])
    if "properties" in made:
        made["properties"] = {name: closed(one) for name, one in made["properties"].items()}
        if top:
            made["properties"]["metadata"] = {"type": "object"}
        if not any(schema.get(one) for one in EXTENSIONS):
            made["additionalProperties"] = False
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = closed(made["additionalProperties"])
    if made.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if made.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    return made


def objects(sample: Sample) -> Iterator[tuple[Path, Any]]:
    for path in sorted((sample.folder / "manifests").iterdir()):
        text = path.read_text("utf-8")
        listed = json.loads(text)["items"] if path.suffix == ".json" else yaml.safe_load_all(text)
        yield from ((path, one) for one in listed if one)


def test_objects_keep_their_published_schemas(sample: Sample) -> None:
    checked, wrong = 0, []
    for path, one in objects(sample):
        schema = schemas().get((one["apiVersion"], one["kind"]))
        if schema is not None:
            checked += 1
            faults = jsonschema.Draft202012Validator(schema).iter_errors(one)
            where = f"{path.name} {one['kind']} {one['metadata']['name']}"
            wrong += [f"{where} {fault.json_path}: {fault.message[:200]}" for fault in faults]
    assert not wrong, "\n".join(wrong)
    if any(word in sample.name for word in ("openshift", "zones", "dmz")):
        assert checked


def test_the_schemas_refuse_what_an_api_server_drops_or_refuses() -> None:
    schema = schemas()["route.openshift.io/v1", "Route"]
    route: Schema = {"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": {"name": "x"}}
    route["spec"] = {"to": {"kind": "Service", "name": "x", "weight": 100}, "wildcardPolicy": "None"}
    assert jsonschema.Draft202012Validator(schema).is_valid(route)
    for broken in ({"hosts": ["a"]}, {"to": {"kind": "Service"}}, {"wildcardPolicy": "Maybe"}):
        assert not jsonschema.Draft202012Validator(schema).is_valid(route | {"spec": route["spec"] | broken})
