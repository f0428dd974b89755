"""EgressIP (`k8s.ovn.org/v1`): source addresses that OVN-Kubernetes gives to the pods of selected namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from audit.exposure.raw import decoded, listed, text_of
from audit.exposure.selecting import Picked, picked, readable
from audit.exposure.ways import Source, Way
from audit.inventory import Inventory
from audit.model import Namespace, ObjectRef
from audit.selectors import LabelSelector
from audit.snapshot import Entry, Snapshot
from audit.traffic import address_number

EGRESS_IP_KEYS = ("EgressIP.k8s.ovn.org", "CloudPrivateIPConfig.cloud.network.openshift.io")
PRIMARY_NETWORK = "k8s.ovn.org/primary-user-defined-network"
"""Label of namespaces on a network of their own, where not every release serves egress addresses."""
_IPV6_GROUPS = 8


class EgressIP(NamedTuple):
    """One object."""

    ref: ObjectRef
    wanted: tuple[str, ...]
    served: tuple[tuple[str, str], ...] | None
    """(address, node); None where the cluster has not said anything yet."""
    namespaces: LabelSelector | None
    """None for a selector that cannot be read."""
    pods: LabelSelector | None


class EgressIPs:
    """All of a cluster."""

    def __init__(self, inventory: Inventory) -> None:
        self._all = egress_ips(inventory.snapshot)
        self._spaces: Mapping[str, Namespace] = inventory.namespaces
        self._picked = picked(inventory.namespaces, [one.namespaces for one in self._all])
        self._cloud = assigned(inventory.snapshot)

    def by_labels(self, namespace: str) -> bool:
        """Whether labels of pods make a difference in a namespace."""
        found = (self._all[number].pods for number, _ in self._picked.get(namespace, ()))
        return any(pods is None or pods.requirements for pods in found)

    def way(self, namespace: str, labels: Mapping[str, str]) -> Way | None:
        """What the objects that select a pod do; None where none does."""
        chosen = [one for one in self._picked.get(namespace, ()) if self._selects(one, labels)]
        if not chosen:
            return None
        objects = [self._all[number] for number, _ in chosen]
        sources = tuple(source for one in objects for source in self._sources(one))
        sure = any(certain and self._all[number].pods is not None for number, certain in chosen)
        usable = not any(label == PRIMARY_NETWORK for label in self._spaces[namespace].labels)
        if len(objects) == 1 and sure and objects[0].served == ():
            return Way(final=False, note=f"{objects[0].ref} has no node")
        doubt = len(objects) > 1 or not (sure and usable) or not all(self._real(one) for one in objects)
        return Way(sources, doubt=doubt, final=sure and usable and all(self._real(one) for one in objects))

    def _selects(self, one: Picked, labels: Mapping[str, str]) -> bool:
        pods = self._all[one[0]].pods
        return pods is None or pods.matches(labels)

    def _sources(self, one: EgressIP) -> list[Source]:
        """What an object may show; which of several addresses a connection gets is balanced, so each of them."""
        pairs = one.served if one.served is not None else tuple((address, "") for address in one.wanted)
        return [Source(address, str(one.ref), node, "allowed") for address, node in pairs]

    def _real(self, one: EgressIP) -> bool:
        """Whether the object certainly has an address, and no cloud says otherwise of any of them."""
        return bool(one.served) and all(self._confirmed(address, node) for address, node in one.served or ())

    def _confirmed(self, address: str, node: str) -> bool:
        return self._cloud is None or (number := _number(address)) is None or self._cloud.get(number) == node


def egress_ips(snapshot: Snapshot) -> tuple[EgressIP, ...]:
    """The objects of a snapshot, by name."""
    return tuple(_read(entry) for entry in snapshot.of(EGRESS_IP_KEYS[0]))


def _read(entry: Entry) -> EgressIP:
    spec, status = decoded(entry.body.spec), decoded(entry.body.status)
    served = None
    if status:
        items = listed(status, "items")
        served = tuple((text_of(one, "egressIP"), text_of(one, "node")) for one in items)
    return EgressIP(
        ref=ObjectRef(entry.kind, "", entry.name, entry.origin),
        wanted=tuple(one for one in listed(spec, "egressIPs") if isinstance(one, str)),
        served=served,
        namespaces=readable(spec.get("namespaceSelector")),
        pods=readable(spec.get("podSelector")),
    )


def assigned(snapshot: Snapshot) -> dict[int, str] | None:
    """Address -> node to which a cloud assigned it; None where no cloud says anything."""
    entries = snapshot.of(EGRESS_IP_KEYS[1])
    if not entries:
        return None
    found = {}
    for entry in entries:
        status = decoded(entry.body.status)
        conditions = {text_of(one, "type"): text_of(one, "status") for one in listed(status, "conditions")}
        number = _number(_plain(entry.name))
        if number is not None and conditions.get("Assigned") == "True":
            found[number] = text_of(status, "node")
    return found


def _plain(name: str) -> str:
    """The address that a CloudPrivateIPConfig is named by: IPv6 is written in full with dots between the groups."""
    return name.replace(".", ":") if len(name.split(".")) == _IPV6_GROUPS else name


def _number(text: str) -> int | None:
    try:
        return address_number(text)
    except ValueError:
        return None
