"""What rules read besides the cells: isolation per namespace, oddities per policy, the assumption register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from audit.flows import (
    Assumption,
    Cause,
    Departure,
    EntryPoint,
    Facts,
    Isolation,
    PolicyFact,
    Population,
    Reading,
)
from audit.model import ObjectRef
from audit.permits import UNCERTAIN
from audit.policies import Policy
from audit.policy.clause import (
    UNPLACED,
    AdminText,
    AnyPeer,
    Clause,
    Direction,
    OwnPods,
    Peer,
    PolicyText,
    SelectedPods,
    is_local,
)
from audit.policy.foreign import Foreign
from audit.reach import Reachability
from audit.traffic import ALL

NO_ZONES: Mapping[str, str] = {}
NO_DEPARTURES: Mapping[str, tuple[Departure, ...]] = {}
_STANDING = {
    "node-to-own-pods": "A node can always reach the pods that run on it (kubelet probes). "
    "That is inherent and left out of the matrix.",
    "node-addresses": "Node addresses are judged where a zone consists of nodes. For zones with namespaces, who "
    "reaches the addresses of their nodes, and whom the nodes reach, is left to the firewall between the nodes.",
    "protocols": "Verdicts cover TCP, UDP and SCTP. ICMP and other protocols are outside the NetworkPolicy API.",
}
"""Assumptions that every verdict rests on, with every input; `enforcement` comes on top."""
_UNVERIFIED = (
    "The certificate of the API server was not verified when the cluster was read, so whoever was in between may have "
    "answered: nothing passes."
)
_ENFORCEMENT = {
    "assumed": "NetworkPolicies are taken as enforced the way the Kubernetes API describes them; "
    "whether the network plug-in does so cannot be seen in manifests.",
    "yes": "NetworkPolicies are taken as enforced the way {plugin} does it; where that differs from the API text, what "
    "either lets through is possible.",
    "no": "{plugin} enforces no NetworkPolicy, so none of them closes anything.",
    "unknown": "Whether NetworkPolicies are enforced is not known ({plugin}), so nothing counts as closed by one.",
}


def gather(
    reach: Reachability,
    doubts: Mapping[str, int],
    home: Mapping[str, str] = NO_ZONES,
    departures: Mapping[str, tuple[Departure, ...]] = NO_DEPARTURES,
    entries: Sequence[EntryPoint] = (),
) -> Facts:
    """All facts; `doubts` counts endpoint pairs per reason, `home` is the zone of each namespace."""
    policies = _Policies(reach)
    return Facts(
        population=_population(reach, home),
        isolation=dict(_isolation(reach)),
        policies=(
            *(policies.fact(index, policy) for index, policy in enumerate(reach.policies)),
            *_firewalls_with_gaps(reach),
        ),
        assumptions=tuple(_assumptions(reach, doubts)),
        foreign=tuple(one.ref for one in reach.foreign),
        unordered=tuple(_unordered(reach)),
        departures=departures,
        entry_points=tuple(entries),
    )


def _population(reach: Reachability, home: Mapping[str, str]) -> dict[str, Population]:
    """Zone -> what it holds."""
    classes, inventory = reach.classes, reach.inventory
    pods: Counter[str] = Counter()
    held: dict[str, set[int]] = {}
    for zone, members in zip(classes.zones, classes.members, strict=True):
        pods[zone] += len(members)
        held.setdefault(zone, set()).update(inventory.endpoints[index].workload for index in members)
    found = {}
    for zone, numbers in sorted(held.items()):
        refs = (inventory.workloads[number].ref for number in sorted(numbers))
        guests = tuple(ref for ref in refs if home.get(ref.namespace, zone) != zone)
        found[zone] = Population(workloads=len(numbers), pods=pods[zone], guests=guests)
    return found


def _assumptions(reach: Reachability, doubts: Mapping[str, int]) -> Iterator[Assumption]:
    profile = reach.profile
    enforcement = _ENFORCEMENT[profile.enforcement].format(plugin=profile)
    told = f" Told by: {'; '.join(profile.evidence)}." if profile.evidence else ""
    standing = _STANDING | {"enforcement": enforcement + told}
    manifest = reach.inventory.snapshot.manifest
    if manifest and manifest.cluster.unverified_tls:
        standing["unverified-server"] = _UNVERIFIED
    for name, text in sorted(standing.items()):
        yield Assumption(id=name, text=text)
    for name, count in sorted(doubts.items()):
        seen = f" Seen: {_kinds(reach.foreign)}." if name == "unmodelled-policy" else ""
        yield Assumption(id=name, text=UNCERTAIN[name] + seen, connections=count)


def _kinds(foreign: Iterable[Foreign]) -> str:
    """`CiliumNetworkPolicy of cilium.io (3), ...`: every kind with the number of its objects."""
    counts = Counter((one.ref.kind, one.group) for one in foreign)
    return ", ".join(f"{kind} of {group} ({count})" for (kind, group), count in sorted(counts.items()))


def _isolation(reach: Reachability) -> Iterator[tuple[str, Isolation]]:
    weights = reach.classes.weights
    for namespace, (start, end) in sorted(reach.classes.ranges.items()):
        numbers = range(start, end)
        listed = reach.by_namespace.get(namespace, ())
        yield (
            namespace,
            Isolation(
                pods=sum(weights[number] for number in numbers),
                ingress=_isolated(reach, "ingress", numbers),
                egress=_isolated(reach, "egress", numbers),
                policies=len(listed),
                future_ingress=any(_isolates_new(reach.text(index), "ingress") for index in listed),
                future_egress=any(_isolates_new(reach.text(index), "egress") for index in listed),
                open_ingress_by=tuple(_wide_open(reach, listed)),
            ),
        )


def _isolated(reach: Reachability, direction: Direction, numbers: range) -> int:
    """Pods that some NetworkPolicy isolates, or for which cluster-wide policies leave something closed."""
    rows, isolated, weights = reach.policed[direction], reach.isolated[direction], reach.classes.weights
    return sum(weights[number] for number in numbers if number in isolated or reach.open not in rows[number])


def _isolates_new(text: PolicyText, direction: Direction) -> bool:
    """Whether a pod without labels would be isolated: the policy must select it."""
    return direction in text.isolates and text.subject.matches({})


def _wide_open(reach: Reachability, listed: Sequence[int]) -> Iterator[Cause]:
    """Ingress rules that admit every pod of the cluster on every port to at least one pod."""
    for index in listed:
        policy = reach.policies[index]
        if not reach.selected[index]:
            continue
        for clause in policy.text.clauses:
            certain = clause.direction == "ingress" and not clause.unknown and not clause.doubt
            if certain and clause.ports.traffic == ALL and any(map(_everyone, clause.peers)):
                text = f"rule {clause.index} admits {clause}"
                yield Cause(direction="ingress", ref=policy.ref, rule=clause.index, text=text)


def _everyone(peer: Peer) -> bool:
    match peer:
        case AnyPeer():
            return True
        case SelectedPods(namespaces, pods):
            return not namespaces.requirements and not pods.requirements
        case _:
            return False


class _Policies:
    """Facts of policies; those of equal specs share all that does not depend on their namespace."""

    def __init__(self, reach: Reachability) -> None:
        self._reach = reach
        self._known: dict[int, _Spec] = {}

    def fact(self, index: int, policy: Policy) -> PolicyFact:
        """The facts of one policy."""
        text, namespace = policy.text, policy.ref.namespace
        spec = self._known.get(id(text))
        if spec is None:
            spec = self._known[id(text)] = self._spec(text)
        selected = self._reach.selected[index]
        return PolicyFact(
            ref=policy.ref,
            selected=selected,
            selector=spec.selector,
            empty_peers=tuple(
                dict.fromkeys(
                    f"{clause.direction} rule {clause.index}: {peer}"
                    for clause, peer in spec.narrow
                    if _matches_nothing(self._reach, namespace, peer)
                )
            )
            + (text.invalid if isinstance(text, PolicyText) else ()),
            inert=text.inert if isinstance(text, PolicyText) else (),
            gaps=text.gaps,
            readings=tuple(dict.fromkeys(self._readings(spec, namespace))) if selected else (),
        )

    def _spec(self, text: PolicyText | AdminText) -> _Spec:
        subject = text.subject if isinstance(text, PolicyText) else SelectedPods(text.namespaces, text.pods)
        enforced = self._reach.profile.enforcement != "no"
        return _Spec(
            selector=str(subject),
            narrow=tuple(
                (clause, peer)
                for clause in text.clauses
                for peer in clause.peers
                if isinstance(peer, OwnPods) or _matches_nothing(self._reach, "", peer)
            ),
            whole=text.reading if enforced and isinstance(text, AdminText) else "",
            read=tuple(
                (clause, _reading(clause), None if is_local(clause) else _matters(self._reach, "", clause))
                for clause in text.clauses
                if enforced and clause.reading
            ),
        )

    def _readings(self, spec: _Spec, namespace: str) -> Iterator[Reading]:
        """What the plug-in reads in another way, where that makes a difference."""
        if spec.whole:
            yield Reading(spec.whole, "")
        for clause, reading, matters in spec.read:
            if _matters(self._reach, namespace, clause) if matters is None else matters:
                yield reading


class _Spec(NamedTuple):
    """What holds in every namespace for the policies of one spec."""

    selector: str
    narrow: tuple[tuple[Clause, Peer], ...]
    """Peers that match nothing, or may in some namespace."""
    whole: str
    """What the plug-in reads in another way in the policy as a whole, or nothing."""
    read: tuple[tuple[Clause, Reading, bool | None], ...]
    """Rules that it reads in another way, and whether that makes a difference; None where the namespace tells."""


def _reading(clause: Clause) -> Reading:
    where = f"{clause.direction} rule {clause.index}: {clause}" if clause.index >= 0 else clause.direction
    return Reading(clause.reading, where)


def _matters(reach: Reachability, namespace: str, clause: Clause) -> bool:
    """Whether a clause in doubt has peers at all; to Cilium, blocks are in doubt only for pods and nodes."""
    among = reach.classes.everything
    if clause.reading == "block-of-pods":
        among = reach.classes.all_pods | reach.peers.network.atoms
    return any(peers.intersect(among) for peers, _, _ in reach.peers.of(namespace, clause.peers))


def _unordered(reach: Reachability) -> Iterator[tuple[ObjectRef, ...]]:
    """One group per tier and priority, sorted; a policy without priority is in none."""
    texts = reach.admin.texts
    found: dict[tuple[str, int], set[ObjectRef]] = {}
    for selecting in set(reach.admin.selecting.values()):
        groups: dict[tuple[str, int], list[ObjectRef]] = {}
        for index, _ in selecting:
            groups.setdefault((texts[index].tier, texts[index].priority), []).append(reach.policies[index].ref)
        for place, refs in groups.items():
            if len(refs) > 1 and place[1] != UNPLACED:
                found.setdefault(place, set()).update(refs)
    return (tuple(sorted(refs)) for _, refs in sorted(found.items()))


def _firewalls_with_gaps(reach: Reachability) -> Iterator[PolicyFact]:
    """Egress firewalls that are not understood in full."""
    for ref, gaps in reach.firewalls.gaps:
        selected = sum(reach.classes.weights[slice(*reach.classes.ranges.get(ref.namespace, (0, 0)))])
        yield PolicyFact(ref=ref, selected=selected, selector="every pod of the namespace", gaps=gaps)


def _matches_nothing(reach: Reachability, namespace: str, peer: Peer) -> bool:
    match peer:
        case OwnPods(pods):
            return bool(pods.requirements) and not reach.peers.own(namespace, pods)
        case SelectedPods():
            return not reach.peers.selected(peer)[1]
        case _:
            return False
