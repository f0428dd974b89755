"""Lines of `explain` on ways through other endpoints and other zones."""

from __future__ import annotations

from collections.abc import Iterator

from audit import path_records
from audit.causes import Causes
from audit.meet import Meetings
from audit.model import ZoneMatrix
from audit.path_records import chain_text, cut_text, step, step_text
from audit.paths import between
from audit.tally import Tally
from audit.traffic import Traffic


def through(meetings: Meetings, source: int, target: int, ports: Traffic) -> Iterator[str]:
    """What lets one certain hop through, on either side; addresses decide nothing."""
    causes, pods = Causes(meetings), meetings.reach.classes.pods
    if source < pods:
        yield f"    {step_text(step(causes.side('egress', source, target, ports)))}"
    if target < pods:
        yield f"    {step_text(step(causes.side('ingress', target, source, ports)))}"


def parting(meetings: Meetings, matrix: ZoneMatrix | None, source: str, target: str) -> Iterator[str]:
    """What to close so that two zones are as far apart as the matrix wants them; nothing where they are."""
    if matrix is None:
        return
    chain, cut = between(meetings, matrix, Tally(meetings, matrix).cells(), source, target)
    if cut:
        yield f"zones {source} and {target} must be apart and are connected"
        if chain:
            yield f"  through other zones: {chain_text(path_records.chain(chain))}"
        yield f"  to part them: {cut_text(path_records.cut(cut))}"
