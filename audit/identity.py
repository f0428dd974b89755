"""Whether two texts name the same person.

Whoever asks must not approve. A mailbox counts, not how it is written: case, look-alike forms, invisible characters,
display names, `mailto:` and sub-addresses (RFC 5233) make no other person.
"""

from __future__ import annotations

import re
import unicodedata

_ADDRESS = re.compile(r"""([^\s<>()\[\],;:"'?@]+)@([^\s<>()\[\],;:"'?@]+)""")
_AROUND = re.compile(r"mailto:|[<>()\[\],;:\"']")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that show nothing (Default_Ignorable_Code_Point) though they are no format characters."""


def same_person(one: str, other: str) -> bool:
    """Whether both name a common mailbox; where one of them has no address, whether their names are equal."""
    left, right = addresses(one), addresses(other)
    if left and right:
        return not left.isdisjoint(right)
    return name(one) == name(other)


def addresses(text: str) -> frozenset[str]:
    """The mail addresses in a text in canonical form, sub-addresses left out."""
    found = _ADDRESS.findall(plain(text))
    return frozenset(f"{local.partition('+')[0] or local}@{domain.rstrip('.')}" for local, domain in found)


def name(text: str) -> str:
    """The text without addresses; all of it where nothing else is left."""
    canonical = plain(text)
    return " ".join(_AROUND.sub(" ", _ADDRESS.sub(" ", canonical)).split()) or canonical


def plain(text: str) -> str:
    """The text without what nobody sees or hears: compatibility forms, case, controls, format characters.

    Source: Unicode Standard, definition D146 (compatibility caseless match), applied after what is invisible goes.
    """
    shown = "".join(one for one in text if unicodedata.category(one) not in ("Cf", "Cc") or one.isspace())
    shown = _INVISIBLE.sub("", shown)
    folded = unicodedata.normalize("NFKC", shown).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
