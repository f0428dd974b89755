"""EgressFirewall (`k8s.ovn.org/v1`) and EgressNetworkPolicy (`network.openshift.io/v1`) -> FirewallText.

Both are ordered lists of Allow and Deny rules for what leaves the cluster. The first kind has ports and node selectors
besides; its plug-in refuses an object as a whole when it cannot read one rule, though the API server holds it. Sources:
the schemas of both kinds; ovn-kubernetes `pkg/crd/egressfirewall/v1`; openshift-sdn `egress_network_policy.go`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from audit.policy.clause import Action, Block, Clause, DomainNames, Nodes, Peer, Ports, UnknownPeer
from audit.policy.specs import SpecError, as_list, as_mapping, cidr, protocol_of, selector, within_ports
from audit.traffic import ALL, NONE, Traffic

OVN = "EgressFirewall"
SDN = "EgressNetworkPolicy"
_ACTIONS: dict[str, Action] = {"Allow": "allow", "Deny": "deny"}
_TARGETS = {OVN: ("cidrSelector", "dnsName", "nodeSelector"), SDN: ("cidrSelector", "dnsName")}
_RULE = {OVN: frozenset({"type", "to", "ports"}), SDN: frozenset({"type", "to"})}
_NAME = {
    OVN: re.compile(r"(\*\.)?([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+\.?"),
    SDN: re.compile(r"([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+\.?"),
}
_NO_ADDRESS = "0.0.0.0/32"
"""openshift-sdn takes it for every address: its first documentation said so."""


@dataclass(frozen=True, slots=True)
class FirewallText:
    """What one spec says."""

    clauses: tuple[Clause, ...]
    """In order: the first that matches decides; where none does, the connection is allowed."""
    gaps: tuple[str, ...] = ()
    """What cannot be read, for people; the plug-in may then refuse the object as a whole."""
    unknown: bool = False
    """True when the spec itself has a field that is not modelled."""


def lower(kind: str, spec: bytes) -> FirewallText:
    """What the JSON of one spec says. SpecError where an API server would refuse it."""
    raw = as_mapping(msgspec.json.decode(spec) if spec else {}, ())
    if raw.get("egress") is None:
        raise SpecError("`egress` is missing", ())
    gaps = [f"unknown field `{field}` in spec" for field in sorted(raw.keys() - {"egress"})]
    unknown = bool(gaps)
    clauses = tuple(_clause(kind, index, rule, gaps) for index, rule in enumerate(as_list(raw["egress"], ("egress",))))
    return FirewallText(clauses, tuple(gaps), unknown)


def _clause(kind: str, index: int, raw: Any, gaps: list[str]) -> Clause:
    path = ("egress", index)
    rule = as_mapping(raw, path)
    strange = sorted(rule.keys() - _RULE[kind])
    gaps += [f"unknown field `{name}` in rule {index}" for name in strange]
    action = _ACTIONS.get(str(rule.get("type")))
    if action is None:
        raise SpecError(f"unknown type `{rule.get('type')}`; it must be Allow or Deny", (*path, "type"))
    if rule.get("to") is None:
        raise SpecError("`to` is missing", path)
    peer = _peer(kind, index, rule["to"], gaps)
    ports = as_list(rule.get("ports"), (*path, "ports")) if kind == OVN else []
    found = _ports(ports, (*path, "ports"), gaps)
    unknown = bool(strange) or isinstance(peer, UnknownPeer) or bool(found.unknown)
    return Clause("egress", index, (peer,), found, unknown=unknown, action=action)


def _peer(kind: str, index: int, raw: Any, gaps: list[str]) -> Peer:
    """Where one rule leads; an UnknownPeer for what the API server holds and nobody can read."""
    path = ("egress", index, "to")
    fields = {key: value for key, value in as_mapping(raw, path).items() if value is not None}
    known = _TARGETS[kind]
    if strange := sorted(fields.keys() - set(known)):
        gaps.append(f"unknown field `{strange[0]}` in rule {index}")
        return UnknownPeer(f"a target with the unknown field `{strange[0]}`")
    if len(fields) != 1:
        if kind == OVN:
            raise SpecError(f"`to` needs exactly one of {', '.join(f'`{name}`' for name in known)}", path)
        gaps.append(f"not exactly one target in rule {index}")
        return UnknownPeer("not exactly one target")
    field, value = next(iter(fields.items()))
    match field:
        case "cidrSelector":
            return _block(kind, index, value, gaps)
        case "nodeSelector":
            return _nodes(index, value, gaps)
        case _:
            if not isinstance(value, str) or not _NAME[kind].fullmatch(value):
                raise SpecError(f"`{value}` is not a domain name", (*path, field))
            return DomainNames((value,))


def _nodes(index: int, raw: Any, gaps: list[str]) -> Peer:
    """The nodes of a rule. The schema checks types only, so the plug-in may find an operator that it does not know."""
    try:
        return Nodes(selector(raw, ("egress", index, "to", "nodeSelector")))
    except SpecError as error:
        if not _typed(raw):
            raise
        gaps.append(f"rule {index}: {error}")
        return UnknownPeer("nodes by a selector that cannot be read")


def _typed(raw: Any) -> bool:
    """Whether a selector has the types of the schema: texts, and a key and an operator in every expression."""
    if not isinstance(raw, dict):
        return False
    labels, listed = raw.get("matchLabels") or {}, raw.get("matchExpressions") or []
    return (
        isinstance(labels, dict)
        and all(isinstance(value, str) for value in labels.values())
        and isinstance(listed, list)
        and all(isinstance(one, dict) and _texts(one.get("key"), one.get("operator")) for one in listed)
        and all(isinstance(one.get("values") or [], list) and _texts(*(one.get("values") or [])) for one in listed)
    )


def _texts(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _block(kind: str, index: int, raw: Any, gaps: list[str]) -> Peer:
    """The block of a rule. The schema of one kind takes any text for one, and the plug-in then refuses the object."""
    path = ("egress", index, "to", "cidrSelector")
    try:
        addresses = cidr("0.0.0.0/0" if kind == SDN and raw == _NO_ADDRESS else raw, path)
    except SpecError:
        if kind == SDN or not isinstance(raw, str):
            raise
        gaps.append(f"`{raw}` in rule {index} is not a CIDR block")
        return UnknownPeer(f"`{raw}`, which is not a CIDR block")
    if kind == SDN and ":" in raw:
        raise SpecError(f"`{raw}` is not an IPv4 block", path)
    return Block(addresses, raw)


def _ports(listed: list[Any], path: tuple[str | int, ...], gaps: list[str]) -> Ports:
    """The ports of one rule; none listed means every port."""
    if not listed:
        return Ports(ALL)
    traffic, unknown = NONE, NONE
    for index, item in enumerate(listed):
        at = (*path, index)
        port = as_mapping(item, at)
        if strange := sorted(port.keys() - {"protocol", "port"}):
            gaps.append(f"unknown field `{strange[0]}` in a port of rule {path[1]}")
            unknown = ALL
            continue
        if port.get("protocol") is None:
            raise SpecError("`protocol` is missing", at)
        number = within_ports(port.get("port"), (*at, "port"))
        traffic |= Traffic.port_range(protocol_of(port["protocol"], (*at, "protocol")), number, number)
    return Ports(traffic, unknown=unknown)
