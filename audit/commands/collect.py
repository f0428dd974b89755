"""`zone-audit collect`: a snapshot file of a live cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audit.commands.live import SOURCE, Live, context_of, files_read, is_live, live_options
from audit.commands.overwriting import keep_inputs
from audit.commands.session import Session
from audit.errors import INCOMPLETE, UsageError

if TYPE_CHECKING:  # imported on use, so that help costs nothing
    from audit.ledger import Evidence, Manifest

_SLASH = "/"
"""How the name of a directory ends."""


@click.command(
    epilog="""\b
SOURCE is `cluster`, the current context of the kubeconfig, or `cluster:CONTEXT`.

\b
Examples:
  zone-audit collect --print-role | kubectl apply -f -
  zone-audit collect -o snapshot.zip
  zone-audit collect cluster:prod -o snapshot.zip --pseudonyms
  zone-audit collect cluster:prod -o snapshot/
  zone-audit scan snapshot.zip --zones zones.yaml

\b
Exit codes:
  0  every kind was read to its end, or is proven absent
  2  usage, configuration or access error; no file is written
  3  written, but something could not be read: standard error says what,
     standard output is the ClusterRole that would let the account read it
     (0 with --exit-zero: a scan of the file says what is missing, too)
  4  the API server gave no answer; no file is written
"""
)
@click.argument("source", default=SOURCE, metavar="[SOURCE]")
@click.option("-o", "--output", metavar="PATH", help="Snapshot file to write; a directory if it ends in `/`.")
@click.option("--print-role", is_flag=True, help="Print the ClusterRole that reading needs, and do nothing else.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 instead of 3.")
@live_options
@click.pass_obj
def command(  # noqa: PLR0913 - one argument per option
    session: Session, *, source: str, output: str | None, print_role: bool, exit_zero: bool, live: Live
) -> int:
    """Read what decides the audit from a live cluster and write it into one file.

    It only lists. All kinds are read as they were at one time; secrets, config maps and the values of
    environment variables are not kept.
    """
    from audit.api_resources import API_SERVICES, RESOURCES, reading_role
    from audit.sources.archive import Draft
    from audit.sources.evidence import gaps, missing_access

    if print_role:
        session.print(reading_role((*RESOURCES, API_SERVICES)))
        return 0
    if not is_live(source):
        raise UsageError(f"`{source}` is not a live cluster", hint=f"SOURCE is `{SOURCE}` or `{SOURCE}:CONTEXT`")
    context_of(source)
    target = _target(output, live)
    with Draft(target, directory=(output or "").endswith(_SLASH)) as draft:
        manifest = live.collect(session, source, draft)
        session.progress("writing the snapshot")
        draft.finish(manifest)
    for line in _summary(manifest, target):
        session.note(line)
    if role := missing_access(manifest):
        session.note("this ClusterRole, beside what the account has, would let it read what was forbidden:")
        session.print(role)
    return INCOMPLETE if gaps(manifest) and not exit_zero else 0


def _target(output: str | None, live: Live) -> Path:
    """Where the snapshot goes; UsageError for places where it must not."""
    from audit.sources.archive import is_snapshot

    if output in (None, "", "-"):
        raise UsageError("a snapshot needs a file", hint="name one with `-o`, such as `-o snapshot.zip`")
    target = Path(str(output))
    if not target.resolve().parent.is_dir():
        raise UsageError(f"directory `{target.resolve().parent}` for the output does not exist")
    keep_inputs([target], (), files_read((SOURCE,), live.kubeconfig, live.pseudonyms_key))
    if target.is_file() and target.stat().st_size and not is_snapshot(target):
        raise UsageError(
            f"`{target}` is there and no snapshot", hint="only a snapshot is replaced; choose another name"
        )
    return target


def _summary(manifest: Manifest, target: Path) -> Iterator[str]:
    """What was read and what was not, line by line."""
    ledger = manifest.ledger
    read = [one for one in ledger if one.status in ("complete", "partial")]
    objects = sum(one.objects for one in read)
    state = f"at resource version {manifest.resource_version}" if manifest.resource_version else "at no common version"
    yield f"{objects:,} objects of {len(read)} kinds in `{target}`, {state}"
    absent = sum(one.status == "absent" for one in ledger)
    if absent:
        yield f"{absent} kinds are proven absent"
    moved = [one.kind for one in read if one.cut == "none"]
    if moved:
        yield f"not as of the same time as the rest: {', '.join(moved)}"
    if manifest.unmodelled_groups:
        yield f"policies of these groups are not modelled: {', '.join(manifest.unmodelled_groups)}"
    for (status, reason), kinds in _grouped(ledger).items():
        yield f"{status}: {', '.join(kinds)}" + (f" ({reason})" if reason else "")


def _grouped(ledger: Iterable[Evidence]) -> dict[tuple[str, str], list[str]]:
    """Kinds by why they are not complete; those that were refused say it all in the same way."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in ledger:
        if one.status not in ("complete", "absent"):
            found[one.status, "" if one.status == "forbidden" else one.reason].append(one.kind)
    return dict(sorted(found.items()))
