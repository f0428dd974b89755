"""`Profile`: which platform the input shows, and so how its network plug-in reads policies.

Input: a Snapshot, and what the user says with `--cni`. Output: a Profile with its evidence. Decisions: only objects
that a running cluster has are evidence; where they disagree, nobody knows (`unknown`); manifests alone are read as the
API text says (`spec`). Source of the rules: docs/reachability.md section 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from audit.lacking import Lacking
from audit.snapshot import Entry, Snapshot

Plugin = Literal["spec", "ovn-kubernetes", "openshift-sdn", "calico", "cilium", "unknown"]
PLUGINS: tuple[Plugin, ...] = get_args(Plugin)
Mode = Literal["subnet", "multitenant", "networkpolicy", ""]
MODES: tuple[Mode, ...] = ("subnet", "multitenant", "networkpolicy")
Enforcement = Literal["assumed", "yes", "no", "unknown"]
Product = Literal["openshift-4", "openshift-3", "kubernetes", ""]

NETWORK = "Network.config.openshift.io"
OPERATOR = "Network.operator.openshift.io"
VERSION = "ClusterVersion.config.openshift.io"
CLUSTER_NETWORK = ("ClusterNetwork.network.openshift.io", "ClusterNetwork")
"""OpenShift 3 served the kinds of openshift-sdn in the core group, too."""
NET_NAMESPACE = ("NetNamespace.network.openshift.io", "NetNamespace")
EVIDENCE = (NETWORK, OPERATOR, VERSION, *CLUSTER_NETWORK)
"""Kind keys that are read here, beside DaemonSets and NetNamespaces."""

_TYPES: Mapping[str, Plugin] = {
    "ovnkubernetes": "ovn-kubernetes",
    "openshiftsdn": "openshift-sdn",
    "calico": "calico",
    "cilium": "cilium",
}
_DAEMONS: Mapping[tuple[str, str], Plugin] = {
    ("openshift-ovn-kubernetes", "ovnkube-node"): "ovn-kubernetes",
    ("kube-system", "calico-node"): "calico",
    ("calico-system", "calico-node"): "calico",
    ("kube-system", "cilium"): "cilium",
    ("openshift-sdn", "sdn"): "openshift-sdn",
}
_SDN_PLUGIN = "redhat/openshift-ovs-"
HOST_NAMESPACE = "openshift-host-network"
_SDN_KINDS = ("ClusterNetwork", "NetNamespace", "HostSubnet")
_GROUPS_4 = ("config.openshift.io", "operator.openshift.io")
_GROUPS_3 = ("route.openshift.io", "project.openshift.io", "network.openshift.io")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is known of the platform."""

    plugin: Plugin
    """`spec`: as the API text says, with enforcement assumed. `unknown`: nobody knows whether policies are enforced."""
    mode: Mode = ""
    """Of openshift-sdn; empty when unknown, and for every other plug-in."""
    product: Product = ""
    version: tuple[int, int] | None = None
    """Major and minor version of OpenShift; None when unknown."""
    evidence: tuple[str, ...] = ()
    """What it was told by, for the report."""
    host_namespaces: tuple[str, ...] = ()
    """Namespaces that stand for the host network in peers, sorted."""

    @property
    def enforcement(self) -> Enforcement:
        """Whether NetworkPolicies have an effect; `assumed` where the input does not say."""
        match self.plugin:
            case "spec":
                return "assumed"
            case "unknown":
                return "unknown"
            case "openshift-sdn" if self.mode != "networkpolicy":
                return "no" if self.mode else "unknown"
            case _:
                return "yes"

    @property
    def details(self) -> str:
        """What is known besides the plug-in's name: `OpenShift 4.6, mode subnet`; empty if nothing."""
        release = f"OpenShift {self.version[0]}.{self.version[1]}" if self.version else ""
        mode = f"mode {self.mode or 'unknown'}" if self.plugin == "openshift-sdn" else ""
        return ", ".join(part for part in (release, mode) if part)

    def before(self, major: int, minor: int) -> bool:
        """Whether the version of OpenShift is lower, or may be as it is not known."""
        return self.version is None or self.version < (major, minor)

    def __str__(self) -> str:
        return f"{self.plugin} ({self.details})" if self.details else self.plugin


SPEC = Profile(plugin="spec")


class _Claim(NamedTuple):
    """What one object says about the plug-in."""

    plugin: Plugin
    evidence: str


def detect(snapshot: Snapshot, plugin: Plugin | None = None) -> Profile:
    """The profile of what was read; `plugin` is what the user says it is, and wins."""
    claims = tuple(_claims(snapshot)) or tuple(_traces(snapshot))
    told = {claim.plugin for claim in claims}
    silent: Plugin = "unknown" if snapshot.live else "spec"
    found = plugin or (claims[0].plugin if len(told) == 1 else "unknown" if told else silent)
    evidence = [claim.evidence for claim in claims]
    if plugin:
        evidence = [f"`--cni {plugin}`", *(f"besides, {text}" for text in evidence)]
    elif len(told) > 1:
        evidence.append("they disagree, so the plug-in is not known")
    elif not told and snapshot.live:
        evidence.append("no object says which plug-in the cluster has")
    mode, from_mode = _mode(snapshot) if found == "openshift-sdn" else ("", "")
    version, from_version = _version(snapshot)
    return Profile(
        plugin=found,
        mode=mode,
        product=_product(snapshot),
        version=version,
        evidence=tuple(dict.fromkeys(one for one in (*evidence, from_mode, from_version) if one)),
        host_namespaces=_host_namespaces(snapshot, found),
    )


def _claims(snapshot: Snapshot) -> Iterator[_Claim]:
    """What every source says, in the order of trust; a type that is not known is `unknown`."""
    if network := _named(snapshot, "cluster", NETWORK):
        value = _field(network.body.status, "networkType")
        if isinstance(value, str) and value:
            yield _Claim(_TYPES.get(value.lower(), "unknown"), f"{NETWORK} cluster: status.networkType is {value}")
        elif value is not None and value != "":
            yield _Claim("unknown", f"{NETWORK} cluster: status.networkType cannot be read")
    if network := _named(snapshot, "default", *CLUSTER_NETWORK):
        plugin = network.body.pluginName
        if plugin.startswith(_SDN_PLUGIN):
            yield _Claim("openshift-sdn", f"ClusterNetwork default: pluginName is {plugin}")
    for entry in snapshot.of("DaemonSet"):
        if plugin := _DAEMONS.get((entry.namespace, entry.name)):
            yield _Claim(plugin, f"DaemonSet {entry.namespace}/{entry.name} is there")


def _traces(snapshot: Snapshot) -> Iterator[_Claim]:
    """What no other plug-in makes; after a migration it may be left over, so it counts where nothing else tells.

    Where something else could tell and was not read, nobody knows.
    """
    unread = snapshot.live and Lacking(snapshot).of((NETWORK, CLUSTER_NETWORK[0], "DaemonSet"))
    for kind in ("NetNamespace", "HostSubnet"):
        if any(snapshot.of(key) for key in (f"{kind}.network.openshift.io", kind)):
            told = f"there are {kind} objects"
            yield _Claim("unknown", f"{told}, but not all that tells more") if unread else _Claim("openshift-sdn", told)


def _mode(snapshot: Snapshot) -> tuple[Mode, str]:
    """The mode of openshift-sdn with its evidence; both may be empty."""
    if network := _named(snapshot, "default", *CLUSTER_NETWORK):
        plugin = network.body.pluginName
        for mode in MODES:
            if plugin.endswith(f"-{mode}"):
                return mode, f"ClusterNetwork default: pluginName is {plugin}"
    operator = _named(snapshot, "cluster", OPERATOR)
    network = _field(operator.body.spec, "defaultNetwork") if operator else None
    if not isinstance(network, dict) or str(network.get("type")).lower() != "openshiftsdn":
        return "", "no object says in which mode openshift-sdn runs"
    config = network.get("openshiftSDNConfig") or {}
    value = config.get("mode") if isinstance(config, dict) else config
    where = f"{OPERATOR} cluster: spec.defaultNetwork.openshiftSDNConfig.mode"
    if value is None or value == "":
        return "networkpolicy", f"{where} is absent, which means NetworkPolicy"
    for mode in MODES:
        if isinstance(config, dict) and str(value).lower() == mode:
            return mode, f"{where} is {value}"
    return "", f"{where} cannot be read"


def _version(snapshot: Snapshot) -> tuple[tuple[int, int] | None, str]:
    """(version of OpenShift or None, evidence or empty); the last completed update counts, not the one under way."""
    entry = _named(snapshot, "version", VERSION)
    if entry is None:
        return None, ""
    history = _field(entry.body.status, "history")
    listed = [one for one in history if isinstance(one, dict)] if isinstance(history, list) else []
    done = next((one.get("version") for one in listed if one.get("state") == "Completed"), None)
    for text in (done, _field(entry.body.status, "desired", "version")):
        if isinstance(text, str) and (numbers := re.match(r"([0-9]{1,4})\.([0-9]{1,4})(?![0-9])", text)):
            return (int(numbers[1]), int(numbers[2])), f"{VERSION} version: {text}"
    return None, f"{VERSION} version: no version can be read"


def _product(snapshot: Snapshot) -> Product:
    """OpenShift by the API groups that only it serves. Manifests may leave out what would tell it from Kubernetes."""
    four = snapshot.serves(*_GROUPS_4)
    if four:
        return "openshift-4"
    router = _named(snapshot, "router", "DeploymentConfig", namespace="default")
    if router or any(snapshot.of(kind) for kind in _SDN_KINDS):
        return "openshift-3"
    if snapshot.of("Node") and any(snapshot.of(f"{kind}.network.openshift.io") for kind in _SDN_KINDS):
        return "openshift-3"  # a dump of OpenShift 4 with openshift-sdn has objects of its operators, too
    three = snapshot.serves(*_GROUPS_3)
    if not snapshot.live or (snapshot.manifest and None in (four, three)):
        return ""
    return "openshift-3" if three else "kubernetes"


def _host_namespaces(snapshot: Snapshot, plugin: Plugin) -> tuple[str, ...]:
    """openshift-sdn tells namespaces apart by a number, and 0 is `default`, the host network and whoever got it."""
    if plugin == "ovn-kubernetes":
        return (HOST_NAMESPACE,)
    if plugin != "openshift-sdn":
        return ()
    entries = (entry for key in NET_NAMESPACE for entry in snapshot.of(key))
    zero = {entry.body.netname or entry.name for entry in entries if entry.body.netid == 0}
    return tuple(sorted({"default", HOST_NAMESPACE} | zero))


def _named(snapshot: Snapshot, name: str, *keys: str, namespace: str = "") -> Entry | None:
    """The object of that name among some kinds, or None."""
    found = (entry for key in keys for entry in snapshot.of(key))
    return next((entry for entry in found if (entry.namespace, entry.name) == (namespace, name)), None)


def _field(raw: msgspec.Raw, *path: str) -> Any:
    """A value within raw JSON; None where it is absent, or where something on the way is of another type."""
    try:
        value = msgspec.json.decode(raw) if bytes(raw) else None
    except msgspec.DecodeError:
        return None
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
