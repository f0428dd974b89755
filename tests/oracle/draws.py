"""Pools and small choices that random clusters are drawn from.

Everything is drawn from small pools, so that labels meet selectors, addresses meet blocks and names meet ports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

Json = Any
T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMESPACES = ("a", "b", "default", "kube-system", "0")
NAME_LABEL = "kubernetes.io/metadata.name"
KEYS = ("zone", "app", "example.com/Zone")
VALUES = ("a", "b", "", "true", "1e3")
"""Among them what YAML readers, truth tests and empty-string tests get wrong."""
PORT_NAMES = ("http", "dns", "a")
PORTS = (1, 2, 53, 80, 81, 443, 65534, 65535)
PROTOCOLS = ("TCP", "UDP", "SCTP")
SERVICES = ("s", "t")
SERVICE_PORTS = (80, 80, 443)
POD_ADDRESSES = (
    "10.0.0.0",
    "10.0.0.1",
    "10.0.0.127",
    "10.0.0.128",
    "10.0.1.0",
    "10.255.255.255",
    "fd00::",
    "fd00::1",
    "fd00:0:0:1::1",
)
NODES = ("n1", "n2")
NODE_ADDRESSES = {"n1": ("10.0.0.2", "fd00::2"), "n2": ("192.168.0.1", "fd00:1::1")}
EXTERNAL_ADDRESSES = {"n1": "192.168.0.9", "n2": "2001:db8::2"}
BLOCKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("0.0.0.0/0", ("10.0.0.0/8", "128.0.0.0/1", "0.0.0.0/1", "10.0.0.1/32")),
    ("0.0.0.0/1", ("10.0.0.0/24", "0.0.0.0/2", "64.0.0.0/2")),
    ("128.0.0.0/1", ("192.168.0.0/16",)),
    ("10.0.0.0/8", ("10.0.0.0/24", "10.0.0.0/9", "10.128.0.0/9")),
    ("10.0.0.0/24", ("10.0.0.0/25", "10.0.0.128/25", "10.0.0.1/32", "10.0.0.2/31")),
    ("10.0.0.1/32", ()),
    ("10.0.0.77/25", ("10.0.0.0/32",)),
    ("192.168.0.1/32", ()),
    ("255.255.255.255/32", ()),
    ("::/0", ("fd00::/8", "::/1", "8000::/1")),
    ("fd00::/64", ("fd00::1/128", "fd00::/127")),
    ("fd00::1/128", ()),
    ("2001:db8::/33", ("2001:db8::/34", "2001:db8:4000::/34")),
)
"""CIDR blocks with exceptions that lie strictly inside them; one has host bits, as old API servers accepted."""


@dataclass(frozen=True)
class Shape:
    """What a cluster may contain."""

    host_network: bool = True
    dual_stack: bool = True
    addresses_known: bool = False
    named_ports: bool = True
    gaps: bool = True
    """Unknown fields, policy kinds without semantics, namespaces without an object."""
    templates: bool = True
    max_pods: int = 8
    max_policies: int = 6
    max_admin: int = 3
    narrow: bool = False
    """Few different labels, so that most selectors meet some."""
    plugins: tuple[str, ...] = ()
    """Network plug-ins whose objects the cluster may have; without any there are none."""
    networks: bool = False
    leaving: bool = False
    entering: bool = False


ANYTHING = Shape()
PLAIN = Shape(host_network=False, dual_stack=False, addresses_known=True, gaps=False)
"""Complete input: every verdict is allowed or denied."""

_SMALL = [st.integers(0, high) for high in range(41)]


_HIGHEST = {id(strategy): high for high, strategy in enumerate(_SMALL)}


def die(random: Random) -> Draw:
    """Draws that a random number generator makes."""
    return lambda strategy: random.randint(0, _HIGHEST[id(strategy)])


def chance(draw: Draw, percent: int) -> bool:
    """True about so often; shrinks to False."""
    return int(draw(_SMALL[20])) > 20 - percent / 5


def pick(draw: Draw, pool: Sequence[T]) -> T:
    """One of the pool; shrinks to the first."""
    return pool[draw(_SMALL[len(pool) - 1])]


def some(draw: Draw, most: int, least: int = 0) -> range:
    """A range of a drawn length."""
    return range(least + draw(_SMALL[most - least]))


def labels(draw: Draw) -> dict[str, str]:
    """Up to two labels."""
    return {pick(draw, KEYS): pick(draw, VALUES) for _ in some(draw, 2)}


def selector(draw: Draw, *, namespaces: bool = False) -> Json:
    """A label selector in one of its written forms."""
    found: Json = {}
    if chance(draw, 20):
        return found
    keys = (*KEYS, NAME_LABEL) if namespaces else KEYS
    if chance(draw, 60):
        key = pick(draw, keys)
        found["matchLabels"] = {key: pick(draw, NAMESPACES if key == NAME_LABEL else VALUES)}
    else:
        found["matchExpressions"] = [expression(draw, pick(draw, keys)) for _ in some(draw, 2, 1)]
    return found


def expression(draw: Draw, key: str) -> Json:
    """One element of matchExpressions."""
    operator = pick(draw, ("In", "NotIn", "Exists", "DoesNotExist"))
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator} | ({"values": []} if chance(draw, 10) else {})
    pool = NAMESPACES if key == NAME_LABEL else VALUES
    return {"key": key, "operator": operator, "values": sorted({pick(draw, pool) for _ in some(draw, 2, 1)})}
