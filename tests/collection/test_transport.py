from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from audit.collection import Answer, Client, Failure, Limits
from audit.collection.answers import retry_after, warnings_of
from tests.collection.fault_server import FAULTS, PASSING, Fault, FaultServer, Served
from tests.collection.faults import Reply, Wire, status

PODS = [{"metadata": {"name": f"pod-{number}", "namespace": "shop"}} for number in range(10)]
KINDS = (
    Served("Pod", "pods", PODS),
    Served("Namespace", "namespaces", [{"metadata": {"name": "kube-system", "uid": "u-1"}}], namespaced=False),
)
QUICK = Limits(connect=2, read=0.3, size=1 << 20, backoff=0.001, longest_wait=0.01)
FIRST_PAGE = {"limit": "4"}

CHANGED_CONTENT = frozenset(
    {
        *("no-json", "no-utf8", "empty-object", "status-200", "items-null", "items-missing", "items-object"),
        *("foreign-item", "wrong-kind", "no-resource-version", "other-resource-version", "cut-short"),
    }
)
"""Faults of what the body says, which is for its reader to judge: the client hands it over."""
SAID = {"forbidden": (403, "Forbidden"), "not-found": (404, "NotFound"), "expired": (410, "Expired")}
REASONS = {
    **dict.fromkeys(("stall", "slow-headers", "slow-body"), "timeout"),
    **dict.fromkeys(("reset", "truncated", "truncated-chunked", "truncated-unframed", "shortened"), "unavailable"),
    **dict.fromkeys(("empty-body", "html-as-json"), "unavailable"),
    **dict.fromkeys(("throttled", "throttled-silently", "throttled-for-long"), "unavailable"),
    **dict.fromkeys(("error-500", "error-501", "error-503", "error-504"), "unavailable"),
    **dict.fromkeys(("wrong-content-type", "no-content-type", "html-login", "gzipped"), "wrong content type"),
    **dict.fromkeys(("gzip-bomb",), "wrong content type"),
    **dict.fromkeys(("huge", "huge-chunked"), "too-large"),
    **dict.fromkeys(("rotated", "unauthorised"), "unauthorised"),
    "redirect": "redirect",
}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(KINDS) as running:
        yield running


def ask(server: FaultServer, limits: Limits = QUICK, seconds: float = 5.0, **query: str) -> Answer:
    with Client(server.access(), limits, jitter=lambda: 0.0) as client:
        return client.get("/api/v1/pods", query or FIRST_PAGE, deadline=time.monotonic() + seconds)


def lists(server: FaultServer) -> list[str]:
    return [one.path for one in server.requests if one.path == "/api/v1/pods"]


def test_every_fault_of_the_server_has_its_expectation_here() -> None:
    assert set(FAULTS) == CHANGED_CONTENT | set(SAID) | set(REASONS)


@pytest.mark.parametrize("name", sorted(REASONS))
def test_a_fault_that_stays_is_a_failure_with_its_reason_and_never_data(server: FaultServer, name: str) -> None:
    server.faults.append(Fault(name, "pods"))
    with pytest.raises(Failure) as caught:
        ask(server, seconds=1.0)
    assert caught.value.reason == REASONS[name]
    assert "127.0.0.1" not in caught.value.message
    assert server.url in caught.value.hint


@pytest.mark.parametrize("name", sorted(PASSING))
def test_a_fault_that_passes_costs_a_retry_and_no_byte(server: FaultServer, name: str) -> None:
    whole = ask(server)
    server.faults.append(Fault(name, "pods", times=1))
    answer = ask(server)
    assert (answer.status, answer.body, answer.retries) == (200, whole.body, 1)


@pytest.mark.parametrize("name", sorted(set(REASONS) - PASSING - {"slow-headers", "slow-body"}))
def test_what_another_try_cannot_help_is_asked_once(server: FaultServer, name: str) -> None:
    server.faults.append(Fault(name, "pods"))
    with pytest.raises(Failure):
        ask(server)
    assert len(lists(server)) == (2 if name == "unauthorised" else 1)


@pytest.mark.parametrize(("name", "expected"), SAID.items())
def test_a_refusal_is_an_answer_with_what_the_api_server_says(
    server: FaultServer, name: str, expected: tuple[int, str]
) -> None:
    server.faults.append(Fault(name, "pods"))
    answer = ask(server)
    assert (answer.status, answer.cause) == expected
    assert answer.message
    assert len(lists(server)) == 1


def test_a_path_that_is_not_there_is_a_404_without_a_status(server: FaultServer) -> None:
    with Client(server.access()) as client:
        answer = client.get("/apis/absent.example/v1", deadline=time.monotonic() + 5)
    assert (answer.status, answer.cause, answer.message) == (404, "", "404 page not found")


@pytest.mark.parametrize("name", ["slow-body", "slow-headers", "stall"])
def test_a_deadline_ends_a_slow_drip_that_is_never_silent_for_long(server: FaultServer, name: str) -> None:
    server.faults.append(Fault(name, "pods"))
    begun = time.monotonic()
    with pytest.raises(Failure) as caught:
        ask(server, replace(QUICK, read=30), seconds=0.4)
    assert caught.value.reason == "timeout"
    assert 0.3 < time.monotonic() - begun < 2


def test_nothing_is_asked_after_the_deadline(server: FaultServer) -> None:
    with pytest.raises(Failure) as caught:
        ask(server, seconds=-1)
    assert caught.value.reason == "timeout"
    assert not server.requests


def test_a_redirect_reaches_nobody(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultServer(KINDS) as elsewhere:
        found = Reply(307, b"", {"Location": f"{elsewhere.url}/api/v1/pods"})
        monkeypatch.setitem(FAULTS, "redirect", lambda *_: found)
        server.faults.append(Fault("redirect", "pods"))
        with pytest.raises(Failure) as caught:
            ask(server)
        assert caught.value.reason == "redirect"
        assert not elsewhere.requests


def test_a_body_of_the_greatest_size_passes_and_one_byte_more_does_not(server: FaultServer) -> None:
    size = len(ask(server).body)
    assert ask(server, replace(QUICK, size=size)).status == 200
    with pytest.raises(Failure) as caught:
        ask(server, replace(QUICK, size=size - 1))
    assert caught.value.reason == "too-large"


def test_the_greatest_size_holds_for_a_body_without_a_length_too(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_pieces(reply: Reply, wire: Wire) -> None:
        wire.begin(replace(reply, headers={**reply.headers, "Transfer-Encoding": "chunked"}), None)
        for at in range(0, len(reply.body), 100):
            piece = reply.body[at : at + 100]
            wire.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        wire.write(b"0\r\n\r\n")

    whole = ask(server).body
    monkeypatch.setitem(FAULTS, "huge-chunked", in_pieces)
    server.faults.append(Fault("huge-chunked", "pods"))
    assert ask(server, replace(QUICK, size=len(whole))).body == whole
    with pytest.raises(Failure) as caught:
        ask(server, replace(QUICK, size=len(whole) - 1))
    assert caught.value.reason == "too-large"


def test_compression_is_never_asked_for(server: FaultServer) -> None:
    ask(server)
    assert server.requests[-1].headers["Accept-Encoding"] == "identity"


def test_pauses_grow_and_keep_to_what_the_server_asks_for(server: FaultServer) -> None:
    def pauses(fault: str, longest: float = 60.0) -> list[float]:
        server.faults[:] = [Fault(fault, "pods")]
        waited: list[float] = []
        client = Client(server.access(), Limits(longest_wait=longest), sleep=waited.append, jitter=lambda: 1.0)
        with client, pytest.raises(Failure) as caught:
            client.get("/api/v1/pods", deadline=time.monotonic() + 1000)
        assert caught.value.retries == len(waited) == 4
        return waited

    assert pauses("error-503") == [0.5, 1.0, 2.0, 4.0]
    assert pauses("throttled") == [1.0] * 4
    assert pauses("throttled-for-long") == [60.0] * 4


def test_a_pause_that_would_outlast_the_deadline_is_not_waited_for(server: FaultServer) -> None:
    server.faults.append(Fault("throttled-for-long", "pods"))
    begun = time.monotonic()
    with pytest.raises(Failure) as caught:
        ask(server, Limits(), seconds=3)
    assert (caught.value.reason, caught.value.status) == ("unavailable", 429)
    assert time.monotonic() - begun < 1


def test_a_rotated_token_is_read_again_and_serves_the_rest(server: FaultServer) -> None:
    with Client(server.access()) as client:
        for _ in range(3):
            server.rotate()
            answers = [client.get("/api/v1/pods", deadline=time.monotonic() + 5) for _ in range(2)]
            assert [(one.status, one.retries) for one in answers] == [(200, 1), (200, 0)]


def test_threads_share_a_client_while_the_token_rotates(server: FaultServer) -> None:
    with Client(server.access()) as client, ThreadPoolExecutor(4) as threads:

        def page(_: int) -> int:
            return client.get("/api/v1/pods", FIRST_PAGE, deadline=time.monotonic() + 10).status

        for _ in range(10):
            server.rotate()
            assert set(threads.map(page, range(8))) == {200}


def test_a_token_file_that_is_gone_is_unauthorised(server: FaultServer) -> None:
    with Client(server.access()) as client:
        server.rotate()
        server.token_file.unlink()
        with pytest.raises(Failure) as caught:
            client.get("/api/v1/pods", deadline=time.monotonic() + 5)
    assert caught.value.reason == "unauthorised"


def test_a_server_that_is_not_there_is_unavailable(server: FaultServer) -> None:
    access = server.access()
    server.__exit__(None, None, None)
    with Client(access, QUICK) as client, pytest.raises(Failure) as caught:
        client.get("/api/v1/pods", deadline=time.monotonic() + 5)
    assert (caught.value.reason, caught.value.status, caught.value.retries) == ("unavailable", 0, 4)


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew(server: FaultServer) -> None:
    server.faults.append(Fault("truncated-unframed", "pods", times=1))
    with Client(server.access(), QUICK) as client:
        for _ in range(3):
            assert client.get("/api/v1/pods", deadline=time.monotonic() + 5).status == 200


def test_warnings_of_the_api_server_are_kept_once(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    warned = Reply(200, b"{}", {"Content-Type": "application/json", "Warning": '299 - "v1 Endpoints is deprecated"'})
    monkeypatch.setitem(FAULTS, "empty-object", lambda *_: warned)
    server.faults.append(Fault("empty-object", "pods"))
    assert ask(server).warnings == ("v1 Endpoints is deprecated",)
    assert warnings_of(['299 - "a"', '299 - "a"', "odd"]) == ("a", "odd")
    assert len(warnings_of(f'299 - "{number}"' for number in range(100))) == 20


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "٣", "Wed, 99 Nov 2026 00:00:00 GMT", "9" * 5000])
def test_a_retry_after_that_says_nothing_is_none(value: str) -> None:
    assert retry_after(value) is None


def test_a_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after(" 7 ") == 7
    assert 50 < (retry_after(email.utils.formatdate(time.time() + 60, usegmt=True)) or 0) <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_only_get_and_the_question_who_we_are_are_sent(server: FaultServer) -> None:
    with Client(server.access()) as client:
        assert client.whoami(deadline=time.monotonic() + 5) == server.user
        client.get("/api/v1/pods", FIRST_PAGE, deadline=time.monotonic() + 5)
    reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    assert [(one.method, one.path) for one in server.requests] == [("POST", reviews), ("GET", "/api/v1/pods")]
    assert {name for name in vars(Client) if not name.startswith("_")} == {"get", "whoami"}


def test_an_older_openshift_says_who_we_are_elsewhere(server: FaultServer) -> None:
    server.self_reviews = False
    server.kinds.append(Served("User", "users", [{"metadata": {"name": "~"}}], "user.openshift.io", namespaced=False))
    with Client(server.access()) as client:
        assert client.whoami(deadline=time.monotonic() + 5) == "~"


def test_an_older_kubernetes_does_not_say_who_we_are(server: FaultServer) -> None:
    server.self_reviews = False
    with Client(server.access()) as client:
        assert not client.whoami(deadline=time.monotonic() + 5)


def test_an_api_server_that_takes_us_for_nobody_is_no_source(server: FaultServer) -> None:
    server.user = "system:anonymous"
    with Client(server.access()) as client, pytest.raises(Failure) as caught:
        client.whoami(deadline=time.monotonic() + 5)
    assert caught.value.reason == "unauthorised"


def test_an_answer_to_who_we_are_that_names_nobody_is_a_failure(server: FaultServer) -> None:
    server.faults.append(Fault("empty-object", "/apis/authentication.k8s.io/v1/selfsubjectreviews"))
    with Client(server.access()) as client, pytest.raises(Failure) as caught:
        client.whoami(deadline=time.monotonic() + 5)
    assert caught.value.reason == "unavailable"


def test_a_part_of_a_body_is_no_body(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (204, 206, 226, 600):
        found = replace(status(code, "", ""), body=b"{}" if code != 204 else b"")
        monkeypatch.setitem(FAULTS, "empty-object", lambda *_, found=found: found)
        server.faults[:] = [Fault("empty-object", "pods")]
        with pytest.raises(Failure):
            ask(server)
