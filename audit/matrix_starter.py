"""A first zones.yaml from what a cluster has: the label that seems to carry the zone, its values, the platform."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from audit.matrix_schema import LABEL_KEY
from audit.model import Namespace, Node
from audit.zones import is_platform

_KNOWN: Final = (
    "network-zone", "networkzone", "zone", "security-zone", "network-security-zone", "netzone", "trust-zone", "segment",
    "network-segment", "tier", "security-tier",
)  # fmt: skip
"""Keys that carry the zone by convention, most telling first; a prefix such as `example.org/` is ignored."""
_NO_ZONE: Final = re.compile(
    r"(.*\.)?(kubernetes\.io|k8s\.io|openshift\.io|helm\.sh|istio\.io)/.*|name|app|owner|team|project|istio-injection"
)
"""Keys of the platform and of deployment tools, whose values are no zones."""
_VALUE: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_FREE_KEY_SHARE: Final = 2
"""A key that is no known one must stand on at least one in two application namespaces."""
_HEAD: Final = """\
# A first zone matrix, made from what the cluster has. Go through it from top to bottom: what is guessed says so.
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata:
  name: {name}
  # version, owner, approved_by, approved_on, review_by and ticket are printed on the cover of reports.
"""
_DEFAULTS: Final = """\
# What holds for pairs of zones without a row below.
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
"""
_FLOWS: Final = """\
# One row per direction of connection set-up; replies are implied. Example:
# - id: ZM-0001
#   from: {source}
#   to: {target}
#   access: allow-only          # allow-all | block-all | allow-only | block-only
#   services: [tcp/8443]        # tcp/80, tcp/67-68, udp/*, sctp/3868, icmp/8, any, or a name from service_groups
#   justification: why the business needs it
#   owner: who answers for it
flows: []
"""


def starter(namespaces: Iterable[Namespace], nodes: Iterable[Node]) -> str:
    """The text of the file: it loads without error and gives every namespace with the guessed label its zone."""
    spaces = sorted((ns for ns in namespaces if ns.known), key=lambda ns: ns.name)
    key = _zone_key([ns.labels for ns in spaces if not is_platform(ns.name)])
    values = Counter(ns.labels[key] for ns in spaces if key and _VALUE.fullmatch(ns.labels.get(key, "")))
    zones = _by_name(values)
    platform = any(is_platform(ns.name) for ns in spaces)
    unlabelled = [ns.name for ns in spaces if not is_platform(ns.name) and (not key or key not in ns.labels)]
    parts = [
        _HEAD.format(name="starter"),
        _settings(key, _node_key(key, [node.labels for node in nodes])),
        _DEFAULTS,
        "zones:",
        *(_zone(name, spellings, key, sum(values[v] for v in spellings)) for name, spellings in zones.items()),
    ]
    if unlabelled:
        parts.append(_unlabelled(unlabelled))
    if platform:
        parts.append(_special("platform", zones, "openshift-*, kube-*, default, unless another zone selects them"))
    parts.append(_special("internet", zones, "every address that is in no cidrs of another zone"))
    first, second = [*zones, "dmz", "internal"][:2]
    return "\n".join(part.rstrip("\n") for part in parts) + "\n" + _FLOWS.format(source=first, target=second)


def _zone_key(labels: list[Mapping[str, str]]) -> str:
    """The label key that parts applications into zones, by convention or by how it is spread; empty if none."""
    usable_key = re.compile(LABEL_KEY)
    carriers = Counter(
        key
        for each in labels
        for key, value in each.items()
        if _VALUE.fullmatch(value) and usable_key.fullmatch(key) and not _NO_ZONE.fullmatch(key)
    )
    known = [key for key in carriers if key.rpartition("/")[2] in _KNOWN]
    if known:
        return min(known, key=lambda key: (_KNOWN.index(key.rpartition("/")[2]), -carriers[key], key))
    spread = {key: len({each[key] for each in labels if key in each}) for key in carriers}
    usable = [
        key
        for key, values in spread.items()
        if carriers[key] * _FREE_KEY_SHARE >= len(labels) and 1 < values <= carriers[key] // 2
    ]
    return min(usable, key=lambda key: (-carriers[key], spread[key], key), default="")


def _node_key(key: str, labels: list[Mapping[str, str]]) -> str:
    return key if any(key in each for each in labels) else ""


def _by_name(values: Mapping[str, int]) -> dict[str, list[str]]:
    """Zone name to the label values that mean it: values that differ in case only are one zone."""
    zones: dict[str, list[str]] = {}
    for value in sorted(values):
        zones.setdefault(value.lower(), []).append(value)
    return dict(sorted(zones.items()))


def _settings(key: str, node_key: str) -> str:
    if not key:
        return (
            "# No namespace label was found that parts the applications into zones: label the namespaces, for example\n"
            "# network-zone=dmz, or select them by name under select.namespaces of each zone.\n"
            "settings: {zone_labels: [network-zone]}"
        )
    lines = [
        "settings:",
        f"  zone_labels: [{_quoted(key)}]  # guessed: the namespace label whose values look like zones",
    ]
    if node_key:
        lines.append(f"  node_labels: [{_quoted(node_key)}]")
    lines.append("  # zoning_owners: [Group/netsec]  # who may change what zoning rests on")
    return "\n".join(lines)


def _zone(name: str, spellings: list[str], key: str, count: int) -> str:
    many = f"{count} namespace{'s' if count != 1 else ''}"
    lines = [
        f"- name: {_quoted(name)}  # {many}",
        "  trust: 50  # 0-100: fill in, it orders the heat map",
        "  kind: cluster",
        "  # owner: who answers for the zone",
        "  # cidrs: [10.20.0.0/16]  # addresses outside the cluster that belong to the zone",
    ]
    if spellings != [name]:
        values = ", ".join(_quoted(value) for value in spellings)
        expression = f"{{key: {_quoted(key)}, operator: In, values: [{values}]}}"
        lines.append(f"  select: {{namespaces: {{matchExpressions: [{expression}]}}}}")
    return "\n".join(lines)


def _unlabelled(names: list[str]) -> str:
    shown = ", ".join(_quoted(name) for name in names[:10]) + (", ..." if len(names) > 10 else "")  # noqa: PLR2004
    return f"# application namespaces without a zone label ({len(names)}): {shown}"


def _special(kind: str, taken: Iterable[str], what: str) -> str:
    """The zone of kind `platform` or `internet`; where a label value has that name the zone gets another."""
    names = set(taken)
    name = next(name for name in (kind, *(f"{kind}-{n}" for n in range(2, len(names) + 3))) if name not in names)
    return f"- name: {name}  # {what}\n  trust: {100 if kind == 'platform' else 0}\n  kind: {kind}"


def _quoted(text: str) -> str:
    """The text as a YAML scalar; double quotes only where a bare word would be read as something else."""
    bare = re.fullmatch(r"[a-z][a-z./-]*[a-z]", text) and text not in (
        "yes",
        "no",
        "on",
        "off",
        "true",
        "false",
        "null",
    )
    return text if bare else json.dumps(text)
