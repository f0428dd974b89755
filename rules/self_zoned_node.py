"""CMP005: zone labels that a node may write itself."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.node_isolation import NOT_ASKED, isolation
from audit.controls.node_labels import RESTRICTED, Writable, writable_keys
from audit.rule import Context, Finding, Manual, NotApplicable, NotEvaluated, ObjectRef, rule


@rule(
    "CMP005",
    "Zone label of nodes can be written by the nodes themselves",
    severity="low",
    needs=("Namespace", "Node"),
    controls=("nist-800-53r5/cm-6", "nist-800-53r5/ac-4.21", "iso-27001-2022/a.8.22"),
)
def self_zoned_node(context: Context) -> Iterator[Finding | Manual | NotApplicable | NotEvaluated]:
    """What it checks: that zones with `requires: [node-isolation]` know their nodes by a label kubelets may not write.

    That is one whose key begins with `node-restriction.kubernetes.io/`, or another that the admission plug-in
    NodeRestriction guards. The keys of project node selectors count as well.

    Why it matters: whoever is root on a node of one zone can label it as a node of another, and the pods of that zone
    come to it, with their secrets.

    How to fix: `oc label node NODE node-restriction.kubernetes.io/network-zone=ZONE`, in the MachineSet as well, then
    use that key in `select.nodes` or `settings.node_labels` of the matrix and in the project node selectors.

    Limits: OpenShift 3 keeps kubelets from no label. There no key is better than another, and a person has to compare
    the labels with a list kept elsewhere. Who else may label nodes is a question of access rights.
    """
    ground = context.of(isolation)
    if not ground.asked:
        yield NotApplicable(NOT_ASKED)
    elif missing := context.missing("Node"):
        yield missing
    elif context.inventory.profile.product == "openshift-3":
        yield from _by_hand(tuple(writable_keys(ground)))
    else:
        yield from map(_finding, writable_keys(ground))


def _by_hand(found: tuple[Writable, ...]) -> Iterator[Manual]:
    if found:
        keys = ", ".join(one.key for one in found)
        zones = ", ".join(dict.fromkeys(zone.name for one in found for zone in one.zones))
        yield Manual(
            f"OpenShift 3 keeps kubelets from no label: compare {keys} of the nodes of zones {zones} with a list that "
            "is kept elsewhere"
        )


def _finding(one: Writable) -> Finding:
    names = ", ".join(zone.name for zone in one.zones)
    return Finding(
        title=f"nodes may join a zone by themselves: any kubelet may write the label {one.key}",
        subjects=tuple(ObjectRef("Zone", "", zone.name) for zone in one.zones),
        verdict="not-evaluated" if one.doubt else "fail",
        expected=f"a key that begins with {RESTRICTED}/, guarded by NodeRestriction",
        observed=f"nodes of {names} are known by {one.key}: {one.reason}",
        reason=one.doubt,
        fix=_fix(one),
        identity=(one.key,),
        owner=one.zones[0].owner if len(one.zones) == 1 else "",
        counts={"zones": len(one.zones)},
    )


def _fix(one: Writable) -> str:
    if one.key.startswith(RESTRICTED):
        return "Switch on the admission plug-in NodeRestriction."
    name = one.key.rpartition("/")[2]
    return (
        "Label the nodes under a key that kubelets may not write, and select by it.\n\n"
        f"kubectl label nodes {' '.join(one.nodes[:8])} {RESTRICTED}/{name}={one.zones[0].name}"
    )
