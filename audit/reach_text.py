"""The words of a picture of reachability: names that fit, ports in short, what a box or an arrow stands for.

Lengths are estimates for common sans-serif fonts, on the wide side. Every string was through `safe_text`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from audit.reach_fold import Entry, Group, Unit
from audit.traffic import ALL, PROTOCOLS, Traffic

MARKS = {"allowed": "A", "unknown": "?", "hidden": "P"}
MEANINGS = {
    "allowed": "allowed",
    "unknown": "unknown",
    "hidden": "policy admits it, but no entry point leads there",
}
LISTED = 12
"""Names that a title lists."""
_NARROW, _BROAD = frozenset("ijltfrI.,:;|!'()[] /-"), frozenset("mwMW@%")
_NOUNS = {"IPBlock": "ranges", "Namespace": "namespaces", "Zone": "zones", "Pod": "pods"}


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Pixels that a text takes at most."""
    return sum(map(_share, text)) * size * (1.1 if bold else 1.0)


def _share(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if char in _BROAD:
        return 1.0
    return 0.42 if char in _NARROW else 0.78 if char.isupper() else 0.65


def fitted_list(names: Sequence[str], room: float, size: float, *, bold: bool = False) -> str:
    """As many of the names as there is room for, at least one, and how many more there are."""
    for shown in range(len(names), 1, -1):
        more = f" +{len(names) - shown}" if shown < len(names) else ""
        text = ", ".join(names[:shown]) + more
        if width(text, size, bold=bold) <= room:
            return text
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return fitted(names[0], room - width(more, size, bold=bold), size, bold=bold) + more if names else ""


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, shortened in the middle if it has not enough room: both ends tell names apart."""
    if width(text, size, bold=bold) <= room:
        return text
    kept = len(text) - 1
    while kept > 1:
        short = f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"
        if width(short, size, bold=bold) <= room:
            return short
        kept -= 1
    return "…"


def ports(traffic: Traffic, most: int = 1 << 16) -> str:
    """`tcp/80,443 udp/53`, no more than so many ranges and how many there are besides."""
    if traffic == ALL:
        return "any port"
    parts, left = [], most
    for name in PROTOCOLS:
        ranges = [f"{low}-{high}" if low < high else str(low) for low, high in traffic.ranges(name)]
        if ranges and left > 0:
            parts.append(f"{name.lower()}/{','.join(ranges[:left])}".replace("1-65535", "*"))
            left -= len(ranges)
    more = len(traffic.spans) - most
    return " ".join(parts) + (f" +{more}" if more > 0 else "")


def entry_words(entry: Entry, room: float, size: float) -> str:
    """What stands on the line of an arrow's end, after its mark; what has no room is in the title."""
    some = "some: " if entry.some else ""
    reason = f" ({entry.reason})" if entry.reason else ""
    for most in range(len(entry.spans), 0, -1):
        text = f"{some}{ports(entry.ports, most)}"
        if width(text + reason, size) <= room:
            return text + reason
        if width(text, size) <= room:
            return text
    return fitted(f"{some}{ports(entry.ports, 1)}", room, size)


def entry_title(entry: Entry) -> str:
    """The same in full."""
    some = ", for some members or on some of these ports only" if entry.some else ""
    reason = f" because of {entry.reason}" if entry.reason else ""
    return f"{entry.ports}: {MEANINGS[entry.kind]}{reason}{some}"


def short_name(unit: Unit) -> str:
    """The name within its namespace."""
    return unit.name.rpartition("/")[2] if unit.name.count("/") == 2 and unit.space else unit.name  # noqa: PLR2004


def noun(units: Sequence[Unit]) -> str:
    """`12 workloads`."""
    kinds = {unit.kind for unit in units}
    return f"{len(units)} {_NOUNS.get(kinds.pop(), 'workloads') if len(kinds) == 1 else 'workloads'}"


def box_lines(group: Group, room: float, size: float) -> tuple[str, ...]:
    """The lines of a box: its name or how many it stands for, some names, and where they are."""
    first = group.members[0]
    if len(group.members) == 1:
        if first.outside or first.name.count("/") != 2:  # noqa: PLR2004 - not of the form namespace/Kind/name
            return short_name(first), _about(first)
        return short_name(first), f"{first.name.split('/')[1]} in {first.space}"
    spaces = sorted({unit.space for unit in group.members} - {""})
    names = sorted({short_name(unit) for unit in group.members})
    where = f"in {spaces[0]}" if len(spaces) == 1 else f"in {len(spaces)} namespaces" if spaces else _about(first)
    if first.kind == "Namespace":
        where = f"{sum(unit.size for unit in group.members)} endpoints"
    return noun(group.members), fitted_list(names, room, size), where


def _about(unit: Unit) -> str:
    if unit.kind == "IPBlock":
        return "addresses"
    if unit.kind == "Zone":
        return "zone of addresses" if unit.outside else "zone"
    return f"namespace, {unit.size} endpoints" if unit.size > 1 else "namespace"


def box_title(group: Group) -> str:
    """What a box stands for, in full up to a number of names."""
    return listed([unit.name for unit in group.members])


def listed(names: Sequence[str]) -> str:
    """The names, up to a number of them."""
    more = f", and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def within_words(entries: Sequence[Entry], parts: int, room: float, size: float) -> str:
    """What the members of a stop may do to each other, or within each of its parts."""
    start = f"within each of {parts}: " if parts > 1 else "within: "
    left = room - width(start, size) - 12 * (len(entries) - 1)
    texts = [
        ("" if entry.kind == "allowed" else f"{MARKS[entry.kind]} ") + entry_words(entry, left / len(entries), size)
        for entry in entries
    ]
    return fitted(start + "; ".join(texts), room, size)
