"""What the two clusters of OpenShift 4 have in common: platform objects, router shards, egress objects, access."""

# ruff: noqa: INP001 - a script beside the samples, not a package

from __future__ import annotations

from collections.abc import Iterator

from zoned import (
    NODE_KEY,
    OWNED,
    READ,
    SHARD,
    WRITE,
    Object,
    Zone,
    access,
    constraints,
    made,
    namespace,
    node,
    policy,
    router_egress,
    router_policy,
    rule,
    toleration,
)

PLATFORM = (
    *("default", "kube-system", "openshift-config", "openshift-console", "openshift-authentication", "openshift-dns"),
    *("openshift-host-network", "openshift-ingress", "openshift-ingress-operator", "openshift-monitoring"),
    *("openshift-network-diagnostics", "openshift-ovn-kubernetes"),
)
CLUSTER_CIDR = "10.128.0.0/14"
API = "10.0.0.0/24"
VERSION = "4.18.22"
GROUPS = {
    "openshift-ingress": {
        "network.openshift.io/policy-group": "ingress",
        "policy-group.network.openshift.io/ingress": "",
    },
    "openshift-host-network": {"policy-group.network.openshift.io/host-network": ""},
    "openshift-monitoring": {"network.openshift.io/policy-group": "monitoring"},
}
PUBLISHED = {"openshift-console": "console", "openshift-authentication": "oauth-openshift"}
"""Platform namespaces with a Route, served by the `default` shard."""


def namespaces(spaces: dict[str, str]) -> Iterator[Object]:
    """Those of the platform, then those of the zones."""
    for name in PLATFORM:
        platform = {"shard": "platform"} if name in PUBLISHED else {}
        yield namespace(name, more=GROUPS.get(name, {}) | platform)
    for name, zone in spaces.items():
        yield namespace(name, zone)


def masters() -> Iterator[Object]:
    """The control plane and the infra nodes of the platform."""
    for number in (1, 2, 3):
        yield node(f"master-{number}", f"10.0.0.{10 + number}", "platform", "control-plane")
    for number in (1, 2):
        yield node(f"infra-{number}", f"10.0.1.{10 + number}", "platform", "infra")


def configuration(project_parts: list[Object]) -> Iterator[Object]:
    """The cluster-wide configuration; new projects are made of `project_parts`."""
    config = "config.openshift.io/v1"
    done = {"state": "Completed", "version": VERSION, "image": "registry.example.org/release", "verified": False}
    done |= {"startedTime": "2026-09-01T08:00:00Z", "completionTime": "2026-09-01T09:00:00Z"}
    desired = {"version": VERSION, "image": "registry.example.org/release"}
    status = {
        "desired": desired,
        "history": [done],
        "observedGeneration": 1,
        "versionHash": "x",
        "availableUpdates": None,
    }
    yield made(
        config, "ClusterVersion", "version", spec={"clusterID": "6e1c4d2a-0000-4000-8000-000000000001"}, status=status
    )
    networks = [{"cidr": CLUSTER_CIDR, "hostPrefix": 23}]
    network = {"clusterNetwork": networks, "serviceNetwork": ["172.30.0.0/16"], "networkType": "OVNKubernetes"}
    yield made(config, "Network", "cluster", spec=network, status=network)
    vsphere = {"apiServerInternalIPs": ["10.0.0.5"], "ingressIPs": ["10.0.1.10"], "machineNetworks": ["10.0.0.0/16"]}
    platform = {"type": "VSphere", "vsphere": {**vsphere, "loadBalancer": {"type": "OpenShiftManagedDefault"}}}
    urls = {
        "apiServerURL": "https://api.ocp.example.org:6443",
        "apiServerInternalURI": "https://api-int.ocp.example.org:6443",
    }
    yield made(
        config,
        "Infrastructure",
        "cluster",
        spec={"platformSpec": {"type": "VSphere"}},
        status={"platform": "VSphere", "platformStatus": platform, **urls, "controlPlaneTopology": "HighlyAvailable"},
    )
    yield made(config, "DNS", "cluster", spec={"baseDomain": "ocp.example.org", "privateZone": {"id": "internal"}})
    yield made(config, "Ingress", "cluster", spec={"domain": "apps.ocp.example.org"})
    yield made(
        config,
        "Scheduler",
        "cluster",
        spec={"mastersSchedulable": False, "defaultNodeSelector": f"{NODE_KEY}=platform"},
    )
    yield made(config, "Project", "cluster", spec={"projectRequestTemplate": {"name": "zoned-project"}})
    yield made("template.openshift.io/v1", "Template", "zoned-project", "openshift-config", objects=project_parts)


def project_parts(zone: str) -> list[Object]:
    """A new project belongs to a zone, is closed, and may not use storage yet."""
    name = "${PROJECT_NAME}"
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    label = {"network-zone": zone}
    return [
        made("project.openshift.io/v1", "Project", name, labels=label),
        made("networking.k8s.io/v1", "NetworkPolicy", "closed", name, spec=closed),
        made("v1", "ResourceQuota", "no-storage", name, spec={"hard": {"requests.storage": "0"}}),
    ]


def shards(zones: tuple[Zone, ...]) -> Iterator[Object]:
    """A router shard for each routed zone, behind an address of the zone; `default` serves the platform only."""
    for zone in zones:
        if zone.routed:
            yield from _shard(zone.name, {"network-zone": zone.name}, zone.name, zone.address(0, 10), 31000 + zone.net)
            yield router_policy("openshift-ingress", zone, {SHARD: zone.name})
    yield from _shard("default", {"shard": "platform"}, "platform", "10.0.1.10", 31000)
    inside = [{"ipBlock": {"cidr": "10.0.0.0/16"}}]
    ports = [{"protocol": "TCP", "port": 443}]
    own = policy("openshift-ingress", "router-default", [{"from": inside, "ports": ports}], {SHARD: "default"})
    own["spec"] |= {"policyTypes": ["Ingress", "Egress"], "egress": router_egress({"shard": "platform"})}
    yield own


def _shard(name: str, spaces: dict[str, str], zone: str, address: str, port: int) -> Iterator[Object]:
    place = {NODE_KEY: zone, "node-role.kubernetes.io/infra": ""}
    publishing = {
        "type": "LoadBalancerService",
        "loadBalancer": {"scope": "Internal", "dnsManagementPolicy": "Managed"},
    }
    spec = {
        "domain": f"apps.{name}.example.org",
        "replicas": 2,
        "namespaceSelector": {"matchLabels": spaces},
        "nodePlacement": {"nodeSelector": {"matchLabels": place}, "tolerations": [toleration(zone)]},
        "endpointPublishingStrategy": publishing,
    }
    status = {
        "availableReplicas": 2,
        "selector": f"{SHARD}={name}",
        "domain": spec["domain"],
        "endpointPublishingStrategy": publishing,
    }
    status |= {"namespaceSelector": {"matchLabels": spaces}}
    yield made(
        "operator.openshift.io/v1", "IngressController", name, "openshift-ingress-operator", spec=spec, status=status
    )
    ports = [
        {"name": "http", "containerPort": 80},
        {"name": "https", "containerPort": 443},
        {"name": "metrics", "containerPort": 1936},
    ]
    text = ",".join(f"{key}={value}" for key, value in spaces.items())
    settings = [{"name": "NAMESPACE_LABELS", "value": text}, {"name": "ROUTER_SERVICE_NAME", "value": name}]
    container = {
        "name": "router",
        "image": "registry.example.org/openshift/haproxy-router",
        "ports": ports,
        "env": settings,
    }
    pod = {
        "nodeSelector": place,
        "tolerations": [toleration(zone)],
        "serviceAccountName": "router",
        "containers": [container],
    }
    template = {"metadata": {"labels": {SHARD: name}}, "spec": pod}
    selector = {"matchLabels": {SHARD: name}}
    yield made(
        "apps/v1",
        "Deployment",
        f"router-{name}",
        "openshift-ingress",
        spec={"replicas": 2, "selector": selector, "template": template},
    )
    outside = [
        {"name": one, "port": 80 if one == "http" else 443, "targetPort": one, "nodePort": port + add}
        for one, add in (("http", 0), ("https", 500))
    ]
    service = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "selector": {SHARD: name}, "ports": outside}
    balancer = {"loadBalancer": {"ingress": [{"ip": address}]}}
    yield made("v1", "Service", f"router-{name}", "openshift-ingress", spec=service, status=balancer)


def egress(zones: tuple[Zone, ...], spaces: dict[str, str]) -> Iterator[Object]:
    """Two addresses for each zone on two of its infra nodes, and an egress firewall in each namespace."""
    for zone in zones:
        both = [zone.address(1, 101), zone.address(1, 102)]
        items = [{"node": f"infra-{zone.name}-{number}", "egressIP": one} for number, one in enumerate(both, start=1)]
        spec = {"egressIPs": both, "namespaceSelector": {"matchLabels": {"network-zone": zone.name}}}
        yield made("k8s.ovn.org/v1", "EgressIP", f"zone-{zone.name}", spec=spec, status={"items": items})
    own = {zone.name: zone for zone in zones}
    for name, zone_name in spaces.items():
        rules = [{"type": "Allow", "to": {"cidrSelector": API}, "ports": [{"protocol": "TCP", "port": 6443}]}]
        for block, port in own[zone_name].outside:
            rules.append({"type": "Allow", "to": {"cidrSelector": block}, "ports": [{"protocol": "TCP", "port": port}]})
        rules += [{"type": "Deny", "to": {"cidrSelector": block}} for block in ("0.0.0.0/0", "::/0")]
        applied = {"status": "EgressFirewall Rules applied", "messages": []}
        yield made("k8s.ovn.org/v1", "EgressFirewall", "default", name, spec={"egress": rules}, status=applied)


def console() -> Iterator[Object]:
    """The platform's own Routes, served by the default shard."""
    for place, name in PUBLISHED.items():
        labels = {"app": name}
        container = {
            "name": name,
            "image": f"registry.example.org/openshift/{name}",
            "ports": [{"name": "https", "containerPort": 8443}],
        }
        pod = {"nodeSelector": {NODE_KEY: "platform", "node-role.kubernetes.io/infra": ""}, "containers": [container]}
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
        yield made("apps/v1", "Deployment", name, place, spec=spec)
        ports = [{"name": "https", "port": 443, "targetPort": "https"}]
        yield made("v1", "Service", name, place, spec={"type": "ClusterIP", "selector": labels, "ports": ports})
        host = f"{name}.apps.default.example.org"
        admitted = {
            "host": host,
            "routerName": "default",
            "wildcardPolicy": "None",
            "conditions": [{"type": "Admitted", "status": "True"}],
        }
        target = {"host": host, "to": {"kind": "Service", "name": name, "weight": 100}, "port": {"targetPort": "https"}}
        target |= {"tls": {"termination": "reencrypt"}, "wildcardPolicy": "None"}
        yield made("route.openshift.io/v1", "Route", name, place, spec=target, status={"ingress": [admitted]})
        router = {"namespaceSelector": {"matchLabels": {"network.openshift.io/policy-group": "ingress"}}}
        router |= {"podSelector": {"matchLabels": {SHARD: "default"}}}
        own = policy(place, "router", [{"from": [router], "ports": [{"protocol": "TCP", "port": 8443}]}])
        own["spec"] |= {"policyTypes": ["Ingress", "Egress"], "egress": router_egress({"shard": "platform"})}
        yield own


def checks(nodes: list[Object], source: str = "infra-1") -> Iterator[Object]:
    """What the network diagnostics on one node found: every node is reached."""
    for one in nodes:
        name, address = one["metadata"]["name"], one["status"]["addresses"][0]["address"]
        spec = {
            "sourcePod": "network-check-source-7c9f",
            "targetEndpoint": f"{address}:17698",
            "tlsClientCert": {"name": ""},
        }
        reached = {
            "type": "Reachable",
            "status": "True",
            "reason": "TCPConnectSuccess",
            "message": "",
            "lastTransitionTime": "2026-09-01T09:00:00Z",
        }
        yield made(
            "controlplane.operator.openshift.io/v1alpha1",
            "PodNetworkConnectivityCheck",
            f"network-check-source-{source}-to-network-check-target-{name}",
            "openshift-network-diagnostics",
            spec=spec,
            status={"conditions": [reached], "outages": [], "failures": [], "successes": []},
        )


OWNS = (
    *OWNED,
    rule(["k8s.ovn.org"], ["egressips", "egressfirewalls"], [*READ, *WRITE]),
    rule(["operator.openshift.io"], ["ingresscontrollers"], [*READ, *WRITE]),
    rule(["config.openshift.io"], ["projects", "schedulers"], [*READ, "update", "patch"]),
)


def rights(spaces: dict[str, str]) -> Iterator[Object]:
    """Roles, bindings, and constraints of OpenShift 4."""
    yield from access(spaces, OWNS)
    yield constraints("restricted-v2", host=False, groups=("system:authenticated",))
    yield constraints("hostnetwork-v2", host=True)
    yield constraints("privileged", host=True, groups=("system:cluster-admins", "system:nodes", "system:masters"))
