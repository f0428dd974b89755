"""Which endpoints and which traffic a reachability document is asked for.

A filter picks whole endpoints of the document: one is picked when it, a part of it or the group that it is in is named.
What is picked does not change what is said about it, so a filtered document is a part of the whole one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.errors import UsageError, did_you_mean
from audit.lookup import EndpointNames, asked_addresses, asked_traffic, means_address
from audit.meet import Meetings
from audit.model import UNZONED, ZoneMatrix
from audit.safetext import safe_text
from audit.traffic import ALL, Traffic

_PREFIXES = ("namespace", "zone")


@dataclass(frozen=True, slots=True)
class Filter:
    """What was asked for, in the user's words; nothing given is everything."""

    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    port: str | None = None

    def __bool__(self) -> bool:
        return bool(self.sources or self.targets or self.port)

    @property
    def traffic(self) -> Traffic:
        """What the connections are limited to; UsageError if it is no port."""
        return asked_traffic(self.port)

    def record(self) -> dict[str, Any]:
        """What the document says about it: only what was given."""
        found: dict[str, Any] = {"from": list(self.sources), "to": list(self.targets)}
        if self.traffic != ALL:
            found["ports"] = self.traffic.ports()
        return {key: value for key, value in found.items() if value}


def filtered(document: Mapping[str, Any]) -> str:
    """What a document was filtered by: `from web to db on tcp/5432`, empty if by nothing."""
    wanted = document.get("filter", {})
    parts = [f"{word} {' or '.join(wanted[word])}" for word in ("from", "to") if word in wanted]
    if "ports" in wanted:
        parts.append(f"on {Traffic.parse(wanted['ports'])}")
    return safe_text(" ".join(parts))


class Picker:
    """Names -> ids of endpoints of a document."""

    def __init__(
        self, meetings: Meetings, matrix: ZoneMatrix | None, units: Sequence[str], blocks: Mapping[int, str]
    ) -> None:
        """`units` are the ids by endpoint, `blocks` those by atom."""
        self._classes = meetings.reach.classes
        self._atom_zones = meetings.atom_zones
        self._names = EndpointNames(self._classes.inventory)
        self._units = units
        self._blocks = blocks
        self._zones = frozenset(zone.name for zone in matrix.zones) | {UNZONED} if matrix else frozenset()

    def pick(self, names: Sequence[str], *, zonal: bool) -> frozenset[str] | None:
        """The ids of all that is named, None for everything; `zonal` where an id stands for a whole zone."""
        if not names:
            return None
        found = {one for name in names for one in self._named(name)}
        if zonal:
            found |= {self._atom_zones[atom] for atom, block in self._blocks.items() if block in found}
            found |= {block for atom, block in self._blocks.items() if self._atom_zones[atom] in found}
        return frozenset(found)

    def _named(self, name: str) -> set[str]:
        if means_address(name):
            return self._at(name)
        prefix, colon, rest = name.partition(":")
        if colon and prefix in _PREFIXES:
            return self._group(prefix, rest, name)
        if name in (blocks := set(self._blocks.values())):
            return {name}
        if name.startswith("ip/"):
            raise UsageError(f"no range of addresses `{name}`", hint=did_you_mean(name, blocks))
        if "/" in name:
            return {self._units[index] for index in self._names.find(name)}
        return self._word(name)

    def _at(self, name: str) -> set[str]:
        """The ranges of outside addresses that share an address with what was named."""
        space = self._classes.space
        spans = asked_addresses(name).spans
        return {self._blocks[atom] for low, high in spans for atom in range(space.atom(low), space.atom(high) + 1)}

    def _word(self, name: str) -> set[str]:
        kinds = [kind for kind in _PREFIXES if name in self._known(kind)]
        if not kinds:
            raise self._unknown(name, "namespace or zone" if self._zones else "namespace")
        picked = [self._group(kind, name, name) for kind in kinds]
        if any(one != picked[0] for one in picked):
            hint = " or ".join(f"`{kind}:{name}`" for kind in kinds)
            raise UsageError(f"`{name}` is a namespace and a zone, of different endpoints", hint=f"write {hint}")
        return picked[0]

    def _known(self, kind: str) -> Collection[str]:
        return self._zones if kind == "zone" else self._classes.inventory.namespaces

    def _group(self, kind: str, name: str, written: str) -> set[str]:
        if kind == "zone" and not self._zones:
            raise UsageError(f"`{written}` needs a zone matrix", hint="name it with `--zones`")
        if name not in self._known(kind):
            raise self._unknown(name, kind)
        if kind == "namespace":
            pods = self._classes.inventory.endpoints
            return {unit for unit, pod in zip(self._units, pods, strict=True) if pod.namespace == name}
        return set(self._in_zone(name))

    def _in_zone(self, name: str) -> Iterator[str]:
        for number, members in enumerate(self._classes.members):
            if (self._classes.zones[number] or UNZONED) == name:
                yield from (self._units[index] for index in members)
        yield from (block for atom, block in self._blocks.items() if self._atom_zones[atom] == name)

    def _unknown(self, name: str, what: str) -> UsageError:
        if same := self._names.called(name):
            return UsageError(f"no {what} `{name}`", hint=f"did you mean `{same[0]}`?")
        hint = did_you_mean(name, {one for kind in _PREFIXES if kind in what for one in self._known(kind)})
        return UsageError(f"no {what} `{name}`", hint=hint if self._zones else f"{hint}; zones need `--zones`")
