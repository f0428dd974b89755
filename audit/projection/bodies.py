"""What is kept of kinds with a struct: its fields, but for parts of those that hold more than is read.

Structs are read while decoding, which skips all else, and are changed in place: nobody else has them yet.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, get_args, get_origin

import msgspec
from msgspec.structs import fields, force_setattr

from audit.control_bodies import (
    AggregationRule,
    SnapshotClassBody,
    StorageClassBody,
    TemplateBody,
    Webhook,
)
from audit.projection import notes
from audit.projection.nodes import (
    MARK,
    NOTHING,
    SCALAR,
    SCALARS,
    SELECTOR,
    Each,
    Fields,
    Line,
    Node,
    Pairs,
    Parameters,
    scalars,
)
from audit.projection.policies import RESOURCE_QUOTA
from audit.projection.storage import CLAIM_TEMPLATE, SOURCES
from audit.sources.text import Steps
from audit.workloads import (
    EGRESS_SETTINGS,
    MACVLAN,
    ROUTER_SETTINGS,
    MachineNetwork,
    Metadata,
    RouterPodBody,
    ServerContainer,
    TemplateContainer,
    Variable,
    Volume,
    WorkloadSpec,
)


class _Annotations:
    """The annotations of an object."""

    def kept(self, value: Any, path: Steps) -> Any:
        """Those that are read."""
        del path
        return notes.kept(value)

    def lines(self, path: str) -> Iterator[Line]:
        """One."""
        yield path, "those listed below"


_TOPOLOGY = Fields({"matchLabelExpressions": Each(Fields({"key": SCALAR, "values": SCALARS}))})
_OBJECT = Fields(
    {
        **scalars("apiVersion kind"),
        "metadata": Fields({"labels": Pairs()}),
        "spec": Fields(
            {
                "policyTypes": SCALARS,
                "podSelector": MARK,
                "ingress": Each(Fields({"from": MARK, "ports": MARK})),
                "hard": RESOURCE_QUOTA.known["hard"],
            }
        ),
    },
    loose=True,
)
"""An object of a template for projects: what it is, and whether it isolates pods or limits storage."""

PARTS: Mapping[type[Any], Mapping[str, Node]] = {
    Metadata: {"annotations": _Annotations()},
    Variable: {"valueFrom": MARK},
    Volume: SOURCES,
    WorkloadSpec: {"volumeClaimTemplates": Each(CLAIM_TEMPLATE)},
    MachineNetwork: {"pod": NOTHING},
    AggregationRule: {"clusterRoleSelectors": Each(SELECTOR)},
    StorageClassBody: {"parameters": Parameters(), "allowedTopologies": Each(_TOPOLOGY)},
    SnapshotClassBody: {"parameters": Parameters()},
    TemplateBody: {"objects": Each(_OBJECT)},
    Webhook: {"namespaceSelector": SELECTOR},
}
"""Struct -> its fields of which a part is kept."""
WORDS: Mapping[tuple[type[Any], str], str] = {
    (TemplateContainer, "env"): "variables "
    + ", ".join(f"`{name}`" for name in sorted(ROUTER_SETTINGS | EGRESS_SETTINGS)),
    (ServerContainer, "command"): "of pods of API servers, flags of admission",
    (ServerContainer, "args"): "of pods of API servers, flags of admission",
}
"""Lists of which reading keeps some items only, in words."""


def reduce(body: Any) -> None:
    """Takes away from a body what is not to be kept, after Shared has done so."""
    if isinstance(body, RouterPodBody) and MACVLAN not in (body.metadata.annotations or ()):
        _drop_egress(body)
    _reduced(body, ())


def _drop_egress(body: RouterPodBody) -> None:
    """What says how an egress router leaves means nothing in a pod that is none."""
    for container in (*(body.spec.containers or ()), *(body.spec.initContainers or ())) if body.spec else ():
        kept = [one for one in container.env or () if one.name not in EGRESS_SETTINGS]
        force_setattr(container, "env", kept or None)


def _reduced(value: Any, path: Steps) -> None:
    struct: Any = type(value)
    for name, change in _changes(struct):
        if (found := getattr(value, name)) is not None:
            change(value, name, found, (*path, name))


_Change = Callable[[Any, str, Any, Steps], None]


@lru_cache(None)
def _changes(struct: Any) -> tuple[tuple[str, _Change], ...]:
    """Fields of a struct that are reduced, or that lead to some, and how."""
    parts = _parts(struct)
    return tuple(
        (name, _part(parts[name])) if name in parts else (name, _each if _is_list(kind) else _one)
        for name, kind in _types(struct)
        if name in parts or any(_changes(one) for one in _structs(kind))
    )


def _parts(struct: type[Any]) -> Mapping[str, Node]:
    """The table's entries for a struct and those that it extends."""
    listed = (PARTS.get(one, {}) for one in reversed(struct.__mro__))
    return {name: node for parts in listed for name, node in parts.items()}


def _part(node: Node) -> _Change:
    return lambda value, name, found, path: force_setattr(value, name, node.kept(found, path))


def _each(_value: Any, _name: str, found: Iterable[Any], path: Steps) -> None:
    for index, one in enumerate(found):
        _reduced(one, (*path, index))


def _one(_value: Any, _name: str, found: Any, path: Steps) -> None:
    _reduced(found, path)


def _types(struct: type[Any]) -> list[tuple[str, Any]]:
    return [(one.encode_name, one.type) for one in fields(struct)]


def _is_list(kind: Any) -> bool:
    """Whether a type is a list of structs, or none."""
    return any(get_origin(one) is not None and get_origin(one) is not dict for one in _choices(kind))


def _choices(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def _structs(kind: Any) -> Iterator[Any]:
    """The structs in a type such as `list[Container] | None`."""
    for one in _choices(kind):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            yield one
        else:
            yield from (
                inner for inner in get_args(one) if isinstance(inner, type) and issubclass(inner, msgspec.Struct)
            )


def lines(struct: type[Any], path: str = "") -> Iterator[Line]:
    """What is kept of a struct, field by field."""
    parts = _parts(struct)
    for name, kind in _types(struct):
        where = f"{path}.{name}".removeprefix(".")
        inner = next(_structs(kind), None)
        if (struct, name) in WORDS:
            yield where, WORDS[struct, name]
        elif name in parts:
            yield from parts[name].lines(where)
        elif inner:
            yield from lines(inner, f"{where}[]" if _is_list(kind) else where)
        else:
            yield _plain(where, kind), ""


def _plain(path: str, kind: Any) -> str:
    """The path of a field without structs, with a mark for lists and mappings."""
    origins = {get_origin(one) for one in _choices(kind)}
    return f"{path}.*" if dict in origins else f"{path}[]" if origins & {list, tuple} else path
