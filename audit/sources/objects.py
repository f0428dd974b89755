"""One object as JSON -> Entry: kind, scope, typed body, values shared between equal objects."""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Any

import msgspec
from msgspec import structs

from audit.errors import InputError, Position
from audit.raw_body import RawBody
from audit.snapshot import Entry
from audit.sources import kinds, kustomize
from audit.sources.checks import problems
from audit.sources.kinds import Kind
from audit.sources.kustomize import Kustomization
from audit.sources.positions import position
from audit.sources.scalars import whole
from audit.sources.shared import Shared
from audit.sources.text import Found, Steps, Text, skipped
from audit.sources.wording import wrong_type
from audit.workloads import API_SERVER, MACVLAN, Metadata, PodBody, RouterPodBody, ServerPodBody

_STRING_MAPS = frozenset({"labels", "annotations", "selector"})
"""Mappings in which null is no way to leave something out (kubectl refuses it there)."""


@lru_cache(64)
def _decoder(body: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(body)


Outcome = Entry | InputError | tuple[InputError, ...] | Kustomization | str


def entry(text: Text, found: Found, shared: Shared) -> Outcome:
    """The object as an Entry, what is wrong with it, or why it is none of a cluster: a note, or what is to be built."""
    if found.written is None:
        return _error(text, found, "a Kubernetes object is a mapping, this value is not")
    kind = _kind(text, found, found.written.api_version, found.written.kind)
    if not isinstance(kind, Kind):
        return kind
    try:
        body = _body(kind, found)
    except msgspec.ValidationError as error:
        return _type_error(text, found, kind, error)
    shared.share(body, kind.key)
    metadata: Metadata = body.metadata
    name = metadata.name or metadata.generateName
    namespace = intern(kind.namespace(metadata.namespace))
    made = Entry(kind.group, kind.version, kind.kind, namespace, name, shared.origin(text, found.line), body)
    if wrong := problems(made):
        return tuple(_error(text, found, f"{label(made)}: {reason}", path, hint) for path, reason, hint in wrong)
    return made


def label(made: Entry) -> str:
    """What errors call an object."""
    return _label(made.kind, made.namespace, made.name)


def homeless(made: Entry) -> str:
    """The note that an object names no namespace: where it lands depends on who applies it."""
    place = Position(made.origin.file, made.origin.line)
    return f"`{place}`: {made.kind} `{made.name}` names no namespace, it is taken for one of `{made.namespace}`"


def _label(kind: str, namespace: str, name: str) -> str:
    if not name:
        return f"{kind} without a name"
    return f"{kind} `{namespace}/{name}`" if namespace else f"{kind} `{name}`"


def _error(text: Text, found: Found, reason: str, path: Steps = (), hint: str = "") -> InputError:
    return InputError(reason, position(text.file, found, path), hint)


def _kind(text: Text, found: Found, api_version: object, kind: object) -> Kind | InputError | Kustomization | str:
    api_version = found.api_version if api_version is None else api_version
    kind = found.kind if kind is None else kind
    for field, value in (("apiVersion", api_version), ("kind", kind)):
        if not isinstance(value, str):
            return _error(text, found, f"`{field}` must be a string", (field,), "quote it")
    if not api_version and not kind:
        return _unnamed(text, found)
    if not api_version or not kind:
        missing, present = ("kind", "apiVersion") if api_version else ("apiVersion", "kind")
        return _error(text, found, f"the object has `{present}` but no `{missing}`")
    try:
        known = kinds.kind_of(api_version, kind)
    except kinds.NoSuchKindError as error:
        return _error(text, found, str(error), (error.field,), error.hint)
    if known.group in kinds.TOOL_GROUPS:
        note = _not_an_object(text, found, f"`{kind}` of `{known.group}` is for tools")
        built = known.group == kustomize.GROUP and isinstance(note, str)
        return kustomize.kustomization(text, found, str(note)) if built else note
    return known


def _unnamed(text: Text, found: Found) -> InputError | Kustomization | str:
    """What an object without version and kind is: a kustomization by its file's name, an object cut short, or none."""
    reason = "neither `apiVersion` nor `kind`"
    value = msgspec.json.decode(found.json)
    spec = value.get("spec")
    if ("metadata" in value and spec is not None) or (isinstance(spec, dict) and "podSelector" in spec):
        return _error(text, found, f"this looks like a Kubernetes object, but it has {reason}")
    note = _not_an_object(text, found, reason)
    if isinstance(note, str) and kustomize.is_file_of(text):
        return kustomize.kustomization(text, found, note)
    return note


def _not_an_object(text: Text, found: Found, reason: str) -> InputError | str:
    if text.named:
        return _error(text, found, f"not a Kubernetes object: {reason}")
    return skipped(text, found.line, reason)


def _body(kind: Kind, found: Found) -> Any:
    body = _decoded(kind, found)
    if isinstance(body, PodBody) and (MACVLAN in (body.metadata.annotations or ()) or _routes(found)):
        return _decoded(structs.replace(kind, body=RouterPodBody), found)
    if isinstance(body, PodBody) and body.metadata.name.startswith(API_SERVER):
        return _decoded(structs.replace(kind, body=ServerPodBody), found)
    return body


def _routes(found: Found) -> bool:
    return found.written is not None and found.written.routes


def _decoded(kind: Kind, found: Found) -> Any:
    decode = _decoder(kind.body).decode
    try:
        return decode(found.json)
    except msgspec.ValidationError:
        # Null members and 80.0 for 80 are as good as absent and whole to Kubernetes, but rare: only now worth the time.
        return decode(msgspec.json.encode(_tidy_object(kind, found)))


def _tidy_object(kind: Kind, found: Found) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.json.decode(found.json)
    raw = {field: value.pop(field) for field in ("spec", "status") if issubclass(kind.body, RawBody) and field in value}
    tidied: dict[str, Any] = _tidy(value)
    return tidied | raw


def _tidy(value: Any, *, strings: bool = False) -> Any:
    """The value without null members of its mappings, and with whole numbers as such."""
    if isinstance(value, dict):
        kept = value.items() if strings else [(key, item) for key, item in value.items() if item is not None]
        return {key: _tidy(item, strings=key in _STRING_MAPS) for key, item in kept}
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    return whole(float(value)) if isinstance(value, float) else value


def _type_error(text: Text, found: Found, kind: Kind, error: msgspec.ValidationError) -> InputError:
    value = _tidy_object(kind, found)
    reason, path, hint = wrong_type(error, value)
    metadata = value.get("metadata")
    names = metadata if isinstance(metadata, dict) else {}
    name, namespace = names.get("name", ""), names.get("namespace", "")
    who = _label(kind.kind, kind.namespace(namespace if isinstance(namespace, str) else ""), str(name))
    return _error(text, found, f"{who}: {reason}", path, hint)
