"""DOOR008: rights that lead into pods of another zone through the API server."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.ownership import NEEDS, ownership
from audit.controls.ownership_doors import Door, Joint, doors, joints, shared
from audit.controls.ownership_guards import Kept
from audit.controls.ownership_words import FEW, Wording, commands, some, told, who
from audit.rule import Context, Finding, NotApplicable, NotEvaluated, rule

EXPECTED = "nobody of one zone enters pods of another through the API server"
FIX = "Bind a role without exec, attach, port-forward and proxy, or give the right to somebody of the zone itself."


@rule(
    "DOOR008",
    "Rights of one zone lead into pods of another through the API server",
    severity="medium",
    needs=NEEDS,
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7"),
)
def foreign_door(context: Context) -> Iterator[Finding | NotApplicable | NotEvaluated]:
    """What it checks: who may exec, attach, port-forward or proxy into pods of a zone that is not theirs.

    A service account belongs to the zone of its namespace. Users and groups have no zone: a cluster-wide right is
    found, and rights in several zones are found at low, because whoever holds them joins the zones by hand. Debug
    containers and the proxy to nodes count as well.

    Why it matters: the connection goes through the API server and the kubelet, so no policy between the zones sees it.

    How to fix: bind a role without these rights, or delete the binding with the `kubectl` command that the finding
    gives; `zone-audit who-can create pods/exec -n NAMESPACE SOURCE` shows the bindings.

    Limits: who holds every right is told by OWN010 only. Whether a pod can reach the API server is not asked. Between
    zones that the matrix opens on every port nothing is found.
    """
    found = context.of(ownership)
    if missing := context.missing(*found.lacking):
        yield missing
        return
    if found.unread:
        yield NotEvaluated(found.unread)
    for door in (*doors(found), *shared(found)):
        yield _door(context, door)
    for joint in joints(found):
        yield _joint(joint)


def _door(context: Context, door: Door) -> Finding:
    of = f" of zone {door.source}" if door.source else ""
    into = f"pods of zone {door.target}" if door.target else "pods of every zone"
    fields = told(context.scene, Kept(door.holding, ()), Wording("", EXPECTED, FIX))
    zone = context.matrix.zone(door.target)
    return Finding(
        **fields
        | {
            "title": f"{who(door.holding.subjects)}{of} may enter {into} through the API server",
            "from_zone": door.source,
            "to_zone": door.target,
            "owner": zone.owner if zone else "",
        }
    )


def _joint(joint: Joint) -> Finding:
    return Finding(
        title=f"{who(joint.subjects)} may enter pods of zones {some(joint.zones)} through the API server",
        severity="low",
        subjects=joint.bindings if len(joint.bindings) <= FEW else joint.roles,
        expected="a person enters pods of one zone, or through separate accounts",
        observed=f"{len(joint.bindings)} bindings, such as {some(tuple(map(str, joint.bindings)))}",
        fix=f"Give each zone accounts of its own; or name the holders in `settings.zoning_owners`.\n\n"
        f"{commands(joint.bindings)}",
        identity=("joint", *joint.zones),
        counts={"subjects": len(joint.subjects), "bindings": len(joint.bindings)},
    )
