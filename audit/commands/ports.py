"""`zone-audit ports`: what the firewall between the nodes must let through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from audit.commands.live import Live, live_options
from audit.commands.outlets import Outlet, PairingCommand, deliver, outlets, output_options
from audit.commands.overwriting import keep_inputs
from audit.commands.session import Session
from audit.commands.wording import Words, cni_option
from audit.errors import INCOMPLETE, InputError
from audit.profile import Plugin

if TYPE_CHECKING:
    from audit.node_ports.listing import Listing, Opening
    from audit.node_ports.render import By

FORMATS = ("table", "csv", "json")
SUFFIXES = {".txt": "table", ".csv": "csv", ".json": "json"}
"""The format of a file that no `-f` gives one."""
MISSING = 1
"""The firewall lacks something."""


@click.command(
    cls=PairingCommand,
    epilog="""\b
Examples:
  zone-audit ports cluster:prod --zones zones.yaml
  zone-audit ports cluster.json --zones zones.yaml -o openings.csv
  zone-audit ports cluster.json --zones zones.yaml --firewall rules.csv

\b
Exit codes with --firewall:
  0  nothing is missing
  1  openings are missing; they are what is written
  2  usage, configuration or input error
  3  nothing is known to be missing, but the addresses of some nodes are not known, or not everything was read
""",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--zones", required=True, metavar="FILE", help="Zone matrix: it says which nodes stand in which zone.")
@click.option(
    "--firewall",
    metavar="FILE",
    help="Rules of the firewall as CSV; then only what they do not let through is written.",
)
@click.option(
    "--by",
    type=Words(("zone", "node")),
    help="One line for the nodes of a zone together, or for each pair of nodes. "
    "[default: node in CSV up to 20,000 lines, else zone]",
)
@cni_option
@output_options(FORMATS)
@live_options
@click.pass_context
def command(  # noqa: PLR0913 - one argument per option
    ctx: click.Context,
    *,
    sources: tuple[str, ...],
    zones: str,
    firewall: str | None,
    by: By | None,
    plugin: Plugin | None,
    formats: tuple[str, ...],  # noqa: ARG001 - read by `outlets`, in order
    paths: tuple[str, ...],  # noqa: ARG001
    live: Live,
) -> int:
    """List what must be open between nodes of different zones; compare it with a firewall.

    The list follows the platform of the cluster and what it is set to. What depends on something that
    the input does not say carries its condition, and is not asked of the firewall.
    """
    session: Session = ctx.obj
    chosen = outlets(ctx, FORMATS[0], SUFFIXES)
    keep_inputs([one.path for one in chosen if one.path], (), (firewall,))
    from audit import inventory, matrix
    from audit import zones as zoning
    from audit.lacking import Lacking
    from audit.node_ports import comparison, firewall_file
    from audit.node_ports.listing import listing
    from audit.node_ports.settings import READ

    declared = matrix.load(zones)
    population = inventory.build(live.read(session, sources), plugin)
    if not population.nodes:
        raise InputError(
            "the input holds no Node", hint="add `kubectl get nodes -o json`, or a snapshot of the cluster"
        )
    zone_map = zoning.assign(declared, population.namespaces.values(), population.nodes.values())
    unread = Lacking(population.snapshot).said(READ)
    for text in unread:
        session.note(f"not everything was read: {text}")
    listed, remarks = listing(population, zone_map), tuple[str, ...]()
    _notes(session, listed)
    if firewall:
        rules = firewall_file.read(firewall, population, zone_map, declared)
        compared = comparison.compare(listed, rules)
        listed, remarks = compared.missing, compared.broad
    for remark in remarks:
        session.note(remark)
    deliver(session, chosen, lambda outlet: _render(session, outlet, listed, remarks, by, named=bool(firewall)))
    return _code(session, listed, unread=bool(unread)) if firewall else 0


def _notes(session: Session, listed: Listing) -> None:
    for note in listed.notes:
        session.note(note)
    if len(listed.zones) == 1:
        session.note(f"all nodes stand in zone {listed.zones[0].zone}: nothing has to be opened between zones")


def _code(session: Session, missing: Listing, *, unread: bool) -> int:
    if missing.unaddressed:
        session.note(f"the input holds no address of {', '.join(missing.unaddressed)}: nothing is known about it")
    if missing.openings:
        session.note(f"{len(missing.openings)} openings are missing")
        return MISSING
    return INCOMPLETE if missing.unaddressed or unread else 0


def _render(  # noqa: PLR0913 - one argument per choice
    session: Session, outlet: Outlet, listed: Listing, remarks: Sequence[str], by: By | None, *, named: bool
) -> bytes:
    """The openings in the format of an outlet."""
    from audit.node_ports import render

    openings = listed.openings
    if by == "node" or (by is None and outlet.format == "csv"):
        if by is None and (many := render.lines(openings)) > render.MAX_LINES:
            session.note(f"{many} lines by node: written by zone; `--by node` writes them all")
        else:
            openings, named = tuple(render.by_node(openings)), True
    encoding = session.encoding if outlet.path is None else "utf-8"
    return _text(outlet, listed, openings, remarks, named=named).encode(encoding, "backslashreplace")


def _text(outlet: Outlet, listed: Listing, openings: Sequence[Opening], remarks: Sequence[str], *, named: bool) -> str:
    from audit.node_ports import render

    if outlet.format == "csv":
        return render.csv(openings)
    if outlet.format == "json":
        import msgspec

        encoded = msgspec.json.encode(render.document(listed, openings, remarks))
        return msgspec.json.format(encoded, indent=1).decode() + "\n"
    return render.table(listed, openings, named=named)
