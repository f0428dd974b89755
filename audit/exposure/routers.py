"""Routers of OpenShift and the Routes that each of them serves.

A router is an IngressController (4.x) or any workload with a router's environment (3.x, and routers that users run).
Which Routes it serves is computed from its selectors: `status` of a Route is no authority, tenants may write it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from audit.bodies import WORKLOADS
from audit.exposure.publications import (
    EVERY_PORT,
    NOBODY,
    PortChoice,
    Publication,
    Router,
    at,
    decoded,
    every,
    items,
    of_kind,
    ref,
    text,
)
from audit.inventory import Inventory, Pod
from audit.model import NAME_LABEL, Namespace, ObjectRef
from audit.owners import NO_LABELS, Owners
from audit.selectors import EVERYTHING, LabelSelector
from audit.snapshot import Entry, Snapshot
from audit.template_labels import workload_spec
from audit.workloads import ROUTER_SETTINGS, PodSpec, TemplateSpec, Variable

SHARD_LABEL = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller"
OPERATOR_NAMESPACE = "openshift-ingress-operator"
"""The only namespace whose IngressControllers the operator heeds."""
ROUTER_NAMESPACE = "openshift-ingress"
_REFUSING = ("ROUTE_FIELDS", "ROUTER_ALLOWED_DOMAINS", "ROUTER_DENIED_DOMAINS")
"""Variables that make a router refuse Routes for what their labels do not say."""


class Selection(NamedTuple):
    """What a router serves."""

    namespaces: LabelSelector | None
    """None when it cannot be read, and so may select anything."""
    routes: LabelSelector | None
    refuses: bool = False
    """Whether it may refuse Routes that its selectors choose."""


UNKNOWN = Selection(None, None)


class Shard:
    """One router with what it serves."""

    def __init__(self, router: Router, selection: Selection) -> None:
        self.router = router
        self.selection = selection
        self._spaces: dict[str, bool | None] = {}

    def serves(self, namespace: Namespace, labels: Mapping[str, str]) -> bool | None:
        """Whether it serves a Route with these labels; None where that is not known."""
        if namespace.name not in self._spaces:
            self._spaces[namespace.name] = selected(self.selection.namespaces, namespace)
        routes = self.selection.routes
        own = None if routes is None else routes.matches(labels)
        return every((self._spaces[namespace.name], own, None if self.selection.refuses else True))


def selected(selector: LabelSelector | None, namespace: Namespace) -> bool | None:
    """Whether a selector picks a namespace; None where its labels or the selector are not known."""
    if selector is None:
        return None
    if namespace.known:
        return selector.matches(namespace.labels)
    return every(one.matches(namespace.labels) if one.key == NAME_LABEL else None for one in selector.requirements)


def shards(inventory: Inventory) -> tuple[Shard, ...]:
    """All routers of OpenShift that the input shows: IngressControllers first, then other workloads, each by name."""
    running = _by_environment(inventory)
    own = [
        Shard(Router(ref=owner, pods=pods, nodes=host_nodes(inventory, pods), allows=_allowing(chosen)), chosen)
        for owner, (chosen, pods) in sorted(running.items(), key=lambda one: one[0])
        if not _shard_of(inventory, pods)
    ]
    return (*_controlled(inventory, {pod: chosen for chosen, pods in running.values() for pod in pods}), *own)


def _controlled(inventory: Inventory, told: Mapping[int, Selection]) -> Iterator[Shard]:
    """IngressControllers, also those of which only pods were read; `told` is what pods serve by their environment.

    What is deployed is the truth: the operator may not have rolled a spec out yet, or may be told not to.
    """
    pods = _labelled(inventory)
    controllers = {
        entry.name: entry
        for entry in inventory.snapshot.of("IngressController.operator.openshift.io")
        if entry.namespace == OPERATOR_NAMESPACE
    }
    for name in sorted({*controllers, *pods}):
        entry, own = controllers.get(name), tuple(pods.get(name, ()))
        chosen = _agreed({told.get(one) for one in own}) or (_declared(entry) if entry else UNKNOWN)
        router = Router(
            ref=ref(entry) if entry else ObjectRef("IngressController", OPERATOR_NAMESPACE, name),
            pods=own,
            nodes=host_nodes(inventory, own),
            private=entry is not None and _strategy(entry) == "Private",
            allows=_allowing(chosen),
        )
        yield Shard(router, chosen)


def _agreed(said: set[Selection | None]) -> Selection | None:
    """What all say; None where nobody says anything, UNKNOWN where some say something else, or nothing."""
    return next(iter(said)) if len(said) == 1 else UNKNOWN if said else None


def _allowing(chosen: Selection) -> Callable[[Namespace], bool | None]:
    return lambda namespace: selected(chosen.namespaces, namespace)


def host_nodes(inventory: Inventory, pods: Iterable[int]) -> frozenset[str]:
    """Nodes whose address some of the pods act with; holds the empty text where one is not known."""
    return frozenset(pod.node for index in pods if (pod := inventory.endpoints[index]).host_network)


def _labelled(inventory: Inventory) -> dict[str, list[int]]:
    """IngressController -> its pods."""
    found: dict[str, list[int]] = {}
    for index, pod in enumerate(inventory.endpoints):
        if pod.namespace == ROUTER_NAMESPACE and (name := pod.labels.get(SHARD_LABEL)):
            found.setdefault(name, []).append(index)
    return found


def _shard_of(inventory: Inventory, pods: Sequence[int]) -> str:
    """The IngressController that a workload is deployed for; empty for a router that users run."""
    first: Pod | None = inventory.endpoints[pods[0]] if pods else None
    return first.labels.get(SHARD_LABEL, "") if first and first.namespace == ROUTER_NAMESPACE else ""


def _declared(entry: Entry) -> Selection:
    """What an IngressController says; its status where the spec leaves it open."""
    spec, status = decoded(entry.body.spec), decoded(entry.body.status)
    parts = []
    for key in ("namespaceSelector", "routeSelector"):
        raw = spec.get(key)
        parts.append(parsed(status.get(key) if raw is None else raw))
    return Selection(parts[0], parts[1])


def parsed(raw: object) -> LabelSelector | None:
    """A label selector; None when it cannot be read."""
    try:
        return LabelSelector.parse(raw)
    except ValueError:
        return None


def _strategy(entry: Entry) -> str:
    path = ("endpointPublishingStrategy", "type")
    return text(decoded(entry.body.status), *path) or text(decoded(entry.body.spec), *path)


def _by_environment(inventory: Inventory) -> dict[ObjectRef, tuple[Selection, tuple[int, ...]]]:
    """Workload -> what it serves by its environment, and its pods.

    A pod without the environment does what its workload's template says.
    """
    templates = _of_templates(inventory.snapshot)
    running = {
        (entry.namespace, entry.name): _configured(settings)
        for entry in inventory.snapshot.of("Pod")
        if isinstance(entry.body.spec, TemplateSpec) and (settings := _settings(entry.body.spec))
    }
    found: dict[ObjectRef, tuple[Selection, tuple[int, ...]]] = {}
    spaces = {name for name, _ in running} | {top.namespace for top in templates}
    for one in inventory.workloads:
        if one.ref.namespace not in spaces:
            continue
        template = templates.get(one.ref)
        names = [(one.ref.namespace, inventory.endpoints[index].name) for index in one.pods]
        said = {running.get(name, template) for name in names} | ({template} if template else set())
        if chosen := _agreed(said):
            found[one.ref] = chosen, one.pods
    return found


def _of_templates(snapshot: Snapshot) -> dict[ObjectRef, Selection]:
    """Workload -> what it serves by the environment of its template."""
    found: dict[ObjectRef, Selection] = {}
    owners: Owners | None = None
    for kind in WORKLOADS:
        for entry in snapshot.of(kind):
            if settings := _settings(_template_of(entry)):
                owners = owners or Owners(snapshot)
                top = owners.top(entry)
                if top == ObjectRef(kind, entry.namespace, entry.name) or top not in found:
                    found[top] = _configured(settings)
    return found


def _template_of(entry: Entry) -> PodSpec | None:
    spec = workload_spec(entry)
    return spec.template.spec if spec and spec.template else None


def _settings(pod: PodSpec | None) -> dict[str, Variable]:
    """The variables of the container that is a router; none for any other workload."""
    for container in (pod.containers or ()) if isinstance(pod, TemplateSpec) else ():
        listed = {one.name: one for one in container.env or ()}
        if not ROUTER_SETTINGS.isdisjoint(listed):
            return listed
    return {}


def _configured(settings: Mapping[str, Variable]) -> Selection:
    given = {name: one for name, one in settings.items() if one.value or one.valueFrom}
    names = [name for name in ("NAMESPACE_LABELS", "PROJECT_LABELS") if name in given]
    return Selection(
        _from_text(given[names[0]]) if len(names) == 1 else None if names else EVERYTHING,
        _from_text(given["ROUTE_LABELS"]) if "ROUTE_LABELS" in given else EVERYTHING,
        refuses=any(name in given for name in _REFUSING),
    )


def _from_text(variable: Variable) -> LabelSelector | None:
    if variable.valueFrom:
        return None
    try:
        return LabelSelector.parse_text(variable.value or "")
    except ValueError:
        return None


def serving(listed: Sequence[Shard], namespace: Namespace, labels: Mapping[str, str]) -> list[tuple[int, bool]]:
    """(router, whether certain) of every shard that serves a Route; one that is not shown where no router is shown."""
    if not listed:
        return [(NOBODY, False)]
    found = ((number, shard.serves(namespace, labels)) for number, shard in enumerate(listed))
    return [(number, bool(truth)) for number, truth in found if truth is not False]


def routes(inventory: Inventory, listed: Sequence[Shard]) -> Iterator[Publication]:
    """What Routes publish; `listed` are numbered from 0."""
    for entry in of_kind(inventory.snapshot, "Route"):
        spec = decoded(entry.body.spec)
        backends = [spec.get("to"), *items(spec, "alternateBackends")]
        names = [text(one, "name") for one in backends if _used(one)]
        labels = entry.body.metadata.labels or NO_LABELS
        wild = text(spec, "wildcardPolicy") not in ("", "None")
        port = _choice(at(spec, "port", "targetPort"))
        for number, sure in serving(listed, inventory.namespaces[entry.namespace], labels):
            for name in dict.fromkeys(filter(None, names)):
                yield Publication(ref(entry), number, (entry.namespace, name), sure and not wild, port, "TCP")


def _used(backend: Any) -> bool:
    """Whether a backend is a Service and gets anything: weight 0 means nothing, no weight 100."""
    return text(backend, "kind") in ("", "Service") and at(backend, "weight") != 0


def _choice(target: object) -> PortChoice:
    """`spec.port.targetPort`: the name of a port of the Service, or the number of a port of the pod."""
    if isinstance(target, str) and not (target.isascii() and target.isdigit()):
        return PortChoice(name=target) if target else EVERY_PORT
    number = int(target) if isinstance(target, str | int) else 0
    return PortChoice(number=number, of_pod=True) if number else EVERY_PORT
