"""What the generated clusters have in common: zones, sizes, names, planted faults, and the matrix they shall keep.

Every value is computed from an index, so equal sizes give equal clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

ZONES = ("dmz", "internal", "database")
CALLERS: Mapping[str, tuple[str, ...]] = {"dmz": (), "internal": ("dmz",), "database": ("internal",)}
"""Zones that may call each zone."""
OFFERED: Mapping[str, int] = {"dmz": 8443, "internal": 8443, "database": 5432}
"""The port that each zone offers to others."""
WEIGHTS = ("dmz", "internal", "internal", "internal", "database")
"""Zone of namespace i is WEIGHTS[i % 5]: most namespaces of an enterprise cluster are internal."""
APPS = tuple(
    f"{domain}-{part}"
    for domain in ("accounts", "cards", "claims", "ledger", "orders", "payments", "quotes", "rates")
    for part in ("web", "api", "worker", "cache", "store")
)
PORTS = (8080, 8443, 9090, 9443, 5432, 6379, 9092, 3000, 5000, 8081, 27017, 1521)
WORKLOADS_PER_NAMESPACE = 5
DATABASE_BLOCKS = 256
"""Distinct /24 blocks outside the cluster that the microsegmented case and some egress firewalls name."""

NODE_KEY = "node-restriction.kubernetes.io/network-zone"
"""Label of nodes that names their zone; a kubelet may not write labels under this prefix."""
TEAMS = 97
"""Each namespace belongs to one of so many teams, which have developers of their own in each zone."""
CLAIM_EVERY = 5
"""One namespace in so many, of each zone in turn, has a claim with its volume."""
CHECK_EVERY = 10
"""One node in so many is the target of a connectivity check."""

UNLABELLED_EVERY = 397
"""Planted fault: one namespace in so many has no zone label."""
OPEN_EVERY = 199
"""Planted fault: one namespace in so many has a zone policy that admits everybody."""
UNQUOTED_EVERY = 263
"""Planted fault: one namespace in so many has no quota that keeps it off the storage of other zones."""
EDITED_EVERY = 311
"""Planted fault: one namespace in so many binds `edit`, which writes policies and enters pods, to its developers."""
UNCONFINED_EVERY = 331
"""Planted fault: one namespace in so many has an empty project node selector, so that only luck keeps its pods home."""
NODE_PORT_EVERY = 200
"""Planted fault: one namespace in so many, an internal one, offers its first workload on a port of every node."""
LOAD_BALANCER_EVERY = 250
"""One namespace in so many, in the DMZ, has a load balancer of its own beside the routers."""
ROUTE_EVERY = 2
"""One namespace in so many publishes its first workload through the routers of its zone."""


@dataclass(frozen=True, slots=True)
class Case:
    """The size of one generated cluster."""

    namespaces: int
    replicas: int
    """Pods per workload; a namespace has WORKLOADS_PER_NAMESPACE workloads."""
    nodes: int = 5000
    microsegmented: bool = False
    """One more policy per workload, with egress, ports and address blocks."""

    @property
    def pods(self) -> int:
        """Pods in zones; two router pods per zone and two of DNS come on top."""
        return self.namespaces * WORKLOADS_PER_NAMESPACE * self.replicas

    @property
    def policies(self) -> int:
        """NetworkPolicies of the namespaces; two for the routers of each zone come on top."""
        return self.namespaces * (2 + (WORKLOADS_PER_NAMESPACE if self.microsegmented else 0))

    def halved(self) -> Case:
        """Half as many objects of every kind."""
        return replace(self, namespaces=self.namespaces // 2, nodes=self.nodes // 2)


CASES: Mapping[str, Case] = {
    "small": Case(namespaces=400, replicas=1),
    "reported": Case(namespaces=1_000, replicas=3),
    "large": Case(namespaces=10_000, replicas=3),
    "huge": Case(namespaces=10_000, replicas=3, microsegmented=True),
}

MATRIX = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata:
  name: benchmark-zones
  version: "1"
  owner: network-security@example.org
  approved_by: ciso@example.org
  approved_on: 2026-09-30
  review_by: 2027-03-31
  ticket: CHG0000001
settings:
  zone_labels: [network-zone]
  node_labels: [node-restriction.kubernetes.io/network-zone]
  cluster_mode: multi-zone
  pod_network: overlay
  zoning_owners: [Group/netsec]
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
service_groups: {postgres: [tcp/5432]}
zones:
- name: dmz
  title: Demilitarised zone
  trust: 20
  kind: cluster
  select: {ingress: {ingressControllers: [dmz]}, storageClasses: [dmz-files]}
  egress_cidrs: [10.0.240.0/28]
  requires: [node-isolation, storage-isolation, egress-ip]
- name: internal
  title: Internal applications
  trust: 50
  kind: cluster
  select: {ingress: {ingressControllers: [internal]}, storageClasses: [internal-files]}
  egress_cidrs: [10.0.240.16/28]
  requires: [node-isolation, storage-isolation, egress-ip]
- name: database
  title: Databases
  trust: 80
  kind: cluster
  select: {ingress: {ingressControllers: [database]}, storageClasses: [database-files]}
  egress_cidrs: [10.0.240.32/28]
  requires: [node-isolation, storage-isolation, egress-ip]
- {name: datacenter, title: Data centre outside the cluster, trust: 60, kind: external, cidrs: [10.20.0.0/16]}
- {name: platform, title: Platform, trust: 90, kind: platform}
- {name: internet, title: Internet, trust: 0, kind: internet}
flows:
- {id: ZM-0001, from: internet, to: dmz, access: allow-only, services: [tcp/443, tcp/8443], justification: Published.}
- {id: ZM-0002, from: dmz, to: internal, access: allow-only, services: [tcp/8443], justification: Proxy to apps.}
- {id: ZM-0003, from: internal, to: database, access: allow-only, services: [postgres], justification: Apps to data.}
- {id: ZM-0004, from: dmz, to: platform, access: allow-all, justification: DNS and logging.}
- {id: ZM-0005, from: internal, to: platform, access: allow-all, justification: DNS and logging.}
- {id: ZM-0006, from: database, to: platform, access: allow-all, justification: DNS and logging.}
- {id: ZM-0007, from: dmz, to: datacenter, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0008, from: dmz, to: internet, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0009, from: internal, to: datacenter, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0010, from: internal, to: internet, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0011, from: database, to: datacenter, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0012, from: database, to: internet, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0013, from: platform, to: datacenter, access: allow-all, justification: Held by the perimeter firewall.}
- {id: ZM-0014, from: platform, to: internet, access: allow-all, justification: Held by the perimeter firewall.}
"""


def zone_of(index: int) -> str:
    """The zone of namespace `index`."""
    return WEIGHTS[index % len(WEIGHTS)]


def namespace_name(index: int) -> str:
    """`internal-00042`."""
    return f"{zone_of(index)}-{index:05d}"


def app_of(namespace: int, slot: int) -> str:
    """The `app` label of a workload; five neighbours of the pool, so apps recur across namespaces."""
    return APPS[(namespace * WORKLOADS_PER_NAMESPACE + slot) % len(APPS)]


def port_of(namespace: int, slot: int) -> int:
    """The container port of a workload; in slot 0 the port that its zone offers to others."""
    return PORTS[(namespace + slot) % len(PORTS)] if slot else OFFERED[zone_of(namespace)]


def is_labelled(index: int) -> bool:
    """Whether namespace `index` carries its zone label."""
    return index % UNLABELLED_EVERY != UNLABELLED_EVERY - 1


def is_open(index: int) -> bool:
    """Whether the zone policy of namespace `index` is one of the planted faults."""
    return index % OPEN_EVERY == OPEN_EVERY - 1


def is_quoted(index: int) -> bool:
    """Whether namespace `index` has a quota of zero for the storage of other zones."""
    return index % UNQUOTED_EVERY != UNQUOTED_EVERY - 1


def is_edited(index: int) -> bool:
    """Whether developers of namespace `index` hold `edit` there."""
    return index % EDITED_EVERY == EDITED_EVERY - 1


def is_confined(index: int) -> bool:
    """Whether namespace `index` keeps its pods on the nodes of its zone."""
    return index % UNCONFINED_EVERY != UNCONFINED_EVERY - 1


def has_claim(index: int) -> bool:
    """Whether the last workload of namespace `index` keeps files; the zones take turns."""
    return index % CLAIM_EVERY == index // CLAIM_EVERY % CLAIM_EVERY


def team_of(index: int) -> str:
    """`team-42`."""
    return f"team-{index % TEAMS}"


def service_type(index: int, slot: int) -> str:
    """How the Service of a workload is published; all but a few only inside the cluster."""
    if slot == 0 and index % LOAD_BALANCER_EVERY == 0:
        return "LoadBalancer"
    return "NodePort" if slot == 0 and index % NODE_PORT_EVERY == 1 else "ClusterIP"
