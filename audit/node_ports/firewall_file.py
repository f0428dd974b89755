"""Rules of a firewall as a table -> values. Headers as firewall managers write them, and those of our own tables.

Input: the bytes of a CSV file, and what the words in it may mean. Output: rules in the order of the file. Errors: all
at once, each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from audit.errors import AuditError, AuditErrors, InputError, Position, UsageError, did_you_mean
from audit.inventory import Inventory
from audit.matrix_table import Table, read_csv
from audit.matrix_yaml import Node, shown
from audit.model import ZoneMatrix
from audit.node_ports.service import ANYTHING, NOTHING, Service, parse
from audit.traffic import EVERYWHERE, NOWHERE, AddressSet, address_number, address_text
from audit.zones import ZoneMap

COLUMNS = ("source", "destination", "service", "protocol", "ports", "action", "enabled", "disabled")
_ALIASES: Mapping[str, str] = {
    "access": "action",
    "access type": "action",
    "destination address": "destination",
    "dst": "destination",
    "from": "source",
    "from zone": "source",
    "port": "ports",
    "services": "service",
    "source address": "source",
    "src": "source",
    "to": "destination",
    "to zone": "destination",
}
_ALLOW = ("accept", "allow", "allow-all", "allow-only", "pass", "permit")
_DENY = ("block", "block-all", "deny", "discard", "drop", "reject")
_ANY = ("any", "all", "*")
_YES, _NO = ("true", "yes", "y", "1", "on", "x"), ("false", "no", "n", "0", "off")
_WITH_PORTS = ("tcp", "udp", "sctp")


class FirewallRule(NamedTuple):
    """One rule."""

    sources: AddressSet
    targets: AddressSet
    service: Service
    allows: bool
    position: Position


def read(path: str, inventory: Inventory, zone_map: ZoneMap, matrix: ZoneMatrix) -> tuple[FirewallRule, ...]:
    """The rules of a file; AuditErrors for everything in it that cannot be read."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"`{path}` cannot be read: {error.strerror or error}") from error
    table = read_csv(data, path, column)
    columns = _columns(table)
    words = _words(inventory, zone_map, matrix)
    rules: list[FirewallRule] = []
    errors: list[AuditError] = []
    for cells in table.rows:
        named = dict(zip(columns, cells, strict=False))
        try:
            if _counts(named):
                rules.append(_rule(named, cells[0].position, words))
        except AuditError as error:
            errors.append(error)
    if errors:
        raise AuditErrors(errors)
    return tuple(rules)


def column(header: str) -> str:
    """The column that a header means, empty for one that is not used."""
    words = " ".join(header.lower().replace("_", " ").split())
    name = _ALIASES.get(words, words)
    return name if name in COLUMNS else ""


def _columns(table: Table) -> tuple[str, ...]:
    """The meaning of each column; what the table names itself comes before what firewall managers call it."""
    named = [cell.value.strip().lower() for cell in table.header]
    found = [name if name in COLUMNS else "" if column(name) in named else column(name) for name in named]
    for name in ("source", "destination"):
        if name not in found:
            known = did_you_mean(name, [one for one in named if one])
            raise InputError(f"the column `{name}` is missing", table.header[0].position, known)
    if not {"service", "protocol"} & {*found}:
        hint = "a column `service` with `tcp/10250`, or `protocol` and `ports`"
        raise InputError("no column says what is opened", table.header[0].position, hint)
    return tuple(name if name not in found[:place] else "" for place, name in enumerate(found))


def _words(inventory: Inventory, zone_map: ZoneMap, matrix: ZoneMatrix) -> Mapping[str, AddressSet]:
    """What names stand for: a zone for its nodes and its blocks, a node for its addresses."""
    found = {zone.name: zone.cidrs for zone in matrix.zones}
    for name, node in inventory.nodes.items():
        own = AddressSet.union_of(AddressSet(((one, one),)) for one in node.addresses)
        zone = zone_map.nodes[name].zone
        found[zone] = found.get(zone, NOWHERE) | own
        found.setdefault(name, own)
    return found


def _counts(cells: Mapping[str, Node]) -> bool:
    """Whether a rule is switched on: a column `enabled` or `disabled` says so, where the table has one."""
    for name, on, off in (("enabled", _YES, _NO), ("disabled", _NO, _YES)):
        cell = cells.get(name)
        value = cell.value.lower() if cell else ""
        if value in off:
            return False
        if cell and value and value not in on:
            raise InputError(
                f"{shown(value)} in `{name}` is neither yes nor no", cell.position, "write `true` or `false`"
            )
    return True


def _rule(cells: Mapping[str, Node], position: Position, words: Mapping[str, AddressSet]) -> FirewallRule:
    action = cells["action"].value.lower() if "action" in cells and cells["action"].value else "allow"
    action = "-".join(action.split())
    if action not in (*_ALLOW, *_DENY):
        hint = did_you_mean(action, (*_ALLOW, *_DENY))
        raise InputError(f"unknown action {shown(action)}", cells["action"].position, hint)
    service = _service(cells)
    if not service:
        if action in ("allow-all", *_DENY):
            service = ANYTHING
        else:
            raise InputError("the rule names no service", position, "write `any` for everything")
    return FirewallRule(
        sources=_addresses(cells, "source", position, words),
        targets=_addresses(cells, "destination", position, words),
        service=service,
        allows=action in _ALLOW,
        position=position,
    )


def _addresses(cells: Mapping[str, Node], name: str, position: Position, words: Mapping[str, AddressSet]) -> AddressSet:
    cell = cells.get(name)
    parts = list(_parts(cell.value)) if cell else []
    if not cell or not parts:
        raise InputError(f"the rule has no {name}", position, "write `any` for everything")
    return AddressSet.union_of(_address(part, cell.position, words) for part in parts)


def _address(word: str, position: Position, words: Mapping[str, AddressSet]) -> AddressSet:
    if word.lower() in _ANY:
        return EVERYWHERE
    known = words.get(word) or words.get("-".join(word.lower().split()))
    if known is not None:
        return known
    first, dash, last = word.partition("-")
    try:
        if "/" in word:
            return AddressSet.cidr(word)
        low, high = address_number(first.strip()), address_number((last if dash else first).strip())
    except ValueError as error:
        hint = did_you_mean(word, words)
        raise InputError(f"{shown(word)} is no address, block, zone or node", position, hint) from error
    if low > high:
        raise InputError(f"the range {shown(word)} runs backwards", position, f"from {address_text(high)}")
    return AddressSet(((low, high),))


def _service(cells: Mapping[str, Node]) -> Service:
    found = NOTHING
    first, second = (cells.get(name) for name in ("service", "protocol"))
    if first and second and first.value and second.value:
        hint = "leave one of the columns empty"
        raise InputError("the rule names a service and a protocol, and only one can count", second.position, hint)
    for name in ("service", "protocol"):
        cell = cells.get(name)
        for part in _parts(cell.value) if cell else ():
            for text in _with_ports(part, cells.get("ports")) if name == "protocol" else (part,):
                try:
                    found |= parse(text)
                except AuditError as error:
                    raise InputError(error.message, cell.position if cell else None, error.hint) from error
    return found


def _with_ports(protocol: str, ports: Node | None) -> Iterator[str]:
    """`tcp/443` for each port of the rule, every port where it names none; any protocol with ports means each."""
    listed = list(_parts(ports.value)) if ports else []
    every = protocol.lower() in _ANY
    if every and all(one.lower() in _ANY for one in listed):
        yield protocol
    elif every or protocol.lower() in _WITH_PORTS:
        for name in _WITH_PORTS if every else (protocol,):
            yield from (f"{name}/{'*' if one.lower() in _ANY else one}" for one in listed or ["*"])
    else:
        yield protocol


def _parts(text: str) -> Iterator[str]:
    """The values of a cell, divided by `;`, `,` or line ends."""
    return (part.strip() for part in re.split(r"[;,\n]", text) if part.strip())
