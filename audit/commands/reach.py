"""`zone-audit reach`: what can reach what, as a table, a file for machines or a picture."""

from __future__ import annotations

import gc
from typing import Literal, get_args

import click

from audit.commands.live import Live, live_options
from audit.commands.outlets import Outlet, PairingCommand, deliver, outlets, output_options
from audit.commands.session import Session
from audit.commands.wording import Words, cni_option
from audit.errors import UsageError
from audit.profile import Plugin

FORMATS = ("table", "json", "csv", "md", "dot", "svg")
SUFFIXES = {".txt": "table", **{f".{name}": name for name in FORMATS[1:]}}
"""The format of a file that no `-f` gives one."""
By = Literal["pod", "workload", "namespace", "zone"]


@click.command(
    cls=PairingCommand,
    epilog="""\b
Examples:
  zone-audit reach manifests/
  zone-audit reach manifests/ --zones zones.yaml --by zone
  zone-audit reach cluster:prod --by namespace
  zone-audit reach manifests/ --cni openshift-sdn
  zone-audit reach cluster.json --by pod -o reach.json
  zone-audit reach manifests/ --by namespace -o reach.svg
  zone-audit reach manifests/ --to db/StatefulSet/pg --port tcp/5432
  zone-audit reach manifests/ --zones zones.yaml --from dmz --from 203.0.113.0/24 -f md

\b
X and Y are an endpoint (namespace/Kind/name), a namespace, a zone, an address or a
block of addresses. Where a word is both: namespace:web, zone:web. Several are a union.
What a filter leaves out is not denied; it was not asked for.
""",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--zones", metavar="FILE", help="Zone matrix; endpoints then carry their zone.")
@click.option(
    "--by", type=Words(get_args(By)), default="workload", show_default=True, help="What one endpoint stands for."
)
@cni_option
@click.option("--from", "origins", metavar="X", multiple=True, help="Only connections from X, may be repeated.")
@click.option("--to", "targets", metavar="Y", multiple=True, help="Only connections to Y, may be repeated.")
@click.option("--port", metavar="PROTOCOL/PORT", help="Only this port, such as tcp/5432.")
@output_options(FORMATS)
@live_options
@click.pass_context
def command(  # noqa: PLR0913 - one argument per option
    ctx: click.Context,
    *,
    sources: tuple[str, ...],
    zones: str | None,
    by: By,
    plugin: Plugin | None,
    origins: tuple[str, ...],
    targets: tuple[str, ...],
    port: str | None,
    formats: tuple[str, ...],  # noqa: ARG001 - read by `outlets`, in order
    paths: tuple[str, ...],  # noqa: ARG001
    live: Live,
) -> None:
    """Show what can reach what, and what cannot be told.

    Pairs that are left out are denied on every port.
    """
    session: Session = ctx.obj
    chosen = outlets(ctx, FORMATS[0], SUFFIXES)
    if by == "zone" and zones is None:
        raise UsageError("`--by zone` needs a zone matrix", hint="name it with `--zones`")
    gc.disable()  # a run only builds up; nothing it holds is garbage before the end
    from audit import matrix, reach_filter, reach_json

    declared = matrix.load(zones) if zones else None
    snapshot = live.read(session, sources)
    session.progress("computing reachability")
    wanted = reach_filter.Filter(origins, targets, port)
    document = reach_json.document(snapshot, matrix=declared, by=by, plugin=plugin, wanted=wanted)
    deliver(session, chosen, lambda outlet: _render(outlet, document, session))


def _render(outlet: Outlet, document: dict[str, object], session: Session) -> bytes:
    """The document in the format of an outlet."""
    if outlet.format == "json":
        import msgspec

        return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
    from audit import drawing

    encoding = session.encoding if outlet.path is None else "utf-8"
    markup = outlet.format in ("svg", "dot")
    return drawing.render(document, outlet.format).encode(
        encoding, "xmlcharrefreplace" if markup else "backslashreplace"
    )
