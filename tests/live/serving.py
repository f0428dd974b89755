"""Starts and stops the API server of the tests (`tests/apiserver`)."""

from __future__ import annotations

import base64
import json
import os
import secrets
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.collection.certificates import Authority, Pair
from tests.live.client import Client

BINARY = Path(__file__).parents[2] / ".cache" / "apiserver" / "zone-audit-apiserver"
_QUIET = ("admin", "system:apiserver", "system:anonymous")
"""Accounts whose requests the audit log leaves out: those of the tests themselves."""


@dataclass(frozen=True)
class Server:
    """A running server. It listens on loopback and forgets everything when it is closed."""

    folder: Path
    port: int
    version: str
    authority: Authority
    admin_token: str
    _process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def audit_log(self) -> Path:
        """One line of JSON for every request of an account other than the tests' own."""
        return self.folder / "audit.log"

    def client(self, token: str = "", pair: Pair | None = None) -> Client:
        """A client for a token or a client certificate."""
        tls = ssl.create_default_context(cadata=self.authority.pem.decode())
        if pair:
            with tempfile.NamedTemporaryFile(dir=self.folder) as file:
                file.write(pair.certificate + pair.key)
                file.flush()
                tls.load_cert_chain(file.name)
        return Client(self.port, tls, token)

    @property
    def admin(self) -> Client:
        """A client that may do everything."""
        return self.client(self.admin_token)

    def kubeconfig(self, path: Path, token: str = "", pair: Pair | None = None) -> Path:
        """The path, after writing there how this server is reached with a token or a client certificate."""
        user = {"token": token} if token else {}
        if pair:
            user |= {"client-certificate-data": _text(pair.certificate), "client-key-data": _text(pair.key)}
        cluster = {"server": self.url, "certificate-authority-data": _text(self.authority.pem)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "live",
            "clusters": [{"name": "live", "cluster": cluster}],
            "users": [{"name": "live", "user": user}],
            "contexts": [{"name": "live", "context": {"cluster": "live", "user": "live"}}],
        }
        path.write_text(json.dumps(content))
        path.chmod(0o600)
        return path

    def compact(self) -> int:
        """Makes etcd forget every revision before the newest, which comes out; caches follow within 15 seconds."""
        return int(self._command("compact")["compacted"])

    def _command(self, word: str) -> Any:
        assert self._process.stdin
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        answer = _line(self._process, self.folder)
        assert "error" not in answer, answer
        return answer


@contextmanager
def running(folder: Path, *flags: str) -> Iterator[Server]:
    """A server with its data in `folder`, ready for requests; `flags` are further ones of kube-apiserver."""
    signer = Authority()
    token = secrets.token_hex(16)
    command: list[str | Path] = [BINARY, "--dir", folder, "--", *_flags(folder, signer, token), *flags]
    with (folder / "server.log").open("wb") as log, _started(command, folder, log) as process:
        ready = _line(process, folder)
        port = int(ready["url"].rpartition(":")[2])
        yield Server(folder, port, ready["version"], signer, token, process)


@contextmanager
def _started(command: list[str | Path], folder: Path, log: IO[bytes]) -> Iterator[subprocess.Popen[str]]:
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=clean, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _line(process: subprocess.Popen[str], folder: Path) -> Any:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        log = (folder / "server.log").read_text(errors="replace")
        raise AssertionError(f"the API server ended: {log[-2000:]}")
    return json.loads(line)


def _flags(folder: Path, signer: Authority, token: str) -> list[str]:
    own, accounts = signer.issue("kube-apiserver", ("127.0.0.1",)), Authority().issue("service accounts")
    tokens = f'{token},admin,admin,"system:masters"\n'
    return [
        f"--tls-cert-file={_file(folder, 'server.crt', own.certificate)}",
        f"--tls-private-key-file={_file(folder, 'server.key', own.key)}",
        f"--client-ca-file={_file(folder, 'ca.crt', signer.pem)}",
        f"--service-account-key-file={_file(folder, 'accounts.crt', accounts.certificate)}",
        f"--service-account-signing-key-file={_file(folder, 'accounts.key', accounts.key)}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/16,fd00:10::/112",
        f"--token-auth-file={_file(folder, 'tokens.csv', tokens.encode())}",
        "--authorization-mode=RBAC",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        "--disable-admission-plugins=ServiceAccount",  # nothing here makes the accounts that it asks for
        "--feature-gates=APIServerIdentity=false,UnknownVersionInteroperabilityProxy=false",  # leases that they renew
        "--etcd-compaction-interval=0",  # when it is asked to, not while a test is looking
        f"--audit-policy-file={_file(folder, 'audit.json', json.dumps(_AUDIT).encode())}",
        f"--audit-log-path={folder / 'audit.log'}",
    ]


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o600)
    return path


_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "None", "users": list(_QUIET)}, {"level": "Metadata"}],
}
