"""Synthetic reports: one rich in every kind of record, one large, both consistent in their counts."""

# ruff: noqa: E501 - a record per line reads best
from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from audit.ledger import Cluster
from audit.model import SEVERITIES, UNZONED, VERDICTS, Severity, Verdict
from audit.report import (
    AssumptionRecord,
    CellRecord,
    CompletenessRecord,
    Counts,
    CutRecord,
    ExceptionRecord,
    Exposure,
    FindingRecord,
    HopRecord,
    InputRecord,
    MatrixRecord,
    Report,
    RuleRecord,
    Scope,
    Step,
    TransitRecord,
    ZoneRecord,
)
from audit.report_annex import AbsentFinding, ChangesRecord, CollectionRecord, ControlRecord

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; background:url(http://203.0.113.9/x) //",
    "{{ 7 * 7 }}{% include 'x' %}",
    "[bold red]markup[/] [link=file:///etc/passwd]x[/link] :smile:",
    "\x1b]8;;http://203.0.113.9\x07link\x1b]8;;\x07 \x1b[31mred",
    "\u202egnp.exe\u202c zero\u200bwidth \u2066isolate",
    "line\nfeed\r\ttab",
    "</style></svg></title>-->]]>",
    "javascript:alert(1)",
    "lone\udc80surrogate \ufffe",
)
"""Strings that break a sink which trusts its data."""

ALL_PORTS = {"TCP": "1-65535", "UDP": "1-65535", "SCTP": "1-65535"}
DENY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: ledger}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
"""
ZONES = (
    ZoneRecord(name="internet", title="Every other address", kind="internet", trust=0),
    ZoneRecord(name="partners", title="Partner networks", kind="external", trust=10, cidrs=("198.51.100.0/24",)),
    ZoneRecord(
        name="dmz", title="Demilitarised zone", trust=20, owner="team-edge@example.org", namespaces=("edge", "gateway"),
        workloads=6, pods=14, guests=("Deployment openshift-ingress/router-dmz",), nodes=2, cidrs=("10.20.0.0/16", "2001:db8:20::/48"), requires=("node-isolation",),
    ),
    ZoneRecord(
        name="internal", title="Application tier", trust=50, owner="team-apps@example.org",
        namespaces=("billing", "catalog", "orders", "reports"), workloads=31, pods=88, nodes=6,
    ),
    ZoneRecord(
        name="management", title="Operations", trust=70, owner="platform@example.org", namespaces=("ops",), workloads=4,
        pods=4, nodes=1,
    ),
    ZoneRecord(
        name="database", title="Data tier", trust=90, owner="dba@example.org", namespaces=("ledger", "warehouse"),
        workloads=7, pods=15, nodes=3, requires=("node-isolation", "storage-isolation"),
    ),
    ZoneRecord(name=UNZONED, trust=None, kind="", namespaces=("scratch",), workloads=2, pods=3),
)  # fmt: skip


def fingerprint(*parts: str) -> str:
    """A stable hex id."""
    return hashlib.sha256("|".join(parts).encode(errors="surrogatepass")).hexdigest()[:32]


def finding(  # noqa: PLR0913, PLR0917 - one argument per column of the table below
    rule: str, verdict: Verdict, severity: Severity, title: str, zones: tuple[str, str], ports: str, **more: object
) -> FindingRecord:
    """A finding with a full path, witness and fix."""
    source, target = zones
    step = Step(
        text="ingress rule 0 admits any namespace on any port",
        object="NetworkPolicy ledger/allow-all",
        direction="ingress", rule=0, file="manifests/ledger/policies.yaml", line=14,
    )  # fmt: skip
    open_step = Step(text="no policy isolates it: open by default", direction="egress", object="Deployment edge/proxy")
    values: dict[str, object] = {
        "fingerprint": fingerprint(rule, title, source, target, ports),
        "rule": rule, "verdict": verdict, "severity": severity, "title": title, "from_zone": source, "to_zone": target,
        "ports": {"TCP": ports} if ports else {}, "subjects": ("NetworkPolicy ledger/allow-all",),
        "path": (open_step, step), "matrix_row": "ZM-0012" if source == "dmz" else "",
        "expected": f"nothing from {source} to {target}" if source and target else "", "observed": f"tcp/{ports} from 14 pods to 15 pods" if ports else "an object that does not do what its name says",
        "evidence": (
            Exposure(
                source="edge/Deployment/proxy", target="ledger/StatefulSet/postgres", port=f"tcp/{ports or 443}",
                source_labels="app=proxy,tier=edge", target_labels="app=postgres",
            ),
        ),
        "fix": f"Restrict NetworkPolicy ledger/allow-all to the callers that the matrix names.\n\n{DENY}",
        "controls": ("pci-dss-4.0.1/1.4.4", "nist-800-53r5/sc-7.5"), "owner": "dba@example.org",
        "refused_exceptions": ("EX-3",) if zones == ("partners", "management") and verdict == "fail" else (),
        "reason": "host-network" if verdict == "not-evaluated" else "", "first_seen": "2026-11-02",
        "baseline_state": "unchanged", "counts": {"pairs": 210, "sources": 14, "targets": 15},
    }  # fmt: skip
    return FindingRecord(**(values | more))  # type: ignore[arg-type]


def example_findings() -> tuple[FindingRecord, ...]:
    """Twenty findings of every verdict that an output must tell apart."""
    wide = ("internet", "database")
    rows = [
        finding("NET001", "fail", "critical", "The internet reaches the data tier", wide, "5432"),
        finding("NET001", "fail", "critical", "The demilitarised zone reaches the data tier", ("dmz", "database"), "5432"),
        finding("NET001", "fail", "high", "The data tier calls out to the internet", ("database", "internet"), "1-65535"),
        finding("NET001", "fail", "high", "Partners reach operations", ("partners", "management"), "22,8443"),
        finding("NET003", "fail", "high", "A policy exists but the namespace is not isolated", ("", "internal"), "", path=()),
        finding("NET002", "fail", "medium", "Namespace `scratch` belongs to no zone", (UNZONED, ""), "", path=(), evidence=()),
        finding("NET004", "fail", "low", "A selector matches no pod", ("", "internal"), "", evidence=()),
        *(
            finding("NET001", "not-evaluated", "high", f"Host-network pods may reach {target}", ("management", target), "9100")
            for target in ("dmz", "internal", "database")
        ),
        finding("RBC001", "manual", "medium", "A person must judge who may edit zoning labels", ("", ""), "", path=()),
        *(
            finding("NET001", "excepted", "high", f"Legacy batch reaches {target}", ("internal", target), "1521", exception="EX-7")
            for target in ("partners", "management")
        ),
        *(
            finding("NET004", "fail", "info", text, ("dmz", "internal"), "80", owner=text, observed=text, fix=text)
            for text in HOSTILE[:7]
        ),
    ]  # fmt: skip
    order = {verdict: place for place, verdict in enumerate(VERDICTS)}
    rank = {severity: -place for place, severity in enumerate(SEVERITIES)}
    return tuple(sorted(rows, key=lambda f: (order[f.verdict], rank[f.severity], f.rule, f.from_zone, f.to_zone)))


def cells_for(zones: Sequence[ZoneRecord], findings: Iterable[FindingRecord]) -> tuple[CellRecord, ...]:
    """Every ordered pair; its verdict is the worst of its findings, else pass."""
    by_pair: dict[tuple[str, str], list[FindingRecord]] = {}
    for one in findings:
        by_pair.setdefault((one.from_zone, one.to_zone), []).append(one)
    return tuple(
        _cell(a, b, by_pair.get((a.name, b.name), []), i, j) for i, a in enumerate(zones) for j, b in enumerate(zones)
    )


def _cell(source: ZoneRecord, target: ZoneRecord, found: list[FindingRecord], i: int, j: int) -> CellRecord:
    verdict: Verdict = min((f.verdict for f in found), key=VERDICTS.index, default="pass")
    outside = {"internet", "external"}
    if not found and source.kind in outside and target.kind in outside:
        verdict = "not-applicable"
    row = "" if (i * 7 + j * 3) % 4 == 0 or source == target else f"ZM-{i * len(ZONES) + j:04d}"
    allowed = {"TCP": "8443"} if row and j == i + 1 else ALL_PORTS if source == target else {}
    excess = found[0].ports if found and verdict in {"fail", "excepted", "not-evaluated"} else {}
    return CellRecord(
        from_zone=source.name, to_zone=target.name, verdict=verdict, expected=allowed, observed=allowed or excess,
        possible=allowed or excess, excess=excess, row=row, by_default=not row, pairs=210 if allowed or excess else 0,
        excess_pairs=42 if excess and verdict != "not-evaluated" else 0,
        possible_pairs=3 if verdict == "not-evaluated" else 0, witness=found[0].evidence[0] if found and found[0].evidence else None,
        reasons=("host-network",) if verdict == "not-evaluated" else (), findings=tuple(sorted(f.fingerprint for f in found)),
        justification="Reverse proxy to the application tier." if row else "", owner=target.owner if row else "",
        ticket="CHG0029981" if row else "", review_by="2027-03-31" if row else "",
        controls=("pci-dss-4.0.1/1.4.2",) if row else (), unmodelled=("icmp/8",) if row == "ZM-0017" else (),
    )  # fmt: skip


def counts_for(cells: Iterable[CellRecord], rules: Iterable[RuleRecord], findings: Sequence[FindingRecord]) -> Counts:
    """Control totals of these records."""
    cells = tuple(cells)
    tally = Counter(cell.verdict for cell in cells)
    severities = Counter(f.severity for f in findings if f.verdict == "fail")
    return Counts(
        cells={verdict: tally[verdict] for verdict in VERDICTS},
        rules=dict(sorted(Counter(rule.verdict for rule in rules).items())),
        findings=dict(sorted(Counter(f.verdict for f in findings).items())),
        severities={severity: severities[severity] for severity in SEVERITIES},
        defaulted_cells=sum(cell.by_default for cell in cells),
    )


RULES = (
    RuleRecord(id="NET001", title="Traffic crosses zones that the matrix forbids", severity="high", verdict="fail",
               findings=9, controls=("nist-800-53r5/ac-4", "pci-dss-4.0.1/1.3.1")),
    RuleRecord(id="NET002", title="A namespace belongs to no zone or to several", severity="high", verdict="fail", findings=1),
    RuleRecord(id="NET003", title="A policy exists, isolation does not", severity="high", verdict="fail", findings=1),
    RuleRecord(id="NET004", title="A selector matches nothing", severity="low", verdict="fail", findings=8),
    RuleRecord(id="NET005", title="A router serves several zones", severity="medium", verdict="not-evaluated",
               reason="IngressController is not in the source"),
    RuleRecord(id="NET006", title="An egress IP lies outside its zone", severity="medium", verdict="not-applicable",
               reason="no egress IP is in use"),
    RuleRecord(id="NET007", title="A zone's pods run on another zone's nodes", severity="medium", verdict="pass"),
    RuleRecord(id="RBC001", title="Who may change what zoning rests on", severity="medium", verdict="manual", findings=1),
)  # fmt: skip

EXCEPTIONS = (
    ExceptionRecord(id="EX-3", title="Decommissioned feed", status="expired", scope="flow ZM-0009, ports any",
                    would_cover=(fingerprint("NET001", "Partners reach operations", "partners", "management", "22,8443"),),
                    approved_by="ciso@example.org", approved_on="2026-01-10", expires_on="2026-06-30", ticket="RISK-311",
                    justification="Feed is switched off at quarter end.", owner="team-apps@example.org"),
    ExceptionRecord(id="EX-7", title="Legacy batch until the migration", status="matched",
                    scope="from internal, to any, ports tcp/1521", requested_by="apps@example.org",
                    approved_by="ciso@example.org", approved_on="2026-09-30", valid_from="2026-10-01",
                    expires_on="2027-03-31", ticket="RISK-402", justification="Replaced by the message bus in March.",
                    owner="team-apps@example.org"),
    ExceptionRecord(id="EX-9", title="Vendor support", status="unused", scope="flow ZM-0021, ports tcp/22",
                    approved_by="ciso@example.org", expires_on="2027-01-31", ticket="RISK-410"),
)  # fmt: skip

COMPLETENESS = (
    CompletenessRecord(kind="AdminNetworkPolicy", objects=0, status="absent", note="the API is not served"),
    CompletenessRecord(kind="IngressController", objects=0, status="not-in-source"),
    CompletenessRecord(kind="Namespace", objects=10, status="complete"),
    CompletenessRecord(kind="NetworkPolicy", objects=41, status="complete"),
    CompletenessRecord(kind="Node", objects=0, status="forbidden", note="`list nodes` is forbidden to the scanner"),
    CompletenessRecord(kind="Pod", objects=124, status="complete"),
    CompletenessRecord(
        kind="Service", objects=38, status="partial", note="one page was lost; listed again, still short"
    ),
)

INPUTS = (
    InputRecord(file="exceptions.yaml", sha256=hashlib.sha256(b"e").hexdigest(), size=2210, role="exceptions"),
    InputRecord(
        file="manifests/ledger/policies.yaml", sha256=hashlib.sha256(b"m").hexdigest(), size=18044, objects=213
    ),
    InputRecord(file="zones.yaml", sha256=hashlib.sha256(b"z").hexdigest(), size=6120, role="zones"),
)

ASSUMPTIONS = (
    AssumptionRecord(id="host-network", text="Host-network pods are as reachable as their node", connections=3),
    AssumptionRecord(id="cni", text="The network plug-in enforces NetworkPolicy as its API text says", standing=True),
)


RULE = Step(
    text="rule 0 admits any peer on any port",
    object="NetworkPolicy ledger/allow-all",
    direction="ingress",
    rule=0,
    file="m.yaml",
    line=4,
)
DEFAULT = Step(text="no policy isolates its pods: open by default", object="Namespace edge", direction="egress")


def hop(source: str, target: str, **more: object) -> HopRecord:
    """One hop between two zones."""
    witness = Exposure(source=f"{source}/Deployment/x", target=f"{target}/Deployment/x", port="tcp/443")
    values: dict[str, object] = {
        "from_zone": source,
        "to_zone": target,
        "ports": {"TCP": "443,8443"},
        "witness": witness,
        "path": (DEFAULT, RULE),
    }
    return HopRecord(**(values | more))  # type: ignore[arg-type]


TRANSIT = (
    TransitRecord(
        from_zone="internet", to_zone="database", zones=("internet", "dmz", "internal", "database"), certain=True, proven=True,
        hops=(hop("internet", "dmz"), hop("dmz", "internal"), hop("internal", "database")),
    ),
    TransitRecord(
        from_zone="partners", to_zone="management", zones=("partners", "dmz", "management"), certain=False, proven=False,
        hops=(hop("partners", "dmz", witness=None), hop("dmz", "management", reasons=("host-network",))),
    ),
    TransitRecord(
        from_zone="dmz", to_zone="database", zones=("dmz", "internal", "database"), certain=True, proven=True,
        hops=(hop("dmz", "internal"), hop("internal", "database")),
    ),
)  # fmt: skip
CUTS = (
    CutRecord(from_zone="internet", to_zone="database", direct=False, transit=True, openings=(RULE,), least=1, smallest=True),
    CutRecord(from_zone="dmz", to_zone="database", direct=True, transit=True, openings=(RULE, DEFAULT) * 3, least=4),
    CutRecord(from_zone="database", to_zone="internet", direct=True, transit=False, reason="at least 21 would have to be closed", least=21),
)  # fmt: skip
APART = {"pairs": 14, "connected": 3, "direct": 2, "transit": 2, "possible": 1}


def build(zones: Sequence[ZoneRecord], findings: tuple[FindingRecord, ...], **more: object) -> Report:
    """A consistent report over these zones and findings."""
    cells = cells_for(zones, findings)
    counts = counts_for(cells, RULES, findings)
    failed = counts.cells["fail"]
    values: dict[str, object] = {
        "tool": "zone-audit 0.1.0", "rule_pack": "builtin 0.1.0", "created": "2026-11-23T06:18:00Z",
        "verdict": "not-compliant", "exit_code": 1, "fail_on": "low",
        "headline": f"{failed} of {len(cells)} zone pairs let through more than the matrix allows, and nodes could not be read",
        "matrix": MatrixRecord(
            name="corporate-zones", version="2026.4", owner="network-security@example.org", approved_by="ciso@example.org",
            approved_on="2026-09-30", review_by="2027-03-31", ticket="CHG0031337", file="zones.yaml",
            sha256=hashlib.sha256(b"z").hexdigest(),
        ),
        "scope": Scope(
            source="manifests/", live=False, profile="ovn-kubernetes", namespaces=10, unzoned_namespaces=1, workloads=50,
            pods=124, nodes=0, policies=41, endpoint_pairs=12882, outside_ranges=9,
        ),
        "zones": tuple(zones), "cells": cells, "rules": RULES, "findings": findings, "exceptions": EXCEPTIONS,
        "assumptions": ASSUMPTIONS, "completeness": COMPLETENESS, "inputs": INPUTS,
        "notes": ("Two sources were overlaid; the later one wins.",), "counts": counts,
    }  # fmt: skip
    return Report(**(values | more))  # type: ignore[arg-type]


def example() -> Report:
    """Six zones and the unzoned rest, twenty findings of all verdicts, hostile strings among them."""
    report = build(ZONES, example_findings(), transit=TRANSIT, cuts=CUTS)
    return msgspec.structs.replace(report, counts=msgspec.structs.replace(report.counts, apart=APART))


def changed() -> Report:
    """The example as the scan of a cluster, after a baseline: findings of every state, and one that is gone."""
    report = example()
    states = itertools.cycle(("new", "unchanged", "updated"))
    findings = tuple(
        msgspec.structs.replace(one, baseline_state=state) for one, state in zip(report.findings, states, strict=False)
    )
    gone = AbsentFinding(
        fingerprint=fingerprint("gone"),
        rule="NET001",
        verdict="fail",
        severity="high",
        title="Gone",
        from_zone="dmz",
        to_zone="database",
        subjects=("NetworkPolicy ledger/old",),
    )
    doubtful = AbsentFinding(
        fingerprint=fingerprint("doubt"),
        rule="NET009",
        verdict="manual",
        severity="low",
        title="Perhaps gone",
        unproven=True,
    )
    tally = Counter(one.baseline_state for one in findings)
    changes = ChangesRecord(
        baseline="results.json",
        created="2026-11-22T06:18:00Z",
        verdict="not-compliant",
        counts={**tally, "absent": 2},
        absent=(gone, doubtful),
    )
    collection = CollectionRecord(
        tool="zone-audit 0.1.0",
        cluster=Cluster(uid="4f1e5c1e-0000-4000-8000-5ca1ab1e0000"),
        started="2026-11-23T06:15:00Z",
        ended="2026-11-23T06:17:30Z",
    )
    controls = (
        ControlRecord(
            framework="nist-800-53r5",
            framework_title="NIST SP 800-53",
            control="ac-4",
            text="Approved flows are enforced",
            result="fail",
            rules=("NET001",),
        ),
        ControlRecord(
            framework="pci-dss-4.0.1",
            framework_title="PCI DSS",
            control="11.4.5",
            text="Segmentation is tested",
            result="manual",
            supporting_only=True,
        ),
    )
    return msgspec.structs.replace(
        report, findings=findings, changes=changes, collection=collection, controls=controls
    )  # fmt: skip


def benign() -> Report:
    """The same shape as `hostile`, with harmless text everywhere."""
    return hostile("plain text")


def hostile(text: str, report: Report | None = None) -> Report:
    """A report in which every free string is `text`; what is counted, ranked or hashed stays as it is."""
    from audit.safetext import rewrite

    kept = {"verdict", "severity", "fail_on", "fingerprint", "status", "kind", "created", "sha256", "schema", "findings", "ports",
            "expected", "observed", "possible", "excess", "counts", "cells", "rules", "severities", "role", "direction",
            "would_cover", "apart", "result", "baseline_state",
            "TCP", "UDP", "SCTP", ""}  # fmt: skip
    zones = iter(f"{text} {number}" for number in range(1000))
    names: dict[str, str] = {}

    def change(value: str, field: str) -> str:
        if field in {"name", "from_zone", "to_zone"} and value:
            return names.setdefault(value, next(zones))
        return value if field in kept or not value else text

    return rewrite(report or example(), change)


def clean() -> Report:
    """A compliant report: everything read, every pair passes, nothing found."""
    zones = ZONES[2:6]
    rules = tuple(RuleRecord(id=rule.id, title=rule.title, severity=rule.severity, verdict="pass") for rule in RULES)
    cells = cells_for(zones, ())
    completeness = tuple(CompletenessRecord(kind=r.kind, objects=r.objects, status="complete") for r in COMPLETENESS)
    return build(
        zones, (), verdict="compliant", headline="no zone pair lets through more than the matrix allows", exit_code=0,
        rules=rules, counts=counts_for(cells, rules, ()), exceptions=(), completeness=completeness, notes=(),
        scope=Scope(
            source="manifests/", live=False, profile="spec", namespaces=9, unzoned_namespaces=0, workloads=48, pods=121,
            nodes=12, policies=41, endpoint_pairs=12000, outside_ranges=2,
        ),
    )  # fmt: skip


def large(zone_count: int = 30, finding_count: int = 1500) -> Report:
    """Many zones, many findings."""
    zones = [
        ZoneRecord(
            name=f"zone-{'payment-card' if n % 3 else 'core'}-{n:02d}", title=f"Segment {n}", trust=n * 100 // zone_count,
            owner=f"team-{n % 7}@example.org", namespaces=tuple(f"ns-{n:02d}-{k}" for k in range(8)), workloads=40, pods=120,
        )
        for n in range(zone_count)
    ]  # fmt: skip
    rows = []
    for number in range(finding_count):
        pair = (zones[number * 7 % zone_count].name, zones[(number * 11 + number // 40) % zone_count].name)
        verdict: Verdict = ("fail", "fail", "fail", "not-evaluated", "excepted")[number // 60 % 5]
        severity = SEVERITIES[4 - number * 5 // finding_count]
        port = str(1024 + number)
        exception = "EX-7" if verdict == "excepted" else ""
        rows.append(
            finding("NET001", verdict, severity, f"Traffic of service {number:04d}", pair, port, exception=exception)
        )
    order = {verdict: place for place, verdict in enumerate(VERDICTS)}
    return build(zones, tuple(sorted(rows, key=lambda f: (order[f.verdict], -SEVERITIES.index(f.severity)))))
