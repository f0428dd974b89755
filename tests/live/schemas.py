"""Custom resource definitions: the published ones beside this repository, and open ones for the kinds without one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from audit.api_resources import RESOURCES, Resource
from audit.sources.kinds import kind_of
from tests.live.client import Client

Json = Any
PUBLISHED = Path(__file__).parents[3] / "shared" / "crds"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_PATIENCE = 60.0
_APPROVED = {"api-approved.kubernetes.io": "unapproved, open schema of a test"}
_VERSIONS = {
    "snapshot.storage.k8s.io": "v1",
    "gateway.networking.k8s.io": "v1alpha2",
    "apps.openshift.io": "v1",
    "template.openshift.io": "v1",
    "user.openshift.io": "v1",
    "kubevirt.io": "v1",
    "metallb.io": "v1beta1",
    "cilium.io": "v2",
    "crd.projectcalico.org": "v1",
    "projectcalico.org": "v3",
    "crd.antrea.io": "v1beta1",
    "kubeovn.io": "v1",
    "kyverno.io": "v1",
    "mutations.gatekeeper.sh": "v1",
    "templates.gatekeeper.sh": "v1",
    "policy.linkerd.io": "v1beta1",
    "security.istio.io": "v1",
}
"""The version served of kinds whose schema is not published beside this repository, by group."""
_CLUSTER_WIDE = {
    "Assign.mutations.gatekeeper.sh",
    "ClusterPolicy.kyverno.io",
    "ConstraintTemplate.templates.gatekeeper.sh",
    "ModifySet.mutations.gatekeeper.sh",
    "SecurityGroup.kubeovn.io",
    "Subnet.kubeovn.io",
}
"""Kinds without a namespace of which the audit does not need to know that."""


def definitions() -> list[Json]:
    """One for every kind that the audit reads and a bare API server has not."""
    published = list(_published())
    known = {(one["spec"]["group"], one["spec"]["names"]["plural"]) for one in published}
    wanting = [one for one in RESOURCES if one.group in _VERSIONS and (one.group, one.name) not in known]
    return [*published, *map(_open, wanting)]


def _published() -> Iterator[Json]:
    for path in sorted(PUBLISHED.glob("*.yaml")):
        for item in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):
            if item:
                yield item


def _open(resource: Resource) -> Json:
    """A definition that takes any object of a kind."""
    version = _VERSIONS[resource.group]
    kind = kind_of(f"{resource.group}/{version}", resource.kind)
    apart = kind.namespaced is False or kind.key in _CLUSTER_WIDE
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": resource.kind, "listKind": f"{resource.kind}List", "plural": resource.name}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.name}.{resource.group}", "annotations": _APPROVED},
        "spec": {
            "group": resource.group,
            "names": names | {"singular": resource.kind.lower()},
            "scope": "Cluster" if apart else "Namespaced",
            "versions": [served],
        },
    }


def load(admin: Client) -> None:
    """Creates all definitions and waits until the server serves every one of their kinds."""
    made = definitions()
    admin.all(("POST", DEFINITIONS, one) for one in made)
    end = time.monotonic() + _PATIENCE
    for one in made:
        while not _served(admin, one):
            assert time.monotonic() < end, f"{one['metadata']['name']} is not served"
            time.sleep(0.05)


def _served(admin: Client, definition: Json) -> bool:
    spec = definition["spec"]
    version = next(one["name"] for one in spec["versions"] if one["served"])
    status, _ = admin.ask("GET", f"/apis/{spec['group']}/{version}/{spec['names']['plural']}", limit=1)
    return status == 200
