"""A small estate to judge by hand: two zones and the internet, one namespace each, no engine involved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from audit import checker, discovery, inventory
from audit.bodies import NamespaceBody
from audit.checker import CheckedFinding, CheckedRule, Results
from audit.flows import Breach, Cause, CellFlow, Facts
from audit.inventory import Inventory
from audit.model import Defaults, Flow, MatrixMetadata, ObjectRef, Settings, Zone, ZoneMatrix
from audit.raw_body import RawBody
from audit.rule import Rule
from audit.snapshot import Entry, Gap, Origin, Snapshot
from audit.traffic import EVERYWHERE, AddressSet, Traffic
from audit.workloads import PodTemplate, TemplateSpec, WorkloadBody, WorkloadSpec
from audit.zones import Membership, ZoneMap

Cover = Callable[[CheckedFinding], str]
TODAY = dt.date(2026, 11, 23)
HTTPS = Traffic.of("TCP", 8443)
SSH = Traffic.of("TCP", 22)
ZONES = (
    Zone(name="internet", kind="internet", trust=0),
    Zone(name="dmz", trust=20, owner="edge@example.org"),
    Zone(name="internal", trust=50, owner="apps@example.org"),
)
FLOWS = (
    Flow(id="ZM-1", source="dmz", target="internal", access="allow-only", services=("tcp/8443",), traffic=HTTPS),
    Flow(id="ZM-2", source="internet", target="dmz", access="allow-all", owner="edge@example.org"),
)

MATRIX = ZoneMatrix(
    metadata=MatrixMetadata(
        name="test",
        owner="netsec@example.org",
        approved_by="ciso@example.org",
        approved_on="2026-09-30",
        review_by="2027-03-31",
    ),
    settings=Settings(),
    defaults=Defaults(inter_zone="deny", intra_zone="allow", unzoned="fail", severity="high"),
    zones=ZONES,
    flows=FLOWS,
)


def namespace_ref(name: str) -> ObjectRef:
    return ObjectRef("Namespace", "", name, Origin("ns.yaml", 1))


def policy_ref(namespace: str, name: str) -> ObjectRef:
    return ObjectRef("NetworkPolicy", namespace, name, Origin("policy.yaml", 7))


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Everything the checker needs; tests replace parts."""

    matrix: ZoneMatrix = MATRIX
    zone_of: tuple[tuple[str, tuple[str, ...]], ...] = (("web", ("dmz",)), ("app", ("internal",)))
    """Namespace and the zones that claim it."""
    unknown: frozenset[str] = frozenset()
    """Namespaces whose object was not read."""
    pods: tuple[str, ...] = ("web", "app")
    """Namespaces, one workload with one pod each."""
    host: frozenset[str] = frozenset()
    """Namespaces whose pod is on the host network."""
    policies: tuple[tuple[str, str], ...] = ()
    flows: tuple[CellFlow, ...] = ()
    """Cells that differ from a closed one."""
    facts: Facts = field(default_factory=Facts)
    gaps: tuple[Gap, ...] = ()
    live: bool = False

    @property
    def inventory(self) -> Inventory:
        entries = {
            "Namespace": tuple(
                Entry("", "v1", "Namespace", "", name, Origin("ns.yaml", 1), NamespaceBody())
                for name, _ in self.zone_of
                if name not in self.unknown
            ),
            "Deployment": tuple(
                Entry(
                    "apps", "v1", "Deployment", name, "main", Origin("pods.yaml", 1), _workload(host=name in self.host)
                )
                for name in sorted(set(self.pods))
            ),
            "NetworkPolicy": tuple(
                Entry("networking.k8s.io", "v1", "NetworkPolicy", namespace, name, Origin("policy.yaml", 7), RawBody())
                for namespace, name in self.policies
            ),
        }
        return inventory.build(Snapshot(entries=entries, gaps=self.gaps, live=self.live))

    @property
    def zone_map(self) -> ZoneMap:
        members = {
            name: Membership(
                zone=claims[0] if len(claims) == 1 else "(unzoned)",
                claims=claims,
                reason="label" if claims else "no zone selects it",
            )
            for name, claims in self.zone_of
        }
        return ZoneMap(namespaces=members, nodes={}, addresses=(("internet", EVERYWHERE),))

    def cells(self) -> tuple[CellFlow, ...]:
        given = {(flow.source, flow.target): flow for flow in self.flows}
        names = [zone.name for zone in self.matrix.zones]
        if any("(unzoned)" in pair for pair in given):
            names.append("(unzoned)")
        return tuple(given.get((a, b), CellFlow(source=a, target=b)) for a in names for b in names)

    def check(self, rules: Sequence[Rule] | None = None, cover: Cover | None = None, cluster: str = "") -> Results:
        results = checker.check(
            discovery.discover() if rules is None else rules,
            inventory=self.inventory,
            zone_map=self.zone_map,
            matrix=self.matrix,
            flows=self.cells(),
            facts=self.facts,
            today=TODAY,
            cluster=cluster,
        )
        covered = {one.fingerprint: cover(one) for one in results.findings} if cover else {}
        return checker.excuse(results, {name: exception for name, exception in covered.items() if exception})

    def found(self, rule: str) -> list[CheckedFinding]:
        return [one for one in self.check().findings if one.rule.id == rule]

    def verdict(self, rule: str) -> CheckedRule:
        return next(one for one in self.check().rules if one.rule.id == rule)


def _workload(*, host: bool) -> WorkloadBody:
    return WorkloadBody(spec=WorkloadSpec(template=PodTemplate(spec=TemplateSpec(hostNetwork=host))))


def open_default(namespace: str, traffic: Traffic, **more: object) -> Breach:
    """A breach because nothing isolates the namespace."""
    breach = Breach(
        traffic=traffic,
        certain=True,
        ingress=Cause(direction="ingress", text="no policy isolates it"),
        egress=Cause(direction="egress", text="no policy isolates it"),
        sources=1,
        targets=1,
        pairs=1,
        subjects=(namespace_ref(namespace),),
    )
    return replace(breach, **more)  # type: ignore[arg-type]


def by_policy(namespace: str, name: str, traffic: Traffic, **more: object) -> Breach:
    """A breach because rule 0 of a policy admits it."""
    ref = policy_ref(namespace, name)
    cause = Cause(direction="ingress", ref=ref, rule=0, text="rule 0 admits everything")
    return open_default(namespace, traffic, ingress=cause, subjects=(ref,), **more)


def failing(source: str, target: str, *breaches: Breach) -> CellFlow:
    """A cell in which the certain, exposed breaches flow and the others may."""
    observed = possible = Traffic()
    for breach in breaches:
        if breach.exposed:
            possible |= breach.traffic
            observed |= breach.traffic if breach.certain else Traffic()
    return CellFlow(
        source=source,
        target=target,
        observed=observed,
        possible=possible,
        breaches=breaches,
        pairs=1,
        excess_pairs=1,
        reasons=tuple(sorted({reason for breach in breaches for reason in breach.reasons})),
    )


@dataclass(frozen=True)
class Kit:
    """The builders above, for tests that take the `kit` fixture."""

    estate: Estate = field(default_factory=Estate)
    open_default: Callable[..., Breach] = open_default
    by_policy: Callable[..., Breach] = by_policy
    failing: Callable[..., CellFlow] = failing
    namespace_ref: Callable[[str], ObjectRef] = namespace_ref
    policy_ref: Callable[[str, str], ObjectRef] = policy_ref
    https: Traffic = HTTPS
    ssh: Traffic = SSH
    addresses: AddressSet = EVERYWHERE

    def with_flows(self, *flows: CellFlow) -> Estate:
        return replace(self.estate, flows=flows)


@pytest.fixture
def kit() -> Kit:
    return Kit()
