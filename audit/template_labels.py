"""The labels that controllers add to the pods they make, for templates that stand in for pods that do not exist yet.

Where a value cannot be known the key still can: it gets UNKNOWN, which no selector can name, and a policy that compares
values of such a key is a gap. Sources: the controllers of Kubernetes, OpenShift and KubeVirt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from audit.model import ObjectRef
from audit.selectors import LabelSelector
from audit.snapshot import Entry, Gap
from audit.workloads import MachineSpec, WorkloadSpec

UNKNOWN = "<unknown>"
"""No label has this value: an API server refuses it."""
POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
_JOB_NAMES = ("job-name", "batch.kubernetes.io/job-name")
_JOB_IDS = ("controller-uid", "batch.kubernetes.io/controller-uid")
_JOB_INDEX = "batch.kubernetes.io/job-completion-index"
_LONGEST = 63
_REVISION = "controller-revision-hash"


class Generated(NamedTuple):
    """What a controller adds."""

    labels: Mapping[str, str]
    """Over those of the template."""
    unknown: tuple[str, ...]
    """Keys whose value cannot be known, or is another for every replica; sorted."""


class Unsure(NamedTuple):
    """An endpoint with such keys."""

    id: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    unknown: tuple[str, ...]


NOTHING = Generated({}, ())


def workload_spec(entry: Entry) -> WorkloadSpec | None:
    """The spec of a workload object that holds its template."""
    spec = entry.body.spec
    if entry.kind == "CronJob":
        spec = spec.jobTemplate.spec if spec and spec.jobTemplate else None
    found: WorkloadSpec | None = spec
    return found


def generated(kind: str, name: str, spec: WorkloadSpec | None, written: Mapping[str, str]) -> Generated:
    """The labels that the controller of a workload adds to its pods; `written` are those of its template."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    match kind:
        case "StatefulSet":
            return _replicas(name, spec)
        case "DeploymentConfig":
            return _made({"deploymentconfig": name}, ("deployment",))
        case "VirtualMachine":
            return _machine(name, spec)
        case "Job" | "CronJob" if spec is not None and not spec.manualSelector:
            return _job(name if kind == "Job" else "", spec, written)
    return NOTHING


def _made(labels: dict[str, str], unknown: Iterable[str], several: Iterable[str] = ()) -> Generated:
    return Generated({**labels, **dict.fromkeys(unknown, UNKNOWN)}, tuple(sorted([*unknown, *several])))


_SIMPLE = {
    "Deployment": _made({}, ("pod-template-hash",)),
    "DaemonSet": _made({}, (_REVISION, "pod-template-generation")),
}


def _replicas(name: str, spec: WorkloadSpec | None) -> Generated:
    """The first replica; the others have other numbers."""
    start = spec.ordinals.start if spec and spec.ordinals else 0
    labels = {POD_NAME: f"{name}-{start}", POD_INDEX: str(start)}
    several = spec is not None and spec.replicas is not None and spec.replicas > 1
    return _made(labels, (_REVISION,), labels if several else ())


def _machine(name: str, spec: WorkloadSpec | None) -> Generated:
    """The launcher carries the host name, which is the name up to its first point unless the machine sets one."""
    machine = spec.template.spec if spec and spec.template else None
    written = machine.hostname if isinstance(machine, MachineSpec) else None
    host = (written or name.partition(".")[0])[:_LONGEST]
    return _made({"kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": host}, ("kubevirt.io/created-by",))


def _job(name: str, spec: WorkloadSpec, written: Mapping[str, str]) -> Generated:
    """A Job that was read from a cluster carries its labels in its template already; these are kept."""
    names = {key: name for key in _JOB_NAMES if name and key not in written}
    unknown = [*_JOB_IDS, *(() if name else _JOB_NAMES)]
    index = [_JOB_INDEX] if spec.completionMode == "Indexed" else []
    return _made(names, [key for key in unknown if key not in written or not name] + index)


def compared(policies: Iterable[Entry], endpoints: Iterable[Unsure]) -> tuple[Gap, ...]:
    """A gap for every policy that asks for a value of a label which some endpoint has and nobody knows; sorted."""
    by_key: dict[str, list[Unsure]] = {}
    for one in endpoints:
        for key in one.unknown:
            by_key.setdefault(key, []).append(one)
    if not by_key:
        return ()
    found = {
        _gap(policy, key, one)
        for policy in policies
        if any(key.encode() in bytes(policy.body.spec) for key in by_key)
        for selector, namespace in _selectors(policy)
        for key, one in _asked(selector, by_key)
        if namespace in ("", one.namespace)
    }
    return tuple(sorted(found))


def _asked(selector: LabelSelector, by_key: Mapping[str, list[Unsure]]) -> Iterator[tuple[str, Unsure]]:
    """(key, endpoint) where the selector's answer hangs on an unknown value: the first such endpoint of each key."""
    for asked in selector.requirements:
        for one in by_key.get(asked.key, ()):
            others = (rest for rest in selector.requirements if rest.key not in one.unknown)
            possible = any(may_be(one.name, asked.key, value) for value in asked.values)
            if possible and all(rest.matches(one.labels) for rest in others):
                yield asked.key, one
                break


def may_be(name: str, key: str, value: str) -> bool:
    """Whether some pod of the workload `name` may get this value of a label that nobody knows."""
    return key != POD_NAME or value.startswith(f"{name}-")


def _selectors(policy: Entry) -> Iterator[tuple[LabelSelector, str]]:
    """Its pod selectors, each with the namespace it looks at, empty for several; what is no selector is left out."""
    pending: list[Any] = [msgspec.json.decode(policy.body.spec)]
    while pending:  # no recursion: how deep a spec is nested is up to whoever wrote it
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, dict):
            pending += one.values()
            namespace = "" if one.get("namespaceSelector") is not None else policy.namespace
            try:
                yield LabelSelector.parse(one.get("podSelector")), namespace
            except ValueError:
                continue  # the engine refuses it


def _gap(policy: Entry, key: str, one: Unsure) -> Gap:
    scope = str(ObjectRef(policy.kind, policy.namespace, policy.name))
    text = f"{scope} asks for a value of the label `{key}`, which {one.id} gets when it runs: read its pods as well"
    return Gap(kind="Pod", reason="partial", scope=scope, text=text)
