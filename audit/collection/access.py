"""`access`: a kubeconfig or a pod's service account -> Access: where the API server is, and as whom it is asked."""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote

from audit.collection import configuration, credentials, kubeconfig, tls
from audit.collection.configuration import Settings
from audit.collection.credentials import Credentials
from audit.collection.kubeconfig import Chosen
from audit.errors import AccessError
from audit.ledger import Cluster

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds `token` and `ca.crt`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy through which TLS to the API server is tunnelled."""

    url: str
    """Without credentials."""
    header: str = field(default="", repr=False)
    """Proxy-Authorization; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One API server, and as whom it is asked. Holds credentials; `repr` leaves them out."""

    host: str
    port: int
    prefix: str = ""
    """Path before `/api`, as gateways to several clusters have it; without a final slash."""
    context: str = ""
    """Empty for the service account of a pod."""
    tls: ssl.SSLContext = field(repr=False)
    server_name: str = ""
    """Name in the certificate of the server where it is not `host`."""
    authorisation: str = field(default="", repr=False)
    """The Authorization header; empty for none."""
    renewed: Callable[[], str] = field(repr=False)
    """The same, fetched again. Raises AccessError."""
    proxy: Proxy | None = None
    ca_sha256: str = ""
    """Fingerprint of the authorities that were named; empty for those of the system and for no verification."""
    unverified_tls: bool = False

    @property
    def address(self) -> str:
        """URL of the API server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}{self.prefix}"

    @property
    def place(self) -> str:
        """The API server in a message."""
        return f"`{self.address}`" + (f" of context `{self.context}`" if self.context else "")

    @property
    def cluster(self) -> Cluster:
        """What the ledger says of it before it was asked anything."""
        return Cluster(
            address_sha256=hashlib.sha256(self.address.encode()).hexdigest(),
            ca_sha256=self.ca_sha256,
            context=self.context,
            unverified_tls=self.unverified_tls,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator is told before the first request."""
        unverified = f"nobody verifies that {self.place} is the cluster: whoever is in between can answer for it"
        return (
            *((unverified,) if self.unverified_tls else ()),
            *((f"{self.place} is asked through the proxy `{self.proxy.url}`",) if self.proxy else ()),
        )


def in_pipeline(environment: Mapping[str, str]) -> bool:
    """Whether this runs in CI: the variable `CI` is set to anything but `0`, `false` or `no`."""
    return environment.get("CI", "").strip().lower() not in ("", "0", "false", "no")


def access(  # noqa: PLR0913 - the options of the command line
    context: str | None = None,
    *,
    path: Path | None = None,
    allow_exec: tuple[str, ...] = (),
    insecure: bool = False,
    ci: bool = False,
    environment: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Access:
    """Access to the context of that name, or to the current one; AccessError for what is wrong or not allowed.

    `path` is the kubeconfig, None for those that kubectl would read; without any, and without `context`, the service
    account of the pod that this runs in. `allow_exec` lists programs that may run to get credentials, `insecure`
    allows a kubeconfig to switch verification off. `ci` refuses programs, and files that a change under test may hold.
    """
    paths = kubeconfig.files(path, environment)
    if not paths and context is None and environment.get("KUBERNETES_SERVICE_HOST"):
        return _of_pod(environment, service_account)
    if not paths:
        raise AccessError("there is no kubeconfig", hint="give one with `--kubeconfig` or KUBECONFIG")
    for one in paths if ci else ():
        _refuse_checkout(one)
    chosen = kubeconfig.choose(paths, context)
    if chosen.server.insecure_skip_tls_verify and not insecure:
        hint = "`--insecure-skip-tls-verify` allows it, and every report will say so"
        raise AccessError(f"context `{chosen.context}` switches the verification of the server off", hint=hint)
    return _of_context(chosen, credentials.of_user(chosen, allow_exec, environment, ci=ci))


def _refuse_checkout(path: Path) -> None:
    """AccessError for a kubeconfig that may come from the change that a pipeline tests."""
    if not path.is_absolute():
        raise AccessError(f"in CI the path of the kubeconfig must be absolute: `{path}`")
    if any((parent / ".git").exists() for parent in (*path.parents, *path.resolve().parents)):
        hint = "keep it outside, for example in a file that the secret store of the pipeline writes"
        raise AccessError(f"in CI the kubeconfig must not lie in a git work tree: `{path}`", hint=hint)


def _of_context(chosen: Chosen, shown: Credentials) -> Access:
    server = chosen.server
    what = "the certificate authority of the cluster"
    authority = credentials.content(
        server.certificate_authority_data, server.certificate_authority, chosen.server_folder, what
    )
    return _access(configuration.of_context(chosen, shown), chosen.context, authority, shown)


def _of_pod(environment: Mapping[str, str], folder: Path) -> Access:
    try:
        shown = credentials.of_file(folder / "token")
        authority = credentials.content(None, "ca.crt", folder, "the certificate authority of the cluster")
    except AccessError as error:
        hint = "the pod needs a service account (`automountServiceAccountToken`, or a projected volume)"
        raise AccessError(f"this pod has no service account: {error.message}", hint=hint) from None
    return _access(configuration.of_pod(environment, folder, shown), "", authority, shown)


def _access(settings: Settings, context: str, authority: bytes | None, shown: Credentials) -> Access:
    authorities = () if authority is None else tls.certificates(authority)
    return Access(
        host=settings.host,
        port=settings.port,
        prefix=settings.prefix,
        context=context,
        tls=tls.context(authorities, shown.certificate, shown.key, verify=settings.verify),
        server_name=settings.server_name,
        authorisation=settings.authorisation,
        renewed=lambda: f"Bearer {shown.renew()}" if shown.renew else settings.authorisation,
        proxy=settings.proxy and _proxy(settings.proxy),
        ca_sha256=tls.fingerprint(authorities) if settings.verify else "",
        unverified_tls=not settings.verify,
    )


def _proxy(url: SplitResult) -> Proxy:
    given = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
    return Proxy(
        url=f"http://{url.netloc.rpartition('@')[2]}",
        header="" if url.username is None else "Basic " + base64.b64encode(given.encode()).decode(),
    )
