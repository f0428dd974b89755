"""Where rules come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from audit import discovery
from audit.discovery import discover, pack
from audit.errors import UsageError
from audit.rule import Context, Finding, Rule, rule

RULE = '''
from audit.rule import Finding, rule

@rule("ORG001", "Ours", severity="low")
def ours(context):
    """What it checks: a.

    Why it matters: b.

    How to fix: c.

    Limits: d.
    """
    for name in context.zone_map.namespaces:
        yield Finding(title=name, subjects=(context.namespace_ref(name),))
'''


def test_built_in_rules_are_sorted_and_unique() -> None:
    ids = [one.id for one in discover()]
    assert ids == sorted(set(ids))
    assert {"NET001", "NET003", "ZON001", "HOST001"} <= set(ids)


def test_a_directory_adds_rules_that_run(tmp_path: Path, kit: Any) -> None:
    (tmp_path / "ours.py").write_text(RULE)
    rules = discover(tmp_path)
    results = kit.estate.check(rules)
    assert {one.finding.title for one in results.findings if one.rule.id == "ORG001"} == {"web", "app"}
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_module\n", "no_such_module"),
        ("x = 1\n", "no rule in this file"),
        (RULE.replace("Limits: d.", ""), "lacks the section `Limits`"),
        (RULE.replace("ORG001", "NET001"), "`NET001` is defined twice"),
    ],
)
def test_a_bad_rule_file_is_an_error_that_names_it(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "ours.py").write_text(content)
    with pytest.raises(UsageError, match=message) as caught:
        discover(tmp_path)
    assert "ours.py" in str(caught.value)


def test_a_missing_or_empty_directory_is_an_error(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="rules directory"):
            discover(directory)


def test_installed_packages_add_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = made("EXT001")

    class Entry:
        name, value = "ext", "ext:rule"

        @staticmethod
        def load() -> Rule:
            return extra

    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: [Entry] if group == discovery.ENTRY_POINTS else []
    )
    assert extra in discover()


def test_the_pack_name_changes_with_the_rules() -> None:
    rules = discover()
    assert pack(rules, "1") != pack(rules[1:], "1")
    assert pack(rules, "1") == pack(tuple(rules), "1")


def made(name: str) -> Rule:
    def check(_: Context) -> tuple[Finding, ...]:
        return ()

    check.__doc__ = "What it checks: a.\n\nWhy it matters: b.\n\nHow to fix: c.\n\nLimits: d."
    return rule(name, "Test")(check)
