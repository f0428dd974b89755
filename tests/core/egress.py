"""Builders for the tests of what leaves the cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from audit.explain import explain
from audit.exposure.leaving import Leaving
from audit.inventory import build
from audit.profile import Profile
from audit.reach import Reachability
from audit.traffic import Traffic, address_number
from tests.core.clusters import Json, namespace, pod, snapshot

OVN = Profile(plugin="ovn-kubernetes")
SDN = Profile(plugin="openshift-sdn", mode="networkpolicy", version=(4, 12))
UNKNOWN = Profile(plugin="unknown")
APPLIED = "EgressFirewall Rules applied"
OUTSIDE = "203.0.113.9"


def rule(action: str, to: Json, *ports: int, protocol: str = "TCP") -> Json:
    """One rule; a text is a CIDR block."""
    found = {"type": action, "to": {"cidrSelector": to} if isinstance(to, str) else to}
    return found | {"ports": [{"protocol": protocol, "port": number} for number in ports]} if ports else found


def allow(to: Json, *ports: int) -> Json:
    return rule("Allow", to, *ports)


def deny(to: Json, *ports: int) -> Json:
    return rule("Deny", to, *ports)


def made(kind: str, group: str, name: str, ns: str = "", **fields: Any) -> Json:
    """An object; `fields` are what stands beside its metadata."""
    metadata = {"name": name} | ({"namespace": ns} if ns else {})
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, **fields}


def firewall(*rules: Json, ns: str = "app", name: str = "default", **fields: Any) -> Json:
    return made("EgressFirewall", "k8s.ovn.org", name, ns, spec={"egress": list(rules)}, **fields)


def old_firewall(*rules: Json, ns: str = "app", name: str = "default") -> Json:
    return made("EgressNetworkPolicy", "network.openshift.io", name, ns, spec={"egress": list(rules)})


def net(name: str, netid: int | None = 7, *addresses: str) -> Json:
    found = made("NetNamespace", "network.openshift.io", name, netname=name, egressIPs=list(addresses))
    return found | ({} if netid is None else {"netid": netid})


def subnet(node: str, *addresses: str, ranges: tuple[str, ...] = ()) -> Json:
    fields: Json = {"host": node, "egressIPs": list(addresses), "egressCIDRs": list(ranges)}
    return made("HostSubnet", "network.openshift.io", node, **fields)


def one_pod(ns: str = "app", **fields: Any) -> list[Json]:
    return [namespace(ns), pod("a", ns, **fields)]


def reached(*objects: Json, profile: Profile | None = None) -> Reachability:
    """Rows under a profile; as the API texts say without one."""
    inventory = build(snapshot(objects))
    return Reachability(replace(inventory, profile=profile) if profile else inventory)


def verdict(target: str, *objects: Json, port: str = "tcp/443", profile: Profile | None = None) -> str:
    """What pod `app/a` may do to an address, or to an endpoint `namespace/name`; the other end admits everything."""
    return answer(reached(*objects, profile=profile), target, port)


def answer(reach: Reachability, target: str, port: str = "tcp/443", name: str = "a", ns: str = "app") -> str:
    """The verdict on one port of the pods of one name."""
    protocol, _, number = port.partition("/")
    asked = Traffic.of(protocol.upper(), int(number))
    endpoints, classes = reach.inventory.endpoints, reach.classes
    (source,) = {classes.class_of[n] for n, one in enumerate(endpoints) if (one.namespace, one.name) == (ns, name)}
    if "/" in target:
        place = [f"{one.namespace}/{one.name}" for one in endpoints].index(target)
        number_of = classes.class_of[place]
    else:
        number_of = classes.pods + classes.space.atom(address_number(target))
    permits = [reach.permits.all[permit] for permit in reach.rows["egress"][source]]
    fitting = [one.reason for one in permits if number_of in one.peers and asked <= one.traffic]
    return "denied" if not fitting else "allowed" if "" in fitting else "unknown"


def reasons(target: str, *objects: Json, profile: Profile | None = None) -> set[str]:
    """Why what pod `app/a` may do to an address is not certain."""
    reach = reached(*objects, profile=profile)
    number = reach.classes.pods + reach.classes.space.atom(address_number(target))
    source = next(reach.classes.class_of[n] for n, one in enumerate(reach.inventory.endpoints) if one.name == "a")
    permits = (reach.permits.all[permit] for permit in reach.rows["egress"][source])
    return {one.reason for one in permits if number in one.peers}


def lines(target: str, *objects: Json, port: str | None = None) -> list[str]:
    """What `explain` says of the connection from pod `app/a`."""
    return [line.strip() for line in explain(snapshot(objects), "app/a", target, port).lines]


Shown = tuple[str, str, str, str]


def sources(*objects: Json, profile: Profile | None = None, name: str = "a") -> list[Shown]:
    """(address, via, node, verdict) of the pods of one name."""
    inventory = build(snapshot(objects))
    inventory = replace(inventory, profile=profile) if profile else inventory
    leaving = Leaving(inventory)
    return [one[:4] for n, pod in enumerate(inventory.endpoints) if pod.name == name for one in leaving.of(n)]
