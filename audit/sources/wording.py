"""What the decoder says about a wrong type, in the words of the person who wrote the manifest."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from audit.sources.text import Steps

_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`")
_STEP = re.compile(r"\.(?P<key>[A-Za-z]+)|\[(?P<index>\d+)\]|(?P<any>\[\.\.\.\])")
_TYPES = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_UNQUOTED = ("int", "float", "bool")


def wrong_type(error: msgspec.ValidationError, value: Any) -> tuple[str, Steps, str]:
    """Reason, path and hint for a decoding error of `value`, the same object decoded without a type."""
    match = _MESSAGE.fullmatch(str(error))
    what, written = (match["what"], match["path"] or "") if match else (str(error), "")
    path = _path(written, value)
    expected = _EXPECTED.fullmatch(what)
    if not expected:
        return f"`{dotted(path)}`: {what.lower()}", path, ""
    wanted = [word for word in expected["wanted"].split(" | ") if word != "null"]
    reason = f"`{dotted(path)}` must be {' or '.join(map(_type, wanted))}, not {_type(expected['got'])}"
    hint = "quote it" if wanted == ["str"] and expected["got"] in _UNQUOTED else ""
    return reason, path, hint


def dotted(path: Steps) -> str:
    """`spec.containers[0].ports`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _type(word: str) -> str:
    return _TYPES.get(word, word)


def _path(written: str, value: Any) -> Steps:
    steps: list[str | int] = []
    for match in _STEP.finditer(written):
        if match["any"]:
            # The decoder does not name the key of a mapping of strings; it stops at the first value that is none.
            key = next((key for key, item in value.items() if not isinstance(item, str)), "")
            steps.append(key)
            value = value.get(key)
            continue
        step = int(match["index"]) if match["index"] else match["key"]
        steps.append(step)
        value = value[step]
    return tuple(steps)
