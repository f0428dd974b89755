"""Which workload a pod or another workload belongs to, by controller references."""

from __future__ import annotations

from collections.abc import Mapping

from audit.bodies import WORKLOADS
from audit.model import ObjectRef
from audit.snapshot import Entry, Origin, Snapshot
from audit.workloads import Metadata

NO_LABELS: Mapping[str, str] = {}


class Owners:
    """Follows controller references from a pod up to the workload that people know."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._entries = {
            (entry.namespace, kind, entry.name): entry for kind in WORKLOADS for entry in snapshot.of(kind)
        }
        self._refs: dict[tuple[str, str, str], ObjectRef] = {}

    def entry(self, ref: ObjectRef) -> Entry | None:
        """The workload object, if it was read."""
        return self._entries.get((ref.namespace, ref.kind, ref.name))

    def of_pod(self, pod: Entry) -> ObjectRef:
        """The workload that owns a pod; the pod itself when nothing does."""
        owner = _controller(pod.body.metadata)
        if owner is None:
            return ObjectRef("Pod", pod.namespace, pod.name, pod.origin)
        kind, name = owner
        known = self._entries.get((pod.namespace, kind, name))
        if known is not None:
            return self.top(known)
        labels = pod.body.metadata.labels or NO_LABELS
        kind, name = _guess(kind, name, labels)
        known = self._entries.get((pod.namespace, kind, name))
        return self.top(known) if known is not None else self._ref(pod.namespace, kind, name, pod.origin)

    def own(self, entry: Entry) -> ObjectRef:
        """A workload object itself."""
        return self._ref(entry.namespace, entry.kind, entry.name, entry.origin)

    def top(self, entry: Entry) -> ObjectRef:
        """The outermost workload that controls a workload object; itself where an operator's resource does."""
        above = entry
        for _ in WORKLOADS:
            owner = _controller(above.body.metadata)
            if owner is None or owner[0] not in WORKLOADS:
                return self.own(above)
            known = self._entries.get((entry.namespace, *owner))
            if known is None:
                return self._ref(entry.namespace, *owner, above.origin)
            above = known
        return self.own(entry)  # they own each other

    def _ref(self, namespace: str, kind: str, name: str, origin: Origin) -> ObjectRef:
        key = (namespace, kind, name)
        found = self._refs.get(key)
        if found is None:
            found = self._refs[key] = ObjectRef(kind, namespace, name, origin)
        return found


def _controller(metadata: Metadata) -> tuple[str, str] | None:
    for reference in metadata.ownerReferences or ():
        if reference.controller and reference.kind and reference.name:
            return reference.kind, reference.name
    return None


def _guess(kind: str, name: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """The workload behind a controller that was not read, from labels that controllers write; for display only."""
    revision = labels.get("pod-template-hash")
    if kind == "ReplicaSet" and revision and name.endswith("-" + revision):
        return "Deployment", name[: -len(revision) - 1]
    config = labels.get("openshift.io/deployment-config.name")
    if kind == "ReplicationController" and config:
        return "DeploymentConfig", config
    if kind == "VirtualMachineInstance":
        return "VirtualMachine", name
    return kind, name
