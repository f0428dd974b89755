"""`Traffic` (protocol and destination ports) and `AddressSet` (IPv4 and IPv6): the two algebras.

Both are immutable, canonical and hashable, so equal sets are equal values, and both lay their families end to end on
one number line: TCP, UDP, SCTP for traffic; IPv4, IPv6 for addresses.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache

import msgspec

from audit import _intervals as iv
from audit._intervals import Intervals

PROTOCOLS = ("TCP", "UDP", "SCTP")
"""Every protocol a NetworkPolicy decides (API text, NetworkPolicyPort.protocol)."""
MAX_PORT = 65535
_SPAN = 1 << 16
_BASE = {name: index * _SPAN for index, name in enumerate(PROTOCOLS)}
_CACHE = 1 << 16
"""Cached operations: interned port sets number in the hundreds, so this never evicts in practice."""


class Traffic(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A set of (protocol, destination port); ports are 1 to 65535."""

    spans: Intervals = ()
    """Canonical intervals on the line TCP 1..65535, UDP 65536+1.., SCTP 131072+1.."""

    @classmethod
    def of(cls, protocol: str, low: int | None = None, high: int | None = None) -> Traffic:
        """One range of one protocol: `of("TCP")` all ports, `of("TCP", 80)` one, `of("TCP", 80, 90)` inclusive.

        Raises ValueError for an unknown protocol or a range outside 1 to 65535.
        """
        if low is None:
            return cls.port_range(protocol, 1, MAX_PORT)
        return cls.port_range(protocol, low, low if high is None else high)

    @classmethod
    @lru_cache(_CACHE)
    def port_range(cls, protocol: str, low: int, high: int) -> Traffic:
        """Ports `low` to `high` of one protocol, both inclusive; errors as `of`."""
        base = _BASE.get(protocol)
        if base is None:
            msg = f"unknown protocol `{protocol}`"
            raise ValueError(msg)
        if not 1 <= low <= high <= MAX_PORT:
            msg = f"ports `{low}-{high}` are not a range within 1-65535"
            raise ValueError(msg)
        return cls(((base + low, base + high),))

    @classmethod
    def parse(cls, ports: Mapping[str, str]) -> Traffic:
        """The inverse of `ports()`: `{"TCP": "80,8000-8010"}`; ValueError as `of`."""
        total = NONE
        for protocol, text in ports.items():
            for part in text.split(","):
                low, dash, high = part.strip().partition("-")
                total |= cls.port_range(protocol, _port(low), _port(high if dash else low))
        return total

    def ports(self) -> dict[str, str]:
        """Protocol to sorted disjoint ranges as text, protocols without ports left out, in the order of PROTOCOLS."""
        return {name: ",".join(text) for name in PROTOCOLS if (text := [_range(*pair) for pair in self.ranges(name)])}

    def ranges(self, protocol: str) -> tuple[tuple[int, int], ...]:
        """Sorted disjoint inclusive port ranges of one protocol."""
        base = _BASE[protocol]
        within = iv.intersection(self.spans, ((base + 1, base + MAX_PORT),))
        return tuple((low - base, high - base) for low, high in within)

    def __or__(self, other: Traffic) -> Traffic:
        return _union(self, other)

    def __and__(self, other: Traffic) -> Traffic:
        return _intersection(self, other)

    def __sub__(self, other: Traffic) -> Traffic:
        return _difference(self, other)

    def __invert__(self) -> Traffic:
        return _difference(ALL, self)

    def __le__(self, other: Traffic) -> bool:
        return not _difference(self, other).spans

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __str__(self) -> str:
        if self == ALL:
            return "any"
        parts = []
        for name, text in self.ports().items():
            parts += [f"{name.lower()}/{'*' if part == '1-65535' else part}" for part in text.split(",")]
        return ", ".join(parts) or "nothing"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()):  # int() would take `8_0`, `+80` and other scripts' digits
        msg = f"`{text}` is not a port"
        raise ValueError(msg)
    return int(text)


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


@lru_cache(_CACHE)
def _union(a: Traffic, b: Traffic) -> Traffic:
    return Traffic(iv.union(a.spans, b.spans))


@lru_cache(_CACHE)
def _intersection(a: Traffic, b: Traffic) -> Traffic:
    return Traffic(iv.intersection(a.spans, b.spans))


@lru_cache(_CACHE)
def _difference(a: Traffic, b: Traffic) -> Traffic:
    return Traffic(iv.difference(a.spans, b.spans))


def union(parts: Iterable[Traffic]) -> Traffic:
    """Everything in any of the parts."""
    total = NONE
    for part in parts:
        total |= part
    return total


NONE = Traffic()
ALL = Traffic(tuple((base + 1, base + MAX_PORT) for base in _BASE.values()))

_V4_SIZE = 1 << 32
MAX_V4 = _V4_SIZE - 1
"""The number of the last IPv4 address; IPv6 comes after it."""
_V6_BASE = _V4_SIZE + 1
"""One number is left free between the families so that 255.255.255.255 and :: never merge."""


def address_number(text: str) -> int:
    """The place of an address on the common line; ValueError if it is no address.

    Leading zeros are refused, as Go's parser does since 1.17.
    """
    with suppress(OSError, ValueError):  # as strict as `ipaddress` is, and ten times as fast
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text))
    address = ipaddress.ip_address(text)
    return int(address) if address.version == 4 else _V6_BASE + int(address)  # noqa: PLR2004


def address_text(number: int) -> str:
    """The inverse of `address_number`."""
    if number < _V4_SIZE:
        return str(ipaddress.IPv4Address(number))
    return str(ipaddress.IPv6Address(number - _V6_BASE))


class AddressSet(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A set of IPv4 and IPv6 addresses."""

    spans: Intervals = ()

    @classmethod
    @lru_cache(_CACHE)
    def cidr(cls, text: str) -> AddressSet:
        """The addresses of one CIDR block; host bits are masked away, as Go's `ParseCIDR` does; ValueError if invalid.

        An IPv4-mapped IPv6 block is read as the IPv4 block that it maps, which is what Go's parser yields.
        """
        address, _, length = text.partition("/")
        if "%" in address or not length.isdigit():  # `ipaddress` takes netmasks and zones, Go does not
            msg = f"`{text}` is not a CIDR block"
            raise ValueError(msg)
        network = ipaddress.ip_network(text, strict=False)
        first, last = int(network.network_address), int(network.broadcast_address)
        if isinstance(network, ipaddress.IPv6Network):
            mapped = 0xFFFF << 32
            if network.prefixlen >= 96 and first >> 32 == 0xFFFF:  # noqa: PLR2004
                return cls(((first - mapped, last - mapped),))
            return cls(((_V6_BASE + first, _V6_BASE + last),))
        return cls(((first, last),))

    @classmethod
    def union_of(cls, sets: Iterable[AddressSet]) -> AddressSet:
        """All addresses of all sets; n log n in the number of intervals."""
        return cls(iv.normal(pair for one in sets for pair in one.spans))

    def cidrs(self) -> tuple[str, ...]:
        """The fewest CIDR blocks that make up exactly this set, IPv4 first, ascending."""
        return tuple(str(network) for network in self._networks())

    def _networks(self) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        for low, high in self.spans:
            if low < _V4_SIZE:
                yield from ipaddress.summarize_address_range(ipaddress.IPv4Address(low), ipaddress.IPv4Address(high))
            else:
                yield from ipaddress.summarize_address_range(
                    ipaddress.IPv6Address(low - _V6_BASE), ipaddress.IPv6Address(high - _V6_BASE)
                )

    def __contains__(self, number: int) -> bool:
        return any(low <= number <= high for low, high in self.spans)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(iv.union(self.spans, other.spans))

    def __and__(self, other: AddressSet) -> AddressSet:
        return AddressSet(iv.intersection(self.spans, other.spans))

    def __sub__(self, other: AddressSet) -> AddressSet:
        return AddressSet(iv.difference(self.spans, other.spans))

    def __invert__(self) -> AddressSet:
        return EVERYWHERE - self

    def __le__(self, other: AddressSet) -> bool:
        return not (self - other)

    def __bool__(self) -> bool:
        return bool(self.spans)


NOWHERE = AddressSet()
EVERYWHERE = AddressSet(((0, _V4_SIZE - 1), (_V6_BASE, _V6_BASE + (1 << 128) - 1)))
