"""Objects of every kind with a unique token in each text that is not on the allow-list.

The fields of built-in kinds are those of the published client, those of others of the custom resource definitions where
these are at hand; every mapping has a field besides that nobody knows.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from kubernetes.client import models

from audit.attachments import OPEN_PORTS, POD_NETWORKS
from audit.projection.describe import kept, metadata
from audit.sources.kinds import Kind
from audit.storage_fields import HOST_FIELDS, NAME_FIELDS, plain
from audit.workloads import API_SERVER, MACVLAN
from tests.projection.projecting import Json
from tests.samples.running import ROOT

CRDS = ROOT.parent / "shared" / "crds"
TOKEN = "canary7q"  # noqa: S105 - the word that is looked for
Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_FREE: Schema = {"type": "object", "properties": {"secret": _TEXT, "list": {"type": "array", "items": _TEXT}}}
_STRICT = ("NetworkPolicy", "MultiNetworkPolicy", "EgressFirewall", "EgressNetworkPolicy")
_NOT_STRUCTS = ("datetime", "bytes", "str", "int", "float", "bool", "object")


class Canaries:
    """One object with as many tokens as its kind has room for."""

    def __init__(self, kind: Kind) -> None:
        self._numbers = itertools.count()
        self._kind = kind
        self._strict = kind.kind in _STRICT or kind.group == "policy.networking.k8s.io"
        self._lines = dict((*metadata(), *kept(kind)))

    def token(self) -> str:
        """A text that no other field has."""
        return f"{TOKEN}-{self._kind.key.lower()}-{next(self._numbers):05}-"

    def made(self) -> Json:
        """The object."""
        schema = model(self._kind) or definition(self._kind) or {"type": "object", "properties": {}}
        free = dict.fromkeys(("spec", "status", "data", "webhooks", "secrets"), _FREE)
        filled = self._mapping({**free, **schema["properties"], "metadata": _model("V1ObjectMeta")}, "") or {}
        version = f"{self._kind.group}/{self._kind.version}" if self._kind.group else self._kind.version
        metadata = {"name": name_of(self._kind), "namespace": "canary"}
        if self._kind.namespaced is False:
            del metadata["namespace"]
        named = {"apiVersion": version, "kind": self._kind.kind, "metadata": metadata}
        made: Json = merged(merged(filled, BASES.get(self._kind.key, {})), named)
        return made

    def _filled(self, schema: Schema, path: str) -> Any:
        """The value of a field: tokens where they must not stay, nothing where anything may."""
        words = self._words(path)
        if words is not None:
            return self._partly(words)
        if "properties" in schema:
            return self._mapping(schema["properties"], path)
        if "items" in schema:
            found = self._filled(schema["items"], f"{path}[]")
            return None if found is None else [found]
        if schema.get("type") == "object":
            below = schema.get("additionalProperties")
            inner = self._filled(below, f"{path}.*") if isinstance(below, dict) else self.token()
            return None if inner is None else {"secret": inner}
        text = schema.get("type") == "string" or "x-kubernetes-int-or-string" in schema
        return self.token() if text else None

    def _mapping(self, fields: Mapping[str, Schema], path: str) -> Json | None:
        values = {name: self._filled(inner, f"{path}.{name}".removeprefix(".")) for name, inner in fields.items()}
        found = {name: value for name, value in values.items() if value is not None}
        if not self._strict and not any(line.startswith(f"{path}.**") for line in self._lines):
            found["xCanary"] = {"deep": [self.token()]}
        return found or None

    def _words(self, path: str) -> str | None:
        """What the allow-list says of a field: empty for all of it, None where it is not listed."""
        for listed, words in self._lines.items():
            if words.startswith("names of other fields") or listed.endswith(".mentions"):
                continue
            if _pattern(listed).fullmatch(path):
                return words
        return None

    def _partly(self, words: str) -> Any:
        """A value of which a part is kept, with tokens in all the rest; nothing where all of it is."""
        token = self.token
        made: Mapping[str, Callable[[], Any]] = {
            "those listed below": self._annotations,
            "whether it is": lambda: {"secret": token(), "deep": {"secret": token()}},
            "the datastore": lambda: f"[datastore] {token()}",
            "names of hosts, arrays": self._parameters,
            "variables": self._environment,
            "of pods of API servers": lambda: [f"--token={token()}", "--admission-control", "A,B", "--secret", token()],
            "keys with": lambda: {"cpu": token(), "requests.storage": "0"},
            "of its JSON": self._network,
        }
        return next((make() for start, make in made.items() if words.startswith(start)), None)

    def _parameters(self) -> Json:
        token = self.token
        url = f"https://{token()}:{token()}@storage.example.org:8080/{token()}?{token()}"
        told = {"resturl": url, "server": "storage.example.org", "clusterID": "a1"}
        assert {plain(key) for key in told} <= HOST_FIELDS | NAME_FIELDS
        return {**told, "password": token(), "restuserkey": token(), "csi.storage.k8s.io/server": token()}

    def _environment(self) -> list[Json]:
        token = self.token
        other = {"name": "ROUTE_LABELS", "valueFrom": {"secretKeyRef": {"name": token(), "key": token()}}}
        named = ("ROUTER_STATS_PASSWORD", "STATS_USERNAME", "DEFAULT_CERTIFICATE", "EGRESS_TOKEN", "PASSWORD")
        return [*({"name": name, "value": token()} for name in named), other]

    def _network(self) -> str:
        token = self.token
        plugin = {"type": "macvlan", "master": "eth1", "key": token(), "ipam": {"routes": [token()]}}
        return json.dumps({"name": "n", "secret": token(), "plugins": [plugin]})

    def _annotations(self) -> Json:
        token = self.token
        network = {"role": "primary", "ip_address": "10.9.0.9/24", "mac_address": token(), "gateway_ips": [token()]}
        attached = [{"name": "net", "cni-args": {"password": token()}, "interface": token()}]
        return {
            "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": token()}),
            "vault.hashicorp.com/token": token(),
            "openshift.io/generated-by": token(),
            "openshift.io/description": token(),
            MACVLAN: token(),
            "v1.multus-cni.io/default-network": token(),
            "pv.kubernetes.io/provisioned-by": token(),
            "metallb.io/address-pool": token(),
            "openshift.io/sa.scc.uid-range": token(),
            "k8s.v1.cni.cncf.io/networks": json.dumps(attached),
            POD_NETWORKS: json.dumps({token(): network, "other": {"role": token()}}),
            OPEN_PORTS: f"- protocol: tcp\n  port: 80\n  name: {token()}\n",
            "k8s.ovn.org/host-cidrs": json.dumps(["10.0.0.0/24", token()]),
            "cloud.network.openshift.io/egress-ipconfig": json.dumps([{"interface": token()}]),
            "scheduler.alpha.kubernetes.io/defaultTolerations": json.dumps([{"key": "a", "comment": token()}]),
            "scheduler.alpha.kubernetes.io/tolerationsWhitelist": token(),
        }


@functools.cache
def _pattern(listed: str) -> re.Pattern[str]:
    """Of the paths that a line of the allow-list means: `*` is one step, or all below at the end, `**` any steps."""
    steps = re.escape(listed).replace(r"\.\*\*\.", r".*\.")
    ending = steps.endswith(r"\.\*")
    inner = steps.removesuffix(r"\.\*").replace(r"\*", r"[^.]+")
    return re.compile(inner + (r"(?:\..*)?" if ending else ""))


def name_of(kind: Kind) -> str:
    """A name that the kind takes."""
    return {"EgressFirewall": "default", "Pod": f"{API_SERVER}canary"}.get(kind.kind, "canary")


def merged(old: Any, new: Any) -> Any:
    """Both, the second over the first; lists item by item."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merged(old[key], value) if key in old else value for key, value in new.items()}
    if isinstance(old, list) and isinstance(new, list):
        pairs = itertools.zip_longest(old, new)
        return [merged(a, b) if b is not None else a for a, b in pairs]
    return new


def model(kind: Kind) -> Schema | None:
    """The schema of a built-in kind."""
    found = f"V1{kind.kind}"
    built_in = not kind.group or "." not in kind.group or kind.group.endswith(".k8s.io")
    own = kind.group not in ("k8s.cni.cncf.io", "policy.networking.k8s.io", "gateway.networking.k8s.io")
    return _model(found) if built_in and own and hasattr(models, found) else None


@functools.cache
def _model(name: str) -> Schema:
    """A class of the client as a schema."""
    found = getattr(models, name)
    return {
        "type": "object",
        "properties": {found.attribute_map[field]: _type(kind) for field, kind in found.openapi_types.items()},
    }


def _type(kind: str) -> Schema:
    if match := re.fullmatch(r"List\[(.*)\]", kind):
        return {"type": "array", "items": _type(match[1])}
    if match := re.fullmatch(r"Dict\[str, (.*)\]", kind):
        return {"type": "object", "additionalProperties": _type(match[1])}
    if kind in _NOT_STRUCTS:
        return {
            "type": {"str": "string", "bytes": "string", "datetime": "string", "object": "object"}.get(kind, "integer")
        }
    return _model(kind)


@functools.cache
def _definitions() -> Mapping[tuple[str, str], Schema]:
    return dict(_published())


def _published() -> Iterator[tuple[tuple[str, str], Schema]]:
    for path in sorted(CRDS.glob("*.yaml")):
        for crd in yaml.load_all(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            for version in crd["spec"]["versions"]:
                yield (crd["spec"]["group"], crd["spec"]["names"]["kind"]), version["schema"]["openAPIV3Schema"]


def definition(kind: Kind) -> Schema | None:
    """The schema of a custom kind, where it is at hand."""
    return _definitions().get((kind.group, kind.kind))


_POLICY = {
    "spec": {
        "podSelector": {},
        "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}],
        "egress": [{"to": [{"podSelector": {}}], "ports": [{"port": 80}]}],
    }
}
_ADMIN = {"subject": {"namespaces": {}}, "priority": 5}
_ALLOWED = {"action": "Allow", "from": [{"namespaces": {}}]}
_PORTS = [{"name": "c", "ports": [{"containerPort": 80}]}]
_CONTAINERS = {"containers": _PORTS, "initContainers": _PORTS}
_TEMPLATE = {"template": {"spec": _CONTAINERS}}
_FIREWALL = {"spec": {"egress": [{"type": "Deny", "to": {"cidrSelector": "0.0.0.0/0"}}]}}
_MESSY = {"secret": f"{TOKEN}-by-hand-1-", "deep": [{"secret": f"{TOKEN}-by-hand-2-"}]}
BASES: Mapping[str, Json] = {
    "Pod": {"spec": _CONTAINERS, "status": {"podIPs": [{"ip": "10.1.0.9"}]}},
    **{kind: {"spec": _TEMPLATE} for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")},
    "ReplicationController": {"spec": _TEMPLATE},
    "DeploymentConfig": {"spec": {**_TEMPLATE, "triggers": [_MESSY], "strategy": _MESSY}},
    "CronJob": {"spec": {"jobTemplate": {"spec": _TEMPLATE}}},
    "VirtualMachine": {
        "spec": {"template": {"spec": {"domain": {"cpu": _MESSY}, "networks": [{"name": "n", "pod": _MESSY}]}}}
    },
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "NetworkPolicy": _POLICY,
    "MultiNetworkPolicy.k8s.cni.cncf.io": _POLICY,
    "AdminNetworkPolicy.policy.networking.k8s.io": {"spec": {**_ADMIN, "ingress": [_ALLOWED]}},
    "BaselineAdminNetworkPolicy.policy.networking.k8s.io": {"spec": {**_ADMIN, "ingress": [_ALLOWED]}},
    "ClusterNetworkPolicy.policy.networking.k8s.io": {
        "spec": {**_ADMIN, "tier": "Admin", "ingress": [{**_ALLOWED, "action": "Accept"}]}
    },
    "EgressFirewall.k8s.ovn.org": _FIREWALL,
    "EgressNetworkPolicy.network.openshift.io": _FIREWALL,
    "Template.template.openshift.io": {
        "parameters": [{"name": "PASSWORD", "value": f"{TOKEN}-by-hand-3-"}],
        "message": f"{TOKEN}-by-hand-4-",
        "objects": [{"apiVersion": "v1", "kind": "Secret", "stringData": _MESSY, "metadata": {"annotations": _MESSY}}],
    },
    "ClusterPolicy.kyverno.io": {
        "spec": {
            "validationFailureAction": "Enforce",
            "rules": [{"name": _MESSY["secret"], "match": {"any": [{"resources": {"kinds": ["Pod"], **_MESSY}}]},
                       "mutate": {"patchStrategicMerge": {"spec": {"containers": [_MESSY]}}}}],
        }
    },
    "HTTPRoute.gateway.networking.k8s.io": {
        "spec": {"rules": [{"matches": [{"headers": [_MESSY]}], "filters": [{"requestHeaderModifier": _MESSY}],
                            "backendRefs": [{"name": "web", "port": 80, "filters": [_MESSY]}]}]}
    },
}  # fmt: skip
"""What an object of a kind needs to be one, and what no schema at hand tells."""
