"""What may have been meant by a name that is neither an endpoint nor an address."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from audit.errors import UsageError, did_you_mean

_SUGGESTED = 5
"""Endpoints that a hint names."""
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]*)+(/[0-9]*)?|[0-9a-fA-F]*:[0-9a-fA-F:.]*(/[0-9]*)?")
"""What was meant as an address or as a block of them, right or wrong."""


def unknown_endpoint(name: str, known: Collection[str]) -> UsageError:
    """The error for a name that is neither an endpoint nor an address, with what may have been meant."""
    if _ADDRESS.fullmatch(name):
        is_block = "/" in name
        hint = "name one address of the block" if is_block else "write `192.0.2.1` or `2001:db8::1`"
        return UsageError(f"`{name}` is not an IP address", hint=hint)
    if not known:
        return UsageError(f"no endpoint `{name}`", hint="the input holds no endpoint")
    namespace = name.partition("/")[0]
    own = sorted(one for one in known if one.startswith(f"{namespace}/"))
    last = name.rpartition("/")[2]
    same = sorted(one for one in known if one.rpartition("/")[2] == last)
    near = difflib.get_close_matches(name, own or sorted(known), n=1) or same
    if near:
        return UsageError(f"no endpoint `{name}`", hint=did_you_mean(near[0], near[:1]))
    if own:
        listed = ", ".join(f"`{one}`" for one in own[:_SUGGESTED])
        more = f" and {len(own) - _SUGGESTED} more" if len(own) > _SUGGESTED else ""
        return UsageError(f"no endpoint `{name}`", hint=f"namespace `{namespace}` holds {listed}{more}")
    return UsageError(f"no endpoint `{name}`", hint=did_you_mean(name, known))
