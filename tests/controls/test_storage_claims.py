"""Which class a claim uses, and which volumes count as made by a provisioner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit.controls.storage_claims import foreign_claims
from tests.controls.test_storage_quotas import facts

Object = dict[str, Any]


def made(kind: str, name: str, namespace: str = "", spec: Object | None = None, **more: Any) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": metadata,
        **({"spec": spec} if spec is not None else {}),
        **more,
    }


SPACE = made("Namespace", "app", metadata={"labels": {"network-zone": "a"}})
NODE = made("Node", "n1")


@pytest.mark.parametrize(
    ("marks", "spec", "foreign"),
    [
        ({}, {"storageClassName": "slow.disk"}, True),
        ({}, {"storageClassName": "fast"}, False),
        ({}, {"storageClassName": ""}, False),
        ({}, {}, False),
        ({"volume.beta.kubernetes.io/storage-class": "slow.disk"}, {"storageClassName": "fast"}, True),
        ({"volume.beta.kubernetes.io/storage-class": ""}, {"storageClassName": "slow.disk"}, False),
    ],
)
def test_the_annotation_wins_over_the_field(
    tmp_path: Path,
    marks: dict[str, str],
    spec: Object,
    foreign: bool,  # noqa: FBT001
) -> None:
    claim = made("PersistentVolumeClaim", "data", "app", spec, metadata={"annotations": marks})
    assert bool(list(foreign_claims(facts([SPACE, NODE, claim], tmp_path)))) is foreign


def test_a_claim_of_a_pod_stands_under_its_workload(tmp_path: Path) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "u", "controller": True}
    spec = {"storageClassName": "slow.disk"}
    claim = made("PersistentVolumeClaim", "web-cache", "app", spec, metadata={"ownerReferences": [owner]})
    volume = {"name": "cache", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
    pod = made("Pod", "web", "app", {"containers": [{"name": "c"}], "volumes": [volume]})
    found = list(foreign_claims(facts([SPACE, NODE, claim, pod], tmp_path)))
    assert [str(one) for each in found for one in each.claims] == ["Pod app/web"]


@pytest.mark.parametrize("claimed", [True, False])
def test_a_template_of_a_set_speaks_only_until_its_claims_are_there(tmp_path: Path, claimed: bool) -> None:  # noqa: FBT001
    spec = {"storageClassName": "slow.disk"}
    template = {"metadata": {"name": "data"}, "spec": spec}
    whole = {"template": {"spec": {"containers": [{"name": "c"}]}}, "volumeClaimTemplates": [template]}
    replicas = made("StatefulSet", "db", "app", whole) | {"apiVersion": "apps/v1"}
    claim = [made("PersistentVolumeClaim", "data-db-0", "app", spec)] if claimed else []
    found = list(foreign_claims(facts([SPACE, NODE, replicas, *claim], tmp_path)))
    wanted = "PersistentVolumeClaim app/data-db-0" if claimed else "StatefulSet app/db"
    assert [str(one) for each in found for one in each.claims] == [wanted]


@pytest.mark.parametrize(
    ("name", "marks", "provisioned"),
    [
        ("tape", {}, False),
        ("pvc-0001", {}, False),
        ("pvc-0a1b2c3d-1111-2222-3333-0123456789ab", {}, True),
        ("tape", {"pv.kubernetes.io/provisioned-by": "x"}, True),
    ],
)
def test_a_provisioner_leaves_a_mark_or_a_name(
    tmp_path: Path,
    name: str,
    marks: dict[str, str],
    provisioned: bool,  # noqa: FBT001
) -> None:
    volume = made("PersistentVolume", name, spec={"nfs": {"server": "nas"}}, metadata={"annotations": marks})
    assert facts([volume], tmp_path).volumes[name].provisioned is provisioned
