"""Builders of small manifests, and a three-pod cluster to put policies into."""

from __future__ import annotations

from typing import Any

Json = Any


def namespace(name: str, **labels: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(name: str, ns: str = "app", ip: str | None = None, labels: Json = None, **spec: Any) -> Json:
    status = {"podIP": ip} if ip else {}
    status |= {k: spec.pop(k) for k in ("phase", "hostIP", "podIPs") if k in spec}
    metadata = {"name": name, "namespace": ns, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def host(name: str, node: str | None = "n1", **kwargs: Any) -> Json:
    return pod(name, hostNetwork=True, **({"nodeName": node} if node else {}), **kwargs)


def policy(spec: Json, ns: str = "app", name: str = "p") -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": ns},
        "spec": spec,
    }


def deployment(name: str, ns: str = "app", labels: Json = None, **spec: Any) -> Json:
    template = {"metadata": {"labels": labels or {}}, "spec": spec}
    metadata = {"name": name, "namespace": ns}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}


def container(*ports: tuple[str, str, int]) -> Json:
    return {"name": "c", "ports": [{"name": n, "protocol": p, "containerPort": c} for n, p, c in ports]}


WORLD = [
    namespace("app", team="one"),
    namespace("db", team="two"),
    pod("web", ip="10.0.0.1", labels={"tier": "web"}),
    pod("api", ip="10.0.0.2", labels={"tier": "api"}),
    pod("pg", "db", ip="10.0.1.1", labels={"tier": "db"}, containers=[container(("sql", "TCP", 5432))]),
]

WEB, API, PG, OUT = "app/Pod/web", "app/Pod/api", "db/Pod/pg", "192.0.2.1"
