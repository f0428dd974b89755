"""Who asks: the tokens, passwords, certificates and plug-ins of a kubeconfig or a pod."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from audit.collection import exec_plugin
from audit.collection.kubeconfig import Chosen
from audit.errors import AccessError

_MAX_SIZE = 1 << 20
_TOKEN = re.compile(r"[\x21-\x7e]+")
"""Visible ASCII: anything else would end or break the header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Shown to the API server; `repr` leaves them out."""

    token: str = field(default="", repr=False)
    """Of a bearer; empty for none."""
    renew: Callable[[], str] | None = field(default=None, repr=False)
    """The token, fetched again; None where it cannot change. Raises AccessError."""
    basic: tuple[str, str] | None = field(default=None, repr=False)
    """User and password, if there is no token."""
    certificate: bytes | None = field(default=None, repr=False)
    """PEM, as is `key`."""
    key: bytes | None = field(default=None, repr=False)


def of_user(chosen: Chosen, allow_exec: tuple[str, ...], environment: Mapping[str, str], *, ci: bool) -> Credentials:
    """The credentials of the user of a context; AccessError for a way that is unknown or not allowed.

    The order is that of kubectl: token file, token, program, user and password; certificates go with each of them.
    """
    user, folder = chosen.user, chosen.user_folder
    _refuse_unknown_ways(chosen)
    certificate = content(user.client_certificate_data, user.client_certificate, folder, "the client certificate")
    key = content(user.client_key_data, user.client_key, folder, "the key of the client certificate")
    if user.token_file:
        return of_file(folder / user.token_file, certificate, key)
    if user.token:
        return Credentials(token=_sound(user.token, "of the kubeconfig"), certificate=certificate, key=key)
    if user.plugin:
        program = exec_plugin.permitted(chosen, user.plugin, allow_exec, environment, ci=ci)
        return _of_program(partial(exec_plugin.run, program, chosen, user.plugin, environment), certificate, key)
    basic = (user.username, user.password or "") if user.username else None
    return Credentials(basic=basic, certificate=certificate, key=key)


def _refuse_unknown_ways(chosen: Chosen) -> None:
    user = chosen.user
    what = f"user `{chosen.user_name}` of the kubeconfig"
    if user.auth_provider:
        hint = "kubectl dropped them in 1.26; use a token, a certificate or an exec plug-in"
        raise AccessError(f"{what} has an `auth-provider`, which is not supported", hint=hint)
    if user.impersonated or user.impersonated_uid or user.impersonated_groups or user.impersonated_extra:
        raise AccessError(f"{what} acts as another (`as`), which is not supported", hint="use the account itself")


def _of_program(run: Callable[[], exec_plugin.Printed], certificate: bytes | None, key: bytes | None) -> Credentials:
    printed = run()

    def renew() -> str:
        return _sound(run().token, "from the program for credentials")

    return Credentials(
        token=printed.token and _sound(printed.token, "from the program for credentials"),
        renew=renew if printed.token else None,
        certificate=printed.client_certificate_data.encode() or certificate,
        key=printed.client_key_data.encode() or key,
    )


def of_file(path: Path, certificate: bytes | None = None, key: bytes | None = None) -> Credentials:
    """The token in a file, which is read again when the API server refuses it."""
    read = partial(_token_in, path)
    return Credentials(token=read(), renew=read, certificate=certificate, key=key)


def _token_in(path: Path) -> str:
    """The token in a file, without the line feed that editors and mounts leave at its end."""
    try:
        text = _read(path, "the token").decode("ascii").strip()
    except UnicodeDecodeError:
        text = "\0"
    return _sound(text, f"in `{path}`")


def _sound(token: str, where: str) -> str:
    if not _TOKEN.fullmatch(token.strip()):
        raise AccessError(f"the token {where} is empty or holds characters that no token has")
    return token.strip()


def content(data: str | None, file: str | None, folder: Path, what: str) -> bytes | None:
    """What a kubeconfig gives as base64 or in a file, the former first; None for neither."""
    if data:
        try:
            return base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise AccessError(f"{what} in the kubeconfig is no base64") from None
    return _read(folder / file, what) if file else None


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as stream:
            found = stream.read(_MAX_SIZE + 1)
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise AccessError(f"{what} cannot be read from `{path}`: {reason}") from None
    if len(found) > _MAX_SIZE:
        raise AccessError(f"{what} in `{path}` is larger than {_MAX_SIZE:,} bytes")
    return found
