"""Credentials from a program that the kubeconfig names, if the operator allowed that program.

Protocol: client.authentication.k8s.io/v1 and v1beta1. The official client would run the program while it loads the
file, with the whole environment, and go on without credentials when it fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from audit.collection.kubeconfig import Chosen, Plugin
from audit.errors import AccessError

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_CLUSTER_SETTINGS = "client.authentication.k8s.io/exec"
_SECONDS = 60
_PASSED = frozenset(
    {
        *("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "SSL_CERT_DIR", "SSL_CERT_FILE"),
        *("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
    }
)
"""What a program needs to find its files and the network. Everything else stays here: it may hold other secrets."""


class Printed(msgspec.Struct, frozen=True, rename="camel"):
    """What the program gives: a token, or a certificate with its key in PEM, or both."""

    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""

    def __repr__(self) -> str:
        return "Printed(...)"


class _ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    status: Printed


def permitted(
    chosen: Chosen, plugin: Plugin, allowed: tuple[str, ...], environment: Mapping[str, str], *, ci: bool
) -> str:
    """The absolute path of the program; AccessError if it may not run. Nothing is run here.

    A program is allowed if a name in `allowed` means the same file: an absolute path, or a name that PATH resolves.
    """
    what = f"user `{chosen.user_name}` of the kubeconfig gets credentials from the program `{plugin.command}`"
    if ci:
        raise AccessError(f"{what}, which never runs in CI", hint="use a kubeconfig with a token or a certificate")
    meant = _resolved(plugin.command, chosen.user_folder, environment)
    may_run = {path for name in allowed if (path := _resolved(name, None, environment))}
    if not meant:
        raise AccessError(f"{what}, which is not installed")
    if meant not in may_run:
        raise AccessError(
            f"{what}, which is not allowed to run", hint=f"`--allow-exec-plugin {plugin.command}` allows it"
        )
    if plugin.api_version not in _VERSIONS:
        raise AccessError(f"{what}, in a version of the protocol that is not supported: `{plugin.api_version}`")
    if plugin.interactive_mode == "Always":
        raise AccessError(f"{what}, which wants a terminal")
    return meant


def run(program: str, chosen: Chosen, plugin: Plugin, environment: Mapping[str, str]) -> Printed:
    """What the program prints; AccessError, without its output, if that is no credentials."""
    what = f"the program `{plugin.command}` for credentials"
    try:
        done = subprocess.run(  # noqa: S603 - the operator allowed this very file; no shell
            [program, *(plugin.args or ())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # may hold secrets
            cwd=chosen.user_folder,
            env=_environment(plugin, chosen, environment),
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AccessError(f"{what} took longer than {_SECONDS} s") from None
    except (OSError, ValueError):
        raise AccessError(f"{what} cannot be run") from None
    if done.returncode:
        raise AccessError(f"{what} ended with code {done.returncode}", hint="run it by hand to see why")
    return _credentials(done.stdout, plugin, what)


def _credentials(printed: bytes, plugin: Plugin, what: str) -> Printed:
    try:
        found = msgspec.json.decode(printed, type=_ExecCredential)
    except (msgspec.DecodeError, RecursionError):
        raise AccessError(f"{what} printed no ExecCredential") from None
    given = found.status
    complete = given.token or (given.client_certificate_data and given.client_key_data)
    if found.kind != "ExecCredential" or found.api_version != plugin.api_version or not complete:
        raise AccessError(f"{what} printed no credentials of version `{plugin.api_version}`")
    return given


def _resolved(command: str, folder: Path | None, environment: Mapping[str, str]) -> str:
    """The absolute path of a program, empty if there is none; a relative path begins in `folder`."""
    path = Path(command)
    if os.sep not in command:
        folders = [part for part in environment.get("PATH", "").split(os.pathsep) if part.startswith(os.sep)]
        return shutil.which(command, path=os.pathsep.join(folders)) or ""
    if not path.is_absolute():
        if folder is None:
            return ""
        path = folder / path
    return os.path.normpath(path) if os.access(path, os.X_OK) else ""


def _environment(plugin: Plugin, chosen: Chosen, environment: Mapping[str, str]) -> dict[str, str]:
    passed = {name: value for name, value in environment.items() if name in _PASSED}
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster(chosen)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    asked = {variable.name: variable.value for variable in plugin.env or ()}
    return {**passed, **asked, "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}


def _cluster(chosen: Chosen) -> dict[str, Any]:
    """What the program may know of the cluster (`ExecCredential.spec.cluster`)."""
    server = chosen.server
    settings = next((e.extension for e in server.extensions or () if e.name == _CLUSTER_SETTINGS), None)
    known = {
        "server": server.server,
        "tls-server-name": server.tls_server_name,
        "insecure-skip-tls-verify": server.insecure_skip_tls_verify,
        "certificate-authority-data": server.certificate_authority_data,
        "proxy-url": server.proxy_url,
        "config": settings,
    }
    return {name: value for name, value in known.items() if value}
