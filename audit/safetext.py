"""Text from a cluster, made harmless and visible for people: terminals, pages, pictures, logs, XML, tables, tools.

Names and messages come from whoever may create an object. Escape sequences recolour or rewrite a terminal,
bidirectional controls reorder a line, zero-width characters hide in it. Each becomes the escape that names it. What a
sink would read as markup besides has a function of its own here; each takes text as it was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

StructT = TypeVar("StructT", bound=msgspec.Struct)

_HIDDEN = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: cursor control and escape sequences
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidirectional controls
    "\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\ufff0-\ufffb\ufffe\uffff"  # surrogates, non-characters, variants
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand, musical, tags
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(1, 17))
)
"""Fixed ranges rather than `unicodedata`, so that two Python versions write the same bytes."""
_PATTERN = re.compile(f"[{_HIDDEN}]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet would begin a formula; after `;` too, which many of them take for the end of a cell."""
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~#&]|(?<=:)//|(?<=\bwww)\.", re.IGNORECASE)
_BLOCK = re.compile(r"^[-+=]|^\d+(?=[.)])")
"""What begins a list or underlines a heading at the beginning of a line; what else does is markup anywhere."""


def visible(match: re.Match[str]) -> str:
    r"""The escape that names the character which a pattern found: `\x1b`, `\u202e`, `\U000e0001`."""
    code = ord(match.group())
    if code <= 0xFF:  # noqa: PLR2004 - the escapes of Python: two, four or eight digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def safe_text(value: str) -> str:
    r"""One line of text without any control or invisible character; each is spelled out, as `\x1b` or `\u202e`.

    Line feeds and tabs are spelled out too. Applying it twice changes nothing, so a backslash is left alone and text
    that spells `\x1b` with four characters looks the same as the control itself; raw values stand in the results JSON.
    """
    if value.isascii() and value.isprintable():
        return value
    return _PATTERN.sub(visible, value)


def safe_lines(value: str) -> str:
    """As `safe_text`, for text of several lines: line feeds stay."""
    return "\n".join(safe_text(line) for line in value.split("\n"))


def encodable(value: str) -> str:
    r"""The text with lone surrogates spelled out (`\udc80`): UTF-8 cannot hold them; everything else is kept."""
    return _SURROGATES.sub(visible, value)


def formula_safe(value: str) -> str:
    """One line for a cell of a spreadsheet or CSV: an apostrophe stands before whatever would begin a formula."""
    return _FORMULA.sub(r"\1\2'", safe_text(value))


def markdown_cell(value: str) -> str:
    """One line in which nothing is markup, HTML or a link for Markdown, for places within a line."""
    return _MARKUP.sub(lambda match: "".join(f"\\{one}" for one in match.group()), safe_text(value))


def markdown_text(value: str) -> str:
    """As `markdown_cell`, for the beginning of a line as well: it begins no list or other block."""
    return _BLOCK.sub(_no_block, markdown_cell(value))


def _no_block(match: re.Match[str]) -> str:
    found = match.group()
    return f"{found}\\" if found.isdecimal() else f"\\{found}"


def command_text(value: str) -> str:
    """One line for the message of a workflow command of GitHub."""
    return safe_text(value).replace("%", "%25")


def command_property(value: str) -> str:
    """One line for a property of a workflow command of GitHub."""
    return command_text(value).replace(":", "%3A").replace(",", "%2C")


def sarif_message(value: str) -> str:
    """One line for a plain text message of SARIF 2.1.0: no placeholder, no embedded link (3.11.5, 3.11.6)."""
    doubled = safe_text(value).replace("{", "{{").replace("}", "}}")
    return doubled.replace("[", "\\[").replace("]", "\\]")


def metric_label(value: str) -> str:
    """The value of a label in the Prometheus text format, without its quotes."""
    return safe_text(value).replace("\\", "\\\\").replace('"', '\\"')


def rewrite(struct: StructT, change: Callable[[str, str], str]) -> StructT:
    """The struct with `change(text, field)` in place of every string, however deep; keys of maps are changed too.

    `field` is the name of the nearest enclosing field of a struct.
    """
    fields = {name: _rewritten(getattr(struct, name), change, name) for name in struct.__struct_fields__}
    return type(struct)(**fields)


def _rewritten(value: Any, change: Callable[[str, str], str], field: str) -> Any:
    match value:
        case str():
            return change(value, field)
        case msgspec.Struct():
            return rewrite(value, change)
        case dict():
            return {change(key, field): _rewritten(item, change, field) for key, item in value.items()}
        case tuple():
            return tuple(_rewritten(item, change, field) for item in value)
    return value
