"""Every other command: help, matrix, reach, explain, rules, init."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audit.cli import COMMANDS
from audit.discovery import discover

SUBCOMMANDS = (*((name,) for name in COMMANDS), *(("matrix", sub) for sub in ("check", "convert", "show")),
               ("rules", "list"), ("rules", "show"))  # fmt: skip


def test_help_names_every_command_and_the_exit_codes(run: Any) -> None:
    done = run("--help")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert all(f"  {name}" in text for name in COMMANDS)
    assert "Exit codes" in text


@pytest.mark.parametrize("path", SUBCOMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(run: Any, path: tuple[str, ...]) -> None:
    done = run(*path, "--help")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert text.startswith(f"Usage: zone-audit {' '.join(path)}")
    assert "Example" in text or path in (("matrix",), ("rules",))


def test_help_imports_nothing_heavy() -> None:
    heavy = ("networkx", "weasyprint", "jinja2", "rich", "pydantic", "openpyxl", "xlsxwriter", "yaml", "pyroaring")
    code = f"""
import sys
from audit.cli import run
for args in (["--help"], ["scan", "--help"], ["reach", "--help"], ["matrix", "check", "--help"]):
    run(args)
found = [name for name in {heavy!r} if name in sys.modules]
sys.exit(", ".join(found) if found else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_version(run: Any) -> None:
    assert run("--version").stdout.decode().startswith("zone-audit ")


def test_no_arguments_is_a_usage_error_that_shows_the_help(run: Any) -> None:
    for args in ((), ("matrix",), ("rules",)):
        done = run(*args)
        assert done.returncode == 2
        assert b"Usage: zone-audit" in done.stderr


@pytest.mark.parametrize(("wrong", "right"), [("scna", "scan"), ("explian", "explain"), ("rule", "rules")])
def test_an_unknown_command_gets_a_suggestion(run: Any, wrong: str, right: str) -> None:
    done = run(wrong)
    assert done.returncode == 2
    assert f"did you mean `{right}`?" in done.stderr.decode()


def test_matrix_check_counts_and_remarks(estate: Path, run: Any) -> None:
    done = run("matrix", "check", "zones.yaml")
    assert done.returncode == 0
    assert b"3 zones, 1 rows, no error" in done.stdout
    (estate / "zones.yaml").write_text("kind: ZoneMatrix\n")
    bad = run("matrix", "check", "zones.yaml")
    assert (bad.returncode, bad.stdout) == (2, b"")


@pytest.mark.parametrize("suffix", ["json", "csv", "xlsx", "yaml"])
@pytest.mark.usefixtures("estate")
def test_matrix_convert_and_back(run: Any, suffix: str) -> None:
    assert run("matrix", "convert", "zones.yaml", "-o", f"there.{suffix}").returncode == 0
    base = ("--base", "zones.yaml") if suffix == "csv" else ()
    assert run("matrix", "convert", f"there.{suffix}", "-o", "back.yaml", *base).returncode == 0
    assert run("matrix", "show", "back.yaml").stdout == run("matrix", "show", "zones.yaml").stdout


def test_matrix_convert_needs_a_known_suffix(estate: Path, run: Any) -> None:
    done = run("matrix", "convert", "zones.yaml", "-o", "there.doc")
    assert done.returncode == 2
    assert not (estate / "there.doc").exists()


@pytest.mark.usefixtures("estate")
def test_reach_json_is_the_stable_document(run: Any) -> None:
    done = run("reach", "manifests", "--zones", "zones.yaml", "--by", "pod", "-f", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "zone-audit.reachability/1"
    ports = {(one["src"], one["dst"]): one["ports"] for one in document["connections"]}
    assert ports["web/Deployment/proxy", "app/Deployment/api"] == {"TCP": "8443"}
    assert ("app/Deployment/api", "web/Deployment/proxy") not in ports


@pytest.mark.parametrize(
    ("form", "start"), [("table", "SOURCE"), ("csv", "source,"), ("md", "| "), ("dot", "digraph"), ("svg", "<svg")]
)
@pytest.mark.usefixtures("estate")
def test_reach_in_every_format(run: Any, form: str, start: str) -> None:
    done = run("reach", "manifests", "--zones", "zones.yaml", "-f", form)
    assert done.returncode == 0, done.stderr
    assert start in done.stdout.decode()[:200]


@pytest.mark.parametrize("grain", ["namespace", "zone"])
@pytest.mark.usefixtures("estate")
def test_reach_at_every_grain(run: Any, grain: str) -> None:
    done = run("reach", "manifests", "--zones", "zones.yaml", "--by", grain, "-f", "json")
    assert done.returncode == 0, done.stderr
    names = {"namespace": ("web", "app"), "zone": ("dmz", "internal")}[grain]
    connections = {(one["src"], one["dst"]): one["ports"] for one in json.loads(done.stdout)["connections"]}
    assert connections[names] == {"TCP": "8443"}


@pytest.mark.parametrize("form", ["table", "csv", "md", "dot", "svg"])
@pytest.mark.parametrize("grain", ["pod", "workload", "namespace", "zone"])
@pytest.mark.usefixtures("estate")
def test_every_format_at_every_grain_shows_the_one_connection_between_zones(run: Any, form: str, grain: str) -> None:
    ends = {"namespace": ("web", "app"), "zone": ("dmz", "internal")}.get(grain, ("proxy", "api"))
    args = ("--from", "web", "--to", "app") if grain != "zone" else ("--from", "dmz", "--to", "internal")
    done = run("reach", "manifests", "--zones", "zones.yaml", "--by", grain, "-f", form, *args)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert all(end in text for end in ends)
    assert text.replace("tcp/1-65535", "").count("tcp/8443") >= 1
    assert text.isascii() or form in ("svg", "dot")


@pytest.mark.usefixtures("estate")
def test_reach_takes_filters_and_says_which_in_the_document(run: Any) -> None:
    args = ("--zones", "zones.yaml", "--from", "dmz", "--from", "203.0.113.9", "--to", "app/Deployment/api")
    done = run("reach", "manifests", *args, "--port", "tcp/8443", "-f", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["filter"] == {
        "from": ["dmz", "203.0.113.9"], "to": ["app/Deployment/api"], "ports": {"TCP": "8443"},
    }  # fmt: skip
    assert {one["dst"] for one in document["connections"]} == {"app/Deployment/api"}
    assert "web/Deployment/proxy" in {one["src"] for one in document["connections"]}
    assert {json.dumps(one["ports"]) for one in document["connections"]} == {'{"TCP": "8443"}'}


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--from", "wbe", "no namespace or zone `wbe` (hint: did you mean `web`?)"),
        ("--to", "app/Deployment/apj", "no endpoint `app/Deployment/apj` (hint: did you mean `app/Deployment/api`?)"),
        ("--port", "5432", "`5432` is not a port (hint: write `tcp/5432`, `udp/53` or `sctp/3868`)"),
    ],
)
@pytest.mark.usefixtures("estate")
def test_reach_refuses_a_filter_that_names_nothing(run: Any, option: str, value: str, said: str) -> None:
    done = run("reach", "manifests", "--zones", "zones.yaml", option, value)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()


@pytest.mark.usefixtures("estate")
def test_reach_by_zone_needs_a_matrix(run: Any) -> None:
    done = run("reach", "manifests", "--by", "zone")
    assert done.returncode == 2
    assert b"--zones" in done.stderr


@pytest.mark.usefixtures("estate")
def test_explain_names_every_policy_that_decides(run: Any) -> None:
    args = ("explain", "manifests", "web/Deployment/proxy", "app/Deployment/api")
    done = run(*args, "--port", "tcp/8443", "--zones", "zones.yaml")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "NetworkPolicy web/zone-dmz" in text
    assert "NetworkPolicy app/zone-internal" in text
    assert "denied" in run(*args, "--port", "tcp/22").stdout.decode()


@pytest.mark.usefixtures("estate")
def test_explain_refuses_unknown_endpoints_and_ports(run: Any) -> None:
    for args in (
        ("web/Deployment/prxy", "app/Deployment/api"),
        ("web/Deployment/proxy", "app/Deployment/api", "--port", "x"),
    ):
        done = run("explain", "manifests", *args)
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr


def test_rules_list_and_show_every_rule(run: Any) -> None:
    listed = run("rules", "list").stdout.decode()
    for rule in discover():
        assert rule.id in listed
    page = run("rules", "show", "net001").stdout.decode()
    for heading in ("What it checks", "Why it matters", "How to fix", "Limits"):
        assert heading in page


def test_rules_show_suggests(run: Any) -> None:
    done = run("rules", "show", "NET01")
    assert done.returncode == 2
    assert "did you mean `NET001`?" in done.stderr.decode()


def test_init_writes_a_matrix_that_loads_and_never_overwrites(estate: Path, run: Any) -> None:
    assert run("init", "manifests", "-o", "new.yaml").returncode == 0
    assert run("matrix", "check", "new.yaml").returncode == 0
    done = run("init", "manifests", "-o", "new.yaml")
    assert done.returncode == 2
    assert b"exists already" in done.stderr
    assert run("init", "manifests").stdout == (estate / "new.yaml").read_bytes()


def test_an_interrupt_is_exit_130_without_noise(estate: Path, run: Any) -> None:
    (estate / "sitecustomize.py").write_text(
        "import audit.discovery\n\ndef stop(*a, **k):\n    raise KeyboardInterrupt\n\naudit.discovery.discover = stop\n"
    )
    done = run("scan", "manifests", "--zones", "zones.yaml", env={"PYTHONPATH": str(estate)})
    assert done.returncode == 130
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["fix"])
def test_a_command_that_is_yet_to_come_is_said_to_be_missing(run: Any, name: str) -> None:
    done = run(name)
    assert done.returncode == 2
    assert f"`{name}` is not in this version" in done.stderr.decode()


@pytest.mark.parametrize(("group", "wrong", "right"), [("matrix", "chek", "check"), ("rules", "lst", "list")])
def test_a_slip_below_a_group_is_worded_like_one_at_the_top(run: Any, group: str, wrong: str, right: str) -> None:
    assert f"error: unknown command `{wrong}`; did you mean `{right}`?" in run(group, wrong).stderr.decode()


@pytest.mark.usefixtures("estate")
def test_reach_suggests_a_grain_and_takes_the_format_of_a_suffix(run: Any, tmp_path: Path) -> None:
    assert "`pods` is not known; did you mean `pod`?" in run("reach", "manifests", "--by", "pods").stderr.decode()
    for suffix, start in (("svg", "<svg"), ("dot", "digraph"), ("csv", "source,"), ("md", "| "), ("txt", "SOURCE")):
        assert run("reach", "manifests", "-o", f"r.{suffix}").returncode == 0
        assert (tmp_path / f"r.{suffix}").read_text().startswith(start)


def test_a_matrix_with_groups_goes_through_csv(estate: Path, run: Any) -> None:
    text = (estate / "zones.yaml").read_text().replace("[tcp/8443]", "[ledger]")
    (estate / "zones.yaml").write_text(text.replace("zones:\n", "service_groups: {ledger: [tcp/8443]}\nzones:\n", 1))
    assert run("matrix", "convert", "zones.yaml", "-o", "z.csv").returncode == 0
    assert run("matrix", "convert", "z.csv", "-o", "x.yaml").returncode == 0
    assert run("matrix", "show", "z.csv").returncode == run("matrix", "check", "z.csv").returncode == 0
    assert run("scan", "manifests", "--zones", "z.csv").returncode in (0, 1, 3)
