from __future__ import annotations

import base64
import json
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from audit.collection import Client, access, exec_plugin
from audit.errors import AccessError
from tests.collection.certificates import authority
from tests.collection.fault_server import TOKEN, FaultServer, Served

KINDS = (Served("Pod", "pods", [{"metadata": {"name": "a", "namespace": "n"}}]),)
V1 = "client.authentication.k8s.io/v1"
PATH = "/usr/bin:/bin"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(KINDS) as running:
        yield running


def credential(status: Mapping[str, Any], **fields: Any) -> str:
    return json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status, **fields})


class Plugin:
    """A program that leaves a trace when it runs, and prints what `prints` holds."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "give-token"
        self.trace = folder / "trace"
        self.printed = folder / "printed"
        self.path.write_text(f"#!/bin/sh\nenv >> '{self.trace}'\ncat '{self.printed}'\n", encoding="utf-8")
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        self.prints({"token": TOKEN})

    def prints(self, status: Mapping[str, Any]) -> None:
        self.printed.write_text(credential(status), encoding="utf-8")

    @property
    def ran(self) -> bool:
        return self.trace.exists()

    def user(self, **fields: Any) -> Mapping[str, Any]:
        return {"exec": {"command": str(self.path), "apiVersion": V1, **fields}}


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return Plugin(tmp_path)


def message(server: FaultServer, user: Mapping[str, Any], **options: Any) -> str:
    options.setdefault("environment", {"PATH": PATH})
    with pytest.raises(AccessError) as caught:
        access(path=server.kubeconfig(user=user), **options)
    return str(caught.value)


def test_a_program_does_not_run_unless_it_is_allowed(server: FaultServer, plugin: Plugin, tmp_path: Path) -> None:
    assert f"--allow-exec-plugin {plugin.path}" in message(server, plugin.user())
    for allowed in (
        "sh",
        "give-token",
        "/bin/sh",
        str(tmp_path),
        str(tmp_path / "give"),
        "",
        "*",
        "./give-token",
        "../give-token",
    ):
        assert "not allowed" in message(server, plugin.user(), allow_exec=(allowed,))
    assert not plugin.ran


def test_a_program_never_runs_in_ci(server: FaultServer, plugin: Plugin) -> None:
    assert "never runs in CI" in message(server, plugin.user(), allow_exec=(str(plugin.path),), ci=True)
    assert not plugin.ran


def test_an_allowed_program_gives_the_token_and_again_when_it_is_refused(server: FaultServer, plugin: Plugin) -> None:
    found = access(
        path=server.kubeconfig(user=plugin.user()), allow_exec=(str(plugin.path),), environment={"PATH": PATH}
    )
    with Client(found) as client:
        assert client.get("/api/v1/pods", deadline=time.monotonic() + 5).retries == 0
        server.rotate()
        plugin.prints({"token": server.token})
        assert client.get("/api/v1/pods", deadline=time.monotonic() + 5).retries == 1


def test_a_name_allows_the_program_that_path_resolves_and_no_other(
    server: FaultServer, plugin: Plugin, tmp_path: Path
) -> None:
    environment = {"PATH": f"{tmp_path}:{PATH}"}
    named = plugin.user(command="give-token")
    path = server.kubeconfig(user=named)
    assert access(path=path, allow_exec=("give-token",), environment=environment).authorisation == f"Bearer {TOKEN}"
    assert access(path=path, allow_exec=(str(plugin.path),), environment=environment).authorisation
    other = tmp_path / "other"
    other.mkdir()
    shadowed = {"PATH": f"{Plugin(other).path.parent}:{tmp_path}:{PATH}"}
    assert "not allowed" in message(server, named, allow_exec=(str(plugin.path),), environment=shadowed)


def test_a_relative_folder_of_path_is_passed_over(
    server: FaultServer, plugin: Plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (".", "", f":{PATH}", f".:{PATH}"):
        said = message(
            server, plugin.user(command="give-token"), allow_exec=("give-token",), environment={"PATH": path}
        )
        assert "not installed" in said
    assert not plugin.ran


def test_a_program_sees_no_variable_that_it_was_not_given(server: FaultServer, plugin: Plugin) -> None:
    environment = {
        "PATH": PATH,
        "HOME": "/home/ann",
        "CI_JOB_TOKEN": "canary",
        "LD_PRELOAD": "canary",
        "KUBECONFIG": "canary",
    }
    user = plugin.user(env=[{"name": "AWS_PROFILE", "value": "prod"}], provideClusterInfo=True)
    access(path=server.kubeconfig(user=user), allow_exec=(str(plugin.path),), environment=environment)
    seen = dict(line.split("=", 1) for line in plugin.trace.read_text(encoding="utf-8").splitlines())
    assert "canary" not in "".join(seen.values())
    assert (seen["HOME"], seen["AWS_PROFILE"]) == ("/home/ann", "prod")
    spec = json.loads(seen["KUBERNETES_EXEC_INFO"])["spec"]
    assert (spec["interactive"], spec["cluster"]["server"]) == (False, server.url)


def test_a_program_may_give_a_certificate(plugin: Plugin) -> None:
    pair = authority().issue("reader")
    plugin.prints({"clientCertificateData": pair.certificate.decode(), "clientKeyData": pair.key.decode()})
    with FaultServer(KINDS, client_authority=authority().pem) as strict:
        strict.token = ""
        path = strict.kubeconfig(user=plugin.user())
        with Client(access(path=path, allow_exec=(str(plugin.path),), environment={"PATH": PATH})) as client:
            assert client.get("/api/v1/pods", deadline=time.monotonic() + 5).status == 200


def test_a_program_is_not_needed_beside_a_token(server: FaultServer, plugin: Plugin) -> None:
    path = server.kubeconfig(user={**plugin.user(), "token": TOKEN})
    assert access(path=path, ci=True, environment={"PATH": PATH}).authorisation == f"Bearer {TOKEN}"
    assert not plugin.ran


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("", "no ExecCredential"),
        ("canary-secret", "no ExecCredential"),
        ("[" * 100_000, "no ExecCredential"),
        (credential({"token": "canary-secret"}, kind="Secret"), "no credentials"),
        (credential({"token": "canary-secret"}, apiVersion="v2"), "no credentials"),
        (credential({}), "no credentials"),
        (credential({"clientKeyData": "canary-secret"}), "no credentials"),
        (credential({"token": "canary secret"}), "no token has"),
    ],
)
def test_what_is_no_credentials_is_refused_and_never_repeated(
    server: FaultServer, plugin: Plugin, printed: str, said: str
) -> None:
    plugin.printed.write_text(printed, encoding="utf-8")
    found = message(server, plugin.user(), allow_exec=(str(plugin.path),))
    assert said in found
    assert "canary" not in found


def test_a_program_that_fails_or_never_ends_is_refused(
    server: FaultServer, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = (str(plugin.path),)
    plugin.path.write_text("#!/bin/sh\necho canary-secret >&2\nexit 7\n", encoding="utf-8")
    found = message(server, plugin.user(), allow_exec=allowed)
    assert "ended with code 7" in found
    assert "canary" not in found
    monkeypatch.setattr(exec_plugin, "_SECONDS", 0.2)
    plugin.path.write_text("#!/bin/sh\nexec sleep 30\n", encoding="utf-8")
    assert "took longer" in message(server, plugin.user(), allow_exec=allowed)
    plugin.path.write_text("#!/absent\n", encoding="utf-8")
    assert "cannot be run" in message(server, plugin.user(), allow_exec=allowed)


def test_an_unknown_protocol_and_one_that_wants_a_terminal_are_refused(server: FaultServer, plugin: Plugin) -> None:
    allowed = (str(plugin.path),)
    old = "client.authentication.k8s.io/v1alpha1"
    assert f"`{old}`" in message(server, plugin.user(apiVersion=old), allow_exec=allowed)
    assert "terminal" in message(server, plugin.user(interactiveMode="Always"), allow_exec=allowed)
    assert not plugin.ran


def test_a_program_that_is_not_there_is_named(server: FaultServer) -> None:
    for command in ("/absent/program", "absent-program", "./absent"):
        user = {"exec": {"command": command, "apiVersion": V1}}
        assert "not installed" in message(server, user, allow_exec=(command,))


def test_what_the_program_prints_stays_out_of_repr() -> None:
    given = exec_plugin.Printed(token="canary", client_key_data=base64.b64encode(b"canary").decode())  # noqa: S106
    assert "canary" not in repr(given)
