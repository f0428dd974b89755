from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import msgspec
import pytest
from tinyhtml5.parser import HTMLParser as HTMLParser5

from audit import pages, summary
from audit.pages.screen import SCREEN
from audit.pages.view import SECTIONS
from audit.report import Report
from audit.safetext import safe_text
from tests.outputs.annexes import annexed
from tests.outputs.example_report import HOSTILE, clean, example, finding, hostile, large

Attributes = tuple[tuple[str, str], ...]


class Page(HTMLParser):
    """Elements with their attributes, and text, in document order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Attributes]] = []
        self.text: list[str] = []
        self.style = ""
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple((name, value or "") for name, value in attrs)))
        if tag in {"td", "th", "dt", "dd", "li", "p", "br", "h2", "h3", "h4"}:
            self.text.append(" ")

    def handle_data(self, data: str) -> None:
        match self.cdata_elem:
            case "style":
                self.style += data
            case "script":
                self.scripts.append(data)
            case _:
                self.text.append(data)

    def attribute(self, wanted: str) -> list[str]:
        return [value for _, attributes in self.elements for name, value in attributes if name == wanted]

    @property
    def structure(self) -> list[tuple[str, tuple[str, ...]]]:
        """Tags with names of attributes; without the places where an address may be broken, which its text decides."""
        breaks = ("wbr", ()), ("span", (("class", "part"),))
        return [(tag, tuple(name for name, _ in found)) for tag, found in self.elements if (tag, found) not in breaks]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(pages.html(example()))


def test_the_page_refers_to_nothing_outside_itself(page: Page) -> None:
    assert not page.attribute("src")
    assert all(re.fullmatch(r"#[a-z]+|#f-[0-9a-f]{8,128}", link) for link in page.attribute("href"))
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert not {tag for tag, _ in page.elements} & {"link", "iframe", "object", "embed", "img", "form", "base"}


def test_every_link_leads_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = page.attribute("id")
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in page.attribute("href")} <= set(ids)


def source(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def test_the_content_policy_comes_first_and_allows_this_style_sheet_and_this_script(page: Page) -> None:
    head = [tag for tag, _ in page.elements].index("head")
    policy = dict(page.elements[head + 1][1])
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"] == (
        "default-src 'none'; img-src data:; font-src data:; "
        f"style-src {source(page.style)}; script-src {source(page.scripts[1])}; base-uri 'none'; form-action 'none'"
    )
    kinds = [dict(attributes).get("type", "") for tag, attributes in page.elements if tag == "script"]
    assert kinds == ["application/json", ""]
    assert not page.attribute("style")
    assert not [name for _, attributes in page.elements for name, _ in attributes if name.startswith("on")]


def test_a_matrix_cell_leads_to_its_finding(page: Page) -> None:
    failed = next(cell for cell in example().cells if (cell.from_zone, cell.to_zone) == ("dmz", "database"))
    links = [dict(a)["href"] for tag, a in page.elements if tag == "a" and "href" in dict(a)]
    assert f"#{summary.anchor(failed.findings[0])}" in links


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_neither_elements_nor_attributes(text: str) -> None:
    whole = annexed(example())
    benign = Page(pages.html(hostile("plain text", whole)))
    assert Page(pages.html(hostile(text, whole))).structure == benign.structure


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(text: str) -> None:
    page = Page(pages.html(hostile(text, annexed(example()))))
    assert safe_text(text) in "".join(page.text)
    allowed = {"title", "aria-label"}
    values = [value for _, attributes in page.elements for name, value in attributes if name not in allowed]
    assert not [value for value in values if safe_text(text) in value]


def test_a_fingerprint_that_is_not_hex_makes_no_anchor() -> None:
    odd = finding("NET001", "fail", "high", "t", ("dmz", "internal"), "80", fingerprint='x" onclick="y')
    report = example()
    text = pages.html(type(report)(**{f: getattr(report, f) for f in report.__struct_fields__} | {"findings": (odd,)}))
    assert not [i for i in Page(text).attribute("id") if i.startswith("f-")]
    assert "onclick" not in {name for _, attributes in Page(text).elements for name, _ in attributes}


@pytest.mark.parametrize("report", [example(), clean(), large(12, 300)])
def test_headings_go_down_one_level_at_a_time(report: Report) -> None:
    levels = [int(tag[1]) for tag, _ in Page(pages.html(report)).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_page_can_be_used_without_eyes(page: Page) -> None:
    tags = [tag for tag, _ in page.elements]
    assert dict(page.elements[0][1])["lang"] == "en"
    assert {"main", "nav", "header", "footer", "title"} <= set(tags)
    assert all("scope" in dict(attributes) for tag, attributes in page.elements if tag == "th")
    assert all({"role", "aria-label"} <= set(dict(attributes)) for tag, attributes in page.elements if tag == "svg")
    assert "Skip to the summary" in page.text


def test_cut_lists_say_so() -> None:
    text = " ".join("".join(Page(pages.html(large(8, 900))).text).split())
    total = len(summary.open_findings(large(8, 900)))
    assert f"The first {SCREEN.cards} of {total} findings stand above in full" in text


def test_the_verdict_stands_first_and_the_unseen_before_the_findings(page: Page) -> None:
    text = " ".join("".join(page.text).split())
    assert text.index("Not compliant") < text.index("Executive summary")
    assert text.index("What was not seen") < text.index("worst first")
    assert "satisfies a control by itself" in text


def flat(page: Page) -> str:
    return " ".join("".join(page.text).split())


def section(page: Page, name: str) -> str:
    """The text of one section."""
    titles = [f"{number} {title}" for number, title in SECTIONS.values()]
    number = SECTIONS[name][0]
    text = flat(page).rpartition(f"{titles[number - 1]} ")[2]
    return text.partition(f" {titles[number]} ")[0] if number < len(titles) else text


def test_files_are_never_said_to_hold_everything() -> None:
    text = flat(Page(pages.html(read(clean()))))
    assert "all kinds were read" not in text
    assert "complete " not in text.partition("Completeness by kind")[2].partition("Taken as given")[0]
    assert "objects of the files were understood" in text


def read(report: Report) -> Report:
    """The report with completeness as files have it."""
    records = tuple(msgspec.structs.replace(one, status="read") for one in report.completeness)
    return msgspec.structs.replace(report, completeness=records)


def test_assumptions_are_given_or_left_connections_undecided(page: Page) -> None:
    text = section(page, "completeness").partition("Taken as given")[2]
    given, _, doubts = text.partition("Made connections undecided")
    assert "every verdict rests on these" in given.lower()
    assert "cni" in given
    assert "host-network" not in given
    assert "Connections undecided host-network Host-network pods are as reachable as their node 3" in doubts


def test_an_undecided_pair_shows_what_it_may_be(page: Page) -> None:
    assert "0 certain, up to 3" in section(page, "matrix")


def test_the_printed_rule_leaves_the_verdict_to_what_fails_and_the_exit_code_to_the_threshold(page: Page) -> None:
    text = section(page, "method")
    assert "not compliant when any zone pair or any finding fails" in text
    assert "The threshold low (--fail-on) decides the exit code only" in text
    assert "Exit code 1; findings count from severity low" in section(page, "control")
    assert "a router counts as the zone that names its shard" in text.lower()


def test_guests_are_named_and_what_is_in_no_zone_has_no_trust(page: Page) -> None:
    text = section(page, "scope")
    assert "counted here as well: Deployment openshift-ingress/router-dmz" in text
    assert "(unzoned) 2 3 0 scratch" in text


def test_services_are_open_in_policy_and_never_seen(page: Page) -> None:
    assert "open in policy: tcp/8443" in section(page, "services")
    assert "seen" not in section(page, "services")


def test_an_expired_exception_stands_on_both_sides(page: Page) -> None:
    late = next(one for one in example().findings if one.refused_exceptions)
    assert "EX-3 expired 2026-06-30, would have covered this" in section(page, "findings")
    assert f"would cover {late.fingerprint[:8]}" in section(page, "exceptions")


def test_a_step_that_no_policy_decides_names_the_endpoint_once(page: Page) -> None:
    assert "egress Deployment edge/proxy: no policy isolates it: open by default" in section(page, "findings")


def test_the_evidence_sheet_says_who_when_and_with_what() -> None:
    text = section(Page(pages.html(example())), "control")
    for line in (
        "Source manifests/: files, not a live cluster.",
        "Zones file zones.yaml; exceptions file exceptions.yaml.",
        "Run by: not recorded, since files were read.",
        "Report made 2026-11-23T06:18:00Z (UTC). Age of the data is not known: files carry no collection time.",
        "Full population, no sampling: 12,882 ordered pairs of endpoints, of which 0 undecided",
        f"exceptions {hashlib.sha256(b'e').hexdigest()}",
    ):
        assert line in text
    spec = Page(pages.html(clean()))
    assert "spec: as the Kubernetes API text says; which plug-in enforces it cannot be seen in files" in flat(spec)


def test_a_table_scrolls_inside_its_own_box(page: Page) -> None:
    boxed = [
        "scroll" in dict(before[1]).get("class", "").split() for before, after in pairwise(page.elements) if after[0] == "table"
    ]
    assert boxed
    assert all(boxed)


def test_an_address_breaks_at_dots_and_the_at_sign_only() -> None:
    text = pages.html(example())
    cut = (
        '<span class="part">team-edge</span><wbr><span class="part">@example.</span><wbr><span class="part">org</span>'
    )
    assert cut in text


@pytest.mark.parametrize("report", [annexed(example()), clean(), hostile(HOSTILE[0], annexed(example()))])
def test_a_parser_of_html5_has_nothing_to_repair(report: Report) -> None:
    parser = HTMLParser5()
    parser.parse(pages.html(report))
    assert parser.errors == []


def test_the_records_of_the_script_hold_every_finding_and_no_markup(page: Page) -> None:
    records = json.loads(page.scripts[0])
    assert [one["id"] for one in records["findings"]] == [one.fingerprint for one in example().findings]
    assert len(records["cells"]) == len(records["zones"]) == len(example().zones)
    assert not set(page.scripts[0]) & set("<>&")


def test_two_renderings_are_equal() -> None:
    assert pages.html(example()) == pages.html(example())
