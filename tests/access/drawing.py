"""Roles, bindings and requests, drawn small and dense so that most requests meet some rule."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.access.slow import OLDER, RBAC, Asked, Json

NAMESPACES = ("a", "b")
VERBS = ("get", "create", "patch", "deletecollection", "impersonate")
GROUPS = ("", "networking.k8s.io", "project.openshift.io")
RESOURCES = (
    ("pods", ""),
    ("pods", "exec"),
    ("networkpolicies", ""),
    ("namespaces", ""),
    ("namespaces", "status"),
    ("projects", ""),
    ("nodes", "proxy"),
)
NAMES = ("", "a", "b", "x")
PEOPLE = ("alice", "bob", "system:serviceaccount:a:robot", "system:serviceaccount:b:robot")
CROWDS = ("team", "ops", "system:authenticated", "system:serviceaccounts:a", "system:masters")
URLS = ("/healthz", "/healthz/etcd", "/metrics", "/api")
PATTERNS = ("*", "/healthz", "/healthz*", "/healthz/*", "/m**", "/metrics")


def _some(words: tuple[str, ...], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=most, unique=True)


_RESOURCE_WORDS = tuple(sorted({f"{one}/{below}" if below else one for one, below in RESOURCES}))
RULES: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {
        "verbs": _some((*VERBS, "*")),
        "resources": _some((*_RESOURCE_WORDS, "*", "*/exec", "*/status", "pods/*", "*/*")),
    },
    optional={
        "apiGroups": _some((*GROUPS, "*")),
        "resourceNames": _some(("a", "b", "x"), 2),
        "nonResourceURLs": _some(PATTERNS),
    },
)
LABELS: st.SearchStrategy[Json] = st.dictionaries(st.sampled_from(("p", "q")), st.sampled_from(("1", "2")), max_size=2)
EXPRESSIONS: st.SearchStrategy[Json] = st.one_of(
    st.builds(
        lambda key, operator, value: {"key": key, "operator": operator, "values": [value]},
        st.sampled_from(("p", "q")),
        st.sampled_from(("In", "NotIn")),
        st.sampled_from(("1", "2")),
    ),
    st.builds(
        lambda key, operator: {"key": key, "operator": operator},
        st.sampled_from(("p", "q")),
        st.sampled_from(("Exists", "DoesNotExist")),
    ),
)
SELECTORS: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(EXPRESSIONS, max_size=2)}
)


@st.composite
def roles(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(("Role", "ClusterRole", "ClusterRole")))
    older = draw(st.integers(0, 4)) == 0
    one: Json = {
        "apiVersion": f"{OLDER if older else RBAC}/v1",
        "kind": kind,
        "metadata": {"name": draw(st.sampled_from(("r1", "r2", "r3"))), "labels": draw(LABELS)},
        "rules": draw(st.lists(RULES, min_size=draw(st.integers(0, 1)), max_size=3)),
    }
    if kind == "Role":
        one["metadata"]["namespace"] = draw(st.sampled_from(NAMESPACES))
    elif draw(st.integers(0, 2)) == 0:
        one["aggregationRule"] = {"clusterRoleSelectors": draw(st.lists(SELECTORS, max_size=2))}
    return one


SUBJECTS: st.SearchStrategy[Json] = st.one_of(
    st.builds(
        lambda kind, name: {"kind": kind, "name": name},
        st.sampled_from(("User", "SystemUser")),
        st.sampled_from(PEOPLE),
    ),
    st.builds(
        lambda kind, name: {"kind": kind, "name": name},
        st.sampled_from(("Group", "SystemGroup")),
        st.sampled_from(CROWDS),
    ),
    st.builds(
        lambda home: {"kind": "ServiceAccount", "name": "robot", **home},
        st.sampled_from(({}, {"namespace": "a"}, {"namespace": "b"})),
    ),
)


@st.composite
def bindings(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(("RoleBinding", "RoleBinding", "ClusterRoleBinding")))
    older = draw(st.integers(0, 4)) == 0
    name = draw(st.sampled_from(("r1", "r2", "r3", "gone")))
    ref: Json = {"name": name, "kind": draw(st.sampled_from(("Role", "ClusterRole")))}
    if older:
        ref = {"name": name, **draw(st.sampled_from(({}, {"namespace": "a"})))}
    one: Json = {
        "apiVersion": f"{OLDER if older else RBAC}/v1",
        "kind": kind,
        "metadata": {"name": draw(st.sampled_from(("b1", "b2", "b3", "b4")))},
        "roleRef": ref,
        "subjects": draw(st.lists(SUBJECTS, max_size=3)),
    }
    if kind == "RoleBinding":
        one["metadata"]["namespace"] = draw(st.sampled_from(NAMESPACES))
    return one


def _once(objects: list[Json]) -> list[Json]:
    """An API server holds one object of a name."""
    return list(
        {
            (one["apiVersion"], one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]): one
            for one in objects
        }.values()
    )


@st.composite
def clusters(draw: st.DrawFn) -> list[Json]:
    """Roles, and bindings most of which name one of them in its place."""
    held = draw(st.lists(roles(), min_size=1, max_size=4))
    given = draw(st.lists(bindings(), min_size=1, max_size=4))
    for one in given:
        role = draw(st.sampled_from(held))
        own = one["kind"] == "RoleBinding" and role["kind"] == "Role"
        if (own or role["kind"] == "ClusterRole") and draw(st.integers(0, 5)):
            older = one["apiVersion"].startswith(OLDER)
            one["roleRef"] = {"name": role["metadata"]["name"], **({} if older else {"kind": role["kind"]})}
            if own:
                one["metadata"]["namespace"] = role["metadata"]["namespace"]
                one["roleRef"] |= {"namespace": role["metadata"]["namespace"]} if older else {}
    return _once([*held, *given])


CLUSTERS = clusters()
REQUESTS: st.SearchStrategy[Asked] = st.builds(
    lambda user, groups, verb, group, resource, namespace, name: Asked(
        user, tuple(groups), verb, group, resource[0], resource[1], namespace, name
    ),
    st.sampled_from(PEOPLE),
    st.lists(st.sampled_from(CROWDS), max_size=2, unique=True),
    st.sampled_from(VERBS),
    st.sampled_from(GROUPS),
    st.sampled_from(RESOURCES),
    st.sampled_from(("", *NAMESPACES)),
    st.sampled_from(NAMES),
)


@st.composite
def asking(draw: st.DrawFn, objects: list[Json]) -> Asked:
    """A request that some rule and some subject of the cluster fit, then changed in at most two of its parts."""
    other = draw(REQUESTS)
    rules = [rule for one in objects for rule in one.get("rules") or [] if rule.get("resources")]
    subjects = [(one, subject) for one in objects for subject in one.get("subjects") or []]
    if not rules or not subjects:
        return other
    rule, (binding, subject) = draw(st.sampled_from(rules)), draw(st.sampled_from(subjects))
    home = binding["metadata"].get("namespace", "")
    user, groups = _who(subject, home)
    resource, _, below = draw(st.sampled_from(rule["resources"])).partition("/")
    known = [one for one in RESOURCES if resource in ("*", one[0]) and below in ("", "*", one[1])]
    fits: dict[str, Any] = {
        "user": user,
        "groups": groups,
        "verb": _word(draw, rule["verbs"], other.verb),
        "group": _word(draw, rule.get("apiGroups") or [""], other.group),
        "namespace": home,
        "name": draw(st.sampled_from((*(rule.get("resourceNames") or [""]), ""))),
    }
    fits["resource"], fits["subresource"] = draw(st.sampled_from(known or RESOURCES))
    kept = other._replace(**fits)
    changed = draw(st.lists(st.sampled_from(Asked._fields), max_size=2))
    return kept._replace(**{field: getattr(other, field) for field in changed})


def _word(draw: st.DrawFn, words: list[str], other: str) -> str:
    word = draw(st.sampled_from(words))
    return other if word == "*" else word


def _who(subject: Json, home: str) -> tuple[str, tuple[str, ...]]:
    if subject["kind"] == "ServiceAccount":
        return f"system:serviceaccount:{subject.get('namespace') or home}:{subject['name']}", ()
    if subject["kind"] in ("Group", "SystemGroup"):
        return "nobody", (subject["name"],)
    return subject["name"], ()


@st.composite
def url_clusters(draw: st.DrawFn) -> list[Json]:
    """Cluster roles with paths, bound to people."""
    found: list[Json] = []
    for number in range(draw(st.integers(1, 3))):
        rules = draw(
            st.lists(
                st.fixed_dictionaries({"verbs": _some((*VERBS[:2], "*")), "nonResourceURLs": _some(PATTERNS)}),
                max_size=2,
            )
        )
        ref = {"name": f"r{number}", "kind": "ClusterRole"}
        kind = draw(st.sampled_from(("ClusterRoleBinding", "ClusterRoleBinding", "RoleBinding")))
        home = {"namespace": "a"} if kind == "RoleBinding" else {}
        subjects = draw(st.lists(SUBJECTS, min_size=1, max_size=4))
        found += [
            {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": f"r{number}"}, "rules": rules},
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": kind,
                "metadata": {"name": f"b{number}", **home},
                "roleRef": ref,
                "subjects": subjects,
            },
        ]
    return found


URL_CLUSTERS = url_clusters()
