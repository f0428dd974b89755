"""The exceptions file: approved departures from the matrix, what each covers today and in which state it is.

An exception never changes reachability; a finding that it covers stays in every output, marked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

from audit.errors import MatrixError
from audit.identity import plain, same_person
from audit.model import ZoneMatrix
from audit.traffic import ALL, MAX_PORT, PROTOCOLS, Traffic

if TYPE_CHECKING:
    from audit.exceptions_schema import ExceptionForm
    from audit.matrix_yaml import Document

Status = Literal["matched", "unused", "expired", "expiring", "not-yet-valid", "over-broad", "invalid", "self-approved"]
EXCUSING: Final[frozenset[Status]] = frozenset({"matched", "expiring"})
"""The only states in which an exception covers findings."""
ANY: Final = ("any",)
"""What a part of a scope holds when everything is meant; it has to be written out."""
EXPIRING_DAYS: Final = 30
LONGEST_YEARS: Final = 2
"""From approval to expiry. What is needed for longer belongs into the matrix."""
_NEEDED: Final = (
    "justification",
    "requested_by",
    "requested_on",
    "approved_by",
    "approved_on",
    "valid_from",
    "expires_on",
)
"""An approval that lacks one of these is none."""


class Excusable(Protocol):
    """What has to be known of a finding; report.FindingRecord has it."""

    @property
    def rule(self) -> str:
        """Rule id."""

    @property
    def from_zone(self) -> str:
        """Zone name; empty when the rule is not about a pair of zones."""

    @property
    def to_zone(self) -> str:
        """As `from_zone`."""

    @property
    def ports(self) -> Mapping[str, str]:
        """What is open beyond the matrix, by protocol."""

    @property
    def subjects(self) -> Sequence[str]:
        """Objects at fault, `Kind namespace/name`."""

    @property
    def matrix_row(self) -> str:
        """Flow id; empty when a default decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an exception covers; each part lists values or is ANY."""

    sources: tuple[str, ...]
    """`from`: zones."""
    targets: tuple[str, ...]
    """`to`: zones."""
    services: tuple[str, ...]
    """As in the matrix, without groups."""
    subjects: tuple[str, ...]
    """Objects at fault, `Kind namespace/name`."""
    traffic: Traffic
    """What `services` mean."""

    def __str__(self) -> str:
        parts = (f"from {_listed(self.sources)}", f"to {_listed(self.targets)}", _listed(self.services))
        return f"{' '.join(parts)} for {_listed(self.subjects)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionEntry:
    """One entry of the file. Dates are ISO text; what is missing is empty and makes the entry invalid."""

    id: str
    title: str
    rule: str = ""
    """Rule id; empty when the entry names a flow only."""
    flow: str = ""
    """Id of a matrix row; empty when the entry names a rule only."""
    scope: Scope
    justification: str = ""
    requested_by: str = ""
    requested_on: str = ""
    approved_by: str = ""
    approved_on: str = ""
    valid_from: str = ""
    expires_on: str = ""
    """The last day on which the exception holds."""
    ticket: str = ""
    owner: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """An entry with its state today."""

    entry: ExceptionEntry
    status: Status
    reason: str = ""
    """Why it covers nothing; empty for matched, expiring and unused."""
    findings: tuple[int, ...] = ()
    """Places, in the sequence that was matched, of the findings it excuses; empty unless the status is in EXCUSING."""
    refused: tuple[int, ...] = ()
    """Places of the findings that it would excuse, were it in force, and that no other entry excuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All entries with their state, and what they excuse."""

    rulings: tuple[Ruling, ...]
    """In file order."""
    excused: tuple[str, ...]
    """For each finding the id of the entry that covers it, the first in file order; empty where none does."""


def load(path: str | Path) -> tuple[ExceptionEntry, ...]:
    """The entries of an exceptions file in file order.

    AuditErrors with every fault and its place for what cannot be read: unknown fields, bad dates or services, a scope
    with a part left out, an id used twice. A missing approver or date is no such fault: the entry is kept, as invalid.
    """
    from audit.matrix_yaml import read_bytes

    return parsed(str(path), read_bytes(path))


def parsed(file: str, data: bytes) -> tuple[ExceptionEntry, ...]:
    """As `load`, of what a file of that name holds, wherever it lies now."""
    from pydantic import ValidationError

    from audit.exceptions_schema import ExceptionsForm
    from audit.matrix_faults import faults
    from audit.matrix_yaml import document, raise_all

    source = document(data, file)
    found = list(source.faults)
    try:
        form = ExceptionsForm.model_validate(source.root.plain())
    except ValidationError as error:
        raise_all([*found, *faults(source, ExceptionsForm, error)])
        raise AssertionError from error
    found += _repeated(source, form.exceptions)
    entries = [_entry(source, index, item, found) for index, item in enumerate(form.exceptions)]
    raise_all(found)
    return tuple(entries)


def _repeated(source: Document, items: Sequence[ExceptionForm]) -> list[MatrixError]:
    first: dict[str, int] = {}
    faults = []
    for index, item in enumerate(items):
        earlier = first.setdefault(item.id.casefold(), index)
        if earlier != index:
            line = source.place(("exceptions", earlier, "id")).line
            message = f"a second exception with the id `{item.id}`, first on line {line}"
            faults.append(MatrixError(message, source.place(("exceptions", index, "id"))))
    return faults


def _entry(source: Document, index: int, form: ExceptionForm, faults: list[MatrixError]) -> ExceptionEntry:
    from audit.matrix_services import resolve

    scope, traffic = form.scope, Traffic()
    for name in ("source", "target", "services", "subjects"):
        values: tuple[str, ...] = getattr(scope, name)
        if "any" in values and len(values) > 1:
            field = {"source": "from", "target": "to"}.get(name, name)
            place = source.place(("exceptions", index, "scope", field))
            faults.append(MatrixError("`any` already includes the other values", place))
    try:
        traffic, _ = resolve(scope.services, {})
    except MatrixError as error:
        faults.append(MatrixError(error.message, source.place(("exceptions", index, "scope", "services")), error.hint))
    if not form.rule and not form.flow:
        message, hint = "the exception names neither a `rule` nor a `flow`", "say what it is an exception from"
        faults.append(MatrixError(message, source.place(("exceptions", index)), hint))
    texts = form.model_dump(exclude={"scope"}, exclude_none=True)
    parts = Scope(
        sources=scope.source, targets=scope.target, services=scope.services, subjects=scope.subjects, traffic=traffic
    )
    return ExceptionEntry(scope=parts, line=source.place(("exceptions", index)).line, **texts)


def match(
    entries: Sequence[ExceptionEntry],
    findings: Sequence[Excusable],
    today: date,
    *,
    matrix: ZoneMatrix | None = None,
    rules: Collection[str] | None = None,
) -> Register:
    """What every entry covers and in which state it is.

    A finding is covered when one entry's scope holds its zones, all its excess ports and all its subjects. With
    `matrix` and `rules` (the ids that exist) an entry that names an unknown flow, zone or rule is invalid; without them
    it merely matches nothing.
    """
    excused = [""] * len(findings)
    judged = []
    for entry in entries:
        status, reason = _standing(entry, today, matrix, rules)
        fitting = tuple(at for at, finding in enumerate(findings) if _covers(entry, finding))
        if status in EXCUSING:
            for at in fitting:
                excused[at] = excused[at] or entry.id
            status = status if fitting else "unused"
        judged.append((entry, status, reason, fitting))
    rulings = tuple(_ruling(*one, excused) for one in judged)
    return Register(rulings=rulings, excused=tuple(excused))


def _ruling(entry: ExceptionEntry, status: Status, reason: str, fitting: tuple[int, ...], excused: list[str]) -> Ruling:
    if status in EXCUSING:
        return Ruling(entry=entry, status=status, reason=reason, findings=fitting)
    refused = tuple(at for at in fitting if not excused[at])
    return Ruling(entry=entry, status=status, reason=reason, refused=refused)


def _standing(
    entry: ExceptionEntry, today: date, matrix: ZoneMatrix | None, rules: Collection[str] | None
) -> tuple[Status, str]:
    """The state as far as it does not depend on findings, the gravest first, and its reason."""
    wrong = _invalid(entry, today, matrix, rules)
    if wrong:
        return "invalid", wrong
    if same_person(entry.requested_by, entry.approved_by):
        return "self-approved", f"`{entry.approved_by}` asked for it and approved it"
    end = date.fromisoformat(entry.expires_on)
    if broad := _too_long(entry) or _too_broad(entry.scope, matrix):
        return "over-broad", broad
    if today < date.fromisoformat(entry.valid_from):
        return "not-yet-valid", f"it holds from {entry.valid_from}"
    if today > end:
        return "expired", f"it held until {entry.expires_on}"
    return ("expiring" if end - today <= timedelta(days=EXPIRING_DAYS) else "matched"), ""


def _too_long(entry: ExceptionEntry) -> str:
    limit = f"{int(entry.approved_on[:4]) + LONGEST_YEARS:04}{entry.approved_on[4:]}"
    if entry.expires_on <= limit:
        return ""
    return f"it lasts until {entry.expires_on}, more than two years from its approval"


def _too_broad(scope: Scope, matrix: ZoneMatrix | None) -> str:
    """Why the scope excuses nearly anything, by what it means and not by how it is written; empty when it does not.

    That is: any subject, most ports of some protocol, and most ordered pairs of zones.
    """
    if scope.sources == scope.targets == scope.services == scope.subjects == ANY:
        return "every part of its scope is `any`"
    if scope.subjects != ANY or not _most_ports(scope):
        return ""
    known = frozenset(zone.name for zone in matrix.zones) if matrix else frozenset()
    pairs = 1
    for part in (scope.sources, scope.targets):
        pairs *= len(known) if part == ANY else len(known.intersection(part))
    if (known and 2 * pairs > len(known) ** 2) or scope.sources == scope.targets == ANY:
        return "its scope holds any subject, most ports of a protocol and most pairs of zones"
    return ""


def _most_ports(scope: Scope) -> bool:
    traffic = ALL if scope.services == ANY else scope.traffic
    counts = (sum(high - low + 1 for low, high in traffic.ranges(protocol)) for protocol in PROTOCOLS)
    return any(2 * count > MAX_PORT for count in counts)


def _invalid(entry: ExceptionEntry, today: date, matrix: ZoneMatrix | None, rules: Collection[str] | None) -> str:
    """Why the entry can never hold; empty when nothing is wrong."""
    missing = [name for name in _NEEDED if not plain(getattr(entry, name))]
    if missing:
        return f"{', '.join(f'`{name}`' for name in missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if entry.expires_on < entry.valid_from:
        return "it expires before it is valid"
    if entry.approved_on < entry.requested_on:
        return f"it is approved on {entry.approved_on}, before the request of {entry.requested_on}"
    if entry.approved_on > today.isoformat():
        return f"it is approved on {entry.approved_on}, which is still to come"
    if rules is not None and entry.rule and entry.rule not in rules:
        return f"there is no rule `{entry.rule}`"
    return _unknown_in(matrix, entry) if matrix else ""


def _unknown_in(matrix: ZoneMatrix, entry: ExceptionEntry) -> str:
    if entry.flow and all(flow.id != entry.flow for flow in matrix.flows):
        return f"the matrix has no row `{entry.flow}`"
    named = {*entry.scope.sources, *entry.scope.targets} - {*ANY}
    unknown = sorted(named - {zone.name for zone in matrix.zones})
    return f"the matrix has no zone `{unknown[0]}`" if unknown else ""


def _covers(entry: ExceptionEntry, finding: Excusable) -> bool:
    """Whether nothing of the finding lies outside the scope; a part the finding does not have is inside `any` only."""
    if entry.rule not in ("", finding.rule) or entry.flow not in ("", finding.matrix_row):
        return False
    scope = entry.scope
    if not (_within((finding.from_zone,), scope.sources) and _within((finding.to_zone,), scope.targets)):
        return False
    if not _within(finding.subjects, scope.subjects):
        return False
    return scope.services == ANY or (bool(finding.ports) and Traffic.parse(finding.ports) <= scope.traffic)


def _within(values: Sequence[str], part: tuple[str, ...]) -> bool:
    return part == ANY or (bool(values) and all(value in part for value in values))


def _listed(part: tuple[str, ...]) -> str:
    return ", ".join(part)
