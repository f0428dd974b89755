"""Directories that support tools write: which files hold which objects, and what they leave unknown.

`oc adm inspect` writes lists of what it asked for as a whole (`namespaces/NS/core/pods.yaml`,
`cluster-scoped-resources/GROUP/RESOURCE.yaml`) and objects one by one (`namespaces/NS/NS.yaml`,
`.../RESOURCE/NAME.yaml`, `namespaces/NS/pods/POD/POD.yaml`); `oc adm must-gather` has one such tree for each image
that it ran; `kubectl cluster-info dump` writes `nodes.json` and `NS/pods.json`. Only a list proves that there is no
more, and only where it was asked for. Source: openshift/oc `pkg/cli/admin/inspect`, kubectl `pkg/cmd/clusterinfo`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audit.api_resources import RESOURCES, Resource
from audit.errors import InputError
from audit.snapshot import Entry, Gap
from audit.sources import inputs, layers
from audit.sources.held import Held
from audit.sources.inputs import SUFFIXES
from audit.sources.kinds import is_namespaced, kind_key
from audit.sources.layers import Layer
from audit.sources.shared import Shared
from audit.sources.text import Text

CLUSTER, NAMESPACES = "cluster-scoped-resources", "namespaces"
_DEPTH = 4
"""Levels of directories; logs and answers of containers lie deeper."""
_LIST = re.compile(rb'^(?:kind: |\s*\{?\s*"kind": ?")\w*List\b', re.MULTILINE)
_CONTINUED = re.compile(rb'^(?:  continue: (?!"")\S|\s*"continue": ?"[^"])', re.MULTILINE)
_NAMED = 3
"""Namespaces that a gap names before it counts the rest."""
_NAMESPACE = Resource("", "Namespace", "namespaces")
_POD = Resource("", "Pod", "pods")
_BY_NAME = {(one.group or "core", one.name): one for one in RESOURCES}
_DUMPED: Mapping[str, Resource] = {
    name: _BY_NAME[group, resource]
    for name, group, resource in (
        ("pods", "core", "pods"),
        ("services", "core", "services"),
        ("replication-controllers", "core", "replicationcontrollers"),
        ("deployments", "apps", "deployments"),
        ("daemonsets", "apps", "daemonsets"),
        ("replicasets", "apps", "replicasets"),
    )
}
"""Files of a namespace in a dump of `kubectl cluster-info`; its events are not read."""


@dataclass(frozen=True, slots=True)
class Place:
    """One file that holds objects."""

    path: Path
    resource: Resource
    namespace: str
    """Empty for what belongs to the cluster."""
    whole: bool
    """A list of all that there is in the namespace, or in the cluster."""


def roots(source: str) -> tuple[Path, ...]:
    """The trees in a directory that are laid out like this, sorted; empty for any other directory."""
    folder = Path(source)
    try:
        if _layout(folder):
            return (folder,)
        children = sorted(folder.iterdir())
        if any(child.suffix.lower() in SUFFIXES for child in children):
            return ()
        return tuple(child for child in children if not child.is_symlink() and child.is_dir() and _layout(child))
    except OSError:  # whoever reads the directory says so
        return ()


def gathered(source: str, ordinal: int, shared: Shared, say: Callable[[str], None]) -> Held:
    """The objects in the trees of a SOURCE, with the gaps that they leave."""
    held, seen = Held(), _Seen()
    for root in roots(source):
        places = sorted(_places(root), key=lambda one: (not one.whole, one.path.parts))
        seen.namespaces |= {one.namespace for one in places}
        for place in places:
            _read(held, seen, place, _text(place, ordinal, say), shared)
    held.notes.append(f"`{source}` was gathered for support: of its files, lists and objects of known kinds were read")
    held.gaps += seen.gaps(held.layer)
    return held


@dataclass(slots=True)
class _Seen:
    """Where all of a kind was seen."""

    namespaces: set[str] = field(default_factory=set)
    whole: dict[Resource, set[str]] = field(default_factory=dict)

    def gaps(self, layer: Layer) -> Iterator[Gap]:
        """One for each kind of which something may be missing."""
        names = {entry.name for entry in layer.values() if entry.kind == "Namespace" and not entry.group}
        names |= self.namespaces - {""}
        held = {kind for kind, _, _ in layer}
        everywhere = "" in self.whole.get(_NAMESPACE, ())
        for one in RESOURCES:
            key = kind_key(one.group, one.kind)
            if text := self._missing(one, names, everywhere=everywhere, some=key in held):
                yield Gap(kind=key, reason="partial", text=text)

    def _missing(self, one: Resource, names: set[str], *, everywhere: bool, some: bool) -> str:
        """What may be missing of a kind; empty if nothing is."""
        places = self.whole.get(one, set())
        if not places:
            return "gathered one by one, so that there may be more" if some else "not gathered"
        if "" in places:
            return ""
        lacking = sorted(names - places)
        if lacking:
            more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
            return f"not gathered as a whole in {len(lacking)} of {len(names)} namespaces: " + (
                ", ".join(lacking[:_NAMED]) + more
            )
        return "" if everywhere else "there may be namespaces that were not gathered"


def _layout(folder: Path) -> Callable[[tuple[str, ...]], tuple[Resource, str, bool] | None] | None:
    """What tells the files of a tree apart; None for a directory that is none."""
    scoped = (child.name for child in (folder / CLUSTER).glob("*/"))
    inspected = any(name == "core" or "." in name for name in scoped)
    if inspected or _any(folder, f"{NAMESPACES}/*/core/") or _any(folder, f"{NAMESPACES}/*/pods/*/*.yaml"):
        return _inspected
    nodes = any((folder / f"nodes{suffix}").is_file() for suffix in SUFFIXES)
    return _dumped if nodes and _any(folder, "*/replication-controllers.*") else None


def _any(folder: Path, pattern: str) -> bool:
    return next(folder.glob(pattern), None) is not None


def _places(root: Path) -> Iterator[Place]:
    layout = _layout(root)
    for at, folders, names in os.walk(root):
        inside = Path(at).relative_to(root).parts
        if layout is _inspected and not inside:
            folders[:] = [name for name in folders if name in (CLUSTER, NAMESPACES)]
        if len(inside) == _DEPTH:
            folders.clear()
        for name in sorted(names):
            stem, _, suffix = name.rpartition(".")
            if layout and f".{suffix}".lower() in SUFFIXES and (found := layout((*inside, stem))):
                yield Place(Path(at, name), *found)


def _inspected(parts: tuple[str, ...]) -> tuple[Resource, str, bool] | None:
    """Resource, namespace and wholeness of a file of `oc adm inspect`, by its path without suffix; None for others."""
    match parts:
        case (_, name, stem) if parts[0] == NAMESPACES and name == stem:
            return _NAMESPACE, "", False
        case (_, namespace, "pods", pod, stem) if parts[0] == NAMESPACES and pod == stem:
            return _POD, namespace, False
        case (_, namespace, group, resource, *name) if parts[0] == NAMESPACES and (group, resource) in _BY_NAME:
            return _BY_NAME[group, resource], namespace, not name
        case (_, group, resource, *name) if parts[0] == CLUSTER and (group, resource) in _BY_NAME:
            return _BY_NAME[group, resource], "", not name
    return None


def _dumped(parts: tuple[str, ...]) -> tuple[Resource, str, bool] | None:
    """The same of a file of `kubectl cluster-info dump`."""
    match parts:
        case ("nodes",):
            return _BY_NAME["core", "nodes"], "", True
        case (namespace, stem) if stem in _DUMPED:
            return _DUMPED[stem], namespace, True
    return None


def _text(place: Place, ordinal: int, say: Callable[[str], None]) -> Text | InputError:
    if place.path.is_symlink():
        return InputError("a symbolic link")
    text = inputs.text_of(str(place.path), ordinal, say, named=False)
    return text if isinstance(text, InputError) else inputs.fault(text) or text


def _read(held: Held, seen: _Seen, place: Place, text: Text | InputError, shared: Shared) -> None:
    """Adds the objects of one file, unless they are there already: lists come first."""
    key = kind_key(place.resource.group, place.resource.kind)
    if isinstance(text, InputError):
        held.gaps.append(Gap(kind=key, reason="partial", scope=place.namespace, text=f"`{place.path}`: {text.message}"))
        held.notes.append(f"`{place.path}` was not read: {text.message}")
        return
    twice: list[Entry] = []

    def add(layer: Layer, entry: Entry) -> None:
        if layers.keep(layer, entry):
            twice.append(entry)

    held.take(text, key, shared, add, lines=True)
    for entry in twice:
        scope = f"{entry.namespace}/{entry.name}".removeprefix("/")
        held.gaps.append(Gap(kind=key, reason="partial", scope=scope, text="gathered twice, with other content"))
    if place.whole and _LIST.search(text.content) and not _CONTINUED.search(text.content):
        namespaced = is_namespaced(place.resource.group, place.resource.kind)
        if bool(place.namespace) == bool(namespaced):
            seen.whole.setdefault(place.resource, set()).add(place.namespace)
