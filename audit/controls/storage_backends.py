"""Where the data of a volume lies: what PersistentVolumes, inline volumes and storage classes say of their backend.

Input: one volume source or the parameters of a class. Output: `Backend`. Decisions: hosts, monitors, ports of arrays,
datastores and identifiers of arrays tell backends; identifiers of single volumes tell nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from audit.exposure.raw import listed, text_of
from audit.storage_fields import address_or_none, host, hosts, is_host, told

Source = Mapping[str, Any]
Resolve = Callable[[str, str], Iterable[str]]
"""`(namespace, name)` of Endpoints -> the addresses that they hold."""


class End(NamedTuple):
    """One thing that a backend is known by. Volumes that have one in common lie on the same backend."""

    kind: str
    """`host`, `wwn`, `datastore`, or `driver field` for identifiers that mean something to one driver only."""
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "host" else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Backend:
    """What is known of the place of a volume."""

    driver: str
    """Field of the volume source (`nfs`), or the name of the CSI or flex driver."""
    ends: frozenset[End] = frozenset()
    local: bool = False
    """On the node's own disk."""

    @property
    def opaque(self) -> bool:
        """Whether nothing tells where it lies."""
        return not self.ends and not self.local


NETWORK_SOURCES = (
    "nfs", "iscsi", "fc", "rbd", "cephfs", "glusterfs", "vsphereVolume", "cinder", "awsElasticBlockStore",
    "gcePersistentDisk", "azureDisk", "azureFile", "photonPersistentDisk", "flexVolume", "quobyte", "scaleIO",
    "storageos", "portworxVolume", "csi",
)  # fmt: skip
"""Fields of volumes, in pods and as PersistentVolumes, that lead to storage outside the node."""
NODE_SOURCES = ("hostPath", "local")
_IN_TREE: Mapping[str, str] = {
    "aws-ebs": "awsElasticBlockStore",
    "azure-disk": "azureDisk",
    "azure-file": "azureFile",
    "gce-pd": "gcePersistentDisk",
    "portworx-volume": "portworxVolume",
    "scaleio": "scaleIO",
    "vsphere-volume": "vsphereVolume",
}
"""Provisioner behind `kubernetes.io/` -> field of its volumes, where the two differ."""
_NO_PROVISIONER = "no-provisioner"
_LIKE: Mapping[str, str] = {"datastoreurl": "datastore", "storageaccountname": "storageaccount", "fsid": "clusterid"}
_DATASTORE = re.compile(r"\[([^\]]+)\]")
_FULL_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+\.?", re.IGNORECASE)


def no_endpoints(_namespace: str, _name: str) -> Iterable[str]:
    """What to resolve Endpoints with where none are known."""
    return ()


def source_of(volume: Source) -> tuple[str, Source] | None:
    """The field and content of the first source that leads out of a pod; None for secrets, scratch space and so on."""
    for name in (*NETWORK_SOURCES, *NODE_SOURCES):
        found = volume.get(name)
        if isinstance(found, dict):
            return name, found
    return None


def backend_of(field: str, source: Source, namespace: str = "", resolve: Resolve = no_endpoints) -> Backend:
    """The backend of a volume; `namespace` is where the Endpoints of a glusterfs volume are looked up."""
    driver = text_of(source, "driver") if field in ("csi", "flexVolume") else field
    ends: Iterable[End]
    match field:
        case "csi":
            ends = (*_named(driver, _texts(source, "volumeAttributes")), *_handle(source))
        case "flexVolume":
            ends = _named(driver, _texts(source, "options"))
        case "fc":
            ends = (End("wwn", _wwn(one)) for one in listed(source, "targetWWNs"))
        case "vsphereVolume":
            match = _DATASTORE.match(text_of(source, "volumePath"))
            ends = (End("datastore", match[1]),) if match else ()
        case "glusterfs":
            place = text_of(source, "endpointsNamespace") or namespace
            ends = _hosts(",".join(resolve(place, text_of(source, "endpoints"))))
        case _:
            ends = () if field in NODE_SOURCES else _named(field, source)
    return Backend(driver, frozenset(ends), local=field in NODE_SOURCES)


def class_backend(provisioner: str, parameters: Mapping[str, str]) -> Backend:
    """The backend that a class makes its volumes on, as far as its parameters tell."""
    plain = provisioner.removeprefix("kubernetes.io/")
    if plain == _NO_PROVISIONER:
        return Backend("local", local=True)
    return Backend(_IN_TREE.get(plain, plain), frozenset(_named(_IN_TREE.get(plain, plain), parameters)))


def _texts(source: Source, field: str) -> Source:
    found = source.get(field)
    return found if isinstance(found, dict) else {}


def _named(driver: str, fields: Source) -> Iterator[End]:
    """What the fields of a source say."""
    for _, name, text in told(fields):
        if is_host(name, text):
            yield from _hosts(text)
        else:
            yield _identifier(driver, name, text)


def _identifier(driver: str, field: str, text: str) -> End:
    what = _LIKE.get(field, field)
    if what == "datastore":
        return End("datastore", text)
    if _FULL_NAME.fullmatch(text) or address_or_none(text) is not None:
        return End("host", host(text))
    family = "ceph" if "ceph" in driver or driver == "rbd" else driver  # one cluster serves blocks and files
    return End(f"{family} {what}", text)


def _handle(source: Source) -> Iterator[End]:
    """What the handle of a driver tells whose handles begin with the name of a file system."""
    handle, driver = text_of(source, "volumeHandle"), text_of(source, "driver")
    if driver == "efs.csi.aws.com" and handle.startswith("fs-"):
        yield End(f"{driver} filesystemid", handle.partition(":")[0])


def _wwn(value: object) -> str:
    return str(value).lower().replace(":", "").removeprefix("0x")


def _hosts(text: str) -> Iterator[End]:
    return (End("host", one) for one in hosts(text))
