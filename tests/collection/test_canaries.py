"""A unique text in every credential must not be found in anything that is said, kept or logged."""

from __future__ import annotations

import base64
import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.collection import Access, Answer, Client, Failure, Limits, access, kubeconfig
from audit.errors import AuditError
from tests.collection import faults
from tests.collection.fault_server import FAULTS, Fault, FaultServer, Served
from tests.collection.faults import JSON, Reply, status
from tests.collection.proxy import Proxy

CANARY = "c4n4ry-" + "Zz9" * 400
"""Longer than what is kept of a server's words, as tokens are."""
BASIC = base64.b64encode(f"ann:{CANARY}".encode()).decode()
KINDS = (Served("Pod", "pods", [{"metadata": {"name": "a", "namespace": "n"}}]),)
QUICK = Limits(connect=1, read=0.2, size=1 << 20, tries=2, backoff=0.001, longest_wait=0.01)
ECHO: Mapping[str, Callable[[str], Reply]] = {
    "status": lambda header: status(403, "Forbidden", f"who is {header}?"),
    "reason": lambda header: status(404, header, "no"),
    "server-error": lambda header: status(500, "InternalError", f"upstream got {header}"),
    "text": lambda header: Reply(403, f"denied: {header}".encode(), {"Content-Type": "text/plain"}),
    "unauthorised": lambda header: status(401, "Unauthorized", f"bad {header}"),
    "content-type": lambda header: Reply(200, b"{}", {"Content-Type": f"text/{header}"}),
    "warning": lambda header: Reply(200, b"{}", {**JSON, "Warning": f'299 - "{header}"'}),
    "not-implemented": lambda header: status(501, "NotImplemented", header.lower() + header),
    "redirect": lambda header: Reply(302, b"", {"Location": f"https://elsewhere.example/{header}"}),
}
"""A server, or something before it, that sends our header back."""


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(KINDS) as running:
        running.token = CANARY
        running.token_file.write_text(f"{CANARY}\n", encoding="ascii")
        yield running


def ways(server: FaultServer) -> Iterator[Access]:
    yield access(path=server.kubeconfig(user={"token": CANARY}), environment={})
    yield access(path=server.kubeconfig(), environment={})


def heard(found: Access) -> Answer | Failure:
    try:
        with Client(found, QUICK) as client:
            return client.get("/api/v1/pods", deadline=time.monotonic() + 0.6)
    except Failure as failure:
        return failure


def said(outcome: Answer | AuditError) -> str:
    """All of it that anyone may show or keep."""
    if isinstance(outcome, Answer):
        return repr((outcome.message, outcome.cause, outcome.warnings))
    return "".join(traceback.format_exception(outcome)) + repr(outcome) + outcome.message + outcome.hint


def free_of_canaries(text: str) -> bool:
    return not any(part in text for part in (CANARY[:24], CANARY[-24:], BASIC[:24], BASIC[-24:]))


@pytest.fixture(autouse=True)
def _silent(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert free_of_canaries(caplog.text)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_no_fault_of_the_connection_shows_a_token(server: FaultServer, name: str) -> None:
    server.faults.append(Fault(name, "pods"))
    assert free_of_canaries(said(heard(server.access())))


@pytest.mark.parametrize("name", sorted(ECHO))
def test_a_token_that_is_sent_back_is_not_shown(
    server: FaultServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(faults.FAULTS, "empty-object", lambda *_: ECHO[name](f"Bearer {CANARY}"))
    server.faults.append(Fault("empty-object", "pods"))
    for found in ways(server):
        assert free_of_canaries(said(heard(found)))


def test_the_token_before_the_last_is_not_shown_either(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(faults.FAULTS, "empty-object", lambda *_: status(403, "Forbidden", f"old: {CANARY}"))
    with Client(server.access(), QUICK) as client:
        server.rotate()
        client.get("/api/v1/pods", deadline=time.monotonic() + 5)
        server.faults.append(Fault("empty-object", "pods"))
        assert free_of_canaries(said(client.get("/api/v1/pods", deadline=time.monotonic() + 5)))


@pytest.mark.parametrize("text", [f"Bearer {CANARY}", f"basic {CANARY}", f"eyJhbGciOi{'J9' * 20}.{CANARY}.x"])
def test_what_looks_like_the_token_of_another_is_not_shown(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    server.token = "mine"  # noqa: S105 - of a server that lives for one test
    monkeypatch.setitem(faults.FAULTS, "empty-object", lambda *_: status(403, "Forbidden", f"proxy sent {text}"))
    server.faults.append(Fault("empty-object", "pods"))
    found = access(path=server.kubeconfig(user={"token": "mine"}), environment={})
    assert free_of_canaries(said(heard(found)))


def test_a_password_and_that_of_a_proxy_are_not_shown(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.token = ""
    texts = f"{BASIC} {CANARY}"
    monkeypatch.setitem(faults.FAULTS, "empty-object", lambda *_: status(403, "Forbidden", texts))
    server.faults.append(Fault("empty-object", "pods"))
    found = access(path=server.kubeconfig(user={"username": "ann", "password": CANARY}), environment={})
    assert free_of_canaries(said(heard(found)))
    with Proxy(int(server.url.rpartition(":")[2])) as proxy:
        proxied = {"proxy-url": f"http://ann:{CANARY}@{proxy.address}"}
        found = access(path=server.kubeconfig(server=proxied, user={"token": "another"}), environment={})
        assert free_of_canaries(said(heard(found)) + repr(found) + "".join(found.notes))
        assert BASIC in proxy.heads[0]


def test_no_representation_shows_a_credential(server: FaultServer) -> None:
    user = {"token": CANARY, "password": CANARY, "client-key-data": CANARY}
    chosen = kubeconfig.choose([server.kubeconfig(user=user)], None)
    assert free_of_canaries(repr(chosen))
    for found in ways(server):
        with Client(found) as client:
            assert free_of_canaries(repr(found) + repr(client) + repr(found.cluster) + repr(replace(found, port=1)))


BROKEN: Mapping[str, Mapping[str, Any]] = {
    "token with a line feed": {"user": {"token": f"{CANARY}\n{CANARY}"}},
    "token of another type": {"user": {"token": {CANARY: CANARY}}},
    "key that is no key": {"user": {"client-certificate-data": CANARY, "client-key-data": CANARY}},
    "base64 of no key": {"user": {"client-certificate-data": BASIC, "client-key-data": BASIC}},
    "token in place of its file": {"user": {"token": "", "tokenFile": "/dev/full/x"}},
    "server with a password": {"server": {"server": f"https://ann:{CANARY}@h"}},
    "server that is none": {"server": {"server": f"https://h:{CANARY}"}},
    "proxy that is none": {"server": {"proxy-url": f"socks5://ann:{CANARY}@h"}},
    "proxy without a port": {"server": {"proxy-url": f"http://ann@h:{CANARY}"}},
    "authority that is none": {"server": {"certificate-authority-data": BASIC}},
    "plug-in with secret arguments": {
        "user": {
            "exec": {
                "command": "/bin/false",
                "args": [CANARY],
                "env": [{"name": "PASSWORD", "value": CANARY}],
                "apiVersion": "client.authentication.k8s.io/v1",
            }
        }
    },
    "provider with a secret": {"user": {"auth-provider": {"name": "oidc", "config": {"id-token": CANARY}}}},
}


@pytest.mark.parametrize("name", sorted(BROKEN))
@pytest.mark.parametrize("allowed", [(), ("/bin/false",)])
def test_no_fault_of_a_kubeconfig_shows_a_secret(server: FaultServer, name: str, allowed: tuple[str, ...]) -> None:
    with pytest.raises(AuditError) as caught:
        access(path=server.kubeconfig(**BROKEN[name]), allow_exec=allowed, environment={"PATH": "/usr/bin:/bin"})
    assert free_of_canaries(said(caught.value))


@pytest.mark.parametrize(
    "text", [f"token: {CANARY}: x", f"{CANARY}", f"users: [{{user: {{token: {CANARY}", f"token: a\ntoken: {CANARY}\n"]
)
def test_no_fault_of_its_yaml_shows_a_secret(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AuditError) as caught:
        access(path=path, environment={})
    assert free_of_canaries(said(caught.value))


def test_the_ledger_of_a_cluster_holds_no_secret(server: FaultServer) -> None:
    for found in ways(server):
        assert free_of_canaries(msgspec.json.encode(found.cluster).decode())
