"""What is kept of volumes, claims and snapshots: names, classes, and by what a backend is known."""

from __future__ import annotations

import re
from collections.abc import Mapping

from audit.projection.nodes import NOTHING, SCALAR, SCALARS, Fields, Node, Parameters, Rewritten, scalars
from audit.projection.notes import KEPT
from audit.workloads import Volume

_DATASTORE = re.compile(r"\[[^\]]+\]")
_CLASS = "volume.beta.kubernetes.io/storage-class"


def _datastore(path: str) -> str | None:
    match = _DATASTORE.match(path)
    return match[0] if match else None


_ORIGIN = Fields(scalars("kind namespace name"))
CLAIM = Fields({**scalars("storageClassName volumeName"), "dataSource": _ORIGIN, "dataSourceRef": _ORIGIN})
CLAIM_TEMPLATE = Fields(
    {"metadata": Fields({"name": SCALAR, "annotations": Fields({_CLASS: KEPT[_CLASS]})}), "spec": CLAIM}
)
_TYPED = ("name", "persistentVolumeClaim")
SOURCES: Mapping[str, Node] = {
    **{field: Parameters() for field in Volume.__struct_fields__ if field not in _TYPED},
    "ephemeral": Fields({"volumeClaimTemplate": CLAIM_TEMPLATE}),
    "hostPath": NOTHING,
    "csi": Fields({**scalars("driver volumeHandle"), "volumeAttributes": Parameters()}),
    "flexVolume": Fields({"driver": SCALAR, "options": Parameters()}),
    "fc": Fields({"targetWWNs": SCALARS}),
    "vsphereVolume": Fields({"volumePath": Rewritten(_datastore, "the datastore")}),
    "glusterfs": Fields(scalars("endpoints endpointsNamespace")),
}
"""Field of a volume that leads out of the pod -> what is kept of it."""
VOLUME = Fields(
    {
        **scalars("storageClassName persistentVolumeReclaimPolicy"),
        "claimRef": Fields(scalars("namespace name")),
        **{field: node for field, node in SOURCES.items() if field != "ephemeral"},
        "local": NOTHING,
    }
)
PHASE = Fields({"phase": SCALAR})
CONTENT = Fields(
    {
        "driver": SCALAR,
        "volumeSnapshotRef": Fields({"namespace": SCALAR}),
        "source": Fields(scalars("volumeHandle snapshotHandle")),
    }
)
CONTENT_STATUS = Fields({"snapshotHandle": SCALAR})
