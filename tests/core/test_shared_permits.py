"""What many classes permit alike stays one permit, whatever else each of them permits: cost rests on it."""

from __future__ import annotations

import pytest

from tests.core.clusters import Json, meetings, namespace, pod, policy

GUARD: Json = {
    "apiVersion": "policy.networking.k8s.io/v1alpha1",
    "kind": "AdminNetworkPolicy",
    "metadata": {"name": "guard"},
    "spec": {
        "priority": 10,
        "subject": {"namespaces": {}},
        "egress": [{"name": "metadata", "action": "Deny", "to": [{"networks": ["169.254.169.254/32"]}]}],
        "ingress": [{"name": "own", "action": "Pass", "from": [{"namespaces": {}}]}],
    },
}


def project(number: int) -> list[Json]:
    """A namespace whose `web` may call its own `api`, and all of zone b, on one port."""
    name = f"a-{number}"
    to = [{"podSelector": {"matchLabels": {"app": "api"}}}], [{"namespaceSelector": {"matchLabels": {"zone": "b"}}}]
    egress = [{"to": peers, "ports": [{"port": 8443}]} for peers in to]
    web = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"], "egress": egress}
    pods = [pod(app, name, f"10.128.{number}.{seat}", {"app": app}) for seat, app in enumerate(("web", "api"))]
    return [namespace(name, zone="a"), *pods, policy(web, name)]


def widest(count: int, *more: Json) -> int:
    """How many egress permits reach the target that most reach, with so many such namespaces."""
    target = [namespace("b", zone="b"), pod("store", "b", "10.129.0.1")]
    projects = [one for number in range(count) for one in project(number)]
    return max(len(group.coverage) for group in meetings(*target, *projects, *more).groups)


@pytest.mark.parametrize("guards", [(), (GUARD,)], ids=["no guard", "guard"])
def test_the_permits_that_reach_a_target_do_not_grow_with_namespaces(guards: tuple[Json, ...]) -> None:
    assert widest(4, *guards) == widest(8, *guards)
