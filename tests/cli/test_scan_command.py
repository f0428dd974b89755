"""`zone-audit scan`: exit codes, outputs, reproducible bytes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCAN = ("scan", "manifests", "--zones", "zones.yaml")


def results(path: Path) -> Any:
    return json.loads(path.read_bytes())


@pytest.mark.usefixtures("estate")
def test_exit_0_when_the_matrix_is_kept(run: Any) -> None:
    done = run(*SCAN)
    assert done.returncode == 0, done.stderr
    assert b" COMPLIANT " in done.stdout
    assert done.stderr == b""


@pytest.mark.usefixtures("leaky")
def test_exit_1_with_findings(run: Any) -> None:
    done = run(*SCAN, "-f", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["verdict"], report["exit_code"]) == ("not-compliant", 1)
    cell = next(one for one in report["cells"] if (one["from"], one["to"]) == ("dmz", "internal"))
    assert (cell["verdict"], cell["excess"]["TCP"]) == ("fail", "1-8442,8444-65535")
    finding = next(one for one in report["findings"] if one["rule"] == "NET001")
    assert finding["subjects"] == ["NetworkPolicy app/zone-internal"]
    assert (finding["path"][-1]["file"], finding["path"][-1]["line"]) == ("manifests/policies.yaml", 12)


@pytest.mark.usefixtures("unsure")
def test_exit_3_when_something_is_not_modelled(run: Any) -> None:
    done = run(*SCAN, "-f", "json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "incomplete"
    assert any(one["rule"] == "NET007" and one["verdict"] == "not-evaluated" for one in report["findings"])


def test_findings_win_over_missing_evidence(leaky: Path, run: Any) -> None:
    path = leaky / "manifests" / "cilium.yaml"
    path.write_text(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: lonely}\n"
        "spec: {endpointSelector: {}}\n"
    )
    assert run(*SCAN).returncode == 1


@pytest.mark.usefixtures("leaky")
def test_exit_zero_hides_findings_and_gaps_but_not_errors(run: Any) -> None:
    assert run(*SCAN, "--exit-zero").returncode == 0
    assert run("scan", "nowhere", "--zones", "zones.yaml", "--exit-zero").returncode == 2


@pytest.mark.usefixtures("leaky")
def test_fail_on_sets_the_threshold(run: Any) -> None:
    assert run(*SCAN, "--fail-on", "high").returncode == 1
    done = run(*SCAN, "--fail-on", "critical")
    assert done.returncode == 0
    assert b" NOT COMPLIANT " in done.stdout
    assert run(*SCAN, "--fail-on", "info").returncode == 2


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("scan", "manifests"), "--zones"),
        (("scan", "--zones", "zones.yaml"), "SOURCE"),
        (("scan", "nowhere", "--zones", "zones.yaml"), "nowhere"),
        (("scan", "manifests", "--zones", "none.yaml"), "none.yaml"),
        ((*SCAN, "-f", "jsn"), "jsn"),
        ((*SCAN, "-f", "text", "-f", "json"), "both go to standard output"),
        ((*SCAN, "-f", "json", "-o", "a", "-o", "b"), "follows another `-o`"),
        ((*SCAN, "-f", "json", "-o", "a", "-f", "html", "-o", "./a"), "two outputs"),
        ((*SCAN, "-f", "json", "-o", "no/such/a.json"), "does not exist"),
        ((*SCAN, "-f", "json", "-o", "manifests"), "is a directory"),
        ((*SCAN, "--exceptions", "none.yaml"), "none.yaml"),
        ((*SCAN, "--rules", "none"), "rules directory `none`"),
        ((*SCAN, "--fail-onn", "low"), "--fail-on"),
        (("scan", "-", "-", "--zones", "zones.yaml"), "`-`"),
    ],
)
def test_exit_2_for_what_cannot_be_done_and_nothing_is_written(
    estate: Path, run: Any, args: tuple[str, ...], words: str
) -> None:
    before = sorted(estate.rglob("*"))
    done = run(*args)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert sorted(estate.rglob("*")) == before


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("manifests/bad.yaml", b"a: [1\n", "bad.yaml:"),
        ("manifests/bad.yaml", b"\xff\xfe\x00", "bad.yaml"),
        ("zones.yaml", b"apiVersion: zone-audit/v1\nkind: ZoneMatrix\nzonez: []\n", "zones.yaml:"),
        ("zones.yaml", b"", "zones.yaml"),
    ],
)
def test_exit_2_for_bad_input_with_file_and_no_output(
    estate: Path, run: Any, file: str, content: bytes, words: str
) -> None:
    (estate / file).write_bytes(content)
    done = run(*SCAN, "-f", "json", "-o", "out.json")
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not (estate / "out.json").exists()


def test_every_fault_of_the_matrix_is_told_at_once(estate: Path, run: Any) -> None:
    text = (estate / "zones.yaml").read_text()
    (estate / "zones.yaml").write_text(text.replace("to: internal", "to: internl").replace("trust: 20", "trust: 200"))
    lines = run(*SCAN).stderr.decode().splitlines()
    assert len(lines) == 2
    assert any("did you mean `internal`" in line for line in lines)


def test_exit_4_for_our_own_faults_with_one_line(estate: Path, run: Any) -> None:
    (estate / "sitecustomize.py").write_text(
        "import audit.checker\n\ndef broken(*a, **k):\n    raise RuntimeError('no \\x1b[31mluck')\n\n"
        "audit.checker.check = broken\n"
    )
    done = run(*SCAN, env={"PYTHONPATH": str(estate)})
    assert done.returncode == 4
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1
    assert "internal error: RuntimeError" in lines[0]
    assert "\x1b" not in lines[0]
    shown = run(*SCAN, env={"PYTHONPATH": str(estate), "ZONE_AUDIT_DEBUG": "1"})
    assert b"Traceback" in shown.stderr


def test_a_rule_that_breaks_makes_the_scan_incomplete(estate: Path, run: Any) -> None:
    (estate / "rules").mkdir()
    (estate / "rules" / "broken.py").write_text(
        "from audit.rule import rule\n\n@rule('BAD001', 'Broken')\ndef broken(context):\n"
        '    """What it checks: a.\n\n    Why it matters: b.\n\n    How to fix: c.\n\n    Limits: d.\n    """\n'
        "    raise KeyError('x')\n"
    )
    done = run(*SCAN, "--rules", "rules", "-f", "json")
    assert done.returncode == 3
    record = next(one for one in json.loads(done.stdout)["rules"] if one["id"] == "BAD001")
    assert record["verdict"] == "not-evaluated"
    assert record["reason"].startswith("rule error")


def test_an_exception_in_force_excuses_and_an_expired_one_does_not(leaky: Path, run: Any) -> None:
    def exceptions(expires: str) -> None:
        (leaky / "exceptions.yaml").write_text(
            "apiVersion: zone-audit/v1\nkind: Exceptions\nexceptions:\n- id: EX-1\n  title: Legacy\n  flow: ZM-1\n"
            "  scope: {from: [dmz], to: [internal], services: [any], subjects: [any]}\n  justification: why\n"
            "  requested_by: a@example.org\n  requested_on: 2026-01-01\n  approved_by: b@example.org\n"
            f"  approved_on: 2026-01-02\n  valid_from: 2026-01-02\n  expires_on: {expires}\n  ticket: T-1\n"
            "  owner: c@example.org\n"
        )

    exceptions("2027-01-01")
    done = run(*SCAN, "--exceptions", "exceptions.yaml", "-f", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [one["exception"] for one in report["findings"] if one["rule"] == "NET001"] == ["EX-1"]
    assert report["exceptions"][0]["findings"] == [
        one["fingerprint"] for one in report["findings"] if one["verdict"] == "excepted"
    ]
    assert {one["role"] for one in report["inputs"]} == {"source", "zones", "exceptions"}
    exceptions("2026-02-01")
    done = run(*SCAN, "--exceptions", "exceptions.yaml", "-f", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["exceptions"][0]["status"] == "expired"


def test_standard_input_is_a_source(estate: Path, run: Any) -> None:
    text = b"---\n".join(path.read_bytes() for path in sorted((estate / "manifests").iterdir()))
    done = run("scan", "-", "--zones", "zones.yaml", stdin=text)
    assert done.returncode == 0, done.stderr
    assert run("scan", "-", "--zones", "zones.yaml", stdin=b"").returncode == 2


def test_several_formats_agree_and_each_goes_to_its_place(leaky: Path, run: Any) -> None:
    done = run(*SCAN, "-f", "text", "-f", "json", "-o", "r.json", "-f", "html", "-o", "r.html")
    assert done.returncode == 1
    report = results(leaky / "r.json")
    sentence = report["headline"].partition(": ")[2]
    assert sentence in " ".join(done.stdout.decode().split())
    assert sentence in (leaky / "r.html").read_text()
    assert stat.S_IMODE((leaky / "r.json").stat().st_mode) == 0o600
    assert not [path for path in leaky.iterdir() if path.name.endswith(".part")]


@pytest.mark.usefixtures("leaky")
def test_without_standard_output_the_headline_is_on_standard_error(run: Any) -> None:
    done = run(*SCAN, "-f", "json", "-o", "r.json")
    assert done.stdout == b""
    assert b"Not compliant" in done.stderr


def test_an_existing_file_keeps_its_permissions_and_links_are_followed(estate: Path, run: Any) -> None:
    (estate / "real.json").write_text("old")
    (estate / "real.json").chmod(0o644)
    (estate / "link.json").symlink_to("real.json")
    assert run(*SCAN, "-f", "json", "-o", "link.json").returncode == 0
    assert (estate / "link.json").is_symlink()
    assert results(estate / "real.json")["verdict"] == "compliant"
    assert stat.S_IMODE((estate / "real.json").stat().st_mode) == 0o644


def test_a_file_that_cannot_be_written_leaves_the_others_and_the_old_content(estate: Path, run: Any) -> None:
    done = run(*SCAN, "-f", "json", "-o", "/dev/full", "-f", "html", "-o", "r.html")
    assert done.returncode == 2
    assert b"/dev/full" in done.stderr
    assert (estate / "r.html").read_text().startswith("<!")


def test_without_the_pdf_libraries_the_page_is_still_written(estate: Path, run: Any) -> None:
    (estate / "block").mkdir()
    (estate / "block" / "weasyprint.py").write_text("raise OSError('cannot load library libpango')\n")
    done = run(
        *SCAN, "-f", "html", "-o", "r.html", "-f", "pdf", "-o", "r.pdf", env={"PYTHONPATH": str(estate / "block")}
    )
    assert done.returncode == 2
    assert (estate / "r.html").exists()
    assert not (estate / "r.pdf").exists()
    assert len([line for line in done.stderr.decode().splitlines() if "error" in line]) == 1


def test_equal_inputs_give_equal_bytes(leaky: Path, run: Any) -> None:
    outputs = []
    for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"), ("4242", "America/Los_Angeles")):
        env = {"PYTHONHASHSEED": seed, "TZ": zone, "SOURCE_DATE_EPOCH": "1795392000"}
        done = run(*SCAN, "-f", "json", "-o", "r.json", "-f", "html", "-o", "r.html", "-f", "text", env=env)
        outputs.append((done.stdout, (leaky / "r.json").read_bytes(), (leaky / "r.html").read_bytes()))
    assert outputs[0] == outputs[1] == outputs[2]
    assert results(leaky / "r.json")["created"] == "2026-11-23T00:00:00Z"


@pytest.mark.parametrize("epoch", ["soon", "-99999999999999999999", "1e9"])
@pytest.mark.usefixtures("estate")
def test_a_bad_source_date_epoch_is_a_usage_error(run: Any, epoch: str) -> None:
    done = run(*SCAN, env={"SOURCE_DATE_EPOCH": epoch})
    assert done.returncode == 2
    assert b"SOURCE_DATE_EPOCH" in done.stderr


def test_a_pipe_gets_no_colours_and_a_closed_pipe_no_noise(leaky: Path, run: Any) -> None:
    assert b"\x1b" not in run(*SCAN).stdout
    command = [sys.executable, "-m", "audit", *SCAN, "-f", "json"]
    with subprocess.Popen(command, cwd=leaky, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        assert (process.wait(60), errors) == (1, b"")


def test_a_terminal_gets_colours_unless_told_not_to(leaky: Path) -> None:
    pty = pytest.importorskip("pty", reason="needs a pseudo terminal")

    def shown(**env: str) -> bytes:
        leader, follower = pty.openpty()
        command = [sys.executable, "-m", "audit", *SCAN]
        environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"} | env
        with subprocess.Popen(
            command, cwd=leaky, stdout=follower, stderr=subprocess.DEVNULL, env=environment
        ) as process:
            os.close(follower)
            output = b""
            while True:
                try:
                    block = os.read(leader, 65536)
                except OSError:
                    break
                if not block:
                    break
                output += block
            process.wait(60)
        os.close(leader)
        return output

    assert b"\x1b[" in shown()
    assert b"\x1b[" not in shown(NO_COLOR="1")
    assert b"\x1b[" not in shown(TERM="dumb")


def test_pdf_is_refused_on_a_terminal_and_piped_otherwise(estate: Path) -> None:
    pty = pytest.importorskip("pty", reason="needs a pseudo terminal")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "audit", *SCAN, "-f", "pdf"]
    done = subprocess.run(command, cwd=estate, stdout=follower, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(follower)
    os.close(leader)
    assert done.returncode == 2
    assert b"not for a terminal" in done.stderr


def test_hostile_names_do_not_reach_the_terminal(estate: Path, run: Any) -> None:
    (estate / "manifests" / "evil.json").write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": "x\x1b]0;pwned\x07", "labels": {"network-zone": "a\u202eb"}},
            }
        )
    )
    done = run(*SCAN)
    assert b"\x1b" not in done.stdout + done.stderr
    assert "\u202e" not in (done.stdout + done.stderr).decode()


@pytest.mark.parametrize(
    ("name", "start"),
    [("x.html", b"<!DOCTYPE html>"), ("x.JSON", b"{"), ("x.txt", b"compliant"), ("x", b"compliant")],
)
def test_a_file_without_a_format_takes_that_of_its_suffix(estate: Path, run: Any, name: str, start: bytes) -> None:
    assert run(*SCAN, "-o", name).returncode == 0
    assert (estate / name).read_bytes().lstrip()[: len(start)].lower() == start.lower()


def test_several_files_may_rely_on_their_suffixes(estate: Path, run: Any) -> None:
    done = run(*SCAN, "-o", "a.json", "-o", "a.html", "-f", "text")
    assert done.returncode == 0
    assert json.loads((estate / "a.json").read_bytes())
    assert b"<html" in (estate / "a.html").read_bytes()
    assert done.stdout


def test_a_format_named_after_its_file_is_not_written_twice(estate: Path, run: Any) -> None:
    done = run(*SCAN, "-o", "a.json", "-f", "json")
    assert (done.returncode, done.stdout) == (0, b"")
    assert json.loads((estate / "a.json").read_bytes())


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("-o", "x.htlm"), "did you mean `-f html -o x.htlm`?"),
        (("-o", "x.docx"), "known: .txt, .html, .htm, .pdf, .zip, .json, .sarif, .xml, .prom, .csv, .xlsx, .md"),
        (("-f", "htm"), "`htm` is not known; did you mean `html`?"),
        (("--fail-on", "hgh"), "`hgh` is not known; did you mean `high`?"),
        (("--fail-on", "info"), "known: `critical`, `high`, `low`, `medium`"),
    ],
)
def test_a_slip_in_an_option_gets_a_suggestion(estate: Path, run: Any, more: tuple[str, ...], words: str) -> None:
    done = run(*SCAN, *more)
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in done.stderr.decode()
    assert not list(estate.glob("x*"))


def test_what_is_given_as_matrix_and_is_none_is_said(run: Any, estate: Path) -> None:
    missing = run("scan", "manifests", "--zones", "nope.yaml").stderr.decode()
    assert "`zone-audit init SOURCE -o zones.yaml` writes a first matrix" in missing
    (estate / "app.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n")
    assert "holds a Deployment, not a ZoneMatrix" in run("scan", "manifests", "--zones", "app.yaml").stderr.decode()
