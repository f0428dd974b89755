"""The reachability document in every format, with names that whoever owns a cluster may choose."""

from __future__ import annotations

import csv
import io
import itertools
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from audit import reach_json
from audit.drawing import COLUMNS, render
from audit.reach_picture import MOST_BOXES, MOST_FLOWS, MOST_GROUPS, NAME
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


def test_a_long_name_takes_two_lines_and_is_whole_in_the_title_of_its_box() -> None:
    root = drawn(hostile("x" * 300))
    assert max(len(one.text or "") for one in root.iter(SVG + "text") if "x" in (one.text or "")) <= NAME
    assert "x" * 300 in [one.text for one in root.iter(SVG + "title")]
    root = drawn(hostile("y" * 60))
    shown = [one.text or "" for one in root.iter(SVG + "text")]
    assert ("y" * NAME, "y" * (60 - NAME)) in list(itertools.pairwise(shown))


def drawn(document: Json) -> ET.Element:
    return ET.fromstring(render(document, "svg"))  # noqa: S314 - written by the code under test


def titled(root: ET.Element, tag: str) -> list[str]:
    """Titles of the groups that hold an element of this kind: `rect` for boxes, `path` for flows."""
    return [one.findtext(SVG + "title") or "" for one in root.findall(SVG + "g") if one.find(SVG + tag) is not None]


def test_a_small_picture_has_a_box_for_every_endpoint_and_an_arrow_for_every_connection() -> None:
    document = cluster()
    root = drawn(document)
    assert len(titled(root, "rect")) == len(document["endpoints"])
    arrows = [one for one in root.findall(SVG + "g") if one.find(SVG + "path") is not None]
    assert len(arrows) == len({(c["src"], c["dst"], _kind(c)) for c in document["connections"] if c["src"] != c["dst"]})
    for arrow in arrows:
        curve, head = arrow.findall(SVG + "path")
        assert head.attrib["d"].endswith("Z")
        assert head.attrib["fill"] == curve.attrib["stroke"]
    dashed = sum("stroke-dasharray" in one[1].attrib for one in arrows)
    assert 0 < dashed < len(arrows)


def busy(workloads: int, groups: int) -> Json:
    """Every workload of a zone may reach every workload of every other."""
    ends = [
        {"id": f"n{n}/Deployment/w{n}", "kind": "Deployment", "namespace": f"n{n}", "name": f"w{n}",
         "zone": f"zone-{n % groups}"}
        for n in range(workloads)
    ]  # fmt: skip
    links = [
        {"src": a["id"], "dst": b["id"], "verdict": "allowed", "ports": {"TCP": "80"}}
        for a in ends
        for b in ends
        if a["zone"] != b["zone"]
    ]
    return {"endpoints": ends, "connections": links, "assumptions": []}


def test_a_large_picture_has_one_arrow_a_pair_of_groups_and_says_so() -> None:
    document = busy(70, 5)
    root = drawn(document)
    flows = titled(root, "path")
    assert len(flows) == 5 * 4
    assert all("zone-" in one and "and 184 more" in one for one in flows)
    texts = [one.text or "" for one in root.iter(SVG + "text")]
    assert "70 endpoints, 3920 connections; an arrow stands for all connections between two groups" in texts
    assert {"allowed", "zone-0"} <= set(texts)


def test_a_picture_says_what_it_leaves_out() -> None:
    texts = [one.text or "" for one in drawn(busy(100, 50)).iter(SVG + "text")]
    assert f"{50 - MOST_GROUPS} groups with 20 endpoints and all their connections are left out" in texts
    assert f"{MOST_FLOWS} of 1560 flows are drawn, those of most connections" in texts
    texts = [one.text or "" for one in drawn(busy(2 * MOST_BOXES + 6, 2)).iter(SVG + "text")]
    assert texts.count("and 3 more") == 2


@pytest.mark.parametrize("workloads", [3, 40, 70])
def test_arrows_stay_beside_the_boxes_and_within_the_picture(workloads: int) -> None:
    root = drawn(busy(workloads, 3))
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    boxes = [one for group in root.findall(SVG + "g") for one in group.findall(SVG + "rect")]
    low = min(float(one.attrib["x"]) for one in boxes)
    high = max(float(one.attrib["x"]) + float(one.attrib["width"]) for one in boxes)
    tops = sorted((float(one.attrib["y"]), float(one.attrib["y"]) + float(one.attrib["height"])) for one in boxes)
    assert tops[-1][1] < height
    for group in root.findall(SVG + "g"):
        for curve in group.findall(SVG + "path")[:1]:
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", curve.attrib["d"])]
            xs, ys = numbers[0::2], numbers[1::2]
            assert min(xs) >= high or max(xs) <= low
            assert 0 < min(xs) <= max(xs) < width
            assert 0 < min(ys) <= max(ys) < height


# By zone -------------------------------------------------------------------------------------------------------------


def zones_document() -> Json:
    objects = [
        zoned("a1", "a"),
        zoned("b1", "b"),
        pod("web", "a1", ip="10.0.0.1", labels={"app": "web"}),
        pod("one", "b1", ip="10.0.0.2"),
        pod("two", "b1", ip="10.0.0.3", labels={"only": "two"}),
        policy({"podSelector": {"matchLabels": {"only": "two"}}, "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}],
                "egress": [{"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}]}]}, "b1"),
    ]  # fmt: skip
    plan = matrix([zone("a"), zone("b"), zone("internet", kind="internet")])
    return reach_json.document(snapshot(objects), matrix=plan, by="zone")


def test_by_zone_the_outside_is_a_zone_and_no_list_of_ranges() -> None:
    document = zones_document()
    assert [one["id"] for one in document["endpoints"]] == ["a", "b", "internet"]
    assert {one["kind"] for one in document["endpoints"]} == {"Zone"}
    assert [one["id"] for one in document["endpoints"] if one.get("outside")] == ["internet"]
    out = [one for one in document["connections"] if one["dst"] == "internet"]
    assert [(one["src"], one["ports"], one.get("partial", False)) for one in out] == [
        ("a", ANY, False),
        ("b", ANY, True),
    ]
    ends = [(one["src"], one["dst"], one["verdict"], str(one.get("exposed"))) for one in document["connections"]]
    assert len(ends) == len(set(ends))


def test_groups_have_members_and_workloads_have_replicas() -> None:
    assert "some members" in render(zones_document(), "table")
    assert "some replicas" not in render(zones_document(), "table")


def test_zones_are_single_boxes_with_the_outside_dashed() -> None:
    root = drawn(zones_document())
    boxes = [one for one in root.findall(SVG + "g") if one.find(SVG + "rect") is not None]
    assert [one.findtext(SVG + "title") for one in boxes] == ["internet", "a", "b"]
    assert ["stroke-dasharray" in one.find(SVG + "rect").attrib for one in boxes] == [True, False, False]  # type: ignore[union-attr]


def _kind(connection: Json) -> str:
    if connection.get("exposed") is False:
        return "hidden"
    return "unknown" if "unknown" in (connection["verdict"], connection.get("exposed")) else "allowed"


def test_a_picture_says_what_it_shows_to_those_who_cannot_see_it() -> None:
    root = ET.fromstring(render(hostile("a"), "svg"))  # noqa: S314 - written by the code under test
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "Reachability: 3 endpoints, 4 connections"
