"""ZON007: a matrix that nobody has reviewed, or approved, in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from audit.rule import Context, Finding, ObjectRef, Severity, rule


@rule(
    "ZON007",
    "The zone matrix is not reviewed or approved as it should be",
    severity="medium",
    controls=("pci-dss-4.0.1/1.2.7", "pci-dss-4.0.1/1.2.2", "nist-800-53r5/ca-3", "nist-800-53r5/ca-9"),
)
def overdue_matrix_review(context: Context) -> Iterator[Finding]:
    """What it checks: that the reviews of the matrix and of its rows are not overdue, and that somebody approved it.

    A review and an approval must be recorded, and nobody approves a matrix of their own.

    Why it matters: every verdict of a scan rests on the matrix. Permissions outlive their reason, and only a review by
    somebody else finds that out; auditors ask for the record of it, twice a year as a rule.

    How to fix: review the rows, then write the new date to `review_by`, and who approved it to `approved_by` and
    `approved_on`; `zone-audit matrix check zones.yaml` lists what is due.

    Limits: that a review took place cannot be seen, only that the matrix says so. Names are compared as they are
    written, so that two names of one person pass. A
    matrix without any record may be a draft: told, and no failure.
    """
    metadata = context.matrix.metadata
    if not (metadata.review_by or metadata.approved_by):
        fix = "Have somebody review and approve it, and write down who, when, and when the next review is due."
        yaml = "metadata:\n  approved_by: # who\n  approved_on: # when\n  review_by: # in six months"
        text = f"{fix}\n\n{yaml}"
        yield _finding(context, "records neither a review nor an approval", "no review_by", text, "info")
    else:
        yield from _reviewed(context)
        yield from _approved(context)
    yield from _rows(context)


def _finding(context: Context, what: str, observed: str, fix: str, severity: Severity = "low") -> Finding:
    """A finding about the matrix as a whole."""
    metadata = context.matrix.metadata
    return Finding(
        title=f"zone matrix {metadata.name} {what}",
        subjects=(ObjectRef("ZoneMatrix", "", metadata.name),),
        severity=severity,
        observed=observed,
        fix=fix,
        owner=metadata.owner,
        identity=(what,),
    )


def _reviewed(context: Context) -> Iterator[Finding]:
    due = context.matrix.metadata.review_by
    fix = "Review the matrix, and write down when the next review is due.\n\nmetadata:\n  review_by: # in six months"
    if not due:
        yield _finding(context, "says nothing of a review", "no review_by", fix)
    elif due < context.today.isoformat():
        yield _finding(context, "is overdue for review", f"due on {due}", fix, "medium")


def _rows(context: Context) -> Iterator[Finding]:
    """Rows that are overdue, one finding for each owner of rows."""
    due: dict[str, list[str]] = {}
    for row in context.matrix.flows:
        if row.review_by and row.review_by < context.today.isoformat():
            due.setdefault(row.owner, []).append(row.id)
    for owner, rows in sorted(due.items()):
        count = f"{len(rows)} rows of the matrix are" if len(rows) > 1 else f"row {rows[0]} of the matrix is"
        yield Finding(
            title=f"{count} overdue for review",
            subjects=tuple(ObjectRef("Flow", "", name) for name in rows),
            matrix_row=rows[0],
            expected="dates to come",
            observed=f"{', '.join(rows)} past the date in review_by",
            fix="Review the rows, remove those that nobody needs, and write the next date to `review_by` of the rest.",
            owner=owner or context.matrix.metadata.owner,
            identity=("rows", owner),
            counts={"rows": len(rows)},
        )


def _approved(context: Context) -> Iterator[Finding]:
    metadata = context.matrix.metadata
    fix = "Have somebody approve the matrix who does not own it, and write down who and when.\n\n"
    fix += "metadata:\n  approved_by: # who\n  approved_on: # when"
    if not metadata.approved_by:
        yield _finding(context, "was approved by nobody", "no approved_by", fix)
    elif metadata.approved_by == metadata.owner:
        observed = f"owner and approved_by are {metadata.owner}"
        yield _finding(context, "was approved by its own owner", observed, fix)
    elif not metadata.approved_on:
        yield _finding(context, "was approved on no date", f"approved by {metadata.approved_by}", fix)
    elif metadata.approved_on > context.today.isoformat():
        found = _finding(context, "carries an approval of a day to come", f"on {metadata.approved_on}", fix)
        reason = f"approved_on is {metadata.approved_on}, so nobody can tell what was approved"
        yield replace(found, verdict="not-evaluated", reason=reason)
