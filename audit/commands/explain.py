"""`zone-audit explain`: one connection, hop by hop."""

from __future__ import annotations

import click

from audit.commands.live import Live, live_options
from audit.commands.session import Session
from audit.commands.wording import cni_option
from audit.profile import Plugin
from audit.safetext import safe_text


@click.command(
    epilog="""\b
FROM and TO are endpoints as `reach` names them (namespace/Kind/name), or an address.

\b
Examples:
  zone-audit explain manifests/ web/Deployment/proxy db/StatefulSet/pg --port tcp/5432
  zone-audit explain cluster:prod 203.0.113.7 web/Deployment/proxy --zones zones.yaml
  zone-audit explain manifests/ web/Deployment/proxy db/StatefulSet/pg --cni cilium
""",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--port", metavar="PROTOCOL/PORT", help="One port, such as tcp/5432; all of them if left out.")
@click.option("--zones", metavar="FILE", help="Zone matrix; the answer then says what it allows.")
@cni_option
@live_options
@click.pass_obj
def command(  # noqa: PLR0913 - one argument per option
    session: Session,
    *,
    sources: tuple[str, ...],
    source: str,
    target: str,
    port: str | None,
    zones: str | None,
    plugin: Plugin | None,
    live: Live,
) -> None:
    """Show every hop of one connection, every policy that decides it, and why."""
    from audit import matrix
    from audit.explain import explain

    declared = matrix.load(zones) if zones else None
    snapshot = live.read(session, sources)
    answer = explain(snapshot, source, target, port, declared, plugin)
    session.print("".join(f"{safe_text(line)}\n" for line in answer.lines))
