"""Egress routers: pods that leave through a network card of their own, with an address of their own.

Two kinds: pods of OpenShift that ask for the card by annotation and read the address from their environment, and the
pods that the network operator makes for an EgressRouter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from audit.bodies import WORKLOADS
from audit.exposure.raw import decoded, listed, text_of
from audit.model import ObjectRef
from audit.snapshot import Entry, Snapshot
from audit.template_labels import workload_spec
from audit.workloads import MACVLAN, PodSpec, TemplateSpec

ROUTER_KEY = "EgressRouter.network.operator.openshift.io"
POD_LABEL = ("app", "egress-router-cni")
"""What the pods of an EgressRouter carry."""
_SOURCE = "EGRESS_SOURCE"


def router_pods(snapshot: Snapshot) -> dict[tuple[str, str, str], str]:
    """(namespace, kind, name) of every pod, or workload whose pods, ask for a card -> address; empty if not known."""
    return {(entry.namespace, kind, entry.name): _source(spec) for kind, entry, spec in _annotated(snapshot)}


def _annotated(snapshot: Snapshot) -> Iterator[tuple[str, Entry, PodSpec | None]]:
    for entry in snapshot.of("Pod"):
        if MACVLAN in (entry.body.metadata.annotations or ()):
            yield "Pod", entry, entry.body.spec
    for kind in WORKLOADS:
        for entry in snapshot.of(kind):
            spec = workload_spec(entry)
            template = spec.template if spec else None
            if template and template.metadata and MACVLAN in (template.metadata.annotations or ()):
                yield kind, entry, template.spec


def _source(spec: PodSpec | None) -> str:
    """The address of the card, without the length of its network."""
    if not isinstance(spec, TemplateSpec):
        return ""
    containers = [*(spec.initContainers or ()), *(spec.containers or ())]
    values = [one.value for container in containers for one in container.env or () if one.name == _SOURCE]
    return next((value.partition("/")[0] for value in values if value), "")


def routers(snapshot: Snapshot) -> dict[str, list[tuple[ObjectRef, tuple[str, ...]]]]:
    """Namespace -> its EgressRouters with the addresses that they leave with."""
    found: dict[str, list[tuple[ObjectRef, tuple[str, ...]]]] = {}
    for entry in snapshot.of(ROUTER_KEY):
        ref = ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)
        found.setdefault(entry.namespace, []).append((ref, _addresses(decoded(entry.body.spec))))
    return found


def _addresses(spec: dict[str, Any]) -> tuple[str, ...]:
    texts = (text_of(one, "ip") for one in listed(spec, "addresses"))
    return tuple(text.partition("/")[0] for text in texts if text)
