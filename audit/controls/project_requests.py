"""Project requests of OpenShift: who may make a project, and what a new project gets.

Input: a Scene. Output: facts for the rule ZON006. Decisions: only the binding of `self-provisioner` is looked at; a
policy of the template counts when it closes every pod for what nobody named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from audit.controls.scene import Scene, ref
from audit.exposure.publications import at, decoded, items, text
from audit.model import ObjectRef
from audit.snapshot import Entry

PROJECT = "Project.config.openshift.io"
TEMPLATE = "Template.template.openshift.io"
BINDINGS = ("ClusterRoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.authorization.openshift.io")
TEMPLATE_NAMESPACE = "openshift-config"
SELF_PROVISIONER = "self-provisioner"
Part = Literal["zone label", "NetworkPolicy", "ResourceQuota"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Who may request projects, and from which template."""

    binding: ObjectRef | None = None
    """The first binding that lets somebody do so; None when nobody may."""
    subjects: tuple[str, ...] = ()
    """`Kind/name`, without the owners of the zoning, sorted."""
    project: ObjectRef | None = None
    """The configuration of projects; None when the input does not hold it."""
    template: str = ""
    """Name of the template; empty when none is set."""
    template_ref: ObjectRef | None = None
    """None when the input does not hold it."""
    lacking: tuple[Part, ...] = ()
    """What a project from the template would be without."""
    wanted: tuple[Part, ...] = ()


def requests(scene: Scene) -> Requests:
    """What the input says of project requests."""
    found = [(ref(entry), _subjects(scene, entry)) for entry in scene.of(*BINDINGS) if _provisions(entry)]
    found = [one for one in found if one[1]]
    if not found:
        return Requests()
    project = next((one for one in scene.of(PROJECT) if one.name == "cluster"), None)
    name = text(decoded(project.body.spec), "projectRequestTemplate", "name") if project else ""
    template = next(
        (one for one in scene.of(TEMPLATE) if (one.namespace, one.name) == (TEMPLATE_NAMESPACE, name)), None
    )
    wanted = tuple(_wanted(scene))
    return Requests(
        binding=found[0][0],
        subjects=tuple(sorted({subject for _, subjects in found for subject in subjects})),
        project=ref(project) if project else None,
        template=name,
        template_ref=ref(template) if template else None,
        lacking=tuple(part for part in wanted if not _holds(scene, template, part)) if template else (),
        wanted=wanted,
    )


def _provisions(entry: Entry) -> bool:
    role = entry.body.roleRef
    return role.name == SELF_PROVISIONER and not role.namespace and role.kind in ("", "ClusterRole")


def _subjects(scene: Scene, entry: Entry) -> tuple[str, ...]:
    owners = scene.matrix.settings.zoning_owners
    named = ("/".join(filter(None, (one.kind, one.namespace, one.name))) for one in entry.body.subjects or ())
    return tuple(name for name in named if name not in owners)


def _wanted(scene: Scene) -> Iterator[Part]:
    yield "zone label"
    yield "NetworkPolicy"
    if any("storage-isolation" in zone.requires for zone in scene.zones):
        yield "ResourceQuota"


def _holds(scene: Scene, template: Entry, part: Part) -> bool:
    objects = [one for one in template.body.objects or () if isinstance(one, dict)]
    if part == "zone label":
        keys = frozenset(scene.matrix.settings.zone_labels).union(
            *(zone.namespaces.keys for zone in scene.matrix.zones if zone.namespaces)
        )
        return not keys.isdisjoint(_project_labels(objects, template.body.labels or {}))
    if part == "NetworkPolicy":
        return _isolates([at(one, "spec") for one in objects if one.get("kind") == "NetworkPolicy"])
    return any(one.get("kind") == "ResourceQuota" and _limits_storage(one) for one in objects)


def _project_labels(objects: Iterable[dict[str, Any]], common: dict[str, str]) -> set[str]:
    """Label keys of the project; those of the template are put on every object of it."""
    own = (at(one, "metadata", "labels") for one in objects if one.get("kind") in ("Project", "Namespace"))
    return {*common, *(str(key) for labels in own if isinstance(labels, dict) for key in labels)}


def _isolates(specs: Iterable[Any]) -> bool:
    """Whether some policy closes all pods for ingress, and none of them opens them to everybody."""
    ingress = [
        spec for spec in specs if isinstance(spec, dict) and "Ingress" in (spec.get("policyTypes") or ["Ingress"])
    ]
    whole = [spec for spec in ingress if not spec.get("podSelector")]
    return bool(whole) and not any(_admits_all(rule) for spec in ingress for rule in items(spec, "ingress"))


def _admits_all(rule: Any) -> bool:
    return not isinstance(rule, dict) or not (rule.get("from") or rule.get("ports"))


def _limits_storage(quota: dict[str, Any]) -> bool:
    hard = at(quota, "spec", "hard")
    return isinstance(hard, dict) and any("storage" in str(key) and "ephemeral" not in str(key) for key in hard)
