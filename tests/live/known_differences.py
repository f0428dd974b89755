"""Where our loader and an API server part over a manifest, and why that is meant.

What we read and the server refuses may still be in a cluster: API servers check only what is written anew, and older
ones checked less. A reader of clusters must read it. What we refuse and the server takes is refused because a person
should look at the file.
"""

from __future__ import annotations

from collections.abc import Mapping

NAMES_NOTHING = (
    "policy ingress: [{from: [null]}]",
    "policy ingress: [{from: [{}]}]",
    "policy ingress: [{from: [{}, {podSelector: {}}]}]",
    "policy ingress: [{from: [{podSelector: null}]}]",
    "policy ingress: [{from: [{namespaceSelector: null}]}]",
    "policy ingress: [{from: [{ipBlock: null}]}]",
    "policy egress: [{to: [null]}]",
    "policy egress: [{to: [{}]}]",
)
"""Peers that match nothing; a finding names them."""

UNKNOWN_FIELD = (
    "policy ingress: [{to: [{podSelector: {}}]}]",
    "policy egress: [{from: [{podSelector: {}}]}]",
    "policy ingress: [{from: [{service: {name: shop}}]}]",
    "policy podselector: {}",
    "policy PodSelector: {}",
    "policy ingress: [{From: [{podSelector: {}}]}]",
    "policy ingress: [{from: [{podSelector: {}}], action: Deny}]",
    "policy ingress: [{from: [{podSelector: {}, extra: 1}]}]",
    "policy ingress: [{ports: [{port: 8080, extra: 1}]}]",
    "policy ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, extra: 1}}]}]",
    "policy priority: 5",
)
"""A newer API may have the field, so nobody knows what the policy means: every verdict on its pods is `unknown`."""

_OLDER_ADDRESSES = (
    "policy ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/8}}]}]",
    "policy ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/08}}]}]",
    "policy ingress: [{from: [{ipBlock: {cidr: 'fd00::1/8'}}]}]",
    "policy ingress: [{from: [{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}]}]",
    "policy ingress: [{from: [{ipBlock: {cidr: '::ffff:a00:0/104'}}]}]",
    "policy ingress: [{from: [{ipBlock: {cidr: '::ffff:0:0/96'}}]}]",
    "policy ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.1/16]}}]}]",
)
_IDLE_FIELDS = (
    "networking.k8s.io/v1 NetworkPolicy | Spec: {podSelector: {}}",
    "networking.k8s.io/v1 NetworkPolicy | spec: {podSelector: {}}, status: {}",
)
_OLDER_VERSIONS = (
    "extensions/v1beta1 NetworkPolicy | spec: {podSelector: {}}",
    "apps/v1beta1 Deployment | spec: {SELECTOR, TEMPLATE}",
)
_BARE_PODS = (
    "v1 Pod | spec: {containers: []}",
    "v1 Pod | spec: {}",
    "v1 Pod | spec: null",
    "v1 Pod |",
)
_DEPLOYMENTS = (
    "apps/v1 Deployment | spec: {selector: {matchLabels: {a: c}}, TEMPLATE}",
    "apps/v1 Deployment | spec: {selector: {}, TEMPLATE}",
    "apps/v1 Deployment | spec: {TEMPLATE}",
)
_PORTS = (
    "v1 Pod | spec: {containers: [{CONTAINER, ports: [{name: HTTP, containerPort: 80}]}]}",
    "v1 Pod | spec: {containers: [{CONTAINER, ports: [{name: a, containerPort: 80}, {name: a, containerPort: 81}]}]}",
    "v1 Pod | spec: {hostNetwork: true, containers: [{CONTAINER, ports: [{containerPort: 80, hostPort: 81}]}]}",
)
_SERVICES = (
    "v1 Service | spec: {ports: []}",
    "v1 Service | spec: {}",
    "v1 Service |",
    "v1 Service | spec: {selector: {app: shop}, ports: [{port: 80, targetPort: '80'}]}",
    "v1 Service | spec: {selector: {app: shop}, ports: [{port: 80, targetPort: HTTP}]}",
    "v1 Service | spec: {selector: {app: shop}, ports: [{port: 80}, {port: 81}]}",
    "v1 Service | spec: {selector: {app: shop}, ports: [{name: a, port: 80}, {name: a, port: 81}]}",
    "v1 Service | spec: {type: Nodeport, selector: {app: shop}, ports: [{port: 80}]}",
)

WE_READ: Mapping[str, tuple[str, ...]] = {
    "a peer that names nothing": NAMES_NOTHING,
    "a field that we do not know": UNKNOWN_FIELD,
    "a field beside the spec says nothing about traffic": _IDLE_FIELDS,
    "API servers before 1.36 take addresses written like this": _OLDER_ADDRESSES,
    "older API servers serve this version": _OLDER_VERSIONS,
    "a type that is named twice isolates no more": ("policy policyTypes: [Ingress, Egress, Ingress]",),
    "a dump may leave containers out": _BARE_PODS,
    "which pods a workload adopts does not change what they reach": _DEPLOYMENTS,
    "names of ports and ports of nodes decide nothing more than they say": _PORTS,
    "a Service of another shape leads nowhere else": _SERVICES,
}
"""Reason to what the server refuses and we read."""

WE_REFUSE: Mapping[str, tuple[str, ...]] = {
    "an API server makes an empty string of null; whoever wrote it meant something else": (
        "policy podSelector: {matchLabels: {app: null}}",
        "policy podSelector: {matchExpressions: [{key: app, operator: In, values: [null]}]}",
        "v1 Pod labels={app: null} | spec: {CONTAINERS}",
    ),
    "a dry run does not look at ports of nodes; a real request is refused": (
        "v1 Service | spec: {type: NodePort, selector: {app: shop}, ports: [{port: 80, nodePort: 70000}]}",
    ),
}
"""Reason to what we refuse and the server takes."""
