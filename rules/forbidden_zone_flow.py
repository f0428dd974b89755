"""NET001: traffic between zones that the matrix forbids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from audit.controls.egress_filters import named_by_namespace
from audit.rule import (
    INCOMPLETE,
    NONE,
    PUBLISHING,
    UNJUDGED,
    UNZONED,
    Breach,
    Cause,
    Cell,
    Context,
    Finding,
    ObjectRef,
    Traffic,
    ports_yaml,
    rule,
)

_HOLDS_PODS = ("cluster", "platform")
"""Kinds of zones that have more than addresses."""


@rule(
    "NET001",
    "Traffic crosses zones that the matrix forbids",
    severity="high",
    needs=("Namespace", "Pod", "NetworkPolicy"),
    controls=(
        "nist-800-53r5/ac-4",
        "nist-800-53r5/sc-7",
        "pci-dss-4.0.1/1.3.1",
        "pci-dss-4.0.1/1.4.1",
        "iso-27001-2022/a.8.22",
    ),
)
def forbidden_zone_flow(context: Context) -> Iterator[Finding]:
    """What it checks: no endpoint of a zone can open a connection to another zone beyond what the matrix allows.

    Every ordered pair of zones is judged. Each cause of a breach is one finding, however many pods it opens.

    Why it matters: the zone matrix is what the enterprise firewall would have enforced. Inside one cluster the network
    is flat, so whatever no policy forbids is open, and a single compromised pod is a way into the next zone.

    How to fix: isolate the namespace that the finding names, or narrow the rule of the policy that it names; if the
    traffic is wanted, have the matrix changed or an exception approved by those who own it.

    Limits: it reads declared policy, not packets. Where evidence is missing the finding is not-evaluated and says why.
    Ports are those that policy lets through, whether or not something listens there.
    """
    for cell in context.cells:
        if cell.verdict in ("fail", "not-evaluated"):
            yield from _certain(context, cell)
            yield from _uncertain(context, cell)


def _certain(context: Context, cell: Cell) -> Iterator[Finding]:
    if cell.verdict != "fail":
        return
    breaches = [breach for breach in cell.flow.breaches if breach.certain and breach.exposed]
    rest = cell.excess
    for breach in breaches:
        rest -= breach.traffic
        yield _finding(context, cell, breach)
    if rest:
        yield _unattributed(cell, rest)


def _finding(context: Context, cell: Cell, breach: Breach) -> Finding:
    source, target = _ends(context, cell, breach)
    return Finding(
        title=f"{source} can reach {target} on {breach.traffic}",
        subjects=breach.subjects or (_zone(cell),),
        severity=cell.expectation.severity,
        from_zone=cell.source,
        to_zone=cell.target,
        traffic=breach.traffic,
        path=(*_path(breach), *_let_out(context, breach)),
        evidence=(breach.witness,) if breach.witness else (),
        matrix_row=_row(cell),
        expected=_expected(cell),
        observed=f"{breach.traffic} is open",
        fix=_fix(context, cell, breach),
        controls=cell.expectation.row.controls if cell.expectation.row else (),
        owner=_owner(context, cell),
        counts={"pairs": breach.pairs, "sources": breach.sources, "targets": breach.targets},
    )


def _ends(context: Context, cell: Cell, breach: Breach) -> tuple[str, str]:
    """What the title calls both ends: only addresses of a zone, where no pod of it is meant though it has some."""
    pods = {zone.name for zone in context.matrix.zones if zone.kind in _HOLDS_PODS}
    source = f"addresses of {cell.source}" if breach.egress is None and cell.source in pods else cell.source
    target = f"addresses of {cell.target}" if breach.ingress is None and cell.target in pods else cell.target
    return source, target


def _unattributed(cell: Cell, rest: Traffic) -> Finding:
    """Excess for which no cause was given: never silent, since the cell fails because of it."""
    return Finding(
        title=f"{cell.source} can reach {cell.target} on {rest}",
        subjects=(_zone(cell),),
        severity=cell.expectation.severity,
        from_zone=cell.source,
        to_zone=cell.target,
        traffic=rest,
        evidence=(cell.flow.witness,) if cell.flow.witness else (),
        matrix_row=_row(cell),
        expected=_expected(cell),
        observed=f"{rest} is open",
        fix=f"Find the policies of zone {cell.target} that let this in with `zone-audit explain`, and narrow them.",
        counts={"pairs": cell.flow.excess_pairs},
    )


def _uncertain(context: Context, cell: Cell) -> Iterator[Finding]:
    """One finding for each reason that leaves part of the cell undecided."""
    by_reason: dict[str, list[Breach]] = {}
    for breach in cell.flow.breaches:
        if not breach.certain and breach.exposed:
            for reason in breach.reasons or ("unknown",):
                by_reason.setdefault(reason, []).append(breach)
    for reason, breaches in sorted(by_reason.items()):
        yield _undecided(context, cell, reason, breaches)
    if UNJUDGED in cell.reasons:
        yield _unjudged(context, cell)
    silent = cell.verdict == "not-evaluated" and (cell.excess or {INCOMPLETE, UNJUDGED}.isdisjoint(cell.reasons))
    if not by_reason and silent:
        yield _undecided(context, cell, ", ".join(cell.flow.reasons) or "unknown", [])


def _unjudged(context: Context, cell: Cell) -> Finding:
    """A row that blocks what no policy decides, on a pair where something is open."""
    services = ", ".join(cell.expectation.row.unmodelled if cell.expectation.row else ())
    return Finding(
        title=f"{cell.source} may reach {cell.target} on {services}: {UNJUDGED}",
        subjects=(_zone(cell),),
        verdict="not-evaluated",
        severity=cell.expectation.severity,
        from_zone=cell.source,
        to_zone=cell.target,
        evidence=(cell.flow.witness,) if cell.flow.witness else (),
        matrix_row=_row(cell),
        expected=f"{services} blocked (row {_row(cell)})",
        observed=f"something is open, and no NetworkPolicy decides {services}",
        fix=f"Have {services} blocked by other means and take it out of the row, or close the pair as a whole.",
        owner=_owner(context, cell),
        reason=f"{services} is outside the NetworkPolicy API, so whether it is blocked cannot be told.",
        identity=(UNJUDGED, services),
    )


def _undecided(context: Context, cell: Cell, reason: str, breaches: list[Breach]) -> Finding:
    traffic = NONE
    for breach in breaches:
        traffic |= breach.traffic
    traffic = traffic or cell.excess
    texts = {assumption.id: assumption.text for assumption in context.facts.assumptions}
    named = {_ends(context, cell, breach) for breach in breaches}
    source, target = named.pop() if len(named) == 1 else (cell.source, cell.target)
    return Finding(
        title=f"{source} may reach {target} on {traffic}: {reason}",
        subjects=tuple(sorted({subject for breach in breaches for subject in breach.subjects})) or (_zone(cell),),
        verdict="not-evaluated",
        severity=cell.expectation.severity,
        from_zone=cell.source,
        to_zone=cell.target,
        traffic=traffic,
        path=_path(breaches[0]) if breaches else (),
        evidence=tuple(breach.witness for breach in breaches[:1] if breach.witness),
        matrix_row=_row(cell),
        expected=_expected(cell),
        observed=f"{traffic} may be open",
        fix=_settle(context, breaches),
        owner=_owner(context, cell),
        reason=texts.get(reason, reason),
        identity=(reason,),
        counts={"pairs": sum(breach.pairs for breach in breaches)} if breaches else {},
    )


def _zone(cell: Cell) -> ObjectRef:
    return ObjectRef("Zone", "", cell.target)


def _path(breach: Breach) -> tuple[Cause, ...]:
    return tuple(cause for cause in (breach.egress, breach.ingress) if cause)


def _let_out(context: Context, breach: Breach) -> tuple[Cause, ...]:
    """The egress firewalls of the namespaces at fault, which let through what goes to outside addresses."""
    if breach.ingress is not None:
        return ()
    known = context.of(named_by_namespace)
    spaces = [subject.name for subject in breach.subjects if subject.kind == "Namespace"]
    firewalls = (firewall for name in spaces for firewall in known.get(name, ()))
    return tuple(Cause(direction="egress", ref=firewall, text="lets it out as well") for firewall in firewalls)


def _row(cell: Cell) -> str:
    return cell.expectation.row.id if cell.expectation.row else ""


def _expected(cell: Cell) -> str:
    by = f"row {cell.expectation.row.id}" if cell.expectation.row else "default"
    return f"{cell.expectation.allowed} ({by})"


def _owner(context: Context, cell: Cell) -> str:
    """Who answers for the traffic: the owner of the row, else of the zone that is reached."""
    row, zone = cell.expectation.row, context.matrix.zone(cell.target)
    return (row.owner if row else "") or (zone.owner if zone else "")


def _fix(context: Context, cell: Cell, breach: Breach) -> str:
    for cause in _path(breach):
        if cause.ref and cause.ref in breach.subjects:
            return _unpublish(cell, cause.ref) if cause.ref.kind in PUBLISHING else _narrow(context, cell, cause)
    if bound := [subject for subject in breach.subjects if subject in context.host_network]:
        return _off_the_host(bound, inward=breach.ingress is not None)
    if namespaces := [subject.name for subject in breach.subjects if subject.kind == "Namespace"]:
        return _isolate(context, cell, breach, namespaces)
    at = ", ".join(map(str, breach.subjects)) or "its source"
    return f"Close {breach.traffic} from {cell.source} to {cell.target} at {at}."


def _unpublish(cell: Cell, by: ObjectRef) -> str:
    """What to do about a router that brings in what the matrix forbids."""
    allowed = f"only {cell.expectation.allowed}" if cell.expectation.allowed else "nothing"
    says = f"from {cell.source} to {cell.target} the matrix allows {allowed}"
    return f"Remove {by}, or have no router serve it whose pods the policies of its backends let in: {says}."


def _narrow(context: Context, cell: Cell, cause: Cause) -> str:
    """What to change in a policy; ports only where no other zone and no allowed traffic depends on the rule."""
    allowed = cell.expectation.allowed
    peer_zone = cell.source if cause.direction == "ingress" else cell.target
    found = context.narrow(cause, peer_zone, allowed)
    says = f"from {cell.source} to {cell.target} the matrix allows {f'only {allowed}' if allowed else 'nothing'}"
    if found is None:
        rule_text = f"{cause.direction} rule {cause.rule} of {cause.ref}" if cause.rule >= 0 else f"{cause.ref}"
        return f"Narrow {rule_text}: {says}."
    many = len(found.rules) > 1
    rules = f"{cause.direction} rule{'s' if many else ''} {_listed(map(str, found.rules))} of {cause.ref}"
    peers = f"{'their' if many else 'its'} peer{'s' if len(found.peers) > 1 else ''} {_listed(found.peers)}"
    if found.shared:
        verb = "cover" if len(found.peers) > 1 else "covers"
        return f"Narrow the peers of {rules}: {peers} {verb} {peer_zone}, and {says}."
    if many and allowed:
        return f"Narrow the ports of {rules}: {says}."
    if found.ports:
        ports = "\n".join(["ports:", *ports_yaml(found.ports)])
        return f"Narrow the ports of {rules}: {says}.\n\n{ports}"
    kept = " Keep Egress among its policyTypes." if cause.direction == "egress" else ""
    return f"Remove {rules}: {peers} {'are' if len(found.peers) > 1 else 'is'} in {peer_zone}, and {says}.{kept}"


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _off_the_host(bound: Sequence[ObjectRef], *, inward: bool) -> str:
    where = (
        "filter at the nodes or at the egress of the sources" if inward else "filter where the nodes' traffic leaves"
    )
    them = "it" if len(bound) == 1 else "them"
    more = f" and {len(bound) - 1} more" if len(bound) > 1 else ""
    return f"No policy binds {bound[0]}{more}: take {them} off the host network, or {where}."


def _host_fix(context: Context, breach: Breach) -> str:
    """What to do about an endpoint on the host network, where no policy can isolate it; empty for any other."""
    inward = breach.ingress is not None
    name = (breach.witness.target if inward else breach.witness.source) if breach.witness else ""
    bound = [ref for ref in context.host_network if f"{ref.namespace}/{ref.kind}/{ref.name}" == name]
    return _off_the_host(bound, inward=inward) if bound else ""


def _settle(context: Context, breaches: list[Breach]) -> str:
    """What to do about something that cannot be decided."""
    fixes = dict.fromkeys(_host_fix(context, breach) for breach in breaches)
    if len(fixes) == 1 and (fix := next(iter(fixes))):
        return fix
    return "Settle what is unknown and scan again; until then nothing is claimed about this traffic."


def _isolate(context: Context, cell: Cell, breach: Breach, namespaces: list[str]) -> str:
    inward = breach.ingress is not None
    zone = cell.target if inward else cell.source
    if zone == UNZONED:
        return f"Give namespace {namespaces[0]} the label of its zone, then a policy that isolates it."
    direction = "ingress" if inward else "egress"
    others = f" The same goes for {len(namespaces) - 1} more." if len(namespaces) > 1 else ""
    yaml = context.zone_policy(namespaces[0], zone, "ingress" if inward else "egress")
    isolate = f"Isolate namespace {namespaces[0]} for {direction} and admit only what the matrix allows.{others}"
    if firewalls := _let_out(context, breach):
        isolate = f"Deny it in {firewalls[0].ref}, or isolate the namespace for egress: the matrix allows less.{others}"
    if context.inventory.profile.enforcement == "no":
        isolate = f"Have policies enforced first: {context.inventory.profile} ignores them. Then: {isolate}"
    return f"{isolate}\n\n{yaml}"
