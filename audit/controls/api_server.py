"""What the pods of API servers tell of admission: which plug-ins are on.

Source: the flags of kube-apiserver (kubeadm writes them into static pods of `kube-system`). OpenShift and managed
clusters show no such pod, so that nothing is known from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from audit.controls.scene import Scene
from audit.workloads import API_SERVER, ServerPodBody

_NAMESPACE = "kube-system"
_ON = ("--enable-admission-plugins", "--admission-control")
"""The second one is that of Kubernetes up to 1.9, which some clusters still carry on."""
_OFF = "--disable-admission-plugins"
_FILE = "--admission-control-config-file"


def plugin_enabled(scene: Scene, plugin: str) -> bool | None:
    """Whether a plug-in that is off by default is on; None where no API server is shown, or where they differ."""
    said = {plugin in on and plugin not in off for on, off, _ in _servers(scene)}
    return said.pop() if len(said) == 1 else None


def configured_by_file(scene: Scene) -> bool:
    """Whether an API server takes settings of its plug-ins from a file, which no object shows."""
    return any(file for _, _, file in _servers(scene))


def _servers(scene: Scene) -> Iterator[tuple[frozenset[str], frozenset[str], bool]]:
    """Of each API server: plug-ins switched on, those switched off, whether there is a file."""
    for entry in scene.of("Pod"):
        if entry.namespace == _NAMESPACE and entry.name.startswith(API_SERVER):
            flags = list(_flags(entry.body)) if isinstance(entry.body, ServerPodBody) else []
            yield (
                frozenset(name for flag, value in flags if flag in _ON for name in value.split(",")),
                frozenset(name for flag, value in flags if flag == _OFF for name in value.split(",")),
                any(flag == _FILE for flag, _ in flags),
            )


def _flags(body: ServerPodBody) -> Iterator[tuple[str, str]]:
    """Flags with their values, written `--flag=value` or as two words."""
    for container in (body.spec.containers or ()) if body.spec else ():
        words = [*(container.command or ()), *(container.args or ())]
        for word, after in pairwise((*words, "")):
            flag, equals, value = word.partition("=")
            if flag.startswith("--"):
                yield flag, value if equals else after
