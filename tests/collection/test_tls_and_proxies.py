from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from audit.collection import Answer, Client, Failure, Limits, access
from audit.errors import AccessError
from tests.collection.certificates import Authority, authority, server_pair
from tests.collection.fault_server import TOKEN, FaultServer, Served
from tests.collection.proxy import Proxy

KINDS = (Served("Pod", "pods", [{"metadata": {"name": "a", "namespace": "n"}}]),)
QUICK = Limits(connect=0.5, read=0.5, tries=2, backoff=0.001)
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(KINDS) as running:
        yield running


def ask(api: FaultServer, *, user: Mapping[str, Any] | None = None, **cluster: Any) -> Answer:
    named = {name.replace("_", "-"): value for name, value in cluster.items()}
    found = access(path=api.kubeconfig(server=named, user=user or {"token": TOKEN}), environment={})
    with Client(found, QUICK) as client:
        return client.get("/api/v1/pods", deadline=time.monotonic() + 5)


def failure(api: FaultServer, **options: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        ask(api, **options)
    return caught.value


def pem(found: Authority) -> str:
    return base64.b64encode(found.pem).decode()


def test_a_server_of_another_authority_is_not_trusted_and_not_asked(server: FaultServer) -> None:
    found = failure(server, certificate_authority_data=pem(Authority("another")))
    assert (found.reason, found.retries) == ("untrusted", 0)
    assert not server.requests


def test_without_an_authority_those_of_the_system_decide(server: FaultServer) -> None:
    assert failure(server, certificate_authority_data=None).reason == "untrusted"


def test_a_certificate_that_is_named_is_trusted_though_another_signed_it(server: FaultServer) -> None:
    assert ask(server, certificate_authority_data=base64.b64encode(server_pair().certificate).decode()).status == 200


@pytest.mark.parametrize(("names", "days"), [(("other.example",), 1), (("127.0.0.1",), -1)])
def test_a_certificate_for_another_host_or_another_time_is_not_trusted(names: tuple[str, ...], days: int) -> None:
    with FaultServer(KINDS, pair=authority().issue("server", names, days)) as server:
        assert failure(server).reason == "untrusted"
        assert not server.requests


def test_a_server_may_have_another_name_in_its_certificate_if_the_kubeconfig_says_so() -> None:
    with FaultServer(KINDS, pair=authority().issue("server", ("api.internal",))) as server:
        assert ask(server, tls_server_name="api.internal").status == 200
        assert failure(server, tls_server_name="elsewhere.internal").reason == "untrusted"


def test_a_client_certificate_is_shown(server: FaultServer) -> None:
    del server
    pair = authority().issue("reader")
    user = {
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(pair.key).decode(),
    }
    with FaultServer(KINDS, client_authority=authority().pem) as strict:
        strict.token = ""
        assert ask(strict, user=user).status == 200
        assert failure(strict).reason == "unavailable"


def test_a_server_that_does_not_speak_tls_is_unavailable_and_learns_nothing(server: FaultServer) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            for _ in range(QUICK.tries):
                connection, _ = plain.accept()
                with connection:
                    heard.append(connection.recv(1 << 16))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        threading.Thread(target=answer, daemon=True).start()
        found = failure(server, server=f"https://127.0.0.1:{plain.getsockname()[1]}")
    assert found.reason == "unavailable"
    assert TOKEN.encode() not in b"".join(heard)


def test_a_server_that_never_shakes_hands_is_a_timeout(server: FaultServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = failure(server, server=f"https://127.0.0.1:{silent.getsockname()[1]}")
    assert found.reason == "timeout"


def test_a_name_that_does_not_resolve_is_unavailable(server: FaultServer) -> None:
    found = failure(server, server="https://api.invalid:6443")
    assert (found.reason, found.message) == ("unavailable", "the name of the API server does not resolve (2 tries)")


def port(server: FaultServer) -> int:
    return int(server.url.rpartition(":")[2])


def test_a_proxy_of_the_kubeconfig_is_used_said_and_sees_no_credentials_of_ours(server: FaultServer) -> None:
    with Proxy(port(server)) as proxy:
        path = server.kubeconfig(server={"proxy-url": f"http://ann:s%40cret@{proxy.address}"})
        found = access(path=path, environment={})
        with Client(found, QUICK) as client:
            assert client.get("/api/v1/pods", deadline=time.monotonic() + 5).status == 200
    assert found.notes == (f"`{server.url}` of context `lab` is asked through the proxy `http://{proxy.address}`",)
    (head,) = proxy.heads
    assert head.startswith("CONNECT 127.0.0.1:")
    assert "Proxy-Authorization: Basic " + base64.b64encode(b"ann:s@cret").decode() in head
    assert TOKEN not in head


def test_a_proxy_of_the_environment_is_used_unless_the_host_is_excepted(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(port(server)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        assert ask(server).status == 200
        assert len(proxy.heads) == 1
        monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
        assert ask(server).status == 200
        assert len(proxy.heads) == 1
        assert ask(server, proxy_url=f"http://{proxy.address}").status == 200
        assert len(proxy.heads) == 2


def test_a_proxy_cannot_answer_for_the_cluster(server: FaultServer) -> None:
    with FaultServer(KINDS, pair=Authority("proxy").issue("server", ("127.0.0.1",))) as false:
        with Proxy(port(false)) as proxy:
            assert failure(server, proxy_url=f"http://{proxy.address}").reason == "untrusted"
        assert not false.requests


def test_a_proxy_that_refuses_is_unavailable(server: FaultServer) -> None:
    with Proxy(port(server), "407 Proxy Authentication Required") as proxy:
        found = failure(server, proxy_url=f"http://ann:secret@{proxy.address}")
    assert found.reason == "unavailable"
    assert "proxy" in found.message


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1", "https://127.0.0.1:1", "http://", "http://h:0", "http://[::1"])
def test_only_a_plain_http_proxy_is_a_proxy(server: FaultServer, url: str) -> None:
    with pytest.raises(AccessError, match="http://HOST:PORT"):
        ask(server, proxy_url=url)
