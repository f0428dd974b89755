"""Random small clusters as parsed manifests, dense in the corners of the APIs that decide about traffic.

Only objects that an API server of some version would hold are made; what it refuses is tested by the readers of input.
"""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from tests.oracle.draw_entering import entering
from tests.oracle.draw_leaving import leaving
from tests.oracle.draw_networks import networks
from tests.oracle.draw_plugins import platform
from tests.oracle.draw_pods import namespace, node, pod, workload
from tests.oracle.draw_policies import admin_policies, other_policy, policy
from tests.oracle.draws import ANYTHING, NAMESPACES, NODES, Draw, Json, Shape, chance, die, pick, some

FEW = replace(ANYTHING, max_pods=5, max_policies=3, max_admin=1, narrow=True)
NARROWER = {
    '"app"': '"zone"',
    '"example.com/Zone"': '"zone"',
    '"true"': '"a"',
    '"1e3"': '"b"',
}
"""Label keys and values of the pools that become others where a cluster is to be small and dense."""
PLUGINS = replace(
    FEW,
    max_policies=4,
    max_admin=2,
    plugins=("ovn-kubernetes", "openshift-sdn", "openshift-sdn", "calico", "cilium", "unknown"),
)
NETWORKS = replace(
    FEW, networks=True, plugins=("spec", "ovn-kubernetes", "spec", "ovn-kubernetes", "openshift-sdn", "unknown")
)
LEAVING = replace(
    FEW, leaving=True, plugins=("spec", "ovn-kubernetes", "openshift-sdn", "openshift-sdn", "unknown", "calico")
)
ENTERING = replace(FEW, entering=True, plugins=("spec", "spec", "spec", "ovn-kubernetes"))
EVERYTHING = replace(
    FEW,
    networks=True,
    leaving=True,
    entering=True,
    plugins=("spec", "ovn-kubernetes", "openshift-sdn", "calico", "cilium", "unknown"),
)


def cluster(draw: Draw, shape: Shape = ANYTHING) -> list[Json]:
    """The objects of one cluster, in no particular order."""
    names = pick(draw, (NAMESPACES[:1], NAMESPACES[:2], NAMESPACES[:3], NAMESPACES[2:5]))
    objects = [namespace(draw, name) for name in names if not (shape.gaps and chance(draw, 15))]
    if shape.host_network:
        objects += [node(draw, name) for name in NODES if chance(draw, 60)]
    for index in some(draw, shape.max_pods, 2):
        ns = pick(draw, names)
        if shape.templates and chance(draw, 20):
            objects += workload(draw, shape, f"w{index}", ns)
        else:
            objects.append(pod(draw, shape, f"p{index}", ns, NODES))
    for index in some(draw, shape.max_policies, 1 if chance(draw, 90) else 0):
        objects.append(policy(draw, shape, f"np{index}", pick(draw, names)))
    objects += admin_policies(draw, shape)
    if shape.gaps and chance(draw, 6):
        objects.append(other_policy(draw, pick(draw, names)))
    objects += platform(draw, shape, names)
    objects += networks(draw, shape, objects, names)
    objects += leaving(draw, shape, objects, names)
    objects += entering(draw, shape, objects, names)
    if not shape.narrow:
        return objects
    for o in objects:
        if o["kind"] == "NetworkPolicy" and "podSelector" in o["spec"] and chance(draw, 35):
            o["spec"]["podSelector"] = {}
    return narrowed(objects)


clusters = st.composite(cluster)
"""Clusters that hypothesis draws and shrinks; what is drawn late is simple more often than not."""


def rolled(number: int, shape: Shape) -> list[Json]:
    """The cluster of this number, drawn with a die: every choice as likely as it is written."""
    return cluster(die(Random(number)), shape)  # noqa: S311 - no secret


def narrowed(objects: list[Json]) -> list[Json]:
    """The same cluster with fewer different labels, so that more selectors meet some."""
    text = json.dumps(objects)
    for old, new in NARROWER.items():
        text = text.replace(old, new)
    found: list[Json] = json.loads(text)
    return found
