"""The catalogue of rules: made from the code, and equal to what the documentation holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from audit import catalogue
from audit.discovery import discover
from audit.rule import SECTIONS

ROOT = Path(__file__).parents[2]


def test_the_page_in_the_documentation_is_the_one_that_the_code_makes() -> None:
    written = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert written == catalogue.page(discover()), "run `zone-audit rules list -f md > docs/rules.md`"


def test_every_rule_stands_in_a_family_with_all_its_sections() -> None:
    rules = discover()
    page = catalogue.page(rules)
    listed = catalogue.document(rules)["rules"]
    assert sorted(one["id"] for one in listed) == [rule.id for rule in rules]
    assert {one["family"] for one in listed} <= {*catalogue.FAMILIES.values()}
    for rule in rules:
        assert page.count(f"\n### {rule.id}: ") == 1
    for heading in SECTIONS:
        assert page.count(f"\n**{heading}.** ") == len(rules)


def test_rules_of_others_come_last_and_their_words_are_no_markup() -> None:
    own = replace(discover()[0], id="ACME1", title="<b>*Bold*</b> `a*b` |")
    page = catalogue.page((*discover(), own))
    assert page.index("## ACME") > page.index("## Topology")
    assert r"### ACME1: \<b\>\*Bold\*\</b\> `a*b` \|" in page
