"""`Service`: ports of TCP, UDP and SCTP, and protocols that have none."""

from __future__ import annotations

from dataclasses import dataclass

from audit.errors import AuditError
from audit.matrix_services import service
from audit.traffic import ALL, NONE, Traffic

PORTLESS = frozenset({"esp", "icmp", "ipip"})
"""Protocols between nodes without ports."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a rule opens, or a component needs."""

    traffic: Traffic = NONE
    portless: frozenset[str] = frozenset()

    def __or__(self, other: Service) -> Service:
        return Service(self.traffic | other.traffic, self.portless | other.portless)

    def __and__(self, other: Service) -> Service:
        return Service(self.traffic & other.traffic, self.portless & other.portless)

    def __sub__(self, other: Service) -> Service:
        return Service(self.traffic - other.traffic, self.portless - other.portless)

    def __bool__(self) -> bool:
        return bool(self.traffic) or bool(self.portless)

    def __str__(self) -> str:
        return ", ".join([*([str(self.traffic)] if self.traffic else []), *sorted(self.portless)])


NOTHING = Service()
ANYTHING = Service(ALL, PORTLESS)


def parse(text: str) -> Service:
    """What `tcp/10250`, `TCP 10250-10259`, `udp/*`, `icmp`, `esp` or `any` means; AuditError without a position."""
    words = text.lower().replace("/", " ").split()
    if words in (["any"], ["*"], ["all"]):
        return ANYTHING
    if words and words[0] in PORTLESS:
        return Service(portless=frozenset(words[:1]))
    found = service("/".join(words))
    if found is None:
        msg = f"`{text}` is no service"
        raise AuditError(msg, hint="write `tcp/10250`, `udp/9000-9999`, `icmp`, `esp` or `any`")
    return Service(found)


def of(protocol: str, ports: str) -> Service:
    """What a row of the tables means."""
    return parse(f"{protocol}/{ports}" if ports else protocol)
