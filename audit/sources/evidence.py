"""The ledger of a snapshot file -> gaps: what of a cluster was not read, and which access would let an account read it.

Only two things leave no gap: a kind that was read to its end with the rest of the cut, and one that is absent with
proof. Everything else does, above all what the ledger does not mention.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from audit.api_resources import RESOURCES, Resource, reading_role
from audit.ledger import ALLOW_LIST, Evidence, Manifest
from audit.snapshot import EVERY_KIND, OF_GROUP, Gap
from audit.sources.kinds import kind_key

NEVER_EMPTY = ("Namespace", "Node", "Pod")
"""Kinds of which every cluster that runs has objects: none at all is not believed."""
_SHOWN = 5
"""Objects and namespaces spelled out in a sentence."""
_NAMED = 20
"""Objects that have a gap of their own."""
_ASKED = {kind_key(one.group, one.kind): one for one in RESOURCES}


def gaps(manifest: Manifest) -> tuple[Gap, ...]:
    """One gap for each reason why something was not read in full, sorted."""
    entries = {one.kind for one in manifest.ledger}
    held: Counter[str] = Counter()
    for member in manifest.members:
        held[member.kind] += member.objects
    found = [gap for one in manifest.ledger for gap in (*_of_entry(one), *_of_members(one, held[one.kind]))]
    found += [
        Gap(kind=kind, reason="unavailable", text="the snapshot does not say what became of it: collect it anew")
        for kind in _ASKED
        if kind not in entries
    ]
    found += [
        Gap(
            kind=f"{OF_GROUP}{group}",
            reason="unavailable",
            text=f"{group} has kinds that may decide traffic and are not read: judge their objects by hand",
        )
        for group in manifest.unmodelled_groups
    ]
    if manifest.allow_list != ALLOW_LIST:
        text = (
            f"reduced by allow-list {manifest.allow_list}, this version reads what {ALLOW_LIST} keeps: collect it anew"
        )
        found.append(Gap(kind=EVERY_KIND, reason="unavailable", text=text))
    if manifest.cluster.unverified_tls:
        text = "the API server was not verified, so anybody on the way may have answered: collect it with its CA"
        found.append(Gap(kind=EVERY_KIND, reason="unavailable", text=text))
    return tuple(sorted(set(found)))


def missing_access(manifest: Manifest) -> str:
    """The ClusterRole, as YAML, that would let the account read what was refused to it; empty if nothing was.

    Its name is another than that of the whole role, which applying it must not cut down.
    """
    refused = sorted({_resource(one) for one in manifest.ledger if _refused(one)})
    return reading_role(refused, "zone-audit-reader-more") if refused else ""


def _refused(one: Evidence) -> bool:
    """Whether more rights would have given more objects."""
    return one.status == "forbidden" or bool(one.namespaces)


def _of_entry(one: Evidence) -> Iterator[Gap]:
    said = f": {one.reason}" if one.reason else ""
    match one.status:
        case "complete":
            yield from _doubts(one)
        case "absent" if not one.proof:
            yield Gap(kind=one.kind, reason="unavailable", text=f"said to be absent, without proof{said}")
        case "absent" if one.kind in NEVER_EMPTY:
            yield Gap(kind=one.kind, reason="unavailable", text="said to be absent, though every cluster serves it")
        case "absent":
            return
        case "forbidden":
            yield Gap(kind=one.kind, reason="forbidden", text=f"not readable: {_grant(one)}{said}")
        case "unavailable":
            yield Gap(kind=one.kind, reason="unavailable", text=f"the API that serves it did not answer{said}")
        case "partial":
            yield from _parts(one, said)


def _of_members(one: Evidence, objects: int) -> Iterator[Gap]:
    """Whether the file holds what its ledger says that was read."""
    if one.status in ("complete", "partial") and one.objects != objects:
        text = f"the ledger says {one.objects:,} objects, the snapshot holds {objects:,}: collect it anew"
        yield Gap(kind=one.kind, reason="partial", text=text)


def _doubts(one: Evidence) -> Iterator[Gap]:
    """Why a kind that was read to its end is not to be relied on."""
    if one.invalid or one.namespaces:
        yield from _parts(one, "")
    if one.kind in NEVER_EMPTY and not one.objects:
        yield Gap(kind=one.kind, reason="partial", text="the API server listed none, which no running cluster has")
    if one.cut == "none":
        text = f"read {one.skew:.0f} s apart from the rest, so that it may not fit together: collect it again"
        yield Gap(kind=one.kind, reason="partial", text=text)


def _parts(one: Evidence, said: str) -> Iterator[Gap]:
    if one.namespaces:
        text = f"read in namespace {_few(one.namespaces)} only: {_grant(one)}{said}"
        yield Gap(kind=one.kind, reason="partial", text=text)
    for refused in one.invalid[:_NAMED]:
        scope, _, reason = refused.partition(": ")
        text = f"{scope} was refused, as it does not decode: {reason or 'unknown'}"
        yield Gap(kind=one.kind, reason="invalid-object", scope=scope, text=text)
    if more := len(one.invalid[_NAMED:]):
        yield Gap(kind=one.kind, reason="invalid-object", text=f"{more} more objects were refused")
    if not (one.namespaces or one.invalid):
        yield Gap(kind=one.kind, reason="partial", text=f"not read to its end{said}")


def _grant(one: Evidence) -> str:
    resource = _resource(one)
    return f"grant `list` on `{resource.name}{f'.{resource.group}' if resource.group else ''}`"


def _resource(one: Evidence) -> Resource:
    """What access rights call the kind."""
    return _ASKED.get(one.kind) or Resource(one.group, one.kind.partition(".")[0], one.resource)


def _few(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:_SHOWN]) + (f" and {len(listed) - _SHOWN} more" if listed[_SHOWN:] else "")
