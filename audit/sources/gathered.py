"""A directory that a support tool wrote -> objects, and gaps for what it does not show.

Only a list proves that there is no more of a kind, and only where it was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from audit.api_resources import RESOURCES, Resource
from audit.errors import InputError
from audit.snapshot import Entry, Gap
from audit.sources import inputs, layers
from audit.sources.held import Held
from audit.sources.kinds import is_namespaced, kind_key
from audit.sources.layers import Layer
from audit.sources.shared import Shared
from audit.sources.text import Text
from audit.sources.trees import Place, places, roots

_LIST = re.compile(rb'^(?:kind: |\s*\{?\s*"kind": ?")\w*List\b', re.MULTILINE)
_CONTINUED = re.compile(rb'^(?:  continue: (?!"")\S|\s*"continue": ?"[^"])', re.MULTILINE)
_NAMED = 3
"""Namespaces that a gap names before it counts the rest."""
_NAMESPACE = Resource("", "Namespace", "namespaces")


def gathered(source: str, ordinal: int, shared: Shared, say: Callable[[str], None]) -> Held:
    """The objects in the trees of a SOURCE, with the gaps that they leave."""
    held, seen = Held(), _Seen()
    for root in roots(source):
        found = sorted(places(root), key=lambda one: (not one.whole, one.path.parts))
        seen.namespaces |= {one.namespace for one in found}
        for place in found:
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
