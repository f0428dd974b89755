"""`Source` and `Way`: with which address traffic leaves, as the mechanisms that decide it say it."""

from __future__ import annotations

from typing import Literal, NamedTuple

SourceVerdict = Literal["allowed", "unknown", "denied"]


class Source(NamedTuple):
    """One source address that the outside sees."""

    address: str
    """Empty when not known, and where nothing leaves."""
    via: str
    """What gives it: an object, `node`, `egress router pod`."""
    node: str
    """Where it leaves the cluster; empty when not known."""
    verdict: SourceVerdict
    """`allowed`: some traffic leaves like this. `unknown`: it may. `denied`: it is dropped instead."""
    of_node: bool = False
    """Whether it is the address of a node."""


class Way(NamedTuple):
    """What one mechanism does with the traffic of a pod."""

    sources: tuple[Source, ...] = ()
    keeps: str = ""
    """The object that lets the pod's own address through; empty where nothing does."""
    doubt: bool = False
    """Whether it may not be so."""
    final: bool = True
    """Whether nothing is left to the mechanisms after it."""
    note: str = ""
    """Why it takes no traffic though it was told to, for people."""
