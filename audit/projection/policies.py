"""What is kept of policies: all that their dialects know, and the names of fields that they do not.

A field that nobody models makes a policy uncertain, so the dialects must see that it is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from audit.projection.nodes import SCALAR, SCALARS, SELECTOR, Each, Fields, Node, Pairs, scalars


def _fields(known: Mapping[str, Node]) -> Fields:
    return Fields(known, names=True)


_BLOCK = _fields({"cidr": SCALAR, "except": SCALARS})
_PEERS = Each(_fields({"podSelector": SELECTOR, "namespaceSelector": SELECTOR, "ipBlock": _BLOCK}))
_PORTS = Each(_fields(scalars("protocol port endPort")))
NETWORK_POLICY = _fields(
    {
        "podSelector": SELECTOR,
        "policyTypes": SCALARS,
        "ingress": Each(_fields({"from": _PEERS, "ports": _PORTS})),
        "egress": Each(_fields({"to": _PEERS, "ports": _PORTS})),
    }
)

_SPACES = _fields({**SELECTOR.known, "namespaceSelector": SELECTOR, "sameLabels": SCALARS, "notSameLabels": SCALARS})
"""A selector of namespaces, or what the first generation had in its place."""
_PODS = {"namespaceSelector": SELECTOR, "podSelector": SELECTOR}
_ADMIN_PEERS = Each(
    _fields(
        {
            "namespaces": _SPACES,
            "pods": _fields({**_PODS, "namespaces": _SPACES}),
            "nodes": SELECTOR,
            "networks": SCALARS,
            "domainNames": SCALARS,
        }
    )
)
_RANGE = _fields(scalars("protocol start end"))
_ADMIN_PORTS = Each(
    _fields({"portNumber": _fields(scalars("protocol port")), "portRange": _RANGE, "namedPort": SCALAR})
)
_PORT = _fields({"number": SCALAR, "range": _fields(scalars("start end"))})
_PROTOCOL = _fields({"destinationPort": _PORT})
_PROTOCOLS = Each(_fields({**dict.fromkeys(("tcp", "udp", "sctp"), _PROTOCOL), "destinationNamedPort": SCALAR}))


def _admin(ports: Mapping[str, Node]) -> Fields:
    rule = {**scalars("name action"), **ports}
    return _fields(
        {
            **scalars("priority tier"),
            "subject": _fields({"namespaces": SELECTOR, "pods": _fields(_PODS)}),
            "ingress": Each(_fields({**rule, "from": _ADMIN_PEERS})),
            "egress": Each(_fields({**rule, "to": _ADMIN_PEERS})),
        }
    )


ADMIN_POLICY = _admin({"ports": _ADMIN_PORTS})
CLUSTER_POLICY = _admin({"protocols": _PROTOCOLS})

_TARGETS = scalars("cidrSelector dnsName")
EGRESS_NETWORK_POLICY = _fields({"egress": Each(_fields({"type": SCALAR, "to": _fields(_TARGETS)}))})
EGRESS_FIREWALL = _fields(
    {
        "egress": Each(
            _fields(
                {
                    "type": SCALAR,
                    "to": _fields({**_TARGETS, "nodeSelector": SELECTOR}),
                    "ports": Each(_fields(scalars("protocol port"))),
                }
            )
        )
    }
)

_QUOTA = Fields(
    {
        "hard": Pairs(("storage", "persistentvolumeclaims")),
        "scopes": SCALARS,
        "scopeSelector": Fields({"matchExpressions": Each(Fields(scalars("scopeName")))}),
    }
)
RESOURCE_QUOTA = _QUOTA
CLUSTER_QUOTA = Fields({"quota": _QUOTA, "selector": Fields({"labels": SELECTOR, "annotations": Pairs()})})
