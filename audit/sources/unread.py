"""Objects that would run pods but whose pods the input does not show: the population is incomplete because of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from audit.snapshot import Entry, Gap, RawBody

TEMPLATES = frozenset({"Template.template.openshift.io", "Template"})
"""Holds whole objects that only exist once somebody processes it."""
MACHINES = frozenset({"VirtualMachineInstance.kubevirt.io"})
CONTAINERS = b'"containers":['
"""What a pod template holds and a schema (`"containers":{`) does not; specs are minified JSON."""
NO_PODS = frozenset({"PodTemplate", "CustomResourceDefinition.apiextensions.k8s.io"})


def unread_workloads(entries: Mapping[str, tuple[Entry, ...]]) -> tuple[Gap, ...]:
    """A gap in `Pod` for every object of an unknown workload kind that owns none of the pods that were read; sorted."""
    found = [entry for kind, listed in entries.items() for entry in _running(kind, listed)]
    if not found:
        return ()
    owners = {
        (entry.namespace, reference.kind, reference.name)
        for kind in ("Pod", "ReplicaSet")
        for entry in entries.get(kind, ())
        for reference in entry.body.metadata.ownerReferences or ()
    }
    return tuple(sorted(_gap(entry) for entry in found if (entry.namespace, entry.kind, entry.name) not in owners))


def _running(kind: str, listed: Iterable[Entry]) -> Iterator[Entry]:
    if kind in NO_PODS:
        return
    for entry in listed:
        if not isinstance(entry.body, RawBody):
            return
        if kind in TEMPLATES or kind in MACHINES or CONTAINERS in bytes(entry.body.spec):
            yield entry


def _gap(entry: Entry) -> Gap:
    name = f"{entry.kind} {entry.namespace}/{entry.name}".replace(" /", " ")
    text = f"the pods of {name} are not known: its kind is not read"
    return Gap(kind="Pod", reason="partial", scope=name, text=text)
