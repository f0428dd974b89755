"""Which parameters of volumes and storage classes tell a backend, and the hosts that they name.

All other parameters are settings, and may be credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from audit.traffic import address_number, address_text

HOST_FIELDS = frozenset({
    "server", "servers", "nfsserver", "host", "hosts", "hostname", "portal", "portals", "targetportal", "targetportals",
    "monitors", "monitor", "mons", "endpoint", "endpoints", "gateway", "registry", "quobyteapiserver", "resturl",
    "address", "addresses", "managementip", "managementlif", "datalif", "arrayaddress", "arrayip", "storageip", "url",
    "svip", "mvip", "ip",
})  # fmt: skip
"""Names of parameters that hold host names, addresses or URLs; lower case, letters only."""
NAME_FIELDS = frozenset({
    "clusterid", "arrayid", "arrayserial", "symid", "backend", "backendid", "backendname", "backenduuid",
    "storageaccount", "storageaccountname", "filesystemid", "datastore", "datastoreurl", "system", "systemid",
    "systemname", "storagesystem", "storagearray", "fsid", "array",
})  # fmt: skip
"""Names of parameters that name an array or a cluster of storage, some of them by its host."""
SHARE = "//"
"""How a network share begins, the only text of a parameter `source` that names a host."""
_SAID = 4096
"""Texts that are remembered: a cluster has thousands of volumes on a few servers."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^@/]*@)?([^/]+)", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;\s]+")


def told(fields: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """(key, its plain form, text) of the parameters that tell a backend, in their order; items of lists are joined.

    Keys of the driver interface itself (`csi.storage.k8s.io/...`) tell nothing.
    """
    found = []
    for key, value in fields.items():
        text = ",".join(str(one) for one in value) if isinstance(value, list) else value
        name = plain(key)
        if isinstance(text, str) and text and "/" not in key and (is_host(name, text) or name in NAME_FIELDS):
            found.append((key, name, text))
    return found


@lru_cache(1024)
def plain(key: str) -> str:
    """The letters of a key, in lower case: all its spellings are one."""
    return re.sub("[^a-z]", "", key.lower())


def is_host(name: str, text: str) -> bool:
    """Whether the parameter of this plain name holds hosts."""
    return name in HOST_FIELDS or (name == "source" and text.startswith(SHARE))


@lru_cache(_SAID)
def hosts(text: str) -> tuple[str, ...]:
    """The hosts of a list, in its order; those that mean the node itself are left out."""
    return tuple(filter(None, map(host, _BETWEEN.split(text))))


def host(part: str) -> str:
    """Lower-case name or canonical address, without scheme, user, port and path; empty for the node itself."""
    match = _URL.match(part)
    bare = (match[1] if match else part).partition("/")[0].rpartition("@")[2]
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    number = address_or_none(bare)
    name = bare.lower().rstrip(".") if number is None else address_text(number)
    return "" if name in _LOOPBACK else name


@lru_cache(_SAID)
def address_or_none(text: str) -> int | None:
    """The number of an address; None for a name."""
    try:
        return address_number(text)
    except ValueError:
        return None
