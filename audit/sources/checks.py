"""What an API server would refuse in an object although its types are right: names, labels, ports, addresses."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from audit.bodies import GROUPS, NodeBody, ServiceBody
from audit.control_bodies import RoleBody
from audit.errors import did_you_mean
from audit.selectors import LABEL_KEY, LABEL_VALUE, SUBDOMAIN, LabelSelector
from audit.snapshot import Entry
from audit.sources.text import Steps
from audit.traffic import MAX_PORT, PROTOCOLS
from audit.workloads import (
    Container,
    CronJobBody,
    MachineSpec,
    Metadata,
    PodBody,
    PodSpec,
    PodStatus,
    WorkloadBody,
    WorkloadSpec,
)

Problem = tuple[Steps, str, str]
"""Field, reason and hint."""

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
"""RFC 1123 label: names of namespaces and services."""
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[^/%\x00-\x1f\x7f]{1,253}")
"""The least that every kind asks of a name (apimachinery `IsValidPathSegmentName`), without control characters."""
_BY_KIND = {"Namespace": _LABEL, "Service": _LABEL}


def problems(entry: Entry) -> Sequence[Problem]:
    """Everything wrong with one object, in the order of its fields; nothing for a good one."""
    found = [*_names(entry), *_labels(entry.body.metadata, ("metadata",))]
    match entry.body:
        case PodBody(spec=spec, status=status):
            if spec and not (_sound(spec.containers) and _sound(spec.initContainers)):
                found += _pod_spec(spec, ("spec",))
            found += _pod_status(status)
        case WorkloadBody(spec=spec):
            found += _workload(spec, ("spec",))
        case CronJobBody(spec=spec) if spec and spec.jobTemplate:
            found += _workload(spec.jobTemplate.spec, ("spec", "jobTemplate", "spec"))
        case ServiceBody():
            found += _service(entry.body)
        case NodeBody():
            found += _node(entry.body)
        case RoleBody(aggregationRule=rule) if rule:
            for number, selector in enumerate(rule.clusterRoleSelectors or ()):
                found += _selector(selector, ("aggregationRule", "clusterRoleSelectors", number))
    return found


def _selector(raw: object, path: Steps) -> Iterator[Problem]:
    try:
        LabelSelector.parse(raw)
    except ValueError as error:
        yield path, f"{path[0]}: {error}", "an API server refuses this object"


def _names(entry: Entry) -> list[Problem]:
    metadata, found = entry.body.metadata, list[Problem]()
    if not entry.name:
        found.append((("metadata",), "`metadata.name` is missing", ""))
    elif metadata.name and not _name_pattern(entry.group, entry.kind).fullmatch(metadata.name):
        found.append((("metadata", "name"), f"`{metadata.name}` is not a valid name for a {entry.kind}", _NAME_HINT))
    if entry.namespace and not _valid_namespace(entry.namespace):
        found.append((("metadata", "namespace"), f"`{entry.namespace}` is not a valid namespace", _NAME_HINT))
    return found


_NAME_HINT = "names are lower-case letters, digits and `-`"


@lru_cache(1 << 16)
def _valid_namespace(name: str) -> bool:
    return _LABEL.fullmatch(name) is not None


@lru_cache(1024)
def _name_pattern(group: str, kind: str) -> re.Pattern[str]:
    if group not in GROUPS.get(kind, ()):
        return _PATH_SEGMENT
    return _BY_KIND.get(kind, SUBDOMAIN)


@lru_cache(1 << 16)
def _valid_label(label: tuple[str, str]) -> bool:
    return bool(LABEL_KEY.fullmatch(label[0]) and LABEL_VALUE.fullmatch(label[1]))


def _labels(metadata: Metadata | None, path: Steps) -> Iterable[Problem]:
    labels = metadata.labels if metadata else None
    if labels and not all(map(_valid_label, labels.items())):
        return _label_problems(labels, (*path, "labels"))
    return ()


def _label_problems(labels: Mapping[str, str], path: Steps) -> Iterator[Problem]:
    for key, value in labels.items():
        if not LABEL_KEY.fullmatch(key):
            yield (*path, key), f"`{key}` is not a valid label key", "`prefix/name` or `name`, at most 63 characters"
        elif not LABEL_VALUE.fullmatch(value):
            hint = "at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit"
            yield (*path, key), f"`{value}` is not a valid value for the label `{key}`", hint


def _workload(spec: WorkloadSpec | None, path: Steps) -> Iterator[Problem]:
    if not spec:
        return
    if spec.replicas is not None and spec.replicas < 0:
        yield (*path, "replicas"), f"`replicas: {spec.replicas}` is negative", ""
    if spec.template:
        yield from _labels(spec.template.metadata, (*path, "template", "metadata"))
        yield from _pod_spec(spec.template.spec, (*path, "template", "spec"))


def _pod_spec(spec: PodSpec | None, path: Steps) -> Iterator[Problem]:
    if isinstance(spec, MachineSpec):
        yield from _interfaces(spec, (*path, "domain", "devices", "interfaces"))
    if spec:
        yield from _containers(spec.containers, path, "containers")
        yield from _containers(spec.initContainers, path, "initContainers")


def _sound(containers: Iterable[Container] | None) -> bool:
    """Whether `_containers` has nothing to say, as of nearly every pod."""
    for container in containers or ():
        for port in container.ports or ():
            if not (0 < port.containerPort <= MAX_PORT and 0 <= (port.hostPort or 0) <= MAX_PORT):
                return False
            if port.protocol and port.protocol not in PROTOCOLS:
                return False
    return True


def _containers(containers: Iterable[Container] | None, path: Steps, field: str) -> Iterator[Problem]:
    for index, container in enumerate(containers or ()):
        for number, port in enumerate(container.ports or ()):
            if not 1 <= port.containerPort <= MAX_PORT:
                yield (
                    (*path, field, index, "ports", number, "containerPort"),
                    _range(port.containerPort, "container"),
                    "",
                )
            if port.protocol and port.protocol not in PROTOCOLS:
                yield (*path, field, index, "ports", number, "protocol"), *_protocol(port.protocol)
            if port.hostPort and not 1 <= port.hostPort <= MAX_PORT:
                yield (*path, field, index, "ports", number, "hostPort"), _range(port.hostPort, "host"), ""


def _interfaces(spec: MachineSpec, path: Steps) -> Iterator[Problem]:
    devices = spec.domain.devices if spec.domain else None
    for index, interface in enumerate(devices.interfaces or () if devices else ()):
        for number, port in enumerate(interface.ports or ()):
            if not 1 <= port.port <= MAX_PORT:
                yield (*path, index, "ports", number, "port"), _range(port.port, "machine"), ""
            if port.protocol and port.protocol not in PROTOCOLS:
                yield (*path, index, "ports", number, "protocol"), *_protocol(port.protocol)


def _range(port: int, what: str) -> str:
    return f"{what} port `{port}` is not within 1-{MAX_PORT}"


def _protocol(word: str) -> tuple[str, str]:
    return f"unknown protocol `{word}`", did_you_mean(word, PROTOCOLS)


def _pod_status(status: PodStatus | None) -> list[Problem]:
    found: list[Problem] = []
    if not status:
        return found
    if status.podIP and not _is_address(status.podIP):
        found.append((("status", "podIP"), f"`{status.podIP}` is not an IP address", ""))
    if status.hostIP and not _is_address(status.hostIP):
        found.append((("status", "hostIP"), f"`{status.hostIP}` is not an IP address", ""))
    for index, pod_ip in enumerate(status.podIPs or ()):
        if pod_ip.ip != status.podIP and not _is_address(pod_ip.ip):
            found.append((("status", "podIPs", index, "ip"), f"`{pod_ip.ip}` is not an IP address", ""))
    return found


def _is_address(text: str) -> bool:
    # inet_pton is ten times as fast as ipaddress, and a large cluster has 300,000 of these.
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def _service(body: ServiceBody) -> Iterator[Problem]:
    selector = body.spec.selector if body.spec else None
    if selector and not all(map(_valid_label, selector.items())):
        yield from _label_problems(selector, ("spec", "selector"))
    for index, port in enumerate(body.spec.ports or () if body.spec else ()):
        path: Steps = ("spec", "ports", index)
        if not 1 <= port.port <= MAX_PORT:
            yield (*path, "port"), _range(port.port, "service"), ""
        if port.protocol and port.protocol not in PROTOCOLS:
            yield (*path, "protocol"), *_protocol(port.protocol)
        if isinstance(port.targetPort, int) and not 0 <= port.targetPort <= MAX_PORT:
            yield (*path, "targetPort"), _range(port.targetPort, "target"), ""
        if port.nodePort and not 1 <= port.nodePort <= MAX_PORT:
            yield (*path, "nodePort"), _range(port.nodePort, "node"), ""


def _node(body: NodeBody) -> Iterator[Problem]:
    for index, address in enumerate(body.status.addresses or () if body.status else ()):
        if address.type in ("InternalIP", "ExternalIP") and not _is_address(address.address):
            yield ("status", "addresses", index, "address"), f"`{address.address}` is not an IP address", ""
