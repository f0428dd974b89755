"""What a bundle shows by itself and beside the one before it, check by check; what was not looked at is unchecked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from audit import baseline
from audit.errors import InputError, Position
from audit.evidence.bundle import Bundle, merkle
from audit.evidence.manifest import digest
from audit.exports import results_v1
from audit.report import Report

Result = Literal["passed", "failed", "unchecked", "none"]
"""unchecked: there is something, and it could not be looked at. none: there is nothing to look at."""
VERIFIED, BROKEN, UNCHECKED = "verified", "broken", "incomplete"
SCHEMA = "zone-audit.verification/1"


class Check(msgspec.Struct, frozen=True):
    """One check."""

    name: str
    result: Result
    text: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What came out of all of them."""

    schema: str = SCHEMA
    file: str
    sha256: str = ""
    """Of the manifest; empty where none could be read."""
    verdict: str
    """verified, broken, incomplete"""
    checks: tuple[Check, ...]


def concluded(file: str, checks: Iterable[Check], sha256: str = "") -> Verification:
    """The verdict: whatever failed is broken, and what nobody could look at is never verified."""
    made = tuple(checks)
    results = {one.result for one in made}
    verdict = BROKEN if "failed" in results else UNCHECKED if "unchecked" in results else VERIFIED
    return Verification(file=file, sha256=sha256, verdict=verdict, checks=made)


def judged(name: str, wrong: str, right: str) -> Check:
    """A check that failed for the reason `wrong`, or passed if that is empty."""
    return Check(name, "failed", wrong) if wrong else Check(name, "passed", right)


def sound(bundle: Bundle) -> Check:
    """The check that reading the bundle was."""
    return Check("form", "passed", f"layout and digests of {len(bundle.manifest.members)} members fit")


def of_tree(bundle: Bundle) -> Check:
    """The Merkle root again."""
    try:
        found = merkle(bundle.leaves)
    except InputError as error:
        return Check("tree", "failed", f"the snapshot inside: {error.message}")
    wrong = "" if found == bundle.manifest.merkle else "the Merkle root is not that of the members and objects"
    return judged("tree", wrong, f"Merkle root over {found.leaves:,} leaves fits")


def of_records(bundle: Bundle) -> Check:
    """Whether manifest, results and members say the same."""
    try:
        recorded = results(bundle)
    except InputError as error:
        return Check("records", "failed", f"`results.json`: {error.message}")
    wrong = ", ".join(_disagreeing(bundle, recorded))
    return judged("records", f"manifest, results and members differ in {wrong}" if wrong else "", "they say the same")


def results(bundle: Bundle) -> Report:
    """The results inside; InputError for what is none."""
    return baseline.decoded(bundle.of("results") or b"", Position(bundle.file))


def _disagreeing(bundle: Bundle, recorded: Report) -> Iterator[str]:
    told, exact = bundle.manifest, bundle.of("results")
    if results_v1.render(recorded) != exact:
        yield "the text of the results"
    for field in ("tool", "rule_pack", "created", "verdict", "exit_code", "inputs"):
        if getattr(told, field) != getattr(recorded, field):
            yield field
    if told.parameters.fail_on != recorded.fail_on:
        yield "fail_on"
    if told.cluster != (recorded.collection.cluster if recorded.collection else None):
        yield "cluster"
    for role in ("zones", "exceptions"):
        content = bundle.of(role)
        names = [one.sha256 for one in recorded.inputs if one.role == role]
        if names != ([] if content is None else [digest(content)]):
            yield role
    before = bundle.of("baseline")
    if before is not None and (recorded.changes is None or recorded.changes.sha256 != digest(before)):
        yield "baseline"


def of_chain(bundle: Bundle, previous: Bundle | None) -> Check:
    """Whether the bundle given as the one before is the one that this one names."""
    named = bundle.manifest.previous
    if previous is None:
        if named is None:
            return Check("chain", "none", "it names no bundle before it")
        return Check("chain", "unchecked", f"it follows the bundle {named}; give that with `--previous`")
    if named is None:
        return Check("chain", "failed", "it names no bundle before it")
    wrong = "" if named == previous.sha256 else f"it follows the bundle {named}, and this one is {previous.sha256}"
    if not wrong and previous.manifest.created > bundle.manifest.created:
        wrong = "the bundle before it is younger"
    return judged("chain", wrong, f"it follows `{previous.file}` of {previous.manifest.created}")
