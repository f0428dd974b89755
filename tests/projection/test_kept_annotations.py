"""Every annotation that is read is kept, and what is kept of its value reads like all of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from audit.attachments import OPEN_PORTS, POD_NETWORKS, attachments, open_ports, primary_addresses
from audit.controls.egress_nodes import networks
from audit.model import Node
from audit.projection import notes
from tests.samples.running import ROOT

OTHERS = {"collection", "commands", "exports", "projection"}
"""Packages that read no objects, or are what is tested."""
DEEP = "[" * 100_000
"""Whoever may write an annotation can write one that no decoder follows."""


def _known_words() -> Iterator[tuple[str, str]]:
    """(module, text) of every text in the code that has the form of the key of an annotation or label."""
    form = re.compile(r"(?:[a-z0-9-]+\.)+(?:io|com|org|net|sh|dev|tf)/[A-Za-z0-9._-]*")
    for folder in ("audit", "rules"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if OTHERS.isdisjoint(path.parts):
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str) and form.fullmatch(node.value):
                        yield str(path.relative_to(ROOT)), node.value


NO_ANNOTATIONS = re.compile(
    r"kubernetes\.io/metadata\.name|kubernetes\.io/service-name|endpointslice\.kubernetes\.io/managed-by"
    r"|(?:policy-group\.)?network\.openshift\.io/.*|gateway\.networking\.k8s\.io/gateway-name"
    r"|ingresscontroller\.operator\.openshift\.io/deployment-ingresscontroller|openshift\.io/deployment-config\.name"
    r"|k8s\.ovn\.org/(?:egress-assignable|primary-user-defined-network)|openshift\.io/run-level"
    r"|pod-security\.kubernetes\.io/enforce|node(?:-role)?\.(?:kubernetes|cloudprovider\.kubernetes)\.io/.*"
    r"|(?:beta\.|failure-domain\.beta\.|topology\.)?kubernetes\.io/(?:hostname|arch|os|instance-type|zone|region|)"
    r"|statefulset\.kubernetes\.io/pod-name|apps\.kubernetes\.io/pod-index|batch\.kubernetes\.io/.*"
    r"|(?:vm\.)?kubevirt\.io/(?:name|created-by)|kubectl\.kubernetes\.io/last-applied-configuration"
    # no labels either: API versions, names of controllers, ends of keys of quotas
    r"|openshift\.io/(?:ingress-to-route|gateway-controller/v1)|istio\.io/gateway-controller"
    r"|kubernetes\.io/no-provisioner|\.?storageclass\.storage\.k8s\.io/|[a-z.0-9]+/v[0-9][a-z0-9]*"
)
"""Texts of that form that are keys of labels, or something else."""


def test_every_annotation_that_the_code_reads_is_kept() -> None:
    keys = {line for line, _ in notes.lines()}
    seen = set()
    for module, text in _known_words():
        kept = text in keys or any(text.startswith(prefix) for prefix in notes.PREFIXES)
        assert kept or NO_ANNOTATIONS.fullmatch(text), f"{module}: is `{text}` the key of an annotation?"
        seen.add(text)
    shown = {one for one in keys if not one.endswith("*")} - {notes.REQUESTER}
    assert shown <= seen, "nothing reads these any more"


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "ns/a, b", "ns/a@eth1,b", "a,,b", "[]", '[{"name":"a"}]', '[{"name":"a","namespace":"ns"},{"name":5}]',
        '[{"name":"a/b"},{"namespace":"x"},7,null]', "[broken", "a b", "a/b/c", '  [{"name": "a", "cni-args": {}}] ',
        DEEP,
    ],
)  # fmt: skip
def test_networks_of_a_pod_are_asked_for_as_before(text: str) -> None:
    virtual = {("n", "a"): ("n/a", True)}
    before, after = (
        attachments("n", notes.kept({"k8s.v1.cni.cncf.io/networks": one}) or {} if cut else
                    {"k8s.v1.cni.cncf.io/networks": one}, virtual)
        for one, cut in ((text, False), (text, True))
    )  # fmt: skip
    if '"a/b"' not in text:  # no network has such a name
        assert after == before


@pytest.mark.parametrize(
    "text",
    [
        "{}", "", "broken", "[]", '{"default":{"role":"primary","ip_address":"10.0.0.1/24","mac":"x"}}',
        '{"a":{"role":"primary","ip_addresses":["10.0.0.1/24","fd00::1/64",5]},"b":{"ip_address":"10.0.0.9/8"}}',
        '{"a":{"role":"primary","ip_addresses":"10.0.0.1"},"b":7}',
        '{"a":{"role":"primary","ip_addresses":[],"ip_address":"10.0.0.2"}}', DEEP,
    ],
)  # fmt: skip
def test_addresses_on_the_primary_network_stay(text: str) -> None:
    given = {POD_NETWORKS: text}
    assert primary_addresses(notes.kept(given) or {}) == primary_addresses(given)


@pytest.mark.parametrize(
    "text", ["", "- protocol: tcp\n  port: 80\n", '[{"protocol":"UDP","port":5},{"protocol":"icmp"}]', "x", "[1]", "[",
             "- protocol: tcp\n  port: 0\n", DEEP]
)  # fmt: skip
def test_open_ports_stay(text: str) -> None:
    given = {OPEN_PORTS: text}
    assert open_ports(notes.kept(given) or {}) == open_ports(given)


@pytest.mark.parametrize(
    "text",
    ["", "x", DEEP, '["10.0.0.1/24","fd00::1/64","eth0","1/2/3"]', '[{"ifaddr":{"ipv4":"10.0.0.0/19","a":["x/8"]}}]'],
)
def test_networks_of_a_node_stay(text: str) -> None:
    given = {"k8s.ovn.org/host-cidrs": text}
    before, after = (
        networks(Node(name="n", labels={}, addresses=(), annotations=each)) for each in (given, notes.kept(given) or {})
    )
    assert before == after
