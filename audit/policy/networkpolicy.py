"""NetworkPolicy (`networking.k8s.io/v1` and `extensions/v1beta1`) -> PolicyText.

Reads a spec as the API server would store it: `null` rules become empty rules, `from: []` means absent, the protocol is
TCP unless said otherwise, and `policyTypes` defaults to Ingress, plus Egress when there is at least one egress rule
(source: `pkg/apis/networking/v1/defaults.go`). What an API server would refuse raises; what it would store and nobody
models is a gap.
"""

from __future__ import annotations

from typing import Any

import msgspec

from audit.policy.clause import (
    DIRECTIONS,
    AnyPeer,
    Block,
    Clause,
    Direction,
    OwnPods,
    Peer,
    PolicyText,
    Ports,
    SelectedPods,
    UnknownPeer,
)
from audit.policy.specs import SpecError, as_list, as_mapping, cidr, protocol_of, selector, within_ports
from audit.traffic import ALL, NONE, Traffic

_SPEC = frozenset({"podSelector", "policyTypes", "ingress", "egress"})
_PEER = frozenset({"podSelector", "namespaceSelector", "ipBlock"})
_PORT = frozenset({"protocol", "port", "endPort"})
_PEER_FIELD = {"ingress": "from", "egress": "to"}
_PORT_NAME = 15
"""Longest port name (IANA service name, RFC 6335)."""


def lower(spec: bytes) -> PolicyText:
    """What the JSON of one `spec` says; an absent spec is an empty one. SpecError where the API server would refuse."""
    raw = msgspec.json.decode(spec) if spec else {}
    raw = {} if raw is None else raw
    if not isinstance(raw, dict):
        raise SpecError("`spec` must be a mapping", ())
    gaps = [f"unknown field `{field}` in spec" for field in sorted(raw.keys() - _SPEC)]
    unknown = bool(gaps)
    invalid: list[str] = []
    clauses: list[Clause] = []
    rules: dict[Direction, int] = {}
    for direction in DIRECTIONS:
        listed = as_list(raw.get(direction), (direction,))
        rules[direction] = len(listed)
        clauses += [_clause(direction, index, rule, gaps, invalid) for index, rule in enumerate(listed)]
    isolates = _types(raw.get("policyTypes"), has_egress=rules["egress"] > 0)
    inert = tuple(
        f"{direction} rules are ignored: policyTypes does not list {direction.title()}"
        for direction, count in rules.items()
        if count and direction not in isolates
    )
    return PolicyText(
        subject=selector(raw.get("podSelector"), ("podSelector",)),
        isolates=isolates,
        clauses=tuple(clause for clause in clauses if clause.direction in isolates),
        unlisted=tuple(clause for clause in clauses if clause.direction not in isolates),
        inert=inert,
        gaps=tuple(gaps),
        invalid=tuple(invalid),
        unknown=unknown,
    )


def _types(raw: Any, *, has_egress: bool) -> tuple[Direction, ...]:
    listed = as_list(raw, ("policyTypes",))
    for index, value in enumerate(listed):
        if value not in ("Ingress", "Egress"):
            raise SpecError(f"unknown policy type `{value}`; it must be Ingress or Egress", ("policyTypes", index))
    if not listed:
        return ("ingress", "egress") if has_egress else ("ingress",)
    return tuple(direction for direction in DIRECTIONS if direction.title() in listed)


def _clause(direction: Direction, index: int, raw: Any, gaps: list[str], invalid: list[str]) -> Clause:
    path = (direction, index)
    rule = as_mapping(raw, path)
    field = _PEER_FIELD[direction]
    strange = sorted(rule.keys() - {field, "ports"})
    gaps += [f"unknown field `{name}` in {direction} rule {index}" for name in strange]
    listed = as_list(rule.get(field), (*path, field))
    peers: list[Peer] = [] if listed else [AnyPeer()]
    for number, item in enumerate(listed):
        peer = _peer(item, (*path, field, number), gaps)
        if peer is None:
            invalid.append(f"{direction} rule {index}: peer {number} names nothing")
        else:
            peers.append(peer)
    ports = _ports(as_list(rule.get("ports"), (*path, "ports")), (*path, "ports"), gaps)
    return Clause(direction, index, tuple(peers), ports, unknown=bool(strange))


def _peer(raw: Any, path: tuple[str | int, ...], gaps: list[str]) -> Peer | None:
    """One peer; None for a peer without any field, which matches nothing."""
    peer = as_mapping(raw, path)
    if strange := sorted(peer.keys() - _PEER):
        gaps.append(f"unknown field `{strange[0]}` in a peer of {path[0]} rule {path[1]}")
        return UnknownPeer(f"a peer with the unknown field `{strange[0]}`")
    block, namespaces, pods = (peer.get(name) for name in ("ipBlock", "namespaceSelector", "podSelector"))
    if block is not None:
        if namespaces is not None or pods is not None:
            raise SpecError("`ipBlock` cannot stand beside a selector in one peer; make it a peer of its own", path)
        return _block(block, (*path, "ipBlock"), gaps)
    if namespaces is not None:
        among = selector(namespaces, (*path, "namespaceSelector"))
        return SelectedPods(among, selector(pods, (*path, "podSelector")), bare=pods is None)
    return OwnPods(selector(pods, (*path, "podSelector"))) if pods is not None else None


def _block(raw: Any, path: tuple[str | int, ...], gaps: list[str]) -> Peer:
    block = as_mapping(raw, path)
    if strange := sorted(block.keys() - {"cidr", "except"}):
        gaps.append(f"unknown field `{strange[0]}` in an ipBlock of {path[0]} rule {path[1]}")
        return UnknownPeer(f"an ipBlock with the unknown field `{strange[0]}`")
    whole = cidr(block.get("cidr"), (*path, "cidr"))
    holes = as_list(block.get("except"), (*path, "except"))
    addresses = whole
    for number, hole in enumerate(holes):
        cut = cidr(hole, (*path, "except", number))
        if not cut <= whole or cut == whole:
            raise SpecError(f"`{hole}` must be a strict part of `{block['cidr']}`", (*path, "except", number))
        addresses -= cut
    text = str(block["cidr"]) + (f" except {', '.join(map(str, holes))}" if holes else "")
    return Block(addresses, text, holes=bool(holes))


def _ports(listed: list[Any], path: tuple[str | int, ...], gaps: list[str]) -> Ports:
    if not listed:
        return Ports(ALL)
    traffic, unknown = NONE, NONE
    named: set[tuple[str, str]] = set()
    unknown_named = False
    for index, item in enumerate(listed):
        port = as_mapping(item, (*path, index))
        if strange := sorted(port.keys() - _PORT):
            gaps.append(f"unknown field `{strange[0]}` in a port of {path[0]} rule {path[1]}")
            unknown, unknown_named = ALL, unknown_named or isinstance(port.get("port"), str)
            continue
        number, protocol = port.get("port"), protocol_of(port.get("protocol"), (*path, index, "protocol"))
        if isinstance(number, str):
            _check_name(number, port, (*path, index))
            named.add((number, protocol))
        else:
            traffic |= _numeric(protocol, number, port.get("endPort"), (*path, index))
    return Ports(traffic, tuple(sorted(named)), unknown, unknown_named)


def _check_name(name: str, port: dict[str, Any], path: tuple[str | int, ...]) -> None:
    if port.get("endPort") is not None:
        raise SpecError("`endPort` needs a numeric `port`", (*path, "endPort"))
    legal = 0 < len(name) <= _PORT_NAME and all(char in "abcdefghijklmnopqrstuvwxyz0123456789-" for char in name)
    if not legal or name.startswith("-") or name.endswith("-") or "--" in name or not any(map(str.isalpha, name)):
        hint = "; write the number without quotes" if name.isdigit() else ""
        raise SpecError(f"`{name}` is not a port name{hint}", (*path, "port"))


def _numeric(protocol: str, number: Any, end: Any, path: tuple[str | int, ...]) -> Traffic:
    if number is None:
        if end is not None:
            raise SpecError("`endPort` needs a numeric `port`", (*path, "endPort"))
        return Traffic.of(protocol)
    low = within_ports(number, (*path, "port"))
    high = low if end is None else within_ports(end, (*path, "endPort"))
    if high < low:
        raise SpecError(f"`endPort` {high} is below `port` {low}", (*path, "endPort"))
    return Traffic.port_range(protocol, low, high)
