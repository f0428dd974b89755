"""Ways between zones as records of the results, and the words that every output has for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from audit.flows import Cause, Chain, Cut, Hop, Paths, Witness
from audit.report import CutRecord, Exposure, HopRecord, Step, TransitRecord
from audit.traffic import Traffic

NO_TRUST: Mapping[str, int] = MappingProxyType({})
NAMED = 4
"""Openings of a cut that a sentence names."""


def transit(paths: Paths) -> tuple[TransitRecord, ...]:
    """One record per chain."""
    return tuple(map(chain, paths.chains))


def cuts(paths: Paths) -> tuple[CutRecord, ...]:
    """One record per pair that is connected."""
    return tuple(map(cut, paths.cuts))


def counts(paths: Paths) -> dict[str, int]:
    """`pairs` that must be apart; `connected` for certain, `direct` and by `transit`; only `possible`, by transit."""
    return {
        "pairs": paths.apart,
        "connected": len(paths.cuts),
        "direct": sum(one.direct for one in paths.cuts),
        "transit": sum(one.certain for one in paths.chains),
        "possible": sum(not one.certain for one in paths.chains),
    }


def exposure(witness: Witness | None) -> Exposure | None:
    """The record of a witness."""
    if witness is None:
        return None
    return Exposure(
        source=witness.source,
        target=witness.target,
        port=f"{witness.protocol.lower()}/{witness.port}",
        source_labels=witness.source_labels,
        target_labels=witness.target_labels,
    )


def step(cause: Cause) -> Step:
    """The record of a cause."""
    ref = cause.ref or cause.endpoint
    origin = ref.origin if ref and ref.origin and ref.origin.place else None
    return Step(
        text=cause.text,
        object=str(ref) if ref else "",
        direction=cause.direction,
        rule=cause.rule if cause.rule >= 0 else None,
        file=origin.file if origin else "",
        line=origin.line if origin else 0,
    )


def chain(found: Chain) -> TransitRecord:
    """The record of a chain."""
    return TransitRecord(
        from_zone=found.source,
        to_zone=found.target,
        zones=found.zones,
        certain=found.certain,
        proven=found.proven,
        hops=tuple(map(_hop, found.hops)),
    )


def _hop(hop: Hop) -> HopRecord:
    return HopRecord(
        from_zone=hop.source,
        to_zone=hop.target,
        ports=hop.traffic.ports(),
        witness=exposure(hop.witness),
        reasons=hop.reasons,
        path=tuple(map(step, hop.through)),
    )


def cut(found: Cut) -> CutRecord:
    """The record of a cut."""
    return CutRecord(
        from_zone=found.source,
        to_zone=found.target,
        direct=found.direct,
        transit=found.transit,
        openings=tuple(map(step, found.openings)),
        least=found.least,
        smallest=found.smallest,
        reason=found.reason,
    )


def apart_text(found: Mapping[str, int]) -> str:
    """The counts in one sentence without a period: `7 of 12 zone pairs that must be apart are connected, ...`."""
    if not found.get("pairs"):
        return "no two zones with members have to be apart"
    text = f"{found['connected']:,} of {found['pairs']:,} zone pairs that must be apart are connected"
    if found["connected"]:
        text += f", {found['direct']:,} directly and {found['transit']:,} through other zones"
    return text + (f"; {found['possible']:,} more perhaps through other zones" if found["possible"] else "")


def chain_text(record: TransitRecord) -> str:
    """`internet -> dmz -> database`, with what is not certain about it."""
    doubt = "" if record.certain else "possibly "
    zoned = "" if record.proven else " (zone by zone, not shown for one chain of endpoints)"
    return f"{doubt}{' -> '.join(record.zones)}{zoned}"


def hop_text(record: HopRecord) -> str:
    """`a/Deployment/x -> b/Deployment/y tcp/80`, with all ports where they are more, and why it is not certain."""
    ports = str(Traffic.parse(record.ports))
    reasons = f" (not certain: {', '.join(record.reasons)})" if record.reasons else ""
    if record.witness is None:
        return f"{record.from_zone} -> {record.to_zone} on {ports}{reasons}"
    more = "" if record.witness.port == ports else f" (of {ports})"
    return f"{record.witness.source} -> {record.witness.target} {record.witness.port}{more}{reasons}"


def step_text(record: Step, *, places: bool = True) -> str:
    """`ingress of NetworkPolicy a/b rule 0 (file:12)` or `egress of Namespace a: no policy isolates its pods`."""
    place = f" ({record.file}{f':{record.line}' if record.line else ''})" if record.file and places else ""
    rule = f" rule {record.rule}" if record.rule is not None else ""
    said = f": {record.text}" if not rule and places else ""
    return f"{record.direction} of {record.object}{rule}{place}{said}"


def steps_text(records: Iterable[Step], *, places: bool = True) -> str:
    """Steps in one line."""
    return "; ".join(step_text(one, places=places) for one in records)


def cut_text(record: CutRecord, *, places: bool = True) -> str:
    """What parts two zones, as a clause: `close ingress of NetworkPolicy a/b rule 0`; `places` adds files and why."""
    if not record.openings:
        return f"no cut: {record.reason}"
    named = steps_text(record.openings[:NAMED], places=places)
    rest = len(record.openings) - NAMED
    more = f"; and {rest} more" if rest > 0 else ""
    count = len(record.openings)
    bound = "" if record.smallest else f"at most {count}, no fewer than {record.least}: "
    return f"close {bound}{named}{more}"


class Joined(NamedTuple):
    """One pair of zones that must be apart and perhaps is not."""

    from_zone: str
    to_zone: str
    transit: TransitRecord | None
    cut: CutRecord | None

    @property
    def title(self) -> str:
        """The way from one to the other: the chain, or that it is direct."""
        direct = "directly" if self.cut and self.cut.direct else ""
        return " and ".join(part for part in (direct, chain_text(self.transit) if self.transit else "") if part)


def joined(
    transits: Iterable[TransitRecord], found: Iterable[CutRecord], trust: Mapping[str, int] = NO_TRUST
) -> tuple[Joined, ...]:
    """Every pair of the records; certain ones first, then those that climb most in `trust`, then by name."""
    chains = {(one.from_zone, one.to_zone): one for one in transits}
    parted = {(one.from_zone, one.to_zone): one for one in found}
    pairs = [Joined(*pair, chains.get(pair), parted.get(pair)) for pair in {**parted, **chains}]
    return tuple(sorted(pairs, key=lambda one: (one.cut is None, _fall(one, trust), one.from_zone, one.to_zone)))


def _fall(one: Joined, trust: Mapping[str, int]) -> int:
    return trust.get(one.from_zone, 0) - trust.get(one.to_zone, 0)
