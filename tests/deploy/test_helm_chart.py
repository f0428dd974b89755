"""The chart: the same objects as kustomize, and values that are refused when they cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.rendering import (
    ADDRESSES,
    CHART,
    NEEDED,
    ZONES,
    Object,
    composed,
    containers,
    helm,
    kustomized,
    objects,
    pods,
    templated,
)

BOTH = "monitoring.enabled=true,openReports.enabled=true"


def scan(found: dict[tuple[str, str, str], Object]) -> Object:
    """The container that judges."""
    job: Object = found["CronJob", "zone-audit", "zone-audit"]["spec"]["jobTemplate"]["spec"]
    container: Object = job["template"]["spec"]["containers"][0]
    return container


def test_chart_and_kustomize_make_the_same_objects() -> None:
    assert objects(templated()) == objects(kustomized("base"))


@pytest.mark.parametrize(
    ("values", "components"),
    [
        ("monitoring.enabled=true", ["monitoring"]),
        ("openReports.enabled=true", ["openreports"]),
        (BOTH, ["monitoring", "openreports"]),
    ],
)
def test_so_they_do_with_components(values: str, components: list[str], tmp_path: Path) -> None:
    chart = objects(templated("--set", values))
    assert chart == objects(composed(tmp_path, "base", components))
    assert len(chart) > len(objects(kustomized("base")))


def test_values_for_plain_kubernetes_are_the_overlay_for_it() -> None:
    assert objects(templated("--values", CHART / "values-kubernetes.yaml")) == objects(
        kustomized("overlays/kubernetes")
    )


def test_the_chart_has_no_lint() -> None:
    for values in ("suspend=false", BOTH):
        done = helm("lint", "--strict", CHART, *NEEDED, "--set", values)
        assert done.returncode == 0, done.stdout
        assert "WARNING" not in done.stdout


VALUES = [
    "image.digest=sha256:" + 64 * "a",
    "image.tag=2.0.0,imagePullSecrets[0].name=pull",
    "suspend=true,schedule=@daily,timeZone=Europe/Vienna",
    "collect.extraArgs={--pseudonyms},scan.extraArgs={--cni=ovn-kubernetes}",
    "scan.failOn=high,scan.keep=7",
    "namespace.create=false",
    "namespace.labels.network-zone=management",
    "persistence.storageClassName=fast,persistence.accessModes={ReadWriteMany}",
    "podSecurityContext.fsGroup=1000",
    "nodeSelector.disk=fast,tolerations[0].operator=Exists",
    "networkPolicy.dns.namespaces=null",
    "networkPolicy.apiServer.cidrs={192.0.2.10/32,2001:db8::/64},networkPolicy.apiServer.ports={443,6443}",
    "monitoring.enabled=true,monitoring.labels.release=prometheus,nodeSelector.disk=fast",
]


@pytest.mark.parametrize("values", VALUES)
def test_every_value_takes_effect_and_leaves_valid_objects(values: str) -> None:
    from tests.deploy.test_rendered_objects import NEWEST, checked

    text = templated("--set", values)
    assert objects(text) != objects(templated())
    assert checked(text, NEWEST) == []


def test_a_digest_goes_before_the_tag_in_every_container() -> None:
    text = templated("--set", f"{BOTH},image.tag=v9,{VALUES[0]}")
    images = {one["image"] for _, pod in pods(text) for one in containers(pod)} - {"registry.k8s.io/kubectl:v1.36.3"}
    assert images == {f"registry.example.com/zone-audit@sha256:{64 * 'a'}"}


def test_another_release_shares_no_name_and_selects_no_pod_of_the_first() -> None:
    done = helm("template", "second", CHART, "--namespace=elsewhere", *NEEDED, "--set", BOTH)
    first, second = objects(templated("--set", BOTH)), objects(done.stdout)
    assert not first.keys() & second.keys()
    assert "zone-audit" not in {
        one["spec"]["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name")
        for (kind, _, _), one in second.items()
        if kind == "NetworkPolicy"
    }


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (ADDRESSES, "zones is empty"),
        (ZONES, "networkPolicy.apiServer.cidrs is empty"),
        ((*NEEDED, "--set", "scan.fail=high"), "additional properties 'fail' not allowed"),
        ((*NEEDED, "--set", "scan.failOn=severe"), "scan/failOn"),
        ((*NEEDED, "--set", "schedule=daily"), "schedule"),
        ((*NEEDED, "--set", "networkPolicy.apiServer.ports={https}"), "ports/0"),
        ((*NEEDED, "--set", "podSecurityContext.runAsUser=0"), "runAsUser"),
        ((*NEEDED, "--set", "image.digest=latest"), "image/digest"),
        ((*NEEDED, "--kube-version", "1.26.0"), "incompatible with Kubernetes v1.26.0"),
    ],
)
def test_values_that_cannot_work_are_refused(values: tuple[str, ...], reason: str) -> None:
    done = helm("template", "zone-audit", CHART, *values)
    assert done.returncode != 0
    assert reason in done.stderr


def test_the_options_of_the_scan_follow_the_values() -> None:
    args = scan(objects(templated("--set", "scan.failOn=high,scan.keep=7,scan.extraArgs={--cni=calico}")))["args"]
    assert {"--fail-on=high", "--keep=7", "--cni=calico"} <= set(args)
