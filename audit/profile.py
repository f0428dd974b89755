"""`Profile`: which platform the input shows, and so how its network plug-in reads policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from audit.snapshot import Snapshot

Plugin = Literal["spec", "ovn-kubernetes", "openshift-sdn", "calico", "cilium", "unknown"]
PLUGINS: tuple[Plugin, ...] = get_args(Plugin)
Product = Literal["openshift-4", "openshift-3", "kubernetes", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of the platform."""

    plugin: Plugin
    """`spec`: as the API text says, with enforcement assumed. `unknown`: nobody knows whether policies are enforced."""
    mode: Literal["subnet", "multitenant", "networkpolicy", ""] = ""
    """Of openshift-sdn; empty when unknown, and for every other plug-in."""
    product: Product = ""
    version: tuple[int, int] | None = None
    """Major and minor version of OpenShift; None when unknown."""
    evidence: tuple[str, ...] = ()
    """What it was told by, for the report."""


SPEC = Profile(plugin="spec")


def detect(snapshot: Snapshot, plugin: Plugin | None = None) -> Profile:  # noqa: ARG001
    """The profile of what was read; `plugin` is what the user says it is."""
    return Profile(plugin=plugin or "spec")
