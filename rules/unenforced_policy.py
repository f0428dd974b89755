"""NET009: policies that nobody enforces."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Context, Finding, ObjectRef, rule

_CLUSTER_NETWORKS = ("ClusterNetwork.network.openshift.io", "ClusterNetwork")


@rule(
    "NET009",
    "NetworkPolicies exist that nobody enforces",
    severity="critical",
    needs=("NetworkPolicy",),
    controls=("nist-800-53r5/sc-7.5", "nist-800-53r5/ac-4", "cis-openshift-1.9.0/5.3.1", "pci-dss-4.0.1/1.2.7"),
)
def unenforced_policy(context: Context) -> Iterator[Finding]:
    """What it checks: NetworkPolicies on a network plug-in that ignores them, or of which nobody knows.

    openshift-sdn enforces them in its mode networkpolicy only; in the modes subnet and multitenant the API server takes
    them and nothing else happens.

    Why it matters: every review of the manifests sees isolation that does not exist.

    How to fix: change the network to a plug-in or mode that enforces NetworkPolicies.

    Limits: manifests do not show the plug-in; without evidence they are judged as the API text says, and this rule
    passes. Name the plug-in with `--cni` where you know it.
    """
    count, profile = len(context.inventory.policies), context.inventory.profile
    if not count or profile.enforcement not in ("no", "unknown"):
        return
    certain = profile.enforcement == "no"
    told = f"; told by {', '.join(profile.evidence)}" if profile.evidence else ""
    policies = f"{count} NetworkPolic{'y' if count == 1 else 'ies'}"
    verb = "has" if count == 1 else "have"
    doubt = f"Whether {policies} {verb} an effect is not known: network profile {profile}"
    yield Finding(
        title=f"{policies} {verb} no effect: {profile} enforces none" if certain else doubt,
        subjects=(_network(context),),
        verdict="fail" if certain else "not-evaluated",
        expected="a network plug-in that enforces NetworkPolicies",
        observed=f"{profile}{told}",
        fix="Move the cluster to OVN-Kubernetes, or openshift-sdn to its mode networkpolicy."
        if certain
        else "Find out which network plug-in the cluster has, and scan again with `--cni`.",
        reason="" if certain else doubt,
        identity=(profile.enforcement,),
        counts={"policies": count},
    )


def _network(context: Context) -> ObjectRef:
    """The object that says how policies are enforced."""
    snapshot = context.inventory.snapshot
    entries = [entry for key in _CLUSTER_NETWORKS for entry in snapshot.of(key) if entry.name == "default"]
    if entries:
        return ObjectRef("ClusterNetwork", "", "default", entries[0].origin)
    return ObjectRef("Network", "", "cluster")
