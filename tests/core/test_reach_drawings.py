"""The reachability document in every format, with names that whoever owns a cluster may choose."""

from __future__ import annotations

import csv
import io
import itertools
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from audit import reach_json
from audit.drawing import COLUMNS, render
from audit.reach_columns import BOX
from audit.reach_scene import MOST_ARROWS, MOST_BOXES
from audit.reach_text import width
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
LABEL = re.compile(r"<b>.*?</td>")


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_name_never_leaves_its_label_in_dot(bad: str) -> None:
    def skeleton(name: str) -> str:
        return LABEL.sub("", QUOTED.sub('""', render(hostile(name, name), "dot")))

    assert sorted(skeleton(bad).splitlines()) == sorted(skeleton("harmless").splitlines())


@pytest.mark.parametrize("bad", [*HOSTILE, None])
def test_graphviz_takes_the_text(bad: str | None) -> None:
    program = shutil.which("dot")
    if program is None:
        pytest.skip("Graphviz is not installed")
    text = render(cluster() if bad is None else hostile(bad, bad), "dot")
    done = subprocess.run([program, "-Tcanon"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_dot_draws_doubt_dashed_and_what_no_entry_point_leads_to_dotted() -> None:
    text = render(hostile('say "hi" \\ there', "my ns"), "dot")
    assert text.startswith("digraph reachability {\n")
    assert 'tooltip="say \\"hi\\" \\\\ there"' in text
    assert "? udp/53 (pod-address)" in text
    assert [text.count(f"style={style}, tooltip") for style in ("solid", "dashed", "dotted")] == [1, 2, 1]
    assert text.rstrip().endswith("}")


def test_every_arrow_of_dot_ends_at_a_line_of_a_box_that_is_there() -> None:
    text = render(busy(70, 5), "dot") + render(cluster(), "dot")
    ports = {f"{node}:{port}" for node, table in re.findall(r"(n\d+) \[label=<(.*)>, tool", text)
             for port in re.findall(r'port="(s\d+)"', table)}  # fmt: skip
    arrows = re.findall(r"(n\d+)(?::e)? -> (n\d+):(s\d+)", text)
    assert len(arrows) > 20
    assert {f"{target}:{port}" for _, target, port in arrows} <= ports
    assert {source for source, _, _ in arrows} <= {port.partition(":")[0] for port in ports} | set(
        re.findall(r"(n\d+) \[label", text)
    )


def test_zones_are_the_clusters_of_dot_by_trust_with_what_has_none_last() -> None:
    labels = re.findall(r'subgraph cluster_\d+ \{\n *label="([^"\\]*)', render(cluster(), "dot"))
    assert labels == ["a (trust 50)", "b (trust 50)", "internet (trust 50)", "(unzoned)"]


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


def test_a_long_name_is_shortened_in_the_middle_and_whole_in_the_title_of_its_box() -> None:
    root = drawn(hostile("y" * 40 + "z" * 260))
    short = [
        one.text or "" for one in root.iter(SVG + "text") if "yz" not in (one.text or "") and "…" in (one.text or "")
    ]
    assert any(one.startswith("yy") and one.endswith("zz") for one in short)
    assert (
        max(width(one.text or "", 11, bold=True) for one in root.iter(SVG + "text") if "y" in (one.text or "")[:2])
        < BOX
    )
    assert "y" * 40 + "z" * 260 in [one.text for one in root.iter(SVG + "title")]


def drawn(document: Json) -> ET.Element:
    return ET.fromstring(render(document, "svg"))  # noqa: S314 - written by the code under test


def titled(root: ET.Element, tag: str) -> list[str]:
    """Titles of the groups that hold an element of this kind: `rect` for boxes, `path` for flows."""
    return [one.findtext(SVG + "title") or "" for one in root.findall(SVG + "g") if one.find(SVG + tag) is not None]


def test_a_small_picture_has_a_box_for_every_endpoint_and_heads_in_the_colour_of_their_lines() -> None:
    document = cluster()
    root = drawn(document)
    assert {one["id"].rpartition("/")[2] for one in document["endpoints"] if one["kind"] != "IPBlock"} <= {
        one.text for one in root.iter(SVG + "text")
    }
    arrows = [one for one in root.findall(SVG + "g") if one.find(SVG + "path") is not None]
    for arrow in arrows:
        curve, head = arrow.findall(SVG + "path")
        assert head.attrib["d"].endswith("Z")
        assert head.attrib["fill"] == curve.attrib["stroke"]
    assert 0 < sum("stroke-dasharray" in one[1].attrib for one in arrows) < len(arrows)


def test_colour_is_never_alone() -> None:
    root = drawn(hostile("app/Pod/web"))
    marks = {one.text: one.attrib["fill"] for one in root.iter(SVG + "text") if one.text in {"A", "?", "P"}}
    assert marks.keys() == {"A", "?", "P"}
    dashes = {
        one[1].attrib.get("stroke-dasharray") for one in root.findall(SVG + "g") if one.find(SVG + "path") is not None
    }
    assert len(dashes) == 3


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


def test_what_holds_for_whole_zones_is_one_arrow_between_boxes_that_say_how_many_they_are() -> None:
    document = busy(70, 5)
    root = drawn(document)
    assert len(titled(root, "path")) == 5 * 4
    texts = [one.text or "" for one in root.iter(SVG + "text")]
    assert texts.count("14 workloads") == 5
    assert "70 endpoints, 3,920 connections, drawn as 5 boxes and 20 arrows; what no arrow shows is denied" in texts
    assert {"allowed", "zone-0", "A", "tcp/80"} <= set(texts)


def curves(d: str) -> list[tuple[float, float]]:
    """Points along a path of moves, lines and cubic curves, close to each other."""
    points: list[tuple[float, float]] = []
    for letter, body in re.findall(r"([MLC])([^MLCZ]*)", d):
        numbers = [float(one) for one in body.split()]
        ends = list(zip(numbers[::2], numbers[1::2], strict=True))
        if letter == "M":
            points.append(ends[0])
            continue
        known = [points[-1], *ends] if letter == "C" else [points[-1], points[-1], ends[0], ends[0]]
        for step in range(1, 41):
            t = step / 40
            share = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append((sum(p[0] * w for p, w in zip(known, share, strict=True)),
                           sum(p[1] * w for p, w in zip(known, share, strict=True))))  # fmt: skip
    return points


Area = tuple[float, float, float, float]


def areas(root: ET.Element) -> tuple[list[Area], list[Area]]:
    """Left, top, right and bottom of the boxes and of the texts."""
    boxes = [
        (x, y, x + float(one.attrib["width"]), y + float(one.attrib["height"]))
        for group in root.findall(SVG + "g")
        for one in group.findall(SVG + "rect")
        if one.attrib["fill"] == "#ffffff" and (x := float(one.attrib["x"])) and (y := float(one.attrib["y"]))
    ]
    texts = []
    for one in root.iter(SVG + "text"):
        size = float(one.attrib.get("font-size", 10))
        wide = width(one.text or "", size, bold="font-weight" in one.attrib) * 0.9
        left = float(one.attrib["x"]) - (wide / 2 if "text-anchor" in one.attrib else 0)
        base = float(one.attrib["y"])
        texts.append((left, base - size * 0.75, left + wide, base + size * 0.2))
    return boxes, texts


def crossing(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def meshed(spaces: int, seed: int) -> Json:
    """Workloads with callers of their own, hardly any two alike."""
    draw = random.Random(seed)  # noqa: S311 - the same pictures every time
    ends = [
        {"id": f"n{n}/Deployment/w{w}", "kind": "Deployment", "namespace": f"n{n}", "name": f"w{w}",
         "zone": f"zone-{n % 4}", "pods": ["p"]}
        for n in range(spaces) for w in range(4)
    ]  # fmt: skip
    names = [one["id"] for one in ends]
    pairs = sorted({(draw.choice(names), draw.choice(names)) for _ in range(6 * spaces)})
    links = [
        {"src": a, "dst": b, "ports": {"TCP": str(draw.choice((80, 443, 5432)))}, "verdict": "allowed"}
        if draw.random() < 0.8
        else {"src": a, "dst": b, "ports": ANY, "verdict": "unknown", "reason": "pod-address"}
        for a, b in pairs
        if a != b
    ]
    zones = [{"name": f"zone-{n}", "kind": "cluster", "trust": n} for n in range(4)]
    return {"zones": zones, "endpoints": ends, "connections": links, "assumptions": []}


@pytest.mark.parametrize("spaces", [2, 12, 50, 100, 300])
def test_no_picture_has_more_than_people_can_follow_and_a_coarser_one_says_so(spaces: int) -> None:
    document = meshed(spaces, 1)
    texts = [one.text or "" for one in drawn(document).iter(SVG + "text")]
    (counts,) = [one for one in texts if "drawn as" in one]
    boxes, arrows = map(int, re.findall(r"drawn as (\d+) boxes and (\d+) arrows", counts)[0])
    assert boxes <= MOST_BOXES
    assert arrows <= MOST_ARROWS
    coarser = [one for one in texts if one.startswith("drawn by ")]
    assert bool(coarser) == (boxes < 4 * spaces)
    assert not coarser or "--from" in coarser[0]


def test_lanes_go_from_the_least_trusted_zone_to_the_most_trusted() -> None:
    document = busy(8, 4)
    document["zones"] = [{"name": f"zone-{n}", "kind": "cluster", "trust": 9 - n} for n in (3, 1, 0, 2)]
    root = drawn(document)
    lanes = {
        one.text: float(one.attrib["x"]) for one in root.iter(SVG + "text") if (one.text or "").startswith("zone-")
    }
    assert sorted(lanes, key=lanes.__getitem__) == ["zone-3", "zone-1", "zone-0", "zone-2"]


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
    assert [one.findtext(SVG + "title") for one in boxes] == ["a", "b", "internet"]
    assert ["stroke-dasharray" in one.find(SVG + "rect").attrib for one in boxes] == [False, False, True]  # type: ignore[union-attr]


def test_a_picture_says_what_it_shows_to_those_who_cannot_see_it() -> None:
    root = ET.fromstring(render(hostile("a"), "svg"))  # noqa: S314 - written by the code under test
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"].startswith("What can reach what: 3 endpoints, 4 connections, drawn as 3 boxes")


# Every picture ------------------------------------------------------------------------------------------------------

PICTURES: dict[str, Callable[[], Json]] = {
    "small": cluster, "zones": zones_document, "bad": lambda: hostile("W" * 90, "ns"),
    "busy": lambda: busy(70, 3), "many": lambda: busy(100, 50),
    **{f"mesh {n}": partial(meshed, n, n) for n in (2, 5, 12, 16, 50, 100)},
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_lies_on_another_and_no_arrow_on_a_box(name: str) -> None:
    root = drawn(PICTURES[name]())
    wide, high = (float(root.attrib[one]) for one in ("width", "height"))
    boxes, texts = areas(root)
    assert boxes
    assert [(a, b) for a, b in itertools.combinations(texts, 2) if crossing(a, b)] == []
    for left, top, right, bottom in [*boxes, *texts]:
        assert 0 <= left < right <= wide
        assert 0 <= top < bottom <= high
    for group in root.findall(SVG + "g"):
        for curve in group.findall(SVG + "path")[:1]:
            for x, y in curves(curve.attrib["d"]):
                assert 0 < x < wide
                assert 0 < y < high
                assert not any(a + 1 < x < c - 4 and b + 1 < y < d - 4 for a, b, c, d in boxes)
