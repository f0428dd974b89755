"""Specs that no API server would hold: what is said, which field is meant, and where it stands in the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from audit.errors import AuditErrors, InputError
from audit.inventory import build
from audit.policy.networkpolicy import lower
from audit.policy.specs import SpecError
from audit.reach import Reachability
from audit.sources import read

Json = Any
FROM = ("ingress", 0, "from", 0)
PORT = ("ingress", 0, "ports", 0)


def peer(raw: Json) -> Json:
    return {"ingress": [{"from": [raw]}]}


def port(raw: Json) -> Json:
    return {"ingress": [{"ports": [raw]}]}


def block(**raw: Json) -> Json:
    return peer({"ipBlock": raw})


@pytest.mark.parametrize(
    ("spec", "message", "path"),
    [
        ([], "`spec` must be a mapping", ()),
        ("x", "`spec` must be a mapping", ()),
        ({"ingress": {}}, "`ingress` must be a list", ("ingress",)),
        ({"egress": "any"}, "`egress` must be a list", ("egress",)),
        ({"ingress": ["x"]}, "a mapping is needed here", ("ingress", 0)),
        ({"ingress": [{}, []]}, "a mapping is needed here", ("ingress", 1)),
        ({"policyTypes": "Ingress"}, "`policyTypes` must be a list", ("policyTypes",)),
        (
            {"policyTypes": ["Ingress", "egress"]},
            "unknown policy type `egress`; it must be Ingress or Egress",
            ("policyTypes", 1),
        ),
        ({"podSelector": "app=x"}, "a label selector must be a mapping", ("podSelector",)),
        ({"podSelector": {"app": "x"}}, "unknown field `app` in a label selector", ("podSelector",)),
        ({"ingress": [{"from": {}}]}, "`from` must be a list", ("ingress", 0, "from")),
        ({"egress": [{"to": "all"}]}, "`to` must be a list", ("egress", 0, "to")),
        (peer("all"), "a mapping is needed here", FROM),
        (
            peer({"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}),
            "`ipBlock` cannot stand beside a selector in one peer; make it a peer of its own",
            FROM,
        ),
        (
            peer({"ipBlock": {}, "namespaceSelector": {}}),
            "`ipBlock` cannot stand beside a selector in one peer; make it a peer of its own",
            FROM,
        ),
        (
            peer({"namespaceSelector": {"matchLabels": {"a": 1}}}),
            "label `a` in `matchLabels` must be a string; quote it",
            (*FROM, "namespaceSelector"),
        ),
        (peer({"podSelector": []}), "a label selector must be a mapping", (*FROM, "podSelector")),
        (
            peer({"namespaceSelector": {}, "podSelector": {"x": 1}}),
            "unknown field `x` in a label selector",
            (*FROM, "podSelector"),
        ),
        (peer({"ipBlock": "10.0.0.0/8"}), "a mapping is needed here", (*FROM, "ipBlock")),
        (block(), "a CIDR block is needed here, such as `10.0.0.0/8`", (*FROM, "ipBlock", "cidr")),
        (block(cidr=10), "a CIDR block is needed here, such as `10.0.0.0/8`", (*FROM, "ipBlock", "cidr")),
        (block(cidr="10.0.0.0"), "`10.0.0.0` is not a CIDR block", (*FROM, "ipBlock", "cidr")),
        (block(cidr="10.0.0.0/33"), "`10.0.0.0/33` is not a CIDR block", (*FROM, "ipBlock", "cidr")),
        (
            block(cidr="10.0.0.0/255.0.0.0"),
            "`10.0.0.0/255.0.0.0` is not a CIDR block",
            (*FROM, "ipBlock", "cidr"),
        ),
        (block(cidr="10.0.0.0/8", **{"except": "x"}), "`except` must be a list", (*FROM, "ipBlock", "except")),
        (
            block(cidr="10.0.0.0/8", **{"except": ["10.0.0.0/9", "10"]}),
            "`10` is not a CIDR block",
            (*FROM, "ipBlock", "except", 1),
        ),
        (
            block(cidr="10.0.0.0/8", **{"except": ["10.0.0.0/8"]}),
            "`10.0.0.0/8` must be a strict part of `10.0.0.0/8`",
            (*FROM, "ipBlock", "except", 0),
        ),
        (
            block(cidr="10.0.0.0/8", **{"except": ["11.0.0.0/9"]}),
            "`11.0.0.0/9` must be a strict part of `10.0.0.0/8`",
            (*FROM, "ipBlock", "except", 0),
        ),
        (
            block(cidr="10.0.0.0/8", **{"except": ["fd00::/9"]}),
            "`fd00::/9` must be a strict part of `10.0.0.0/8`",
            (*FROM, "ipBlock", "except", 0),
        ),
        ({"ingress": [{"ports": {}}]}, "`ports` must be a list", ("ingress", 0, "ports")),
        (port(80), "a mapping is needed here", PORT),
        (port({"port": 0}), "port `0` is not within 1-65535", (*PORT, "port")),
        (port({"port": 65536}), "port `65536` is not within 1-65535", (*PORT, "port")),
        (port({"port": True}), "port `True` is not within 1-65535", (*PORT, "port")),
        (port({"port": [80]}), "port `[80]` is not within 1-65535", (*PORT, "port")),
        (port({"port": "80"}), "`80` is not a port name; write the number without quotes", (*PORT, "port")),
        (port({"port": ""}), "`` is not a port name", (*PORT, "port")),
        (port({"port": "HTTP"}), "`HTTP` is not a port name", (*PORT, "port")),
        (port({"port": "-a"}), "`-a` is not a port name", (*PORT, "port")),
        (port({"port": "a--b"}), "`a--b` is not a port name", (*PORT, "port")),
        (port({"port": "8-8"}), "`8-8` is not a port name", (*PORT, "port")),
        (port({"port": "a" * 16}), f"`{'a' * 16}` is not a port name", (*PORT, "port")),
        (port({"protocol": "tcp"}), "unknown protocol `tcp`; it must be TCP, UDP or SCTP", (*PORT, "protocol")),
        (port({"protocol": "ICMP"}), "unknown protocol `ICMP`; it must be TCP, UDP or SCTP", (*PORT, "protocol")),
        (port({"port": "a", "endPort": 9}), "`endPort` needs a numeric `port`", (*PORT, "endPort")),
        (port({"endPort": 9}), "`endPort` needs a numeric `port`", (*PORT, "endPort")),
        (port({"port": 9, "endPort": 8}), "`endPort` 8 is below `port` 9", (*PORT, "endPort")),
        (port({"port": 9, "endPort": 70000}), "port `70000` is not within 1-65535", (*PORT, "endPort")),
        (port({"port": 9, "endPort": "10"}), "port `10` is not within 1-65535", (*PORT, "endPort")),
    ],
)
def test_a_spec_that_is_refused(spec: Json, message: str, path: tuple[str | int, ...]) -> None:
    with pytest.raises(SpecError) as caught:
        lower(json.dumps(spec).encode())
    assert str(caught.value) == message
    assert caught.value.path == path


def test_a_refused_rule_is_refused_in_a_direction_without_effect_too() -> None:
    with pytest.raises(SpecError, match="is not within"):
        lower(json.dumps({"policyTypes": ["Egress"], "ingress": [{"ports": [{"port": 0}]}]}).encode())


MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: app}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: wrong
  namespace: app
spec:
  podSelector: {}
  ingress:
    - from:
        - podSelector: {}
        - ipBlock:
            cidr: 10.0.0.0/40
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: also-wrong, namespace: app}
spec:
  ingress:
    - ports:
        - port: 80
          endPort: 79
"""


def test_every_refused_policy_is_reported_with_file_and_line_of_the_field(tmp_path: Path) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(MANIFEST, encoding="utf-8")
    with pytest.raises(AuditErrors) as caught:
        Reachability(build(read([str(path)])))
    found = [(error.message, error.position) for error in caught.value.errors]
    assert [(message, position and (position.file, position.line)) for message, position in found] == [
        ("NetworkPolicy `app/also-wrong`: `endPort` 79 is below `port` 80", (str(path), 25)),
        ("NetworkPolicy `app/wrong`: `10.0.0.0/40` is not a CIDR block", (str(path), 16)),
    ]
    assert all(isinstance(error, InputError) and error.exit_code == 2 for error in caught.value.errors)
    assert all("API server refuses" in error.hint for error in caught.value.errors)


def test_the_place_is_found_in_a_json_list_too(tmp_path: Path) -> None:
    objects = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "p", "namespace": "app"},
            "spec": {"policyTypes": ["Ingress", "Both"]},
        }
    ]
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=1), encoding="utf-8")
    with pytest.raises(AuditErrors) as caught:
        Reachability(build(read([str(path)])))
    (error,) = caught.value.errors
    lines = path.read_text(encoding="utf-8").splitlines()
    assert error.position is not None
    assert '"Both"' in lines[error.position.line - 1]
