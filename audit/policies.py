"""All policies of a snapshot, lowered, and what they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from audit.errors import AuditErrors, InputError
from audit.model import CLUSTER_WIDE, ObjectRef
from audit.policy import adminpolicy, networkpolicy, plugins
from audit.policy.clause import (
    AdminText,
    Block,
    HostPods,
    NodeNetwork,
    OutsideBlock,
    OwnPods,
    Peer,
    PolicyText,
    Relation,
    SelectedPods,
)
from audit.policy.specs import SpecError
from audit.profile import Profile
from audit.selectors import LabelSelector
from audit.snapshot import Entry, Snapshot
from audit.sources import locate
from audit.traffic import AddressSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy with what it says: PolicyText for a NetworkPolicy, AdminText for a cluster-wide one."""

    ref: ObjectRef
    text: PolicyText | AdminText


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedPolicy:
    """One MultiNetworkPolicy: a policy for further interfaces of pods."""

    ref: ObjectRef
    text: PolicyText
    attachments: frozenset[str]
    """`namespace/name` of the attachments that it isolates."""


MULTI_NETWORK_POLICY = "MultiNetworkPolicy.k8s.cni.cncf.io"
POLICY_FOR = "k8s.v1.cni.cncf.io/policy-for"


@dataclass(frozen=True, slots=True)
class Keys:
    """What the policies of a cluster look at."""

    pods: frozenset[str]
    """Label keys of pods."""
    namespaces: frozenset[str]
    """Label keys of namespaces."""
    ports: frozenset[str]
    """Port names."""
    blocks: tuple[AddressSet, ...]
    nodes: bool
    """Whether they tell the addresses of nodes apart from others."""
    hosts: bool
    """Whether they pick host-network pods by label."""


def lowered(snapshot: Snapshot, profile: Profile) -> tuple[Policy, ...]:
    """Every policy as the plug-in may read it, NetworkPolicies first; equal specs are read once.

    All refused specs are reported together.
    """
    errors: list[InputError] = []

    def namespaced(spec: bytes) -> PolicyText:
        return plugins.read(networkpolicy.lower(spec), profile)

    found = list(_lowered(snapshot.of("NetworkPolicy"), namespaced, errors))
    for key in CLUSTER_WIDE:
        found += _lowered(snapshot.of(key), _cluster_wide(key.partition(".")[0], profile), errors)
    if errors:
        raise AuditErrors(errors)
    return tuple(found)


def _cluster_wide(kind: str, profile: Profile) -> Callable[[bytes], AdminText]:
    return lambda spec: plugins.read_admin(kind, adminpolicy.lower(kind, spec), profile)


def _lowered(
    entries: Iterable[Entry], lower: Callable[[bytes], PolicyText | AdminText], errors: list[InputError]
) -> Iterator[Policy]:
    texts: dict[bytes, PolicyText | AdminText] = {}
    for entry in entries:
        spec = bytes(entry.body.spec)
        ref = ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)
        try:
            text = texts.get(spec) or texts.setdefault(spec, lower(spec))
        except SpecError as error:
            position = locate(entry, ("spec", *error.path))
            where = f"{entry.kind} `{entry.namespace}/{entry.name}`: {error}".replace("`/", "`")
            errors.append(InputError(where, position, hint="an API server refuses this object"))
            continue
        yield Policy(ref=ref, text=text)


def attached_policies(snapshot: Snapshot, profile: Profile) -> tuple[AttachedPolicy, ...]:
    """Every MultiNetworkPolicy as the plug-in may read it; errors as for `lowered`."""
    errors: list[InputError] = []
    entries = snapshot.of(MULTI_NETWORK_POLICY)

    def attached(spec: bytes) -> PolicyText:
        return plugins.read_attached(networkpolicy.lower(spec), profile)

    found = {one.ref: one.text for one in _lowered(entries, attached, errors)}
    if errors:
        raise AuditErrors(errors)
    policies = []
    for entry in entries:
        ref = ObjectRef(entry.kind, entry.namespace, entry.name, entry.origin)
        text = found[ref]
        listed = (entry.body.metadata.annotations or {}).get(POLICY_FOR, "")
        names = [part.strip() for part in listed.split(",") if part.strip()]
        whole = frozenset(name if "/" in name else f"{entry.namespace}/{name}" for name in names)
        if isinstance(text, PolicyText):
            policies.append(AttachedPolicy(ref=ref, text=text, attachments=whole))
    return tuple(policies)


def keys_of(policies: Iterable[Policy | AttachedPolicy]) -> Keys:
    """Everything that selectors, named ports and blocks of the policies refer to."""
    pods: set[str] = set()
    namespaces: set[str] = set()
    ports: set[str] = set()
    blocks: dict[AddressSet, None] = {}
    kinds: set[type[Peer]] = set()
    for text in {id(policy.text): policy.text for policy in policies}.values():
        for spaces, selector in _subjects(text):
            namespaces |= spaces
            pods |= selector.keys
        for clause in text.clauses:
            ports.update(name for name, _ in clause.ports.named)
            kinds.update(map(type, clause.peers))
            for peer in clause.peers:
                match peer:
                    case OwnPods(selector):
                        pods |= selector.keys
                    case SelectedPods(among, selector):
                        namespaces |= among.keys
                        pods |= selector.keys
                    case Relation(related, _, selector):
                        namespaces.update(related)
                        pods |= selector.keys
                    case Block(addresses) | OutsideBlock(addresses):
                        blocks[addresses] = None
                    case _:
                        pass
    nodes = not kinds.isdisjoint((HostPods, NodeNetwork, OutsideBlock))
    return Keys(
        frozenset(pods), frozenset(namespaces), frozenset(ports), tuple(blocks), nodes=nodes, hosts=HostPods in kinds
    )


def _subjects(text: PolicyText | AdminText) -> Iterator[tuple[frozenset[str], LabelSelector]]:
    match text:
        case PolicyText():
            yield frozenset(), text.subject
        case AdminText():
            yield text.namespaces.keys, text.pods
