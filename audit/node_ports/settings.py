"""What the input says of the platform, as far as it decides which ports its nodes need.

Input: an Inventory. Output: Settings. Decisions: what is not in the input stays open (None) and becomes a condition; a
port that nobody set is the default of the product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit.exposure.publications import at, decoded, text
from audit.inventory import Inventory
from audit.node_ports.tables import KUBERNETES, OPENSHIFT_3, OPENSHIFT_4, PLUGIN, Row
from audit.profile import CLUSTER_NETWORK, EVIDENCE, NET_NAMESPACE, OPERATOR

READ = (*EVIDENCE, *NET_NAMESPACE, "DaemonSet", "Endpoints", "Infrastructure.config.openshift.io", "Node", "Service")
"""Kind keys that the list rests on."""
VXLAN, GENEVE, API, DNS = "4789", "6081", "8443", "8053"
"""Defaults; those of OpenShift 3 for its API and name service are the ones with several masters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Which rows apply, and with which ports."""

    platform: str
    """For people."""
    rows: tuple[Row, ...]
    states: Mapping[str, bool]
    """Condition -> whether it holds; left out where the input does not say."""
    ports: Mapping[str, str]
    notes: tuple[str, ...]

    def applies(self, row: Row) -> bool:
        """Whether it may apply."""
        return self.states.get(row.when, True)

    def certain(self, row: Row) -> bool:
        """Whether it certainly applies."""
        return not row.when or self.states.get(row.when, False)


def settings(inventory: Inventory) -> Settings:
    """What the input says."""
    profile = inventory.profile
    operator = _operator(inventory)
    products = {"openshift-4": "OpenShift 4", "openshift-3": "OpenShift 3"}
    rows = {"openshift-4": OPENSHIFT_4, "openshift-3": OPENSHIFT_3}
    plain = (*KUBERNETES, *PLUGIN.get(profile.plugin, ()))
    product = products.get(profile.product, "Kubernetes")
    return Settings(
        platform=f"{product} with {profile}" if profile.plugin not in ("spec", "unknown") else product,
        rows=rows.get(profile.product, plain),
        states=dict(_states(inventory, operator)),
        ports=_ports(inventory, operator),
        notes=tuple(_notes(inventory, operator)),
    )


def _operator(inventory: Inventory) -> Mapping[str, Any] | None:
    """`spec.defaultNetwork` of the network operator; None when the input does not hold it."""
    for entry in inventory.snapshot.of(OPERATOR):
        if entry.name == "cluster":
            found = at(decoded(entry.body.spec), "defaultNetwork")
            return found if isinstance(found, dict) else {}
    return None


def _states(inventory: Inventory, operator: Mapping[str, Any] | None) -> Iterator[tuple[str, bool]]:
    plugin = inventory.profile.plugin
    if inventory.profile.product == "openshift-4" and plugin in ("ovn-kubernetes", "openshift-sdn"):
        yield "geneve", plugin == "ovn-kubernetes"
        if plugin == "openshift-sdn":
            yield from (("vxlan", True), ("ipsec", False), ("ipsec-esp", False))
        elif operator is not None:
            ovn = at(operator, "ovnKubernetesConfig")
            yield "vxlan", isinstance(at(ovn, "hybridOverlayConfig"), dict)
            mode, always = _ipsec(ovn)
            yield from (("ipsec", mode), ("ipsec-esp", mode and not always))
    elif plugin == "ovn-kubernetes":
        yield "geneve", True
    if inventory.nodes and any(_opens_nodes(entry.body.spec) for entry in inventory.snapshot.of("Service")):
        yield "node-ports", True
    kinds = [_platform(decoded(one.body.status)) for one in inventory.snapshot.of("Infrastructure.config.openshift.io")]
    if kinds:
        yield "bare metal", "BareMetal" in kinds


def _platform(status: Mapping[str, Any]) -> str:
    return text(status, "platformStatus", "type") or text(status, "platform")


def _ipsec(ovn: Any) -> tuple[bool, bool]:
    """Whether nodes encrypt what they send each other, and whether always in UDP; an empty mapping is the old way."""
    config = at(ovn, "ipsecConfig")
    if not isinstance(config, dict):
        return False, False
    return text(config, "mode") in ("", "Full"), text(config, "full", "encapsulation") == "Always"


def _opens_nodes(spec: Any) -> bool:
    return spec is not None and spec.type in ("NodePort", "LoadBalancer")


def _ports(inventory: Inventory, operator: Mapping[str, Any] | None) -> dict[str, str]:
    geneve = at(operator, "ovnKubernetesConfig", "genevePort")
    vxlan = at(operator, "openshiftSDNConfig", "vxlanPort") or _overlay(inventory)
    hybrid = at(operator, "ovnKubernetesConfig", "hybridOverlayConfig", "hybridOverlayVXLANPort")
    named = _named_ports(inventory)
    return {
        "geneve": _number(geneve) or GENEVE,
        "vxlan": _number(vxlan) or _number(hybrid) or VXLAN,
        "api": named.get("https", API),
        "dns": named.get("dns", DNS),
    }


def _overlay(inventory: Inventory) -> int | None:
    """The port of the pod network by openshift-sdn's own object."""
    found = (entry.body.vxlanPort for key in CLUSTER_NETWORK for entry in inventory.snapshot.of(key))
    return next((port for port in found if port), None)


def _number(value: object) -> str:
    return str(value) if isinstance(value, int) and 0 < value < 1 << 16 else ""


def _named_ports(inventory: Inventory) -> dict[str, str]:
    """Name -> port of the Endpoints of the API; those of OpenShift 3 name the ones of its name service, too."""
    return {
        one.name: str(one.port)
        for entry in inventory.snapshot.of("Endpoints")
        if (entry.namespace, entry.name) == ("default", "kubernetes")
        for subset in entry.body.subsets or ()
        for one in subset.ports or ()
        if one.name and one.port
    }


def _notes(inventory: Inventory, operator: Mapping[str, Any] | None) -> Iterator[str]:
    profile = inventory.profile
    if profile.product == "openshift-4" and operator is None:
        yield "the input holds no Network of the operator: ports of the pod network are the defaults, IPsec is open"
    if profile.product == "openshift-3" and "https" not in _named_ports(inventory):
        yield f"the input holds no Endpoints of the API: its port may be 443 in place of {API}, names 53 for {DNS}"
    if profile.product in ("", "kubernetes") and profile.plugin not in PLUGIN:
        yield "the network plug-in is not known, or its ports are not: what its pod network needs comes on top"
