"""The shape of zones.yaml, one form per mapping. Forms check single values, `matrix_build` what spans several."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from audit.traffic import address_number, address_text

API_VERSION: Final = "zone-audit/v1"
KIND: Final = "ZoneMatrix"
ZONE_NAME: Final = r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"
"""63 characters at most and ending in a letter or digit, so that every zone name can be a label value."""
_FLOW_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,199}$"
LABEL_KEY: Final = r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
_OWNER: Final = r"^((User|Group)/.+|ServiceAccount/[^/]+/[^/]+)$"
DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_UNPRINTABLE: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff"
TEXT_LINE: Final = rf"^[^{_UNPRINTABLE}]*$"
TEXTTEXT_LINES: Final = rf"^(\n|\t|[^{_UNPRINTABLE}])*$"
TEXT_ITEM: Final = rf"^[^;{_UNPRINTABLE}]+$"

PATTERN_WORDS: Final = {
    ZONE_NAME: "must be up to 63 of `a-z`, `0-9`, `-`, `_`, `.` with a letter or digit at both ends",
    _FLOW_ID: "must be made of letters, digits and `._:/#-`, and begin with a letter or digit",
    LABEL_KEY: "must be a label key such as `network-zone` or `example.org/zone`",
    _OWNER: "must be `Group/NAME`, `User/NAME` or `ServiceAccount/NAMESPACE/NAME`",
    DATE: "must be a date such as `2026-11-23`",
    TEXT_LINE: "must be one line without control characters",
    TEXTTEXT_LINES: "must not hold control characters",
    TEXT_ITEM: "must be one line without `;` or control characters, and not empty",
}
"""What a pattern asks for, to be read after the name of the field."""


def _real_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        msg = f"`{text}` is no day of the calendar"
        raise ValueError(msg) from error
    return text


def _address(text: str) -> str:
    """The address as everybody else writes it."""
    try:
        return address_text(address_number(text))
    except ValueError as error:
        msg = f"`{text}` is not an address such as `10.20.0.10` or `2001:db8:20::10`"
        raise ValueError(msg) from error


def _distinct(items: tuple[str, ...]) -> tuple[str, ...]:
    seen: set[str] = set()
    for item in items:
        if item in seen:
            msg = f"`{item}` is listed twice"
            raise ValueError(msg)
        seen.add(item)
    return items


Line = Annotated[str, Field(pattern=TEXT_LINE, max_length=500)]
Lines = Annotated[str, Field(pattern=TEXTTEXT_LINES, max_length=5000)]
Item = Annotated[str, Field(pattern=TEXT_ITEM, max_length=500)]
Date = Annotated[str, Field(pattern=DATE, json_schema_extra={"format": "date"}), AfterValidator(_real_date)]
Items = Annotated[tuple[Item, ...], AfterValidator(_distinct), Field(strict=False)]
Addresses = Annotated[
    tuple[Annotated[Item, AfterValidator(_address)], ...], AfterValidator(_distinct), Field(strict=False)
]
ZoneName = Annotated[str, Field(pattern=ZONE_NAME)]
LabelKeys = Annotated[
    tuple[Annotated[str, Field(pattern=LABEL_KEY)], ...], AfterValidator(_distinct), Field(strict=False, min_length=1)
]
SeverityWord = Literal["info", "low", "medium", "high", "critical"]


class Form(BaseModel):
    """A mapping whose fields are all known, with texts stripped of surrounding blanks."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, str_strip_whitespace=True, regex_engine="rust-regex"
    )


class MetadataForm(Form):
    """Name and approval of the matrix; printed on the cover of reports."""

    name: Annotated[str, Field(pattern=TEXT_ITEM, max_length=200)]
    version: Line = ""
    owner: Line = ""
    approved_by: Line = ""
    approved_on: Date | None = None
    review_by: Date | None = None
    ticket: Line = ""


class SettingsForm(Form):
    """How the cluster shows which zone something belongs to."""

    zone_labels: Annotated[LabelKeys, Field(description="Namespace label keys that carry the zone, in order.")] = (
        "network-zone",
    )
    node_labels: Annotated[LabelKeys, Field(description="Node label keys that carry the zone, in order.")] = (
        "network-zone",
    )
    cluster_mode: Literal["multi-zone", "single-zone"] = "multi-zone"
    cluster_zone: Annotated[ZoneName | None, Field(description="The one zone of a single-zone cluster.")] = None
    pod_network: Annotated[
        Literal["overlay", "routable", "unknown"],
        Field(description="Whether pod addresses can be reached from outside."),
    ] = "unknown"
    router_nodes: Annotated[
        Literal["zone", "shared"],
        Field(description="Whether routers stand on nodes of their zone, or only their address belongs to it."),
    ] = "zone"
    zoning_owners: Annotated[
        tuple[Annotated[str, Field(pattern=_OWNER, max_length=500)], ...],
        AfterValidator(_distinct),
        Field(strict=False, description="Who may change what zoning rests on."),
    ] = ()


class DefaultsForm(Form):
    """What holds where no row says otherwise; nothing here is assumed silently."""

    inter_zone: Literal["deny", "allow"]
    intra_zone: Literal["deny", "allow"]
    unzoned: Literal["fail", "warn", "ignore"]
    severity: SeverityWord


class ExpressionForm(Form):
    """One item of `matchExpressions`."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: Annotated[tuple[str, ...], Field(strict=False)] = ()


class SelectorForm(Form):
    """A Kubernetes label selector; `{}` selects everything."""

    matchLabels: dict[str, str] = Field(default_factory=dict)  # noqa: N815
    matchExpressions: Annotated[tuple[ExpressionForm, ...], Field(strict=False)] = ()  # noqa: N815


class IngressForm(Form):
    """Entry points that serve the zone."""

    ingressControllers: Items = ()  # noqa: N815
    ingressClasses: Items = ()  # noqa: N815
    addresses: Annotated[
        Addresses, Field(description="Addresses of load balancers before the routers that the cluster cannot show.")
    ] = ()


class SelectForm(Form):
    """What of the cluster belongs to the zone; without `namespaces` a label whose value is the zone's name decides."""

    namespaces: SelectorForm | None = None
    nodes: SelectorForm | None = None
    ingress: IngressForm = IngressForm()
    storageClasses: Items = ()  # noqa: N815


class ZoneForm(Form):
    """One zone."""

    name: ZoneName
    title: Line = ""
    trust: Annotated[int, Field(ge=0, le=100, description="Orders the heat map, lowest first.")] = 50
    kind: Literal["cluster", "external", "internet", "platform"] = "cluster"
    owner: Line = ""
    select: SelectForm = SelectForm()
    cidrs: Annotated[Items, Field(description="Addresses of the zone; zones must not overlap.")] = ()
    egress_cidrs: Annotated[Items, Field(description="Where the zone's egress addresses must come from.")] = ()
    requires: Annotated[
        tuple[Literal["node-isolation", "storage-isolation", "egress-ip"], ...],
        AfterValidator(_distinct),
        Field(strict=False),
    ] = ()


_SERVICES_RULE: Final[dict[str, Any]] = {
    "if": {"properties": {"access": {"enum": ["allow-only", "block-only"]}}, "required": ["access"]},
    "then": {"required": ["services"], "properties": {"services": {"minItems": 1}}},
    "else": {"not": {"required": ["services"]}},
}


class FlowForm(Form):
    """One row: one direction of connection set-up between two zones; replies are implied."""

    model_config = ConfigDict(json_schema_extra=_SERVICES_RULE)

    id: Annotated[str, Field(pattern=_FLOW_ID)]
    source: Annotated[ZoneName, Field(alias="from")]
    target: Annotated[ZoneName, Field(alias="to")]
    access: Literal["allow-all", "block-all", "allow-only", "block-only"]
    services: Annotated[
        Items, Field(description="`tcp/80`, `tcp/67-68`, `udp/*`, `sctp/3868`, `icmp/8`, `any`, or a service group.")
    ] = ()
    severity: SeverityWord | None = None
    justification: Lines = ""
    owner: Line = ""
    ticket: Line = ""
    controls: Items = ()
    review_by: Date | None = None
    comment: Lines = ""


class MatrixForm(Form):
    """A zone matrix: what may flow between the network security zones of an enterprise."""

    apiVersion: Literal["zone-audit/v1"]  # noqa: N815
    kind: Literal["ZoneMatrix"]
    metadata: MetadataForm
    settings: SettingsForm = SettingsForm()
    defaults: DefaultsForm
    service_groups: dict[ZoneName, Annotated[Items, Field(min_length=1)]] = Field(default_factory=dict)
    zones: Annotated[tuple[ZoneForm, ...], Field(strict=False, min_length=1)]
    flows: Annotated[tuple[FlowForm, ...], Field(strict=False)] = ()


def json_schema() -> str:
    """The JSON Schema (2020-12) of zones.yaml, as text with a final newline; docs/zones.schema.json is this text.

    A field that may be left out may not be null either, which is what the loader does with an empty value.
    """
    schema = MatrixForm.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "zones.yaml of zone-audit"}
    return json.dumps(head | {k: v for k, v in _without_null(schema).items() if k != "title"}, indent=2) + "\n"


def _without_null(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: _without_null(v) for k, v in schema.items() if not (k == "default" and v is None)}
    options = [option for option in kept.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del kept["anyOf"]
        kept = options[0] | kept
    # The title that pydantic derives from a field's name says nothing; a property called `title` must stay.
    return {k: v for k, v in kept.items() if not (k == "title" and isinstance(v, str))}


def known_fields(form: type[BaseModel], path: Iterable[str | int]) -> tuple[str, ...]:
    """The fields that the mapping at `path` may have, as they are written; empty when its keys are free."""
    current: type[BaseModel] | None = form
    for step in path:
        if isinstance(step, int):
            continue
        fields = {info.alias or name: info for name, info in current.model_fields.items()} if current else {}
        current = _form_in(fields[step].annotation) if step in fields else None
    return tuple(info.alias or name for name, info in current.model_fields.items()) if current else ()


def _form_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_form_in(part) for part in getattr(annotation, "__args__", ()))
    return next((form for form in inner if form), None)
