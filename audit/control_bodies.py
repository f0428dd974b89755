"""Kinds that the controls of the design rest on as typed structs: access rights, storage classes, quotas, templates.

Only fields that some control reads are kept; a spec stays raw JSON where few rules read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from audit.raw_body import StatusBody
from audit.workloads import Metadata


class PolicyRule(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`rules[]` of a role. No list means none, `*` all of them."""

    verbs: tuple[str, ...] | None = None
    apiGroups: tuple[str, ...] | None = None  # noqa: N815
    resources: tuple[str, ...] | None = None
    resourceNames: tuple[str, ...] | None = None  # noqa: N815
    """Empty means every name."""
    nonResourceURLs: tuple[str, ...] | None = None  # noqa: N815


class AggregationRule(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`aggregationRule` of a ClusterRole: label selectors joined by or."""

    clusterRoleSelectors: list[dict[str, Any]] | None = None  # noqa: N815


class RoleBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A Role or ClusterRole."""

    metadata: Metadata = Metadata()
    rules: tuple[PolicyRule, ...] | None = None
    aggregationRule: AggregationRule | None = None  # noqa: N815


class RoleRef(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`roleRef` of a binding; the API of 3.x names no kind, a namespace means a Role."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class Subject(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`subjects[]` of a binding."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class BindingBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A RoleBinding or ClusterRoleBinding."""

    metadata: Metadata = Metadata()
    roleRef: RoleRef = RoleRef()  # noqa: N815
    subjects: tuple[Subject, ...] | None = None
    userNames: tuple[str, ...] | None = None  # noqa: N815
    """Of the older API only, where it stands beside `subjects` or in their place."""
    groupNames: tuple[str, ...] | None = None  # noqa: N815


class GroupBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A Group of OpenShift."""

    metadata: Metadata = Metadata()
    users: tuple[str, ...] | None = None


class ConstraintsBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """SecurityContextConstraints, as far as they open the host."""

    metadata: Metadata = Metadata()
    allowHostNetwork: bool = False  # noqa: N815
    allowHostPorts: bool = False  # noqa: N815
    allowHostPID: bool = False  # noqa: N815
    allowHostDirVolumePlugin: bool = False  # noqa: N815
    allowPrivilegedContainer: bool = False  # noqa: N815
    volumes: tuple[str, ...] | None = None
    users: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    priority: int | None = None


class DatedMetadata(Metadata, frozen=True, gc=False):
    """`metadata` of a kind of which the newest object counts."""

    creationTimestamp: str | None = None  # noqa: N815


class StorageClassBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A StorageClass."""

    metadata: DatedMetadata = DatedMetadata()
    provisioner: str = ""
    parameters: dict[str, str] | None = None
    reclaimPolicy: str | None = None  # noqa: N815
    volumeBindingMode: str | None = None  # noqa: N815
    allowedTopologies: list[dict[str, Any]] | None = None  # noqa: N815


class SnapshotClassBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A VolumeSnapshotClass."""

    metadata: Metadata = Metadata()
    driver: str = ""
    parameters: dict[str, str] | None = None
    deletionPolicy: str | None = None  # noqa: N815


class TemplateBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A Template of OpenShift: the objects that a new project gets. Names hold parameters such as `${PROJECT_NAME}`."""

    metadata: Metadata = Metadata()
    objects: list[dict[str, Any]] | None = None
    labels: dict[str, str] | None = None


class WebhookRule(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`webhooks[].rules[]`."""

    apiGroups: tuple[str, ...] | None = None  # noqa: N815
    operations: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None


class Webhook(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`webhooks[]`."""

    name: str = ""
    failurePolicy: str | None = None  # noqa: N815
    rules: tuple[WebhookRule, ...] | None = None
    namespaceSelector: dict[str, Any] | None = None  # noqa: N815


class WebhookBody(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A ValidatingWebhookConfiguration or MutatingWebhookConfiguration; what it decides is not known to a snapshot."""

    metadata: Metadata = Metadata()
    webhooks: tuple[Webhook, ...] | None = None


RBAC = "rbac.authorization.k8s.io"
AUTHORIZATION = "authorization.openshift.io"
"""The API of 3.x, since 3.7 another view of the same objects."""

CONTROL_BODY: Mapping[str, type[Any]] = {
    **{f"{kind}.{group}": RoleBody for kind in ("Role", "ClusterRole") for group in (RBAC, AUTHORIZATION)},
    **{
        f"{kind}.{group}": BindingBody
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for group in (RBAC, AUTHORIZATION)
    },
    "Group.user.openshift.io": GroupBody,
    "SecurityContextConstraints.security.openshift.io": ConstraintsBody,
    "StorageClass.storage.k8s.io": StorageClassBody,
    "VolumeSnapshotClass.snapshot.storage.k8s.io": SnapshotClassBody,
    "Template.template.openshift.io": TemplateBody,
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io": WebhookBody,
    "MutatingWebhookConfiguration.admissionregistration.k8s.io": WebhookBody,
    **dict.fromkeys(
        (
            "PersistentVolume",
            "PersistentVolumeClaim",
            "ResourceQuota",
            "ClusterResourceQuota.quota.openshift.io",
            "VolumeSnapshot.snapshot.storage.k8s.io",
            "VolumeSnapshotContent.snapshot.storage.k8s.io",
            "PodNetworkConnectivityCheck.controlplane.operator.openshift.io",
            "Config.imageregistry.operator.openshift.io",
        ),
        StatusBody,
    ),
}
"""Kind key to struct. PersistentVolumes and the like keep raw spec and status."""
