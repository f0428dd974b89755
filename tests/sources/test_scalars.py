"""Every row was written down from `kubectl label --local -o json` (1.32), which first of all turns YAML into JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from audit.errors import InputError
from audit.sources.text import Text
from audit.sources.yaml_text import Composer

TABLE: tuple[tuple[str, object], ...] = (
    ("22:22", "22:22"),
    ("190:20:30", "190:20:30"),
    ("y", True),
    ("Y", True),
    ("yes", True),
    ("YES", True),
    ("yEs", "yEs"),
    ("n", False),
    ("N", False),
    ("NO", False),
    ("on", True),
    ("On", True),
    ("off", False),
    ("OFF", False),
    ("true", True),
    ("tRue", "tRue"),
    ("0o17", 15),
    ("0O17", 15),
    ("0o8", "0o8"),
    ("017", 15),
    ("08", 8),
    ("09", 9),
    ("0x1F", 31),
    ("0X1F", 31),
    ("-0x1F", -31),
    ("0x", "0x"),
    ("0x_1", 1),
    ("0x1_1", 17),
    ("0b11", 3),
    ("-0b11", -3),
    ("0b2", "0b2"),
    ("+1", 1),
    ("-0", 0),
    ("1_000", 1000),
    ("1__0", 10),
    ("1_", 1),
    ("_1", "_1"),
    ("-_1", -1),
    ("0_1", 1),
    ("1.5", 1.5),
    (".5", 0.5),
    ("+.5", 0.5),
    ("5.", 5),
    ("1.0", 1),
    ("-0.0", 0),
    ("1_0.5", 10.5),
    ("1e3", 1000),
    ("1E3", 1000),
    ("1.e3", 1000),
    ("1e1_0", 10_000_000_000),
    ("1e-3", 0.001),
    ("1e", "1e"),
    ("1e400", "1e400"),
    ("1e21", 1e21),
    ("5e-324", 5e-324),
    ("9223372036854775807", 9223372036854775807),
    ("-9223372036854775808", -9223372036854775808),
    ("12345678901234567890", 12345678901234567890.0),
    ("123456789012345678901234567890", 1.2345678901234568e29),
    ("0xFFFFFFFFFFFFFFFF", 18446744073709551615.0),
    ("0x1FFFFFFFFFFFFFFFF", "0x1FFFFFFFFFFFFFFFF"),
    ("~", None),
    ("null", None),
    ("NULL", None),
    ("nUll", "nUll"),
    ('""', ""),
    ('"on"', "on"),
    ("'5'", "5"),
    ("2024-01-01", "2024-01-01"),
    ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
    ("2024-01-01 00:00:00", "2024-01-01 00:00:00"),
    ("=", "="),
    ("<<", "<<"),
    (".", "."),
    ("+", "+"),
    ("1.2.3", "1.2.3"),
    ("inf", "inf"),
    ("NaN", "NaN"),
    ("1p3", "1p3"),
    ("! 5", "5"),
    ("!!str 5", "5"),
    ("!!int 5", 5),
    ('!!int "5"', 5),
    ("!!float 3", 3),
    ("!!bool y", True),
    ('!!null ""', None),
    ("!!timestamp 2024-01-01", "2024-01-01"),
)
REFUSED = (".inf", "-.inf", "+.INF", ".nan", ".NaN")
KEYS = (("1", "1"), ("0x10", "16"), ("1e3", "1000"), ("y", "true"), ("off", "false"), ("2024-01-01", "2024-01-01"))


def compose(document: str) -> object:
    return Composer(Text("a.yaml", b"", 0, named=True), 1).compose(document)


@pytest.mark.parametrize(("written", "meant"), TABLE)
def test_a_scalar_means_what_kubectl_makes_of_it(written: str, meant: object) -> None:
    assert repr(compose(f"v: {written}\n")) == repr({"v": meant})


@pytest.mark.parametrize(("written", "meant"), KEYS)
def test_a_key_becomes_the_text_of_its_value(written: str, meant: str) -> None:
    assert compose(f"{written}: v\n") == {meant: "v"}


@pytest.mark.parametrize("written", REFUSED)
def test_infinity_and_nan_are_refused(written: str) -> None:
    with pytest.raises(InputError, match=r"^a\.yaml:1:4: .* is not a number"):
        compose(f"v: {written}\n")


@pytest.mark.parametrize("tag", ["!foo", "!!binary", "!!set", "!!python/name:os.system", "!!python/none"])
def test_tags_beyond_the_json_types_are_refused(tag: str) -> None:
    with pytest.raises(InputError, match="has no meaning in a Kubernetes object"):
        compose(f"v: {tag} a\n")


def test_a_number_of_any_length_is_read_in_no_time() -> None:
    digits = "9" * 200_000
    assert compose(f"a: {digits}\nb: 0x{digits}\n") == {"a": digits, "b": f"0x{digits}"}


@pytest.mark.parametrize(
    ("document", "meant"),
    [
        ("x: &a {k: 1, z: 9}\nout: {<<: *a, k: 2}", {"k": 2, "z": 9}),
        ("x: &a {k: 1, z: 9}\nw: &b {k: 3, w: 1}\nout: {<<: [*a, *b]}", {"k": 1, "z": 9, "w": 1}),
        ("x: &a {k: 1}\nw: &b {<<: *a, m: 3}\nout: {<<: *b}", {"k": 1, "m": 3}),
        ('x: &a {k: 1}\nout: {"<<": *a}', {"<<": {"k": 1}}),
        ("x: &a 1\nw: &a 2\nout: *a", 2),
    ],
)
def test_merge_keys_and_anchors_mean_what_kubectl_makes_of_them(document: str, meant: object) -> None:
    value = compose(document)
    assert isinstance(value, dict)
    assert value["out"] == meant


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_the_table_is_true_of_the_kubectl_at_hand(tmp_path: Path) -> None:
    rows = "".join(f"  - {written}\n" for written, _ in TABLE)
    manifest = f"apiVersion: a.example/v1\nkind: A\nmetadata: {{name: a}}\nspec:\n{rows}"
    command = ["kubectl", "label", "--local", "-f", "-", "-o", "json", "a=b"]
    environment = {"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    run = subprocess.run(command, input=manifest, capture_output=True, text=True, check=True, env=environment)
    # kubectl prints large floats with zeros instead of an exponent.
    spec = json.loads(run.stdout, parse_int=lambda digits: int(digits) if len(digits) < 20 else float(digits))["spec"]
    assert spec == [meant for _, meant in TABLE]
