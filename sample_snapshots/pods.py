"""Writes `pods.json` beside the manifests of a sample: what a cluster would have made of its workloads.

    python sample_snapshots/pods.py FOLDER...

Out come ReplicaSets, ReplicationControllers, Jobs and Pods with owner references, node, labels and addresses, one
object to a line; equal manifests give equal bytes. Node number n of nodes.yaml gives out 10.128.(2n).5 and up, and
fd01:0:0:n::5 and up where the node itself has an IPv6 address. Host-network pods have the address of their node.
"""

# ruff: noqa: INP001 - a script beside the samples, not a package

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters Kubernetes takes for generated names."""
JOB_NUMBER = 29384730
"""Scheduled time of the one run of each CronJob, in minutes since 1970, as the CronJob controller names Jobs."""


def main(folders: list[str]) -> None:
    """Rewrite pods.json in each folder."""
    for folder in folders:
        texts = [path.read_text("utf-8") for path in sorted(Path(folder).glob("*.yaml"))]
        objects = [one for text in texts for one in yaml.safe_load_all(text) if one]
        (Path(folder) / "pods.json").write_text(render(objects), "utf-8")


def render(objects: list[Object]) -> str:
    """The text of pods.json."""
    lines = ",\n".join(json.dumps(one) for one in dump(objects))
    return f'{{"apiVersion": "v1", "kind": "List", "items": [\n{lines}\n]}}\n'


def dump(objects: list[Object]) -> Iterator[Object]:
    """The objects that controllers add to these."""
    cluster = Cluster([one for one in objects if one["kind"] == "Node"])
    workloads = [one for one in objects if one["kind"] in RUN]
    for one in sorted(workloads, key=lambda one: (one["metadata"]["namespace"], one["kind"], one["metadata"]["name"])):
        yield from RUN[one["kind"]](one, cluster)


class Cluster:
    """Nodes and the addresses they have given out so far."""

    def __init__(self, nodes: list[Object]) -> None:
        self._nodes = nodes
        self._given = [0] * len(nodes)

    def fitting(self, template: Object) -> list[int]:
        """Numbers of the nodes where this template may run; without a node selector those are the workers."""
        wanted = template["spec"].get("nodeSelector") or {"node-role.kubernetes.io/worker": ""}
        labels = [node["metadata"]["labels"] for node in self._nodes]
        return [number for number, present in enumerate(labels) if wanted.items() <= present.items()]

    def spread(self, workload: Object, template: Object, index: int) -> int:
        """The node of replica `index`; neighbours stand on different nodes, and other workloads have no say."""
        fitting = self.fitting(template)
        name = f"{workload['metadata']['namespace']}/{workload['metadata']['name']}"
        return fitting[(hashlib.sha256(name.encode()).digest()[0] + index) % len(fitting)]

    def place(self, template: Object, number: int) -> tuple[str, list[str], list[str]]:
        """Name and addresses of the node, and the addresses of a pod there."""
        node = self._nodes[number]
        host = [one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP"]
        if template["spec"].get("hostNetwork"):
            return node["metadata"]["name"], host, host
        self._given[number] += 1
        last = 4 + self._given[number]
        pod = [f"10.128.{2 * number}.{last}"] + ([f"fd01:0:0:{number:x}::{last:x}"] if len(host) > 1 else [])
        return node["metadata"]["name"], host, pod


def _deployment(one: Object, cluster: Cluster) -> Iterator[Object]:
    mark = letters(json.dumps(one["spec"]["template"]), 9)
    template = labelled(one["spec"]["template"], {"pod-template-hash": mark})
    middle = controller("apps/v1", "ReplicaSet", f"{one['metadata']['name']}-{mark}", one, template)
    yield middle
    yield from _replicas(one, middle, template, cluster)


def _deployment_config(one: Object, cluster: Cluster) -> Iterator[Object]:
    config = one["metadata"]["name"]
    more = {"deployment": f"{config}-1", "deploymentconfig": config, "openshift.io/deployment-config.name": config}
    template = labelled(one["spec"]["template"], more)
    middle = controller("v1", "ReplicationController", f"{config}-1", one, template)
    yield middle
    yield from _replicas(one, middle, template, cluster)


def _replicas(workload: Object, middle: Object, template: Object, cluster: Cluster) -> Iterator[Object]:
    for index in range(workload["spec"].get("replicas", 1)):
        name = f"{middle['metadata']['name']}-{letters(f'{middle}{index}', 5)}"
        yield pod(name, middle, template, cluster, cluster.spread(workload, template, index))


def _stateful_set(one: Object, cluster: Cluster) -> Iterator[Object]:
    for index in range(one["spec"].get("replicas", 1)):
        name = f"{one['metadata']['name']}-{index}"
        template = labelled(one["spec"]["template"], {"statefulset.kubernetes.io/pod-name": name})
        yield pod(name, one, template, cluster, cluster.spread(one, template, index))


def _daemon_set(one: Object, cluster: Cluster) -> Iterator[Object]:
    template = one["spec"]["template"]
    for number in cluster.fitting(template):
        yield pod(f"{one['metadata']['name']}-{letters(f'{one}{number}', 5)}", one, template, cluster, number)


def _cron_job(one: Object, cluster: Cluster) -> Iterator[Object]:
    name = f"{one['metadata']['name']}-{JOB_NUMBER}"
    template = labelled(one["spec"]["jobTemplate"]["spec"]["template"], {"batch.kubernetes.io/job-name": name})
    run = controller("batch/v1", "Job", name, one, template)
    yield run
    yield pod(f"{name}-{letters(name, 5)}", run, template, cluster, cluster.spread(one, template, 0))


def _job(one: Object, cluster: Cluster) -> Iterator[Object]:
    name = one["metadata"]["name"]
    template = labelled(one["spec"]["template"], {"batch.kubernetes.io/job-name": name})
    yield pod(f"{name}-{letters(name, 5)}", one, template, cluster, cluster.spread(one, template, 0))


RUN = {
    "Deployment": _deployment,
    "DeploymentConfig": _deployment_config,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "CronJob": _cron_job,
    "Job": _job,
}


def controller(version: str, kind: str, name: str, owner: Object, template: Object) -> Object:
    """The object between a workload and its pods."""
    size = {} if kind == "Job" else {"replicas": owner["spec"].get("replicas", 1)}
    metadata = owned(name, owner, template["metadata"]["labels"])
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {**size, "template": template}}


def pod(name: str, owner: Object, template: Object, cluster: Cluster, number: int) -> Object:
    """One running pod on node `number`."""
    node, host, addresses = cluster.place(template, number)
    spec = {**template["spec"], "nodeName": node}
    status = {
        "phase": "Running",
        "hostIP": host[0],
        "podIP": addresses[0],
        "podIPs": [{"ip": address} for address in addresses],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    metadata = owned(name, owner, template["metadata"]["labels"])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def owned(name: str, owner: Object, labels: dict[str, str]) -> Object:
    """`metadata` of something that a controller made."""
    reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    return {
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "labels": labels,
        "ownerReferences": [{**reference, "controller": True}],
    }


def labelled(template: Object, more: dict[str, str]) -> Object:
    """A pod template with the labels that its controller adds."""
    return {**template, "metadata": {"labels": {**template["metadata"]["labels"], **more}}}


def letters(seed: str, count: int) -> str:
    """A name part that looks generated and depends on nothing but `seed`."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:count])


if __name__ == "__main__":
    main(sys.argv[1:])
