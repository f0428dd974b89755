"""Compute isolation: what a confined namespace promises, what strangers reach, and how many findings a cause makes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audit.bodies import Taint
from audit.controls.node_isolation import Isolation, isolation, shown, unconfined
from audit.controls.node_labels import is_protected
from audit.controls.node_sharing import misplaced
from audit.controls.node_strangers import strangers
from audit.controls.placement import merged, placement
from audit.controls.project_selectors import PROJECT, UPSTREAM, WHITELIST
from audit.controls.scene import Scene
from audit.inventory import Inventory, Pod, Workload
from audit.model import Defaults, MatrixMetadata, Namespace, Node, ObjectRef, Settings, Zone, ZoneMatrix
from audit.raw_body import RawBody
from audit.snapshot import Entry, Origin, Snapshot
from audit.workloads import Affinity, NodeAffinity, PodSpec, Toleration
from audit.zones import assign
from tests.controls.slow_placement import may_stand
from tests.controls.test_placement import selectors

HERE = Origin("cluster.yaml", 1)
MATRIX = ZoneMatrix(
    metadata=MatrixMetadata(name="test"),
    settings=Settings(),
    defaults=Defaults(inter_zone="deny", intra_zone="allow", unzoned="fail", severity="high"),
    zones=(
        Zone(name="a", requires=("node-isolation",)),
        Zone(name="b", requires=("node-isolation",)),
        Zone(name="c"),
    ),
    flows=(),
)
SELECTORS = ("", "network-zone=a", "network-zone=b", "disk=ssd", "network-zone=a,disk=ssd", "network-zone")
WHITELISTS = (
    (Toleration(key="zone", value="a", effect="NoExecute"),),
    (Toleration(key="zone", operator="Exists"),),
    (Toleration(operator="Exists", effect="NoSchedule"),),
)
noted_ones: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        PROJECT: st.sampled_from(SELECTORS),
        UPSTREAM: st.sampled_from(SELECTORS),
        WHITELIST: st.sampled_from(["[]", *(msgspec.json.encode(one).decode() for one in WHITELISTS)]),
    },
)
taints = st.builds(
    Taint, key=st.just("zone"), value=st.sampled_from(["a", "b"]), effect=st.sampled_from(["NoSchedule", "NoExecute"])
)
labels: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {}, optional={"network-zone": st.sampled_from(["a", "b", "none"]), "disk": st.just("ssd")}
)
nodes = st.lists(st.tuples(labels, st.lists(taints, max_size=1), st.booleans()), min_size=2, max_size=4)


def cluster(given_nodes: Iterable[Node], *namespaces: Namespace, pods: tuple[Pod, ...] = ()) -> Isolation:
    scheduler = Entry("config.openshift.io", "v1", "Scheduler", "", "cluster", HERE, RawBody(spec=msgspec.Raw(b"{}")))
    population = Inventory(
        namespaces={one.name: one for one in sorted(namespaces, key=lambda one: one.name)},
        nodes={one.name: one for one in given_nodes},
        workloads=tuple(
            Workload(ref=ObjectRef("Pod", one.namespace, one.name), pods=(number,)) for number, one in enumerate(pods)
        ),
        endpoints=pods,
        policies=(),
        snapshot=Snapshot(entries={"Scheduler.config.openshift.io": (scheduler,)}),
    )
    zone_map = assign(MATRIX, population.namespaces.values(), population.nodes.values())
    return isolation(Scene(inventory=population, zone_map=zone_map, matrix=MATRIX))


def made(given_nodes: Any) -> list[Node]:
    return [
        Node(name=f"n{number}", labels=own, addresses=(), taints=tuple(tainted), unschedulable=cordoned)
        for number, (own, tainted, cordoned) in enumerate(given_nodes)
    ]


def app(name: str, zone: str, **given_annotations: str) -> Namespace:
    return Namespace(name=name, labels={"network-zone": zone}, annotations=given_annotations, known=True)


def allowed(noted: dict[str, str], drawn: Any) -> tuple[Toleration, ...]:
    """Some of the tolerations that the namespace admits."""
    listed = msgspec.json.decode(noted.get(WHITELIST, "[]"), type=tuple[Toleration, ...])
    return tuple(drawn(st.lists(st.sampled_from(listed or (Toleration(operator="Exists"),)), max_size=2)))


@given(nodes, noted_ones, st.none() | selectors, st.data())
def test_no_pod_of_a_confined_namespace_stands_outside_whatever_it_asks_for(
    drawn_nodes: Any, noted: dict[str, str], affinity: Any, data: Any
) -> None:
    listed = made(drawn_nodes)
    ground = cluster(listed, app("app", "a", **noted))
    if ground.states.get("app") != "confined":
        return
    asked = {"disk": "ssd"} if data.draw(st.booleans()) else None
    name = data.draw(st.none() | st.sampled_from([one.name for one in listed]))
    spec = PodSpec(nodeSelector=asked, tolerations=allowed(noted, data.draw), nodeName=name)
    bound = merged(placement(spec), ground.admitted["app"].certain.selector)
    assert bound is not None
    spec = PodSpec(
        nodeSelector=dict(bound.selector),
        affinity=Affinity(NodeAffinity(affinity)),
        tolerations=bound.tolerations,
        nodeName=name,
    )
    assert {one.labels.get("network-zone") for one in listed if may_stand(spec, one)} <= {"a"}


@given(nodes, noted_ones, st.data())
def test_an_open_namespace_has_a_pod_that_stands_outside(drawn_nodes: Any, noted: dict[str, str], data: Any) -> None:
    listed = made(drawn_nodes)
    ground = cluster(listed, app("app", "a", **noted))
    if ground.states.get("app") != "open":
        return
    (fault,) = unconfined(ground)
    where = data.draw(st.sampled_from(fault.beyond))
    widest = msgspec.json.decode(noted.get(WHITELIST, "[]"), type=tuple[Toleration, ...])
    free = ground.admitted["app"].certain
    spec = PodSpec(
        nodeSelector=dict(free.selector), tolerations=widest or (Toleration(operator="Exists"),), nodeName=where
    )
    node = ground.scene.inventory.nodes[where]
    assert node.labels.get("network-zone") != "a"
    assert may_stand(spec, node)


@given(nodes, noted_ones)
def test_a_pod_that_asks_for_nothing_stands_on_no_node_that_strangers_do_not_reach(
    drawn_nodes: Any, noted: dict[str, str]
) -> None:
    listed = made(drawn_nodes)
    ground = cluster(listed, app("other", "c", **noted))
    one = ground.admitted["other"]
    open_nodes = {name for found in strangers(ground) for name in found.nodes}
    spec = PodSpec(nodeSelector=dict(one.certain.selector))
    standing = {node.name for node in listed if not one.error and may_stand(spec, node)}
    assert {name for name in standing if ground.scene.node_zone(name) in ("a", "b")} <= open_nodes


def test_namespaces_that_nothing_tells_apart_are_decided_once() -> None:
    ground = cluster([], app("one", "a", **{PROJECT: "x=y"}), app("two", "b", **{PROJECT: "x=y"}), app("three", "a"))
    assert ground.admitted["one"] is ground.admitted["two"]
    assert ground.admitted["one"] is not ground.admitted["three"]


def test_pods_of_one_namespace_on_one_zone_are_one_fault() -> None:
    listed = [Node(name=name, labels={"network-zone": zone}, addresses=()) for name, zone in (("a1", "a"), ("b1", "b"))]
    pods = tuple(running(f"p{number}", "b1", number) for number in range(9))
    wrong, unknown = misplaced(cluster(listed, app("app", "a"), pods=pods))
    assert [(one.namespace, one.node_zone, one.pods, one.nodes) for one in wrong] == [("app", "b", 9, ("b1",))]
    assert unknown == ()


def running(name: str, node: str, workload: int) -> Pod:
    return Pod(
        namespace="app",
        name=name,
        labels={},
        named_ports=(),
        host_ports=(),
        addresses=(),
        node=node,
        host_network=False,
        workload=workload,
        template=False,
        attachments=(),
        origin=HERE,
        spec=PodSpec(nodeName=node),
    )


def test_kubelets_write_what_admission_does_not_guard() -> None:
    written = ("network-zone", "example.org/zone", "topology.kubernetes.io/zone", "node.kubernetes.io/pool")
    guarded = (
        "node-restriction.kubernetes.io/zone",
        "bank.node-restriction.kubernetes.io/zone",
        "node-role.kubernetes.io/dmz",
        "zone.k8s.io/dmz",
    )
    assert not any(map(is_protected, (*written, "kubernetes.io/hostname", "notkubernetes.io/zone")))
    assert all(map(is_protected, guarded))


def test_a_long_list_names_its_first_and_counts_the_others() -> None:
    assert shown(("a", "b"), 2) == "a, b"
    assert shown(tuple("abcdefg"), 5) == "a, b, c, d, e and 2 more"
