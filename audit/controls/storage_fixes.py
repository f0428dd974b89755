"""Ready quotas that keep classes of storage out of a zone: YAML, every text quoted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from audit.controls.storage import Storage
from audit.controls.storage_quotas import CLASS_KEY, CLUSTER_QUOTA, has_run_level
from audit.model import Zone
from audit.selectors import EVERYTHING, LabelSelector, Requirement

FOREIGN, UNOWNED = "foreign-storage", "unowned-storage"
"""Names of quotas. To apply one anew replaces the limits of the old one, so each holds all classes of its sort."""


def quota_yaml(
    storage: Storage, zone: Zone, namespaces: Sequence[str], classes: Iterable[str], called: str = FOREIGN
) -> str:
    """A quota of zero for classes: of the whole zone where the platform has such quotas, else of one namespace.

    `classes` are all that are foreign to the zone, or with UNOWNED all that nobody owns.
    """
    selector = _selector(storage, zone, namespaces)
    hard = [f'{json.dumps(f"{name}{CLASS_KEY}requests.storage")}: "0"' for name in classes]
    if selector is None:
        return "\n".join((
            "apiVersion: v1",
            "kind: ResourceQuota",
            f"metadata: {{name: {called}, namespace: {json.dumps(namespaces[0])}}}",
            "spec:",
            "  hard:",
            *(f"    {line}" for line in hard),
        ))  # fmt: skip
    return "\n".join((
        "apiVersion: quota.openshift.io/v1",
        "kind: ClusterResourceQuota",
        f"metadata: {{name: {json.dumps(f'{zone.name}-{called}')}}}",
        "spec:",
        "  selector:",
        f"    labels: {json.dumps(selector)}",
        "  quota:",
        "    hard:",
        *(f"      {line}" for line in hard),
    ))  # fmt: skip


def _selector(storage: Storage, zone: Zone, namespaces: Iterable[str]) -> dict[str, Any] | None:
    """What selects the namespaces of the zone, as JSON; None where a ClusterResourceQuota does not reach them all."""
    scene = storage.scene
    openshift = scene.inventory.profile.product.startswith("openshift") or any(scene.of(CLUSTER_QUOTA))
    labels = scene.matrix.settings.zone_labels
    by_label = LabelSelector((Requirement(labels[0], "In", (zone.name,)),)) if labels else EVERYTHING
    selector = zone.namespaces or by_label
    every = [scene.inventory.namespaces[name] for name in namespaces]
    reached = all(selector.matches(one.labels) and not has_run_level(one) for one in every)
    if not openshift or selector == EVERYTHING or not reached:
        return None
    return _written(selector)


def _written(selector: LabelSelector) -> dict[str, Any]:
    """The selector as JSON, in the short form where it has one."""
    single = {one.key: one.values[0] for one in selector.requirements if one.operator == "In" and len(one.values) == 1}
    if len(single) == len(selector.requirements):
        return {"matchLabels": single}
    return {"matchExpressions": [_expression(one) for one in selector.requirements]}


def _expression(one: Requirement) -> dict[str, Any]:
    values = {"values": list(one.values)} if one.values else {}
    return {"key": one.key, "operator": one.operator, **values}
