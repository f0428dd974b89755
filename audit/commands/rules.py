"""`zone-audit rules`: what is checked, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from audit import catalogue
from audit.commands.session import Session
from audit.commands.wording import Group, Words
from audit.discovery import discover
from audit.errors import UsageError, did_you_mean
from audit.rule import Rule

_WIDTH = 100


@click.group(cls=Group)
def command() -> None:
    """List the rules, or show one."""


_directory = click.option("--rules", "directory", metavar="DIR", help="More rules, as Python files.")


@command.command(
    "list",
    short_help="Every rule with its severity.",
    epilog="\b\nExamples:\n  zone-audit rules list\n  zone-audit rules list -f md > rules.md",
)
@_directory
@click.option(
    "-f",
    "--format",
    "form",
    type=Words(("table", "md", "json")),
    default="table",
    show_default=True,
    help="A line for each rule, or all about them as a page or as JSON.",
)
@click.pass_obj
def list_rules(session: Session, directory: str | None, form: str) -> None:
    """List every rule with its severity, or the whole catalogue with what each checks, why, and how to fix it."""
    rules = discover(Path(directory) if directory else None)
    if form == "md":
        session.write(catalogue.page(rules).encode())
        return
    if form == "json":
        session.write(msgspec.json.format(msgspec.json.encode(catalogue.document(rules)), indent=1) + b"\n")
        return
    widest = max(len(rule.id) for rule in rules)
    session.print("".join(f"{rule.id:<{widest}}  {rule.severity:<8}  {rule.title}\n" for rule in rules))


@command.command("show", short_help="All about one rule.", epilog="\b\nExample:\n  zone-audit rules show NET003")
@click.argument("name", metavar="RULE")
@_directory
@click.pass_obj
def show(session: Session, name: str, directory: str | None) -> None:
    """Show what one rule checks, why it matters, how to fix it, and its limits."""
    rules = {rule.id: rule for rule in discover(Path(directory) if directory else None)}
    rule = rules.get(name.upper())
    if rule is None:
        raise UsageError(f"unknown rule `{name}`", hint=did_you_mean(name.upper(), rules))
    session.print("\n".join(_page(rule)) + "\n")


def _page(rule: Rule) -> Iterator[str]:
    yield f"{rule.id}  {rule.title}"
    yield f"severity {rule.severity}; needs {', '.join(rule.needs) or 'nothing'}"
    for heading, text in rule.sections.items():
        yield from ("", heading)
        yield textwrap.fill(
            text[:1].upper() + text[1:], _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
    if rule.controls:
        yield from ("", "Supports", f"  {', '.join(rule.controls)}")
