"""`zone-audit diff`: what changed between two snapshots."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.commands.live import Live, live_options
from audit.commands.outlets import Outlet, PairingCommand, deliver, outlets, output_options
from audit.commands.scan import THRESHOLDS
from audit.commands.session import Session
from audit.commands.wording import Words, cni_option
from audit.conclusion import FINDINGS
from audit.errors import INCOMPLETE, UsageError
from audit.model import Severity
from audit.profile import Plugin

if TYPE_CHECKING:  # imported on use, so that help costs nothing
    from audit.assessment import Declared
    from audit.comparison.compose import Side
    from audit.comparison.record import Difference
    from audit.snapshot import Snapshot

FORMATS = ("table", "json", "md", "csv")
SUFFIXES = {".txt": "table", **{f".{name}": name for name in FORMATS[1:]}}
"""The format of a file that no `-f` gives one."""
LIMIT = 50
"""Connections of one kind that are listed for a pair of zones, unless told otherwise."""


@click.command(
    cls=PairingCommand,
    epilog="""\b
OLD and NEW are one SOURCE each: a YAML or JSON file, a directory of them, a snapshot file,
a live cluster (`cluster`, `cluster:CONTEXT`), or `-` for standard input.

\b
Opened is what was denied, or not exposed, and now is allowed or unknown; closed the other way round; changed
is what went from allowed to unknown or back, or from denied to admitted but not exposed or back.

\b
With --zones: exit code 1 with new findings at or above --fail-on, else 3 if either side is incomplete, else 0.
Without --zones: exit code 0, whatever differs.

\b
Examples:
  zone-audit diff yesterday.json today.json
  zone-audit diff yesterday.json today.json --zones zones.yaml --fail-on high
  zone-audit diff snapshot.zip cluster:prod --zones zones.yaml
  zone-audit diff main/manifests branch/manifests --zones zones.yaml -f md -o comment.md
""",
)
@click.argument("sources", nargs=-1, required=True, metavar="OLD NEW")
@click.option("--zones", metavar="FILE", help="Zone matrix: YAML, CSV or XLSX; adds zones and findings.")
@click.option("--exceptions", metavar="FILE", help="Approved exceptions, applied to both sides as of today.")
@output_options(FORMATS)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=LIMIT,
    show_default=True,
    help="Connections of one kind to list for a pair of zones; 0 for all. Counts are always exact.",
)
@click.option(
    "--fail-on",
    type=Words(THRESHOLDS),
    help="New findings at or above this severity make the exit code 1. [default: low]",
)
@cni_option
@click.option("--exit-zero", is_flag=True, help="Exit with 0 instead of 1 or 3.")
@click.option("--rules", "rules_directory", metavar="DIR", help="More rules, as Python files.")
@live_options
@click.pass_context
def command(  # noqa: PLR0913 - one argument per option
    ctx: click.Context,
    *,
    sources: tuple[str, ...],
    zones: str | None,
    exceptions: str | None,
    formats: tuple[str, ...],  # noqa: ARG001 - read by `outlets`, in order
    paths: tuple[str, ...],  # noqa: ARG001
    limit: int,
    fail_on: Severity | None,
    plugin: Plugin | None,
    exit_zero: bool,
    rules_directory: str | None,
    live: Live,
) -> int:
    """Show which connections opened, closed and changed, what caused it, and which findings are new or fixed."""
    session: Session = ctx.obj
    if len(sources) != 2:  # noqa: PLR2004 - OLD and NEW
        raise UsageError(f"`diff` compares two snapshots, not {len(sources)}", hint="give OLD and NEW, one SOURCE each")
    chosen = outlets(ctx, FORMATS[0], SUFFIXES)
    if zones is None and (exceptions or fail_on or rules_directory):
        given = "--exceptions" if exceptions else "--fail-on" if fail_on else "--rules"
        raise UsageError(f"`{given}` needs a zone matrix", hint="name it with `--zones`")
    if sources[0] == sources[1] == "-":
        raise UsageError("`-` can be given once only")
    from audit.assessment import declared
    from audit.comparison.compose import Terms, difference

    gc.disable()  # a run only builds up; nothing it holds is garbage before the end
    plan = declared(zones, exceptions, Path(rules_directory) if rules_directory else None) if zones else None
    snapshots = [live.read(session, [source]) for source in sources]
    # Findings of two clusters, or of a cluster and of manifests, are to be told by their objects alone.
    cluster = snapshots[0].cluster if snapshots[0].cluster == snapshots[1].cluster else ""
    old, new = (
        _side(source, snapshot, plan, plugin, cluster, session)
        for source, snapshot in zip(sources, snapshots, strict=True)
    )
    session.progress("comparing connections")
    matrix = plan.matrix if plan else None
    found = difference(old, new, Terms(created=session.stamp, matrix=matrix, fail_on=fail_on or "low", limit=limit))
    deliver(session, chosen, lambda outlet: _render(outlet, found, session))
    return 0 if exit_zero and found.exit_code in (FINDINGS, INCOMPLETE) else found.exit_code


def _side(  # noqa: PLR0913, PLR0917 - one argument per input of the evaluation
    source: str, snapshot: Snapshot, plan: Declared | None, plugin: Plugin | None, cluster: str, session: Session
) -> Side:
    """One snapshot, evaluated; errors as the stages raise them."""
    from audit.assessment import judged
    from audit.cells import joined, reachability, tallied
    from audit.comparison.compose import Side
    from audit.inventory import build
    from audit.meet import Meetings
    from audit.reach import Reachability
    from audit.zones import assign

    session.progress(f"computing reachability of {source}")
    inventory = build(snapshot, plugin)
    if plan is None:
        reach = Reachability(inventory)
        return Side(source=source, meetings=Meetings(reach, [""] * len(reach.classes.space)))
    zone_map = assign(plan.matrix, inventory.namespaces.values(), inventory.nodes.values())
    meetings = joined(reachability(inventory, zone_map, plan.matrix), zone_map)
    evaluation = tallied(meetings, zone_map, plan.matrix)
    exempted = judged(plan, inventory, zone_map, evaluation, session.created.date(), cluster=cluster)
    return Side(source=source, meetings=meetings, results=exempted.results)


def _render(outlet: Outlet, found: Difference, session: Session) -> bytes:
    """The difference in the format of an outlet."""
    from audit.comparison.render import render

    encoding = session.encoding if outlet.path is None and outlet.format != "json" else "utf-8"
    return render(found, outlet.format).encode(encoding, "backslashreplace")
