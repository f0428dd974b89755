"""The official client's reading of a checked configuration: the only module that uses `kubernetes`.

Its loaders see nothing that they could run or would write to disk: no programs, no certificates, no keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from audit.collection.credentials import Credentials
from audit.collection.kubeconfig import Chosen
from audit.errors import AccessError

if TYPE_CHECKING:
    from kubernetes.client import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where to connect, and with which header. Holds credentials; `repr` leaves them out."""

    host: str
    port: int
    prefix: str
    authorisation: str = field(repr=False)
    verify: bool
    server_name: str
    proxy: SplitResult | None = field(repr=False)
    """The proxy that applies to this host: that of the kubeconfig, else that of HTTPS_PROXY and NO_PROXY."""


def of_context(chosen: Chosen, credentials: Credentials) -> Settings:
    """The settings of a context of a kubeconfig; AccessError for an address that cannot be used."""
    from kubernetes.client import Configuration
    from kubernetes.config import load_kube_config_from_dict

    server = chosen.server
    user, password = credentials.basic or ("", "")
    cluster = {
        "server": server.server or "",
        "insecure-skip-tls-verify": server.insecure_skip_tls_verify,
        "tls-server-name": server.tls_server_name,
        "proxy-url": server.proxy_url,
    }
    shown = {"token": credentials.token, "username": user, "password": password}
    checked = {
        "current-context": "context",
        "contexts": [{"name": "context", "context": {"cluster": "cluster", "user": "user"}}],
        "clusters": [{"name": "cluster", "cluster": _given(cluster)}],
        "users": [{"name": "user", "user": _given(shown)}],
    }
    _split(server.server or "", chosen.context)
    configuration = Configuration()
    load_kube_config_from_dict(  # type: ignore[no-untyped-call] # the loaders have no annotations
        checked, client_configuration=configuration, persist_config=False
    )
    header = configuration.api_key.get("BearerToken", "")  # "Basic ..." for a password
    return _settings(configuration, chosen.context, header, explicit_proxy=bool(server.proxy_url))


def of_pod(environment: Mapping[str, str], folder: Path, credentials: Credentials) -> Settings:
    """The settings that a pod finds in its environment and in the folder of its service account."""
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.incluster_config import InClusterConfigLoader

    configuration = Configuration()
    try:
        loader = InClusterConfigLoader(  # type: ignore[no-untyped-call]
            str(folder / "token"), str(folder / "ca.crt"), environ=environment
        )
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError):
        raise AccessError("this pod does not say where its API server is (KUBERNETES_SERVICE_HOST and _PORT)") from None
    # Its own header keeps the line feed at the end of the file, which no request may carry.
    return _settings(configuration, "", f"Bearer {credentials.token}", explicit_proxy=False)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _settings(configuration: Configuration, context: str, header: str, *, explicit_proxy: bool) -> Settings:
    from kubernetes.client.rest import should_bypass_proxies

    url = _split(configuration.host, context)
    bypassed = not explicit_proxy and should_bypass_proxies(configuration.host, configuration.no_proxy or "")
    return Settings(
        host=url.hostname or "",
        port=url.port or 443,
        prefix=url.path.rstrip("/"),
        authorisation=header,
        verify=bool(configuration.verify_ssl),
        server_name=configuration.tls_server_name or "",
        proxy=_proxy(configuration.proxy) if configuration.proxy and not bypassed else None,
    )


def _split(address: str, context: str) -> SplitResult:
    """The address of an API server in parts; AccessError, without the address, if it is no https URL of a host."""
    what = f"the server of context `{context}`" if context else "the server of this pod"
    try:
        url = urlsplit(address)
        usable = url.hostname and url.port != 0
    except ValueError:
        raise AccessError(f"{what} is no URL") from None
    if url.scheme != "https" or not usable:
        raise AccessError(f"{what} must begin with `https://` and a host")
    if url.username is not None or url.query or url.fragment:
        raise AccessError(f"{what} must be a URL without user, query and fragment")
    return url


def _proxy(address: str) -> SplitResult:
    """A proxy in parts; AccessError, without its address, if it is none that can be used."""
    try:
        url = urlsplit(address if "://" in address else f"http://{address}")
        usable = url.hostname and url.port != 0
    except ValueError:
        usable = None
    if not usable or url.scheme != "http":
        raise AccessError("the proxy must be given as `http://HOST:PORT`", hint="proxy-url, or HTTPS_PROXY")
    return url
