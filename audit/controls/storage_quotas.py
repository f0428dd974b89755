"""What quotas forbid a namespace to claim.

Input: a Scene. Output: `Quotas`. Decisions: only a limit of zero forbids; every quota that binds a namespace counts,
and one zero is enough; a quota with a scope counts only some objects and so forbids nothing for certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from audit.controls.scene import Scene, ref
from audit.exposure.raw import decoded, listed, text_of
from audit.model import Namespace, ObjectRef, may_match
from audit.selectors import EVERYTHING, LabelSelector
from audit.snapshot import Entry

RESOURCE_QUOTA = "ResourceQuota"
CLUSTER_QUOTA = "ClusterResourceQuota.quota.openshift.io"
CLUSTER_QUOTAS = (CLUSTER_QUOTA, "ClusterResourceQuota")
"""OpenShift 3 served the kind in the core group, too."""
CLASS_KEY = ".storageclass.storage.k8s.io/"
"""Between the name of a class and what of it is limited."""
_PER_CLASS = ("requests.storage", "persistentvolumeclaims")
_GENERIC = (*_PER_CLASS, "count/persistentvolumeclaims")
"""Without a class in front they limit claims of every class, and those without one."""
_MISSPELT = tuple(f"/{one}" for one in _PER_CLASS)
"""How keys of a class end, also those with something wrong in the middle."""
RUN_LEVEL = "openshift.io/run-level"
_NO_QUOTA = frozenset({"default", "kube-public", "kube-system", "openshift", "openshift-infra", "openshift-node"})
_QUANTITY = re.compile(r"[+-]?(?P<digits>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one quota says of claims."""

    zero: frozenset[str] = frozenset()
    """Classes of which nothing may be claimed."""
    everything: bool = False
    """Nothing may be claimed at all."""
    sized: tuple[tuple[str, str], ...] = ()
    """(class, limit as written) of the classes of which something may be claimed, sorted."""
    dead: tuple[str, ...] = ()
    """Keys of a class that no API server counts, or with a limit that is no quantity; sorted."""
    scopes: tuple[str, ...] = ()
    """What it is restricted to, sorted; then it holds no claim for certain."""

    @property
    def named(self) -> tuple[str, ...]:
        """All classes that it names, sorted."""
        return tuple(sorted({*self.zero, *(name for name, _ in self.sized)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A ResourceQuota or ClusterResourceQuota that says something of claims, with the namespaces that it binds."""

    ref: ObjectRef
    limits: Limits
    namespaces: tuple[str, ...]
    """Sorted."""
    exempt: tuple[str, ...] = ()
    """Namespaces that a ClusterResourceQuota selects without effect, because of their run level."""


@dataclass(frozen=True, slots=True)
class Held:
    """What all quotas of a namespace forbid together."""

    classes: frozenset[str] = frozenset()
    everything: bool = False

    def forbids(self, name: str) -> bool:
        """Whether nothing of a class may be claimed; the empty name stands for claims without a class."""
        return self.everything or name in self.classes


FREE = Held()


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """Every quota on claims, and what comes of them."""

    listed: tuple[Quota, ...]
    """Those of namespaces first, then those of the cluster, each by namespace and name."""
    uncertain: frozenset[str] = frozenset()
    """Namespaces whose labels were not read, and which a ClusterResourceQuota may select."""

    def held(self, namespace: str) -> Held:
        """What may not be claimed in a namespace. Namespaces with equal quotas have the very same value."""
        return self._held.get(namespace, FREE)

    @cached_property
    def _held(self) -> Mapping[str, Held]:
        binding: dict[str, list[Limits]] = {}
        for quota in self.listed:
            if not quota.limits.scopes:
                for name in quota.namespaces:
                    binding.setdefault(name, []).append(quota.limits)
        made: dict[tuple[int, ...], Held] = {}
        return {name: _joined(limits, made) for name, limits in binding.items()}


def _joined(limits: Iterable[Limits], made: dict[tuple[int, ...], Held]) -> Held:
    """What the limits forbid together, made once for the same ones."""
    found = list(limits)
    key = tuple(sorted(map(id, found)))
    if key not in made:
        made[key] = Held(frozenset().union(*(one.zero for one in found)), any(one.everything for one in found))
    return made[key]


def quotas(scene: Scene) -> Quotas:
    """All quotas of the input that say something of claims."""
    read: dict[bytes, Limits] = {}
    own = [
        Quota(ref=ref(entry), limits=limits, namespaces=(entry.namespace,))
        for entry in scene.of(RESOURCE_QUOTA)
        if (limits := _limits(entry, read)) != Limits(scopes=limits.scopes)
    ]
    wide = [
        (entry, limits)
        for entry in scene.of(*CLUSTER_QUOTAS)
        if (limits := _limits(entry, read)) != Limits(scopes=limits.scopes)
    ]
    if scene.inventory.profile.product == "kubernetes":  # nothing there reads the kind
        return Quotas(listed=tuple(own))
    projects = _projects(scene.inventory.namespaces)
    every = [(_of_cluster(entry, limits, projects), _uncertain(entry, limits, projects)) for entry, limits in wide]
    uncertain = frozenset(name for _, names in every for name in names)
    return Quotas(listed=(*own, *(quota for quota, _ in every)), uncertain=uncertain)


def _limits(entry: Entry, read: dict[bytes, Limits]) -> Limits:
    """The limits of a quota; equal specs give the very same value."""
    key = bytes(entry.body.spec)
    if key not in read:
        spec = decoded(entry.body.spec)
        inner = spec.get("quota") if entry.kind == "ClusterResourceQuota" else spec
        read[key] = limits_of(inner if isinstance(inner, dict) else {})
    return read[key]


def limits_of(spec: Mapping[str, Any]) -> Limits:
    """What the spec of a quota says of claims."""
    hard = spec.get("hard")
    zero: set[str] = set()
    sized: dict[str, str] = {}
    dead: list[str] = []
    everything = False
    for key, value in sorted(hard.items()) if isinstance(hard, dict) else ():
        name, class_key, what = key.rpartition(CLASS_KEY)
        nothing = is_zero(value)
        if not class_key:
            everything |= key in _GENERIC and nothing is True
            dead += [key] if key.endswith(_MISSPELT) and key not in _GENERIC else []
        elif what not in _PER_CLASS or nothing is None:
            dead.append(key)
        elif nothing:
            zero.add(name)
        else:
            sized.setdefault(name, str(value))
    return Limits(
        zero=frozenset(zero),
        everything=everything,
        sized=tuple((name, value) for name, value in sized.items() if name not in zero),
        dead=tuple(dead),
        scopes=_scopes(spec),
    )


def is_zero(value: object) -> bool | None:
    """Whether a quantity is zero, in any of the forms that the API takes; None where it is no quantity."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    match = _QUANTITY.fullmatch(str(value))
    return None if match is None else not match["digits"].strip("0.")


def _scopes(spec: Mapping[str, Any]) -> tuple[str, ...]:
    selector = spec.get("scopeSelector")
    terms = listed(selector, "matchExpressions") if isinstance(selector, dict) else ()
    named = [str(one) for one in listed(spec, "scopes")] + [text_of(one, "scopeName") for one in terms]
    return tuple(sorted(set(named)))


@dataclass(frozen=True)
class _Projects:
    """The namespaces, found by one label or annotation."""

    all: Mapping[str, Namespace]
    unknown: tuple[Namespace, ...]
    """Those whose labels were not read."""
    _by_pair: dict[tuple[str, str], dict[str, list[Namespace]]] = field(default_factory=dict)

    def with_pair(self, what: str, key: str, value: str) -> list[Namespace]:
        """Those with this value of a label or annotation (`labels`, `annotations`)."""
        index = self._by_pair.get((what, key))
        if index is None:
            index = self._by_pair[what, key] = {}
            for one in self.all.values():
                if key in (given := one.labels if what == "labels" else one.annotations):
                    index.setdefault(given[key], []).append(one)
        return index.get(value, [])


def _projects(namespaces: Mapping[str, Namespace]) -> _Projects:
    return _Projects(namespaces, tuple(one for one in namespaces.values() if not one.known))


def _selected(entry: Entry) -> tuple[LabelSelector | None, dict[str, str]]:
    """Labels and annotations that a ClusterResourceQuota selects by; (None, {}) where it selects nothing."""
    selector = decoded(entry.body.spec).get("selector")
    given = selector if isinstance(selector, dict) else {}
    wanted = given.get("annotations")
    annotations = {str(key): str(value) for key, value in wanted.items()} if isinstance(wanted, dict) else {}
    try:
        labels = LabelSelector.parse(given.get("labels"))
    except ValueError:
        return None, {}
    return (None, {}) if labels == EVERYTHING and not annotations else (labels, annotations)


def _candidates(labels: LabelSelector, annotations: Mapping[str, str], projects: _Projects) -> Iterable[Namespace]:
    """Namespaces among which all selected ones are: by one annotation or label where it names values, else all."""
    for key, value in annotations.items():
        return projects.with_pair("annotations", key, value)
    for one in labels.requirements:
        if one.operator == "In":
            return [found for value in one.values for found in projects.with_pair("labels", one.key, value)]
    return projects.all.values()


def _of_cluster(entry: Entry, limits: Limits, projects: _Projects) -> Quota:
    labels, annotations = _selected(entry)
    found = _chosen(labels, annotations, projects) if labels is not None else ()
    names = {one.name: has_run_level(one) for one in found}
    return Quota(
        ref=ref(entry),
        limits=limits,
        namespaces=tuple(sorted(name for name, exempt in names.items() if not exempt)),
        exempt=tuple(sorted(name for name, exempt in names.items() if exempt)),
    )


def _chosen(labels: LabelSelector, annotations: Mapping[str, str], projects: _Projects) -> Iterator[Namespace]:
    for one in _candidates(labels, annotations, projects):
        exact = all(one.annotations.get(key) == value for key, value in annotations.items())
        if one.known and exact and labels.matches(one.labels):
            yield one


def _uncertain(entry: Entry, limits: Limits, projects: _Projects) -> Iterator[str]:
    """Namespaces of unknown labels that a quota with a zero may select."""
    labels, _ = _selected(entry)
    if labels is not None and (limits.zero or limits.everything) and not limits.scopes:
        yield from (one.name for one in projects.unknown if may_match(labels, one))


def has_run_level(namespace: Namespace) -> bool:
    """Whether ClusterResourceQuotas and security context constraints have no effect in a namespace."""
    return namespace.name in _NO_QUOTA or namespace.labels.get(RUN_LEVEL) in ("0", "1")
