"""Clusters of a given size, written as one compact JSON List as an API server dump would hold them.

The clusters follow the zone design that the tool audits: namespaces labelled with their zone, a default-deny and a zone
policy in each, one-way rows between zones; routers, egress addresses, nodes and storage classes per zone; egress
firewalls, quotas and access rights per namespace; and guards above it all. Equal arguments give equal bytes, and
objects are written one by one, so memory stays flat. A few faults are planted, so that the scan has findings; their
constants in zone_design.py say which.

    python benchmarks/generate.py large -o .cache/bench
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from access_objects import bindings, developers, roles, service_account
from cluster_objects import (
    SHARD,
    Document,
    Workload,
    block,
    match,
    namespace,
    node,
    node_zone,
    pod,
    policy,
    service,
    tcp,
)
from control_objects import (
    CLAIM,
    PROJECT_SELECTOR,
    check,
    claim,
    configuration,
    constraints,
    project_annotations,
    quota,
    storage_class,
)
from openshift_objects import (
    INGRESS,
    PLATFORM,
    baseline,
    egress_firewall,
    egress_ip,
    guards,
    ingress_controller,
    platform,
    route,
    scope,
)
from zone_design import (
    CALLERS,
    CASES,
    CHECK_EVERY,
    DATABASE_BLOCKS,
    MATRIX,
    OFFERED,
    ROUTE_EVERY,
    TEAMS,
    WORKLOADS_PER_NAMESPACE,
    ZONES,
    Case,
    app_of,
    has_claim,
    is_confined,
    is_edited,
    is_labelled,
    is_open,
    is_quoted,
    namespace_name,
    port_of,
    service_type,
    team_of,
    zone_of,
)


def namespaces(case: Case) -> Iterator[Document]:
    """Those of the platform, then those of the zones."""
    for name in PLATFORM:
        yield namespace(name, {}, {PROJECT_SELECTOR: ""})
    for index in range(case.namespaces):
        zoned = {"network-zone": zone_of(index)} if is_labelled(index) else {}
        yield namespace(namespace_name(index), {"team": team_of(index), **zoned}, project_annotations(index))


def nodes(case: Case) -> Iterator[Document]:
    """Every node."""
    return map(node, range(case.nodes))


def router(zone: str) -> Workload:
    """The routers of one shard."""
    return Workload(INGRESS, f"router-{zone}", (("http", 80), ("https", 443), ("metrics", 1936)), zone, shard=zone)


DNS = Workload("openshift-dns", "dns", (("main", 53),))


def workload(index: int, slot: int) -> Workload:
    """One workload of a namespace of a zone."""
    ports = (("main", port_of(index, slot)),)
    claim = CLAIM if has_claim(index) and slot == WORKLOADS_PER_NAMESPACE - 1 else ""
    space, zone = namespace_name(index), zone_of(index)
    return Workload(space, app_of(index, slot), ports, zone, confined=is_confined(index), claim=claim)


def replicas(case: Case) -> Iterator[tuple[Workload, int]]:
    """Every replica of every workload: two routers per zone, two of DNS, then the namespaces.

    Pods take the nodes of their zone in turn, so this order puts the routers on infra nodes.
    """
    for number in range(2):
        yield from ((router(zone), number) for zone in ZONES)
    yield from ((DNS, number) for number in range(2))
    for index in range(case.namespaces):
        for slot in range(WORKLOADS_PER_NAMESPACE):
            yield from ((workload(index, slot), number) for number in range(case.replicas))


def pods(case: Case) -> Iterator[Document]:
    """Every pod, spread over the nodes of its zone in turn."""
    housing: dict[str, list[int]] = {}
    for index in range(case.nodes):
        housing.setdefault(node_zone(index), []).append(index)
    serials: Counter[str] = Counter()
    for owner, number in replicas(case):
        seat, place = divmod(serials[owner.zone], len(housing[owner.zone]))
        serials[owner.zone] += 1
        yield pod(owner, number, housing[owner.zone][place], seat)


def services(case: Case) -> Iterator[Document]:
    """One per workload; load balancers in front of the routers and of a few workloads."""
    for place, zone in enumerate(ZONES):
        yield service(router(zone), place, "LoadBalancer", seat=place, inside=scope(zone) == "Internal")
    yield service(DNS, len(ZONES))
    seats = itertools.count(len(ZONES))
    for index in range(case.namespaces):
        for slot in range(WORKLOADS_PER_NAMESPACE):
            serial = len(ZONES) + 1 + index * WORKLOADS_PER_NAMESPACE + slot
            published = service_type(index, slot)
            seat = 0 if published == "ClusterIP" else next(seats)
            yield service(workload(index, slot), serial, published, seat=seat)


def policies(case: Case) -> Iterator[Document]:
    """Default deny and zone policy of every namespace, and one policy per workload where the case asks for it."""
    for zone in ZONES:
        yield policy(f"router-{zone}-default-deny", INGRESS, {"podSelector": match(SHARD, zone), "policyTypes": INWARD})
        spec = {"podSelector": match(SHARD, zone), "policyTypes": INWARD, "ingress": router_rules(zone)}
        yield policy(f"router-{zone}", INGRESS, spec)
    for index in range(case.namespaces):
        yield from zone_policies(namespace_name(index), zone_of(index), faulty=is_open(index))
        if case.microsegmented:
            for slot in range(WORKLOADS_PER_NAMESPACE):
                yield policy(f"allow-{app_of(index, slot)}", namespace_name(index), workload_policy(index, slot))


INWARD = ["Ingress"]


def zone_policies(space: str, zone: str, *, faulty: bool = False) -> Iterator[Document]:
    """The two policies that every namespace of the zone design carries; a faulty zone policy admits everybody."""
    rules = [{}] if faulty else zone_rules(zone)
    yield policy("default-deny", space, {"podSelector": {}, "policyTypes": INWARD})
    yield policy("zone", space, {"podSelector": {}, "policyTypes": INWARD, "ingress": rules})


def zone_rules(zone: str) -> Sequence[Document]:
    """Same namespace, same zone, the zone's routers, and what the matrix admits."""
    shard = {"namespaceSelector": match("kubernetes.io/metadata.name", INGRESS), "podSelector": match(SHARD, zone)}
    rules: list[Document] = [
        {"from": [{"podSelector": {}}]},
        {"from": [{"namespaceSelector": match("network-zone", zone)}]},
        {"from": [shard]},
    ]
    offered = [tcp(OFFERED[zone])]
    if not CALLERS[zone]:
        return [*rules, {"from": [block("0.0.0.0/0", ["10.0.0.0/8"])], "ports": offered}]
    return [
        *rules,
        *({"from": [{"namespaceSelector": match("network-zone", z)}], "ports": offered} for z in CALLERS[zone]),
    ]


def workload_policy(index: int, slot: int) -> Document:
    """Ingress from one neighbour; egress to the other, to DNS, and to one address block or the next zone."""
    before, after = (slot - 1) % WORKLOADS_PER_NAMESPACE, (slot + 1) % WORKLOADS_PER_NAMESPACE
    own_port = {"protocol": "TCP", "port": "main"} if slot == 1 else tcp(port_of(index, slot))
    dns = {
        "to": [{"namespaceSelector": match("kubernetes.io/metadata.name", "openshift-dns")}],
        "ports": [{"protocol": "UDP", "port": 53}, tcp(53)],
    }
    neighbour = {
        "to": [{"podSelector": match("app", app_of(index, after))}],
        "ports": [tcp(port_of(index, after))],
    }
    onward = {"dmz": ("internal", 8443), "internal": ("database", 5432), "database": ("database", 5432)}[zone_of(index)]
    outward = {"to": [{"namespaceSelector": match("network-zone", onward[0])}], "ports": [tcp(onward[1])]}
    if slot == WORKLOADS_PER_NAMESPACE - 1 and zone_of(index) == "internal":
        outward = {"to": [block(f"10.20.{index % DATABASE_BLOCKS}.0/24")], "ports": [tcp(1521)]}
    return {
        "podSelector": match("app", app_of(index, slot)),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": match("app", app_of(index, before))}], "ports": [own_port]}],
        "egress": [neighbour, dns, outward],
    }


def router_rules(zone: str) -> Sequence[Document]:
    """The zone's own namespaces, and the outside where the shard is published there."""
    rules: list[Document] = [{"from": [{"namespaceSelector": match("network-zone", zone)}]}]
    if scope(zone) == "External":
        rules.append({"from": [block("0.0.0.0/0", ["10.0.0.0/8"])], "ports": [tcp(443)]})
    return rules


def cluster_wide(case: Case) -> Iterator[Document]:
    """What the security and platform teams own."""
    yield from platform()
    yield from guards()
    yield baseline()
    yield from map(ingress_controller, ZONES)
    yield from (egress_ip(zone, case.nodes) for zone in ZONES)
    yield from configuration()
    yield from map(storage_class, ZONES)
    yield from constraints()
    yield from roles()


def egress_firewalls(case: Case) -> Iterator[Document]:
    """One per namespace of a zone."""
    for index in range(case.namespaces):
        yield egress_firewall(namespace_name(index), zone_of(index), index)


def routes(case: Case) -> Iterator[Document]:
    """One in every other namespace, to its first workload."""
    for index in range(0, case.namespaces, ROUTE_EVERY):
        admitted = is_labelled(index)
        yield route(namespace_name(index), app_of(index, 0), zone_of(index), admitted=admitted)


def storage(case: Case) -> Iterator[Document]:
    """Quotas that keep zones off the storage of others, claims and their volumes."""
    for index in filter(is_quoted, range(case.namespaces)):
        yield quota(namespace_name(index), zone_of(index))
    for index in filter(has_claim, range(case.namespaces)):
        yield from claim(namespace_name(index), zone_of(index), index)


def rights(case: Case) -> Iterator[Document]:
    """Groups of developers, and who holds what in each namespace."""
    for team in range(min(TEAMS, case.namespaces)):
        yield from (developers(f"team-{team}", zone) for zone in ZONES)
    for index in range(case.namespaces):
        space = namespace_name(index)
        yield service_account(space)
        yield from bindings(space, team_of(index), zone_of(index), edited=is_edited(index))


def checks(case: Case) -> Iterator[Document]:
    """What network diagnostics say of some nodes."""
    return map(check, range(0, case.nodes, CHECK_EVERY))


KINDS = (
    *(namespaces, nodes, pods, policies, cluster_wide, egress_firewalls, services, routes),
    *(storage, rights, checks),
)
"""What a cluster is made of, in the order in which it is written."""


def write_cluster(case: Case, path: Path) -> None:
    """Write the List, one object after the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder = json.JSONEncoder(separators=(",", ":"), check_circular=False)
    with path.open("w", encoding="utf-8", buffering=1 << 20) as out:
        out.write('{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":""},"items":[')
        separator = ""
        for kind in KINDS:
            for document in kind(case):
                out.write(separator + encoder.encode(document))
                separator = ","
        out.write("]}\n")


def deployment(space: str, app: str, port: int) -> Document:
    """One Deployment as a developer writes it."""
    container = {"name": app, "image": f"registry.example.org/{app}:1.0.0", "ports": [{"containerPort": port}]}
    template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": match("app", app), "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": app, "namespace": space}, "spec": spec}


def manifests() -> Iterator[tuple[str, Sequence[Document]]]:
    """File name and documents of a merge request's directory: five namespaces of ten objects, 50 in all."""
    for index in range(5):
        space = namespace_name(index)
        labels = {"network-zone": zone_of(index)}
        yield (
            f"{space}/namespace.yaml",
            [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": labels}}],
        )
        deployments = [deployment(space, app_of(index, slot), port_of(index, slot)) for slot in range(4)]
        services = [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": app_of(index, slot), "namespace": space},
                "spec": {"selector": {"app": app_of(index, slot)}, "ports": [{"port": port_of(index, slot)}]},
            }
            for slot in range(3)
        ]
        yield f"{space}/workloads.yaml", [*deployments, *services]
        yield f"{space}/policies.yaml", list(zone_policies(space, zone_of(index)))


def write_manifests(folder: Path) -> None:
    """Write the 50-object directory as YAML files of several documents; nothing else stays in it."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, documents in manifests():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")


def write_case(name: str, folder: Path, *, half: bool = False) -> tuple[Path, Path]:
    """Write one case and the matrix; returns the source and the zones.yaml."""
    zones = folder / "zones.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    zones.write_text(MATRIX, encoding="utf-8")
    if name == "manifests":
        write_manifests(folder / name)
        return folder / name, zones
    case = CASES[name].halved() if half else CASES[name]
    path = folder / f"{name}{'-half' if half else ''}.json"
    write_cluster(case, path)
    return path, zones


def main() -> None:
    """Write the named cases into a folder."""
    parser = argparse.ArgumentParser(description="generate benchmark clusters")
    parser.add_argument("cases", nargs="+", choices=[*CASES, "manifests"])
    parser.add_argument("-o", "--output", type=Path, default=Path(".cache/bench"))
    parser.add_argument("--half", action="store_true", help="half of every kind of object")
    arguments = parser.parse_args()
    for name in arguments.cases:
        path, zones = write_case(name, arguments.output, half=arguments.half)
        print(f"{path} (matrix {zones})")


if __name__ == "__main__":
    main()
