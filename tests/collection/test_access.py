from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.collection import Access, Client, access, in_pipeline
from audit.errors import AccessError
from tests.collection.certificates import authority
from tests.collection.fault_server import TOKEN, FaultServer, Served

KINDS = (Served("Pod", "pods", [{"metadata": {"name": "a", "namespace": "n"}}]),)
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(KINDS) as running:
        yield running


def written(path: Path, value: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(value))
    return path


def config(name: str = "lab", *, server: Mapping[str, Any] | None = None, user: Mapping[str, Any] | None = None) -> Any:
    """A kubeconfig whose context, cluster and user have one name."""
    return {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": {"server": "https://api.example:6443", **(server or {})}}],
        "users": [{"name": name, "user": user or {}}],
    }


def opened(tmp_path: Path, value: Mapping[str, Any], **options: Any) -> Access:
    options.setdefault("environment", {})
    return access(path=written(tmp_path / "kubeconfig", value), **options)


def refused(tmp_path: Path, value: Mapping[str, Any], **options: Any) -> str:
    with pytest.raises(AccessError) as caught:
        opened(tmp_path, value, **options)
    return str(caught.value)


def asked(found: Access) -> int:
    with Client(found) as client:
        return client.get("/api/v1/pods", deadline=time.monotonic() + 5).status


def test_credentials_reach_the_server_in_each_way_that_kubectl_knows(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="ascii")
    for user in (
        {"token": TOKEN},
        {"tokenFile": str(tmp_path / "token")},
        {"tokenFile": str(tmp_path / "token"), "token": "old"},
    ):
        assert asked(access(path=server.kubeconfig(user=user), environment={})) == 200
    server.token = ""
    assert asked(access(path=server.kubeconfig(user={"username": "ann", "password": "secret"}), environment={})) == 200
    assert server.requests[-1].headers["Authorization"] == "Basic " + base64.b64encode(b"ann:secret").decode()
    assert asked(access(path=server.kubeconfig(user={}), environment={})) == 200
    assert "Authorization" not in server.requests[-1].headers


def test_relative_paths_begin_at_the_file_that_names_them(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    written(
        tmp_path / "one" / "kubeconfig",
        {"clusters": config(server={"server": server.url, "certificate-authority": "../ca.pem"})["clusters"]},
    )
    written(tmp_path / "two" / "kubeconfig", {**config(user={"tokenFile": "../token"}), "clusters": None})
    both = f"{tmp_path}/one/kubeconfig::{tmp_path}/absent:{tmp_path}/two/kubeconfig"
    assert asked(access(environment={"KUBECONFIG": both})) == 200


def test_of_several_files_the_first_that_says_something_decides(tmp_path: Path) -> None:
    written(tmp_path / "a", config("lab", server={"server": "https://first.example"}))
    written(tmp_path / "b", config("lab", server={"server": "https://second.example"}))
    written(tmp_path / "c", config("prod", server={"server": "https://third.example"}))
    environment = {"KUBECONFIG": f"{tmp_path}/a:{tmp_path}/b:{tmp_path}/c"}
    assert access(environment=environment).host == "first.example"
    assert access("prod", environment=environment).host == "third.example"


def test_without_any_option_the_kubeconfig_of_the_home_directory_is_read(tmp_path: Path) -> None:
    written(tmp_path / ".kube" / "config", config())
    assert access(environment={"HOME": str(tmp_path)}).context == "lab"


def test_the_ledger_learns_the_cluster_without_its_address(server: FaultServer) -> None:
    found = server.access()
    cluster = found.cluster
    assert cluster.ca_sha256 == authority().sha256
    assert (cluster.context, cluster.unverified_tls) == ("lab", False)
    assert len(cluster.address_sha256) == 64
    assert "127.0.0.1" not in repr(cluster)
    assert found.address == server.url


def test_the_address_is_digested_in_one_spelling(tmp_path: Path) -> None:
    spellings = ("https://API.example:443/k8s/", "https://api.example/k8s")
    digests = {opened(tmp_path, config(server={"server": one})).cluster.address_sha256 for one in spellings}
    assert len(digests) == 1


def test_a_path_before_the_api_is_kept(server: FaultServer) -> None:
    found = access(path=server.kubeconfig(server={"server": f"{server.url}/k8s/clusters/c-1/"}), environment={})
    with Client(found) as client:
        client.get("/api/v1/pods", deadline=time.monotonic() + 5)
    assert server.requests[-1].path == "/k8s/clusters/c-1/api/v1/pods"


def test_an_unknown_context_names_the_nearest(tmp_path: Path) -> None:
    assert "did you mean `prod-east`?" in refused(tmp_path, config("prod-east"), context="prod-esat")
    assert "known: `prod-east`" in refused(tmp_path, {**config("prod-east"), "current-context": ""})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clusters": []}, "context `lab` has no cluster"),
        ({"users": []}, "context `lab` has no user"),
        ({"contexts": None}, "no context `lab`"),
        ({"contexts": "lab"}, "this is no kubeconfig"),
        ({"users": [{"name": "lab", "user": {}}] * 2}, "two entries for user `lab`"),
    ],
)
def test_a_kubeconfig_that_does_not_add_up_is_refused(tmp_path: Path, change: Mapping[str, Any], message: str) -> None:
    assert message in refused(tmp_path, {**config(), **change})


@pytest.mark.parametrize(
    "content",
    [b"a: [", b"a: 1\na: 2\n", b"\xff\xfe\xff", b"- x", b"x", b"a: &a [*a]", b"[" * 5000, b"a: b\n---\nc: d\n"],
)
def test_whatever_the_kubeconfig_holds_the_answer_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(content)
    with pytest.raises(AccessError) as caught:
        access(path=path, environment={})
    assert str(caught.value).startswith(str(path))


def test_a_kubeconfig_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(AccessError, match="cannot be read"):
            access(path=path, environment={})
    (tmp_path / "large").write_bytes(b"#" * (2 << 20))
    with pytest.raises(AccessError, match="larger than"):
        access(path=tmp_path / "large", environment={})
    with pytest.raises(AccessError, match="KUBECONFIG names no file"):
        access(environment={"KUBECONFIG": str(tmp_path / "absent")})
    with pytest.raises(AccessError, match="there is no kubeconfig"):
        access(environment={})


@pytest.mark.parametrize(
    "address",
    [
        *("http://api.example", "http://127.0.0.1:8001", "api.example:6443", "https://", "https://h:0", ""),
        *("https://h:99999", "https://ann:secret@h", "https://h?a", "https://h#a", "https://[::1", "ftp://h"),
    ],
)
def test_only_https_to_a_host_is_an_api_server(tmp_path: Path, address: str) -> None:
    assert "the server of context `lab`" in refused(tmp_path, config(server={"server": address}))


def test_verification_is_switched_off_only_by_the_operator_and_never_in_silence(
    server: FaultServer, tmp_path: Path
) -> None:
    unverified = {"server": server.url, "insecure-skip-tls-verify": True}
    value = config(server=unverified, user={"token": TOKEN})
    assert "--insecure-skip-tls-verify" in refused(tmp_path, value)
    found = opened(tmp_path, value, insecure=True)
    assert asked(found) == 200
    assert found.cluster.unverified_tls
    assert not found.cluster.ca_sha256
    assert any("nobody verifies" in note for note in found.notes)


def test_the_option_does_not_switch_off_what_the_kubeconfig_verifies(server: FaultServer) -> None:
    found = access(path=server.kubeconfig(), insecure=True, environment={})
    assert not found.unverified_tls
    assert not found.notes


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"auth-provider": {"name": "gcp", "config": {"cmd-path": "/bin/sh"}}}, "auth-provider"),
        ({"as": "root"}, "acts as another"),
        ({"as-groups": ["system:masters"]}, "acts as another"),
        ({"tokenFile": "absent"}, "the token cannot be read"),
        ({"token": "two words"}, "no token has"),
        ({"token": "line\nfeed"}, "no token has"),
        ({"client-certificate-data": "!"}, "no base64"),
        ({"client-certificate-data": "YQ==", "client-key-data": "YQ=="}, "cannot be used"),
        ({"client-certificate-data": "YQ=="}, "needs its key"),
        ({"client-key": "absent"}, "cannot be read"),
        ({"token": 7}, "this is no kubeconfig"),
    ],
)
def test_credentials_that_cannot_be_used_are_refused(tmp_path: Path, user: Mapping[str, Any], message: str) -> None:
    assert message in refused(tmp_path, config(user=user))


@pytest.mark.parametrize(
    "authorities", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----"]
)
def test_an_authority_that_is_none_is_never_replaced_by_those_of_the_system(tmp_path: Path, authorities: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(authorities)
    assert "certificate authority" in refused(tmp_path, config(server={"certificate-authority": "ca.pem"}))


def test_empty_data_does_not_hide_the_file_beside_it(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    named = {"server": server.url, "certificate-authority-data": "", "certificate-authority": "ca.pem"}
    assert opened(tmp_path, config(server=named)).ca_sha256 == authority().sha256


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("1", True), ("woodpecker", True), ("", False), ("false", False), ("0", False), ("No", False)],
)
def test_ci_is_what_the_variable_says(value: str, expected: bool) -> None:  # noqa: FBT001 - a row of the table
    assert in_pipeline({"CI": value}) is expected
    assert not in_pipeline({})


def test_in_ci_a_kubeconfig_of_the_checkout_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    inside = written(tmp_path / "checkout" / "deep" / "kubeconfig", config())
    outside = written(tmp_path / "outside", config())
    link = tmp_path / "link"
    link.symlink_to(inside)
    for path in (inside, link, tmp_path / "checkout" / ".." / "checkout" / "deep" / "kubeconfig"):
        for options in ({"path": path, "environment": {}}, {"environment": {"KUBECONFIG": f"{outside}:{path}"}}):
            with pytest.raises(AccessError, match="git work tree"):
                access(ci=True, **options)
            assert access(**options).context == "lab"
    assert access(path=outside, ci=True, environment={}).context == "lab"


def test_in_ci_a_relative_path_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "kubeconfig", config())
    monkeypatch.chdir(tmp_path)
    assert access(path=Path("kubeconfig"), environment={}).context == "lab"
    with pytest.raises(AccessError, match="absolute"):
        access(path=Path("kubeconfig"), ci=True, environment={})


def pod(server: FaultServer, folder: Path) -> Mapping[str, str]:
    (folder / "token").write_text(f"{server.token}\n", encoding="ascii")
    (folder / "ca.crt").write_bytes(authority().pem)
    return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": server.url.rpartition(":")[2]}


def test_a_pod_uses_its_service_account_and_reads_the_token_again(server: FaultServer, tmp_path: Path) -> None:
    found = access(environment=pod(server, tmp_path), service_account=tmp_path)
    assert (found.context, found.cluster.ca_sha256) == ("", authority().sha256)
    with Client(found) as client:
        assert client.get("/api/v1/pods", deadline=time.monotonic() + 5).status == 200
        server.rotate()
        (tmp_path / "token").write_text(f"{server.token}\n", encoding="ascii")
        assert client.get("/api/v1/pods", deadline=time.monotonic() + 5).retries == 1


def test_a_pod_with_a_kubeconfig_or_a_context_does_not_use_its_service_account(
    server: FaultServer, tmp_path: Path
) -> None:
    environment = pod(server, tmp_path)
    path = written(tmp_path / "kubeconfig", config())
    assert access(path=path, environment=environment, service_account=tmp_path).host == "api.example"
    with pytest.raises(AccessError, match="there is no kubeconfig"):
        access("lab", environment=environment, service_account=tmp_path)


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
def test_a_pod_without_a_service_account_is_told_what_it_needs(
    server: FaultServer, tmp_path: Path, missing: str
) -> None:
    environment = pod(server, tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(AccessError, match="automountServiceAccountToken"):
        access(environment=environment, service_account=tmp_path)


def test_a_pod_that_does_not_know_its_api_server_says_so(server: FaultServer, tmp_path: Path) -> None:
    environment = {**pod(server, tmp_path), "KUBERNETES_SERVICE_PORT": ""}
    with pytest.raises(AccessError, match="KUBERNETES_SERVICE_HOST"):
        access(environment=environment, service_account=tmp_path)


def test_loading_credentials_leaves_no_file_behind(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    pair = authority().issue("reader")
    encoded = {
        "client-certificate-data": base64.b64encode(pair.certificate).decode(),
        "client-key-data": base64.b64encode(pair.key).decode(),
    }
    before = len([*Path("/proc/self/fd").iterdir()])
    access(path=server.kubeconfig(user=encoded), environment={})
    assert not list(scratch.iterdir())
    assert len([*Path("/proc/self/fd").iterdir()]) == before
