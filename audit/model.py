"""Frozen domain values shared by all stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from audit.bodies import Taint
from audit.selectors import LabelSelector
from audit.snapshot import Origin
from audit.traffic import ALL, NONE, NOWHERE, AddressSet, Traffic

UNZONED = "(unzoned)"
"""Pseudo-zone of whatever no zone, or more than one, claims. Parentheses keep it apart from every legal zone name."""

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
Verdict = Literal["pass", "fail", "excepted", "not-evaluated", "not-applicable", "manual"]
VERDICTS: tuple[Verdict, ...] = ("fail", "not-evaluated", "excepted", "manual", "pass", "not-applicable")
"""Worst first."""

NAME_LABEL = "kubernetes.io/metadata.name"
"""On every namespace with its name: an API server sets it over whatever a manifest says."""
ADMIN_GROUP = "policy.networking.k8s.io"
CLUSTER_WIDE = tuple(
    f"{kind}.{ADMIN_GROUP}" for kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
)
"""Kind keys of the cluster-wide policies that the engine reads."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Names one object; origin says where it was read."""

    kind: str
    namespace: str
    name: str
    origin: Origin | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace with the labels that selectors see."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    known: bool
    """False when no Namespace object was read: then only `kubernetes.io/metadata.name` is certain."""
    origin: Origin | None = None

    @property
    def ref(self) -> ObjectRef:
        """The object's name for reports."""
        return ObjectRef("Namespace", "", self.name, self.origin)


def may_match(selector: LabelSelector, namespace: Namespace) -> bool:
    """Whether the selector matches a namespace whose labels may not all be known."""
    known = (one for one in selector.requirements if namespace.known or one.key == NAME_LABEL)
    return all(one.matches(namespace.labels) for one in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node."""

    name: str
    labels: Mapping[str, str]
    addresses: tuple[int, ...]
    """Numbers of `traffic.address_number`: the internal ones."""
    origin: Origin | None = None
    published: tuple[int, ...] = ()
    """All of them: internal and external."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    ready: bool | None = None
    """None when the input does not say."""

    @property
    def ref(self) -> ObjectRef:
        """The object's name for reports."""
        return ObjectRef("Node", "", self.name, self.origin)


ZoneKind = Literal["cluster", "external", "internet", "platform"]
Access = Literal["allow-all", "block-all", "allow-only", "block-only"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One zone of the matrix."""

    name: str
    title: str = ""
    trust: int = 50
    kind: ZoneKind = "cluster"
    owner: str = ""
    namespaces: LabelSelector | None = None
    """`select.namespaces`; None when not given (then the zone labels of the settings decide)."""
    nodes: LabelSelector | None = None
    ingress_controllers: tuple[str, ...] = ()
    ingress_classes: tuple[str, ...] = ()
    ingress_addresses: tuple[str, ...] = ()
    """Of load balancers in front of its routers that the cluster cannot show."""
    storage_classes: tuple[str, ...] = ()
    cidrs: AddressSet = NOWHERE
    egress_cidrs: AddressSet = NOWHERE
    requires: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One row of the matrix: one direction of connection set-up; replies are implied."""

    id: str
    source: str
    target: str
    access: Access
    services: tuple[str, ...] = ()
    """As written: `tcp/8443`, `any`, or a service group."""
    traffic: Traffic = NONE
    """What `services` resolve to among TCP, UDP and SCTP."""
    unmodelled: tuple[str, ...] = ()
    """Services that reachability does not model (`icmp/8`). They are shown; a row that blocks them cannot pass."""
    severity: Severity | None = None
    """None takes `defaults.severity`."""
    justification: str = ""
    owner: str = ""
    ticket: str = ""
    controls: tuple[str, ...] = ()
    review_by: str = ""
    """ISO date or empty."""
    comment: str = ""
    line: int = 0

    @property
    def allowed(self) -> Traffic:
        """What the row permits."""
        match self.access:
            case "allow-all":
                return ALL
            case "block-all":
                return NONE
            case "allow-only":
                return self.traffic
            case "block-only":
                return ~self.traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds where no row says otherwise."""

    inter_zone: Literal["deny", "allow"]
    intra_zone: Literal["deny", "allow"]
    unzoned: Literal["fail", "warn", "ignore"]
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`settings` of zones.yaml."""

    zone_labels: tuple[str, ...] = ("network-zone",)
    node_labels: tuple[str, ...] = ("network-zone",)
    cluster_mode: Literal["multi-zone", "single-zone"] = "multi-zone"
    cluster_zone: str = ""
    pod_network: Literal["overlay", "routable", "unknown"] = "unknown"
    router_nodes: Literal["zone", "shared"] = "zone"
    """`shared`: routers may stand with other nodes, only their virtual address belongs to the zone."""
    zoning_owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixMetadata:
    """`metadata` of zones.yaml; everything but the name may be empty. Dates are ISO text."""

    name: str
    version: str = ""
    owner: str = ""
    approved_by: str = ""
    approved_on: str = ""
    review_by: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the matrix says of one ordered pair of zones."""

    allowed: Traffic
    row: Flow | None
    """None when a default decided."""
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class ZoneMatrix:
    """The declared intent."""

    metadata: MatrixMetadata
    settings: Settings
    defaults: Defaults
    zones: tuple[Zone, ...]
    """In the order of the file."""
    flows: tuple[Flow, ...]
    service_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file: str = ""
    sha256: str = ""

    def zone(self, name: str) -> Zone | None:
        """The zone of that name, or None."""
        return next((zone for zone in self.zones if zone.name == name), None)

    @cached_property
    def _rows(self) -> Mapping[tuple[str, str], Flow]:
        return {(flow.source, flow.target): flow for flow in reversed(self.flows)}

    def row(self, source: str, target: str) -> Flow | None:
        """The row for this ordered pair, or None; the first one where a matrix made in code has several."""
        return self._rows.get((source, target))

    def expect(self, source: str, target: str) -> Expectation:
        """What may flow from zone `source` to zone `target`; UNZONED on either side takes the inter-zone default."""
        row = self.row(source, target)
        if row:
            return Expectation(row.allowed, row, row.severity or self.defaults.severity)
        same = source == target and source != UNZONED
        default = self.defaults.intra_zone if same else self.defaults.inter_zone
        return Expectation(ALL if default == "allow" else NONE, None, self.defaults.severity)
