"""A policy of any kind that asks for a label value which only a controller knows leaves the population incomplete."""

from __future__ import annotations

from typing import Any

import pytest

from audit.exposure.entries import ways_in
from audit.traffic import NONE, Traffic
from tests.core.clusters import deployment, inventory, service, tcp, zoned

Json = Any
API = "policy.networking.k8s.io/v1alpha1"
WEB = deployment("web", "app", labels={"app": "web"})
ASKED = {"matchExpressions": [{"key": "pod-template-hash", "operator": "NotIn", "values": ["x"]}]}
EVERYWHERE: Json = {"namespaces": {}}


def admin(subject: Json, peer: Json) -> Json:
    rule = {"action": "Deny", "from": [peer]}
    spec = {"priority": 5, "subject": subject, "ingress": [rule]}
    return {"apiVersion": API, "kind": "AdminNetworkPolicy", "metadata": {"name": "guard"}, "spec": spec}


@pytest.mark.parametrize(
    ("subject", "peer"),
    [
        ({"pods": {"namespaceSelector": {}, "podSelector": ASKED}}, EVERYWHERE),
        (EVERYWHERE, {"pods": {"namespaceSelector": {}, "podSelector": ASKED}}),
        (EVERYWHERE, {"pods": {"namespaces": {"namespaceSelector": {}}, "podSelector": ASKED}}),
    ],
)
def test_a_cluster_wide_policy_that_asks_for_a_generated_value_is_a_gap(subject: Json, peer: Json) -> None:
    (gap,) = inventory(zoned("app", "a"), WEB, admin(subject, peer)).snapshot.gaps
    assert (gap.kind, gap.reason) == ("Pod", "partial")
    assert gap.scope == "AdminNetworkPolicy guard"


def test_one_that_asks_for_written_labels_is_none() -> None:
    subject = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}}
    assert inventory(zoned("app", "a"), WEB, admin(subject, EVERYWHERE)).snapshot.gaps == ()


def replicas(many: int) -> Json:
    spec = {"replicas": many, "template": {"metadata": {"labels": {"app": "db"}}, "spec": {}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "app"},
        "spec": spec,
    }


def exposed(made: Json, selector: Json) -> Traffic:
    """What a load balancer leads to of the one endpoint."""
    balancer = service("s", "app", selector, {"port": 5432}, type="LoadBalancer")
    found = ways_in(inventory(zoned("app", "a"), made, balancer)).exposed
    return found[0].direct if found else NONE


POD_NAME = "statefulset.kubernetes.io/pod-name"


@pytest.mark.parametrize(
    ("made", "selector"),
    [
        (replicas(1), {POD_NAME: "db-0"}),
        (replicas(3), {POD_NAME: "db-2"}),
        (replicas(3), {"app": "db", "apps.kubernetes.io/pod-index": "1"}),
        (WEB, {"app": "web", "pod-template-hash": "7d9f"}),
    ],
)
def test_a_service_that_may_pick_a_pod_of_a_template_exposes_it(made: Json, selector: Json) -> None:
    assert exposed(made, selector) == tcp(5432)


@pytest.mark.parametrize(
    ("made", "selector"),
    [
        (replicas(1), {POD_NAME: "db-1"}),
        (replicas(3), {POD_NAME: "other-1"}),
        (replicas(3), {POD_NAME: "db-1", "app": "other"}),
        (WEB, {"pod-template-hash": "7d9f", "tier": "front"}),
    ],
)
def test_one_that_cannot_pick_it_does_not(made: Json, selector: Json) -> None:
    assert exposed(made, selector) == NONE
