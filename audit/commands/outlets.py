"""`-f FORMAT [-o PATH]` pairs: read off the command line, bad ones refused early, files written whole or not at all."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from audit import files
from audit.commands.live import files_read
from audit.commands.overwriting import keep_inputs
from audit.commands.session import Session, check_stdout, on_terminal
from audit.commands.wording import Words
from audit.errors import AuditError, AuditErrors, RenderError, UsageError

_ORDER = "audit.outlets.order"


@dataclass(frozen=True, slots=True)
class Outlet:
    """One output."""

    format: str
    path: Path | None = None
    """Symbolic links resolved; None is standard output."""


class PairingCommand(click.Command):
    """A command that remembers in which order `-f` and `-o` were given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with the order of the options kept for `outlets`."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = tuple(option.name for option in order)
        return super().parse_args(ctx, args)


def output_options(formats: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The `-f` and `-o` options; the first format is the default."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        output = click.option(
            "-o",
            "--output",
            "paths",
            multiple=True,
            metavar="PATH",
            help="File for the format before it, or for that of its suffix; `-` is stdout.",
        )
        format_ = click.option(
            "-f",
            "--format",
            "formats",
            multiple=True,
            type=Words(formats),
            help=f"Output format, may be repeated. [default: that of the file's suffix, else {formats[0]}]",
        )
        return format_(output(function))

    return add


def outlets(
    ctx: click.Context, default: str, suffixes: Mapping[str, str], binary: Iterable[str] = ()
) -> tuple[Outlet, ...]:
    """The outputs asked for; UsageError for pairs that make no sense and places that cannot or must not be written.

    A file without a format of its own takes the one of its suffix, by `suffixes`.
    """
    found: list[tuple[str, str]] = []
    implied: set[str] = set()
    formats, paths = iter(ctx.params["formats"]), iter(ctx.params["paths"])
    for name in ctx.meta[_ORDER]:
        if name == "formats":
            found.append((next(formats), ""))
        elif name == "paths":
            path = next(paths)
            if not path:
                raise UsageError("`-o` has an empty path", hint="`-` is standard output")
            if found and not found[-1][1]:
                found[-1] = (found[-1][0], path)
            else:
                found.append((_implied(path, default, suffixes, follows=bool(found)), path))
                implied.add(found[-1][0])
    # `-o r.json -f json` is one output: the format was named after the file.
    kept = [(name, path) for name, path in found if path or name not in implied]
    chosen = tuple(
        Outlet(name, Path(path).resolve() if path not in ("", "-") else None) for name, path in kept or [(default, "")]
    )
    _check(chosen, frozenset(binary))
    sources = ctx.params["sources"]
    others = (ctx.params.get(name) for name in ("zones", "exceptions", "baseline", "rules_directory"))
    hidden = files_read(sources, ctx.params.get("kubeconfig"), ctx.params.get("pseudonyms_key"))
    keep_inputs([one.path for one in chosen if one.path], sources, (*others, *hidden))
    return chosen


def _implied(path: str, default: str, suffixes: Mapping[str, str], *, follows: bool) -> str:
    """The format of a file by its suffix; the default for standard output and for names without a suffix."""
    suffix = Path(path).suffix.lower()
    if suffix in suffixes:
        return suffixes[suffix]
    if follows:
        raise UsageError(f"`-o {path}` follows another `-o`", hint="give it a `-f` of its own, or a suffix that tells")
    if not suffix or path == "-":
        return default
    near = difflib.get_close_matches(suffix, suffixes, n=1)
    meant = f"did you mean `-f {suffixes[near[0]]} -o {path}`?" if near else ""
    raise UsageError(
        f"the suffix of `{path}` names no format", hint=meant or f"known: {', '.join(suffixes)}; or give `-f`"
    )


def _check(chosen: Sequence[Outlet], binary: frozenset[str]) -> None:
    to_stdout = [one.format for one in chosen if one.path is None]
    if len(to_stdout) > 1:
        names = " and ".join(f"`{name}`" for name in to_stdout)
        raise UsageError(f"{names} would both go to standard output", hint="give all but one a file with `-o`")
    if to_stdout:
        check_stdout()
    if to_stdout and to_stdout[0] in binary and on_terminal():
        raise UsageError(f"`{to_stdout[0]}` is not for a terminal", hint="name a file with `-o`")
    named = [one.path for one in chosen if one.path is not None]
    for path in named:
        if named.count(path) > 1:
            raise UsageError(f"two outputs would be written to `{path}`")
        if path.is_dir():
            raise UsageError(f"output `{path}` is a directory")
        if not path.parent.is_dir():
            raise UsageError(f"directory `{path.parent}` for the output does not exist")


def deliver(session: Session, chosen: Iterable[Outlet], render: Callable[[Outlet], bytes]) -> None:
    """Render and write every output.

    One that fails does not keep the others from being written; the errors are raised at the end.
    """
    errors: list[AuditError] = []
    contents: dict[Outlet, bytes] = {}
    for outlet in chosen:
        session.progress(f"writing {outlet.format}")
        try:
            contents[outlet] = render(outlet)
        except RenderError as error:
            errors.append(error)
    errors += write_files({one.path: content for one, content in contents.items() if one.path is not None})
    for outlet, content in contents.items():
        if outlet.path is None:
            session.write(content)
    if errors:
        raise errors[0] if len(errors) == 1 else AuditErrors(errors)


def write_files(contents: Mapping[Path, bytes]) -> list[AuditError]:
    """Write each file whole or not at all, new ones for the user alone; the errors."""
    errors: list[AuditError] = []
    for path, content in contents.items():
        try:
            files.write(path, content)
        except OSError as error:
            errors.append(RenderError(f"`{path}` cannot be written: {error.strerror or error}"))
    return errors
