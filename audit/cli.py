"""The command line. This module and `audit.commands` are the only ones that print, exit or read the clock.

Commands are imported when they are called, so that help and completion cost nothing.
"""

from __future__ import annotations

import datetime as dt
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import click

from audit import __version__
from audit.commands.session import Session
from audit.commands.wording import Group
from audit.errors import INTERNAL, USAGE, AuditError, AuditErrors, UsageError
from audit.safetext import safe_text

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

COMMANDS: Mapping[str, str] = {
    "scan": "Compare a cluster or manifests with the zone matrix and write the report.",
    "reach": "Show what can reach what.",
    "explain": "Show every hop of one connection and every policy that decides it.",
    "who-can": "Show who may do one thing, and through which binding.",
    "diff": "Show what changed between two snapshots: connections, causes, findings.",
    "verify": "Check evidence of a scan: digests, chain, signatures, and the analysis run again.",
    "evidence": "Prove one object of evidence, sign it, and have it time-stamped.",
    "history": "Show what earlier scans said, how it went, and keep the history small.",
    "matrix": "Check, convert or show a zone matrix.",
    "ports": "List what nodes of different zones need from the firewall between them.",
    "rules": "List the rules, or show one.",
    "collect": "Write a snapshot file of a live cluster.",
    "init": "Write a starter zones.yaml from what the sources hold.",
}
"""Command to its line in the overview; the code of each is in `audit.commands`: `who_can` for `who-can`."""


class Commands(Group):
    """Commands by name, imported on use."""

    planned = ("fix",)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature of click
        """All names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"audit.commands.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the overview without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  zone-audit scan manifests/ --zones zones.yaml
  zone-audit scan cluster:prod --zones zones.yaml -f html -o report.html
  zone-audit explain manifests/ web/Deployment/proxy db/StatefulSet/pg --port tcp/5432

\b
Exit codes:
  0  no finding at or above --fail-on, and the scan is complete
  1  findings (also when the scan is incomplete)
  2  usage, configuration or input error
  3  incomplete, and no finding
  4  internal error
""",
)
@click.version_option(__version__, prog_name="zone-audit", message="%(prog)s %(version)s")
@click.pass_context
def app(ctx: click.Context) -> None:
    """Prove whether a cluster that hosts several network security zones keeps the zone matrix."""
    ctx.obj = Session(created=_now(os.environ))


def _now(environment: Mapping[str, str]) -> dt.datetime:
    """The time that reports carry, UTC: SOURCE_DATE_EPOCH if set, so that equal inputs give equal bytes."""
    epoch = environment.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return dt.datetime.now(dt.UTC).replace(microsecond=0)
    try:
        return dt.datetime.fromtimestamp(int(epoch), dt.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH is `{epoch}`, which is no number of seconds since 1970") from error


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    if sys.stderr is None:  # closed (`2>&-`): what would be said there has no reader, and must not go elsewhere
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End the process at once: taking millions of objects apart one by one first would take a second."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        sys.exit(code)  # the interpreter tries again, says why it cannot, and exits with 120
    os._exit(code)


def run(args: Sequence[str]) -> int:
    """Run one command line; the exit code. Errors go to standard error, one line each, without a traceback."""
    try:
        code = app.main(args=list(args), prog_name="zone-audit", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except click.ClickException as error:
        code = _refused(error)
    except AuditError as error:
        errors = error.errors if isinstance(error, AuditErrors) else (error,)
        _say(*(f"error: {one}" for one in errors))
        code = max((one.exit_code for one in errors), default=USAGE)
    except Exception as error:  # noqa: BLE001 - the last resort: one line and exit code 4 instead of a traceback
        code = _broken(error)
    return code if isinstance(code, int) else 0


def _refused(error: click.ClickException) -> int:
    """Say what is wrong with the command line, and where its help is."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return USAGE
    message = error.format_message().strip().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "zone-audit"
    _say(f"error: {message[:1].lower()}{message[1:]}", f"try `{path} --help`")
    return USAGE


def _broken(error: Exception) -> int:
    """Say that this is our fault and how to report it; with ZONE_AUDIT_DEBUG=1 the traceback comes first."""
    if os.environ.get("ZONE_AUDIT_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" at {Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else ""
    _say(
        f"internal error: {type(error).__name__}{place}: {error}; nothing is claimed about the input. "
        f"Please report it with the command and `zone-audit {__version__}`; ZONE_AUDIT_DEBUG=1 shows the traceback"
    )
    return INTERNAL


def _say(*lines: str) -> None:
    """Lines on standard error, harmless whatever they quote."""
    for line in lines:
        print(f"zone-audit: {safe_text(line)}", file=sys.stderr)  # noqa: T201 - the one place for errors
