"""Builders for the tests of the engine: manifests in one line each, matrices, and the stages run over them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from audit import cells, zones
from audit.cells import Evaluation
from audit.flows import CellFlow
from audit.inventory import Inventory, build
from audit.meet import Meetings
from audit.model import Access, Defaults, Flow, MatrixMetadata, Settings, Zone, ZoneMatrix
from audit.reach import Reachability
from audit.snapshot import Snapshot
from audit.sources import read
from audit.traffic import AddressSet, Traffic
from tests.oracle.world import container, deployment, host, namespace, pod, policy

__all__ = [
    "ANY",
    "DENY_ALL",
    "Json",
    "blocks",
    "cell",
    "container",
    "deployment",
    "evaluate",
    "flow",
    "host",
    "inventory",
    "matrix",
    "meetings",
    "namespace",
    "node",
    "owned",
    "pod",
    "policy",
    "reachability",
    "route",
    "service",
    "snapshot",
    "tcp",
    "zone",
    "zoned",
]

Json = Any
ANY = {"TCP": "1-65535", "UDP": "1-65535", "SCTP": "1-65535"}
DENY_ALL: Json = {"policyTypes": ["Ingress", "Egress"]}


def snapshot(*layers: Iterable[Json]) -> Snapshot:
    """What the readers make of one file per layer, a later one over an earlier one."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, objects in enumerate(layers):
            path = Path(folder) / f"{number}.json"
            path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}), encoding="utf-8")
            paths.append(str(path))
        return read(paths)


def inventory(*objects: Json) -> Inventory:
    """The population of one file."""
    return build(snapshot(objects))


def reachability(*objects: Json, pod_network: str = "unknown") -> Reachability:
    """Rows and grants without zones."""
    return Reachability(inventory(*objects), pod_network=pod_network)


def meetings(*objects: Json, pod_network: str = "unknown") -> Meetings:
    """Both sides joined, without zones."""
    found = reachability(*objects, pod_network=pod_network)
    return Meetings(found, [""] * len(found.classes.space))


def owned(made: Json, kind: str, name: str, *, controller: bool = True) -> Json:
    """The same object with an owner."""
    reference = {"apiVersion": "v1", "kind": kind, "name": name, "controller": controller}
    return made | {"metadata": made["metadata"] | {"ownerReferences": [reference]}}


def node(name: str, *addresses: str, labels: Json = None) -> Json:
    listed = [{"type": "InternalIP", "address": address} for address in addresses]
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"addresses": listed}}


def service(name: str, ns: str, selector: Json, *ports: Json, **spec: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": ns},
        "spec": {"selector": selector, "ports": list(ports), **spec},
    }


def route(kind: str, api: str, ns: str, spec: Json, name: str = "r") -> Json:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": ns}, "spec": spec}


def blocks(*texts: str) -> AddressSet:
    """The union of some CIDR blocks."""
    return AddressSet.union_of(map(AddressSet.cidr, texts))


def tcp(*ports: int) -> Traffic:
    """Some TCP ports."""
    return Traffic.parse({"TCP": ",".join(map(str, ports))})


def zone(name: str, **fields: Any) -> Zone:
    return Zone(name=name, **fields)


def flow(source: str, target: str, access: Access, traffic: Traffic | None = None) -> Flow:
    return Flow(id=f"{source}-{target}", source=source, target=target, access=access, traffic=traffic or Traffic())


def matrix(
    zones: Sequence[Zone],
    *flows: Flow,
    intra: Literal["deny", "allow"] = "allow",
    inter: Literal["deny", "allow"] = "deny",
    **settings: Any,
) -> ZoneMatrix:
    return ZoneMatrix(
        metadata=MatrixMetadata(name="test"),
        settings=Settings(**{"pod_network": "overlay"} | settings),
        defaults=Defaults(inter_zone=inter, intra_zone=intra, unzoned="fail", severity="high"),
        zones=tuple(zones),
        flows=flows,
    )


def zoned(name: str, zone_name: str) -> Json:
    """A namespace with the label that puts it into a zone."""
    return namespace(name, **{"network-zone": zone_name})


def evaluate(plan: ZoneMatrix, *objects: Json) -> Evaluation:
    """The engine's word on every cell."""
    population = inventory(*objects)
    members = zones.assign(plan, population.namespaces.values(), population.nodes.values())
    return cells.evaluate(population, members, plan)


def cell(found: Evaluation, source: str, target: str) -> CellFlow:
    """One cell of an evaluation."""
    (wanted,) = [one for one in found.cells if (one.source, one.target) == (source, target)]
    return wanted
