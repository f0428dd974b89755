"""The templates, and the words that they may use."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from audit import due, path_records, summary
from audit.completeness import UNKNOWN_ABSENCE
from audit.model import SEVERITIES, VERDICTS
from audit.pictures.elements import Picture
from audit.pictures.trend_chart import LETTERS

TEMPLATES = "audit.report_templates"
BRIEF = 220
"""Characters of a text in a table cell."""


def rendered(template: str, values: dict[str, object]) -> str:
    """The page that a template makes of these values; a value that it lacks is an error."""
    return _environment().get_template(template).render(values)


def bundle() -> Any:
    """The directory of templates, style sheets and fonts."""
    return resources.files(TEMPLATES)


@cache
def asset(name: str) -> str:
    """A style sheet."""
    return str(bundle().joinpath(name).read_text(encoding="utf-8"))


def trusted(markup: str) -> Markup:
    """Markup of our own, which is not escaped again."""
    return Markup(markup)  # noqa: S704


def pictured(picture: Picture) -> dict[str, object]:
    """A picture for templates; its text was escaped where it was drawn."""
    return {"svg": trusted(picture.svg), "notes": picture.notes}


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(TEMPLATES, ""), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= _FILTERS
    environment.globals |= _WORDS
    return environment


def _count(number: int) -> str:
    return f"{number:,}"


def _brief(text: str, limit: int = BRIEF) -> str:
    return summary.clipped(text, limit)


def _some(items: Sequence[str], limit: int) -> str:
    """The first few, and how many more there are."""
    rest = len(items) - limit
    return ", ".join(_brief(item) for item in items[:limit]) + (f" and {rest:,} more" if rest > 0 else "")


def _sentence(text: str) -> str:
    """The clause with a capital letter; nothing else changes, unlike with the filter `capitalize`."""
    return text[:1].upper() + text[1:]


def _parts_of(address: str) -> tuple[str, ...]:
    """The text cut after dots and before at signs: where an address goes on in the next line, and nowhere else."""
    return tuple(re.split(r"(?<=\.)(?=.)|(?<=.)(?=@)", address))


def _known(value: str, values: Sequence[str]) -> str:
    """The value if it is one of these: nothing else may become part of a class name."""
    return value if value in values else "other"


_FILTERS: dict[str, Callable[..., object]] = {
    "brief": _brief,
    "mapping": dict,
    "n": _count,
    "sentence": _sentence,
    "short": summary.shortened,
    "some": _some,
}
_WORDS: dict[str, object] = {
    "age": due.age,
    "anchor": summary.anchor,
    "apart_text": summary.apart_text,
    "conclusion": summary.conclusion,
    "worded": summary.worded,
    "conclusions": tuple(summary.CONCLUSIONS),
    "counts_text": summary.counts_text,
    "cut_text": path_records.cut_text,
    "enforcement_warning": summary.enforcement_warning,
    "exit_text": summary.exit_text,
    "hop_text": path_records.hop_text,
    "known": _known,
    "lacking": summary.lacking,
    "lacking_kinds": summary.lacking_kinds,
    "letters": summary.LETTERS,
    "meanings": summary.MEANINGS,
    "mark": summary.mark,
    "pairs_text": summary.pairs_text,
    "parts_of": _parts_of,
    "ports": summary.ports_text,
    "profile_text": summary.profile_text,
    "read_text": summary.read_text,
    "reason": summary.reason,
    "refused_texts": summary.refused_texts,
    "seen": summary.SEEN,
    "seen_text": summary.seen_text,
    "severities": tuple(reversed(SEVERITIES)),
    "split_fix": summary.split_fix,
    "steps_text": path_records.steps_text,
    "trend_letters": LETTERS,
    "undecided_text": summary.undecided_text,
    "unknown_absence": UNKNOWN_ABSENCE,
    "verdicts": VERDICTS,
}
