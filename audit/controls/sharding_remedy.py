"""Ready YAML and commands that have a router serve the namespaces of one zone, or of none."""

from __future__ import annotations

import json
import shlex
from typing import Any

from audit.controls.inbound import Gate
from audit.controls.inbound_places import zone_nodes
from audit.controls.scene import Scene
from audit.matrix_dump import selector_tree
from audit.model import NAME_LABEL, Zone
from audit.selectors import LabelSelector


def namespaces_of(scene: Scene, zone: Zone) -> LabelSelector:
    """The selector of the namespaces of a zone."""
    key = scene.matrix.settings.zone_labels[0]
    return zone.namespaces or LabelSelector.parse({"matchLabels": {key: zone.name}})


def outside_zones(scene: Scene) -> LabelSelector | None:
    """The selector of the namespaces of no zone; None where zones are not told by labels of their own."""
    keys = {key for zone in scene.zones for key in namespaces_of(scene, zone).keys} - {NAME_LABEL}
    if not keys:
        return None
    return LabelSelector.parse({"matchExpressions": [{"key": key, "operator": "DoesNotExist"} for key in sorted(keys)]})


def confined(scene: Scene, gate: Gate) -> str:
    """What to give a router, so that it serves its zone only, or no zone where it belongs to none; may be empty."""
    zone = scene.matrix.zone(gate.zone) if gate.zone else None
    selector = namespaces_of(scene, zone) if zone else outside_zones(scene)
    if selector is None:
        return ""
    tree = selector_tree(selector)
    match gate.ref.kind:
        case "IngressController":
            return _object(gate, "operator.openshift.io/v1", f"namespaceSelector: {_flow(tree)}")
        case "Gateway":
            rule = {"namespaces": {"from": "Selector", "selector": tree}}
            return f"allowedRoutes: {_flow(rule)}"
        case kind:
            where = f"-n {shlex.quote(gate.ref.namespace)} {kind.lower()}/{shlex.quote(gate.ref.name)}"
            return f"oc set env {where} NAMESPACE_LABELS={shlex.quote(_text(selector))}"


def placed(scene: Scene, gate: Gate) -> str:
    """What binds a router to the nodes of its zone; empty where these have no label in common, and for Gateways."""
    zone = scene.matrix.zone(gate.zone)
    labels = zone_nodes(zone, scene.matrix.settings.node_labels[0]) if zone else {}
    if not labels:
        return ""
    match gate.ref.kind:
        case "IngressController":
            line = f"nodePlacement: {_flow({'nodeSelector': {'matchLabels': labels}})}"
            return _object(gate, "operator.openshift.io/v1", line)
        case "Gateway":
            return ""
        case kind:
            patch = _flow({"spec": {"template": {"spec": {"nodeSelector": labels}}}})
            where = f"-n {shlex.quote(gate.ref.namespace)} {kind.lower()}/{shlex.quote(gate.ref.name)}"
            return f"oc patch {where} --type=merge -p {shlex.quote(patch)}"


def _object(gate: Gate, version: str, line: str) -> str:
    head = [f"apiVersion: {version}", f"kind: {gate.ref.kind}", "metadata:"]
    names = [f"  name: {json.dumps(gate.ref.name)}", f"  namespace: {json.dumps(gate.ref.namespace)}"]
    return "\n".join([*head, *names, "spec:", f"  {line}"])


def _flow(tree: dict[str, Any]) -> str:
    """On one line; JSON is YAML."""
    return json.dumps(tree, ensure_ascii=True)


def _text(selector: LabelSelector) -> str:
    """The selector in the grammar of the environment of routers."""
    return ",".join(str(one).replace(", ", ",") for one in selector.requirements)
