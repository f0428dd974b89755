"""All rules as one document: a page in Markdown, or JSON.

Input: rules, sorted by id. Output: text or JSON-ready values, the same for the same rules. Rules are grouped by family,
which the letters of an id tell; those of other people come last under letters of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from audit.rule import Rule
from audit.safetext import safe_text
from audit.tables import markdown, plain

SCHEMA = "zone-audit.rules/1"
FAMILIES: Mapping[str, str] = {
    "ZON": "Zones and governance",
    "NET": "Traffic between zones",
    "ING": "Ways in",
    "EGR": "Ways out",
    "OWN": "Ownership of the zoning",
    "CMP": "Compute isolation",
    "STO": "Storage isolation",
    "TOP": "Topology",
    "DOOR": "Side doors",
    "HOST": "Host network",
}
"""Letters of ids -> heading, in the order of the page."""
_HEAD = """\
# Rules

What `zone-audit scan` checks besides the cells of the matrix. This page is made from the code by
`zone-audit rules list -f md`; `zone-audit rules show ID` prints one rule. A rule needs the kinds that it names: where
one of them could not be read, it does not pass but is not-evaluated. Of a live cluster the same goes for every kind
that it looks at, named or not ([completeness](completeness.md)).
"""


def page(rules: Sequence[Rule]) -> str:
    """The page: a table of each family, then its rules with what they check, why, how to fix it, and their limits."""
    return _HEAD + "".join(text for name, own in _families(rules) for text in _family(name, own))


def _family(name: str, rules: Sequence[Rule]) -> Iterator[str]:
    yield f"\n## {plain(name)}\n\n"
    lines = ((one.id, safe_text(one.title), one.severity) for one in rules)
    yield markdown(("rule", "what is wrong", "severity"), lines)
    for one in rules:
        yield f"\n### {plain(one.id)}: {_prose(one.title)}\n\n"
        yield f"Severity {one.severity}; needs {', '.join(f'`{kind}`' for kind in one.needs) or 'nothing'}.\n"
        for heading, text in one.sections.items():
            yield f"\n**{heading}.** {_prose(text[:1].upper() + text[1:])}\n"
        yield f"\n**Supports.** {', '.join(f'`{control}`' for control in one.controls)}\n" if one.controls else ""


def _families(rules: Iterable[Rule]) -> Iterator[tuple[str, tuple[Rule, ...]]]:
    """Heading and rules of each family that has some."""
    found: dict[str, list[Rule]] = {}
    for one in rules:
        found.setdefault(re.split(r"[^A-Z]", one.id, maxsplit=1)[0], []).append(one)
    for letters in (*FAMILIES, *sorted(found.keys() - FAMILIES.keys())):
        if letters in found:
            yield FAMILIES.get(letters, letters or "Other rules"), tuple(found[letters])


def _prose(text: str) -> str:
    """Text in which nothing but code between backticks is markup."""
    parts = safe_text(text).split("`")
    return "`".join(part if place % 2 else plain(part) for place, part in enumerate(parts))


def document(rules: Sequence[Rule]) -> dict[str, Any]:
    """JSON-ready values."""
    return {
        "schema": SCHEMA,
        "rules": [
            {
                "id": one.id,
                "family": name,
                "title": one.title,
                "severity": one.severity,
                "needs": list(one.needs),
                "controls": list(one.controls),
                "sections": dict(one.sections),
            }
            for name, own in _families(rules)
            for one in own
        ],
    }
