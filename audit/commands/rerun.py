"""The analysis of an evidence bundle again, from what it holds, under the names and the time that it recorded."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from msgspec import structs

from audit.commands.scan import analysed
from audit.errors import UsageError
from audit.report import Report
from audit.safetext import rewrite

if TYPE_CHECKING:
    from audit.evidence.bundle import Bundle
    from audit.profile import Plugin


def lacking(bundle: Bundle) -> tuple[str, ...]:
    """The sources, as they were named, that the bundle does not hold."""
    return tuple(one.name for one in bundle.manifest.parameters.sources if not one.member)


def rerun(bundle: Bundle, given: Sequence[str], rules: Path | None, progress: Callable[[str], None]) -> Report:
    """The report made again; `given` are what the bundle lacks, in order; errors as the stages raise them."""
    from audit import baseline
    from audit.assessment import Written

    told = bundle.manifest.parameters
    zones, excused, before = bundle.of("zones"), bundle.of("exceptions"), bundle.of("baseline")
    assert zones is not None  # noqa: S101 - a bundle without is refused
    names = dict(zip(map(_place, given, lacking(bundle)), lacking(bundle), strict=True))
    with bundle.snapshot() as held:
        places = iter(names)
        report = analysed(
            tuple(str(held) if one.member else next(places) for one in told.sources),
            Written(told.zones, zones),
            Written(told.exceptions, excused) if excused is not None else None,
            created=dt.datetime.fromisoformat(bundle.manifest.created),
            rules_directory=rules,
            fail_on=told.fail_on,
            plugin=cast("Plugin", told.cni) if told.cni else None,
            progress=progress,
        )
    report = _renamed(report, names)
    if before is not None:
        report = baseline.compared(report, baseline.read(told.baseline, before), fail_on_new=told.fail_on_new)
    return report


def comparable(report: Report, bundle: Bundle) -> Report:
    """The report without what a history adds, which nobody can make again, if the bundle was made with one."""
    told = bundle.manifest.parameters
    if not told.history:
        return report
    findings = tuple(structs.replace(one, first_seen="", baseline_state="") for one in report.findings)
    code = 0 if told.fail_on_new else report.exit_code
    return structs.replace(report, findings=findings, trend=(), changes=None, exit_code=code)


def differing(recorded: Report, again: Report) -> Iterator[str]:
    """Top-level fields in which two reports differ."""
    for field in Report.__struct_fields__:
        if getattr(recorded, field) != getattr(again, field):
            yield field


def _place(given: str, name: str) -> str:
    """A spelling of a path that no other text holds, and that tells the name as given from the name as Path has it."""
    if given == "-" or name == "-":
        if given == name:
            return given
        raise UsageError("what was read from standard input, and nothing else, is given as `-`")
    whole = Path(os.path.abspath(given))  # noqa: PTH100 - links stay as they are
    return f"{whole.parent}/./{whole.name}" + ("/" if name.endswith("/") else "")


def _renamed(report: Report, names: Mapping[str, str]) -> Report:
    """The report as it reads when the sources lie where they lay then."""
    given = {place.rstrip("/"): name.rstrip("/") for place, name in names.items() if place != "-"}
    known = given | {str(Path(place)): str(Path(name)) for place, name in names.items() if place != "-"}
    if not known:
        return report
    spelled = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![\w./-])({spelled})(/|(?![\w.-]))")

    def restored(found: re.Match[str]) -> str:
        place, slash = found.groups()
        inside = slash and place not in given
        return "" if inside and known[place] == "." else known[place] + slash

    return rewrite(report, lambda text, _: pattern.sub(restored, text))
