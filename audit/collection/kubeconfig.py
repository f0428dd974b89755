"""kubeconfig files -> the one context that is asked for, read as kubectl reads them but strictly.

Nothing runs while reading. Messages name files, contexts, clusters, users and fields, never values: those are secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from audit.errors import AccessError, InputError, Position, did_you_mean
from audit.sources.text import UTF8_BOM, Text
from audit.sources.yaml_text import Composer

_MAX_SIZE = 1 << 20
"""Bytes; a file with hundreds of contexts and their certificates stays below."""


class Variable(msgspec.Struct, frozen=True):
    """One environment variable for a plug-in; `repr` leaves its value out, as that of `User` does."""

    name: str
    value: str

    def __repr__(self) -> str:
        return f"Variable({self.name!r}, ...)"


class Plugin(msgspec.Struct, frozen=True, rename="camel"):
    """A program that prints credentials (`users[].user.exec`)."""

    command: str
    api_version: str
    args: tuple[str, ...] | None = None
    env: tuple[Variable, ...] | None = None
    provide_cluster_info: bool = False
    interactive_mode: str | None = None


class User(msgspec.Struct, frozen=True, rename="kebab"):
    """Credentials; an empty text counts as none."""

    token: str | None = None
    token_file: str | None = msgspec.field(default=None, name="tokenFile")
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    username: str | None = None
    password: str | None = None
    plugin: Plugin | None = msgspec.field(default=None, name="exec")
    auth_provider: Any = None
    impersonated: str | None = msgspec.field(default=None, name="as")
    impersonated_uid: str | None = msgspec.field(default=None, name="as-uid")
    impersonated_groups: tuple[str, ...] | None = msgspec.field(default=None, name="as-groups")
    impersonated_extra: Any = msgspec.field(default=None, name="as-user-extra")

    def __repr__(self) -> str:
        return "User(...)"


class Extension(msgspec.Struct, frozen=True):
    """Settings of a cluster for other programs."""

    name: str
    extension: Any = None


class Server(msgspec.Struct, frozen=True, rename="kebab"):
    """An API server (`clusters[].cluster`)."""

    server: str | None = None
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None
    extensions: tuple[Extension, ...] | None = None


class _Context(msgspec.Struct, frozen=True):
    cluster: str | None = None
    user: str | None = None


class _NamedUser(msgspec.Struct, frozen=True):
    name: str
    user: User | None = None


class _NamedServer(msgspec.Struct, frozen=True):
    name: str
    cluster: Server | None = None


class _NamedContext(msgspec.Struct, frozen=True):
    name: str
    context: _Context | None = None


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    current_context: str | None = None
    contexts: tuple[_NamedContext, ...] | None = None
    clusters: tuple[_NamedServer, ...] | None = None
    users: tuple[_NamedUser, ...] | None = None


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """One context with what it refers to."""

    context: str
    server: Server
    server_folder: Path
    """Relative paths of `server` begin here."""
    user: User
    user_name: str
    """As the kubeconfig calls it; empty for none."""
    user_folder: Path


Named = TypeVar("Named", _NamedContext, _NamedServer, _NamedUser)


def files(kubeconfig: Path | None, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The kubeconfig files to read: the one given, else those of KUBECONFIG, else `~/.kube/config` if there is one.

    Files of KUBECONFIG that do not exist are passed over, as kubectl does; AccessError if none of them exists.
    """
    if kubeconfig is not None:
        return (kubeconfig,)
    if listed := [Path(part).expanduser() for part in environment.get("KUBECONFIG", "").split(":") if part]:
        if found := tuple(path for path in listed if path.exists()):
            return found
        raise AccessError(f"KUBECONFIG names no file that exists: `{listed[0]}`")
    home = environment.get("HOME", "")
    default = Path(home) / ".kube" / "config"
    return (default,) if home and default.exists() else ()


def choose(paths: Sequence[Path], context: str | None) -> Chosen:
    """The context of that name, or the current one; AccessError if it is not there or is incomplete.

    Of several files the first that has a name decides, for contexts, clusters, users and the current context alike.
    """
    read = [(path.absolute().parent, _read(path)) for path in paths]
    contexts = _merged((folder, file.contexts) for folder, file in read)
    wanted = context if context is not None else next((f.current_context for _, f in read if f.current_context), "")
    where = Position(str(paths[0]))
    if not wanted:
        hint = f"give one; {did_you_mean('', contexts)}" if contexts else ""
        raise AccessError("the kubeconfig has no current context", where, hint)
    if wanted not in contexts:
        raise AccessError(f"the kubeconfig has no context `{wanted}`", where, did_you_mean(wanted, contexts))
    meant = contexts[wanted][1].context or _Context()
    servers = _merged((folder, file.clusters) for folder, file in read)
    users = _merged((folder, file.users) for folder, file in read)
    if not meant.cluster or meant.cluster not in servers:
        raise AccessError(f"context `{wanted}` has no cluster in the kubeconfig: `{meant.cluster or ''}`", where)
    if meant.user and meant.user not in users:
        raise AccessError(f"context `{wanted}` has no user in the kubeconfig: `{meant.user}`", where)
    server_folder, server = servers[meant.cluster]
    user_folder, user = users[meant.user] if meant.user else (server_folder, None)
    return Chosen(
        context=wanted,
        server=server.cluster or Server(),
        server_folder=server_folder,
        user=(user and user.user) or User(),
        user_name=meant.user or "",
        user_folder=user_folder,
    )


def _merged(parts: Iterable[tuple[Path, tuple[Named, ...] | None]]) -> dict[str, tuple[Path, Named]]:
    merged: dict[str, tuple[Path, Named]] = {}
    for folder, entries in parts:
        for entry in entries or ():
            merged.setdefault(entry.name, (folder, entry))
    return merged


def _read(path: Path) -> _File:
    where = Position(str(path))
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_SIZE + 1)
    except OSError as error:
        raise AccessError(f"the kubeconfig cannot be read: {error.strerror or 'unknown error'}", where) from None
    if len(content) > _MAX_SIZE:
        raise AccessError(f"the kubeconfig is larger than {_MAX_SIZE:,} bytes", where)
    try:
        return _checked(msgspec.convert(_value(str(path), content), type=_File), where)
    except msgspec.ValidationError as error:  # names types and the place, not the value
        raise AccessError(f"this is no kubeconfig: {error}", where) from None


def _value(file: str, content: bytes) -> Any:
    """What the YAML or JSON holds; whatever is wrong with it is said without quoting it."""
    try:
        text = content.removeprefix(UTF8_BOM).decode()
        composer = Composer(Text(file, content, 0, named=True), 1)
        value = composer.compose(text)
    except UnicodeDecodeError:
        raise AccessError("the kubeconfig is no UTF-8 text", Position(file)) from None
    except InputError as error:
        raise AccessError("the kubeconfig is no valid YAML", error.position) from None
    if composer.duplicates:
        raise AccessError("the kubeconfig gives one key twice", composer.duplicates[0].position)
    return {} if value is None else value


def _checked(file: _File, where: Position) -> _File:
    """The file, unless one name stands for two things in it."""
    sections = {"context": file.contexts, "cluster": file.clusters, "user": file.users}
    for word, entries in sections.items():
        names = [entry.name for entry in entries or ()]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise AccessError(f"the kubeconfig has two entries for {word} `{twice}`", where)
    return file
