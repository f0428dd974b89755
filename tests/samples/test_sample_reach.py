"""What workloads of the samples can reach does not change unnoticed.

`ZONE_AUDIT_UPDATE=1 pytest tests/samples` rewrites the recorded lists after a change that is meant.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.samples.running import Sample, command

GOLDEN = Path(__file__).parent / "golden"


def test_reach_by_workload_is_as_recorded(sample: Sample) -> None:
    done = command("reach", *sample.sources[:3], "--by", "workload", "-f", "json")
    assert done.returncode == 0, done.stderr
    found = "".join(f"{line}\n" for line in lines(json.loads(done.stdout)))
    recorded = GOLDEN / f"{sample.name}.txt"
    if os.environ.get("ZONE_AUDIT_UPDATE") == "1":
        recorded.write_text(found, "utf-8")
    assert found == recorded.read_text("utf-8")


def lines(document: dict[str, Any]) -> list[str]:
    """`source -> target  ports  verdict ...`; outside addresses by zone and blocks, as their ids are arbitrary."""
    names = {one["id"]: name_of(one) for one in document["endpoints"]}
    return sorted(
        f"{names[one['src']]} -> {names[one['dst']]}  {ports(one['ports'])}  {remarks(one)}"
        for one in document["connections"]
    )


def name_of(endpoint: dict[str, Any]) -> str:
    if endpoint["kind"] != "IPBlock":
        return str(endpoint["id"])
    blocks = endpoint["cidrs"]
    more = f"+{len(blocks) - 2}" if len(blocks) > 2 else ""
    return f"{endpoint['zone']}[{' '.join(blocks[:2])}{more}]"


def ports(found: dict[str, str]) -> str:
    return " ".join(f"{protocol.lower()}/{text}" for protocol, text in sorted(found.items()))


def remarks(connection: dict[str, Any]) -> str:
    more = [f"{name}={json.dumps(connection[name])}" for name in ("reason", "exposed", "partial") if name in connection]
    return " ".join([connection["verdict"], *more])
