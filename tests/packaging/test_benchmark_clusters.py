from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from installs import ROOT
from jsonschema import Draft202012Validator

CONTROLS = ("CMP", "DOO", "EGR", "ING", "OWN", "STO", "TOP", "ZON")
SCHEMAS = ROOT.parent / "shared" / "crds"
Document = Mapping[str, Any]


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield importlib.import_module("generate")


@pytest.fixture(scope="module")
def items(generate: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """A cluster that has at least one of everything, planted faults included."""
    path = tmp_path_factory.mktemp("cluster") / "cluster.json"
    generate.write_cluster(generate.Case(namespaces=400, replicas=1, nodes=12), path)
    listed: list[Document] = json.loads(path.read_bytes())["items"]
    return listed


def of(items: list[Document], kind: str) -> list[Document]:
    return [item for item in items if item["kind"] == kind]


def test_generated_cluster_has_the_stated_size_and_is_the_same_each_time(generate: ModuleType, tmp_path: Path) -> None:
    case = generate.Case(namespaces=20, replicas=2, nodes=7, microsegmented=True)
    for name in ("one.json", "two.json"):
        generate.write_cluster(case, tmp_path / name)
    text = (tmp_path / "one.json").read_bytes()
    assert text == (tmp_path / "two.json").read_bytes()
    items = json.loads(text)["items"]
    kinds = Counter(item["kind"] for item in items)
    assert kinds["NetworkPolicy"] - len(generate.ZONES) * 2 == case.policies == 140
    assert kinds["Pod"] - len(generate.ZONES) * 2 - 2 == case.pods == 200
    assert kinds["Node"] == 7
    identities = Counter((i["kind"], i["metadata"].get("namespace"), i["metadata"]["name"]) for i in items)
    assert max(identities.values()) == 1


def test_everything_but_pods_grows_with_namespaces_and_zones(items: list[Document]) -> None:
    kinds = Counter(item["kind"] for item in items)
    assert kinds["EgressFirewall"] == 400
    assert kinds["Route"] == 200
    assert kinds["Service"] == 400 * 5 + 3 + 1
    assert kinds["EgressIP"] == kinds["IngressController"] == 3
    assert (kinds["AdminNetworkPolicy"], kinds["BaselineAdminNetworkPolicy"]) == (7, 1)
    assert (kinds["ResourceQuota"], kinds["StorageClass"]) == (399, 3)
    assert kinds["PersistentVolumeClaim"] == kinds["PersistentVolume"] == 80
    assert kinds["RoleBinding"] == 400 * 3 + 1
    assert kinds["Group"] == 97 * 3 + 1
    published = Counter(service["spec"]["type"] for service in of(items, "Service"))
    assert published == {"ClusterIP": 1997, "LoadBalancer": 2 + 3, "NodePort": 2}


def test_half_a_case_has_half_the_objects(generate: ModuleType) -> None:
    case = generate.CASES["large"]
    half = case.halved()
    assert (half.pods * 2, half.policies * 2, half.nodes * 2) == (case.pods, case.policies, case.nodes)


def test_cases_are_those_of_the_table(generate: ModuleType) -> None:
    sizes = {name: (case.pods, case.namespaces, case.policies) for name, case in generate.CASES.items()}
    assert sizes == {
        "small": (2_000, 400, 800),
        "large": (150_000, 10_000, 20_000),
        "huge": (150_000, 10_000, 70_000),
        "reported": (15_000, 1_000, 2_000),
    }


def test_manifest_directory_holds_fifty_objects(generate: ModuleType) -> None:
    assert sum(len(documents) for _, documents in generate.manifests()) == 50


def test_addresses_and_node_ports_belong_to_one_object_each(generate: ModuleType) -> None:
    large = generate.CASES["large"]
    specs = [(service["spec"], service["status"]) for service in generate.services(large)]
    owned = Counter(spec["clusterIP"] for spec, _ in specs)
    owned.update(one["ip"] for _, status in specs for one in status["loadBalancer"].get("ingress", ()))
    ports = Counter(port["nodePort"] for spec, _ in specs for port in spec["ports"] if "nodePort" in port)
    assert len(ports) > 90
    assert max(owned.values()) == max(ports.values()) == 1


def test_routers_run_on_nodes_of_their_zone_and_egress_addresses_too(items: list[Document]) -> None:
    key = "node-restriction.kubernetes.io/network-zone"
    zones = {node["metadata"]["name"]: node["metadata"]["labels"][key] for node in of(items, "Node")}
    pods = [pod for pod in of(items, "Pod") if pod["metadata"]["namespace"] == "openshift-ingress"]
    label = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
    shards = [(pod["metadata"]["labels"][label], zones[pod["spec"]["nodeName"]]) for pod in pods]
    assert Counter(shards) == {(zone, zone): 2 for zone in ("dmz", "internal", "database")}
    for address in of(items, "EgressIP"):
        hosts = [zones[item["node"]] for item in address["status"]["items"]]
        assert [f"zone-{host}" for host in hosts] == [address["metadata"]["name"]] * 2


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("AdminNetworkPolicy", "policy.networking.k8s.io_adminnetworkpolicies"),
        ("BaselineAdminNetworkPolicy", "policy.networking.k8s.io_baselineadminnetworkpolicies"),
        ("EgressFirewall", "k8s.ovn.org_egressfirewalls"),
        ("EgressIP", "k8s.ovn.org_egressips"),
        ("IngressController", "operator.openshift.io_ingresscontrollers"),
        ("Route", "route.openshift.io_routes"),
        ("Network", "config.openshift.io_networks"),
        ("ClusterVersion", "config.openshift.io_clusterversions"),
        ("DNS", "config.openshift.io_dnses"),
        ("Infrastructure", "config.openshift.io_infrastructures"),
        ("Ingress", "config.openshift.io_ingresses"),
        ("Project", "config.openshift.io_projects"),
        ("Scheduler", "config.openshift.io_schedulers"),
        ("PodNetworkConnectivityCheck", "controlplane.operator.openshift.io_podnetworkconnectivitychecks"),
        ("SecurityContextConstraints", "security.openshift.io_securitycontextconstraints"),
    ],
)
def test_generated_objects_are_what_the_published_schemas_ask_for(items: list[Document], kind: str, file: str) -> None:
    path = SCHEMAS / f"{file}.yaml"
    if not path.exists():
        pytest.skip("the published schemas are not here")
    definition = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["spec"]
    found = of(items, kind)
    version = found[0]["apiVersion"].rpartition("/")[2]
    schema = next(one["schema"]["openAPIV3Schema"] for one in definition["versions"] if one["name"] == version)
    fields = {name: closed(part) for name, part in schema["properties"].items() if name != "metadata"}
    fields["metadata"] = schema["properties"]["metadata"]
    required = {"required": ["metadata", *({"spec"} & fields.keys())], "additionalProperties": False}
    validator = Draft202012Validator(schema | {"properties": fields} | required)
    assert [error.message for item in found for error in validator.iter_errors(item)] == []
    assert {"namespace" in item["metadata"] for item in found} == {definition["scope"] == "Namespaced"}


def test_every_pod_runs_on_a_node_of_its_zone_and_tolerates_the_taint_there(items: list[Document]) -> None:
    nodes = {node["metadata"]["name"]: node for node in of(items, "Node")}
    zoned = [pod for pod in of(items, "Pod") if not pod["metadata"]["namespace"].startswith("openshift-")]
    assert len(zoned) == 400 * 5
    for pod in zoned:
        taint = nodes[pod["spec"]["nodeName"]]["spec"]["taints"][0]
        assert taint["value"] == pod["metadata"]["namespace"].partition("-")[0]
        assert taint | {"operator": "Equal"} in pod["spec"]["tolerations"]


def test_rules_of_controls_find_the_planted_faults_and_no_others(generate: ModuleType, tmp_path: Path) -> None:
    case, source, results = generate.Case(namespaces=400, replicas=1, nodes=30), tmp_path / "c.json", tmp_path / "r"
    generate.write_cluster(case, source)
    (tmp_path / "zones.yaml").write_text(generate.MATRIX, encoding="utf-8")
    command = [sys.executable, "-m", "audit", "scan", str(source), "--zones", str(tmp_path / "zones.yaml")]
    done = subprocess.run([*command, "-f", "json", "-o", str(results)], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    found = json.loads(results.read_bytes())["findings"]
    named = {(one["rule"], one["subjects"][0]) for one in found if one["rule"][:3] in CONTROLS}
    assert named == {
        ("CMP001", "Namespace dmz-00330"),
        ("CMP002", "Deployment internal-00396/orders-api"),
        ("CMP004", "Zone internal"),
        ("DOOR002", "Service internal-00001/cards-web"),
        ("DOOR002", "Service internal-00201/cards-web"),
        ("DOOR003", "Service dmz-00000/accounts-web"),
        ("DOOR003", "Service dmz-00250/claims-web"),
        ("EGR006", "Node worker-0000"),
        ("EGR006", "Node worker-0001"),
        ("EGR010", "EgressFirewall database-00019/default"),
        ("OWN007", "RoleBinding dmz-00310/developers-edit"),
        ("STO001", "Namespace internal-00262"),
        ("ZON001", "Namespace internal-00396"),
    }


def closed(schema: Any) -> Any:
    """The schema, refusing every field that it does not name, as an API server with strict validation does."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(part) for key, part in schema.items() if part is not None}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return inner | {"additionalProperties": False} if named else inner
