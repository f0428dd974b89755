"""A policy of any kind that asks for a label value which only a controller knows leaves the population incomplete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.clusters import deployment, inventory, zoned

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
