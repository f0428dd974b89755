"""`--split-by owner`: outputs with `{owner}` in their name are written once for each owner, the others as ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from audit.commands.outlets import Outlet
from audit.commands.overwriting import keep_inputs
from audit.errors import UsageError
from audit.report import Report

MARK = "{owner}"


def split_outlets(by: str | None, chosen: Sequence[Outlet]) -> tuple[Outlet, ...]:
    """The outputs that are written once for each owner; UsageError where option and names do not fit."""
    marked = tuple(one for one in chosen if one.path and MARK in one.path.name)
    if by and not marked:
        raise UsageError(f"`--split-by {by}` needs an output with `{MARK}` in its name", hint=f"-o report-{MARK}.html")
    if marked and not by:
        raise UsageError(f"`{marked[0].path}` names `{MARK}` and nothing is split", hint="add `--split-by owner`")
    if whole := [one for one in marked if one.format == "bundle"]:
        raise UsageError(f"evidence is of a whole scan, so `{whole[0].path}` cannot name `{MARK}`")
    return marked


def divided(
    marked: Sequence[Outlet], chosen: Iterable[Outlet], report: Report, inputs: Sequence[str | None]
) -> dict[Outlet, Report]:
    """Every output with what it is about; UsageError for one that would replace an input or another output."""
    found = {one: report for one in chosen if one not in marked}
    if not marked:
        return found
    from audit import shares
    from audit.exports import results_v1

    digest = results_v1.digest(results_v1.render(report))
    for owner, name in shares.file_names(shares.owners(report)).items():
        share = shares.share(report, owner, digest)
        for outlet in marked:
            path = _place(outlet, name)
            if any(one.path == path for one in found):
                raise UsageError(f"two outputs would be written to `{path}`")
            found[Outlet(outlet.format, path)] = share
    keep_inputs([one.path for one in found if one.path], [one for one in inputs if one])
    return found


def _place(outlet: Outlet, name: str) -> Path:
    assert outlet.path is not None  # noqa: S101 - it has a name with a mark in it
    path = outlet.path.with_name(outlet.path.name.replace(MARK, name)).resolve()
    if path.is_dir():
        raise UsageError(f"output `{path}` is a directory")
    return path
