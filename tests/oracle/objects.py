"""Parsed manifests: their groups, names, pod templates, and the pods that they are or make."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.oracle.terms import MAYBE, NO, YES, Address, Json, Pod

TEMPLATES = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "DeploymentConfig",
    "Job",
    "VirtualMachine",
)


def group_of(o: Json) -> str:
    """The API group; empty for core."""
    group, slash, _ = str(o["apiVersion"]).partition("/")
    return group if slash else ""


def namespace_of(o: Json) -> str:
    """The namespace; kubectl puts an object without one into `default`."""
    return o["metadata"].get("namespace") or "default"


def name_of(o: Json) -> str:
    """The name."""
    return str(o["metadata"]["name"])


def labels_of(o: Json) -> Mapping[str, str]:
    """The labels."""
    return o["metadata"].get("labels") or {}


def spec_of(o: Json) -> Json:
    """The spec without absent fields; a null is an absent field."""
    return {name: value for name, value in (o.get("spec") or {}).items() if value is not None}


def of_kind(objects: Iterable[Json], kind: str, *groups: str) -> list[Json]:
    """The objects of a kind in one of the groups."""
    return [o for o in objects if o["kind"] == kind and group_of(o) in groups]


def unique(texts: Iterable[str]) -> list[str]:
    """The texts without repeats, first occurrence first."""
    return list(dict.fromkeys(texts))


# Pods ----------------------------------------------------------------------------------------------------------------


def population(
    objects: list[Json], nodes: Mapping[str, Json], addresses_of: Callable[[str, Json, Json], list[str]]
) -> Iterator[Pod]:
    """Every pod, and a pod for every workload that has none.

    `addresses_of` gives what peers see of a pod in the pod network, from its namespace, annotations and status.
    """
    owners: set[tuple[str, str, str]] = set()
    for o in objects:
        for owner in o["metadata"].get("ownerReferences") or []:
            owners.add((namespace_of(o), owner["kind"], owner["name"]))
    for o in objects:
        status = o.get("status") or {}
        if o["kind"] == "Pod" and status.get("phase") not in ("Succeeded", "Failed"):
            spec, metadata = o.get("spec") or {}, o["metadata"]
            if spec.get("hostNetwork"):
                seen = host_addresses(nodes, spec.get("nodeName"), status)
            else:
                seen = addresses_of(namespace_of(o), metadata.get("annotations") or {}, status)
            yield as_pod("Pod", o, metadata, spec, seen)
        template = pod_template(o)
        # A workload whose pods (or whose replica sets) are in the input is represented by those.
        if template is not None and (namespace_of(o), o["kind"], name_of(o)) not in owners:
            spec = template.get("spec") or {}
            seen = host_addresses(nodes, spec.get("nodeName"), {}) if spec.get("hostNetwork") else []
            yield as_pod(o["kind"], o, template.get("metadata") or {}, spec, seen)


def as_pod(kind: str, o: Json, metadata: Json, spec: Json, addresses: list[str]) -> Pod:
    """The endpoint for an object whose pod has this metadata and spec."""
    return Pod(
        id=f"{namespace_of(o)}/{kind}/{name_of(o)}",
        namespace=namespace_of(o),
        labels=metadata.get("labels") or {},
        addresses=tuple(ipaddress.ip_address(text) for text in addresses) or (None,),
        host_network=bool(spec.get("hostNetwork")),
        node=spec.get("nodeName"),
        ports=tuple(named_ports(spec)),
        host_ports=tuple(host_ports(spec)),
        annotations=metadata.get("annotations") or {},
        networks=tuple(spec.get("networks") or ()),
        settings=environment(spec),
    )


def host_addresses(nodes: Mapping[str, Json], node: str | None, status: Json) -> list[str]:
    """The addresses of the node that a host-network pod runs on."""
    known = [status["hostIP"]] if status.get("hostIP") else []
    entries = ((nodes.get(node or "") or {}).get("status") or {}).get("addresses") or []
    return unique(known + [entry["address"] for entry in entries if entry["type"] == "InternalIP"])


def pod_template(o: Json) -> Json | None:
    """The pod template of a workload, or None for any other object."""
    spec = o.get("spec") or {}
    if o["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    elif o["kind"] not in TEMPLATES:
        return None
    return spec.get("template") or {}


def pod_addresses(status: Json) -> list[str]:
    """Every address of a pod, in the order given, once."""
    listed = [entry["ip"] for entry in status.get("podIPs") or []]
    return unique(([status["podIP"]] if status.get("podIP") else []) + listed)


def running_containers(spec: Json) -> list[Json]:
    """What runs as long as the pod: containers and native sidecars."""
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    return (spec.get("containers") or []) + sidecars


def named_ports(spec: Json) -> Iterator[tuple[str, str, int]]:
    """Named ports of containers, native sidecars, and a virtual machine's interfaces."""
    devices = (spec.get("domain") or {}).get("devices") or {}
    for interface in devices.get("interfaces") or []:
        for port in interface.get("ports") or []:
            if port.get("name"):
                yield port["name"], port.get("protocol") or "TCP", port["port"]
    for container in running_containers(spec):
        for port in container.get("ports") or []:
            if port.get("name"):
                yield port["name"], port.get("protocol") or "TCP", port["containerPort"]


def environment(spec: Json) -> dict[str, str | None]:
    """The variables that containers set; None for a value that is not in the input."""
    entries = [entry for container in spec.get("containers") or [] for entry in container.get("env") or []]
    return {entry["name"]: None if "valueFrom" in entry else entry.get("value") or "" for entry in entries}


def host_ports(spec: Json) -> Iterator[tuple[str, int]]:
    """Protocol and number of the container ports that the pod's node forwards to."""
    for container in running_containers(spec):
        for port in container.get("ports") or []:
            if port.get("hostPort"):
                yield port.get("protocol") or "TCP", port["containerPort"]


def node_addresses(node: Json) -> set[Address]:
    """Every address in the status of a node; host names are none."""
    found = set()
    for entry in (node.get("status") or {}).get("addresses") or []:
        try:
            found.add(ipaddress.ip_address(entry["address"]))
        except ValueError:
            continue
    return found


@dataclass(frozen=True)
class Hosts:
    """Whose addresses are nodes'."""

    shown: frozenset[Address]
    """Those that a Node or a host-network pod shows."""
    complete: bool
    """Whether Nodes were read and every one shows an address: then no other address is a node's."""
    pods: tuple[Pod, ...]
    """All host-network pods."""

    def has(self, address: Address | None) -> int:
        """Whether an outside address is a node's."""
        if address in self.shown:
            return YES
        return NO if self.complete else MAYBE


def hosts_of(nodes: Mapping[str, Json], pods: Iterable[Pod]) -> Hosts:
    """What Nodes and host-network pods show."""
    found = tuple(pod for pod in pods if pod.host_network)
    listed = [node_addresses(node) for node in nodes.values()]
    seen = {address for pod in found for address in pod.addresses if address is not None}
    return Hosts(frozenset(seen.union(*listed)), bool(listed) and all(listed), found)
