"""`zone-audit who-can`: who may do one thing, and through which binding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from audit.commands.live import Live, live_options
from audit.commands.outlets import Outlet, PairingCommand, deliver, outlets, output_options
from audit.commands.session import Session
from audit.errors import INCOMPLETE
from audit.safetext import encodable, safe_text
from audit.tables import aligned, comma_separated

if TYPE_CHECKING:
    from audit.access.answer import Holder
    from audit.model import ObjectRef

FORMATS = ("table", "json", "csv")
SUFFIXES = {".txt": "table", ".json": "json", ".csv": "csv"}
HEAD = ("subject", "where", "only", "members", "through")
SCHEMA = "zone-audit.who-can/1"


@click.command(
    cls=PairingCommand,
    epilog="""\b
Examples:
  zone-audit who-can patch networkpolicies -n web cluster.json
  zone-audit who-can create pods/exec -n web cluster.json -f csv
  zone-audit who-can patch namespaces/web cluster:prod
  zone-audit who-can update nodes cluster.json -f json -o nodes.json
  zone-audit who-can impersonate users cluster.json

\b
RESOURCE is a plural as in role rules: networkpolicies, with its group where the word is not
enough (networkpolicies.networking.k8s.io), a subresource (pods/exec) or one object (namespaces/web).

\b
Exit codes:
  0  answered
  3  the input holds no roles or no bindings, or not all of them were read, so nobody can tell
""",
)
@click.argument("verb", metavar="VERB")
@click.argument("resource", metavar="RESOURCE")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-n", "--namespace", metavar="NS", default="", help="There, or everywhere. [default: any namespace]")
@output_options(FORMATS)
@live_options
@click.pass_context
def command(  # noqa: PLR0913 - one argument per option
    ctx: click.Context,
    *,
    verb: str,
    resource: str,
    sources: tuple[str, ...],
    namespace: str,
    formats: tuple[str, ...],  # noqa: ARG001 - read by `outlets`, in order
    paths: tuple[str, ...],  # noqa: ARG001
    live: Live,
) -> int:
    """Show who may do one thing, where, and through which binding, role and rule.

    It evaluates roles and bindings as the API server does. What no object shows is said on standard error.
    """
    session: Session = ctx.obj
    chosen = outlets(ctx, FORMATS[0], SUFFIXES)
    from audit.access.answer import holders, unseen
    from audit.access.index import RIGHTS, Access
    from audit.access.resources import asked
    from audit.lacking import Lacking

    snapshot = live.read(session, sources)
    access, unread = Access(snapshot), Lacking(snapshot).said(RIGHTS)
    what = asked(verb, resource, access)
    found = holders(access, verb.lower(), what, namespace)
    notes = list(unseen(access, found))
    notes = [*(f"not everything was read: {text}" for text in unread), *notes]
    lacking = [word for word, held in (("roles", access.roles), ("bindings", access.bindings)) if not held]
    if lacking:
        notes.insert(0, f"the input holds no {' and no '.join(lacking)}, so it cannot be told who may do it")
    question = {"verb": verb.lower(), "resource": str(what), "namespace": namespace}
    deliver(session, chosen, lambda outlet: _render(outlet, question, found, notes, session))
    for note in notes:
        session.note(note)
    return INCOMPLETE if lacking or unread else 0


def _render(
    outlet: Outlet, question: Mapping[str, str], found: Sequence[Holder], notes: Sequence[str], session: Session
) -> bytes:
    """The answer in the format of an outlet."""
    encoding = session.encoding if outlet.path is None else "utf-8"
    match outlet.format:
        case "json":
            return _json(question, found, notes)
        case "csv":
            return comma_separated(HEAD, map(_row, found)).encode(encoding, "backslashreplace")
    text = aligned(HEAD, map(_row, found)) if found else "nobody, as far as the roles and bindings of the input say"
    return f"{text}\n".encode(encoding, "backslashreplace")


def _row(one: Holder) -> tuple[str, ...]:
    cells = (
        str(one.subject),
        f"namespace {one.namespace}" if one.namespace else "everywhere",
        ", ".join(one.names),
        "not known" if one.unknown else ", ".join(one.members),
        "; ".join(map(str, one.through)),
    )
    return tuple(map(safe_text, cells))


def _json(question: Mapping[str, str], found: Sequence[Holder], notes: Sequence[str]) -> bytes:
    """The answer for machines; names are written as they are."""
    import json

    document = {"schema": SCHEMA, **question, "holders": list(map(_holder, found)), "notes": list(notes)}
    return encodable(json.dumps(document, ensure_ascii=False, indent=1)).encode() + b"\n"


def _holder(one: Holder) -> dict[str, object]:
    return {
        "subject": one.subject._asdict(),
        "namespace": one.namespace,
        "names": one.names,
        "members": None if one.unknown else one.members,
        "through": [
            {"binding": _ref(link.binding), "role": _ref(link.role), "rule": link.rule} for link in one.through
        ],
    }


def _ref(ref: ObjectRef) -> dict[str, object]:
    origin = {"file": ref.origin.file, "line": ref.origin.line} if ref.origin and ref.origin.place else {}
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name, **origin}
