"""NetworkPolicy (`networking.k8s.io/v1` and `extensions/v1beta1`) -> PolicyText.

Reads a spec as the API server would store it: `null` rules become empty rules, `from: []` means absent, the protocol is
TCP unless said otherwise, and `policyTypes` defaults to Ingress, plus Egress when there is at least one egress rule
(source: `pkg/apis/networking/v1/defaults.go`). What an API server would refuse raises; what it would store and nobody
models is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from audit.selectors import EVERYTHING, LabelSelector
from audit.traffic import ALL, NONE, PROTOCOLS, AddressSet, Traffic

_SPEC = frozenset({"podSelector", "policyTypes", "ingress", "egress"})
_PEER = frozenset({"podSelector", "namespaceSelector", "ipBlock"})
_PORT = frozenset({"protocol", "port", "endPort"})
_PEER_FIELD = {"ingress": "from", "egress": "to"}
_PORT_NAME = 15
"""Longest port name (IANA service name, RFC 6335)."""


class SpecError(ValueError):
    """A spec that no API server would hold; `path` leads to the field, from the spec's own fields down."""

    def __init__(self, message: str, path: Sequence[str | int]) -> None:
        super().__init__(message)
        self.path = tuple(path)


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
        listed = _list(raw.get(direction), (direction,))
        rules[direction] = len(listed)
        clauses += [_clause(direction, index, rule, gaps, invalid) for index, rule in enumerate(listed)]
    isolates = _types(raw.get("policyTypes"), has_egress=rules["egress"] > 0)
    inert = tuple(
        f"{direction} rules are ignored: policyTypes does not list {direction.title()}"
        for direction, count in rules.items()
        if count and direction not in isolates
    )
    return PolicyText(
        subject=_selector(raw.get("podSelector"), ("podSelector",)),
        isolates=isolates,
        clauses=tuple(clause for clause in clauses if clause.direction in isolates),
        inert=inert,
        gaps=tuple(gaps),
        invalid=tuple(invalid),
        unknown=unknown,
    )


def _types(raw: Any, *, has_egress: bool) -> tuple[Direction, ...]:
    listed = _list(raw, ("policyTypes",))
    for index, value in enumerate(listed):
        if value not in ("Ingress", "Egress"):
            raise SpecError(f"unknown policy type `{value}`; it must be Ingress or Egress", ("policyTypes", index))
    if not listed:
        return ("ingress", "egress") if has_egress else ("ingress",)
    return tuple(direction for direction in DIRECTIONS if direction.title() in listed)


def _clause(direction: Direction, index: int, raw: Any, gaps: list[str], invalid: list[str]) -> Clause:
    path = (direction, index)
    rule = _mapping(raw, path)
    field = _PEER_FIELD[direction]
    strange = sorted(rule.keys() - {field, "ports"})
    gaps += [f"unknown field `{name}` in {direction} rule {index}" for name in strange]
    listed = _list(rule.get(field), (*path, field))
    peers: list[Peer] = [] if listed else [AnyPeer()]
    for number, item in enumerate(listed):
        peer = _peer(item, (*path, field, number), gaps)
        if peer is None:
            invalid.append(f"{direction} rule {index}: peer {number} names nothing")
        else:
            peers.append(peer)
    ports = _ports(_list(rule.get("ports"), (*path, "ports")), (*path, "ports"), gaps)
    return Clause(direction, index, tuple(peers), ports, unknown=bool(strange))


def _peer(raw: Any, path: tuple[str | int, ...], gaps: list[str]) -> Peer | None:
    """One peer; None for a peer without any field, which matches nothing."""
    peer = _mapping(raw, path)
    if strange := sorted(peer.keys() - _PEER):
        gaps.append(f"unknown field `{strange[0]}` in a peer of {path[0]} rule {path[1]}")
        return UnknownPeer(f"a peer with the unknown field `{strange[0]}`")
    block, namespaces, pods = (peer.get(name) for name in ("ipBlock", "namespaceSelector", "podSelector"))
    if block is not None:
        if namespaces is not None or pods is not None:
            raise SpecError("`ipBlock` cannot stand beside a selector in one peer; make it a peer of its own", path)
        return _block(block, (*path, "ipBlock"), gaps)
    if namespaces is not None:
        return SelectedPods(
            _selector(namespaces, (*path, "namespaceSelector")), _selector(pods, (*path, "podSelector"))
        )
    return OwnPods(_selector(pods, (*path, "podSelector"))) if pods is not None else None


def _block(raw: Any, path: tuple[str | int, ...], gaps: list[str]) -> Peer:
    block = _mapping(raw, path)
    if strange := sorted(block.keys() - {"cidr", "except"}):
        gaps.append(f"unknown field `{strange[0]}` in an ipBlock of {path[0]} rule {path[1]}")
        return UnknownPeer(f"an ipBlock with the unknown field `{strange[0]}`")
    whole = _cidr(block.get("cidr"), (*path, "cidr"))
    holes = _list(block.get("except"), (*path, "except"))
    addresses = whole
    for number, hole in enumerate(holes):
        cut = _cidr(hole, (*path, "except", number))
        if not cut <= whole or cut == whole:
            raise SpecError(f"`{hole}` must be a strict part of `{block['cidr']}`", (*path, "except", number))
        addresses -= cut
    text = str(block["cidr"]) + (f" except {', '.join(map(str, holes))}" if holes else "")
    return Block(addresses, text)


def _cidr(raw: Any, path: tuple[str | int, ...]) -> AddressSet:
    if not isinstance(raw, str):
        raise SpecError("a CIDR block is needed here, such as `10.0.0.0/8`", path)
    try:
        return AddressSet.cidr(raw)
    except ValueError:
        raise SpecError(f"`{raw}` is not a CIDR block", path) from None


def _ports(listed: list[Any], path: tuple[str | int, ...], gaps: list[str]) -> Ports:
    if not listed:
        return Ports(ALL)
    traffic, unknown = NONE, False
    named: set[tuple[str, str]] = set()
    for index, item in enumerate(listed):
        port = _mapping(item, (*path, index))
        if strange := sorted(port.keys() - _PORT):
            gaps.append(f"unknown field `{strange[0]}` in a port of {path[0]} rule {path[1]}")
            unknown = True
            continue
        number, protocol = port.get("port"), _protocol(port.get("protocol"), (*path, index, "protocol"))
        if isinstance(number, str):
            _check_name(number, port, (*path, index))
            named.add((number, protocol))
        else:
            traffic |= _numeric(protocol, number, port.get("endPort"), (*path, index))
    return Ports(traffic, tuple(sorted(named)), unknown)


def _protocol(raw: Any, path: tuple[str | int, ...]) -> str:
    if raw is None:
        return "TCP"
    if raw not in PROTOCOLS:
        raise SpecError(f"unknown protocol `{raw}`; it must be TCP, UDP or SCTP", path)
    return str(raw)


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
    for value, field in ((number, "port"), (end, "endPort")):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535):  # noqa: PLR2004
            raise SpecError(f"port `{value}` is not within 1-65535", (*path, field))
    if end is not None and end < number:
        raise SpecError(f"`endPort` {end} is below `port` {number}", (*path, "endPort"))
    return Traffic.port_range(protocol, number, end or number)


def _selector(raw: Any, path: tuple[str | int, ...]) -> LabelSelector:
    if raw is None:
        return EVERYTHING
    try:
        return LabelSelector.parse(raw)
    except ValueError as error:
        raise SpecError(str(error), path) from None


def _list(raw: Any, path: tuple[str | int, ...]) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise SpecError(f"`{path[-1]}` must be a list", path)
    return raw


def _mapping(raw: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise SpecError("a mapping is needed here", path)
    return raw
