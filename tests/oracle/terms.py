"""What the slow evaluators share: truth, endpoints, connections, label selectors and address blocks.

Truth has three values, ordered NO < MAYBE < YES, so that `min` is "and", `max` is "or" (Kleene's logic). MAYBE stands
for every gap in the input that could decide.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NO, MAYBE, YES = 0, 1, 2
NAME_LABEL = "kubernetes.io/metadata.name"
BLOCK_FIELDS = {"cidr", "except"}
SELECTOR_FIELDS = {"matchLabels", "matchExpressions"}
EXPRESSION_FIELDS = {"key", "operator", "values"}


@dataclass(frozen=True, eq=False)
class Pod:
    """A pod, or the pods that a template would make."""

    id: str
    namespace: str
    labels: Mapping[str, str]
    addresses: tuple[Address | None, ...]
    """What a peer sees; `(None,)` when unknown. A host-network pod has its node's."""
    host_network: bool
    node: str | None
    ports: tuple[tuple[str, str, int], ...]
    """Name, protocol, number of every named container port that a running pod can hold."""
    host_ports: tuple[tuple[str, int], ...] = ()
    """Protocol and number of every container port that its node forwards to."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[Json, ...] = ()
    """Of a virtual machine: its networks."""
    settings: Mapping[str, str | None] = field(default_factory=dict)
    """The environment of its containers; None for a value that is not in the input."""


@dataclass(frozen=True)
class Outside:
    """One address that belongs to no pod."""

    address: Address


Endpoint = Pod | Outside


@dataclass(frozen=True)
class Flow:
    """One connection between one address of each side."""

    source: Endpoint
    source_address: Address | None
    target: Endpoint
    target_address: Address | None
    protocol: str
    port: int


# Address blocks ------------------------------------------------------------------------------------------------------


def block_matches(block: Json, address: Address | None) -> int:
    """Whether an address is in the block: in `cidr` and in no `except`."""
    if set(block) - BLOCK_FIELDS:
        return MAYBE
    cidr = network(block["cidr"])
    excepts = [network(text) for text in block.get("except") or []]
    if address is None:
        return NO if covers(excepts, cidr) else MAYBE
    return YES if address in cidr and not any(address in e for e in excepts) else NO


def covers(parts: list[Network], whole: Network) -> bool:
    """Whether the parts together hold every address of the whole."""
    inside = [part for part in parts if part.version == whole.version]
    if whole in inside or any(whole.subnet_of(part) for part in inside):  # type: ignore[arg-type]
        return True
    if whole.prefixlen == whole.max_prefixlen or not any(part.subnet_of(whole) for part in inside):  # type: ignore[arg-type]
        return False
    return all(covers(parts, half) for half in whole.subnets())


def whole(blocks: list[tuple[Network, list[Network]]]) -> bool:
    """Whether every address of both families is in one of the blocks, each given with its exceptions."""
    everything = [network("0.0.0.0/0"), network("::/0")]
    edges = [a for n in everything + [n for block, less in blocks for n in (block, *less)] for a in edges_of(n)]
    return all(any(a in block and not any(a in n for n in less) for block, less in blocks) for a in edges)


def edges_of(block: Network) -> Iterator[Address]:
    """Both ends of a block and their neighbours."""
    low, high = int(block.network_address), int(block.broadcast_address)
    for number in (low - 1, low, high, high + 1):
        if 0 <= number < 1 << block.max_prefixlen:
            yield type(block.network_address)(number)


@functools.cache
def network(text: str) -> Network:
    """A CIDR block; host bits are masked, as Go's ParseCIDR does."""
    return ipaddress.ip_network(text, strict=False)


# Selectors -----------------------------------------------------------------------------------------------------------


def selector_matches(selector: Json, labels: Mapping[str, str]) -> int:
    """Whether an object with exactly these labels is selected."""
    if unknown_selector_field(selector):
        return MAYBE
    return min(
        (holds(operator, values, labels.get(key)) for key, operator, values in requirements(selector)), default=YES
    )


def unknown_selector_field(selector: Json) -> bool:
    """Whether the selector has a field without semantics."""
    return bool(set(selector) - SELECTOR_FIELDS) or any(
        set(e) - EXPRESSION_FIELDS for e in selector.get("matchExpressions") or []
    )


def requirements(selector: Json) -> Iterator[tuple[str, str, list[str]]]:
    """Key, operator and values of every condition."""
    for key, value in (selector.get("matchLabels") or {}).items():
        yield key, "In", [value]
    for expression in selector.get("matchExpressions") or []:
        yield expression["key"], expression["operator"], expression.get("values") or []


def holds(operator: str, values: list[str], value: str | None) -> int:
    """One condition on one label; `value` None means that the key is absent."""
    truth = {
        "In": value is not None and value in values,
        "NotIn": value is None or value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[operator]
    return YES if truth else NO


def namespace_matches(namespaces: Mapping[str, Json], selector: Json, name: str) -> int:
    """Whether the namespace is selected; without its object only its name is known."""
    if name in namespaces:
        return selector_matches(selector, namespace_labels(namespaces, name))
    if unknown_selector_field(selector):
        return MAYBE
    truth = YES
    for key, operator, values in requirements(selector):
        truth = min(truth, holds(operator, values, name) if key == NAME_LABEL else MAYBE)
    return truth


def namespace_labels(namespaces: Mapping[str, Json], name: str) -> dict[str, str]:
    """The labels known of a namespace; the API server sets the name label."""
    labels = namespaces[name]["metadata"].get("labels") or {} if name in namespaces else {}
    return {**labels, NAME_LABEL: name}
