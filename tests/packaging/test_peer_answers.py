from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from installs import ROOT

HEADER = "source,target,verdict,ports,exposed,partial,reason\n"
OURS = (
    "ip/0 (10.20.0.0/26 +3),zone-0-0000/ReplicaSet/app-0,allowed,tcp/1521,unknown,,\n"
    "zone-0-0000/ReplicaSet/app-0,zone-1-0001/ReplicaSet/app-0,allowed,any,,,\n"
    "zone-1-0001/ReplicaSet/app-0,zone-0-0000/ReplicaSet/app-0,unknown,any,,,some reason\n"
    "zone-1-0001/ReplicaSet/app-1,zone-1-0001/ReplicaSet/app-2,allowed,any,,,\n"
)
THEIRS = (
    "final connections:\n"
    "10.20.0.0-10.20.0.63 => zone-0-0000/app-0[ReplicaSet] : {protocols:TCP,dst_ports:1521}\n"
    "10.20.0.64-10.20.0.127 => zone-0-0000/app-0[ReplicaSet] : All connections\n"
    "zone-0-0000/app-0[ReplicaSet] => zone-1-0001/app-0[ReplicaSet] : All connections\n"
)


@pytest.fixture(scope="module")
def answers() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield importlib.import_module("peer_answers")


def sentence(answers: ModuleType, folder: Path, theirs: str, ours: str = OURS) -> str:
    (folder / "peer.txt").write_text(theirs, encoding="utf-8")
    (folder / "ours.csv").write_text(HEADER + ours, encoding="utf-8")
    text: str = answers.compared(folder / "peer.txt", folder / "ours.csv", namespaces=2)
    return text


def test_equal_answers_agree_and_what_is_undecided_counts_as_neither(answers: ModuleType, tmp_path: Path) -> None:
    text = sentence(answers, tmp_path, THEIRS)
    assert "2 connections are the same, 1 undecided, 0 differ;" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dst_ports:1521", "dst_ports:1522"),
        ("dst_ports:1521", "src_ports:1521"),
        ("10.20.0.0-10.20.0.63", "10.20.0.1-10.20.0.63"),
        ("=> zone-1-0001/app-0", "=> zone-1-0001/app-9"),
        ("zone-0-0000/app-0[ReplicaSet] => zone-1", "# "),
    ],
)
def test_any_other_answer_differs_and_is_named(answers: ModuleType, tmp_path: Path, old: str, new: str) -> None:
    assert old in THEIRS
    text = sentence(answers, tmp_path, THEIRS.replace(old, new))
    assert " 0 differ" not in text
    assert " differ (" in text


def test_workloads_outside_the_sample_are_not_compared(answers: ModuleType, tmp_path: Path) -> None:
    assert answers.sampled(2) == {"zone-0-0000/app-0"}
    more = THEIRS + "zone-1-0001/app-2[ReplicaSet] => zone-1-0001/app-1[ReplicaSet] : All connections\n"
    assert sentence(answers, tmp_path, more) == sentence(answers, tmp_path, THEIRS)
