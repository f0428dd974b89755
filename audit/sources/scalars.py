"""What a YAML scalar means to kubectl, which is neither YAML 1.1 nor 1.2 as PyYAML reads them.

`y` and `on` are booleans, `22:22` and dates are strings, `0o17` and `017` are octal, `1e3` is the integer 1000 once it
is JSON. The table in `tests/sources/test_scalars.py` was written down from kubectl 1.32.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_NOT_FINITE = frozenset(
    sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN")
) - {"+.nan", "+.NaN", "+.NAN", "-.nan", "-.NaN", "-.NAN"}
_TYPED = frozenset("+-.0123456789yYnNtTfFoO~")
"""First characters of everything that is not a string."""
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = (("dec", 10), ("oct", 8), ("hex", 16), ("bin", 2))
_LONGEST_INTEGER = 67
"""Sign, prefix and 64 binary digits: nothing longer fits, so longer text never reaches `int`."""
_INT64 = 1 << 63
_TAG = "tag:yaml.org,2002:"
_TAGGED: dict[str, tuple[type, ...]] = {
    _TAG + "null": (type(None),),
    _TAG + "bool": (bool,),
    _TAG + "int": (int,),
    _TAG + "float": (int, float),
}


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar without tag.

    Raises ValueError, in words for a user, for infinity and not-a-number, which JSON cannot hold.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _TYPED:
        return text
    if text in _NOT_FINITE:
        raise ValueError(f"`{text}` is not a number that Kubernetes can hold")
    return _number(text)


def tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with an explicit tag; ValueError for a tag that Kubernetes objects have no use for."""
    if tag in ("!", _TAG + "str", _TAG + "timestamp"):
        return text
    short = tag.replace(_TAG, "!!")
    if tag not in _TAGGED:
        raise ValueError(f"the tag `{short}` has no meaning in a Kubernetes object")
    value = plain(text)
    if not isinstance(value, _TAGGED[tag]) or (isinstance(value, bool) and tag != _TAG + "bool"):
        raise ValueError(f"the value does not fit its tag `{short}`")
    return value


def collection_tag(tag: str | None, kind: str) -> str:
    """What is wrong with the tag of a mapping (`map`) or sequence (`seq`); empty if nothing."""
    if tag in (None, "!", _TAG + kind):
        return ""
    return f"the tag `{str(tag).replace(_TAG, '!!')}` has no meaning in a Kubernetes object"


def _number(text: str) -> Scalar:
    # Underscores separate digits, except in a number that starts with its point: Go reads that one as it is.
    digits = text if text[0] == "." else text.replace("_", "")
    if len(digits) <= _LONGEST_INTEGER and (match := _INTEGER.fullmatch(digits)):
        base, found = next((base, match[name]) for name, base in _BASES if match[name])
        value = int(match["sign"] + found, base)
        if -_INT64 <= value < 2 * _INT64:
            return value if value < _INT64 else float(value)
    if not _FLOAT.fullmatch(digits):
        return text
    number = float(digits)
    return text if math.isinf(number) else whole(number)


def whole(number: float) -> float:
    """The integer that a float equals, as JSON writes it; the float if it has a fraction or exceeds 64 bits."""
    return int(number) if number.is_integer() and -_INT64 <= number < _INT64 else number
