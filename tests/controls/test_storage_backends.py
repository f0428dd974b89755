"""Where volumes lie: two spellings of one place are one backend, and handles tell nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from audit.controls.storage_backends import Backend, backend_of, class_backend


def ends(backend: Backend) -> list[str]:
    return sorted(map(str, backend.ends))


def csi(driver: str, handle: str = "h", **attributes: str) -> tuple[str, dict[str, Any]]:
    return "csi", {"driver": driver, "volumeHandle": handle, "volumeAttributes": attributes}


@pytest.mark.parametrize(
    ("field", "source", "known"),
    [
        ("nfs", {"server": "NAS.example.org.", "path": "/x"}, ["nas.example.org"]),
        ("nfs", {"server": "2001:DB8::0:1", "path": "/x"}, ["2001:db8::1"]),
        ("iscsi", {"targetPortal": "10.0.0.1:3260", "portals": ["[2001:db8::1]:3260"]}, ["10.0.0.1", "2001:db8::1"]),
        ("rbd", {"monitors": ["10.0.0.1:6789", "mon.example.org"], "pool": "p"}, ["10.0.0.1", "mon.example.org"]),
        ("cephfs", {"monitors": ["10.0.0.1"], "secretRef": {"name": "key"}}, ["10.0.0.1"]),
        ("fc", {"targetWWNs": ["50:0A:09"], "wwids": ["3600"]}, ["wwn 500a09"]),
        ("fc", {"wwids": ["3600"]}, []),
        ("vsphereVolume", {"volumePath": "[ds 1] dir/x.vmdk"}, ["datastore ds 1"]),
        (
            "scaleIO",
            {"gateway": "https://gw.example.org:443/api", "system": "s"},
            ["gw.example.org", "scaleIO system s"],
        ),
        ("quobyte", {"registry": "r1:7861,r2:7861"}, ["r1", "r2"]),
        ("awsElasticBlockStore", {"volumeID": "vol-1"}, []),
        ("azureFile", {"shareName": "s", "secretName": "x"}, []),
        ("flexVolume", {"driver": "x/y", "options": {"server": "nas"}}, ["nas"]),
        (*csi("nfs.csi.k8s.io", server="nas", share="/x"), ["nas"]),
        (*csi("smb.csi.k8s.io", source="//Files/x"), ["files"]),
        (*csi("x.rbd.csi.ceph.com", clusterID="c1", pool="p"), ["ceph clusterid c1"]),
        (*csi("y.cephfs.csi.ceph.com", clusterID="c1"), ["ceph clusterid c1"]),
        (*csi("efs.csi.aws.com", "fs-1::fsap-2"), ["efs.csi.aws.com filesystemid fs-1"]),
        (*csi("csi.trident.netapp.io", backendUUID="u"), ["csi.trident.netapp.io backenduuid u"]),
        (*csi("x", array="Array-A.example.org"), ["array-a.example.org"]),
        (*csi("x", array="4711"), ["x array 4711"]),
        (*csi("ebs.csi.aws.com", "vol-1"), []),
        (*csi("x", secretName="nas", server="localhost"), []),
        ("glusterfs", {"endpoints": "gl", "path": "v"}, ["10.9.9.9"]),
        ("glusterfs", {"endpoints": "gl", "endpointsNamespace": "other"}, []),
    ],
)
def test_a_source_tells_its_backend(field: str, source: dict[str, Any], known: list[str]) -> None:
    def resolve(namespace: str, name: str) -> Iterable[str]:
        return ["10.9.9.9"] if (namespace, name) == ("team", "gl") else []

    found = backend_of(field, source, "team", resolve)
    assert ends(found) == known
    assert found.opaque == (not known)


@pytest.mark.parametrize("field", ["hostPath", "local"])
def test_the_disk_of_a_node_is_no_backend_and_not_unknown(field: str) -> None:
    found = backend_of(field, {"path": "/x"})
    assert (found.local, found.opaque, ends(found)) == (True, False, [])


@pytest.mark.parametrize(
    ("provisioner", "parameters", "driver", "known"),
    [
        ("csi.vsphere.vmware.com", {"datastoreURL": "ds:///x/"}, "csi.vsphere.vmware.com", ["datastore ds:///x/"]),
        ("kubernetes.io/glusterfs", {"resturl": "http://h:8080", "restuser": "admin"}, "glusterfs", ["h"]),
        ("kubernetes.io/aws-ebs", {"type": "gp2"}, "awsElasticBlockStore", []),
        ("x.csi", {"csi.storage.k8s.io/server": "nas"}, "x.csi", []),
    ],
)
def test_parameters_of_a_class_tell_its_backend(
    provisioner: str, parameters: dict[str, str], driver: str, known: list[str]
) -> None:
    found = class_backend(provisioner, parameters)
    assert (found.driver, ends(found)) == (driver, known)


def test_a_class_without_provisioner_is_on_nodes() -> None:
    assert class_backend("kubernetes.io/no-provisioner", {}).local
