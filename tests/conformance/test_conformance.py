"""The public cases of another analyser: the engine says the same, or the difference is listed with its reason.

The lists record that tool's reading. Where they differ from the text of the Kubernetes API, the text wins, and
differences.yaml says so; an unlisted difference fails, and so does a listed one that no longer occurs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.errors import AuditErrors, InputError
from tests.conformance.peer import (
    ALL,
    CASES,
    Difference,
    Line,
    Listed,
    Range,
    differences,
    end,
    judge,
    points,
    read,
    shown,
)
from tests.oracle.engine import document, snapshot_of
from tests.oracle.portbits import PortBits

LISTED: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("differences.yaml").read_text(encoding="utf-8"))
NAMES = sorted(path.name for path in CASES.iterdir()) if CASES.is_dir() else []


@pytest.mark.skipif(not NAMES, reason="the folder with the public cases is not beside the repository")
@pytest.mark.parametrize("case", NAMES)
def test_public_case(case: str) -> None:
    expected = read(CASES / case / "expected.txt")
    try:
        found = differences(expected, document(snapshot_of(CASES / case / "manifests"), by="workload"))
    except InputError as error:
        found = [Difference(error.message, "refused", str(error))]
    except AuditErrors as several:
        found = [Difference(error.message, "refused", str(error)) for error in several.errors]
    entries = [Listed(tuple(e["pairs"]), e["ours"], e["reason"]) for e in LISTED if case in e["cases"]]
    complaints = judge(found, entries)
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.mark.skipif(not NAMES, reason="the folder with the public cases is not beside the repository")
def test_every_listed_case_exists() -> None:
    assert {case for entry in LISTED for case in entry["cases"]} <= set(NAMES)


def test_every_listed_difference_has_a_reason() -> None:
    assert all(entry["reason"].strip() and entry["cases"] and entry["pairs"] for entry in LISTED)


# The comparison itself -----------------------------------------------------------------------------------------------


def test_ports_are_read_with_the_protocol_that_precedes_them() -> None:
    both = PortBits.of("SCTP", 1, 2) | PortBits.of("SCTP", 7, 7) | PortBits.of("TCP", 80, 80)
    assert points("SCTP 1-2,7,TCP 80") == both
    assert points("All Connections") == ALL
    assert shown(points("TCP 1-3,5,UDP 9")) == "TCP 1-3, TCP 5, UDP 9"


def test_ends_are_read() -> None:
    assert end("a/b[Deployment]") == end("a[udn]/b[Deployment]") == "a/Deployment/b"
    assert end("0.0.0.0-255.255.255.255[External]") == Range(0, (1 << 32) - 1)


def made(*connections: tuple[str, str, str, str]) -> dict[str, Any]:
    """A document over two workloads and an outside cut at 128.0.0.0."""
    blocks = [
        {"id": f"ip/{n}", "kind": "IPBlock", "cidrs": [c]} for n, c in enumerate(("0.0.0.0/1", "128.0.0.0/1", "::/0"))
    ]
    found = [{"src": s, "dst": d, "verdict": v, "ports": {"TCP": p}} for s, d, v, p in connections]
    return {"endpoints": blocks, "connections": found}


def test_the_outside_is_compared_address_by_address() -> None:
    whole = Line(end("0.0.0.0-255.255.255.255[External]"), "a/Pod/x", points("TCP 80"))
    same = made(
        ("ip/0", "a/Pod/x", "allowed", "80"), ("ip/1", "a/Pod/x", "allowed", "80"), ("ip/2", "a/Pod/x", "allowed", "1")
    )
    assert differences([whole], same) == []
    (found,) = differences([whole], made(("ip/0", "a/Pod/x", "allowed", "80")))
    assert (found.pair, found.kind) == ("128.0.0.0-255.255.255.255 => a/Pod/x", "closed")


def test_a_difference_says_how_ours_differs() -> None:
    line = Line("a/Pod/x", "a/Pod/y", points("TCP 80-81"))
    kinds = {
        "allowed 80-81": "",
        "allowed 80-82": "open",
        "allowed 80": "closed",
        "unknown 80-81": "unknown",
        "unknown 80": "closed+unknown",
    }
    for answer, kind in kinds.items():
        verdict, ports = answer.split()
        assert "".join(d.kind for d in differences([line], made(("a/Pod/x", "a/Pod/y", verdict, ports)))) == kind


def test_the_judge_wants_every_difference_listed_and_every_entry_used() -> None:
    found = [Difference("a => b", "open", "..."), Difference("a => c", "closed", "...")]
    assert judge(found, [Listed(("a => b",), "open", "r"), Listed(("* => c",), "closed", "r")]) == []
    assert len(judge(found, [Listed(("a => b",), "closed", "r"), Listed(("* => c",), "closed", "r")])) == 2
    assert len(judge(found, [])) == 2
