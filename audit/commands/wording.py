"""Groups and choices that say what was meant when a word is not known."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import click

from audit.errors import did_you_mean
from audit.profile import PLUGINS


class Words(click.Choice[str]):
    """One of some words; a slip gets the nearest one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word; click.BadParameter for any other."""
        known = [str(one) for one in self.choices]
        if value not in known:
            self.fail(f"`{value}` is not known; {did_you_mean(str(value), known)}", param, ctx)
        return str(value)


cni_option = click.option(
    "--cni",
    "plugin",
    type=Words(PLUGINS),
    help="Network plug-in that enforces the policies, whatever the input shows. [default: what it shows; `spec`, the "
    "API text, for manifests that show none]",
)


class Group(click.Group):
    """A group of commands; an unknown one gets a suggestion."""

    planned: Collection[str] = ()
    """Commands that are written about and do not exist yet."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names; click.UsageError with a suggestion for an unknown one."""
        name = args[0] if args else ""
        known = self.list_commands(ctx)
        if name in self.planned:
            raise click.UsageError(f"`{name}` is not in this version", ctx)
        if name and name not in known and not name.startswith("-"):
            raise click.UsageError(f"unknown command `{name}`; {did_you_mean(name, known)}", ctx)
        return super().resolve_command(ctx, args)
