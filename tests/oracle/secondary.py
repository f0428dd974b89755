"""Further networks of pods, and the MultiNetworkPolicy objects about them.

Source: docs/reachability.md section 3.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.oracle.admin import ALLOW, DENY, NEXT
from tests.oracle.netpol import NetworkPolicies
from tests.oracle.networks import OVN, role_of
from tests.oracle.objects import Hosts, name_of, namespace_of, of_kind, spec_of
from tests.oracle.plugins import Plugin
from tests.oracle.terms import MAYBE, NO, YES, Endpoint, Flow, Json, Outside, Pod, namespace_matches

ATTACHED = "k8s.v1.cni.cncf.io/networks"
INSTEAD = "v1.multus-cni.io/default-network"
POLICY_FOR = "k8s.v1.cni.cncf.io/policy-for"
VIRTUAL = ("Layer2", "Layer3")
Name = tuple[str, str]
NO_HOSTS = Hosts(shown=frozenset(), complete=True, pods=())


@dataclass(frozen=True)
class Attachment:
    """One interface of a pod beside that of the pod network."""

    name: Name | None
    virtual: tuple[str, ...] = ()
    """The user-defined network; empty for a physical one."""
    sure: int = YES
    """Whether the attachment is what it is taken for."""


class Secondary:
    """What is attached to what, and which policies are about it."""

    def __init__(
        self, objects: list[Json], namespaces: Mapping[str, Json], plugin: Plugin, pods: Mapping[str, Pod]
    ) -> None:
        self.namespaces = namespaces
        known = objects if plugin.user_networks else []
        self.own = of_kind(known, "UserDefinedNetwork", OVN)
        self.shared = of_kind(known, "ClusterUserDefinedNetwork", OVN)
        self.policies = of_kind(objects, "MultiNetworkPolicy", "k8s.cni.cncf.io")
        self.enforced = enforced(objects, plugin)
        self.plugin = plugin if plugin.ovn else Plugin()
        self.plugin = plugin if plugin.ovn else Plugin()
        self.attached = {pod.id: list(self._attachments(pod)) for pod in pods.values()}
        self._about = functools.cache(self._uncached_about)

    def _attachments(self, pod: Pod) -> Iterator[Attachment]:
        if pod.host_network:
            return
        for key in (ATTACHED, INSTEAD):
            for name in names(pod.annotations.get(key) or "", pod.namespace):
                # A network of another namespace is not an overlay that the pod is put on.
                yield from self._attachment(name) if name[0] == pod.namespace else [Attachment(name)]
        yield from (Attachment(None) for one in pod.networks if "pod" not in one)

    def _attachment(self, name: Name) -> Iterator[Attachment]:
        """The attachment by this name: of a virtual network, physical, or, where that is open, both."""
        truth = NO
        for o in self.own:
            if (namespace_of(o), name_of(o)) == name and is_virtual(o["spec"]):
                truth = YES
                yield Attachment(name, ("udn", *name))
        for o in self.shared:
            if name_of(o) == name[1] and is_virtual(o["spec"]["network"]):
                selected = namespace_matches(self.namespaces, o["spec"]["namespaceSelector"], name[0])
                if truth == NO and selected > NO:
                    truth = selected
                    yield Attachment(name, ("cudn", name[1]), selected)
        if truth < YES:
            yield Attachment(name)

    # The question ----------------------------------------------------------------------------------------------------

    def verdict(self, source: Endpoint, target: Endpoint, protocol: str, port: int) -> int:
        """Whether a further network carries the connection."""
        address = source.address if isinstance(source, Outside) else None
        other = target.address if isinstance(target, Outside) else None
        flow = Flow(source, address, target, other, protocol, port)
        found = [
            min(common(one, two), self._side("egress", source, one, flow), self._side("ingress", target, two, flow))
            for one in self._interfaces(source)
            for two in self._interfaces(target)
            if common(one, two)
        ]
        return max(found, default=NO)

    def _interfaces(self, end: Endpoint) -> list[Attachment]:
        """The outside is on the physical network."""
        return [Attachment(None)] if isinstance(end, Outside) else self.attached[end.id]

    def _side(self, direction: str, subject: Endpoint, attachment: Attachment, flow: Flow) -> int:
        if isinstance(subject, Outside) or attachment.name is None or self.enforced == NO:
            return YES
        answers = self._about(attachment).answers(direction, subject, flow)
        truths = {NO if answer == DENY else YES for answer in answers}
        assert answers <= {ALLOW, DENY, NEXT}
        truth = truths.pop() if len(truths) == 1 else MAYBE
        return truth if self.enforced == YES else max(truth, MAYBE)

    def _uncached_about(self, attachment: Attachment) -> NetworkPolicies:
        """The policies about the network, which see the pods that are attached to it."""
        about = [o for o in self.policies if attachment.name in policy_for(o)]
        members = frozenset(pod for pod, found in self.attached.items() if any(same(attachment, one) for one in found))
        return NetworkPolicies(about, self.namespaces, self.plugin, NO_HOSTS, members=members)


def common(one: Attachment, two: Attachment) -> int:
    """Whether the two interfaces reach each other; of physical networks nobody says."""
    if one.virtual != two.virtual:
        return NO
    return min(one.sure, two.sure) if one.virtual else MAYBE


def same(one: Attachment, two: Attachment) -> bool:
    """Whether both are or may be attached to one network."""
    return one.virtual == two.virtual


def is_virtual(spec: Json) -> bool:
    """Whether a user-defined network is an overlay of its own."""
    return spec.get("topology") in VIRTUAL and role_of(spec) == "Secondary"


def names(text: str, namespace: str) -> Iterator[Name]:
    """The attachments that an annotation lists, as JSON or `namespace/name@interface` with commas."""
    if text.lstrip().startswith("["):
        yield from ((entry.get("namespace") or namespace, entry["name"]) for entry in json.loads(text))
        return
    for part in text.split(","):
        path = part.strip().partition("@")[0]
        if path:
            first, slash, last = path.partition("/")
            yield (first, last) if slash else (namespace, first)


def policy_for(policy: Json) -> list[Name]:
    """The attachments that a MultiNetworkPolicy is about."""
    return list(names((policy["metadata"].get("annotations") or {}).get(POLICY_FOR) or "", namespace_of(policy)))


def enforced(objects: list[Json], plugin: Plugin) -> int:
    """Whether anything carries out MultiNetworkPolicy objects."""
    if not plugin.ovn:
        return YES if plugin.name == "spec" else MAYBE
    for o in of_kind(objects, "Network", "operator.openshift.io"):
        if name_of(o) == "cluster":
            return YES if spec_of(o).get("useMultiNetworkPolicy") else NO
    return MAYBE
