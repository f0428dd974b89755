"""The HTML report in a real browser: what a reader can do with it, and what it never does."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import pages, summary
from audit.commands.scan import scan
from audit.report import Report
from audit.safetext import safe_text
from tests.outputs.annexes import annexed
from tests.outputs.example_report import HOSTILE, clean, example, finding, hostile, large

playwright = pytest.importorskip("playwright.sync_api", reason="the development packages are not installed")
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=f"none of {', '.join(NAMES)} is installed")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SAMPLE = Path(__file__).parents[2] / "sample_snapshots" / "enterprise"
LOOKS = [("light", "screen"), ("dark", "screen"), ("light", "print")]
DMZ_DATABASE = "#x-heat tbody tr:nth-child(3) td:nth-child(7)"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens reports as pages; at the end, none of them has asked for anything, complained, or shown a dialog."""
    contexts: list[Any] = []
    said: list[str] = []

    def open_page(report: Report, hash_: str = "", *, look: tuple[str, str] = LOOKS[0], **options: Any) -> Any:
        place = tmp_path / f"report{len(contexts)}.html"
        place.write_text(pages.html(report), encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.emulate_media(color_scheme=look[0], media=look[1])
        page.on("request", lambda request: said.append(request.url) if not own(request.url, place) else None)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(f"{place.as_uri()}{hash_}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def own(url: str, place: Path) -> bool:
    """The page itself, or the file that it makes for the reader."""
    return url.partition("#")[0] == place.as_uri() or url.startswith("blob:")


@pytest.fixture(scope="module")
def report() -> Report:
    return annexed(example())


def titles(page: Any) -> list[str]:
    return list(page.locator("#x-table tbody .opener").all_inner_texts())


def shown(page: Any) -> str:
    return str(page.locator("#x-shown").inner_text())


def violations(page: Any, context: str | None = None) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=context).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_has_no_barrier(opened: Open, report: Report, look: tuple[str, str]) -> None:
    page = opened(report, "#from=dmz&to=database", look=look)
    if look[1] == "screen":
        page.locator("#x-table .opener").first.click()
    assert violations(page) == []


def test_what_looks_for_barriers_finds_one(opened: Open) -> None:
    page = opened(clean())
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert [one.partition(":")[0] for one in violations(page, "main")] == ["button-name"]


def test_the_sample_has_no_barrier_and_is_small(opened: Open) -> None:
    names = [str(SAMPLE / name) for name in ("manifests", "zones.yaml", "exceptions.yaml")]
    sample = scan((names[0],), names[1], names[2], created=dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    page = opened(sample)
    assert violations(page, "header, #summary, #matrix, #diagram, #findings") == []
    assert len(page.content().encode()) < 500_000


def test_a_narrow_page_has_no_barrier_and_never_scrolls_sideways(opened: Open, report: Report) -> None:
    page = opened(report, viewport={"width": 390, "height": 800})
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_many_zones_have_no_barrier(opened: Open) -> None:
    page = opened(large(18, 60))
    assert violations(page, "#x-heat") == []
    assert violations(page, ".diagram") == []


def test_search_and_filters_keep_what_matches(opened: Open, report: Report) -> None:
    page = opened(report)
    assert shown(page) == "20 of 20 findings shown"
    page.fill("#x-q", "tier INTERNET")
    assert titles(page) == ["The internet reaches the data tier", "The data tier calls out to the internet"]
    assert shown(page) == "2 of 20 findings shown"
    page.check("#x-tools [value=high]")
    assert titles(page) == ["The data tier calls out to the internet"]
    page.click("#x-clear")
    page.check("#x-tools [value=manual]")
    assert titles(page) == ["A person must judge who may edit zoning labels"]


@pytest.mark.parametrize(
    ("name", "label", "field", "value"),
    [
        ("rule", "NET003 A policy exists, isolation does not", "rule", "NET003"),
        ("from", "dmz", "from_zone", "dmz"),
        ("to", "database", "to_zone", "database"),
        ("owner", "dba@example.org", "owner", "dba@example.org"),
        ("state", "new", "baseline_state", "new"),
    ],
)
def test_each_choice_filters(opened: Open, report: Report, name: str, label: str, field: str, value: str) -> None:
    page = opened(report)
    page.select_option(f"#x-{name}", label=label)
    expected = [one.title for one in report.findings if getattr(one, field) == value]
    assert expected
    assert titles(page) == [safe_text(title) for title in expected]


def test_columns_sort_both_ways_and_say_so(opened: Open, report: Report) -> None:
    page = opened(report)
    head = page.locator("th[data-sort=title]")
    before = titles(page)
    head.locator("button").click()
    assert titles(page) == sorted(before, key=str.lower)
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert titles(page) == sorted(before, key=str.lower, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    head.locator("button").click()
    assert titles(page) == before
    page.locator("th[data-sort=severity] button").click()
    assert page.locator("#x-table tbody tr:first-child td").first.inner_text() == "critical"


def test_findings_stand_under_their_owner(opened: Open, report: Report) -> None:
    page = opened(report)
    page.select_option("#x-group", label="Owner")
    groups = page.locator("#x-table .group").all_inner_texts()
    assert groups[0].startswith("dba@example.org 13 findings; failed: 2 critical, 3 high")
    assert len(groups) == len({one.owner for one in report.findings})
    assert len(titles(page)) == 20


def test_a_cell_leads_to_its_findings_and_their_paths(opened: Open, report: Report) -> None:
    page = opened(report)
    page.click(DMZ_DATABASE)
    panel = page.locator("#x-drill")
    assert "The demilitarised zone reaches the data tier" in panel.inner_text()
    assert "NetworkPolicy ledger/allow-all" in panel.inner_text()
    assert "Smallest cut" in panel.inner_text()
    assert titles(page) == ["The demilitarised zone reaches the data tier"]
    panel.locator(".opener").click()
    assert page.locator("#x-table .detail").inner_text().count("Fix") == 1
    page.go_back()
    page.go_back()
    assert panel.is_hidden()
    assert len(titles(page)) == 20


def test_the_matrix_is_walked_with_arrow_keys(opened: Open, report: Report) -> None:
    page = opened(report)
    assert page.locator("#x-heat td[tabindex='0']").count() == 1
    page.locator("#x-heat tbody tr:first-child td").first.focus()
    for key in ("ArrowDown", "ArrowDown", *["ArrowRight"] * 5, "Enter"):
        page.keyboard.press(key)
    assert page.locator(DMZ_DATABASE).get_attribute("aria-selected") == "true"
    assert page.evaluate("document.activeElement.id") == "x-drill"
    assert page.locator("#x-drill h3").inner_text().startswith("dmz → database")


def test_the_diagram_lights_up_and_filters(opened: Open, report: Report) -> None:
    page = opened(report)
    zone, flow = page.locator("[data-zone='5']"), page.locator("[data-from='2'][data-to='5']")
    zone.hover()
    assert "on" in str(flow.get_attribute("class")).split()
    assert "on" not in str(page.locator("[data-from='1'][data-to='4']").get_attribute("class")).split()
    zone.click()
    expected = [one.title for one in report.findings if "database" in {one.from_zone, one.to_zone}]
    assert titles(page) == expected
    assert page.locator("#x-picked").inner_text() == f"database: {len(expected)} findings"
    assert zone.get_attribute("aria-pressed") == "true"
    flow.focus()
    page.keyboard.press("Enter")
    assert titles(page) == ["The demilitarised zone reaches the data tier"]
    page.keyboard.press("Enter")
    assert len(titles(page)) == 20


def test_a_link_restores_what_was_chosen(opened: Open, report: Report) -> None:
    page = opened(report)
    page.fill("#x-q", "reach")
    page.check("#x-tools [value=fail]")
    page.select_option("#x-group", label="Rule")
    page.locator("th[data-sort=title] button").click()
    page.locator("#x-table .opener").first.click()
    hash_ = page.evaluate("location.hash")
    again = opened(report, hash_)
    for place in ("#x-table", "#x-shown"):
        assert again.locator(place).inner_text() == page.locator(place).inner_text()
    assert again.locator("#x-q").input_value() == "reach"
    assert again.locator("#x-tools [value=fail]").is_checked()
    assert again.locator("#x-table .detail").count() == 1


def test_a_link_to_a_finding_opens_it_wherever_it_is(opened: Open) -> None:
    report = large(12, 900)
    last = next(one for one in reversed(report.findings) if one.verdict == "fail")
    page = opened(report, f"#f-{last.fingerprint}")
    assert page.locator("#x-table .opened .opener").inner_text() == last.title
    assert page.evaluate("document.activeElement.id") == "x-opened"
    page.locator(".risks a").first.click()
    assert page.locator("#x-table .opened .opener").inner_text() == page.locator(".risks a").first.inner_text()


def test_a_link_is_copied(opened: Open, report: Report) -> None:
    page = opened(report, "#severity=critical", permissions=["clipboard-read", "clipboard-write"])
    page.click("#x-copy")
    assert page.locator("#x-copy").inner_text() == "Copied"
    assert page.evaluate("navigator.clipboard.readText()").endswith("#severity=critical")


def test_the_filtered_rows_are_saved_and_no_cell_is_a_formula(opened: Open, tmp_path: Path) -> None:
    bad = '=HYPERLINK("http://203.0.113.9"; "x")'
    odd = finding("NET001", "fail", "high", bad, ("dmz", "internal"), "80", owner="@x\ny", fix="-1, +1")
    page = opened(hostile_free(odd), "#severity=high")
    with page.expect_download() as download:
        page.click("#x-csv")
    download.value.save_as(tmp_path / "findings.csv")
    rows = list(csv.DictReader((tmp_path / "findings.csv").read_text("utf-8-sig").splitlines()))
    assert [row["title"] for row in rows] == [f"'{bad}"]
    assert rows[0]["owner"].startswith("'@x")
    assert not [cell for row in rows for cell in row.values() if cell[:1] in {"=", "+", "-", "@"}]


def hostile_free(odd: Any) -> Report:
    """The clean report with one finding of high severity and one of low."""
    import msgspec

    low = finding("NET004", "fail", "low", "A selector matches no pod", ("", "internal"), "")
    return msgspec.structs.replace(clean(), findings=(odd, low))


def test_keys_alone_reach_and_use_the_list(opened: Open, report: Report) -> None:
    page = opened(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#x-q").focus()
    page.keyboard.type("host-network")
    assert shown(page) == "3 of 20 findings shown"
    page.locator("#x-table .opener").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.keyboard.press("Enter")
    assert page.locator("#x-table .detail").count() == 0


def test_more_rows_come_on_request(opened: Open) -> None:
    page = opened(large(6, 250))
    assert shown(page) == "250 of 250 findings match, the first 100 shown"
    page.click("#x-more")
    assert len(titles(page)) == 200
    page.click("#x-more")
    assert len(titles(page)) == 250
    assert page.locator("#x-more").is_hidden()


def test_without_script_everything_can_be_read_and_nothing_is_dead(opened: Open, report: Report) -> None:
    page = opened(report, java_script_enabled=False)
    text = page.locator("main").inner_text()
    for one in report.findings:
        assert safe_text(one.title) in text
        assert safe_text(summary.split_fix(one.fix)[0]) in text
    assert page.locator("#x-table tbody tr").count() == 20
    assert page.locator(".card:visible").count() == 20
    assert page.locator("button:visible, input:visible, select:visible").count() == 0


def test_paper_shows_what_is_chosen_in_full_and_no_control(opened: Open, report: Report) -> None:
    page = opened(report, "#severity=critical")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#x-cards .card:visible h3").all_inner_texts() == titles(page)
    assert page.locator("button:visible:not(.sorter):not(.opener), input:visible, select:visible").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#x-cards .card[hidden]").count() == 0


STRUCTURE = """() => [...document.querySelectorAll('*')].filter(e => !e.matches('wbr, .part')).map(
    e => [e.tagName, ...e.getAttributeNames().filter(n => n !== 'tabindex' || !e.matches('.scroll'))].join(' '))"""
"""Elements with names of attributes, but for what the length of a text decides: breaks, and tables that scroll."""


def test_hostile_text_changes_nothing_that_the_script_builds(opened: Open, report: Report) -> None:
    def built(text: str) -> list[str]:
        page = opened(hostile(text, report))
        page.locator("#x-heat tbody td.v-fail").first.click()
        page.locator("#x-table .opener").first.click()
        page.select_option("#x-group", label="Owner")
        return list(page.evaluate(STRUCTURE))

    assert built(" ".join(HOSTILE)) == built("plain text")


def test_the_script_never_makes_markup_of_text() -> None:
    script = (Path(__file__).parents[2] / "report_templates" / "report.js").read_text()
    banned = ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "fetch(", "import(", "</")
    assert not [word for word in banned if word in script]


def test_five_thousand_findings_stay_responsive(opened: Open) -> None:
    page = opened(large(30, 5000))
    assert page.evaluate("performance.getEntriesByType('navigation')[0].domComplete") < 15_000  # 3 s when alone
    spent = [page.evaluate(KEYSTROKE, text) for text in ("s", "se", "ser", "service 0", "service 01", "service 012", "")]
    assert statistics.median(spent) < 1000  # milliseconds; 200 when nothing else runs


KEYSTROKE = """text => new Promise(done => {
    const field = document.getElementById('x-q');
    const start = performance.now();
    field.value = text;
    field.dispatchEvent(new Event('input', {bubbles: true}));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""
