"""What a namespace makes of every new pod: its project node selector by all mechanisms, and the tolerations it admits.

Decisions: the upstream annotation hides OpenShift's own, an empty one included; the cluster's default counts where
neither is there; on plain Kubernetes nothing counts unless the API server shows its plug-in. What is certain and what
may be besides stay apart. Source: openshift/origin `OriginPodNodeEnvironment` and its `labelselector`, Kubernetes
`PodNodeSelector` and `PodTolerationRestriction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from audit.controls.api_server import configured_by_file, plugin_enabled
from audit.controls.placement import ANY, Labels, Placement
from audit.controls.pod_mutation import Mutator, mutators
from audit.controls.scene import Scene
from audit.model import Namespace
from audit.selectors import LABEL_KEY, LABEL_VALUE
from audit.workloads import Toleration

UPSTREAM = "scheduler.alpha.kubernetes.io/node-selector"
PROJECT = "openshift.io/node-selector"
DEFAULTS = "scheduler.alpha.kubernetes.io/defaultTolerations"
WHITELIST = "scheduler.alpha.kubernetes.io/tolerationsWhitelist"
SCHEDULER = "Scheduler.config.openshift.io"
NO_DEFAULT_SHOWN = "the default node selector of OpenShift 3 stands in the configuration file of its masters"
_MARKS = (UPSTREAM, PROJECT, DEFAULTS, WHITELIST)
_SCC = "openshift.io/sa.scc."
"""Annotations that OpenShift puts on every namespace."""
ANYWHERE = Placement(tolerations=ANY)
_tolerations = msgspec.json.Decoder(tuple[Toleration, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What binds the pods of a namespace, whoever writes them."""

    certain: Placement = ANYWHERE
    """What binds for sure: the selector that is merged, and the widest tolerations that are admitted."""
    possible: Placement = ANYWHERE
    """What binds if every doubt turns out to bind."""
    given: tuple[Toleration, ...] = ()
    """Tolerations that a pod gets without asking."""
    doubts: tuple[str, ...] = ()
    """Why the possible may not be certain."""
    blind: tuple[str, ...] = ()
    """What may bind in a way that the input does not show."""
    source: str = ""
    """Where the selector stands: an annotation, or the cluster's default; empty where there is none."""
    text: str = ""
    """The selector as written."""
    ignored: str = ""
    """An annotation that means nothing here, with the reason."""
    error: str = ""
    """Why the selector cannot be read: then the API server refuses every pod."""
    repeated: tuple[str, ...] = ()
    """Keys that the selector names with two values; the last one counts."""


class Platform(NamedTuple):
    """What decides how annotations are read."""

    openshift: bool | None
    """None where the input does not tell it from plain Kubernetes."""
    selectors: bool | None
    """Whether PodNodeSelector is on."""
    whitelists: bool | None
    """Whether PodTolerationRestriction is on."""
    default: Selector
    mutators: tuple[Mutator, ...]


class Selector(NamedTuple):
    """A node selector in the grammar of projects."""

    labels: Labels = ()
    source: str = ""
    text: str = ""
    error: str = ""
    repeated: tuple[str, ...] = ()
    blind: str = ""
    """Why there may be one that is not shown."""


def admitted(scene: Scene) -> Mapping[str, Admitted]:
    """By namespace. Namespaces that nothing tells apart share one value."""
    platform = platform_of(scene)
    decided: dict[tuple[object, ...], Admitted] = {}
    found: dict[str, Admitted] = {}
    for name, namespace in scene.inventory.namespaces.items():
        seen = tuple(one.text for one in platform.mutators if one.sees(namespace.labels) or not namespace.known)
        key = (namespace.known, seen, *(namespace.annotations.get(mark) for mark in _MARKS))
        if key not in decided:
            decided[key] = _admitted(platform, namespace, seen)
        found[name] = decided[key]
    return found


def platform_of(scene: Scene) -> Platform:
    """Which mechanisms are on."""
    openshift, old = is_openshift(scene), scene.inventory.profile.product == "openshift-3"
    return Platform(
        openshift=openshift,
        # PodTolerationRestriction was off by default through most of OpenShift 3, and no object of it tells.
        selectors=True if openshift else plugin_enabled(scene, "PodNodeSelector"),
        whitelists=(None if old else True) if openshift else plugin_enabled(scene, "PodTolerationRestriction"),
        default=_default(scene, openshift=openshift, old=old),
        mutators=mutators(scene),
    )


def is_openshift(scene: Scene) -> bool | None:
    """Whether anything in the input is OpenShift's own: its API groups, or what it writes on every namespace.

    None where nothing is, and no API server of Kubernetes is shown either.
    """
    product = scene.inventory.profile.product
    if product:
        return product.startswith("openshift")
    if any(group.endswith("openshift.io") for group in scene.inventory.snapshot.groups) or any(
        key.startswith(_SCC) for namespace in scene.inventory.namespaces.values() for key in namespace.annotations
    ):
        return True
    return None if plugin_enabled(scene, "PodNodeSelector") is None else False


def _default(scene: Scene, *, openshift: bool | None, old: bool) -> Selector:
    """The cluster's default, for namespaces without an annotation."""
    if not openshift:
        hidden = plugin_enabled(scene, "PodNodeSelector") and configured_by_file(scene)
        return Selector(blind="the settings of PodNodeSelector stand in a file of the API server" if hidden else "")
    if old:
        return Selector(blind=NO_DEFAULT_SHOWN)
    lost = bool(scene.lacking.of([SCHEDULER]))
    given = next((entry for entry in scene.of(SCHEDULER) if entry.name == "cluster"), None)
    if given is None or lost:
        absent = scene.inventory.snapshot.live and not lost
        return Selector(blind="" if absent else "the input holds no Scheduler `cluster` with the default node selector")
    text = scheduler_field(scene, "defaultNodeSelector")
    return parse(text, "defaultNodeSelector of Scheduler cluster") if isinstance(text, str) and text else Selector()


def scheduler_field(scene: Scene, field: str) -> Any:
    """A field of the spec of the Scheduler `cluster`; None where it is absent."""
    for entry in scene.of(SCHEDULER):
        if entry.name == "cluster" and bytes(entry.body.spec):
            spec = msgspec.json.decode(entry.body.spec)
            return spec.get(field) if isinstance(spec, dict) else None
    return None


def parse(text: str, source: str = "") -> Selector:
    """The labels of `key=value,key=value`, the only form that is understood; of a key named twice the last counts."""
    labels: dict[str, str] = {}
    repeated: list[str] = []
    for part in text.split(",") if text.strip() else ():
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not LABEL_KEY.fullmatch(key) or not LABEL_VALUE.fullmatch(value):
            error = f"`{part.strip()}` is no `key=value`"
            return Selector(source=source, text=text, error=error)
        if labels.get(key, value) != value:
            repeated.append(key)
        labels[key] = value
    return Selector(tuple(sorted(labels.items())), source, text, repeated=tuple(dict.fromkeys(repeated)))


def _admitted(platform: Platform, namespace: Namespace, seen: tuple[str, ...]) -> Admitted:
    if not namespace.known:
        return Admitted(blind=("its Namespace object is not in the input",))
    selector, doubt, ignored = _selector(platform, namespace.annotations)
    tolerations, unsure = _whitelist(platform, namespace.annotations.get(WHITELIST))
    doubts = tuple(one for one in (doubt, unsure) if one)
    unread = f"{selector.source}: {selector.error}" if doubt and selector.error else ""
    return Admitted(
        certain=Placement(() if doubt else selector.labels, tolerations=ANY if unsure else tolerations),
        possible=Placement(selector.labels, tolerations=tolerations),
        given=_listed(namespace.annotations.get(DEFAULTS)) or () if platform.whitelists is not False else (),
        doubts=doubts,
        blind=tuple(one for one in (selector.blind, unread, *(f"{text} may place pods" for text in seen)) if one),
        source=selector.source,
        text=selector.text,
        ignored=ignored,
        error="" if doubt else selector.error,
        repeated=selector.repeated,
    )


def _selector(platform: Platform, annotations: Mapping[str, str]) -> tuple[Selector, str, str]:
    """The selector that counts, why it may not, and what is ignored."""
    upstream, project = annotations.get(UPSTREAM), annotations.get(PROJECT)
    ignored = ""
    if project is not None and platform.openshift is False:
        ignored = f"`{PROJECT}` means nothing to Kubernetes without OpenShift"
    elif project is not None and upstream is not None:
        ignored = f"`{PROJECT}` is ignored beside `{UPSTREAM}`"
    if upstream is not None and platform.selectors is not False:
        doubt = "" if platform.selectors else "the input does not show whether the API server has PodNodeSelector on"
        return parse(upstream, f"annotation {UPSTREAM}"), doubt, ignored
    if upstream is not None:
        return Selector(), "", f"`{UPSTREAM}` means nothing without the admission plug-in PodNodeSelector"
    if project is not None and platform.openshift is not False:
        doubt = "" if platform.openshift else "the input does not show whether this is OpenShift"
        return parse(project, f"annotation {PROJECT}"), doubt, ""
    return platform.default, "", ignored


def _whitelist(platform: Platform, text: str | None) -> tuple[tuple[Toleration, ...], str]:
    """The widest tolerations of a pod, and why they may be wider. No whitelist, or an empty one, admits any."""
    if text is None or platform.whitelists is False:
        return ANY, ""
    listed = _listed(text)
    if not listed:
        return ANY, ""
    unsure = "" if platform.whitelists else "the input does not show whether PodTolerationRestriction is on"
    return listed, unsure


def _listed(text: str | None) -> tuple[Toleration, ...] | None:
    """Tolerations as an annotation lists them; None where it cannot be read."""
    if not text:
        return None
    try:
        return _tolerations.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def wanted_annotation(platform: Platform, annotations: Iterable[str]) -> str:
    """The annotation that a namespace has to carry for its selector to count."""
    return PROJECT if platform.openshift and UPSTREAM not in annotations else UPSTREAM
