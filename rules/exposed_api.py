"""TOP003: ways from outside to the API server and the machine config server."""

from __future__ import annotations

from collections.abc import Iterator

from audit.controls.api_doors import DNS, INFRASTRUCTURE, ApiDoor, ApiDoors, Sort, api_doors
from audit.controls.facing import not_judged, outside
from audit.rule import Context, Finding, Manual, NotApplicable, NotEvaluated, rule, scalar

_TITLES: dict[Sort, str] = {
    "dns": "the names of the API and of all Routes are published",
    "address": "the API has its address in a zone that faces outside",
    "node": "the matrix lets outsiders reach the API on nodes of the control plane",
    "path": "{ref} leads to the API besides its own address",
}
_FIXES: dict[Sort, str] = {
    "dns": "Publish the cluster in its private zone only, and remove the public records."
    '\n\noc patch dns.config.openshift.io cluster --type=merge -p \'{"spec": {"publicZone": null}}\'',
    "address": "Move the address to an internal network, or have a firewall keep outsiders from its ports."
    "\n\noc get infrastructure cluster -o yaml",
    "node": "Take the ports of the API out of the row of the matrix, or move the control plane to an internal zone."
    "\n\noc get nodes -o wide",
}


@rule(
    "TOP003",
    "The API of the cluster is reachable from outside",
    severity="high",
    needs=("Node", "Service", INFRASTRUCTURE),
    controls=("nist-800-53r5/sc-7", "nist-800-53r5/sc-7.3", "pci-dss-4.0.1/1.4.2", "iso-27001-2022/a.8.20"),
)
def exposed_api(context: Context) -> Iterator[Finding | Manual | NotApplicable | NotEvaluated]:
    """What it checks: that neither the API nor the machine config server stands where outsiders may get.

    Looked at are the addresses of the API and of its nodes, a public zone for its names, and every Service, Route and
    Ingress that leads there besides.

    Why it matters: the API decides over everything in the cluster, and the machine config server hands out what a
    new node needs to join it. Both belong where only nodes and administrators get.

    How to fix: keep the address of the API in an internal network, remove further ways (`kubectl delete service NAME`),
    and publish names in a private zone only.

    Limits: names, load balancers of users and the configuration of the masters of OpenShift 3 are not in a snapshot;
    the rule then does not pass, and says where a person has to look. An address in a zone that outsiders may enter on
    other ports only counts as low: the firewall alone keeps them out.
    """
    if reason := not_judged(context.scene):
        yield NotApplicable(reason)
        return
    if not context.of(outside).zones:
        yield NotEvaluated("the matrix has no zone of kind `internet` or `external`, so nobody knows who is outside")
        return
    found = context.of(api_doors)
    yield from _unjudged(context, found)
    kinds: dict[tuple[Sort, str, bool], list[ApiDoor]] = {}
    for one in found.doors:
        name = str(one.ref) if one.sort == "path" else one.zone
        kinds.setdefault((one.sort, name, bool(one.open)), []).append(one)
    for (sort, _, _), listed in sorted(kinds.items()):
        yield _finding(sort, listed)
    if found.beyond:
        yield Manual("; ".join(found.beyond))


def _unjudged(context: Context, found: ApiDoors) -> Iterator[NotApplicable | NotEvaluated]:
    yield from (NotEvaluated(reason) for reason in found.unknown)
    four = context.inventory.profile.product == "openshift-4"
    if (four or not found.known) and (missing := context.missing(*((INFRASTRUCTURE, DNS) if four else ("Endpoints",)))):
        yield missing


def _finding(sort: Sort, listed: list[ApiDoor]) -> Finding:
    first = listed[0]
    refs = tuple(dict.fromkeys(one.ref for one in listed))
    weak = sort == "address" and not first.open
    title = _TITLES[sort].format(ref=first.ref)
    return Finding(
        title=f"{title}, and only the firewall keeps outsiders from its ports" if weak else title,
        subjects=refs,
        severity="low" if weak else "medium" if sort == "dns" else None,
        to_zone=first.zone,
        expected="an API that nodes and administrators reach, and nobody else",
        observed="; ".join(dict.fromkeys(one.seen for one in listed)),
        fix=_FIXES[sort] if sort != "path" else _removal(first),
        identity=(sort,),
    )


def _removal(one: ApiDoor) -> str:
    kind, name, space = one.ref.kind.lower(), scalar(one.ref.name), scalar(one.ref.namespace)
    if (one.ref.kind, one.ref.namespace, one.ref.name) == ("Service", "default", "kubernetes"):
        return """Make it internal again.\n\nkubectl patch service kubernetes -p '{"spec": {"type": "ClusterIP"}}'"""
    return f"Remove it.\n\nkubectl delete {kind} {name} -n {space}"
