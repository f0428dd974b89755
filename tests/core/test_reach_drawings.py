"""The reachability document in every format, with names that whoever owns a cluster may choose."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from audit import reach_json
from audit.drawing import COLUMNS, render
from tests.core.clusters import ANY, deployment, matrix, namespace, pod, policy, service, snapshot, zone, zoned

Json = Any
FORMATS = ("table", "csv", "md", "dot", "svg")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+1",
    "@SUM(A1)",
    '"quoted", and \\ back',
    "<script>alert(1)</script>",
    "]]>&amp;<!--",
    "a|b `c` *d* [e](f) <g> #h",
    "line\nfeed\ttab\rreturn",
    "\x1b[31mred\x1b[0m\x00\x07",
    "\u202egnirts\u200b\ufeff",
    "\\N \\l {rank|record} ;",
    "x" * 300,
)


def hostile(name: str, group: str = "ns") -> Json:
    """A document in which everything that a cluster names is that name."""
    ends = [
        {"id": name, "kind": "Pod", "namespace": group, "name": name},
        {"id": "app/Pod/plain", "kind": "Pod", "namespace": "app", "name": "plain"},
        {"id": "ip/0", "kind": "IPBlock", "cidrs": ["0.0.0.0/0", "::/0"]},
    ]
    links = [
        {"src": name, "dst": "app/Pod/plain", "verdict": "allowed", "ports": {"TCP": "80,8000-8010"}},
        {"src": "app/Pod/plain", "dst": name, "verdict": "unknown", "ports": {"UDP": "53"}, "reason": "pod-address"},
        {"src": "ip/0", "dst": name, "verdict": "allowed", "ports": ANY, "exposed": False, "partial": True},
        {"src": "ip/0", "dst": name, "verdict": "allowed", "ports": {"TCP": "1"}, "exposed": "unknown"},
    ]
    return {"schema": "zone-audit.reachability/1", "endpoints": ends, "connections": links, "assumptions": []}


def cluster() -> Json:
    """The document of a small real cluster with zones and an entry point."""
    objects = [
        zoned("a1", "a"),
        zoned("b1", "b"),
        namespace("lost"),
        pod("web", "a1", ip="10.0.0.1", labels={"app": "web"}),
        deployment("api", "b1"),
        pod("x", "lost"),
        policy({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 80}]}]}, "b1"),
        service("s", "a1", {"app": "web"}, {"port": 80}, type="NodePort"),
    ]
    plan = matrix([zone("a"), zone("b"), zone("internet", kind="internet")])
    return reach_json.document(snapshot(objects), matrix=plan)


# Every format --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("bad", HOSTILE)
def test_no_format_passes_control_characters_or_invisible_ones_on(name: str, bad: str) -> None:
    text = render(hostile(bad, bad), name)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    assert text.endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("bad", HOSTILE)
def test_a_name_adds_no_line(name: str, bad: str) -> None:
    assert render(hostile(bad, bad), name).count("\n") == render(hostile("harmless"), name).count("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_document_gives_the_same_text(name: str) -> None:
    assert render(cluster(), name) == render(cluster(), name)


@pytest.mark.parametrize("name", FORMATS)
def test_a_document_without_connections_can_be_shown(name: str) -> None:
    empty: Json = {"endpoints": [], "connections": [], "assumptions": []}
    assert render(empty, name).strip()


# Table ---------------------------------------------------------------------------------------------------------------


def test_the_table_says_what_is_not_listed_and_leaves_unused_columns_out() -> None:
    document = hostile("app/Pod/web")
    document["connections"] = document["connections"][:1]
    lines = render(document, "table").splitlines()
    assert lines[0].split() == ["SOURCE", "TARGET", "VERDICT", "PORTS"]
    assert lines[1].split() == ["app/Pod/web", "app/Pod/plain", "allowed", "tcp/80,", "tcp/8000-8010"]
    assert lines[-1] == "1 connections between 3 endpoints; pairs not listed are denied"


def test_the_columns_of_the_table_stand_under_each_other() -> None:
    lines = render(hostile("app/Pod/web"), "table").splitlines()
    starts = [lines[0].index(word) for word in ("TARGET", "VERDICT", "PORTS")]
    assert all(line[start - 1] == " " != line[start] for line in lines[1:5] for start in starts)


def test_nothing_possible_is_said_in_words() -> None:
    assert render({"endpoints": [], "connections": []}, "table") == "no connection is possible\n"


# CSV -----------------------------------------------------------------------------------------------------------------


def rows(document: Json) -> list[list[str]]:
    return list(csv.reader(io.StringIO(render(document, "csv"))))


def test_csv_has_one_row_a_connection() -> None:
    found = rows(hostile("app/Pod/web"))
    assert found[0] == list(COLUMNS)
    assert found[1:] == [
        ["app/Pod/web", "app/Pod/plain", "allowed", "tcp/80, tcp/8000-8010", "", "", ""],
        ["app/Pod/plain", "app/Pod/web", "unknown", "udp/53", "", "", "pod-address"],
        ["ip/0 (0.0.0.0/0 +1)", "app/Pod/web", "allowed", "any", "no", "some replicas", ""],
        ["ip/0 (0.0.0.0/0 +1)", "app/Pod/web", "allowed", "tcp/1", "unknown", "", ""],
    ]


@pytest.mark.parametrize("bad", HOSTILE)
def test_no_cell_of_the_csv_is_a_formula_and_none_breaks_its_row(bad: str) -> None:
    found = rows(hostile(bad))
    assert all(len(row) == len(COLUMNS) for row in found)
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in found for cell in row)


def test_quotes_in_csv_read_back() -> None:
    assert rows(hostile('"quoted", and'))[1][0] == '"quoted", and'


# Markdown ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", HOSTILE)
def test_every_markdown_row_has_the_same_columns_and_no_markup_of_its_own(bad: str) -> None:
    for line in render(hostile(bad), "md").splitlines()[2:]:
        bare = re.sub(r"\\[\\`*_{}\[\]<>|~#]", "", line)
        assert bare.count("|") == len(COLUMNS) + 1
        assert not re.search(r"[<>\[\]`*]", bare)


# Graphviz ------------------------------------------------------------------------------------------------------------

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_name_never_leaves_its_quotes_in_dot(bad: str) -> None:
    def skeleton(name: str) -> str:
        return QUOTED.sub('""', render(hostile(name, name), "dot"))

    assert sorted(skeleton(bad).splitlines()) == sorted(skeleton("harmless").splitlines())


def test_dot_names_every_endpoint_once_in_a_cluster_and_draws_doubt_dashed() -> None:
    text = render(hostile('say "hi" \\ there', "my ns"), "dot")
    assert text.startswith("digraph reachability {\n")
    assert text.count('    "say \\"hi\\" \\\\ there";') == 1
    assert 'label="my ns"' in text
    assert 'label="udp/53" style=dashed' in text
    assert text.rstrip().endswith("}")


def test_zones_are_the_clusters_of_dot_where_a_matrix_gives_them() -> None:
    labels = re.findall(r'subgraph cluster_\d+ \{ label="([^"]*)"', render(cluster(), "dot"))
    assert labels == ["(unzoned)", "a", "b", "internet"]


# SVG -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", HOSTILE)
def test_the_svg_is_xml_without_scripts_and_carries_the_whole_name(bad: str) -> None:
    root = ET.fromstring(render(hostile(bad, bad), "svg"))  # noqa: S314 - written by the code under test
    assert {one.tag for one in root.iter()} <= {SVG + name for name in ("svg", "rect", "path", "title", "g", "text")}
    assert not any(key.startswith("on") or "href" in key for one in root.iter() for key in one.keys())  # noqa: SIM118
    titles = [one.text or "" for one in root.iter(SVG + "title")]
    plain = re.sub(r"[^\w=<>|&*\[\]();,.'! /+@#`{}\\\"-]", "", bad)
    if plain == bad:
        assert bad in titles


def test_a_long_name_is_cut_in_its_box_only() -> None:
    root = ET.fromstring(render(hostile("x" * 300), "svg"))  # noqa: S314 - written by the code under test
    assert max(len(one.text or "") for one in root.iter(SVG + "text")) <= 30
    assert "x" * 300 in [one.text for one in root.iter(SVG + "title")]


def test_the_svg_has_a_box_for_every_endpoint_and_a_curve_for_every_connection() -> None:
    document = cluster()
    root = ET.fromstring(render(document, "svg"))  # noqa: S314 - written by the code under test
    assert len(root.findall(SVG + "g")) == len(document["endpoints"])
    curves = root.findall(SVG + "path")
    assert len(curves) == len(document["connections"])
    dashed = sum("stroke-dasharray" in one.attrib for one in curves)
    assert dashed == sum(one["verdict"] == "unknown" for one in document["connections"]) > 0
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    numbers = [float(n) for one in curves for n in re.findall(r"-?[\d.]+", one.attrib["d"])]
    assert min(numbers) > -60
    assert max(numbers[0::2]) < width + 60
    assert max(numbers[1::2]) < height


def test_a_picture_says_what_it_shows_to_those_who_cannot_see_it() -> None:
    root = ET.fromstring(render(hostile("a"), "svg"))  # noqa: S314 - written by the code under test
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "Reachability: 3 endpoints, 4 connections"
