"""AdminNetworkPolicy, BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy (v1alpha2) -> AdminText.

Both generations of the v1alpha1 schema are read: the flat one (`namespaces: {matchLabels: ...}`, `nodes`, `networks`)
and the first one (`namespaces: {namespaceSelector | sameLabels | notSameLabels}`). Sources: network-policy-api
`apis/v1alpha1`, `apis/v1alpha2`; KEP-2091.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from audit.policy.clause import (
    DIRECTIONS,
    UNPLACED,
    Action,
    AdminText,
    AnyPeer,
    Block,
    Clause,
    Direction,
    DomainNames,
    Nodes,
    Peer,
    Ports,
    Relation,
    SelectedPods,
    Tier,
    UnknownPeer,
)
from audit.policy.specs import SpecError, as_list, as_mapping, cidr, protocol_of, selector, within_ports
from audit.selectors import EVERYTHING, LabelSelector
from audit.traffic import ALL, NONE, PROTOCOLS, Traffic

ADMIN_KINDS: dict[str, Tier] = {"AdminNetworkPolicy": "admin", "BaselineAdminNetworkPolicy": "baseline"}
_ACTIONS: dict[str, Action] = {"Allow": "allow", "Accept": "allow", "Deny": "deny", "Pass": "pass"}
_MOST = 1000
"""Highest priority value of the API."""
_SPEC = frozenset({"priority", "subject", "ingress", "egress", "tier"})
_PEER_FIELD = {"ingress": "from", "egress": "to"}
_PROTOCOL = frozenset({"protocol"})
_FIRST = frozenset({"namespaceSelector", "sameLabels", "notSameLabels"})
"""Fields of `namespaces` in the first generation."""
_ONLY_EGRESS = frozenset({"nodes", "networks", "domainNames"})


def lower(kind: str, spec: bytes) -> AdminText:
    """What one spec says. SpecError where an API server would refuse it; unknown fields are gaps."""
    raw = as_mapping(msgspec.json.decode(spec) if spec else {}, ())
    gaps = [f"unknown field `{field}` in spec" for field in sorted(raw.keys() - _SPEC)]
    if strange := bool(gaps):
        gaps[0] += ": everything it may decide is unknown"
    namespaces, pods = _subject(raw.get("subject"), gaps)
    clauses = [
        _clause(kind, direction, index, rule, gaps)
        for direction in DIRECTIONS
        for index, rule in enumerate(as_list(raw.get(direction), (direction,)))
    ]
    return AdminText(
        tier=_tier(kind, raw),
        priority=_priority(kind, raw),
        namespaces=namespaces,
        pods=pods,
        clauses=tuple(clauses),
        gaps=tuple(gaps),
        unknown=strange,
    )


def _tier(kind: str, raw: dict[str, Any]) -> Tier:
    if kind in ADMIN_KINDS:
        return ADMIN_KINDS[kind]
    value = raw.get("tier")
    if value not in ("Admin", "Baseline"):
        raise SpecError(f"unknown tier `{value}`; it must be Admin or Baseline", ("tier",))
    return "admin" if value == "Admin" else "baseline"


def _priority(kind: str, raw: dict[str, Any]) -> int:
    if kind == "BaselineAdminNetworkPolicy":
        return UNPLACED
    value = raw.get("priority")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise SpecError(f"priority `{value}` is not within 0-{_MOST}", ("priority",))
    return value


def _subject(raw: Any, gaps: list[str]) -> tuple[LabelSelector, LabelSelector]:
    """(namespaces, pods) that the policy selects."""
    subject = as_mapping(raw, ("subject",))
    fields = sorted(key for key, value in subject.items() if value is not None)
    if len(fields) != 1 or fields[0] not in ("namespaces", "pods"):
        raise SpecError("`subject` needs exactly one of `namespaces` and `pods`", ("subject",))
    path = ("subject", fields[0])
    if fields[0] == "namespaces":
        return selector(subject["namespaces"], path), EVERYTHING
    pods = as_mapping(subject["pods"], path)
    gaps += [
        f"unknown field `{name}` in subject" for name in sorted(pods.keys() - {"namespaceSelector", "podSelector"})
    ]
    spaces = selector(pods.get("namespaceSelector"), (*path, "namespaceSelector"))
    return spaces, selector(pods.get("podSelector"), (*path, "podSelector"))


def _clause(kind: str, direction: Direction, index: int, raw: Any, gaps: list[str]) -> Clause:
    path = (direction, index)
    rule = as_mapping(raw, path)
    ports = "protocols" if kind == "ClusterNetworkPolicy" else "ports"
    strange = sorted(rule.keys() - {"name", "action", _PEER_FIELD[direction], ports})
    gaps += [f"unknown field `{name}` in {direction} rule {index}" for name in strange]
    action = _ACTIONS.get(str(rule.get("action")))
    legal = {"ClusterNetworkPolicy": ("Accept", "Deny", "Pass"), "AdminNetworkPolicy": ("Allow", "Deny", "Pass")}
    if action is None or rule["action"] not in legal.get(kind, ("Allow", "Deny")):
        raise SpecError(f"unknown action `{rule.get('action')}`", (*path, "action"))
    peers = _peers(kind, direction, rule, (*path, _PEER_FIELD[direction]), gaps)
    read = _protocols if kind == "ClusterNetworkPolicy" else _ports
    found = as_list(rule.get(ports), (*path, ports))
    clause = Clause(
        direction,
        index,
        tuple(peer for peer in peers if peer is not None),
        read(found, (*path, ports), gaps) if found else Ports(ALL),
        unknown=bool(strange),
        action=action,
        name=str(rule.get("name") or ""),
    )
    return _closed(clause) if None in peers else clause


def _closed(clause: Clause) -> Clause:
    """A rule with a peer that sets no field: as an Allow it matches nothing, otherwise it denies everything."""
    if clause.action == "allow":
        return replace(clause, peers=())
    return replace(clause, peers=(AnyPeer(),), ports=Ports(ALL), action="deny")


def _peers(
    kind: str, direction: Direction, rule: dict[str, Any], path: tuple[str | int, ...], gaps: list[str]
) -> list[Peer | None]:
    """The peers of one rule; None for one that sets no field."""
    listed = as_list(rule.get(_PEER_FIELD[direction]), path)
    if not listed:
        raise SpecError(f"`{_PEER_FIELD[direction]}` needs at least one peer", path)
    return [one for number, item in enumerate(listed) for one in _peer(kind, direction, item, (*path, number), gaps)]


def _peer(
    kind: str, direction: Direction, raw: Any, path: tuple[str | int, ...], gaps: list[str]
) -> Iterator[Peer | None]:
    peer = {key: value for key, value in as_mapping(raw, path).items() if value is not None and value != []}
    where = f"a peer of {path[0]} rule {path[1]}"
    known = {"namespaces", "pods"} | (_ONLY_EGRESS if direction == "egress" else set())
    if len(peer) > 1 and peer.keys() <= known:
        raise SpecError("a peer needs exactly one field", path)
    if strange := sorted(peer.keys() - known):
        gaps.append(f"unknown field `{strange[0]}` in {where}")
        yield UnknownPeer(f"a peer with unknown field `{strange[0]}`")
        return
    if not peer:
        gaps.append(f"no field in {where}")
        yield None
        return
    first = kind != "ClusterNetworkPolicy"
    field, value = next(iter(peer.items()))
    match field:
        case "namespaces":
            yield _namespaces(value, EVERYTHING, (*path, field), gaps, first=first)
        case "pods":
            yield _pods(value, (*path, field), gaps, first=first)
        case "nodes":
            yield Nodes(selector(value, (*path, field)))
        case "networks":
            blocks = as_list(value, (*path, field))
            for number, text in enumerate(blocks):
                yield Block(cidr(text, (*path, field, number)), str(text))
        case _:
            yield DomainNames(tuple(sorted(str(name) for name in as_list(value, (*path, field)))))


def _namespaces(raw: Any, pods: LabelSelector, path: tuple[str | int, ...], gaps: list[str], *, first: bool) -> Peer:
    """`first`: the kind once had the fields of the first generation; one of them stands alone."""
    spaces = {key: value for key, value in as_mapping(raw, path).items() if value is not None}
    old = sorted(_FIRST & spaces.keys())
    if not old:
        return SelectedPods(selector(spaces, path), pods)
    if not first or len(spaces) > 1:
        gaps.append(f"unknown field `{old[0]}` in a namespaces peer")
        return UnknownPeer(f"a peer with unknown field `{old[0]}`")
    at = (*path, old[0])
    if old[0] == "namespaceSelector":
        return SelectedPods(selector(spaces[old[0]], at), pods)
    return Relation(tuple(sorted(map(str, as_list(spaces[old[0]], at)))), same=old[0] == "sameLabels", pods=pods)


def _pods(raw: Any, path: tuple[str | int, ...], gaps: list[str], *, first: bool) -> Peer:
    value = as_mapping(raw, path)
    known = {"namespaceSelector", "podSelector"} | ({"namespaces"} if first else set())
    if strange := sorted(value.keys() - known):
        gaps.append(f"unknown field `{strange[0]}` in a pods peer")
        return UnknownPeer(f"a peer with unknown field `{strange[0]}`")
    pods = selector(value.get("podSelector"), (*path, "podSelector"))
    if value.get("namespaces") is not None:
        return _namespaces(value["namespaces"], pods, (*path, "namespaces"), gaps, first=first)
    return SelectedPods(selector(value.get("namespaceSelector"), (*path, "namespaceSelector")), pods)


def _ports(listed: list[Any], path: tuple[str | int, ...], gaps: list[str]) -> Ports:
    """v1alpha1: `portNumber`, `portRange`, `namedPort`."""
    traffic, unknown = NONE, NONE
    named: set[tuple[str, str]] = set()
    for index, item in enumerate(listed):
        at = (*path, index)
        port = {key: value for key, value in as_mapping(item, at).items() if value is not None}
        match port:
            case {"portNumber": {"port": number, **rest}} if len(port) == 1 and not rest.keys() - _PROTOCOL:
                traffic |= _range(rest.get("protocol"), number, number, (*at, "portNumber"))
            case {"portRange": {"start": start, "end": end, **rest}} if len(port) == 1 and not rest.keys() - {
                "protocol"
            }:
                traffic |= _range(rest.get("protocol"), start, end, (*at, "portRange"))
            case {"namedPort": str(name)} if len(port) == 1:
                named |= {(name, protocol) for protocol in PROTOCOLS}
            case _:
                gaps.append(f"a port of {path[0]} rule {path[1]} that is not modelled")
                unknown = ALL
    return Ports(traffic, tuple(sorted(named)), unknown)


def _protocols(listed: list[Any], path: tuple[str | int, ...], gaps: list[str]) -> Ports:
    """v1alpha2: `tcp | udp | sctp: {destinationPort: {number | range}}` or `destinationNamedPort`."""
    traffic, unknown = NONE, NONE
    named: set[tuple[str, str]] = set()
    for index, item in enumerate(listed):
        at = (*path, index)
        entry = {key: value for key, value in as_mapping(item, at).items() if value is not None}
        if len(entry) == 1 and isinstance(entry.get("destinationNamedPort"), str):
            named |= {(entry["destinationNamedPort"], protocol) for protocol in PROTOCOLS}
            continue
        found = _protocol(entry, at)
        if found is None:
            gaps.append(f"a protocol of {path[0]} rule {path[1]} that is not modelled")
            unknown |= _whole(entry)
        else:
            traffic |= found
    return Ports(traffic, tuple(sorted(named)), unknown)


def _whole(entry: dict[str, Any]) -> Traffic:
    """All that an entry can be about: what one protocol holds says nothing of the others."""
    name = next(iter(entry)).upper() if len(entry) == 1 else ""
    return Traffic.parse({name: "1-65535"}) if name in PROTOCOLS else ALL


def _protocol(entry: dict[str, Any], at: tuple[str | int, ...]) -> Traffic | None:
    """The traffic of one entry, None for one that is not modelled or that says less than the API demands."""
    if len(entry) != 1 or (name := next(iter(entry))) not in ("tcp", "udp", "sctp"):
        return None
    body = as_mapping(entry[name], (*at, name))
    if body.keys() - {"destinationPort"}:
        return None
    port = as_mapping(body.get("destinationPort"), (*at, name, "destinationPort"))
    match {key: value for key, value in port.items() if value is not None}:
        case {"number": number, **rest} if not rest:
            return _range(name.upper(), number, number, (*at, name))
        case {"range": {"start": start, "end": end, **more}, **rest} if not rest and not more:
            return _range(name.upper(), start, end, (*at, name))
        case _:
            return None


def _range(protocol: Any, start: Any, end: Any, path: tuple[str | int, ...]) -> Traffic:
    low, high = within_ports(start, path), within_ports(end, path)
    if high < low:
        raise SpecError(f"the range ends at {high}, below its start {low}", path)
    return Traffic.port_range(protocol_of(protocol, (*path, "protocol")), low, high)
