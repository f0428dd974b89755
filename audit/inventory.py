"""Snapshot -> Inventory: namespaces, nodes and endpoints as frozen values with dense ids.

Input: a Snapshot. Output: an Inventory. Decisions: a workload that owns pods is shown through them; a workload without
pods is one endpoint made from its pod template, unless it is a Job that is over; finished pods (Succeeded, Failed) hold
no address and are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from audit.attachments import UNNAMED, Attachment, attachments, open_ports, primary_addresses
from audit.bodies import WORKLOADS
from audit.errors import InputError, Position
from audit.model import CLUSTER_WIDE, NAME_LABEL, Namespace, Node, ObjectRef
from audit.networks import SINGLE, Networks, networks_of
from audit.owners import NO_LABELS, Owners
from audit.profile import SPEC, Plugin, Profile, detect
from audit.snapshot import Entry, Origin, Snapshot
from audit.template_labels import NOTHING, Generated, Unsure, compared, generated, workload_spec
from audit.traffic import address_number
from audit.workloads import (
    Condition,
    Container,
    ContainerPort,
    JobBody,
    MachineInterface,
    MachineSpec,
    Metadata,
    PodSpec,
    PodStatus,
    PodTemplate,
)

FINISHED = frozenset({"Succeeded", "Failed"})


class NamedPort(msgspec.Struct, frozen=True, gc=False, order=True):
    """A container port that has a name."""

    name: str
    protocol: str
    port: int


class Pod(msgspec.Struct, frozen=True, gc=False):
    """One endpoint: a pod, or the template of a workload that has no pods."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    named_ports: tuple[NamedPort, ...]
    host_ports: tuple[tuple[str, int], ...]
    """(protocol, container port) of every port published on the node with `hostPort`."""
    addresses: tuple[int, ...]
    """Numbers of `traffic.address_number`; of the node where host_network; empty when unknown."""
    node: str
    """Empty when unknown."""
    host_network: bool
    workload: int
    """Index into Inventory.workloads."""
    template: bool
    attachments: tuple[Attachment, ...]
    """Further interfaces, sorted; host-network pods have none."""
    origin: Origin
    ports: tuple[tuple[str, int], ...] = ()
    """(protocol, port) of every port that a container declares, named or not; declaring it opens nothing."""
    open_ports: tuple[tuple[str, int], ...] | None = ()
    """(protocol, port) open to the default network, of a pod on another one; None when that cannot be told."""
    spec: PodSpec | None = None
    """What places it, its volumes and its service account."""
    ready: bool | None = None
    """None when the input does not say, and of a template."""
    unknown_labels: tuple[str, ...] = ()
    """Of a template: keys that the pods will have with a value nobody knows yet, or each with another one; sorted."""


class Workload(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A controller (or a bare pod) and the pods it owns."""

    ref: ObjectRef
    pods: tuple[int, ...]
    """Indices into Inventory.endpoints."""

    @property
    def id(self) -> str:
        """`namespace/Kind/name`, as in reach JSON."""
        return f"{self.ref.namespace}/{self.ref.kind}/{self.ref.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The population. Everything is sorted, so ids depend on content only."""

    namespaces: Mapping[str, Namespace]
    """Every namespace that any object names; also those without a Namespace object (`known` False)."""
    nodes: Mapping[str, Node]
    workloads: tuple[Workload, ...]
    """Sorted by namespace, kind, name."""
    endpoints: tuple[Pod, ...]
    """Sorted by namespace and name."""
    policies: tuple[Entry, ...]
    """NetworkPolicy entries, sorted by namespace and name."""
    snapshot: Snapshot
    profile: Profile = SPEC
    networks: Networks = SINGLE

    @property
    def pods(self) -> int:
        """Number of endpoints; a template without pods counts as one."""
        return len(self.endpoints)

    @property
    def host_network(self) -> tuple[ObjectRef, ...]:
        """Workloads with at least one host-network endpoint."""
        found = {pod.workload for pod in self.endpoints if pod.host_network}
        return tuple(self.workloads[index].ref for index in sorted(found))

    def endpoint_id(self, pod: Pod) -> str:
        """`namespace/Pod/name`, or the workload's id for a template: the id that reach JSON uses by pod."""
        return self.workloads[pod.workload].id if pod.template else f"{pod.namespace}/Pod/{pod.name}"


def build(snapshot: Snapshot, plugin: Plugin | None = None) -> Inventory:
    """The population of a snapshot; `plugin` is the network plug-in, where the user says which."""
    nodes = {entry.name: _node(entry) for entry in snapshot.of("Node")}
    namespaces = _namespaces(snapshot)
    profile = detect(snapshot, plugin)
    networks = networks_of(snapshot, namespaces, profile)
    owners = Owners(snapshot)
    drafts = sorted(_drafts(snapshot, owners), key=lambda draft: draft[:3])
    keys = sorted({(draft.namespace, draft.owner.kind, draft.owner.name) for draft in drafts})
    numbers = {key: number for number, key in enumerate(keys)}
    members: list[list[int]] = [[] for _ in keys]
    shown: list[ObjectRef | None] = [None] * len(keys)
    pods: list[Pod] = []
    reader = _PodReader(nodes, networks)
    for draft in drafts:
        number = numbers[draft.namespace, draft.owner.kind, draft.owner.name]
        members[number].append(len(pods))
        shown[number] = draft.owner
        pods.append(reader.pod(draft, number))
    workloads = tuple(
        Workload(ref=ref, pods=tuple(ids)) for ref, ids in zip(shown, members, strict=True) if ref is not None
    )
    policies = snapshot.of("NetworkPolicy")
    cluster_wide = [entry for key in CLUSTER_WIDE for entry in snapshot.of(key)]
    gaps = compared([*policies, *cluster_wide], _unsure(pods, workloads))
    return Inventory(
        namespaces=namespaces,
        nodes=nodes,
        workloads=workloads,
        endpoints=tuple(pods),
        policies=policies,
        snapshot=replace(snapshot, gaps=tuple(sorted({*snapshot.gaps, *gaps}))) if gaps else snapshot,
        profile=profile,
        networks=networks,
    )


def _unsure(pods: Iterable[Pod], workloads: Sequence[Workload]) -> Iterator[Unsure]:
    for pod in pods:
        if pod.unknown_labels:
            yield Unsure(workloads[pod.workload].id, pod.namespace, pod.name, pod.labels, pod.unknown_labels)


class _Draft(NamedTuple):
    """What one endpoint is made from; the first three fields are the order of endpoints."""

    namespace: str
    name: str
    template_kind: str
    """Kind of the workload whose template stands in for missing pods; empty for a pod."""
    owner: ObjectRef
    entry: Entry
    metadata: Metadata
    spec: PodSpec | None


def _drafts(snapshot: Snapshot, owners: Owners) -> Iterator[_Draft]:
    """Every endpoint: the pods that live, and the templates of workloads without any pod."""
    has_pods: set[ObjectRef] = set()
    for entry in snapshot.of("Pod"):
        body, owner = entry.body, owners.of_pod(entry)
        controller = owners.entry(owner)
        if controller is not None and controller.origin.source > entry.origin.source:
            continue  # a later source replaced the controller: its pods are of the past, the new template speaks
        if body.status is None or body.status.phase not in FINISHED:
            has_pods.add(owner)
            yield _Draft(entry.namespace, entry.name, "", owner, entry, body.metadata, body.spec)
    for kind in WORKLOADS:
        for entry in snapshot.of(kind):
            owner, template = owners.top(entry), _template(entry)
            speaks = owners.entry(owner) in (None, entry)  # else its own controller speaks for it
            if speaks and owner not in has_pods and template is not None and not _over(entry, owner):
                metadata = template.metadata or Metadata()
                yield _Draft(entry.namespace, entry.name, kind, owners.own(entry), entry, metadata, template.spec)


def _over(entry: Entry, owner: ObjectRef) -> bool:
    """Whether it is a Job that makes no more pods. Others retry, and a CronJob makes new Jobs."""
    status = entry.body.status if isinstance(entry.body, JobBody) else None
    conditions = (status.conditions or ()) if status and owner.kind == "Job" else ()
    return any(one.type in ("Complete", "Failed") and one.status == "True" for one in conditions)


def _template(entry: Entry) -> PodTemplate | None:
    """The pod template of a workload object."""
    spec = workload_spec(entry)
    return spec.template if spec else None


class _Ports(NamedTuple):
    """What containers declare, as the fields of a Pod."""

    named: tuple[NamedPort, ...]
    host: tuple[tuple[str, int], ...]
    every: tuple[tuple[str, int], ...]


class _PodReader:
    """Turns specs into Pod values, sharing equal parts among 100,000s of pods."""

    def __init__(self, nodes: Mapping[str, Node], networks: Networks) -> None:
        self._nodes = nodes
        self._networks = networks
        self._attached: dict[tuple[Attachment, ...], tuple[Attachment, ...]] = {}
        self._of_containers: dict[int, tuple[Sequence[Container], _Ports]] = {}

    def pod(self, draft: _Draft, workload: int) -> Pod:
        """One endpoint."""
        spec, more = draft.spec, _generated(draft) if draft.template_kind else NOTHING
        node = (spec.nodeName or "") if spec else ""
        host = bool(spec and spec.hostNetwork)
        away = not host and draft.namespace in self._networks.home and not self._networks.open_default
        annotations = draft.metadata.annotations or NO_LABELS
        status = None if draft.template_kind else draft.entry.body.status
        ports = self._declared(spec)
        labels = draft.metadata.labels or NO_LABELS
        return Pod(
            namespace=draft.namespace,
            name=draft.name,
            labels={**labels, **more.labels} if more.labels else labels,
            named_ports=ports.named,
            host_ports=ports.host,
            addresses=self._node_addresses(node, status)
            if host
            else primary_addresses(annotations)
            if away
            else _pod_addresses(status),
            node=node,
            host_network=host,
            workload=workload,
            template=bool(draft.template_kind),
            attachments=() if host else self._attachments(draft.namespace, annotations, spec),
            open_ports=open_ports(annotations) if away else (),
            origin=draft.entry.origin,
            ports=ports.every,
            spec=spec,
            ready=_condition(status.conditions if status else None),
            unknown_labels=more.unknown,
        )

    def _declared(self, spec: PodSpec | None) -> _Ports:
        """The ports of a spec. Reading makes equal lists of containers one object, so identity is a cache key."""
        containers = _running(spec)
        known = self._of_containers.get(id(containers))
        if known is None:
            known = self._of_containers[id(containers)] = (containers, _ports(containers))
        return known[1]

    def _attachments(
        self, namespace: str, annotations: Mapping[str, str], spec: PodSpec | None
    ) -> tuple[Attachment, ...]:
        found = attachments(namespace, annotations, self._networks.virtual) if annotations else ()
        if _machine_attached(spec):
            found = tuple(sorted({*found, UNNAMED}))
        return self._attached.setdefault(found, found)

    def _node_addresses(self, node: str, status: PodStatus | None) -> tuple[int, ...]:
        """The addresses a host-network pod acts with."""
        known = self._nodes.get(node)
        if known is not None and known.addresses:
            return known.addresses
        return _numbers((status.hostIP, status.podIP)) if status is not None else ()


def _generated(draft: _Draft) -> Generated:
    """What controllers add to the labels of a template; a pod has them."""
    written = draft.metadata.labels or NO_LABELS
    return generated(draft.template_kind, draft.name, workload_spec(draft.entry), written)


def _machine_attached(spec: PodSpec | None) -> bool:
    """Whether a virtual machine has another network than that of its pod."""
    return isinstance(spec, MachineSpec) and any(network.pod is None for network in spec.networks or ())


def _pod_addresses(status: PodStatus | None) -> tuple[int, ...]:
    if status is None:
        return ()
    return _numbers((status.podIP, *(one.ip for one in status.podIPs or ())))


def _running(spec: PodSpec | None) -> Sequence[Container]:
    """Containers that run beside each other: the regular ones and native sidecars; of a machine one per interface."""
    if spec is None:
        return []
    if isinstance(spec, MachineSpec):
        devices = spec.domain.devices if spec.domain else None
        return [_interface(one) for one in (devices.interfaces or () if devices else ())]
    sidecars = [one for one in spec.initContainers or () if one.restartPolicy == "Always"]
    return [*(spec.containers or ()), *sidecars] if sidecars else spec.containers or []


def _interface(one: MachineInterface) -> Container:
    """The ports that the launcher declares for an interface of its machine."""
    ports = [ContainerPort(port.port, port.name, port.protocol) for port in one.ports or ()]
    return Container(name=one.name, ports=ports)


def _ports(containers: Iterable[Container]) -> _Ports:
    listed = [(port, port.protocol or "TCP", port.containerPort) for one in containers for port in one.ports or ()]
    named = tuple(NamedPort(port.name, protocol, number) for port, protocol, number in listed if port.name)
    return _Ports(named, tuple(one[1:] for one in listed if one[0].hostPort), tuple(one[1:] for one in listed))


def _numbers(texts: Iterable[str | None]) -> tuple[int, ...]:
    found = {address_number(text) for text in dict.fromkeys(texts) if text}
    return tuple(sorted(found)) if len(found) > 1 else tuple(found)


def _condition(conditions: Iterable[Condition] | None) -> bool | None:
    """Whether it is ready; None where no such condition is known."""
    for one in conditions or ():
        if one.type == "Ready":
            return one.status == "True"
    return None


_NODE_ADDRESSES = ("InternalIP", "ExternalIP")
"""Types of node addresses that are addresses and not names."""


def _node(entry: Entry) -> Node:
    spec, status = entry.body.spec, entry.body.status
    listed = (status.addresses or ()) if status else ()
    given = {one_type: _numbers(one.address for one in listed if one.type == one_type) for one_type in _NODE_ADDRESSES}
    return Node(
        name=entry.name,
        labels=entry.body.metadata.labels or NO_LABELS,
        addresses=given["InternalIP"],
        origin=entry.origin,
        published=tuple(sorted({number for numbers in given.values() for number in numbers})),
        annotations=entry.body.metadata.annotations or NO_LABELS,
        taints=(spec.taints or ()) if spec else (),
        unschedulable=bool(spec and spec.unschedulable),
        ready=_condition(status.conditions if status else None),
    )


def _namespaces(snapshot: Snapshot) -> dict[str, Namespace]:
    """All namespaces by name, sorted."""
    named = {entry.namespace for listed in snapshot.entries.values() for entry in listed if entry.namespace}
    found: dict[str, Namespace] = {}
    for entry in snapshot.of("Namespace"):
        metadata = entry.body.metadata
        found[entry.name] = Namespace(
            name=entry.name,
            labels=_namespace_labels(entry, live=snapshot.live),
            annotations=metadata.annotations or NO_LABELS,
            known=True,
            origin=entry.origin,
        )
    for name in named - found.keys():
        found[name] = Namespace(name=name, labels={NAME_LABEL: name}, annotations=NO_LABELS, known=False)
    return dict(sorted(found.items()))


def _namespace_labels(entry: Entry, *, live: bool) -> Mapping[str, str]:
    """Its labels with the name label that an API server sets over whatever a manifest says.

    Raises InputError for another value in a cluster, which no API server stores.
    """
    labels = entry.body.metadata.labels or NO_LABELS
    if labels.get(NAME_LABEL) == entry.name or (live and NAME_LABEL not in labels):
        return labels
    if live:
        reason = f"Namespace `{entry.name}`: the label `{NAME_LABEL}` is `{labels[NAME_LABEL]}`"
        raise InputError(
            f"{reason}, an API server never stores this",
            Position(entry.origin.file, entry.origin.line),
            "it always is the name of the namespace",
        )
    return {**labels, NAME_LABEL: entry.name}
