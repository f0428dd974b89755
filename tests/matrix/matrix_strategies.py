"""Hypothesis strategies: matrices as the loader would make them, with texts that are unkind to every format."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from audit.matrix_services import resolve
from audit.model import SEVERITIES, Defaults, Flow, MatrixMetadata, Settings, Severity, Zone, ZoneMatrix
from audit.selectors import LABEL_VALUE, LabelSelector, Operator, Requirement
from audit.traffic import AddressSet

NASTY = (
    *("no", "null", "~", "1.10", "0x1F", "2026-01-01", "TRUE", "1e3"),
    *(
        "=cmd|'/c calc'!A1",
        "+1",
        "-1",
        "@SUM(A1)",
        "'quoted",
        "''=x",
        "a,b;c",
        'say "hi"',
        "http://x.test",
        "mailto:a@b",
    ),
    *("a: b", "# none", "- item", "{a: b}", "[x]", "&a", "*a", "!!str", "%TAG", "a  b", "\\x1b", "\ufeffx"),
    *("<script>alert(1)</script>", "\u202egpj.exe", "Zürich", "部門", "😀", "`ls`", "$(id)"),
)
_UNPRINTABLE = "\u0085\u2028\u2029\ufffe\uffff"
_CHARACTERS = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=_UNPRINTABLE)


def _kept(text: str) -> str:
    """The text as loading leaves it. openpyxl drops `x005F_`, which is why converting to XLSX proves itself."""
    return text.strip().replace("x005F_", "")


lines = st.one_of(st.sampled_from(NASTY), st.text(_CHARACTERS, max_size=20)).map(_kept)
texts = st.lists(lines, max_size=3).map(lambda parts: _kept("\n".join(parts)))
items = lines.map(lambda text: text.replace(";", ":")).filter(bool)
lists = st.lists(items, max_size=3, unique=True).map(tuple)
names = st.one_of(
    st.sampled_from(("no", "on", "1", "10", "1e3", "dmz", "null")),
    st.from_regex(r"[a-z0-9][a-z0-9]{0,6}", fullmatch=True),
)
dates = st.dates().map(str)
maybe_dates = st.one_of(st.just(""), dates)
services = st.sampled_from(("tcp/80", "tcp/67-68", "udp/*", "sctp/3868", "icmp/8", "icmp", "tcp/1", "udp/65535"))
label_keys = st.sampled_from(("network-zone", "example.org/zone", "a", "on", "kubernetes.io/metadata.name"))
label_values = st.one_of(
    st.sampled_from([text for text in NASTY if LABEL_VALUE.fullmatch(text)]),
    st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,4}[A-Za-z0-9])?", fullmatch=True),
)
severities: st.SearchStrategy[Severity] = st.sampled_from(SEVERITIES)
OPERATORS: tuple[Operator, ...] = ("In", "NotIn", "Exists", "DoesNotExist")


@st.composite
def selectors(draw: st.DrawFn) -> LabelSelector:
    found = set()
    for _ in range(draw(st.integers(0, 3))):
        operator = draw(st.sampled_from(OPERATORS))
        values = draw(st.sets(label_values, min_size=1, max_size=3)) if operator in ("In", "NotIn") else ()
        found.add(Requirement(draw(label_keys), operator, tuple(sorted(values))))
    return LabelSelector(tuple(sorted(found)))


def _zone(draw: st.DrawFn, name: str, number: int, kind: str) -> Zone:
    inside = kind in ("cluster", "platform")
    v4, v6 = AddressSet.cidr(f"10.{number}.0.0/16"), AddressSet.cidr(f"2001:db8:{number:x}::/48")
    return Zone(
        name=name,
        title=draw(lines),
        trust=draw(st.integers(0, 100)),
        kind=kind,  # type: ignore[arg-type]  # drawn from the kinds
        owner=draw(lines),
        namespaces=draw(st.none() | selectors()) if inside else None,
        nodes=draw(st.none() | selectors()) if inside else None,
        ingress_controllers=draw(lists),
        ingress_classes=draw(lists),
        ingress_addresses=draw(st.sampled_from(((), (f"10.{number}.0.10", f"2001:db8:{number + 1:x}::10")))),
        storage_classes=draw(lists),
        cidrs=AddressSet() if kind == "internet" else draw(st.sampled_from((AddressSet(), v4, v6, v4 | v6))),
        egress_cidrs=draw(st.sampled_from((AddressSet(), AddressSet.cidr(f"10.{number}.1.0/28")))),
        requires=draw(st.sampled_from(((), ("egress-ip",), ("node-isolation", "storage-isolation")))),
    )


@st.composite
def matrices(draw: st.DrawFn) -> ZoneMatrix:
    found = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    kinds = draw(st.permutations(["cluster", "external", "internet", "platform", "cluster"]))
    zones = tuple(_zone(draw, name, number, kinds[number]) for number, name in enumerate(found))
    groups = draw(
        st.dictionaries(st.sampled_from(("web", "no", "db-1")), st.lists(services, min_size=1, max_size=3, unique=True))
    )
    service_groups = {name: tuple(members) for name, members in groups.items()}
    pairs = draw(st.lists(st.tuples(st.sampled_from(found), st.sampled_from(found)), unique=True, max_size=6))
    flows = tuple(_flow(draw, number, pair, service_groups) for number, pair in enumerate(pairs))
    clusters = [zone.name for zone in zones if zone.kind == "cluster"]
    settings = Settings(
        zone_labels=tuple(draw(st.lists(label_keys, min_size=1, max_size=3, unique=True))),
        node_labels=tuple(draw(st.lists(label_keys, min_size=1, max_size=3, unique=True))),
        pod_network=draw(st.sampled_from(("overlay", "routable", "unknown"))),
        router_nodes=draw(st.sampled_from(("zone", "shared"))),
        zoning_owners=draw(st.sampled_from(((), ("Group/netsec", "ServiceAccount/gitops/argocd")))),
    )
    single: bool = draw(st.booleans())
    if clusters and single:
        settings = replace(settings, cluster_mode="single-zone", cluster_zone=clusters[0])
    return ZoneMatrix(
        metadata=_metadata(draw),
        settings=settings,
        defaults=Defaults(
            inter_zone=draw(st.sampled_from(("deny", "allow"))),
            intra_zone=draw(st.sampled_from(("deny", "allow"))),
            unzoned=draw(st.sampled_from(("fail", "warn", "ignore"))),
            severity=draw(severities),
        ),
        zones=zones,
        flows=flows,
        service_groups=service_groups,
    )


def _metadata(draw: st.DrawFn) -> MatrixMetadata:
    return MatrixMetadata(
        name=draw(items),
        version=draw(lines),
        owner=draw(lines),
        approved_by=draw(lines),
        approved_on=draw(maybe_dates),
        review_by=draw(maybe_dates),
        ticket=draw(lines),
    )


def _flow(draw: st.DrawFn, number: int, pair: tuple[str, str], groups: dict[str, tuple[str, ...]]) -> Flow:
    access = draw(st.sampled_from(("allow-all", "block-all", "allow-only", "block-only")))
    choice = st.sampled_from(["tcp/80", "udp/*", "icmp/8", *groups])
    several = st.lists(choice, min_size=1, max_size=3, unique=True)
    alone: st.SearchStrategy[list[str]] = st.just(["any"])
    wanted = tuple(draw(st.one_of(alone, several))) if access.endswith("only") else ()
    traffic, unmodelled = resolve(wanted, groups)
    return Flow(
        id=f"F-{number}",
        source=pair[0],
        target=pair[1],
        access=access,  # type: ignore[arg-type]  # drawn from the access words
        services=wanted,
        traffic=traffic,
        unmodelled=unmodelled,
        severity=draw(st.one_of(st.none(), severities)),
        justification=draw(texts),
        owner=draw(lines),
        ticket=draw(lines),
        controls=draw(lists),
        review_by=draw(maybe_dates),
        comment=draw(texts),
    )
