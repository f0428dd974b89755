"""NET006: sections of policies that have no effect."""

from __future__ import annotations

from collections.abc import Iterator

from audit.rule import Context, Finding, rule


@rule(
    "NET006",
    "Section of a NetworkPolicy has no effect",
    severity="medium",
    needs=("NetworkPolicy",),
    controls=("nist-800-53r5/cm-6", "pci-dss-4.0.1/1.2.7"),
)
def inert_policy_section(context: Context) -> Iterator[Finding]:
    """What it checks: parts of a policy that the API accepts and then ignores.

    An example is a list of egress rules in a policy whose policyTypes names only Ingress.

    Why it matters: the author meant something by it, and does not get it. Network plug-ins differ here too: some honour
    the rules of a direction that policyTypes leaves out, so the same manifest means different things on different
    clusters.

    How to fix: list the direction in policyTypes, or delete the section.

    Limits: what the API text calls ignored is reported here. Where the installed plug-in is known to honour it, NET008
    reports it instead.
    """
    for fact in context.facts.policies:
        honoured = any(one.construct == "unlisted-direction" for one in fact.readings)  # NET008 tells what comes of it
        if fact.inert and not honoured:
            zone = context.matrix.zone(context.zone_of(fact.ref.namespace))
            yield Finding(
                title=f"{fact.ref}: {fact.inert[0]}",
                subjects=(fact.ref,),
                expected="every section has an effect",
                observed="; ".join(fact.inert),
                fix="List the direction in policyTypes, or delete the section.",
                owner=zone.owner if zone else "",
            )
