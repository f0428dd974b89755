"""Whether one request passes RBAC, straight from the API text: loops over everything, for one request at a time.

Works on objects as they are written, and shares no code with the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]
RBAC, OLDER = "rbac.authorization.k8s.io", "authorization.openshift.io"


class Asked(NamedTuple):
    user: str
    groups: tuple[str, ...]
    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""


def passes(objects: list[Json], asked: Asked) -> bool:
    if "system:masters" in asked.groups:
        return True
    asked = in_its_namespace(asked)
    for binding in kinds(objects, "ClusterRoleBinding", "RoleBinding"):
        metadata = binding["metadata"]
        home = metadata.get("namespace", "") if binding["kind"] == "RoleBinding" else ""
        if binding["kind"] == "RoleBinding" and home != asked.namespace:
            continue
        if not any(is_subject(subject, home, asked) for subject in binding.get("subjects") or []):
            continue
        for role in roles_of(objects, binding, home):
            if any(rule_allows(rule, asked) for rule in rules_of(objects, role, [])):
                return True
    return False


def passes_url(objects: list[Json], user: str, groups: tuple[str, ...], verb: str, url: str) -> bool:
    if "system:masters" in groups:
        return True
    for binding in kinds(objects, "ClusterRoleBinding"):
        asked = Asked(user, groups, verb, "", "")
        if not any(is_subject(subject, "", asked) for subject in binding.get("subjects") or []):
            continue
        for role in roles_of(objects, binding, ""):
            for rule in rules_of(objects, role, []):
                verbs = rule.get("verbs") or []
                if ("*" in verbs or verb in verbs) and any(
                    url_matches(one, url) for one in rule.get("nonResourceURLs") or []
                ):
                    return True
    return False


def url_matches(pattern: str, url: str) -> bool:
    if pattern in ("*", url):
        return True
    return pattern[-1:] == "*" and url[: len(pattern.rstrip("*"))] == pattern.rstrip("*")


def in_its_namespace(asked: Asked) -> Asked:
    """Namespaces and projects with a name are decided within themselves."""
    own = (asked.group, asked.resource) in (("", "namespaces"), ("", "projects"), ("project.openshift.io", "projects"))
    return asked._replace(namespace=asked.name) if own and asked.name else asked


def kinds(objects: list[Json], *wanted: str) -> Iterator[Json]:
    """Objects of a kind; what both APIs show counts once, as RBAC shows it."""
    for one in objects:
        group = one["apiVersion"].partition("/")[0]
        if one["kind"] not in wanted or group not in (RBAC, OLDER):
            continue
        twin = any(
            other["kind"] == one["kind"] and other["apiVersion"].startswith(RBAC) and identity(other) == identity(one)
            for other in objects
        )
        if group == RBAC or not twin:
            yield one


def identity(one: Json) -> tuple[str, str]:
    return one["metadata"].get("namespace", ""), one["metadata"]["name"]


def is_subject(subject: Json, home: str, asked: Asked) -> bool:
    kind, name = subject.get("kind"), subject.get("name")
    if kind in ("User", "SystemUser"):
        return asked.user == name
    if kind in ("Group", "SystemGroup"):
        return name in asked.groups
    if kind == "ServiceAccount":
        namespace = subject.get("namespace") or home
        return bool(namespace) and asked.user == f"system:serviceaccount:{namespace}:{name}"
    return False


def roles_of(objects: list[Json], binding: Json, home: str) -> Iterator[Json]:
    ref = binding["roleRef"]
    namespaced = ref.get("kind") == "Role" or ("kind" not in ref and bool(ref.get("namespace")))
    for role in kinds(objects, "Role" if namespaced else "ClusterRole"):
        in_place = role["metadata"].get("namespace", "") == home if namespaced else True
        if in_place and role["metadata"]["name"] == ref["name"] and (home or not namespaced):
            yield role


def rules_of(objects: list[Json], role: Json, above: list[str]) -> Iterator[Json]:
    older = role["apiVersion"].startswith(OLDER)
    for rule in role.get("rules") or []:
        yield {**rule, "apiGroups": rule.get("apiGroups") or [""]} if older else rule
    name = role["metadata"]["name"]
    for selector in (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or []:
        for part in kinds(objects, "ClusterRole"):
            if part["metadata"]["name"] not in above and selects(selector, part["metadata"].get("labels") or {}):
                yield from rules_of(objects, part, [*above, name])


def selects(selector: Json, labels: Json) -> bool:
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for one in selector.get("matchExpressions") or []:
        key, operator, values = one["key"], one["operator"], one.get("values") or []
        holds = {
            "In": key in labels and labels[key] in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds[operator]:
            return False
    return True


def rule_allows(rule: Json, asked: Asked) -> bool:
    def listed(field: str, word: str) -> bool:
        values = rule.get(field) or []
        return "*" in values or word in values

    whole = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    named = False
    for resource in rule.get("resources") or []:
        if resource in ("*", whole) or (asked.subresource and resource == f"*/{asked.subresource}"):
            named = True
    names = rule.get("resourceNames") or []
    return (
        listed("verbs", asked.verb)
        and listed("apiGroups", asked.group)
        and named
        and (not names or asked.name in names)
    )
