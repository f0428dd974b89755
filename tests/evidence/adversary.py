"""Objects that somebody who knows the audit would hide: each turns some verdict of a clean cluster."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import NamedTuple

from audit.snapshot import Entry
from audit.sources import read
from audit.sources.kinds import kind_key
from tests.evidence.live import Live, live
from tests.evidence.plain import Object, made

FAULTY = {"openshift-3": "openshift-3-faulty", "four-zones": "four-zones-faulty", "dmz-cluster": "dmz-cluster-faulty"}
"""Sample to the one whose faults a person put in."""
_ADMIN = "policy.networking.k8s.io/v1alpha1"
_GATEWAY = "gateway.networking.k8s.io/v1"
_OVN = "k8s.ovn.org/v1"
_RBAC = "rbac.authorization.k8s.io/v1"
_ROUTES = {"HTTPRoute": "v1", "GRPCRoute": "v1", "TLSRoute": "v1alpha2", "TCPRoute": "v1alpha2", "UDPRoute": "v1alpha2"}
_EVERYBODY = [{"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"}]
_ALL = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]


class Place(NamedTuple):
    """Where an adversary strikes: a namespace of one zone, and one of another."""

    mine: str
    theirs: str
    zone: str
    """Of `theirs`."""
    labels: Mapping[str, str]
    """Of the Namespace `theirs`."""


class Content(NamedTuple):
    """What a kind may hold as well."""

    kind: str
    entries: tuple[Entry, ...]
    name: str


def contents(name: str) -> Iterator[Content]:
    """All that the kinds of a sample may hold instead, kind by kind."""
    cluster = live(name)
    for kind in sorted(cluster.snapshot.entries):
        yield Content(kind, (), "none")
        for part in range(2):
            yield Content(kind, half(cluster, kind, part), f"half {part}")
    for kind, more in _known_faults(name).items():
        yield Content(kind, _beside(cluster, kind, more), "the faults of the sample")
    for one in strikes(_place(cluster)):
        more = struck(one)
        kind = kind_key(more[0].group, more[0].kind)
        yield Content(kind, _beside(cluster, kind, more), more[0].name)


def half(cluster: Live, kind: str, seed: object) -> tuple[Entry, ...]:
    """About half of the objects of a kind, others for another seed."""
    chosen = random.Random(f"{kind} {seed}")  # noqa: S311 - only has to be the same in every run
    return tuple(one for one in cluster.snapshot.of(kind) if chosen.random() < 0.5)


def _known_faults(name: str) -> Mapping[str, tuple[Entry, ...]]:
    return live(FAULTY[name]).snapshot.entries if name in FAULTY else {}


def _beside(cluster: Live, kind: str, more: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The objects of a kind with more of them; those of the same name are replaced."""
    found = {(one.namespace, one.name): one for one in (*cluster.snapshot.of(kind), *more)}
    spaces = {one.name for one in cluster.snapshot.of("Namespace")}
    kept = (one for one in found.values() if not one.namespace or one.namespace in spaces)
    return tuple(sorted(kept, key=lambda one: (one.namespace, one.name)))


def _place(cluster: Live) -> Place:
    zones = [one for one in cluster.matrix.zones if one.kind in ("cluster", "platform")]
    spaces: dict[str, tuple[str, Mapping[str, str]]] = {}
    for entry in cluster.snapshot.of("Namespace"):
        labels = entry.body.metadata.labels or {}
        for zone in zones:
            chosen = zone.namespaces.matches(labels) if zone.namespaces else labels.get("network-zone") == zone.name
            if chosen:
                spaces.setdefault(zone.name, (entry.name, labels))
    last = [*spaces][-1]
    return Place(spaces[next(iter(spaces))][0], spaces[last][0], last, spaces[last][1])


def struck(one: Object) -> tuple[Entry, ...]:
    """An object as it is read."""
    return next(iter(read(["-"], stdin=BytesIO(json.dumps(one).encode())).entries.values()))


def strikes(at: Place) -> Iterator[Object]:
    """The objects."""
    for family in (_policies, _others_policies, _doors, _workloads, _places, _ways_out, _rights, _storage, _platform):
        yield from family(at)


def _policies(at: Place) -> Iterator[Object]:
    everything: Object = {"namespaces": {}}
    allow = [{"action": "Allow", "from": [everything]}]
    out = [{"action": "Allow", "to": [everything, {"networks": ["0.0.0.0/0"]}]}]
    yield made(_ADMIN, "AdminNetworkPolicy", "strike", spec={
        "priority": 1, "subject": {"namespaces": {}}, "ingress": allow, "egress": out,
    })  # fmt: skip
    yield made(_ADMIN, "BaselineAdminNetworkPolicy", "default", spec={
        "subject": {"namespaces": {}}, "ingress": [{"action": "Deny", "from": [everything]}],
    })  # fmt: skip
    accept = [{"action": "Accept", "from": [everything]}]
    yield made("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "strike", spec={
        "tier": "Admin", "priority": 1, "subject": {"namespaces": {}}, "ingress": accept,
        "egress": [{"action": "Accept", "to": [everything]}],
    })  # fmt: skip
    yield made("networking.k8s.io/v1", "NetworkPolicy", "strike", at.theirs, spec={
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}],
    })  # fmt: skip
    yield made("networking.k8s.io/v1", "NetworkPolicy", "strike", at.mine, spec={
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}],
    })  # fmt: skip
    yield made("network.openshift.io/v1", "EgressNetworkPolicy", "strike", at.theirs, spec={
        "egress": [{"type": "Allow", "to": {"cidrSelector": "0.0.0.0/0"}}],
    })  # fmt: skip
    yield made(_OVN, "EgressFirewall", "default", at.theirs, spec={
        "egress": [{"type": "Allow", "to": {"cidrSelector": "0.0.0.0/0"}}],
    })  # fmt: skip


def _others_policies(at: Place) -> Iterator[Object]:
    for group, kinds in {
        "cilium.io/v2": ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "CiliumLocalRedirectPolicy"),
        "projectcalico.org/v3": ("NetworkPolicy", "GlobalNetworkPolicy", "HostEndpoint"),
        "crd.projectcalico.org/v1": ("NetworkPolicy", "GlobalNetworkPolicy", "HostEndpoint"),
        "crd.antrea.io/v1beta1": ("NetworkPolicy", "ClusterNetworkPolicy"),
        "kubeovn.io/v1": ("Subnet", "SecurityGroup"),
    }.items():
        for kind in kinds:
            wide = kind.startswith(("CiliumCluster", "Global", "Host", "Cluster", "Subnet", "Security"))
            yield made(group, kind, "strike", "" if wide else at.theirs, spec={})
    yield made("security.istio.io/v1", "AuthorizationPolicy", "strike", at.theirs, spec={})
    yield made("security.istio.io/v1", "PeerAuthentication", "strike", at.theirs, spec={})
    for kind in ("Server", "ServerAuthorization", "AuthorizationPolicy"):
        yield made("policy.linkerd.io/v1beta1", kind, "strike", at.theirs, spec={})
    yield made("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "strike", at.theirs, spec={"podSelector": {}})


def _doors(at: Place) -> Iterator[Object]:
    port = [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]
    for kind in ("NodePort", "LoadBalancer"):
        yield made("v1", "Service", f"strike-{kind.lower()}", at.theirs, spec={
            "type": kind, "selector": {"app": "x"}, "ports": port,
        })  # fmt: skip
    yield made("v1", "Service", "strike-open", at.theirs, spec={"type": "NodePort", "ports": port})
    ready = [{"addresses": [f"10.128.{number}.{one}" for number in range(4) for one in range(4, 30)]}]
    yield made("discovery.k8s.io/v1", "EndpointSlice", "strike", at.mine, addressType="IPv4", endpoints=ready,
               ports=[{"port": 1}], labels={"kubernetes.io/service-name": "strike"})  # fmt: skip
    backend = {"name": "x", "port": {"number": 80}}
    for kind, version in _ROUTES.items():
        refs = [{"name": "strike", "namespace": at.mine}]
        yield made(f"gateway.networking.k8s.io/{version}", kind, "strike", at.theirs, spec={
            "parentRefs": refs, "rules": [{"backendRefs": [{"name": _service(at), "port": 80}]}],
        })  # fmt: skip
    yield made(_GATEWAY, "Gateway", "strike", at.mine, spec={
        "gatewayClassName": "any",
        "listeners": [{"name": "a", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}],
    })  # fmt: skip
    yield made("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", "strike", at.theirs, spec={
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": at.mine}],
        "to": [{"group": "", "kind": "Service"}],
    })  # fmt: skip
    yield made("networking.k8s.io/v1", "Ingress", "strike", at.theirs, spec={
        "rules": [{"host": "x.example.org", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {**backend, "name": _service(at)}}},
        ]}}],
    })  # fmt: skip
    yield made("networking.k8s.io/v1", "IngressClass", "strike", spec={"controller": "x.example.org/any"},
               annotations={"ingressclass.kubernetes.io/is-default-class": "true"})  # fmt: skip
    yield made("route.openshift.io/v1", "Route", "strike", at.theirs, spec={
        "host": "x.example.org", "to": {"kind": "Service", "name": _service(at)},
    })  # fmt: skip
    yield made("operator.openshift.io/v1", "IngressController", "strike", "openshift-ingress-operator", spec={})
    yield made("metallb.io/v1beta1", "IPAddressPool", "strike", at.mine, spec={"addresses": ["203.0.113.0/24"]})


def _service(at: Place) -> str:
    return {"db": "db"}.get(at.theirs, "x")


def _workloads(at: Place) -> Iterator[Object]:
    labels = {"strike": "yes"}
    container = {"name": "x", "ports": [{"containerPort": 80, "hostPort": 80}]}
    pod: Object = {"hostNetwork": True, "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"selector": {"matchLabels": labels}, "template": template, "replicas": 1}
    plain = {"selector": labels, "template": template, "replicas": 1}
    for kind in ("Deployment", "StatefulSet", "ReplicaSet"):
        yield made("apps/v1", kind, "strike", at.theirs, spec={**spec, "serviceName": "x"} if kind[0] == "S" else spec)
    yield made("apps/v1", "DaemonSet", "strike", at.theirs, spec={key: spec[key] for key in ("selector", "template")})
    yield made("v1", "ReplicationController", "strike", at.theirs, spec=plain)
    yield made("apps.openshift.io/v1", "DeploymentConfig", "strike", at.theirs, spec=plain)
    once = {**template, "spec": {**pod, "restartPolicy": "Never"}}
    yield made("batch/v1", "Job", "strike", at.theirs, spec={"template": once})
    yield made("batch/v1", "CronJob", "strike", at.theirs, spec={
        "schedule": "* * * * *", "jobTemplate": {"spec": {"template": once}},
    })  # fmt: skip
    yield made("kubevirt.io/v1", "VirtualMachine", "strike", at.theirs, spec={"running": True, "template": {
        "metadata": {"labels": labels}, "spec": {"networks": [{"name": "a", "multus": {"networkName": "a"}}]},
    }})  # fmt: skip
    status = {"phase": "Running", "podIP": "10.128.9.9"}
    yield made("v1", "Pod", "strike", at.theirs, labels=labels, spec={"containers": [container]}, status=status,
               annotations={"k8s.v1.cni.cncf.io/networks": "a"})  # fmt: skip
    yield made("apps/v1", "DaemonSet", "cilium", "kube-system", spec={
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"hostNetwork": True, "containers": [{"name": "a"}]}},
    })  # fmt: skip


def _places(at: Place) -> Iterator[Object]:
    yield made("v1", "Namespace", "strike", labels={"kubernetes.io/metadata.name": "strike"})
    yield made("v1", "Namespace", "strike-zone", labels={**at.labels, "kubernetes.io/metadata.name": "strike-zone"})
    label = "node-restriction.kubernetes.io/network-zone"
    address = {"addresses": [{"type": "InternalIP", "address": "203.0.113.9"}]}
    yield made("v1", "Node", "strike", labels={label: at.zone, "network-zone": at.zone}, status=address)


def _ways_out(at: Place) -> Iterator[Object]:
    theirs = {"matchLabels": {"kubernetes.io/metadata.name": at.theirs}}
    yield made(_OVN, "EgressIP", "strike", spec={"egressIPs": ["203.0.113.77"], "namespaceSelector": theirs},
               status={"items": [{"egressIP": "203.0.113.77", "node": "strike"}]})  # fmt: skip
    yield made(_OVN, "EgressService", "strike", at.theirs, spec={"sourceIPBy": "LoadBalancerIP"})
    yield made(_OVN, "AdminPolicyBasedExternalRoute", "strike", spec={
        "from": {"namespaceSelector": theirs}, "nextHops": {"static": [{"ip": "203.0.113.1"}]},
    })  # fmt: skip
    yield made(_OVN, "RouteAdvertisements", "strike", spec={"advertisements": ["PodNetwork"]})
    yield made(_OVN, "UserDefinedNetwork", "strike", at.theirs, spec={
        "topology": "Layer3", "layer3": {"role": "Primary", "subnets": [{"cidr": "10.200.0.0/16"}]},
    })  # fmt: skip
    for role in ("Primary", "Secondary"):
        yield made(_OVN, "ClusterUserDefinedNetwork", f"strike-{role.lower()}", spec={
            "namespaceSelector": {},
            "network": {"topology": "Layer2", "layer2": {"role": role, "subnets": ["10.201.0.0/16"]}},
        })  # fmt: skip
    yield made(_OVN, "ClusterNetworkConnect", "strike", spec={"networkSelectors": []})
    yield made("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "a", at.theirs, spec={
        "config": json.dumps({"cniVersion": "0.3.1", "type": "macvlan", "master": "eth1"}),
    })  # fmt: skip
    yield made("network.operator.openshift.io/v1", "EgressRouter", "strike", at.theirs, spec={
        "mode": "Redirect", "addresses": [{"ip": "203.0.113.8/24", "gateway": "203.0.113.1"}],
        "networkInterface": {"macvlan": {"mode": "Bridge"}}, "redirect": {},
    })  # fmt: skip
    yield made("network.openshift.io/v1", "NetNamespace", at.theirs, netname=at.theirs, netid=0,
               egressIPs=["203.0.113.66"])  # fmt: skip
    yield made("network.openshift.io/v1", "HostSubnet", "strike", host="strike", hostIP="203.0.113.5",
               subnet="10.222.0.0/23", egressIPs=["203.0.113.66"])  # fmt: skip


def _rights(at: Place) -> Iterator[Object]:
    whole = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    yield made(_RBAC, "ClusterRoleBinding", "strike", roleRef=whole, subjects=_EVERYBODY)
    yield made(_RBAC, "RoleBinding", "strike", at.theirs, roleRef=whole, subjects=_EVERYBODY)
    for name in ("cluster-admin", "view", "edit", "admin"):
        yield made(_RBAC, "ClusterRole", name, rules=_ALL)
    yield made(_RBAC, "Role", "strike", at.theirs, rules=_ALL)
    yield made("user.openshift.io/v1", "Group", "system:cluster-admins", users=["mallory"])
    yield made("security.openshift.io/v1", "SecurityContextConstraints", "strike", allowHostNetwork=True,
               allowHostPorts=True, groups=["system:authenticated"], volumes=["*"], users=[])  # fmt: skip
    hook: Object = {
        "name": "x.example.org", "clientConfig": {"url": "https://x.example.org"}, "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
    }  # fmt: skip
    yield made("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "strike", webhooks=[hook])
    yield made("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy", "strike", spec={})
    yield made("mutations.gatekeeper.sh/v1", "Assign", "strike", spec={})
    yield made("kyverno.io/v1", "ClusterPolicy", "strike", spec={"rules": [{"name": "a", "mutate": {}}]})


def _storage(at: Place) -> Iterator[Object]:
    yield made("storage.k8s.io/v1", "StorageClass", "strike", provisioner="csi.example.org",
               annotations={"storageclass.kubernetes.io/is-default-class": "true"})  # fmt: skip
    yield made("v1", "PersistentVolumeClaim", "strike", at.theirs, spec={
        "storageClassName": "strike", "accessModes": ["ReadWriteOnce"], "volumeName": "strike",
        "resources": {"requests": {"storage": "1Gi"}},
    }, status={"phase": "Bound"})  # fmt: skip
    yield made("v1", "PersistentVolume", "strike", spec={
        "storageClassName": "strike", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/"}, "claimRef": {"namespace": at.theirs, "name": "strike"},
    })  # fmt: skip
    yield made("v1", "ResourceQuota", "strike", at.theirs, spec={
        "hard": {"strike.storageclass.storage.k8s.io/requests.storage": "0"}, "scopes": ["Terminating"],
    })  # fmt: skip
    yield made("quota.openshift.io/v1", "ClusterResourceQuota", "strike", spec={
        "selector": {"labels": {"matchLabels": {"a": "b"}}},
        "quota": {"hard": {"strike.storageclass.storage.k8s.io/requests.storage": "0"}},
    })  # fmt: skip


def _platform(_: Place) -> Iterator[Object]:
    yield made("config.openshift.io/v1", "Network", "cluster", spec={}, status={"networkType": "Other"})
    yield made("operator.openshift.io/v1", "Network", "cluster", spec={"disableNetworkDiagnostics": True})
    yield made("network.openshift.io/v1", "ClusterNetwork", "default", pluginName="redhat/openshift-ovs-multitenant",
               network="10.128.0.0/14", serviceNetwork="172.30.0.0/16", hostsubnetlength=9)  # fmt: skip
    yield made("config.openshift.io/v1", "ClusterVersion", "version", spec={}, status={
        "history": [{"state": "Completed", "version": "4.1.0"}],
    })  # fmt: skip
    yield made("config.openshift.io/v1", "Scheduler", "cluster", spec={
        "mastersSchedulable": True, "defaultNodeSelector": "a=b",
    })  # fmt: skip
    yield made("config.openshift.io/v1", "Project", "cluster", spec={})
    yield made("config.openshift.io/v1", "DNS", "cluster", spec={
        "publicZone": {"id": "x"}, "baseDomain": "example.org",
    })  # fmt: skip
    yield made("config.openshift.io/v1", "Infrastructure", "cluster", spec={}, status={
        "apiServerURL": "https://203.0.113.4:6443", "platformStatus": {"type": "None"},
    })  # fmt: skip
