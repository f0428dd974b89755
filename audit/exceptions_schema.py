"""The shape of the exceptions file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from audit.matrix_schema import Date, Form, Item, Line, Lines


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Part = Annotated[tuple[Item, ...], BeforeValidator(_several), Field(strict=False, min_length=1)]
"""One value, a list of them, or `any`."""


class ScopeForm(Form):
    """What is covered; every part has to be given, `any` written out."""

    source: Annotated[Part, Field(alias="from")]
    target: Annotated[Part, Field(alias="to")]
    services: Part
    subjects: Part


class ExceptionForm(Form):
    """One exception."""

    id: Annotated[Item, Field(max_length=200)]
    title: Line
    rule: Line = ""
    flow: Line = ""
    scope: ScopeForm
    justification: Lines = ""
    requested_by: Line = ""
    requested_on: Date | None = None
    approved_by: Line = ""
    approved_on: Date | None = None
    valid_from: Date | None = None
    expires_on: Date | None = None
    ticket: Line = ""
    owner: Line = ""


class ExceptionsForm(Form):
    """An exceptions file."""

    apiVersion: Literal["zone-audit/v1"]  # noqa: N815
    kind: Literal["Exceptions"]
    exceptions: Annotated[tuple[ExceptionForm, ...], Field(strict=False)]
