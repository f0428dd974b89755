"""The cluster of the article: OpenShift 3.11 with openshift-sdn, two zones on one cluster."""

# ruff: noqa: INP001 - a script beside the samples, not a package

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoned import (
    NODE_KEY,
    OWNED,
    Object,
    Zone,
    access,
    bound,
    cluster_role,
    constraints,
    made,
    namespace,
    node,
    nodes,
    policy,
    quota,
    route,
    rule,
    service,
    storage,
    toleration,
    workload,
    zone_policy,
)

ZONES = (
    Zone(name="a", net=10, outside=(("203.0.113.0/24", 443),)),
    Zone(name="b", net=20, callers=(("a", 8443),)),
)
APPLICATIONS = {"shop": "a", "catalog": "a", "mailing": "a", "ledger": "b", "billing": "b", "reports": "b"}
ROUTERS = {"router-a": "a", "router-b": "b"}
"""Projects of the routers: a router in `default` could not be told from the nodes."""
SPACES = APPLICATIONS | ROUTERS
PLATFORM = ("default", "kube-system", "openshift", "openshift-infra", "openshift-sdn", "openshift-monitoring")
WORKLOADS = """
shop     DeploymentConfig web       3 https:8443
shop     DeploymentConfig cart      2 https:8443
shop     StatefulSet      sessions  2 redis:6379 claim
catalog  DeploymentConfig catalog   2 https:8443
catalog  StatefulSet      search    2 search:9200 claim
mailing  DeploymentConfig mailer    1 https:8443
ledger   DeploymentConfig ledger    2 https:8443
ledger   StatefulSet      journal   2 pg:5432 claim
billing  DeploymentConfig billing   2 https:8443
reports  DeploymentConfig reports   1 https:8443
reports  StatefulSet      archive   1 https:8443 claim
"""
ROUTES = ("shop/web", "catalog/catalog", "ledger/ledger", "reports/reports")
CLUSTER_CIDR = "10.128.0.0/14"
API = "10.0.0.0/24"
"""Where the masters stand."""


def cluster() -> Iterator[tuple[str, Object]]:
    """Every object with its file."""
    parts = {"namespaces": _namespaces, "nodes": _nodes, "network": _network, "routers": _routers}
    parts |= {"workloads": _workloads, "policies": _policies, "egress": _egress, "storage": _storage, "access": _access}
    for part, objects in parts.items():
        for one in objects():
            yield part, one


def _namespaces() -> Iterator[Object]:
    for name in PLATFORM:
        yield namespace(name)
    for name, zone in SPACES.items():
        yield namespace(name, zone)


def _nodes() -> Iterator[Object]:
    for number in (1, 2, 3):
        yield node(f"master-{number}", f"10.0.0.{10 + number}", "platform", "master")
    for number in (1, 2):
        yield node(f"infra-{number}", f"10.0.1.{10 + number}", "platform", "infra")
    yield from nodes(ZONES, {})


def _network() -> Iterator[Object]:
    yield made(
        "network.openshift.io/v1",
        "ClusterNetwork",
        "default",
        network=CLUSTER_CIDR,
        hostsubnetlength=9,
        serviceNetwork="172.30.0.0/16",
        pluginName="redhat/openshift-ovs-networkpolicy",
        clusterNetworks=[{"CIDR": CLUSTER_CIDR, "hostSubnetLength": 9}],
    )
    for number, name in enumerate([*PLATFORM, *SPACES]):
        given = {"egressIPs": _addresses(name)} if name in SPACES else {}
        netid = 0 if name == "default" else 4000 + number
        yield made("network.openshift.io/v1", "NetNamespace", name, netname=name, netid=netid, **given)
    for number, one in enumerate(_nodes()):
        name = one["metadata"]["name"]
        served = _served(name)
        yield made(
            "network.openshift.io/v1",
            "HostSubnet",
            name,
            host=name,
            hostIP=one["status"]["addresses"][0]["address"],
            subnet=f"10.128.{2 * number}.0/23",
            **({"egressIPs": served} if served else {}),
        )


def _addresses(space: str) -> list[str]:
    """Two egress addresses of a namespace."""
    zone = next(zone for zone in ZONES if zone.name == SPACES[space])
    number = [one for one in SPACES if SPACES[one] == zone.name].index(space)
    return [zone.address(1, 100 + 2 * number), zone.address(1, 101 + 2 * number)]


def _served(name: str) -> list[str]:
    """What a node serves: the first infra node of a zone all first addresses, the second all second ones."""
    role, _, rest = name.partition("-")
    zone, _, number = rest.partition("-")
    if role != "infra" or not number:
        return []
    return [_addresses(space)[int(number) - 1] for space in SPACES if SPACES[space] == zone]


def _routers() -> Iterator[Object]:
    for name, zone in ROUTERS.items():
        yield _router(name, name, f"network-zone={zone}", zone)
        # openshift-sdn of 3.11 matches no ipBlock: whoever may call a router from outside cannot be told from pods.
        yield policy(name, "router", [{"ports": [{"protocol": "TCP", "port": 80}, {"protocol": "TCP", "port": 443}]}])


def _router(place: str, name: str, spaces: str, zone: str) -> Object:
    ports = [{"name": text, "containerPort": port, "hostPort": port} for text, port in (("http", 80), ("https", 443))]
    settings = {"NAMESPACE_LABELS": spaces, "ROUTER_SERVICE_NAME": name, "ROUTER_SERVICE_NAMESPACE": place}
    container = {
        "name": "router",
        "image": "registry.example.org/openshift3/ose-haproxy-router:v3.11",
        "ports": ports,
        "env": [{"name": key, "value": value} for key, value in settings.items()],
    }
    spec: dict[str, Any] = {
        "nodeSelector": {NODE_KEY: zone, "node-role.kubernetes.io/infra": ""},
        "tolerations": [toleration(zone)],
        "serviceAccountName": "router",
        "containers": [container],
    }
    labels = {"router": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return made(
        "apps.openshift.io/v1",
        "DeploymentConfig",
        name,
        place,
        spec={"replicas": 2, "selector": labels, "template": template},
    )


def _workloads() -> Iterator[Object]:
    yield from (workload(row) for row in WORKLOADS.strip().splitlines())
    yield from _monitoring()
    yield from _api()
    for one in ROUTES:
        place, name = one.split("/")
        zone = SPACES[place]
        yield service(place, name, 443)
        yield route(place, name, f"{name}.{zone}.example.org", f"router-{zone}")


def _monitoring() -> Iterator[Object]:
    """A pod of the platform, which calls nobody in the zones."""
    one = workload("openshift-monitoring Deployment prometheus 2 web:9090")
    one["spec"]["template"]["spec"]["nodeSelector"] = {NODE_KEY: "platform", "node-role.kubernetes.io/infra": ""}
    yield one
    yield policy("openshift-monitoring", "closed", [])
    rules = [{"type": "Allow", "to": {"cidrSelector": API}}, {"type": "Deny", "to": {"cidrSelector": "10.0.0.0/8"}}]
    yield made(
        "network.openshift.io/v1", "EgressNetworkPolicy", "default", "openshift-monitoring", spec={"egress": rules}
    )


def _api() -> Iterator[Object]:
    """The Service that every cluster has for its API."""
    ports = [{"name": "https", "port": 443, "targetPort": 8443, "protocol": "TCP"}]
    yield made("v1", "Service", "kubernetes", "default", spec={"type": "ClusterIP", "ports": ports})
    addresses = [{"ip": f"10.0.0.{10 + number}"} for number in (1, 2, 3)]
    ports = [{"name": "https", "port": 8443, "protocol": "TCP"}]
    yield made("v1", "Endpoints", "kubernetes", "default", subsets=[{"addresses": addresses, "ports": ports}])


def _policies() -> Iterator[Object]:
    for name, zone in APPLICATIONS.items():
        own = next(one for one in ZONES if one.name == zone)
        yield zone_policy(name, own, None)  # the routers are of the zone themselves


def _egress() -> Iterator[Object]:
    """Nothing of the company's networks but the own zone and the masters; the perimeter firewall guards the rest."""
    for name, zone in SPACES.items():
        own = next(one for one in ZONES if one.name == zone)
        rules = [{"type": "Allow", "to": {"cidrSelector": block}} for block in (f"10.{own.net}.0.0/16", API)]
        rules.append({"type": "Deny", "to": {"cidrSelector": "10.0.0.0/8"}})
        yield made("network.openshift.io/v1", "EgressNetworkPolicy", "default", name, spec={"egress": rules})


def _storage() -> Iterator[Object]:
    claims = [f"{row.split()[0]}/{row.split()[2]}" for row in WORKLOADS.strip().splitlines() if "claim" in row]
    yield from storage(ZONES, claims, SPACES)
    for name, zone in SPACES.items():
        yield quota(name, next(one for one in ZONES if one.name == zone), ZONES)


def _access() -> Iterator[Object]:
    network = rule(["network.openshift.io"], ["netnamespaces", "hostsubnets", "egressnetworkpolicies"], ["*"])
    yield from access(APPLICATIONS, (*OWNED, network))  # developers may not change routers
    yield cluster_role("system:router", rule([""], ["endpoints", "services", "namespaces"], ["list", "watch"]))
    routers = [f"ServiceAccount/{place}/router" for place in ROUTERS]
    yield bound("system:router", "system:router", *routers)
    yield constraints("restricted", host=False, groups=("system:authenticated",))
    yield constraints("privileged", host=True, groups=("system:cluster-admins", "system:nodes", "system:masters"))
