"""What a name on the command line means: endpoints, addresses, ports; UsageError with what may have been meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from audit.errors import UsageError, did_you_mean
from audit.inventory import Inventory
from audit.traffic import ALL, AddressSet, Traffic, address_number

_SUGGESTED = 5
"""Endpoints that a hint names."""
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]*)+(/[0-9]*)?|[0-9a-fA-F]*:[0-9a-fA-F:.]*(/[0-9]*)?")
"""What was meant as an address or as a block of them, right or wrong."""


def asked_traffic(text: str | None) -> Traffic:
    """The traffic of `tcp/5432`; all of it for None."""
    if text is None:
        return ALL
    protocol, _, number = text.partition("/")
    try:
        return Traffic.parse({protocol.upper(): number})
    except ValueError:
        raise UsageError(f"`{text}` is not a port", hint="write `tcp/5432`, `udp/53` or `sctp/3868`") from None


def means_address(name: str) -> bool:
    """Whether an address or a block of them was meant, right or wrong."""
    return bool(_ADDRESS.fullmatch(name))


def asked_addresses(name: str) -> AddressSet:
    """The addresses of one address or one block."""
    try:
        if "/" in name:
            return AddressSet.cidr(name)
        number = address_number(name)
    except ValueError:
        hint = "write `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/48`"
        raise UsageError(f"`{name}` is neither an IP address nor a block of them", hint=hint) from None
    return AddressSet(((number, number),))


class EndpointNames:
    """The endpoints of a cluster by the names that `reach` gives them."""

    def __init__(self, inventory: Inventory) -> None:
        self.ids: dict[str, list[int]] = {}
        """Pod or workload id -> endpoints, ascending."""
        for index, pod in enumerate(inventory.endpoints):
            for known in {inventory.endpoint_id(pod), inventory.workloads[pod.workload].id}:
                self.ids.setdefault(known, []).append(index)

    def find(self, name: str) -> Sequence[int]:
        """The endpoints of a pod or workload; its kind may be left out where that leaves one."""
        if name not in self.ids:
            short = sorted(one for one in self.ids if one.replace("/Pod/", "/") == name or _plain(one) == name)
            if len(short) == 1:
                name = short[0]
        if name not in self.ids:
            raise _unknown(name, self.ids)
        return self.ids[name]

    def called(self, name: str) -> list[str]:
        """Ids that end in this name."""
        return sorted(one for one in self.ids if one.rpartition("/")[2] == name)


def _plain(known: str) -> str:
    namespace, _, rest = known.partition("/")
    return f"{namespace}/{rest.partition('/')[2]}"


def _unknown(name: str, known: Collection[str]) -> UsageError:
    """The error for a name that is neither an endpoint nor an address, with what may have been meant."""
    if means_address(name):
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
