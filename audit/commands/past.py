"""What a scan is compared with: earlier results, the history, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.errors import UsageError
from audit.report import Report

if TYPE_CHECKING:
    from audit.baseline import Baseline
    from audit.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of earlier scans."""

    baseline: Baseline | None = None
    history: History | None = None
    fail_on_new: bool = False

    def told(self, report: Report) -> Report:
        """The report with what became of earlier findings; the baseline goes before the last scan of the history."""
        earlier = self.baseline or (self.history.latest(report) if self.history else None)
        if earlier:
            from audit.baseline import compared

            report = compared(report, earlier, fail_on_new=self.fail_on_new)
        return self.history.told(report) if self.history else report

    def remember(self, report: Report) -> None:
        """Adds the scan to the history, if there is one."""
        if self.history:
            self.history.record(report)


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
