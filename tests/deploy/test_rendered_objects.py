"""What every rendering of deploy/ keeps: schemas, the `restricted` Pod Security standard, few rights, short tokens."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml

from audit.api_resources import API_SERVICES, RESOURCES, reading_role
from tests.deploy.rendering import CHART, KUSTOMIZE, Object, containers, kustomized, objects, pods

validate: Any = pytest.importorskip("kubernetes_validate")
OLDEST, NEWEST = "1.27.0", "1.36.0"
"""Of Kubernetes: what the chart asks for, and what the real API server of our tests is."""
OPERATOR = "monitoring.coreos.com/v1"


@cache
def checked(text: str, version: str) -> list[str]:
    found = []
    for key, one in objects(text).items():
        if one["apiVersion"] != OPERATOR:
            try:
                validate.validate(_complete(one) if version == OLDEST else one, version, strict=True)
            except validate.ValidationError as error:
                found.append(f"{key}: {error.message}")
    return found


def _complete(one: Object) -> Object:
    """With the field that schemas before 1.29 ask for and their servers do not."""
    copy: Object = json.loads(json.dumps(one))
    if one["kind"] == "CronJob":
        policy = copy["spec"]["jobTemplate"]["spec"].get("podFailurePolicy", {"rules": []})
        for rule in policy["rules"]:
            rule.setdefault("onPodConditions", [])
    return copy


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_follows_the_schema_of_its_kind(rendered: str, version: str) -> None:
    assert checked(rendered, version) == []


def test_the_schemas_refuse_an_unknown_field() -> None:
    broken = kustomized("base").replace("startingDeadlineSeconds:", "startingDeadlineMinutes:")
    assert len(checked(broken, NEWEST)) == 1
    assert f">={OLDEST.rpartition('.')[0]}" in yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]


def test_every_pod_is_restricted(rendered: str) -> None:
    for name, pod in pods(rendered):
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert all(not {"hostPath"} & volume.keys() for volume in pod["volumes"])
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"].keys() == {"memory"}
            assert all(port.get("hostPort") is None for port in container.get("ports", ()))


def test_only_outside_openshift_is_a_user_or_group_chosen() -> None:
    for overlay, chosen in (("base", set()), ("overlays/openshift", set()), ("overlays/kubernetes", {65532})):
        text = kustomized(overlay)
        users = [
            (pod["securityContext"].get("runAsUser"), pod["securityContext"].get("fsGroup")) for _, pod in pods(text)
        ]
        assert {one for pair in users for one in pair} - {None} == chosen


def test_every_volume_in_memory_or_on_a_node_has_a_limit(rendered: str) -> None:
    for _, pod in pods(rendered):
        for volume in pod["volumes"]:
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]


def test_only_the_container_that_needs_it_has_a_token(rendered: str) -> None:
    for name, pod in pods(rendered):
        assert pod["automountServiceAccountToken"] is False
        holders = {one["name"] for one in containers(pod) for mount in one["volumeMounts"] if mount["name"] == "token"}
        assert holders == {"zone-audit": {"collect"}, "zone-audit-publish": {"withdraw", "publish"}}.get(name, set())
        for volume in pod["volumes"]:
            for source in volume.get("projected", {}).get("sources", ()):
                assert source.get("serviceAccountToken", {"expirationSeconds": 1800})["expirationSeconds"] <= 3600
    accounts = [one for (kind, _, _), one in objects(rendered).items() if kind == "ServiceAccount"]
    assert accounts
    assert all(one["automountServiceAccountToken"] is False for one in accounts)


def test_the_account_of_the_scan_may_list_what_is_audited_and_nothing_else(rendered: str) -> None:
    found = objects(rendered)
    bindings = [one for (kind, _, _), one in found.items() if kind.endswith("RoleBinding")]
    lent = {one["subjects"][0]["name"]: one["roleRef"]["name"] for one in bindings}
    assert len(lent) == len(bindings)
    role = found["ClusterRole", "", lent["zone-audit"]]
    assert role["rules"] == yaml.safe_load(reading_role((*RESOURCES, API_SERVICES)))["rules"]
    if "zone-audit-publish" in lent:
        (rule,) = found["ClusterRole", "", lent["zone-audit-publish"]]["rules"]
        assert rule["apiGroups"] == ["openreports.io"]


def test_both_roles_are_what_the_command_prints() -> None:
    printed = reading_role((*RESOURCES, API_SERVICES))
    for path in (KUSTOMIZE / "base" / "clusterrole.yaml", CHART / "files" / "clusterrole.yaml"):
        assert path.read_text() == printed, f"update it with: zone-audit collect --print-role > {path.name}"


def test_policies_name_both_directions_and_ports_by_number(rendered: str) -> None:
    found = [one for (kind, _, _), one in objects(rendered).items() if kind == "NetworkPolicy"]
    everybody = [one for one in found if one["spec"]["podSelector"] == {}]
    assert [one["spec"].keys() for one in everybody] == [{"podSelector", "policyTypes"}]
    for one in found:
        assert sorted(one["spec"]["policyTypes"]) == ["Egress", "Ingress"]
        for rule in (*one["spec"].get("egress", ()), *one["spec"].get("ingress", ())):
            assert all(isinstance(port["port"], int) for port in rule["ports"])
            assert rule.get("to", rule.get("from"))


def test_a_verdict_is_not_asked_for_again(rendered: str) -> None:
    job = objects(rendered)["CronJob", "zone-audit", "zone-audit"]["spec"]["jobTemplate"]["spec"]
    drained, verdict = job["podFailurePolicy"]["rules"]
    assert (drained["action"], verdict["action"]) == ("Ignore", "FailJob")
    assert verdict["onExitCodes"] == {"operator": "NotIn", "values": [4]}
    assert job["backoffLimit"] == 1
    assert job["template"]["spec"]["restartPolicy"] == "Never"


def test_the_deadline_leaves_time_to_judge_what_was_read(rendered: str) -> None:
    spec = objects(rendered)["CronJob", "zone-audit", "zone-audit"]["spec"]
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (timeout,) = [one for one in pod["initContainers"][0]["args"] if one.startswith("--timeout=")]
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] >= 2 * int(timeout.partition("=")[2])


def test_the_namespace_enforces_what_its_pods_keep(rendered: str) -> None:
    labels = objects(rendered)["Namespace", "", "zone-audit"]["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def test_everything_lies_in_the_namespace_and_every_reference_is_met(rendered: str) -> None:
    found = objects(rendered)
    assert {namespace for _, namespace, _ in found} == {"", "zone-audit"}
    for _, pod in pods(rendered):
        names = {volume["name"] for volume in pod["volumes"]}
        for container in containers(pod):
            assert {mount["name"] for mount in container["volumeMounts"]} <= names
        for volume in pod["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", "zone-audit", claim["claimName"]) in found
            if config := volume.get("configMap"):
                assert ("ConfigMap", "zone-audit", config["name"]) in found
        if account := pod.get("serviceAccountName"):
            assert ("ServiceAccount", "zone-audit", account) in found


def test_the_commands_of_the_containers_are_understood(rendered: str, zone_audit: Any) -> None:
    """With `--help` after them: every option exists, none is run."""
    pod = dict(pods(rendered))["zone-audit"]
    for container in containers(pod):
        done: subprocess.CompletedProcess[str] = zone_audit(*container["args"], "--help")
        assert done.returncode == 0, done.stderr
        known = done.stdout.split()
        assert {one.partition("=")[0] for one in container["args"] if one.startswith("--")} <= set(known)
