"""The index says what a slow evaluator says that was written from the API text."""

from __future__ import annotations

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from audit.access.answer import UNNAMED, holders
from audit.access.index import Request
from audit.access.matching import Right
from audit.access.resources import Asked as Resource
from audit.access.subjects import Subject
from tests.access.asking import access_of
from tests.access.drawing import CLUSTERS, CROWDS, PEOPLE, URL_CLUSTERS, URLS, VERBS, asking
from tests.access.slow import Asked, Json, passes, passes_url

SEARCH = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _request(asked: Asked) -> Request:
    return Request(Right(asked.verb, asked.group, asked.resource, asked.subresource), asked.namespace, asked.name)


@SEARCH
@given(st.data(), CLUSTERS)
def test_every_request_is_decided_as_the_slow_evaluator_decides_it(data: st.DataObject, objects: list[Json]) -> None:
    access = access_of(objects)
    for asked in data.draw(st.lists(asking(objects), min_size=4, max_size=8)):
        note(str(asked))
        assert access.allows(asked.user, asked.groups, _request(asked)) == passes(objects, asked)


@SEARCH
@given(
    URL_CLUSTERS, st.sampled_from(PEOPLE), st.sampled_from(CROWDS), st.sampled_from(VERBS[:2]), st.sampled_from(URLS)
)
def test_every_path_is_decided_as_the_slow_evaluator_decides_it(
    objects: list[Json], user: str, group: str, verb: str, url: str
) -> None:
    assert access_of(objects).allows_url(user, [group], verb, url) == passes_url(objects, user, (group,), verb, url)


@SEARCH
@given(st.data(), CLUSTERS)
def test_who_can_names_exactly_those_who_pass_in_a_namespace(data: st.DataObject, objects: list[Json]) -> None:
    asked = data.draw(asking(objects))
    what = Resource(asked.group, asked.resource, asked.subresource, asked.name)
    place = asked.namespace or "a"
    if what.own_namespace or what.cluster or not (asked.name or (asked.verb in UNNAMED and not asked.subresource)):
        return
    found = {one.subject for one in holders(access_of(objects), asked.verb, what, place)}
    for user in PEOPLE:
        alone = asked._replace(user=user, groups=(), namespace=place)
        assert (_subject(user) in found) == passes(objects, alone), user
    for group in CROWDS:
        member = asked._replace(user="nobody", groups=(group,), namespace=place)
        if group != "system:masters":
            assert (Subject("Group", "", group) in found) == passes(objects, member), group


@SEARCH
@given(st.data(), CLUSTERS)
def test_who_can_names_exactly_those_who_pass_for_a_namespace_object(data: st.DataObject, objects: list[Json]) -> None:
    asked = data.draw(asking(objects))._replace(resource="namespaces", name="a")
    what = Resource("", "namespaces", asked.subresource, asked.name)
    found = {one.subject for one in holders(access_of(objects), asked.verb, what)}
    for user in PEOPLE:
        assert (_subject(user) in found) == passes(objects, asked._replace(user=user, groups=(), group="")), user


def _subject(user: str) -> Subject:
    if user.startswith("system:serviceaccount:"):
        return Subject("ServiceAccount", *user.removeprefix("system:serviceaccount:").split(":"))
    return Subject("User", "", user)
