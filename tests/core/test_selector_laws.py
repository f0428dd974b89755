"""Label selectors: the laws of the API, what an API server refuses, and the two indexes against naive matching."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import FrozenBitMap

from audit.classes import LabelIndex, NamespaceIndex
from audit.model import NAME_LABEL, Namespace
from audit.selectors import EVERYTHING, LabelSelector
from tests.core.clusters import deployment, namespace, pod, policy, reachability

SAME = settings.get_profile("same")
KEYS = ("a", "b", "example.com/c")
VALUES = ("", "x", "y", "true")

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=3)
keys = st.sampled_from(KEYS)
values = st.lists(st.sampled_from(VALUES), min_size=1, max_size=3, unique=True)


def expression(key: str, operator: str, listed: Sequence[str] = ()) -> dict[str, Any]:
    return {"key": key, "operator": operator} | ({"values": list(listed)} if listed else {})


def parsed(key: str, operator: str, listed: Sequence[str] = ()) -> LabelSelector:
    return LabelSelector.parse({"matchExpressions": [expression(key, operator, listed)]})


expressions: st.SearchStrategy[tuple[str, str, list[str]]] = st.one_of(
    st.tuples(keys, st.sampled_from(("In", "NotIn")), values),
    st.tuples(keys, st.sampled_from(("Exists", "DoesNotExist")), st.just([])),
)
selectors = st.tuples(labels, st.lists(expressions, max_size=2)).map(
    lambda pair: {"matchLabels": pair[0], "matchExpressions": [expression(*one) for one in pair[1]]}
)


def naive(raw: dict[str, Any], found: dict[str, str]) -> bool:
    """The words of the API documentation, one requirement at a time."""
    for key, value in raw["matchLabels"].items():
        if key not in found or found[key] != value:
            return False
    for one in raw["matchExpressions"]:
        present, listed = one["key"] in found, one.get("values", [])
        inside = present and found[one["key"]] in listed
        met = {"In": inside, "NotIn": not inside, "Exists": present, "DoesNotExist": not present}
        if not met[one["operator"]]:
            return False
    return True


@SAME
@given(selectors, labels)
def test_every_requirement_must_hold(raw: dict[str, Any], found: dict[str, str]) -> None:
    assert LabelSelector.parse(raw).matches(found) == naive(raw, found)


@SAME
@given(keys, values, labels)
def test_not_in_is_the_complement_of_in(key: str, listed: list[str], found: dict[str, str]) -> None:
    assert parsed(key, "NotIn", listed).matches(found) != parsed(key, "In", listed).matches(found)


@SAME
@given(keys, labels)
def test_does_not_exist_is_the_complement_of_exists(key: str, found: dict[str, str]) -> None:
    assert parsed(key, "DoesNotExist").matches(found) != parsed(key, "Exists").matches(found)


@SAME
@given(keys, values)
def test_not_in_and_does_not_exist_match_what_lacks_the_key(key: str, listed: list[str]) -> None:
    assert parsed(key, "NotIn", listed).matches({})
    assert parsed(key, "DoesNotExist").matches({})
    assert not parsed(key, "In", listed).matches({})


@SAME
@given(keys, st.sampled_from(VALUES))
def test_a_label_and_in_with_one_value_are_the_same_selector(key: str, value: str) -> None:
    assert LabelSelector.parse({"matchLabels": {key: value}}) == parsed(key, "In", [value])


@SAME
@given(keys, values, st.randoms(use_true_random=False))
def test_order_and_repeats_of_values_do_not_matter(key: str, listed: list[str], random: Any) -> None:
    again = [*listed, listed[0]]
    random.shuffle(again)
    assert parsed(key, "In", again) == parsed(key, "In", listed)


@SAME
@given(selectors)
def test_order_of_expressions_does_not_matter(raw: dict[str, Any]) -> None:
    backwards = raw | {"matchExpressions": list(reversed(raw["matchExpressions"]))}
    one, two = LabelSelector.parse(raw), LabelSelector.parse(backwards)
    assert one == two
    assert hash(one) == hash(two)


@SAME
@given(selectors, labels, labels)
def test_only_the_keys_of_a_selector_matter(raw: dict[str, Any], found: dict[str, str], other: dict[str, str]) -> None:
    selector = LabelSelector.parse(raw)
    noise = {key: value for key, value in other.items() if key not in selector.keys}
    seen = {key: value for key, value in found.items() if key in selector.keys}
    assert selector.matches(found) == selector.matches(noise | seen)


@pytest.mark.parametrize(
    "raw", [None, {}, {"matchLabels": {}}, {"matchLabels": None, "matchExpressions": None}, {"matchExpressions": []}]
)
def test_no_requirement_selects_everything(raw: object) -> None:
    assert LabelSelector.parse(raw) == EVERYTHING
    assert EVERYTHING.matches({})
    assert EVERYTHING.matches({"a": "b"})


@pytest.mark.parametrize("operator", ["Exists", "DoesNotExist"])
@pytest.mark.parametrize("listed", [None, []])
def test_empty_values_are_as_good_as_none(operator: str, listed: object) -> None:
    raw = {"matchExpressions": [{"key": "a", "operator": operator, "values": listed}]}
    assert LabelSelector.parse(raw) == parsed("a", operator)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({}, "everything"),
        ({"matchLabels": {"b": "y", "a": "x"}}, "a=x, b=y"),
        ({"matchExpressions": [expression("a", "In", ["y", "x"])]}, "a in (x, y)"),
        ({"matchExpressions": [expression("a", "NotIn", ["x"])]}, "a notin (x)"),
        ({"matchExpressions": [expression("a", "Exists")]}, "a"),
        ({"matchExpressions": [expression("a", "DoesNotExist")]}, "!a"),
    ],
)
def test_a_selector_as_kubectl_would_write_it(raw: object, text: str) -> None:
    assert str(LabelSelector.parse(raw)) == text


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([], "a label selector must be a mapping"),
        ("a=b", "a label selector must be a mapping"),
        ({"matchLabel": {"a": "b"}}, "unknown field `matchLabel` in a label selector"),
        ({"matchLabels": ["a"]}, "`matchLabels` must be a mapping of strings"),
        ({"matchLabels": {"a": 1}}, "label `a` in `matchLabels` must be a string; quote it"),
        ({"matchLabels": {"a": True}}, "label `a` in `matchLabels` must be a string; quote it"),
        ({"matchExpressions": {}}, "`matchExpressions` must be a list"),
        ({"matchExpressions": ["a"]}, "an item of `matchExpressions` needs a `key`"),
        ({"matchExpressions": [{"operator": "Exists"}]}, "an item of `matchExpressions` needs a `key`"),
        ({"matchExpressions": [{"key": "", "operator": "Exists"}]}, "an item of `matchExpressions` needs a `key`"),
        (
            {"matchExpressions": [{"key": "a", "operator": "Exists", "value": "x"}]},
            "unknown field `value` in `matchExpressions`",
        ),
        (
            {"matchExpressions": [expression("a", "in", ["x"])]},
            "unknown operator `in`; it must be one of In, NotIn, Exists, DoesNotExist",
        ),
        ({"matchLabels": {"a b": "x"}}, "`a b` is not a valid label key; no object can have it"),
        ({"matchLabels": {"A/b": "x"}}, "`A/b` is not a valid label key"),
        ({"matchLabels": {"a": "x y"}}, "`x y` is not a valid value for the label `a`; no object can have it"),
        ({"matchLabels": {"a": "x" * 64}}, f"`{'x' * 64}` is not a valid value for the label `a`"),
        ({"matchExpressions": [expression("", "Exists")]}, "an item of `matchExpressions` needs a `key`"),
        ({"matchExpressions": [expression("/b", "DoesNotExist")]}, "`/b` is not a valid label key"),
        ({"matchExpressions": [expression("a", "NotIn", ["x", "-y"])]}, "`-y` is not a valid value for the label `a`"),
        ({"matchExpressions": [{"key": "a"}]}, "unknown operator `None`"),
        ({"matchExpressions": [expression("a", "In")]}, "operator `In` needs `values`"),
        ({"matchExpressions": [expression("a", "NotIn")]}, "operator `NotIn` needs `values`"),
        ({"matchExpressions": [expression("a", "Exists", ["x"])]}, "operator `Exists` takes no `values`"),
        ({"matchExpressions": [expression("a", "DoesNotExist", ["x"])]}, "operator `DoesNotExist` takes no `values`"),
        (
            {"matchExpressions": [{"key": "a", "operator": "In", "values": [1]}]},
            "`values` must be a list of strings; quote them",
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": "In", "values": "x"}]},
            "`values` must be a list of strings; quote them",
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": "Exists", "values": 0}]},
            "`values` must be a list of strings; quote them",
        ),
    ],
)
def test_what_an_api_server_refuses(raw: object, message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        LabelSelector.parse(raw)


# The indexes ---------------------------------------------------------------------------------------------------------


@SAME
@given(st.lists(labels, max_size=6), selectors)
def test_the_label_index_finds_what_naive_matching_finds(objects: list[dict[str, str]], raw: dict[str, Any]) -> None:
    selector = LabelSelector.parse(raw)
    index = LabelIndex(enumerate(objects), selector.keys, FrozenBitMap(range(len(objects))))
    assert list(index.match(selector)) == [n for n, found in enumerate(objects) if naive(raw, found)]


namespaces = st.lists(st.tuples(labels, st.booleans()), max_size=4).map(
    lambda drawn: [
        Namespace(
            name=f"n{number}",
            labels=({**found} if known else {}) | {NAME_LABEL: f"n{number}"},
            annotations={},
            known=known,
        )
        for number, (found, known) in enumerate(drawn)
    ]
)
name_requirements: st.SearchStrategy[tuple[str, list[str]] | None] = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(("In", "NotIn")), st.lists(st.sampled_from(("n0", "n1", "n9")), min_size=1)),
    st.tuples(st.sampled_from(("Exists", "DoesNotExist")), st.just([])),
)


@SAME
@given(namespaces, selectors, name_requirements)
def test_the_namespace_index_bounds_what_unread_labels_could_make_of_a_selector(
    found: list[Namespace], raw: dict[str, Any], name: tuple[str, list[str]] | None
) -> None:
    if name:
        raw = raw | {"matchExpressions": [*raw["matchExpressions"], expression(NAME_LABEL, *name)]}
    selector = LabelSelector.parse(raw)
    index = NamespaceIndex(found, selector.keys)
    certain, possible = index.match(selector)
    expected = [_bounds(selector, one) for one in found]
    assert list(certain) == [number for number, (low, _) in enumerate(expected) if low]
    assert list(possible) == [number for number, (_, high) in enumerate(expected) if high]


def _bounds(selector: LabelSelector, one: Namespace) -> tuple[bool, bool]:
    """(certainly, possibly) selected; requirements are taken one by one, as they are when labels are not known."""
    if one.known:
        return (selector.matches(one.labels),) * 2
    sure = [one_of.matches(one.labels) for one_of in selector.requirements if one_of.key == NAME_LABEL]
    others = [one_of for one_of in selector.requirements if one_of.key != NAME_LABEL]
    return all(sure) and not others, all(sure)


@SAME
@given(st.lists(st.sampled_from(("x", "y", "z")), min_size=1, max_size=12), st.data())
def test_the_weight_of_classes_is_the_sum_of_their_endpoints(tiers: list[str], data: st.DataObject) -> None:
    pods = [pod(f"p{number}", labels={"tier": tier}) for number, tier in enumerate(tiers)]
    tiered = policy({"podSelector": {"matchLabels": {"tier": "x"}}})
    classes = reachability(namespace("app"), *pods, tiered).classes
    assert classes.pods == len(set(tiers))
    some = data.draw(st.sets(st.integers(0, classes.size - 1)))
    naive_sum = sum(len(classes.members[number]) for number in some if number < classes.pods)
    assert classes.weight(FrozenBitMap(some)) == naive_sum


def test_labels_that_no_selector_reads_do_not_split_a_class() -> None:
    pods = [pod(f"p{n}", labels={"tier": "x", "pod-template-hash": str(n)}) for n in range(3)]
    tiered = policy({"podSelector": {"matchLabels": {"tier": "x"}}})
    classes = reachability(namespace("app"), *pods, tiered).classes
    assert classes.weights == [3]


@pytest.mark.parametrize("hosts", [["b"], ["a", "b"], ["b", "c"], ["a", "b", "c"], []])
def test_namespaces_own_their_classes_wherever_host_network_pods_stand(hosts: list[str]) -> None:
    objects = [namespace(name) for name in "abc"]
    objects += [pod("one", "a"), pod("one", "c"), deployment("two", "c", labels={"x": "y"})]
    objects += [pod("host", name, hostNetwork=True) for name in hosts]
    objects += [policy({"podSelector": {"matchLabels": {"x": "y"}}}, name) for name in "abc"]
    found = reachability(*objects)
    owners = {
        name: sorted(
            found.inventory.endpoints[index].namespace
            for number in range(*range_of)
            for index in found.classes.members[number]
        )
        for name, range_of in found.classes.ranges.items()
    }
    assert owners == {"a": ["a"], "c": ["c", "c"]}
    assert found.selected == [0, 0, 1]
    assert found.classes.selectable == 3
