"""Sets of (protocol, port) as one integer, bit by bit: quick to compare and independent of the code under test."""

from __future__ import annotations

from dataclasses import dataclass

PROTOCOLS = ("TCP", "UDP", "SCTP")
SPAN = 1 << 16


@dataclass(frozen=True)
class PortBits:
    """A set of ports; behaves as a set."""

    bits: int = 0

    @classmethod
    def of(cls, protocol: str, low: int, high: int) -> PortBits:
        return cls(((1 << (high - low + 1)) - 1) << (low + SPAN * PROTOCOLS.index(protocol)))

    def __or__(self, other: PortBits) -> PortBits:
        return PortBits(self.bits | other.bits)

    def __and__(self, other: PortBits) -> PortBits:
        return PortBits(self.bits & other.bits)

    def __sub__(self, other: PortBits) -> PortBits:
        return PortBits(self.bits & ~other.bits)

    def __le__(self, other: PortBits) -> bool:
        return not self.bits & ~other.bits

    def __bool__(self) -> bool:
        return bool(self.bits)

    def runs(self) -> list[tuple[str, int, int]]:
        """(protocol, low, high) of every unbroken run, in order."""
        found = []
        for index, protocol in enumerate(PROTOCOLS):
            rest, at = self.bits >> (SPAN * index) & (1 << SPAN) - 1, 0
            while rest:
                skip = (rest & -rest).bit_length() - 1
                rest >>= skip
                run = (~rest & -~rest).bit_length() - 1
                found.append((protocol, at + skip, at + skip + run - 1))
                rest >>= run
                at += skip + run
        return found


NOTHING = PortBits()
EVERYTHING = PortBits.of("TCP", 1, 65535) | PortBits.of("UDP", 1, 65535) | PortBits.of("SCTP", 1, 65535)
