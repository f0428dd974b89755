"""`project`: one object of a cluster -> the JSON that a snapshot keeps of it.

Input: an object as the API server sends it. Output: the fields that some stage reads, by an allow-list for each kind;
everything else stays behind, and so does every object of which part must not be kept and cannot be told apart. What
comes out reads like the whole object, and projecting it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from audit.api_resources import PUBLISHING_GROUPS
from audit.errors import InputError
from audit.policy import adminpolicy, egressfirewall, networkpolicy
from audit.policy.specs import SpecError
from audit.projection import bodies
from audit.projection.errors import ProjectionError, wrong
from audit.projection.names import Pseudonyms, renamed, shown
from audit.projection.nodes import SCALAR, Node
from audit.projection.notes import KEPT
from audit.projection.specs import METADATA, SPECS, Spec
from audit.raw_body import RawBody
from audit.snapshot import Entry
from audit.sources.kinds import WITHOUT_SPEC, Kind
from audit.sources.objects import entry, label
from audit.sources.shared import Shared
from audit.sources.text import Found, Text, Written
from audit.sources.unread import runs_pods

__all__ = ["ProjectionError", "Pseudonyms", "project", "shown"]

_PRIVATE_GROUPS = frozenset({"oauth.openshift.io", "user.openshift.io"})
_PERSONS = "Group.user.openshift.io"
"""The only kind of those groups that is kept."""
_OLD = {
    "Ingress.extensions": "Ingress.networking.k8s.io",
    "Route": "Route.route.openshift.io",
    "EgressNetworkPolicy": "EgressNetworkPolicy.network.openshift.io",
    "ClusterResourceQuota": "ClusterResourceQuota.quota.openshift.io",
}
"""Kinds by the groups in which older releases served them."""
_QUOTA = "ClusterResourceQuota.quota.openshift.io"
_POLICIES: Mapping[str, Callable[[str, bytes], Any]] = {
    **dict.fromkeys(("NetworkPolicy", "MultiNetworkPolicy.k8s.cni.cncf.io"), lambda _, spec: networkpolicy.lower(spec)),
    **dict.fromkeys(
        (
            "AdminNetworkPolicy.policy.networking.k8s.io",
            "BaselineAdminNetworkPolicy.policy.networking.k8s.io",
            "ClusterNetworkPolicy.policy.networking.k8s.io",
        ),
        adminpolicy.lower,
    ),
    **dict.fromkeys(
        ("EgressFirewall.k8s.ovn.org", "EgressNetworkPolicy.network.openshift.io"),
        egressfirewall.lower,
    ),
}
"""Kinds that stop a scan when they cannot be read: they have to be refused before."""
_MAY_ROUTE = (b'"ROUTE', b'_LABELS"', b"\\u00")
"""One is in the text of every pod with settings of routers; what does not configure one is left out all the same."""
_TEXT = Text("", b"", 0, named=True)
_encode = msgspec.json.Encoder().encode


def project(kind: Kind, item: bytes, names: Pseudonyms | None = None) -> bytes:
    """What is kept of one object of a kind, as JSON without `apiVersion` and `kind`, which the list around it has.

    With `names`, users and groups get tokens for names. ProjectionError for an object that does not decode, or that a
    scan would refuse, and for kinds of which nothing may be kept; no value that is not kept is quoted.
    """
    if kind.key in WITHOUT_SPEC or (kind.group in _PRIVATE_GROUPS and kind.key != _PERSONS):
        raise ProjectionError(f"nothing of a {kind.kind} is kept")
    if kind.group in PUBLISHING_GROUPS:
        raise ProjectionError(f"a {kind.kind} may publish whatever it names, so that no part of it can be left out")
    made = _read(kind, item)
    try:
        kept = _raw(kind, made) if isinstance(made.body, RawBody) else _typed(made.body)
        text = _encode(kept)
    except (ProjectionError, SpecError) as error:
        raise ProjectionError(f"{label(made)}: {error}") from None
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        raise ProjectionError(f"{label(made)}: its JSON cannot be read") from None
    return text if names is None else renamed(kind.key, text, names)


def _read(kind: Kind, item: bytes) -> Entry:
    """The object as a scan reads it."""
    version = f"{kind.group}/{kind.version}" if kind.group else kind.version
    routes = kind.key == "Pod" and any(mark in item for mark in _MAY_ROUTE)
    found = Found(item, 1, 1, api_version=version, kind=kind.kind, written=Written(None, None, routes))
    try:
        made = entry(_TEXT, found, Shared()) if item.lstrip()[:1] == b"{" else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        made = None
    match made:
        case Entry():
            return made
        case InputError():
            raise ProjectionError(made.message)
        case (InputError() as first, *_):
            raise ProjectionError(first.message)
    raise ProjectionError(f"a {kind.kind} that is no JSON of an object")


def _typed(body: Any) -> Any:
    bodies.reduce(body)
    return body


def _raw(kind: Kind, made: Entry) -> dict[str, Any]:
    """Metadata, spec and status of a kind without a struct."""
    bodies.reduce(made.body)
    key = _OLD.get(kind.key, kind.key)
    chosen = SPECS.get(key, METADATA)
    kept = {name: found for name in ("spec", "status") if (found := _part(made.body, chosen, name)) is not None}
    _check(key, made, kept.get("spec"))
    if runs_pods(kind.key, kind.group, bytes(made.body.spec)):
        kept["spec"] = _asking(kind, kept.get("spec"))
    return {"metadata": made.body.metadata, **kept}


def _part(body: RawBody, chosen: Spec, name: str) -> Any:
    node: Node | None = getattr(chosen, name)
    raw = getattr(body, name, b"")
    return node.kept(msgspec.json.decode(raw), (name,)) if node and bytes(raw) else None


def _asking(kind: Kind, spec: Any) -> dict[str, Any]:
    """The spec, such that it still reads like one of something that runs pods."""
    spec = {} if spec is None else spec
    if runs_pods(kind.key, kind.group, _encode(spec)):
        return dict(spec)
    if kind.key in _POLICIES:
        raise ProjectionError("a policy with containers")
    return {**spec, "containers": []}  # what it looks for first


def _check(key: str, made: Entry, spec: Any) -> None:
    """Raises for an object that a scan of the snapshot would refuse, or read in another way than the whole one."""
    if lower := _POLICIES.get(key):
        lower(made.kind, b"" if spec is None else _encode(spec))
    if key == _QUOTA:
        selector = (spec or {}).get("selector") or {}
        whole = {name for name, node in KEPT.items() if node is SCALAR}
        if strange := sorted((selector.get("annotations") or {}).keys() - whole):
            reason = f"selects by `{strange[0]}`, which is not kept of projects"
            raise wrong(("spec", "selector", "annotations"), reason)
