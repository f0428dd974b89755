"""`zone-audit ports`: formats and exit codes, as a user sees them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

ZONES = """\
apiVersion: zone-audit/v1
kind: ZoneMatrix
metadata: {name: ports}
defaults: {inter_zone: deny, intra_zone: allow, unzoned: fail, severity: high}
zones:
- {name: dmz}
- {name: internal}
flows: []
"""
NODE = """\
apiVersion: v1
kind: Node
metadata: {{name: {name}, labels: {{network-zone: {zone}}}}}
status: {{addresses: [{{type: InternalIP, address: {address}}}]}}
"""
NODES = "---\n".join(
    NODE.format(name=name, zone=zone, address=address)
    for name, zone, address in (("e1", "dmz", "10.20.0.5"), ("w1", "internal", "10.30.0.5"))
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zones.yaml").write_text(ZONES)
    (tmp_path / "nodes.yaml").write_text(NODES)
    return tmp_path


def ports(run: Any, folder: Path, *more: str) -> Any:
    return run("ports", folder / "nodes.yaml", "--zones", folder / "zones.yaml", "--cni", "calico", *more)


def test_the_table_names_the_nodes_of_each_zone_and_what_they_need(run: Any, folder: Path) -> None:
    done = ports(run, folder)
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "dmz: e1 10.20.0.5" in text
    assert any(line.split()[:4] == ["dmz", "internal", "tcp", "179"] for line in text.splitlines())


def test_csv_has_one_line_for_each_pair_of_nodes_and_json_one_for_each_opening(run: Any, folder: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(ports(run, folder, "-f", "csv").stdout.decode())))
    assert {(one["source"], one["destination"]) for one in lines} == {
        ("10.20.0.5", "10.30.0.5"),
        ("10.30.0.5", "10.20.0.5"),
    }
    document = json.loads(ports(run, folder, "-f", "json").stdout)
    assert document["schema"] == "zone-audit.ports/1"
    assert len(document["openings"]) == len(lines)


def test_a_complete_firewall_exits_0_and_one_that_lacks_something_1(run: Any, folder: Path) -> None:
    done = ports(run, folder, "-o", str(folder / "rules.csv"))
    assert done.returncode == 0
    rules = ("--firewall", str(folder / "rules.csv"))
    assert ports(run, folder, *rules).returncode == 0
    lines = (folder / "rules.csv").read_text().splitlines()
    (folder / "rules.csv").write_text("\n".join(line for line in lines if ",179," not in line) + "\n")
    done = ports(run, folder, *rules)
    assert done.returncode == 1
    assert b"2 openings are missing" in done.stderr
    assert [line.split()[5] for line in done.stdout.decode().splitlines() if line.startswith("dmz ")] == ["179"]


def test_addresses_that_are_not_known_leave_it_incomplete(run: Any, folder: Path) -> None:
    (folder / "rules.csv").write_text("source,destination,service\nany,any,any\n")
    with (folder / "nodes.yaml").open("a") as file:
        file.write("---\napiVersion: v1\nkind: Node\nmetadata: {name: x1, labels: {network-zone: dmz}}\n")
    done = ports(run, folder, "--firewall", str(folder / "rules.csv"))
    assert (done.returncode, b"no address of x1" in done.stderr) == (3, True)


def test_an_input_without_nodes_and_a_wrong_rule_are_errors(run: Any, folder: Path) -> None:
    (folder / "rules.csv").write_text("source,destination,service\ndmx,any,any\n")
    done = ports(run, folder, "--firewall", str(folder / "rules.csv"))
    assert (done.returncode, b"rules.csv:2" in done.stderr) == (2, True)
    (folder / "nodes.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n")
    assert ports(run, folder).returncode == 2


def test_an_output_does_not_replace_the_rules(run: Any, folder: Path) -> None:
    (folder / "rules.csv").write_text("source,destination,service\nany,any,any\n")
    rules = str(folder / "rules.csv")
    assert ports(run, folder, "--firewall", rules, "-o", rules).returncode == 2
