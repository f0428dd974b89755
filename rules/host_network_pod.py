"""HOST001: pods on the host network of a zone's namespace, which no policy binds."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Context, Finding, ObjectRef, rule


@rule(
    "HOST001",
    "Pods on the host network escape the policies of their zone",
    severity="medium",
    needs=("Namespace", "Pod"),
    controls=("nist-800-53r5/ac-4", "nist-800-53r5/sc-7", "cis-openshift-1.9.0/5.2.4"),
)
def host_network_pod(context: Context) -> Iterator[Finding]:
    """What it checks: pods with hostNetwork in the namespaces of a zone, platform namespaces apart.

    Why it matters: NetworkPolicies do not select them. They act with the address of their node, can reach every pod of
    that node, and are reached on the node's address by whatever reaches the node.

    How to fix: run the pod on the pod network; where it must stand on the host, move it to a platform namespace and to
    nodes of its own.

    Limits: it reports that policy does not bind these pods, not what they listen on.
    """
    by_namespace: dict[str, list[ObjectRef]] = {}
    for ref in context.host_network:
        if context.kind_of(ref.namespace) == "cluster":
            by_namespace.setdefault(ref.namespace, []).append(ref)
    for name, refs in sorted(by_namespace.items()):
        zone = context.matrix.zone(context.zone_of(name))
        yield Finding(
            title=f"{len(refs)} workload{'s' if len(refs) > 1 else ''} of namespace {name} on the host network",
            subjects=tuple(sorted(refs)),
            to_zone=zone.name if zone else "",
            expected="pods on the pod network",
            observed=", ".join(f"{ref.kind} {ref.name}" for ref in sorted(refs)[:8]),
            fix="Set `hostNetwork: false`, or move the workload to a platform namespace with nodes of its own.",
            owner=zone.owner if zone else "",
            counts={"workloads": len(refs)},
        )
