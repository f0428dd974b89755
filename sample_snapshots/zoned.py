"""Objects that the sample clusters `openshift-3`, `four-zones` and `dmz-cluster` have in common, made from tables.

Every function gives objects in a fixed order, so that equal tables give equal bytes.
"""

# ruff: noqa: INP001 - a script beside the samples, not a package

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
NAME_LABEL = "kubernetes.io/metadata.name"
NODE_KEY = "node-restriction.kubernetes.io/network-zone"
"""A kubelet may not write labels under this prefix."""
SHARD = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
RBAC = "rbac.authorization.k8s.io"
WRITE = ["create", "update", "patch", "delete", "deletecollection"]
READ = ["get", "list", "watch"]


@dataclass(frozen=True, kw_only=True)
class Zone:
    """One zone of a sample: its network is 10.N.0.0/16."""

    name: str
    net: int
    callers: tuple[tuple[str, int], ...] = ()
    """Zones that may call it, each on one TCP port."""
    outside: tuple[tuple[str, int], ...] = ()
    """Blocks outside that it may call, each on one TCP port."""
    public: bool = False
    """Whether its routers take callers from outside the company."""
    routed: bool = True
    """Whether it has a router shard."""
    infra: int = 2
    workers: int = 2

    def address(self, third: int, last: int) -> str:
        """An address of the zone's network."""
        return f"10.{self.net}.{third}.{last}"

    @property
    def storage_class(self) -> str:
        """The one class of the zone."""
        return f"{self.name}-block"


def made(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    """An object; `labels` and `annotations` go into its metadata."""
    metadata: Object = {"name": name} | ({"namespace": namespace} if namespace else {})
    metadata |= {field: fields.pop(field) for field in ("labels", "annotations") if fields.get(field)}
    fields = {name: value for name, value in fields.items() if name not in ("labels", "annotations")}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def toleration(zone: str) -> Object:
    """What lets pods of a zone onto its nodes."""
    return {"key": "network-zone", "operator": "Equal", "value": zone, "effect": "NoSchedule"}


def namespace(name: str, zone: str = "", more: dict[str, str] | None = None) -> Object:
    """A namespace; one of a zone confines its pods to the nodes of the zone."""
    label = {NAME_LABEL: name, **({"network-zone": zone} if zone else {}), **(more or {})}
    if not zone:
        return made("v1", "Namespace", name, labels=label, annotations={"openshift.io/node-selector": ""})
    allowed = f'[{{"key":"network-zone","operator":"Equal","value":"{zone}","effect":"NoSchedule"}}]'
    alpha = "scheduler.alpha.kubernetes.io"
    annotations = {"openshift.io/node-selector": f"{NODE_KEY}={zone}"}
    annotations |= {f"{alpha}/defaultTolerations": allowed, f"{alpha}/tolerationsWhitelist": allowed}
    return made("v1", "Namespace", name, labels=label, annotations=annotations)


def node(name: str, address: str, zone: str, role: str, more: dict[str, str] | None = None) -> Object:
    """A ready node. Nodes of a zone keep strangers away, those of the control plane everybody."""
    taints = [{"key": "network-zone", "value": zone, "effect": "NoSchedule"}] if zone != "platform" else []
    if role in ("master", "control-plane"):
        taints = [{"key": f"node-role.kubernetes.io/{role}", "effect": "NoSchedule"}]
    return made(
        "v1",
        "Node",
        name,
        annotations={"k8s.ovn.org/host-cidrs": f'["{address}/24"]'},
        labels={"kubernetes.io/hostname": name, f"node-role.kubernetes.io/{role}": "", NODE_KEY: zone, **(more or {})},
        spec={"taints": taints} if taints else {},
        status={
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    )


def nodes(zones: tuple[Zone, ...], marks: dict[str, str]) -> Iterator[Object]:
    """Infra nodes and workers of each zone, in the network of the zone; `marks` are labels of the infra nodes."""
    for zone in zones:
        for number in range(1, zone.infra + 1):
            yield node(f"infra-{zone.name}-{number}", zone.address(1, 10 + number), zone.name, "infra", marks)
        for number in range(1, zone.workers + 1):
            yield node(f"worker-{zone.name}-{number}", zone.address(1, 20 + number), zone.name, "worker")


def workload(row: str) -> Object:
    """A workload from `NAMESPACE KIND NAME REPLICAS [PORT-NAME:NUMBER]... [claim]`."""
    place, kind, name, replicas, *more = row.split()
    ports = [{"name": one.partition(":")[0], "containerPort": int(one.partition(":")[2])} for one in more if ":" in one]
    container: Object = {
        "name": name,
        "image": f"registry.example.org/apps/{name}",
        **({"ports": ports} if ports else {}),
    }
    spec: Object = {"containers": [container]}
    if "claim" in more:
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]
    labels = {"app": name}
    selector = labels if kind == "DeploymentConfig" else {"matchLabels": labels}
    api = "apps.openshift.io/v1" if kind == "DeploymentConfig" else "apps/v1"
    template = {"metadata": {"labels": labels}, "spec": spec}
    size = {} if kind == "DaemonSet" else {"replicas": int(replicas)}
    return made(api, kind, name, place, spec={**size, "selector": selector, "template": template})


def admitted(objects: list[Object]) -> list[Object]:
    """The workloads as admission makes their pods: with the node selector and the tolerations of their namespace."""
    zones = {
        one["metadata"]["name"]: one["metadata"]["labels"].get("network-zone")
        for one in objects
        if one["kind"] == "Namespace"
    }
    found = []
    for one in objects:
        zone = zones.get(one["metadata"].get("namespace", ""))
        if zone and "template" in one.get("spec", {}):
            template = one["spec"]["template"]
            place = template["spec"].get("nodeSelector", {}) | {NODE_KEY: zone}
            spec = template["spec"] | {"nodeSelector": place, "tolerations": [toleration(zone)]}
            one = one | {"spec": one["spec"] | {"template": template | {"spec": spec}}}  # noqa: PLW2901 - the pods' view
        found.append(one)
    return found


def service(place: str, name: str, port: int, target: str = "https") -> Object:
    """A Service of a workload."""
    ports = [{"name": target, "port": port, "targetPort": target, "protocol": "TCP"}]
    return made("v1", "Service", name, place, spec={"type": "ClusterIP", "selector": {"app": name}, "ports": ports})


def route(place: str, name: str, host: str, shard: str) -> Object:
    """A Route with what its router wrote."""
    admitted_by = {
        "host": host,
        "routerName": shard,
        "wildcardPolicy": "None",
        "conditions": [{"type": "Admitted", "status": "True"}],
    }
    spec = {"host": host, "to": {"kind": "Service", "name": name, "weight": 100}, "port": {"targetPort": "https"}}
    spec |= {"tls": {"termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect"}, "wildcardPolicy": "None"}
    return made("route.openshift.io/v1", "Route", name, place, spec=spec, status={"ingress": [admitted_by]})


def policy(place: str, name: str, ingress: list[Object], pods: dict[str, str] | None = None) -> Object:
    """A NetworkPolicy for what comes in."""
    selector = {"matchLabels": pods} if pods else {}
    spec = {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": ingress}
    return made("networking.k8s.io/v1", "NetworkPolicy", name, place, spec=spec)


def zone_policy(place: str, zone: Zone, router: Object | None) -> Object:
    """The firewall of a zone in one namespace: itself, its zone, its routers, and its callers."""
    rules: list[Object] = [
        {"from": [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"network-zone": zone.name}}}]}
    ]
    if router:
        rules.append({"from": [router], "ports": [{"protocol": "TCP", "port": 8443}]})
    for caller, port in zone.callers:
        peer = {"namespaceSelector": {"matchLabels": {"network-zone": caller}}}
        rules.append({"from": [peer], "ports": [{"protocol": "TCP", "port": port}]})
    return policy(place, "zone-firewall", rules)


def router_policy(place: str, zone: Zone, pods: dict[str, str]) -> Object:
    """What a router takes: its own zone, and callers outside the company if public. An ipBlock matches pods as well."""
    peers: list[Object] = [
        {"ipBlock": {"cidr": f"10.{zone.net}.0.0/16"}},
        {"namespaceSelector": {"matchLabels": {"network-zone": zone.name}}},
    ]
    if zone.public:
        peers.append({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}})
    ports = [{"protocol": "TCP", "port": 80}, {"protocol": "TCP", "port": 443}]
    made_policy = policy(place, f"router-{zone.name}", [{"from": peers, "ports": ports}], pods)
    made_policy["spec"] |= {"policyTypes": ["Ingress", "Egress"], "egress": router_egress({"network-zone": zone.name})}
    return made_policy


def router_egress(spaces: dict[str, str]) -> list[Object]:
    """What a router calls: the workloads of its namespaces, and the API."""
    backends = {"to": [{"namespaceSelector": {"matchLabels": spaces}}], "ports": [{"protocol": "TCP", "port": 8443}]}
    api = {"to": [{"ipBlock": {"cidr": "10.0.0.0/24"}}], "ports": [{"protocol": "TCP", "port": 6443}]}
    return [backends, api]


def quota(place: str, zone: Zone, zones: tuple[Zone, ...]) -> Object:
    """Storage of the own zone only."""
    key = "storageclass.storage.k8s.io"
    hard = {f"{zone.storage_class}.{key}/requests.storage": "500Gi"}
    for other in zones:
        if other.name != zone.name:
            hard |= {
                f"{other.storage_class}.{key}/requests.storage": "0",
                f"{other.storage_class}.{key}/persistentvolumeclaims": "0",
            }
    return made("v1", "ResourceQuota", "zone-storage", place, spec={"hard": hard}, status={"hard": hard, "used": {}})


def storage(zones: tuple[Zone, ...], claims: list[str], zone_of: dict[str, str]) -> Iterator[Object]:
    """One class for each zone on an array of its own, and the claims with their volumes."""
    for zone in zones:
        yield made(
            "storage.k8s.io/v1",
            "StorageClass",
            zone.storage_class,
            annotations={"storageclass.kubernetes.io/is-default-class": "false"},
            provisioner="nfs.csi.k8s.io",
            parameters={"server": f"nas-{zone.name}.example.org", "share": "/volumes"},
            reclaimPolicy="Delete",
            volumeBindingMode="WaitForFirstConsumer",
        )
    for number, claim in enumerate(claims):
        place, name = claim.split("/")
        cls = f"{zone_of[place]}-block"
        size = {"storage": "50Gi"}
        source = {
            "driver": "nfs.csi.k8s.io",
            "volumeHandle": f"vol-{number:04}",
            "volumeAttributes": {"server": f"nas-{zone_of[place]}.example.org", "share": f"/volumes/{number:04}"},
        }
        reserved = {"kind": "PersistentVolumeClaim", "namespace": place, "name": name}
        spec = {
            "capacity": size,
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": cls,
            "claimRef": reserved,
            "persistentVolumeReclaimPolicy": "Delete",
            "csi": source,
        }
        yield made("v1", "PersistentVolume", f"pvc-{number:04}", spec=spec, status={"phase": "Bound"})
        wish = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": size},
            "storageClassName": cls,
            "volumeName": f"pvc-{number:04}",
        }
        yield made("v1", "PersistentVolumeClaim", name, place, spec=wish, status={"phase": "Bound", "capacity": size})


def rule(groups: list[str], resources: list[str], verbs: list[str], names: list[str] | None = None) -> Object:
    """One rule of a role."""
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, **({"resourceNames": names} if names else {})}


def cluster_role(name: str, *rules: Object, **labels: str) -> Object:
    """A ClusterRole."""
    return made(f"{RBAC}/v1", "ClusterRole", name, labels=labels, rules=list(rules))


def bound(name: str, role: str, *subjects: str, place: str = "") -> Object:
    """A ClusterRole given to `Group/x`, `User/x` or `ServiceAccount/namespace/x`; cluster-wide without a place."""
    listed = []
    for one in subjects:
        kind, *names = one.split("/")
        if kind == "ServiceAccount":
            listed.append({"kind": kind, "namespace": names[0], "name": names[1]})
        else:
            listed.append({"kind": kind, "name": names[0], "apiGroup": RBAC})
    kind = "RoleBinding" if place else "ClusterRoleBinding"
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
    return made(f"{RBAC}/v1", kind, name, place, roleRef=reference, subjects=listed)


POLICIES = ["networking.k8s.io", "extensions"]
DEVELOP = (
    rule(
        ["", "apps", "apps.openshift.io", "batch"],
        ["pods", "deployments", "deploymentconfigs", "statefulsets", "cronjobs", "jobs"],
        ["*"],
    ),
    rule([""], ["configmaps", "persistentvolumeclaims", "serviceaccounts", "services"], ["*"]),
    rule(["route.openshift.io"], ["routes"], [*READ, *WRITE]),
    rule(POLICIES, ["networkpolicies"], READ),
)
"""What developers may do in their namespaces: the policies are not theirs, they read them."""
TENANT = (
    *DEVELOP,
    rule(POLICIES, ["networkpolicies", "ingresses"], WRITE),
    rule([""], ["pods/exec", "pods/attach", "pods/portforward", "secrets"], ["*"]),
    rule(["route.openshift.io"], ["routes/custom-host"], ["create"]),
)
"""The built-in role `edit`, shortened to what matters here."""


def access(spaces: dict[str, str], owners: tuple[Object, ...]) -> Iterator[Object]:
    """Roles, groups and bindings: developers per namespace, network security for everything that zoning rests on."""
    yield made("user.openshift.io/v1", "Group", "netsec", users=["nora", "niels"])
    for zone in dict.fromkeys(spaces.values()):
        yield made("user.openshift.io/v1", "Group", f"developers-{zone}", users=[f"dev-{zone}-1", f"dev-{zone}-2"])
    yield cluster_role("cluster-admin", rule(["*"], ["*"], ["*"]))
    yield cluster_role("edit", *TENANT)
    yield cluster_role("view", rule(["", *POLICIES], ["pods", "services", "networkpolicies"], READ))
    yield cluster_role("self-provisioner", rule(["project.openshift.io"], ["projectrequests"], ["create"]))
    yield cluster_role("zone-developer", *DEVELOP)
    yield cluster_role("zoning-owner", *owners)
    yield bound("cluster-admin", "cluster-admin", "Group/system:masters")
    yield bound("zoning-owners", "zoning-owner", "Group/netsec")
    for place, zone in spaces.items():
        yield bound("developers", "zone-developer", f"Group/developers-{zone}", place=place)


OWNED = (
    rule(POLICIES, ["networkpolicies"], [*READ, *WRITE]),
    rule([""], ["namespaces", "resourcequotas"], [*READ, *WRITE]),
    rule([""], ["nodes"], [*READ, "update", "patch"]),
    rule(["storage.k8s.io"], ["storageclasses"], [*READ, *WRITE]),
)
"""What network security owns on every cluster."""


def constraints(name: str, *, host: bool, users: tuple[str, ...] = (), groups: tuple[str, ...] = ()) -> Object:
    """SecurityContextConstraints; `host` opens the host."""
    volumes = ["configMap", "downwardAPI", "emptyDir", "persistentVolumeClaim", "projected", "secret"]
    ranged = "RunAsAny" if host else "MustRunAs"
    return made(
        "security.openshift.io/v1",
        "SecurityContextConstraints",
        name,
        allowHostDirVolumePlugin=host,
        allowHostIPC=host,
        allowHostNetwork=host,
        allowHostPID=host,
        allowHostPorts=host,
        allowPrivilegedContainer=host,
        allowedCapabilities=["*"] if host else [],
        defaultAddCapabilities=[],
        requiredDropCapabilities=[] if host else ["ALL"],
        readOnlyRootFilesystem=False,
        priority=None,
        runAsUser={"type": "RunAsAny" if host else "MustRunAsRange"},
        seLinuxContext={"type": ranged},
        fsGroup={"type": ranged},
        supplementalGroups={"type": "RunAsAny"},
        volumes=["*"] if host else volumes,
        users=list(users),
        groups=list(groups),
    )
