"""What pydantic found wrong with a form -> errors in the user's words, each at its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from audit.errors import MatrixError, Position, did_you_mean
from audit.matrix_schema import PATTERN_WORDS, known_fields
from audit.matrix_yaml import ODD_KINDS, Document, OddScalar, shown

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

_WANTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def faults(document: Document, form: type[BaseModel], error: ValidationError) -> list[MatrixError]:
    """One error per fault that pydantic reports, in its order; nothing of pydantic's own words or types is left."""
    details = error.errors(include_url=False)
    # A list that is not empty is "too short" only because its items are wrong, and each of them is reported.
    return [_fault(document, form, d) for d in details if d["type"] != "too_short" or not d["input"]]


def _fault(document: Document, form: type[BaseModel], detail: ErrorDetails) -> MatrixError:
    path = tuple(step for step in detail["loc"] if step != "[key]")
    name = next((f"`{step}`" for step in reversed(path) if isinstance(step, str)), "the file")
    if path and isinstance(path[-1], int):
        name = f"an item of {name}"
    place = document.place(path, key=detail["type"] == "extra_forbidden" or "[key]" in detail["loc"])
    if detail["type"] == "missing":
        return MatrixError(f"{name} is missing{_owner(path)}", place)
    if detail["type"] == "extra_forbidden":
        hint = did_you_mean(str(path[-1]), known_fields(form, path[:-1]))
        return MatrixError(f"unknown field {shown(path[-1])}{_owner(path)}", place, hint)
    if isinstance(detail["input"], OddScalar):
        return _odd(name, detail["input"], detail, place)
    message, hint = _words(detail)
    return MatrixError(f"{name} {message}", place, hint)


def _owner(path: tuple[str | int, ...]) -> str:
    owner = next((step for step in reversed(path[:-1]) if isinstance(step, str)), "")
    return f" in `{owner}`" if owner else ""


def _odd(name: str, value: OddScalar, detail: ErrorDetails, place: Position) -> MatrixError:
    if value.kind == "null":
        return MatrixError(f"{name} has no value", place, "write one or remove the line")
    expected = _choices(detail)
    wanted = f"must be one of {_listed(expected)}" if expected else "must be text"
    if detail["type"] == "int_type":
        wanted = "must be a whole number"
    hint = "quote it" if not expected and "text" in wanted else ""
    return MatrixError(f"{name} {wanted}; YAML reads {shown(value)} as {ODD_KINDS[value.kind]}", place, hint)


def _choices(detail: ErrorDetails) -> tuple[str, ...]:
    if detail["type"] != "literal_error":
        return ()
    return tuple(re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", ""))))


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _words(detail: ErrorDetails) -> tuple[str, str]:
    """What is wrong, to be read after the field's name, and a hint."""
    value, context, kind = detail["input"], detail.get("ctx", {}), detail["type"]
    if kind == "literal_error":
        return _literal(value, _choices(detail))
    if kind in _WANTED:
        hints = {"string_type": "quote it", "tuple_type": "write `[...]` or one `- ` line per item"}
        return f"must be {_WANTED[kind]}, not {_kind(value)}", hints.get(kind, "") if not _nested(value) else ""
    words = {
        "greater_than_equal": f"must be at least {context.get('ge')}, not {shown(value)}",
        "less_than_equal": f"must be at most {context.get('le')}, not {shown(value)}",
        "string_pattern_mismatch": f"{PATTERN_WORDS.get(str(context.get('pattern')), 'is wrong')}, not {shown(value)}",
        "string_too_long": f"is longer than {context.get('max_length')} characters",
        "too_short": "must not be empty",
        "value_error": f"is not right: {context.get('error', '')}",
    }
    return words.get(kind, f"cannot be {shown(value)}"), ""


def _literal(value: object, choices: tuple[str, ...]) -> tuple[str, str]:
    wanted = f"must be {'one of ' if len(choices) > 1 else ''}{_listed(choices)}, not {_kind(value)}"
    near = did_you_mean(value.strip().lower(), choices) if isinstance(value, str) and len(choices) > 1 else ""
    return wanted, near if near.startswith("did you mean") else ""


def _nested(value: object) -> bool:
    return isinstance(value, dict | list)


def _kind(value: object) -> str:
    match value:
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case int():
            return f"the number {shown(value)}"
    return shown(value)
