"""Values that equal objects have in common, kept once: a large cluster repeats a few thousand of each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from sys import intern
from typing import Any, TypeVar

import msgspec
from msgspec.structs import force_setattr

from audit.raw_body import RawBody, StatusBody
from audit.snapshot import Origin
from audit.sources import kinds
from audit.sources.text import Text
from audit.workloads import (
    EGRESS_SETTINGS,
    ROUTER_SETTINGS,
    Container,
    CronJobBody,
    Metadata,
    PodBody,
    PodSpec,
    PodStatus,
    ServerSpec,
    TemplateSpec,
    WorkloadBody,
    WorkloadSpec,
)

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which kubectl keeps a whole copy of the object, Secrets with their data included."""
_SETTINGS = ROUTER_SETTINGS | EGRESS_SETTINGS
_ADMISSION_FLAGS = (
    "--enable-admission-plugins",
    "--disable-admission-plugins",
    "--admission-control",
    "--admission-control-config-file",
)
Value = TypeVar("Value")


class Shared:
    """The pool of one reading. It changes bodies in place, which is safe while they are new: nobody else has them."""

    def __init__(self) -> None:
        self._pool: dict[Hashable, Any] = {}
        self._origin = Origin("", 0)

    def share(self, body: Any, key: str) -> None:
        """Replaces labels, owners, containers and specs of a new body by the ones already seen, and drops secrets."""
        self._metadata(body.metadata)
        if isinstance(body, RawBody):
            force_setattr(body, "spec", self._spec(body.spec, key))
            if isinstance(body, StatusBody):
                force_setattr(body, "status", self._spec(body.status, key))
        elif isinstance(body, PodBody):
            self._pod(body)
        elif isinstance(body, WorkloadBody):
            _keep_settings(body.spec)
        elif isinstance(body, CronJobBody) and body.spec and body.spec.jobTemplate:
            _keep_settings(body.spec.jobTemplate.spec)

    def origin(self, text: Text, line: int) -> Origin:
        """The origin of an object; one value for all objects of a one-line dump."""
        last = self._origin
        if last.line != line or last.file != text.file or last.source != text.source:
            self._origin = Origin(text.file, line, text.source)
        return self._origin

    def _one(self, key: Hashable, value: Value) -> Value:
        found: Value = self._pool.setdefault(key, value)
        return found

    def _metadata(self, metadata: Metadata) -> None:
        if metadata.labels:
            key = ("labels", *metadata.labels.items())
            force_setattr(metadata, "labels", self._one(key, metadata.labels))
        if metadata.namespace:
            force_setattr(metadata, "namespace", intern(metadata.namespace))
        if metadata.name and metadata.generateName:
            force_setattr(metadata, "generateName", "")  # says nothing beside the name that came of it
        if metadata.ownerReferences:
            owners = metadata.ownerReferences
            force_setattr(metadata, "ownerReferences", self._one(("owners", *owners), owners))
        if metadata.annotations:
            metadata.annotations.pop(_LAST_APPLIED, None)

    def _spec(self, raw: msgspec.Raw, key: str) -> msgspec.Raw:
        # A copy, because a view holds on to the text of the whole input; without spaces, so that equal specs are equal.
        copy = b"" if key in kinds.WITHOUT_SPEC or not bytes(raw) else msgspec.json.format(bytes(raw), indent=-1)
        copy = b"" if copy == b"null" else copy
        found = self._pool.get(copy)
        return self._one(copy, msgspec.Raw(copy)) if found is None else found

    def _pod(self, body: PodBody) -> None:
        if body.spec:
            self._pod_spec(body.spec)
        if body.status:
            self._pod_status(body.status)

    def _pod_status(self, status: PodStatus) -> None:
        if status.phase:
            force_setattr(status, "phase", intern(status.phase))
        if status.hostIP:
            force_setattr(status, "hostIP", intern(status.hostIP))
        if status.podIPs and [one.ip for one in status.podIPs] == [status.podIP]:
            force_setattr(status, "podIPs", None)  # the same address again
        if status.conditions:
            force_setattr(status, "conditions", self._one(status.conditions, status.conditions))

    def _pod_spec(self, spec: PodSpec) -> None:
        if spec.nodeName:
            force_setattr(spec, "nodeName", intern(spec.nodeName))
        self._scheduling(spec)
        if isinstance(spec, TemplateSpec):
            _keep_router_settings(spec)
        elif isinstance(spec, ServerSpec):
            _keep_admission_flags(spec)
        elif spec.containers:
            force_setattr(spec, "containers", self._one(_containers_key(spec.containers), spec.containers))

    def _scheduling(self, spec: PodSpec) -> None:
        """What places a pod, and the volumes that lead out of it."""
        if spec.nodeSelector:
            key = ("nodes", *spec.nodeSelector.items())
            force_setattr(spec, "nodeSelector", self._one(key, spec.nodeSelector))
        if spec.tolerations:
            force_setattr(spec, "tolerations", self._one(spec.tolerations, spec.tolerations))
        if spec.affinity:
            force_setattr(spec, "affinity", self._one(spec.affinity, spec.affinity))
        if spec.volumes:
            force_setattr(spec, "volumes", [one for one in spec.volumes if one.leads_out] or None)


def _keep_settings(workload: WorkloadSpec | None) -> None:
    if workload and workload.template and workload.template.spec:
        _keep_router_settings(workload.template.spec)


def _keep_router_settings(spec: TemplateSpec) -> None:
    """Drops every environment variable but those that configure a router: values may be secrets."""
    for container in (*(spec.containers or ()), *(spec.initContainers or ())):
        if container.env:
            force_setattr(container, "env", [one for one in container.env if one.name in _SETTINGS] or None)


def _keep_admission_flags(spec: ServerSpec) -> None:
    """Drops every other flag: values may be secrets."""
    for container in spec.containers or ():
        for field in ("command", "args"):
            given = getattr(container, field) or []
            kept = [one for one, before in zip(given, ["", *given], strict=False) if _admission(one, before)]
            force_setattr(container, field, kept or None)


def _admission(word: str, before: str) -> bool:
    """Whether it is a flag of admission, or the value that follows one."""
    return word.startswith(_ADMISSION_FLAGS) or (before in _ADMISSION_FLAGS and not word.startswith("-"))


def _containers_key(containers: Sequence[Container]) -> Hashable:
    return ("containers", *((one.name, one.restartPolicy, tuple(one.ports or ())) for one in containers))
