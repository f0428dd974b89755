"""Signatures, time-stamps and signed PDFs, with authorities made here."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.bundles.conftest import Zone
from tests.outputs.example_report import clean

x509: Any = pytest.importorskip("cryptography.x509")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402

Make = Callable[..., Path]
SECRET = "correct horse"  # noqa: S105 - of a key that is made here
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Owner(NamedTuple):
    key: Path
    public: Path
    certificate: Path


def owner(folder: Path, name: str, key: Any = None, *, purpose: Any = None, secret: str = "") -> Owner:
    key = key or ec.generate_private_key(ec.SECP256R1())
    lock: Any = serialization.BestAvailableEncryption(secret.encode()) if secret else serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    made = Owner(*(folder / f"{name}.{suffix}" for suffix in ("pem", "pub", "crt")))
    made.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, lock))
    made.public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    about = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(*(True, True), *([False] * 7))
    builder = x509.CertificateBuilder().subject_name(about).issuer_name(about).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(START).not_valid_after(START.replace(year=2099))
    builder = builder.add_extension(usage, critical=True)
    if purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made.certificate.write_bytes(builder.sign(key, algorithm).public_bytes(pem))
    return made


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())])
def test_a_signature_verifies_with_its_key_and_no_other(make: Make, zone: Zone, tmp_path: Path, key: Any) -> None:
    file, mine, other = make(), owner(tmp_path, "mine", key), owner(tmp_path, "other")
    assert zone("verify", file, "--require-signature", "-f", "json").checks["signature"] == "failed"
    assert zone("evidence", "sign", file, "--key", mine.key).code == 0
    assert zone("verify", file).code == 3
    for public in (mine.public, mine.certificate):
        assert zone("verify", file, "--public-key", public, "--require-signature").code == 0
    done = zone("verify", file, "--public-key", other.public, "-f", "json")
    assert (done.code, done.checks["signature"]) == (1, "failed")
    assert zone("evidence", "sign", file, "--key", other.key).code == 0
    assert zone("verify", file, "--public-key", mine.public, "--public-key", other.public).code == 0


def test_the_statement_is_one_of_in_toto_about_this_bundle(make: Make, zone: Zone, tmp_path: Path) -> None:
    import base64

    from audit.evidence.bundle import opened

    file = make()
    assert zone("evidence", "sign", file, "--key", owner(tmp_path, "mine").key).code == 0
    envelope = json.loads(Path(f"{file}.dsse.json").read_text())
    said = json.loads(base64.b64decode(envelope["payload"]))
    manifest = opened(file).manifest
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert [one["digest"]["sha256"] for one in said["subject"]] == [opened(file).sha256, manifest.snapshot]
    assert said["predicate"]["result"] == "FAILED"
    assert [one["name"] for one in said["predicate"]["configuration"]] == ["zones.yaml"]
    assert said["predicate"]["failedTests"]


def test_a_signature_that_changed_or_is_of_another_bundle_fails(make: Make, zone: Zone, tmp_path: Path) -> None:
    from audit.evidence import envelope, keys
    from audit.evidence.bundle import opened

    file, mine = make(), owner(tmp_path, "mine", ed25519.Ed25519PrivateKey.generate())
    assert zone("evidence", "sign", file, "--key", mine.key).code == 0
    place, public = Path(f"{file}.dsse.json"), [keys.public_key(str(mine.public))]
    content, held = place.read_bytes(), opened(file)
    assert envelope.checked(held, public).result == "passed"
    for at in range(0, len(content), 5):
        place.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert envelope.checked(held, public).result == "failed", at
    other = make("other.zip", "--fail-on", "high")
    Path(f"{other}.dsse.json").write_bytes(content)
    assert zone("verify", other, "-f", "json").checks["signature"] == "failed"
    assert zone("evidence", "sign", other, "--key", mine.key).code == 2


def test_an_encrypted_key_takes_its_passphrase_from_the_environment_and_never_shows_it(
    make: Make, zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, mine = make(), owner(tmp_path, "mine", secret=SECRET)
    monkeypatch.delenv("ZONE_AUDIT_KEY_PASSPHRASE", raising=False)
    done = zone("evidence", "sign", file, "--key", mine.key)
    assert done.code == 2
    assert "ZONE_AUDIT_KEY_PASSPHRASE" in done.err
    for word, code in ((f"{SECRET}!", 2), (SECRET, 0)):
        monkeypatch.setenv("ZONE_AUDIT_KEY_PASSPHRASE", word)
        done = zone("evidence", "sign", file, "--key", mine.key)
        assert done.code == code
        assert SECRET not in done.out + done.err
    assert zone("verify", file, "--public-key", mine.public).code == 0


def test_keys_of_other_kinds_are_refused_in_words(make: Make, zone: Zone, tmp_path: Path) -> None:
    file, weak = make(), owner(tmp_path, "weak", rsa.generate_private_key(65537, 2048))
    for done in (
        zone("evidence", "sign", file, "--key", weak.key),
        zone("evidence", "sign", file, "--key", tmp_path / "zones.yaml"),
        zone("evidence", "sign", file, "--key", tmp_path / "none.pem"),
        zone("verify", file, "--public-key", weak.public),
    ):
        assert done.code == 2
        assert "Traceback" not in done.err
    assert not Path(f"{file}.dsse.json").exists()


def test_without_the_extra_the_way_to_install_it_is_said(make: Make, zone: Zone, tmp_path: Path) -> None:
    file, mine = make(), owner(tmp_path, "mine")
    assert zone("evidence", "sign", file, "--key", mine.key).code == 0
    lacking = "import sys; sys.modules['cryptography'] = None; from audit import cli; sys.exit(cli.run(sys.argv[1:]))"

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-c", lacking, *map(str, words)]
        return subprocess.run(line, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])

    done = run("evidence", "sign", file, "--key", mine.key)
    assert done.returncode == 2
    assert "pip install 'zone-audit[signing]'" in done.stderr
    done = run("verify", file, "-f", "json")
    checks = {one["name"]: one["result"] for one in json.loads(done.stdout)["checks"]}
    assert (done.returncode, checks["signature"], checks["analysis"]) == (3, "unchecked", "passed")


def answered(request: Path, authority: Owner) -> bytes:
    """What an authority says to a request."""
    from asn1crypto import keys, tsp
    from asn1crypto import x509 as asn1
    from pyhanko.sign.timestamps import DummyTimeStamper

    key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    held = asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
    stamper = DummyTimeStamper(
        held, keys.PrivateKeyInfo.load(der), fixed_dt=dt.datetime(2026, 11, 23, 6, tzinfo=dt.UTC)
    )
    return bytes(stamper.request_tsa_response(tsp.TimeStampReq.load(request.read_bytes())).dump())


def test_a_time_stamp_verifies_with_its_authority_and_no_other(make: Make, zone: Zone, tmp_path: Path) -> None:
    stamping = x509.ExtendedKeyUsageOID.TIME_STAMPING
    file, tsa = make(), owner(tmp_path, "tsa", rsa.generate_private_key(65537, 2048), purpose=stamping)
    other = owner(tmp_path, "other", rsa.generate_private_key(65537, 2048), purpose=stamping)
    request, answer = tmp_path / "request.tsq", tmp_path / "answer.tsr"
    assert zone("evidence", "timestamp", "request", file, "-o", request).code == 0
    answer.write_bytes(answered(request, tsa))
    assert zone("verify", file, "--tsa-root", tsa.certificate, "-f", "json").checks["time-stamp"] == "failed"
    done = zone("evidence", "timestamp", "attach", file, answer)
    assert done.code == 0, done.err
    assert zone("verify", file).code == 3
    done = zone("verify", file, "--tsa-root", tsa.certificate)
    assert done.code == 0, done.out
    assert "it existed at 2026-11-23T06:00:00Z" in done.out
    assert zone("verify", file, "--tsa-root", other.certificate, "-f", "json").checks["time-stamp"] == "failed"
    later = make("other.zip", "--fail-on", "high")
    assert zone("evidence", "timestamp", "attach", later, answer).code == 2
    shutil.copy(f"{file}.tsr", f"{later}.tsr")
    assert zone("verify", later, "-f", "json").checks["time-stamp"] == "failed"
    answer.write_bytes(b"no answer")
    assert zone("evidence", "timestamp", "attach", file, answer).code == 2


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_openssl_reads_the_request(make: Make, zone: Zone, tmp_path: Path) -> None:
    from audit.evidence.bundle import opened

    file, request = make(), tmp_path / "request.tsq"
    assert zone("evidence", "timestamp", "request", file, "-o", request).code == 0
    line = ["openssl", "ts", "-query", "-in", str(request), "-text"]
    said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    digits = "".join(part for line in said.splitlines() if " - " in line for part in line.split(" - ")[1][:48].split())
    assert digits.replace("-", "") == opened(file).sha256


@pytest.fixture(name="pdf", scope="module")
def _pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from audit.pages.printed import pdf

    target = tmp_path_factory.mktemp("pdf") / "report.pdf"
    target.write_bytes(pdf(clean()))
    return target


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())])
def test_a_signed_pdf_verifies_and_shows_changes(pdf: Path, zone: Zone, tmp_path: Path, key: Any) -> None:
    mine, other, out = owner(tmp_path, "mine", key), owner(tmp_path, "other"), tmp_path / "signed.pdf"
    words = ("evidence", "sign-pdf", pdf, "--key", mine.key, "--cert", mine.certificate, "-o", out)
    done = zone(*words)
    assert done.code == 0, done.err
    content = out.read_bytes()
    assert content.startswith(pdf.read_bytes())
    assert zone("verify", out).code == 3
    assert zone("verify", out, "--trust", mine.certificate).code == 0
    assert zone("verify", out, "--trust", other.certificate).code == 1
    assert zone("verify", pdf, "--trust", mine.certificate).code == 1
    for at in (100, len(content) // 2, len(content) - 300):
        out.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert zone("verify", out, "--trust", mine.certificate).code == 1, at
    out.write_bytes(content + b"\n% more\n")
    assert zone("verify", out, "--trust", mine.certificate).code == 1


def test_a_signed_pdf_is_the_report_of_one_bundle(
    pdf: Path, make: Make, zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit import pages

    mine, out, other = owner(tmp_path, "mine"), tmp_path / "signed.pdf", make()
    monkeypatch.setattr(pages, "pdf", lambda *_: pdf.read_bytes())
    file = make("with.zip")
    assert zone("evidence", "sign-pdf", pdf, "--key", mine.key, "--cert", mine.certificate, "-o", out).code == 0
    assert zone("verify", out, "--trust", mine.certificate, "--report-of", file).code == 0
    assert zone("verify", out, "--trust", mine.certificate, "--report-of", other).code == 1


def test_what_is_no_pdf_or_no_pair_of_key_and_certificate_is_refused(pdf: Path, zone: Zone, tmp_path: Path) -> None:
    mine, other, out = owner(tmp_path, "mine"), owner(tmp_path, "other"), tmp_path / "signed.pdf"
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    for file, certificate in ((tmp_path / "broken.pdf", mine.certificate), (pdf, other.certificate)):
        done = zone("evidence", "sign-pdf", file, "--key", mine.key, "--cert", certificate, "-o", out)
        assert done.code == 2
        assert "Traceback" not in done.err
    assert zone("verify", tmp_path / "broken.pdf").code == 1
    assert not out.exists()
