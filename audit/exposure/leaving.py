"""With which source addresses the traffic of a pod leaves the cluster, by what, and from which node.

Input: an Inventory. Output: per endpoint its sources. Decisions: what a cluster reports (`status`) is the truth, and
where it reports nothing every reading stays possible; mechanisms come in an order, and one that certainly takes the
traffic leaves nothing to those after it. An egress address that no node serves makes OVN-Kubernetes fall back to the
node's address, and openshift-sdn drop the traffic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from audit.exposure.egressips import EGRESS_IP_KEYS, EgressIPs
from audit.exposure.egressrouters import POD_LABEL, ROUTER_KEY, router_pods, routers
from audit.exposure.egressservices import ROUTES_KEY, SERVICES_KEY, EgressServices, ExternalRoutes
from audit.exposure.netnamespaces import Tenant, tenants
from audit.exposure.ways import Source, Way
from audit.inventory import Inventory, Pod
from audit.traffic import MAX_V4, address_text

NET_KEYS = tuple(
    f"{kind}{suffix}" for kind in ("NetNamespace", "HostSubnet") for suffix in (".network.openshift.io", "")
)
READ = frozenset({*EGRESS_IP_KEYS, SERVICES_KEY, ROUTES_KEY, ROUTER_KEY, *NET_KEYS})
"""Kind keys that decide with which address traffic leaves."""
_ADVERTISED = "RouteAdvertisements.k8s.ovn.org"
_TRANSLATING = ("ovn-kubernetes", "openshift-sdn")
"""Plug-ins that put the node's address in the place of the pod's, where nothing else is told."""


class _Plan(NamedTuple):
    """What happens to traffic of some pods, up to the node's own address."""

    sources: tuple[Source, ...]
    keeps: tuple[str, ...]
    doubt: bool
    node: bool
    """Whether the node's address may be shown."""
    note: str


class _Space(NamedTuple):
    """What makes pods of a namespace differ."""

    by_labels: bool
    serving: frozenset[str]
    """Nodes that serve an egress address of the namespace."""


class Leaving:
    """The way out of every endpoint."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        plugin, mode = inventory.profile.plugin, inventory.profile.mode
        self._ovn = plugin in ("spec", "ovn-kubernetes", "unknown")
        sdn = plugin in ("spec", "openshift-sdn", "unknown") and mode != "subnet"
        self._unsure = plugin == "unknown"
        self._assumed = plugin != "openshift-sdn" or not mode
        self._ips = EgressIPs(inventory)
        self._services = EgressServices(inventory)
        self._routes = ExternalRoutes(inventory)
        self._tenants: Mapping[str, Tenant] = tenants(inventory) if sdn else {}
        self._router_pods = router_pods(inventory.snapshot) if sdn else {}
        self._routers = routers(inventory.snapshot) if self._ovn else {}
        self._advertised = self._ovn and bool(inventory.snapshot.of(_ADVERTISED))
        self._spaces: dict[str, _Space] = {}
        self._plans: dict[object, _Plan] = {}
        self._equal: dict[_Plan, _Plan] = {}
        self._known: dict[object, tuple[Source, ...]] = {}

    def of(self, index: int) -> tuple[Source, ...]:
        """The sources of one endpoint, sorted; `denied` alone where everything is dropped."""
        pod = self._inventory.endpoints[index]
        if pod.host_network:
            return tuple(sorted(_addresses(pod.addresses, "node", pod.node, sure=True)))
        routed = self._router(pod) if self._router_pods or self._routers else ()
        if routed and not self._unsure and all(one.address for one in routed):
            return routed
        plan = self._plan(pod)
        if routed or plan.keeps:
            return self._sources(plan, pod, routed)
        key = (id(plan), pod.node)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._sources(plan, pod, routed)
        return found

    def of_workload(self, pods: Iterable[int]) -> tuple[Source, ...]:
        """The sources of some endpoints together, sorted; certain where it is for one of them."""
        listed = {id(one): one for one in map(self.of, pods)}.values()
        if len(listed) == 1:
            return next(iter(listed))
        found: dict[tuple[str, str, str], Source] = {}
        for one in sorted({source for each in listed for source in each}, key=lambda one: one.verdict):
            found.setdefault(one[:3], one)
        return tuple(sorted(found.values()))

    def _sources(self, plan: _Plan, pod: Pod, routed: tuple[Source, ...]) -> tuple[Source, ...]:
        found = [*routed, *plan.sources, *(one for via in plan.keeps for one in _kept(pod, via))]
        if plan.node:
            found += self._node(pod.node, plan.note)
        if plan.doubt or routed:
            found = [one._replace(verdict="unknown") if one.verdict == "allowed" else one for one in found]
        return tuple(sorted(set(found)))

    def _router(self, pod: Pod) -> tuple[Source, ...]:
        """The addresses of a pod that is an egress router; an empty one where it is not known."""
        kind = self._inventory.workloads[pod.workload].ref.kind if pod.template else "Pod"
        address = self._router_pods.get((pod.namespace, kind, pod.name)) if pod.attachments else None
        if address is not None:
            return (Source(address, "egress router pod", pod.node, "allowed" if address else "unknown"),)
        if pod.namespace not in self._routers or pod.labels.get(POD_LABEL[0]) != POD_LABEL[1]:
            return ()
        verdict = "unknown" if len(self._routers[pod.namespace]) > 1 else "allowed"
        return tuple(
            Source(address, str(ref), pod.node, verdict)  # type: ignore[arg-type]
            for ref, addresses in self._routers[pod.namespace]
            for address in addresses or ("",)
        )

    def _plan(self, pod: Pod) -> _Plan:
        space = self._spaces.get(pod.namespace)
        if space is None:
            space = self._spaces[pod.namespace] = self._space(pod.namespace)
        here = pod.node if pod.node in space.serving else ""
        key = (pod.namespace, id(pod.labels) if space.by_labels else 0, here)
        found = self._plans.get(key)
        if found is None:
            plan = self._planned(list(self._ways(pod.namespace, pod.labels, here)))
            found = self._plans[key] = self._equal.setdefault(plan, plan)
        return found

    def _space(self, namespace: str) -> _Space:
        tenant = self._tenants.get(namespace)
        by_labels = self._ips.by_labels(namespace) or self._services.by_labels(namespace)
        return _Space(by_labels, frozenset(node for _, node in tenant.active) if tenant else frozenset())

    def _planned(self, ways: list[Way]) -> _Plan:
        return _Plan(
            sources=tuple(source for way in ways for source in way.sources),
            keeps=tuple(way.keeps for way in ways if way.keeps),
            doubt=any(way.doubt for way in ways),
            node=not any(way.final for way in ways),
            note=next((way.note for way in ways if way.note), ""),
        )

    def _ways(self, namespace: str, labels: Mapping[str, str], here: str) -> Iterator[Way]:
        """What takes the traffic, in order, up to what certainly takes all of it."""
        tenant = self._tenants.get(namespace)
        found: list[Way | None] = []
        if self._ovn:
            found = [
                self._routes.way(namespace),
                self._services.way(namespace, labels),
                self._ips.way(namespace, labels),
            ]
        if self._advertised:
            found.append(Way(keeps="RouteAdvertisements", doubt=True, final=False))
        if tenant and (tenant.wanted or tenant.dropped is not False):
            found.append(_tenant(tenant, here, assumed=self._assumed))
        for way in found:
            if way is None:
                continue
            yield way._replace(doubt=True, final=False) if self._unsure else way
            if way.final and not self._unsure:
                return

    def _node(self, name: str, note: str) -> Iterator[Source]:
        """The addresses of the node where a pod runs."""
        known = self._inventory.nodes.get(name)
        sure = self._inventory.profile.plugin in _TRANSLATING
        via = f"node, as {note}" if note else "node"
        return _addresses(known.addresses if known else (), via, name, sure=sure)


def _tenant(tenant: Tenant, here: str, *, assumed: bool) -> Way:
    """What openshift-sdn does; a pod on a node that serves an address gets that one. `assumed`: it may not run."""
    via = str(tenant.ref)
    active = [one for one in tenant.active if one[1] == here] or tenant.active
    sources = [Source(address, via, node, "allowed") for address, node in active]
    sources += [Source(address, via, node, "unknown") for address, node in tenant.possible]
    if tenant.dropped is not False:
        sources.append(Source("", via, "", "unknown" if tenant.dropped is None or assumed else "denied"))
    doubt = assumed or tenant.dropped is None
    unsuited = not tenant.netid or bool(tenant.joined)
    return Way(tuple(sources), doubt=doubt, final=not assumed and not unsuited)


def _kept(pod: Pod, via: str) -> Iterable[Source]:
    texts = [address_text(number) for number in pod.addresses] or [""]
    return [Source(text, via, pod.node, "allowed" if text else "unknown") for text in texts]


def _addresses(numbers: Iterable[int], via: str, node: str, *, sure: bool) -> Iterator[Source]:
    """Addresses of a node; with several of one family only the node knows which it uses."""
    listed = tuple(numbers)
    if not listed:
        yield Source("", via, node, "unknown", of_node=True)
    for number in listed:
        alike = sum((one <= MAX_V4) == (number <= MAX_V4) for one in listed)
        verdict = "allowed" if sure and alike == 1 else "unknown"
        yield Source(address_text(number), via, node, verdict, of_node=True)  # type: ignore[arg-type]
