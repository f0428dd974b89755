"""A tree in the shape of zones.yaml -> ZoneMatrix, with everything that spans several values checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from audit.errors import MatrixError, did_you_mean
from audit.matrix_faults import faults
from audit.matrix_schema import FlowForm, Form, MatrixForm, SelectorForm, SettingsForm, ZoneForm
from audit.matrix_services import RESERVED, member, resolve, service
from audit.matrix_yaml import Document, raise_all, shown
from audit.model import Defaults, Flow, MatrixMetadata, Settings, Zone, ZoneMatrix
from audit.selectors import LabelSelector
from audit.traffic import AddressSet

Path = tuple[str | int, ...]
Groups = Mapping[str, tuple[str, ...]]
AnyForm = TypeVar("AnyForm", bound=Form)


def build(document: Document) -> ZoneMatrix:
    """The matrix that a document means.

    AuditErrors with every fault at its place, in file order: the fields of a broken zone or row are reported, the other
    zones and rows are still checked against each other.
    """
    tree = document.root.plain()
    found = list(document.faults)
    try:
        form = MatrixForm.model_validate(tree)
    except ValidationError as error:
        found += faults(document, MatrixForm, error)
        raise_all([*found, *_check_survivors(document, tree, _broken(error))])
        raise AssertionError from error
    zones, flows = list(enumerate(form.zones)), list(enumerate(form.flows))
    found += _check(document, _Parts(form.settings, form.service_groups, zones, flows, _names(tree)))
    raise_all(found)
    return _matrix(document, form)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What could be read: items with their index in the file."""

    settings: SettingsForm | None
    groups: Groups
    zones: Sequence[tuple[int, ZoneForm]]
    flows: Sequence[tuple[int, FlowForm]]
    names: Mapping[str, int]
    """Every zone name, also of zones that are otherwise broken, and the index that has it first."""


def _broken(error: ValidationError) -> set[Path]:
    return {detail["loc"][:2] for detail in error.errors(include_url=False, include_input=False)}


def _check_survivors(document: Document, tree: Any, broken: set[Path]) -> list[MatrixError]:
    if not isinstance(tree, dict):
        return []
    heads = {path[0] for path in broken if path}
    groups = tree.get("service_groups", {})
    return _check(
        document,
        _Parts(
            None if "settings" in heads else SettingsForm.model_validate(tree.get("settings", {})),
            # A broken group keeps its name known, so that rows which use it are not blamed.
            {name: () if ("service_groups", name) in broken else tuple(groups[name]) for name in groups}
            if isinstance(groups, dict)
            else {},
            list(_items(ZoneForm, tree.get("zones"), "zones", broken)),
            list(_items(FlowForm, tree.get("flows"), "flows", broken)),
            _names(tree),
        ),
    )


def _items(form: type[AnyForm], values: object, section: str, broken: set[Path]) -> Iterator[tuple[int, AnyForm]]:
    for index, value in enumerate(values if isinstance(values, list) else ()):
        if (section, index) not in broken:
            yield index, form.model_validate(value)


def _names(tree: Mapping[str, Any]) -> dict[str, int]:
    names: dict[str, int] = {}
    zones = tree.get("zones")
    for index, zone in enumerate(zones if isinstance(zones, list) else ()):
        name = zone.get("name") if isinstance(zone, dict) else None
        if isinstance(name, str):
            names.setdefault(name.strip(), index)
    return names


def _check(document: Document, parts: _Parts) -> list[MatrixError]:
    checks = (_check_settings, _check_groups, _check_zone_names, _check_zone_fields, _check_cidrs, _check_flows)
    return [fault for check in checks for fault in check(document, parts)]


def _check_settings(document: Document, parts: _Parts) -> Iterator[MatrixError]:
    settings = parts.settings
    if settings is None:
        return
    single, name = settings.cluster_mode == "single-zone", settings.cluster_zone
    if single and not name:
        place = document.place(("settings", "cluster_mode"))
        yield MatrixError("`cluster_zone` is missing: a single-zone cluster needs it", place)
    if not name:
        return
    place = document.place(("settings", "cluster_zone"))
    if not single:
        yield MatrixError("`cluster_zone` needs `cluster_mode: single-zone`", place)
    if name not in parts.names:
        yield MatrixError(f"unknown zone {shown(name)}", place, did_you_mean(name, parts.names))
    elif any(zone.name == name and zone.kind != "cluster" for _, zone in parts.zones):
        yield MatrixError(f"the zone {shown(name)} is not of kind `cluster`", place)


def _check_groups(document: Document, parts: _Parts) -> Iterator[MatrixError]:
    for name, services in parts.groups.items():
        path = ("service_groups", name)
        if name in RESERVED:
            yield MatrixError(
                f"{shown(name)} cannot name a service group: it is a service", document.place(path, key=True)
            )
        for index, text in enumerate(services):
            fault = _service_fault(text)
            if fault:
                yield MatrixError(fault.message, document.place((*path, index)), fault.hint)


def _service_fault(text: str) -> MatrixError | None:
    try:
        traffic = service(text)
    except MatrixError as error:
        return error
    if traffic is None:
        return MatrixError(f"{shown(text)} is not a service", hint="a group lists services, not other groups")
    return None


def _check_zone_names(document: Document, parts: _Parts) -> Iterator[MatrixError]:
    first: dict[str, int] = {}
    for index, zone in parts.zones:
        earlier = first.setdefault(zone.name, parts.names.get(zone.name, index))
        if earlier != index:
            message = f"a second zone named {shown(zone.name)}, first {_at(document, ('zones', earlier, 'name'))}"
            yield MatrixError(message, document.place(("zones", index, "name")))
    for kind in ("internet", "platform"):
        several = [(index, zone) for index, zone in parts.zones if zone.kind == kind]
        for index, _ in several[1:]:
            message = f"a second zone of kind `{kind}`, first {shown(several[0][1].name)}"
            yield MatrixError(
                message, document.place(("zones", index, "kind")), f"a matrix has at most one {kind} zone"
            )


def _check_zone_fields(document: Document, parts: _Parts) -> Iterator[MatrixError]:
    for index, zone in parts.zones:
        for part in ("namespaces", "nodes"):
            selector: SelectorForm | None = getattr(zone.select, part)
            if selector is None:
                continue
            path = ("zones", index, "select", part)
            if zone.kind in ("internet", "external"):
                message = (
                    f"the zone {shown(zone.name)} lies outside the cluster (kind `{zone.kind}`) and selects no {part}"
                )
                yield MatrixError(message, document.place(path, key=True))
            try:
                LabelSelector.parse(_selector_tree(selector))
            except ValueError as error:
                yield MatrixError(str(error), document.place(path))
        if zone.kind == "internet" and zone.cidrs:
            message = "the internet zone is every address in no other zone, so it takes no `cidrs`"
            yield MatrixError(message, document.place(("zones", index, "cidrs"), key=True))


def _selector_tree(form: SelectorForm) -> dict[str, Any]:
    expressions = [{"key": e.key, "operator": e.operator, "values": list(e.values)} for e in form.matchExpressions]
    return {"matchLabels": form.matchLabels, "matchExpressions": expressions}


@dataclass(frozen=True, slots=True, order=True)
class _Block:
    """One CIDR block of a zone on the common address line."""

    low: int
    high: int
    zone: str
    text: str
    path: Path


def _check_cidrs(document: Document, parts: _Parts) -> Iterator[MatrixError]:
    blocks: list[_Block] = []
    for index, zone in parts.zones:
        listed: tuple[tuple[str, tuple[str, ...]], ...] = (("cidrs", zone.cidrs), ("egress_cidrs", zone.egress_cidrs))
        for part, texts in listed:
            for at, text in enumerate(texts):
                path = ("zones", index, part, at)
                fault = _cidr_fault(text)
                if fault:
                    yield MatrixError(fault.message, document.place(path), fault.hint)
                elif zone.kind != "internet" or part == "egress_cidrs":
                    ((low, high),) = AddressSet.cidr(text).spans
                    blocks.append(_Block(low, high, zone.name, text, path))
    yield from _overlaps(document, blocks)


def _cidr_fault(text: str) -> MatrixError | None:
    """Blocks with bits set to the right of the prefix are refused: one of the two halves is a slip."""
    address, slash, prefix = text.partition("/")
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        network = None
    if network is None or "%" in address or (slash and not (prefix.isascii() and prefix.isdigit())):
        return MatrixError(f"{shown(text)} is not a CIDR block", hint="write it as `10.20.0.0/16` or `2001:db8::/48`")
    if not slash:
        return MatrixError(f"{shown(text)} is not a CIDR block", hint=f"did you mean `{network}`?")
    if ipaddress.ip_address(address) != network.network_address:
        return MatrixError(
            f"{shown(text)} is an address within a block, not a block", hint=f"did you mean `{network}`?"
        )
    return None


def _overlaps(document: Document, blocks: Iterable[_Block]) -> Iterator[MatrixError]:
    """One error per block that meets a block of another zone before it on the line: a sweep, n log n."""
    reach: dict[str, _Block] = {}
    for block in sorted(blocks):
        # The furthest block of each zone so far decides; zones number in the tens.
        other = next((b for zone, b in reach.items() if zone != block.zone and b.high >= block.low), None)
        if other:
            later, earlier = sorted((block, other), key=lambda b: _line(document, b), reverse=True)
            message = (
                f"{shown(later.text)} of zone {shown(later.zone)} "
                f"overlaps {shown(earlier.text)} of zone {shown(earlier.zone)}"
            )
            yield MatrixError(message, document.place(later.path), f"the other stands {_at(document, earlier.path)}")
        if block.zone not in reach or block.high > reach[block.zone].high:
            reach[block.zone] = block


def _line(document: Document, block: _Block) -> tuple[int, str, int]:
    place = document.place(block.path)
    return place.line, place.cell, place.column


def _at(document: Document, path: Path) -> str:
    place = document.place(path)
    return f"in cell {place.cell}" if place.cell else f"on line {place.line}"


def _check_flows(document: Document, parts: _Parts) -> Iterator[MatrixError]:
    ids: dict[str, int] = {}
    pairs: dict[tuple[str, str], int] = {}
    for index, flow in parts.flows:
        if ids.setdefault(flow.id, index) != index:
            message = f"a second row with the id {shown(flow.id)}, first {_at(document, ('flows', ids[flow.id], 'id'))}"
            yield MatrixError(message, document.place(("flows", index, "id")))
        for end, name in (("from", flow.source), ("to", flow.target)):
            if name not in parts.names:
                hint = did_you_mean(name, parts.names)
                yield MatrixError(f"unknown zone {shown(name)}", document.place(("flows", index, end)), hint)
        pair = (flow.source, flow.target)
        if pairs.setdefault(pair, index) != index:
            message = (
                f"a second row from {shown(flow.source)} to {shown(flow.target)}, "
                f"first {_at(document, ('flows', pairs[pair], 'from'))}"
            )
            yield MatrixError(message, document.place(("flows", index, "from")), "merge the two rows")
        yield from _check_services(document, parts.groups, index, flow)


def _check_services(document: Document, groups: Groups, index: int, flow: FlowForm) -> Iterator[MatrixError]:
    if flow.access in ("allow-all", "block-all"):
        if "services" in flow.model_fields_set:
            instead = flow.access.replace("-all", "-only")
            message = f"`services` does not go with `access: {flow.access}`"
            yield MatrixError(
                message, document.place(("flows", index, "services"), key=True), f"did you mean `{instead}`?"
            )
        return
    if not flow.services:
        place = document.place(("flows", index, "services" if "services" in flow.model_fields_set else "access"))
        yield MatrixError(f"`access: {flow.access}` needs `services`", place, "list them, such as `[tcp/443]`")
    if "any" in flow.services and len(flow.services) > 1:
        yield MatrixError("`any` already includes the other services", document.place(("flows", index, "services")))
    for at, text in enumerate(flow.services):
        try:
            member(text, groups)
        except MatrixError as error:
            yield MatrixError(error.message, document.place(("flows", index, "services", at)), error.hint)


def _matrix(document: Document, form: MatrixForm) -> ZoneMatrix:
    metadata, defaults = form.metadata, form.defaults
    return ZoneMatrix(
        metadata=MatrixMetadata(
            name=metadata.name,
            version=metadata.version,
            owner=metadata.owner,
            approved_by=metadata.approved_by,
            approved_on=metadata.approved_on or "",
            review_by=metadata.review_by or "",
            ticket=metadata.ticket,
        ),
        settings=_settings(form.settings),
        defaults=Defaults(
            inter_zone=defaults.inter_zone,
            intra_zone=defaults.intra_zone,
            unzoned=defaults.unzoned,
            severity=defaults.severity,
        ),
        zones=tuple(_zone(zone, document.place(("zones", i)).line) for i, zone in enumerate(form.zones)),
        flows=tuple(
            _flow(flow, form.service_groups, document.place(("flows", i)).line) for i, flow in enumerate(form.flows)
        ),
        service_groups=dict(form.service_groups),
        file=document.root.file,
        sha256=document.sha256,
    )


def _settings(form: SettingsForm) -> Settings:
    return Settings(
        zone_labels=form.zone_labels,
        node_labels=form.node_labels,
        cluster_mode=form.cluster_mode,
        cluster_zone=form.cluster_zone or "",
        pod_network=form.pod_network,
        router_nodes=form.router_nodes,
        zoning_owners=form.zoning_owners,
    )


def _zone(form: ZoneForm, line: int) -> Zone:
    select = form.select
    return Zone(
        name=form.name,
        title=form.title,
        trust=form.trust,
        kind=form.kind,
        owner=form.owner,
        namespaces=LabelSelector.parse(_selector_tree(select.namespaces)) if select.namespaces else None,
        nodes=LabelSelector.parse(_selector_tree(select.nodes)) if select.nodes else None,
        ingress_controllers=select.ingress.ingressControllers,
        ingress_classes=select.ingress.ingressClasses,
        ingress_addresses=select.ingress.addresses,
        storage_classes=select.storageClasses,
        cidrs=AddressSet.union_of(AddressSet.cidr(text) for text in form.cidrs),
        egress_cidrs=AddressSet.union_of(AddressSet.cidr(text) for text in form.egress_cidrs),
        requires=form.requires,
        line=line,
    )


def _flow(form: FlowForm, groups: Groups, line: int) -> Flow:
    traffic, unmodelled = resolve(form.services, groups)
    return Flow(
        id=form.id,
        source=form.source,
        target=form.target,
        access=form.access,
        services=form.services,
        traffic=traffic,
        unmodelled=unmodelled,
        severity=form.severity,
        justification=form.justification,
        owner=form.owner,
        ticket=form.ticket,
        controls=form.controls,
        review_by=form.review_by or "",
        comment=form.comment,
        line=line,
    )
