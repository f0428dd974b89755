"""Directories that support tools write: which files hold which objects.

`oc adm inspect` writes lists of what it asked for as a whole (`namespaces/NS/core/pods.yaml`,
`cluster-scoped-resources/GROUP/RESOURCE.yaml`) and objects one by one (`namespaces/NS/NS.yaml`,
`.../RESOURCE/NAME.yaml`, `namespaces/NS/pods/POD/POD.yaml`); `oc adm must-gather` has one such tree for each image
that it ran; `kubectl cluster-info dump` writes `nodes.json` and `NS/pods.json`. Source: openshift/oc
`pkg/cli/admin/inspect`, kubectl `pkg/cmd/clusterinfo`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.api_resources import RESOURCES, Resource
from audit.sources.text import SUFFIXES

CLUSTER, NAMESPACES = "cluster-scoped-resources", "namespaces"
_DEPTH = 4
"""Levels of directories; logs and answers of containers lie deeper."""
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
    """The trees that a directory is or holds, sorted; empty for any other directory."""
    folder = Path(source)
    try:
        if is_tree(folder):
            return (folder,)
        children = sorted(folder.iterdir())
        if any(child.suffix.lower() in SUFFIXES for child in children):
            return ()
        return tuple(child for child in children if not child.is_symlink() and child.is_dir() and is_tree(child))
    except OSError:
        return ()


def is_tree(folder: Path) -> bool:
    """Whether a directory is laid out like this itself."""
    try:
        return _layout(folder) is not None
    except OSError:  # whoever reads the directory says so
        return False


_Layout = Callable[[tuple[str, ...]], tuple[Resource, str, bool] | None]
"""From the path of a file, without suffix, to what a Place says of it; None for a file that holds nothing of use."""


def _layout(folder: Path) -> _Layout | None:
    for pattern in (f"{CLUSTER}/*/*", f"{NAMESPACES}/*/*/*", f"{NAMESPACES}/*/pods/*/*"):
        found = (path.relative_to(folder) for path in folder.glob(pattern) if path.suffix in ("", *SUFFIXES))
        if any(_inspected((*path.parent.parts, path.stem)) for path in found):
            return _inspected
    nodes = any((folder / f"nodes{suffix}").is_file() for suffix in SUFFIXES)
    return _dumped if nodes and any(folder.glob("*/replication-controllers.*")) else None


def places(root: Path) -> Iterator[Place]:
    """The files of a tree that hold objects."""
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
    """A file of `oc adm inspect`."""
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
    """A file of `kubectl cluster-info dump`."""
    match parts:
        case ("nodes",):
            return _BY_NAME["core", "nodes"], "", True
        case (namespace, stem) if stem in _DUMPED:
            return _DUMPED[stem], namespace, True
    return None
