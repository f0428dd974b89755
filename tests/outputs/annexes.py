"""Every part of a report that only some scans have, as large as asked for."""

from __future__ import annotations

import hashlib

import msgspec

from audit.ledger import Cluster, Evidence, Status
from audit.report import AssumptionRecord, CompletenessRecord, ExceptionRecord, InputRecord, Report, RuleRecord
from audit.report_annex import (
    AbsentFinding,
    BackendRecord,
    ChangesRecord,
    CollectionRecord,
    ControlRecord,
    DepartureRecord,
    EntryRecord,
    ObjectRecord,
    TrendPoint,
)

FRAMEWORKS = ("PCI DSS 4.0.1", "NIST SP 800-53 Rev. 5", "ISO/IEC 27001:2022", "CIS", "DISA STIG", "DORA", "SWIFT CSCF")
STATUSES: tuple[Status, ...] = ("complete", "complete", "absent", "forbidden", "partial")
RESULTS = ("fail", "pass", "not-evaluated", "excepted", "manual")


def digest(text: str) -> str:
    """Some SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()


def annexed(report: Report, many: int = 5) -> Report:
    """The report with `many` records of every kind that it may hold besides cells and findings."""
    states = ("new", "unchanged", "updated")
    findings = tuple(
        msgspec.structs.replace(one, baseline_state=states[place % 3]) for place, one in enumerate(report.findings)
    )
    return msgspec.structs.replace(
        report,
        findings=findings,
        collection=collection(many),
        changes=changes(many),
        trend=trend(),
        controls=controls(report, many),
        entries=entries(report, many),
        departures=departures(report, many),
        objects=tuple(
            ObjectRecord(object=subject, file="manifests/ledger/policies.yaml", line=14)
            for subject in sorted({subject for one in findings for subject in one.subjects})
        ),
    )


def crowded(report: Report, many: int) -> Report:
    """As `annexed`, and with `many` of everything else that a table lists; counts of verdicts stay as they are."""
    inputs = tuple(
        InputRecord(file=f"manifests/part-{n:04d}.yaml", sha256=digest(f"i{n}"), size=18_000 + n, objects=9)
        for n in range(many)
    )
    return msgspec.structs.replace(
        annexed(report, many),
        inputs=(*report.inputs, *inputs),
        rules=tuple(
            RuleRecord(
                id=f"NET{n:03d}", title=f"Something that zone number {n} must not be able to do is possible",
                severity="high", verdict=("pass", "fail")[n % 2], why="Whoever can do it gets into the next zone.",
                controls=("nist-800-53r5/ac-4", "pci-dss-4.0.1/1.3.1", "iso-27001-2022/a.8.22"),
            )
            for n in range(many)
        ),
        exceptions=tuple(
            ExceptionRecord(
                id=f"EX-{n}", title="Legacy batch until the migration", status=("matched", "expired")[n % 2],
                scope="from internal, to any, ports tcp/1521", requested_by="apps@example.org",
                approved_by="ciso@example.org", approved_on="2026-09-30", valid_from="2026-10-01",
                expires_on="2027-03-31", ticket="RISK-402", justification="Replaced by the message bus in March.",
            )
            for n in range(many)
        ),
        assumptions=tuple(
            AssumptionRecord(id=f"assumption-{n}", text="What is taken as given and why.", standing=bool(n % 2))
            for n in range(many)
        ),
        completeness=tuple(
            CompletenessRecord(kind=f"Kind{n}.example", objects=n, status=("complete", "partial")[n % 2], note="note")
            for n in range(many)
        ),
    )  # fmt: skip


def collection(many: int = 5) -> CollectionRecord:
    """How a cluster was read, with kinds of every status."""
    return CollectionRecord(
        tool="zone-audit 0.1.0",
        cluster=Cluster(
            uid="6f1c2a9e-8f5f-4f7e-9a55-1f4b6d1f0c11", version="v1.31.4", address_sha256=digest("api"),
            context="prod-eu", user="system:serviceaccount:zone-audit:reader",
        ),
        resource_version="918273", started="2026-11-23T05:02:11Z", ended="2026-11-23T05:03:40Z",
        unmodelled_groups=("cilium.io",),
        missing_access="rules:\n- apiGroups: ['']\n  resources: [nodes]\n  verbs: [list]\n",
        ledger=tuple(
            Evidence(
                kind=f"Kind{n}", resource=f"kind{n}s", version="v1", status=STATUSES[n % 5], objects=n, pages=1 + n % 3,
                reason="403 Forbidden: nodes is forbidden" if STATUSES[n % 5] == "forbidden" else "",
                proof="not in discovery of group example.org" if STATUSES[n % 5] == "absent" else "",
                resource_version="918273", skew=0.4 if n % 2 else 0.0,
            )
            for n in range(many)
        ),
    )  # fmt: skip


def changes(many: int = 5) -> ChangesRecord:
    """Since a baseline, with findings that are gone and some of which nobody knows."""
    absent = tuple(
        AbsentFinding(
            fingerprint=digest(f"gone {n}")[:32], rule="NET001", verdict="fail", severity="high",
            title=f"dmz can reach database on tcp/{n}", from_zone="dmz", to_zone="database", unproven=n % 4 == 3,
        )
        for n in range(many)
    )  # fmt: skip
    counts = {"new": 7, "unchanged": 7, "updated": 6, "absent": many}
    remarks = ("the baseline was judged against version 2026.3",)
    return ChangesRecord(
        baseline="results-2026-11-16.json", sha256=digest("before"), created="2026-11-16T06:18:00Z",
        verdict="not-compliant", counts=counts, absent=absent, remarks=remarks,
    )  # fmt: skip


def trend() -> tuple[TrendPoint, ...]:
    """Eight weekly scans, getting better."""
    return tuple(
        TrendPoint(
            created=f"2026-{9 + week // 4:02d}-{1 + week % 4 * 7:02d}T06:18:00Z", verdict="not-compliant",
            severities={"critical": 5 - week // 2, "high": 9 - week, "medium": 6, "low": 3, "info": 7}, excepted=2,
        )
        for week in range(8)
    )  # fmt: skip


def controls(report: Report, many: int) -> tuple[ControlRecord, ...]:
    """Controls of every framework."""
    fingerprints = tuple(one.fingerprint for one in report.findings)
    return tuple(
        ControlRecord(
            framework=f"framework-{n % 7}", framework_title=FRAMEWORKS[n % 7], control=f"{n // 7 + 1}.{n % 7}",
            text="Traffic between trusted and untrusted networks is limited to what is needed, and the rest denied.",
            result=RESULTS[n % 5], rules=("NET001", "NET002"), findings=fingerprints[n : n + n % 5],
            supporting_only=n % 3 == 0,
        )
        for n in sorted(range(many), key=lambda n: (n % 7, n))
    )  # fmt: skip


def entries(report: Report, many: int) -> tuple[EntryRecord, ...]:
    """Routers and Services that lead in."""
    names = [zone.name for zone in report.zones]
    return tuple(
        EntryRecord(
            kind=("router", "service", "host-port", "host-network", "unknown-router")[n % 5],
            object=f"IngressController openshift-ingress-operator/shard-{n}",
            addresses=("10.10.0.10", "2001:db8::10") if n % 4 else (),
            hostnames=("lb.example.org",) if n % 3 == 0 else (),
            every_node=n % 2 == 0, address_zones=(names[n % len(names)],), router_zones=tuple(sorted(names)),
            zones=(names[n % len(names)],), namespaces=n,
            backends=tuple(
                BackendRecord(zone=name, verdict=verdict, workloads=3, ports={"TCP": "8443"})
                for name, verdict in zip(names, ("allowed", "denied", "unknown", "by-client"), strict=False)
            ),
        )
        for n in range(many)
    )  # fmt: skip


def departures(report: Report, many: int) -> tuple[DepartureRecord, ...]:
    """Source addresses of every verdict."""
    names = [zone.name for zone in report.zones]
    return tuple(
        DepartureRecord(
            zone=names[n % len(names)], via=("node", f"EgressIP zone-{n}")[n % 2],
            verdict=("allowed", "unknown", "denied")[n % 3], address_zone=names[(n + n % 2) % len(names)],
            addresses=tuple(f"10.0.{n % 250}.{k}" for k in range(n % 9)), workloads=n,
        )
        for n in range(many)
    )  # fmt: skip
