"""Objects that would run pods which the input does not show leave the population incomplete."""

from __future__ import annotations

import io

import pytest

from audit.sources import read

ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: app}
spec: {template: {spec: {containers: [{name: c}]}}}
"""
OWNED = """---
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: app, ownerReferences: [{kind: %s, name: web, controller: true}]}
spec: {containers: [{name: c}]}
"""
TEMPLATE = """
apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: web, namespace: app}
objects: [{kind: Deployment}]
"""
MACHINE = """
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: web, namespace: app}
spec: {domain: {}}
"""
SCHEMA = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rollouts.argoproj.io}
spec: {versions: [{schema: {properties: {containers: [{}]}}}]}
"""


def gaps(text: str) -> list[str]:
    return [gap.scope for gap in read(["-"], stdin=io.BytesIO(text.encode())).gaps]


@pytest.mark.parametrize(
    ("text", "scope"),
    [(ROLLOUT, "Rollout app/web"), (TEMPLATE, "Template app/web"), (MACHINE, "VirtualMachineInstance app/web")],
)
def test_a_workload_of_an_unknown_kind_without_pods_is_a_gap(text: str, scope: str) -> None:
    assert gaps(text) == [scope]


def test_a_workload_whose_pods_were_read_is_no_gap() -> None:
    assert gaps(ROLLOUT + OWNED % "Rollout") == []
    assert gaps(ROLLOUT + OWNED % "Job") == ["Rollout app/web"]


def test_a_schema_that_mentions_containers_is_no_workload() -> None:
    assert gaps(SCHEMA) == []
