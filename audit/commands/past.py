"""What a scan is compared with: earlier results, the history, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.conclusion import FINDINGS
from audit.errors import UsageError
from audit.model import SEVERITIES
from audit.report import Report

if TYPE_CHECKING:
    from audit.baseline import Baseline
    from audit.history import History

_NOTHING_EARLIER = (
    "every finding counts as new: the history holds no scan of this to compare with; "
    "scan once without `--fail-on-new` to begin"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of earlier scans."""

    baseline: Baseline | None = None
    history: History | None = None
    fail_on_new: bool = False

    def told(self, report: Report, note: Callable[[str], None]) -> Report:
        """The report with what became of earlier findings; the baseline goes before the last scan of the history.

        A scan that `fail_on_new` refused is none to compare the next such scan with, or a second try would pass.
        """
        earlier = self.baseline
        if not earlier and self.history:
            earlier = self.history.latest(report, refused=not self.fail_on_new)
        if earlier:
            from audit.baseline import compared

            report = compared(report, earlier, fail_on_new=self.fail_on_new)
        elif self.fail_on_new:
            note(_NOTHING_EARLIER)
        return self.history.told(report) if self.history else report

    def remember(self, report: Report) -> None:
        """Adds the scan to the history, if there is one."""
        if self.history:
            self.history.record(
                report, refused=self.fail_on_new and (report.exit_code == FINDINGS or _anything_new(report))
            )


def _anything_new(report: Report) -> bool:
    """Whether something fails that did not before, at whatever threshold: a higher one must not make it old."""
    return any(
        one.verdict == "fail" and one.severity != SEVERITIES[0] and one.baseline_state in ("new", "")
        for one in report.findings
    )


@contextmanager
def past(baseline: str | None, place: str | None, *, fail_on_new: bool) -> Iterator[Past]:
    """What the options name, opened before anything is scanned, since it is quick to refuse."""
    if fail_on_new and not (baseline or place):
        hint = "name earlier results with `--baseline`, or a history with `--history`"
        raise UsageError("`--fail-on-new` needs something to compare with", hint=hint)
    with ExitStack() as stack:
        earlier = history = None
        if baseline:
            from audit.baseline import load

            earlier = load(baseline)
        if place:
            from audit.history import opened

            history = stack.enter_context(opened(place))
        yield Past(baseline=earlier, history=history, fail_on_new=fail_on_new)
