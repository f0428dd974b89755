"""What is kept of a policy says what the whole one says, and the same of it is unknown."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from audit.policy import adminpolicy, egressfirewall, networkpolicy
from audit.policy.specs import SpecError
from audit.projection import ProjectionError, project
from audit.sources.kinds import Kind, kind_of
from tests.projection.projecting import Json, mappings, one

_LABELS = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["d"]}]}
_PEERS = [{"namespaceSelector": _LABELS, "podSelector": _LABELS}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": []}}]
_NAMED = [{"port": "http"}, {"protocol": "UDP", "port": 53, "endPort": 54}]
_ADMIN_PORTS = [
    {"portNumber": {"port": 1}},
    {"portRange": {"start": 1, "end": 2, "protocol": "UDP"}},
    {"namedPort": "a"},
]
_PROTOCOLS = [
    {"tcp": {"destinationPort": {"number": 1}}},
    {"udp": {"destinationPort": {"range": {"start": 1, "end": 2}}}},
]
_SPACES = [{"namespaces": _LABELS}, {"pods": {"namespaceSelector": _LABELS, "podSelector": {}}}]
_TO = [*_SPACES, {"nodes": _LABELS}, {"networks": ["10.0.0.0/8"]}, {"domainNames": ["a.example.org"]}]
_FIRST = [{"namespaces": {"sameLabels": ["a"]}}, {"pods": {"namespaces": {"namespaceSelector": {}}, "podSelector": {}}}]
_PORTS = [{"protocol": "TCP", "port": 1}]
_RULES = [{"type": "Allow", "to": {"dnsName": "a.example.org"}}, {"type": "Deny", "to": {"cidrSelector": "0.0.0.0/0"}}]


def _admin(accept: str, ports: Json, *first: object) -> Json:
    return {
        "priority": 7,
        "tier": "Admin",
        "subject": {"pods": {"namespaceSelector": _LABELS, "podSelector": {}}},
        "ingress": [{"name": "r", "action": accept, "from": [*_SPACES, *first], **ports}],
        "egress": [{"action": "Deny", "to": _TO, **ports}],
    }


Lower = Callable[[bytes], object]
POLICIES: dict[str, tuple[str, Json, Lower]] = {
    "NetworkPolicy": (
        "networking.k8s.io/v1",
        {
            "podSelector": _LABELS,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": _PEERS, "ports": _NAMED}, {}],
            "egress": [{"to": _PEERS, "ports": _NAMED}],
        },
        networkpolicy.lower,
    ),
    "AdminNetworkPolicy": (
        "policy.networking.k8s.io/v1alpha1",
        _admin("Allow", {"ports": _ADMIN_PORTS}, *_FIRST),
        lambda spec: adminpolicy.lower("AdminNetworkPolicy", spec),
    ),
    "ClusterNetworkPolicy": (
        "policy.networking.k8s.io/v1alpha2",
        _admin("Accept", {"protocols": [*_PROTOCOLS, {"destinationNamedPort": "a"}]}),
        lambda spec: adminpolicy.lower("ClusterNetworkPolicy", spec),
    ),
    "EgressFirewall": (
        "k8s.ovn.org/v1",
        {"egress": [*_RULES, {"type": "Deny", "to": {"nodeSelector": _LABELS}, "ports": _PORTS}]},
        lambda spec: egressfirewall.lower("EgressFirewall", spec),
    ),
    "EgressNetworkPolicy": (
        "network.openshift.io/v1",
        {"egress": _RULES},
        lambda spec: egressfirewall.lower("EgressNetworkPolicy", spec),
    ),
}  # fmt: skip
VALUES: tuple[Any, ...] = (None, [], {}, 0, "", False, "x", 7, [1], {"a": {"b": "c"}}, [{"a": 1}])


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_with_an_unknown_field_anywhere_says_the_same(name: str) -> None:
    version, spec, lower = POLICIES[name]
    kind = kind_of(version, name)
    assert _said(kind, spec, lower)[0] == _whole(spec, lower)
    told = 0
    for number in range(len(mappings(spec))):
        for value in VALUES:
            strange = copy.deepcopy(spec)
            mappings(strange)[number]["newField"] = value
            kept, text = _said(kind, strange, lower)
            whole = _whole(strange, lower)
            assert kept == whole or (kept.startswith("refused") and whole.startswith("refused")), (number, value)
            assert '"c"' not in text
            told += "newField" in str(kept)
    assert told > 20


def _whole(spec: Json, lower: Lower) -> str:
    try:
        return str(lower(json.dumps(spec).encode()))
    except SpecError as error:
        return f"refused: {error}"


def _said(kind: Kind, spec: Json, lower: Lower) -> tuple[str, str]:
    """What the policy says after projection, and its text."""
    item = {"metadata": {"name": "default", "namespace": "n"}, "spec": spec}
    try:
        kept = project(kind, json.dumps(item).encode())
    except ProjectionError as error:
        return f"refused: {str(error).partition(': ')[2]}", ""
    return _whole(json.loads(kept)["spec"], lower), re.sub(r'"c","operator"', "", kept.decode())


@pytest.mark.parametrize(
    ("version", "kind", "spec"),
    [
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", {"priority": 1, "subject": {"namespaces": {}},
            "ingress": [{"action": "Log", "from": [{"namespaces": {}}]}]}),
        ("networking.k8s.io/v1", "NetworkPolicy", {"policyTypes": ["Sideways"]}),
        ("k8s.ovn.org/v1", "EgressFirewall", {"egress": [{"type": "Maybe", "to": {"dnsName": "a"}}]}),
        ("network.openshift.io/v1", "EgressNetworkPolicy", {"egress": [{"type": "Deny", "to": {"dnsName": "*"}}]}),
    ],
)  # fmt: skip
def test_a_policy_that_would_stop_every_scan_is_refused(version: str, kind: str, spec: Json) -> None:
    with pytest.raises(ProjectionError, match="default"):
        one({"apiVersion": version, "kind": kind, "metadata": {"name": "default", "namespace": "n"}, "spec": spec})
