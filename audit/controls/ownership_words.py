"""Holdings in words: the fields of a finding, as plain values.

Names come from the cluster as they are; whoever shows them makes them harmless.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from audit.access.subjects import Subject, user
from audit.controls.ownership import Holding
from audit.controls.ownership_guards import Kept
from audit.controls.scene import Scene
from audit.model import ObjectRef, Settings

_LISTED = 3
"""Names in a sentence."""
FEW = 5
"""Bindings that are at fault one by one; with more of them it is the role that is handed out."""


class Wording(NamedTuple):
    """What a rule says of a power."""

    may: str
    """`write network policies`."""
    expected: str
    fix: str
    """One sentence or two."""
    yaml: str = ""
    """Ready to apply; empty for the commands that take the bindings away."""


def told(scene: Scene, part: Kept, words: Wording) -> dict[str, Any]:
    """The fields of a finding about one Holding."""
    holding, weak = part.holding, bool(part.guards)
    zones = zones_of(scene, holding)
    zone = scene.matrix.zone(zones[0]) if len(zones) == 1 else None
    guarded = f", unless {some(part.guards)} refuses it" if weak else ""
    return {
        "title": f"{called(holding.roles)} lets {who(holding.subjects)} {words.may} {where(scene, holding)}{guarded}",
        "subjects": at_fault(holding),
        "severity": "low" if weak else None,
        "to_zone": zone.name if zone else "",
        "owner": zone.owner if zone else "",
        "expected": words.expected,
        "observed": observed(holding),
        "fix": f"{words.fix}\n\n{words.yaml or removal(holding)}",
        "identity": ("everywhere" if holding.everywhere else "namespaces", *_names(holding.roles), *part.guards),
        "counts": {
            "subjects": len(holding.subjects),
            "bindings": len(holding.given),
            **({"namespaces": len(holding.namespaces)} if holding.namespaces else {}),
        },
    }


def zones_of(scene: Scene, holding: Holding) -> tuple[str, ...]:
    """Zones of the namespaces that it holds in, in the order of the matrix; none where it holds everywhere."""
    found = {scene.zone_of(name) for name in holding.namespaces}
    return tuple(zone.name for zone in scene.zones if zone.name in found)


def at_fault(holding: Holding) -> tuple[ObjectRef, ...]:
    """The bindings where they are few, else the role that is handed out all over."""
    return holding.bindings if len(holding.given) <= FEW else holding.roles


def who(subjects: Sequence[Subject]) -> str:
    """`Group a`, `Group a, User b and 3 more`."""
    return some(tuple(map(str, subjects)))


def where(scene: Scene, holding: Holding) -> str:
    """`everywhere`, `of the names x`, `in namespace web`, `in 12 namespaces of zones a and b`."""
    names = holding.namespaces
    if not names:
        only = sorted({name for reach in holding.reaches for name in reach.names})
        return f"of the names {some(only)}" if only and all(reach.names for reach in holding.reaches) else "everywhere"
    if len(names) == 1:
        return f"in namespace {names[0]}"
    zones = zones_of(scene, holding)
    return f"in {len(names)} namespaces" + (f" of {'zones' if zones[1:] else 'zone'} {some(zones)}" if zones else "")


def observed(holding: Holding) -> str:
    """The first way in full, and how many more there are."""
    first = holding.given[0]
    numbers = sorted({reach.rule for reach in holding.reaches})
    rights = {f"{', '.join(reach.verbs)} {reach.kind}{_only(reach.names)}": None for reach in holding.reaches}
    text = (
        f"{who(first.subjects)} through {first.binding} -> {holding.roles[0]}, "
        f"{'rules' if numbers[1:] else 'rule'} {some(tuple(map(str, numbers)))}: {some(tuple(rights), '; ')}"
    )
    more = len(holding.given) - 1
    return text + (f"; and so through {more} more binding{'s' if more > 1 else ''}" if more else "")


def _only(names: Sequence[str]) -> str:
    return f" named {some(names)}" if names else ""


def called(roles: Sequence[ObjectRef]) -> str:
    """`ClusterRole edit`, `Role web/tenant`, `Role tenant of 40 namespaces`."""
    if len(roles) == 1:
        return str(roles[0])
    return f"{roles[0].kind} {roles[0].name} of {len(roles)} namespaces"


def some(names: Sequence[str], between: str = ", ") -> str:
    """The first names, and how many more there are."""
    more = len(names) - _LISTED
    if more <= 0:
        return between.join(names)
    return f"{between.join(names[:_LISTED])} and {more} more"


def removal(holding: Holding) -> str:
    """What takes the power away from those who hold it, and from nobody else."""
    return commands(holding.bindings, frozenset(one.binding for one in holding.given if one.mixed))


def commands(bindings: Iterable[ObjectRef], mixed: Collection[ObjectRef] = ()) -> str:
    """What takes the bindings away, at most FEW lines; those with others in them are opened in an editor."""
    listed = list(bindings)
    lines = [_command(one, mixed=one in mixed) for one in listed[:FEW]]
    return "\n".join([*lines, *([f"# and {len(listed) - FEW} more bindings"] if listed[FEW:] else [])])


def _command(one: ObjectRef, *, mixed: bool) -> str:
    inside = f" -n {shlex.quote(one.namespace)}" if one.namespace else ""
    named = f"{one.kind.lower()} {shlex.quote(one.name)}{inside}"
    return (
        f"kubectl edit {named} # others keep it: take out only who is named here"
        if mixed
        else f"kubectl delete {named}"
    )


def _names(roles: Iterable[ObjectRef]) -> tuple[str, ...]:
    return tuple(sorted({role.name for role in roles}))


def guard_policy(settings: Settings) -> str:
    """An admission policy that refuses changes of a zone's network policies by others, ready for `kubectl apply`."""
    owners = settings.zoning_owners
    users = [user(one.removeprefix("User/")).user for one in owners if one.startswith("User/")]
    users += [
        Subject("ServiceAccount", *one.split("/")[1:3]).user for one in owners if one.startswith("ServiceAccount/")
    ]
    groups = [one.removeprefix("Group/") for one in owners if one.startswith("Group/")]
    groups += ["system:masters", "system:serviceaccounts:kube-system"]
    condition = (
        f"request.userInfo.username in {_words(users)} || request.userInfo.groups.exists(g, g in {_words(groups)})"
    )
    return f"""apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: zone-policies-belong-to-owners
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector:
      matchExpressions:
      - key: {settings.zone_labels[0]}
        operator: Exists
    resourceRules:
    - apiGroups: [networking.k8s.io]
      apiVersions: ["*"]
      operations: [CREATE, UPDATE, DELETE]
      resources: [networkpolicies]
  validations:
  - expression: {json.dumps(condition)}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: zone-policies-belong-to-owners
spec:
  policyName: zone-policies-belong-to-owners
  validationActions: [Deny]"""


def _words(names: Iterable[str]) -> str:
    return "[" + ", ".join("'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'" for name in names) + "]"
