"""SOURCE `cluster[:CONTEXT]`: a live cluster, collected into a private file and read as any snapshot file is."""

from __future__ import annotations

import datetime as dt
import functools
import os
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.commands.session import Session
from audit.errors import UsageError

if TYPE_CHECKING:  # imported on use, so that help and files cost nothing
    from audit.ledger import Manifest
    from audit.projection import Pseudonyms
    from audit.snapshot import Snapshot
    from audit.sources.archive import Draft

SOURCE = "cluster"
_HINT = f"its SOURCE is `{SOURCE}`, or `{SOURCE}:CONTEXT`"
TIMEOUT = 900
"""Seconds; 100,000 pods take about one minute."""
_KEY_BYTES = 16
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """How live clusters are reached and read: the options that all commands share."""

    kubeconfig: str | None = None
    exec_plugins: tuple[str, ...] = ()
    insecure: bool = False
    namespaces: tuple[str, ...] = ()
    pseudonyms: bool = False
    pseudonyms_key: str | None = None
    timeout: float = TIMEOUT

    def read(
        self, session: Session, given: Sequence[str], take: Callable[[Sequence[str]], None] | None = None
    ) -> Snapshot:
        """What the sources hold; clusters among them are collected first.

        `take` is shown the files that were read, those of clusters among them, before these go.
        """
        from audit import sources
        from audit.sources.archive import Draft

        _check(given)
        with ExitStack() as stack:
            files = []
            for source in given:
                if is_live(source):
                    draft = stack.enter_context(Draft(None))
                    files.append(str(draft.finish(self.collect(session, source, draft))))
                else:
                    files.append(source)
            snapshot = sources.read(files, stdin=session.stdin, progress=session.progress)
            if take:
                take(files)
            return snapshot

    def collect(self, session: Session, source: str, draft: Draft) -> Manifest:
        """What the ledger says of the cluster; its objects are in the draft by then."""
        from audit.collection import Client, Order, access, collect, in_pipeline

        order = Order(namespaces=self.namespaces, pseudonyms=self._names(), timeout=self.timeout)
        found = access(
            context_of(source),
            path=Path(self.kubeconfig) if self.kubeconfig is not None else None,
            allow_exec=self.exec_plugins,
            insecure=self.insecure,
            ci=in_pipeline(os.environ),
        )
        for note in found.notes:
            session.note(note)
        with Client(found) as client:
            return collect(
                client,
                found.cluster,
                draft,
                order=order,
                clock=_clock(session),
                progress=lambda stage, done, total: session.progress(f"reading {stage}", done, total),
            )

    def _names(self) -> Pseudonyms | None:
        """Tokens for names, under the key that is given or one that nobody learns; None to keep names."""
        from audit.projection import Pseudonyms

        if self.pseudonyms_key is None:
            return Pseudonyms.fresh() if self.pseudonyms else None
        try:
            key = Path(self.pseudonyms_key).read_bytes().strip()
        except OSError as error:
            raise UsageError(f"the key `{self.pseudonyms_key}` cannot be read: {error.strerror}") from error
        if len(key) < _KEY_BYTES:
            hint = f"`head -c 32 /dev/urandom | base64 > {self.pseudonyms_key}` makes a good one"
            raise UsageError(f"the key `{self.pseudonyms_key}` is shorter than {_KEY_BYTES} bytes", hint=hint)
        return Pseudonyms(key)


def is_live(source: str) -> bool:
    """Whether a SOURCE is a live cluster; a file of that name is `./cluster`."""
    return source == SOURCE or source.startswith(f"{SOURCE}:")


def context_of(source: str) -> str | None:
    """The context that a live SOURCE names; None for the current one."""
    _, colon, context = source.partition(":")
    if colon and not context:
        raise UsageError(f"`{source}` names no context", hint=f"`{SOURCE}` alone is the current one")
    return context or None


def files_read(given: Sequence[str], kubeconfig: str | None, key: str | None) -> tuple[str, ...]:
    """Files that reading these sources reads beside them: kubeconfigs and the key of pseudonyms."""
    if not any(map(is_live, given)):
        return ()
    from audit.collection.kubeconfig import files

    configs = files(Path(kubeconfig) if kubeconfig is not None else None, os.environ)
    return (*map(str, configs), *((key,) if key else ()))


def live_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `Live`, handed to the command as one argument `live`."""

    @functools.wraps(command)
    def packed(*args: Any, **given: Any) -> Any:
        live = Live(**{one.name: given.pop(one.name) for one in fields(Live)})
        if live != Live() and not any(map(is_live, given.get("sources", (SOURCE,)))):
            raise UsageError("there are options for a live cluster and none to read", hint=_HINT)
        return command(*args, live=live, **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


def _check(given: Sequence[str]) -> None:
    """UsageError for a second cluster, before the first one is collected."""
    from audit.sources.archive import is_snapshot

    clusters = [one for one in given if is_live(one) or is_snapshot(one)]
    if len(clusters) > 1 and any(map(is_live, clusters)):
        raise UsageError(f"`{clusters[1]}` is a second cluster", hint="only manifests lie over one")
    for one in filter(is_live, clusters):
        context_of(one)


def _namespaces(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The names in a list with commas, each once."""
    names = tuple(dict.fromkeys(one.strip() for one in value.split(","))) if value is not None else ()
    for name in names:
        if not _NAMESPACE.fullmatch(name):
            raise click.BadParameter(f"`{name}` is not the name of a namespace")
    return names


_OPTIONS = (
    click.option(
        "--kubeconfig", metavar="FILE", help="For SOURCE `cluster`. [default: as kubectl, or the pod's account]"
    ),
    click.option(
        "--allow-exec-plugin",
        "exec_plugins",
        metavar="PROGRAM",
        multiple=True,
        help="Program that the kubeconfig may run to get credentials, may be repeated.",
    ),
    click.option(
        "--insecure-skip-tls-verify",
        "insecure",
        is_flag=True,
        help="Let the kubeconfig switch off who the cluster is; reports say so.",
    ),
    click.option(
        "--namespaces",
        metavar="NS,...",
        callback=_namespaces,
        help="Read these alone where the whole cluster may not be listed.",
    ),
    click.option("--pseudonyms", is_flag=True, help="Replace names of users and groups by tokens."),
    click.option(
        "--pseudonyms-key",
        metavar="FILE",
        help="The same, with a key that gives each name the same token every time.",
    ),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=click.FloatRange(min=1),
        default=TIMEOUT,
        show_default=True,
        help="For reading a cluster; what was not read by then is not evaluated.",
    ),
)


def _clock(session: Session) -> Callable[[], dt.datetime]:
    """The time in UTC, or what SOURCE_DATE_EPOCH says for equal bytes."""
    return (lambda: session.created) if os.environ.get("SOURCE_DATE_EPOCH") else (lambda: dt.datetime.now(dt.UTC))
