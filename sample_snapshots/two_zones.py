"""Writes `cluster.yaml` of `two-zones` and `two-zones-faulty`: rights, and what a dump says of the cluster itself.

python sample_snapshots/two_zones.py [FOLDER]
"""

# ruff: noqa: INP001 - a script beside the samples, not a package

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import openshift_4 as platform
import yaml
from clusters import text_of
from zoned import Object, made, namespace

FOLDER = Path(__file__).parent
SPACES = {"storefront": "a", "catalog": "a", "mailing": "a", "ledger": "b", "billing": "b", "reports": "b"}
OWN = ("ClusterVersion", "Network")
"""Kinds left out: the sample is judged by the text of the API, whatever the network plug-in."""


def write(folder: Path) -> None:
    """The file in both samples."""
    for name in ("two-zones", "two-zones-faulty"):
        (folder / name / "manifests").mkdir(parents=True, exist_ok=True)
        (folder / name / "manifests" / "cluster.yaml").write_text(text_of(list(cluster()), "two_zones.py"), "utf-8")


def cluster() -> Iterator[Object]:
    """Every object."""
    for name in ("openshift-config", "openshift-ingress-canary", "openshift-network-diagnostics"):
        one = namespace(name)
        del one["metadata"]["annotations"]
        yield one
    target = {"to": {"kind": "Service", "name": "ingress-canary", "weight": 100}, "wildcardPolicy": "None"}
    yield made("route.openshift.io/v1", "Route", "canary", "openshift-ingress-canary", spec=target)
    parts = platform.project_parts("a")
    for one in platform.configuration(parts):
        if one["kind"] == "Infrastructure":
            one["status"] |= {"platform": "None", "platformStatus": {"type": "None"}}
        if one["kind"] not in OWN:
            yield one
    yield from platform.rights(SPACES)
    nodes = yaml.safe_load_all((FOLDER / "two-zones" / "manifests" / "nodes.yaml").read_text("utf-8"))
    yield from platform.checks(list(nodes), "infra-a-1")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
