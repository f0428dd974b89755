"""ZoneMatrix -> a tree in the shape of zones.yaml, and its canonical text."""

from __future__ import annotations

from typing import Any

from audit.model import Flow, MatrixMetadata, Settings, Zone, ZoneMatrix
from audit.selectors import LabelSelector


def dump(matrix: ZoneMatrix) -> str:
    """Canonical YAML; reading it gives the same matrix but for file, lines and digest. Comments do not survive."""
    import yaml

    # A long line is folded only where the text has blanks; never folding keeps every text byte for byte.
    return yaml.dump(
        tree(matrix),
        Dumper=yaml.CSafeDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=1 << 20,
    )


def tree(matrix: ZoneMatrix) -> dict[str, Any]:
    """The mapping that `dump` writes, fields in the order of the documentation."""
    defaults = matrix.defaults
    body: dict[str, Any] = {
        "apiVersion": "zone-audit/v1",
        "kind": "ZoneMatrix",
        "metadata": metadata_tree(matrix.metadata),
        "settings": settings_tree(matrix.settings),
        "defaults": {
            "inter_zone": defaults.inter_zone,
            "intra_zone": defaults.intra_zone,
            "unzoned": defaults.unzoned,
            "severity": defaults.severity,
        },
    }
    if matrix.service_groups:
        body["service_groups"] = {name: list(services) for name, services in matrix.service_groups.items()}
    return body | {"zones": [zone_tree(zone) for zone in matrix.zones], "flows": [flow_tree(f) for f in matrix.flows]}


def metadata_tree(metadata: MatrixMetadata) -> dict[str, Any]:
    """`metadata`."""
    names = ("name", "version", "owner", "approved_by", "approved_on", "review_by", "ticket")
    return _given({name: getattr(metadata, name) for name in names})


def settings_tree(settings: Settings) -> dict[str, Any]:
    """`settings`."""
    return {"zone_labels": list(settings.zone_labels), "node_labels": list(settings.node_labels)} | _given(
        {
            "cluster_mode": settings.cluster_mode,
            "cluster_zone": settings.cluster_zone,
            "pod_network": settings.pod_network,
            "router_nodes": settings.router_nodes,
            "zoning_owners": list(settings.zoning_owners),
        }
    )


def zone_tree(zone: Zone) -> dict[str, Any]:
    """One item of `zones`."""
    selectors = {
        name: selector_tree(selector)
        for name, selector in (("namespaces", zone.namespaces), ("nodes", zone.nodes))
        if selector is not None
    }
    ingress = _given(
        {
            "ingressControllers": list(zone.ingress_controllers),
            "ingressClasses": list(zone.ingress_classes),
            "addresses": list(zone.ingress_addresses),
        }
    )
    return (
        _given({"name": zone.name, "title": zone.title})
        | {"trust": zone.trust, "kind": zone.kind}
        | _given(
            {
                "owner": zone.owner,
                "select": selectors | _given({"ingress": ingress, "storageClasses": list(zone.storage_classes)}),
                "cidrs": list(zone.cidrs.cidrs()),
                "egress_cidrs": list(zone.egress_cidrs.cidrs()),
                "requires": list(zone.requires),
            }
        )
    )


def selector_tree(selector: LabelSelector) -> dict[str, Any]:
    """A label selector as the API writes it: `matchLabels` where one value is asked for, `matchExpressions` else."""
    labels: dict[str, str] = {}
    expressions: list[dict[str, Any]] = []
    for requirement in selector.requirements:
        if requirement.operator == "In" and len(requirement.values) == 1 and requirement.key not in labels:
            labels[requirement.key] = requirement.values[0]
        else:
            values = {"values": list(requirement.values)} if requirement.values else {}
            expressions.append({"key": requirement.key, "operator": requirement.operator} | values)
    return _given({"matchLabels": labels, "matchExpressions": expressions})


def flow_tree(flow: Flow) -> dict[str, Any]:
    """One item of `flows`."""
    return {"id": flow.id, "from": flow.source, "to": flow.target, "access": flow.access} | _given(
        {
            "services": list(flow.services),
            "severity": flow.severity,
            "justification": flow.justification,
            "owner": flow.owner,
            "ticket": flow.ticket,
            "controls": list(flow.controls),
            "review_by": flow.review_by,
            "comment": flow.comment,
        }
    )


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
