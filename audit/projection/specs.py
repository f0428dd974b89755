"""What is kept of kinds that a snapshot holds as raw JSON: the fields that some stage reads, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.projection import policies, storage
from audit.projection.nodes import (
    MARK,
    SCALAR,
    SCALARS,
    SELECTOR,
    Each,
    Fields,
    Json,
    Node,
    Told,
    Within,
    scalars,
)


@dataclass(frozen=True, slots=True)
class Spec:
    """What is kept beside the metadata of an object."""

    spec: Node | None = None
    status: Node | None = None


METADATA = Spec()
"""Of a kind of which only names count: what it decides is not modelled."""

_BACKEND = Fields(
    {
        "service": Fields({"name": SCALAR, "port": Fields(scalars("name number"))}),
        **scalars("serviceName servicePort"),
    }
)
_PATHS = Fields({"paths": Each(Fields({"backend": _BACKEND}))})
_INGRESS = Fields(
    {
        "ingressClassName": SCALAR,
        "defaultBackend": _BACKEND,
        "backend": _BACKEND,
        "rules": Each(Fields({"host": SCALAR, "http": _PATHS})),
    }
)
_BALANCED = Fields({"loadBalancer": Fields({"ingress": Each(Fields(scalars("ip hostname")))})})
_TARGET = Fields(scalars("kind name weight"))
_ROUTE = Fields(
    {
        "to": _TARGET,
        "alternateBackends": Each(_TARGET),
        "wildcardPolicy": SCALAR,
        "port": Fields({"targetPort": SCALAR}),
    }
)
_STRATEGY = Fields({"type": SCALAR, "loadBalancer": Fields({"scope": SCALAR})})
_CONTROLLER = Fields(
    {"namespaceSelector": SELECTOR, "routeSelector": SELECTOR, "endpointPublishingStrategy": _STRATEGY}
)

_AMONG = Fields({"from": SCALAR, "selector": SELECTOR})
_LISTENER = Fields(
    {
        **scalars("name port protocol hostname"),
        "allowedRoutes": Fields({"namespaces": _AMONG, "kinds": Each(Fields(scalars("group kind")))}),
    }
)
_VALUES = Each(Fields({"value": SCALAR}))
_GATEWAY = Fields(
    {
        "gatewayClassName": SCALAR,
        "addresses": _VALUES,
        "listeners": Each(_LISTENER),
        "allowedListeners": Fields({"namespaces": _AMONG}),
    }
)
_REFERENCE = Fields(scalars("group kind namespace name port weight"))
_RULES: Mapping[str, Node] = {"backendRefs": Each(_REFERENCE), "backendRef": _REFERENCE}
_PARENTS = Each(Fields(scalars("group kind namespace name sectionName port")))
_GATEWAY_ROUTE = Fields(
    {"hostnames": SCALARS, "parentRefs": _PARENTS, "useDefaultGateways": SCALAR, "rules": Within(_RULES)}
)
_GRANT = Fields({"from": Each(Fields(scalars("group kind namespace"))), "to": Each(Fields(scalars("group kind name")))})

_CLUSTER_HOSTED = Fields(dict.fromkeys(("apiLoadBalancerIPs", "apiIntLoadBalancerIPs"), SCALARS))
_PLATFORM = Fields(
    {
        **dict.fromkeys(("ingressIPs", "apiServerInternalIPs"), SCALARS),
        **scalars("ingressIP apiServerInternalIP"),
        "cloudLoadBalancerConfig": Fields({"clusterHosted": _CLUSTER_HOSTED}),
        "loadBalancer": Fields({"type": SCALAR}),
    }
)
_INFRASTRUCTURE = Fields(
    {
        **scalars("platform controlPlaneTopology"),
        "platformStatus": Fields({"type": SCALAR}, rest=_PLATFORM),
    }
)
_VERSION = Fields({"history": Each(Fields(scalars("state version"))), "desired": Fields({"version": SCALAR})})
_OVN_CONFIG = Fields(
    {
        "genevePort": SCALAR,
        "hybridOverlayConfig": Fields({"hybridOverlayVXLANPort": SCALAR}),
        "ipsecConfig": Fields({"mode": SCALAR, "full": Fields({"encapsulation": SCALAR})}),
    }
)
_DEFAULT_NETWORK = Fields(
    {
        "type": SCALAR,
        "openshiftSDNConfig": Fields(scalars("mode vxlanPort")),
        "ovnKubernetesConfig": _OVN_CONFIG,
    }
)
_OPERATOR = Fields({**scalars("useMultiNetworkPolicy disableNetworkDiagnostics"), "defaultNetwork": _DEFAULT_NETWORK})
_NETWORK_STATUS = Fields({"networkType": SCALAR, "clusterNetwork": Each(Fields({"cidr": SCALAR}))})
_CHECK = Fields(
    {"conditions": Each(Fields(scalars("type status message"))), "outages": Each(Fields(scalars("end message")))}
)
_CONDITIONS = Each(Fields(scalars("type status")))

_EGRESS_IP = Fields({"egressIPs": SCALARS, "namespaceSelector": SELECTOR, "podSelector": SELECTOR})
_SELECTED = Fields({"namespaceSelector": SELECTOR})
_HOPS = Fields({"static": Each(Fields({"ip": SCALAR})), "dynamic": Each(_SELECTED)})
_LAYER = Fields({"role": SCALAR})
_LOCALNET = Fields(
    {**scalars("role physicalNetworkName"), "subnets": SCALARS, "vlan": Fields({"access": Fields({"id": SCALAR})})}
)
_NETWORK = Fields(
    {"topology": SCALAR, "transport": MARK, "layer2": _LAYER, "layer3": _LAYER, "localnet": _LOCALNET},
    rest=_LAYER,  # of a topology that nobody knows
    loose=True,
)
_SELECTION = Fields(
    {
        "networkSelectionType": SCALAR,
        "clusterUserDefinedNetworkSelector": Fields({"networkSelector": SELECTOR}),
        "primaryUserDefinedNetworkSelector": _SELECTED,
    }
)
_SUBNET = Fields({"subnet": SCALAR}, loose=True)
_IPAM = Fields(
    {
        **scalars("range subnet"),
        "ranges": Each(Each(_SUBNET)),
        "ipRanges": Each(Fields({"range": SCALAR}, loose=True)),
        "addresses": Each(Fields({"address": SCALAR}, loose=True)),
    },
    loose=True,
)
_PLUGIN = {**scalars("name type master vlanId device pciBusID bridge vlan topology subnets"), "ipam": _IPAM}
_CONFIG = Fields({**_PLUGIN, "plugins": Each(Fields(_PLUGIN, loose=True))}, loose=True)
_NAMED_FIELDS = ", ".join(f"`{name}`" for name in (*_PLUGIN, "plugins"))

_CONSTRAINTS = Fields(
    {
        "namespaceSelector": SELECTOR,
        "resourceRules": Each(Fields(dict.fromkeys(("apiGroups", "operations", "resources"), SCALARS))),
    }
)
_BOUND = Fields({"policyName": SCALAR, "validationActions": SCALARS, "matchResources": _SELECTED})
_KINDS = {"kinds": SCALARS}
_KYVERNO = Spec(Told(Fields({"rules": Each(Within({**_KINDS, "mutate": Within(_KINDS)}))}), words=("enforce",)))

GATEWAY_ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")

SPECS: Mapping[str, Spec] = {
    # policies
    "NetworkPolicy": Spec(policies.NETWORK_POLICY),
    "MultiNetworkPolicy.k8s.cni.cncf.io": Spec(policies.NETWORK_POLICY),
    "AdminNetworkPolicy.policy.networking.k8s.io": Spec(policies.ADMIN_POLICY),
    "BaselineAdminNetworkPolicy.policy.networking.k8s.io": Spec(policies.ADMIN_POLICY),
    "ClusterNetworkPolicy.policy.networking.k8s.io": Spec(policies.CLUSTER_POLICY),
    "EgressFirewall.k8s.ovn.org": Spec(policies.EGRESS_FIREWALL, Fields({"status": SCALAR, "messages": SCALARS})),
    "EgressNetworkPolicy.network.openshift.io": Spec(policies.EGRESS_NETWORK_POLICY),
    # ways in
    "Ingress.networking.k8s.io": Spec(_INGRESS, _BALANCED),
    "IngressClass.networking.k8s.io": Spec(Fields({"controller": SCALAR})),
    "IngressController.operator.openshift.io": Spec(_CONTROLLER, _CONTROLLER),
    "Route.route.openshift.io": Spec(_ROUTE),
    "Gateway.gateway.networking.k8s.io": Spec(_GATEWAY, Fields({"addresses": _VALUES})),
    "GatewayClass.gateway.networking.k8s.io": Spec(Fields({"controllerName": SCALAR})),
    "ReferenceGrant.gateway.networking.k8s.io": Spec(_GRANT),
    **{f"{kind}.gateway.networking.k8s.io": Spec(_GATEWAY_ROUTE) for kind in GATEWAY_ROUTES},
    "IPAddressPool.metallb.io": Spec(Fields({"addresses": SCALARS, "autoAssign": SCALAR, "serviceAllocation": MARK})),
    # ways out, and networks
    "EgressIP.k8s.ovn.org": Spec(_EGRESS_IP, Fields({"items": Each(Fields(scalars("egressIP node")))})),
    "EgressService.k8s.ovn.org": Spec(
        Fields({"sourceIPBy": SCALAR, "nodeSelector": SELECTOR}), Fields({"host": SCALAR})
    ),
    "EgressRouter.network.operator.openshift.io": Spec(Fields({"addresses": Each(Fields(scalars("ip gateway")))})),
    "AdminPolicyBasedExternalRoute.k8s.ovn.org": Spec(
        Fields({"from": _SELECTED, "nextHops": _HOPS}), Fields({"status": SCALAR})
    ),
    "CloudPrivateIPConfig.cloud.network.openshift.io": Spec(status=Fields({"node": SCALAR, "conditions": _CONDITIONS})),
    "UserDefinedNetwork.k8s.ovn.org": Spec(_NETWORK),
    "ClusterUserDefinedNetwork.k8s.ovn.org": Spec(Fields({"namespaceSelector": SELECTOR, "network": _NETWORK})),
    "ClusterNetworkConnect.k8s.ovn.org": Spec(Fields({"networkSelectors": Each(_SELECTION)})),
    "NetworkAttachmentDefinition.k8s.cni.cncf.io": Spec(
        Fields({"config": Json(_CONFIG, f"of its JSON {_NAMED_FIELDS}")})
    ),
    # the platform
    "ClusterVersion.config.openshift.io": Spec(status=_VERSION),
    "DNS.config.openshift.io": Spec(Fields({"publicZone": MARK})),
    "Infrastructure.config.openshift.io": Spec(status=_INFRASTRUCTURE),
    "Network.config.openshift.io": Spec(status=_NETWORK_STATUS),
    "Network.operator.openshift.io": Spec(_OPERATOR),
    "Project.config.openshift.io": Spec(Fields({"projectRequestTemplate": Fields({"name": SCALAR})})),
    "Scheduler.config.openshift.io": Spec(Fields(scalars("defaultNodeSelector mastersSchedulable"))),
    "PodNetworkConnectivityCheck.controlplane.operator.openshift.io": Spec(
        Fields(scalars("sourcePod targetEndpoint")), _CHECK
    ),
    # storage
    "PersistentVolume": Spec(storage.VOLUME, storage.PHASE),
    "PersistentVolumeClaim": Spec(storage.CLAIM, storage.PHASE),
    "VolumeSnapshotContent.snapshot.storage.k8s.io": Spec(storage.CONTENT, storage.CONTENT_STATUS),
    "ResourceQuota": Spec(policies.RESOURCE_QUOTA),
    "ClusterResourceQuota.quota.openshift.io": Spec(policies.CLUSTER_QUOTA),
    # admission
    "ValidatingAdmissionPolicy.admissionregistration.k8s.io": Spec(Fields({"matchConstraints": _CONSTRAINTS})),
    "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io": Spec(_BOUND),
    "ClusterPolicy.kyverno.io": _KYVERNO,
    "Policy.kyverno.io": _KYVERNO,
}
"""Kind key -> what is kept; a kind that is not listed keeps its metadata only."""
