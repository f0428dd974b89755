"""How many records of each verdict a file tells of, read back from what the format itself says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
from prometheus_client.openmetrics.parser import text_string_to_metric_families

Json = dict[str, Any]
Tally = dict[str, int]
"""Verdict, or what a format makes of it, to a number above zero."""
WORDS = ("fail", "not-evaluated", "excepted", "manual", "pass", "not-applicable")


def tally(words: Iterable[str]) -> Tally:
    return dict(+Counter(words))


def told(results: Json) -> Tally:
    """What a list of problems has to tell: findings, and zone pairs and rules that none of them stands for."""
    findings = results["findings"]
    words = [one["verdict"] for one in findings]
    by_print = {one["fingerprint"]: one for one in findings}
    for cell in results["cells"]:
        own = (by_print[one] for one in cell["findings"])
        if not any(one["rule"] == "NET001" and one["verdict"] == cell["verdict"] for one in own):
            words.append(cell["verdict"])
    ruled = {(one["rule"], one["verdict"]) for one in findings}
    words += [rule["verdict"] for rule in results["rules"] if (rule["id"], rule["verdict"]) not in ruled]
    return tally(words)


def merged(counts: Mapping[str, int], names: Mapping[str, str]) -> Tally:
    """The counts under coarser names; verdicts without a name are left out."""
    found: Counter[str] = Counter()
    for word, number in counts.items():
        if word in names:
            found[names[word]] += number
    return dict(+found)


SARIF = {"pass": "pass", "fail": "fail", "open": "not-evaluated", "notApplicable": "not-applicable", "review": "manual"}
JUNIT = {"fail": "failure", "not-evaluated": "error", "pass": "pass"} | dict.fromkeys(
    ("excepted", "manual", "not-applicable"), "skipped"
)
OPENREPORTS = {
    "pass": "pass", "fail": "fail", "excepted": "warn", "not-evaluated": "error", "manual": "skip",
    "not-applicable": "skip",
}  # fmt: skip
PROBLEMS = dict.fromkeys(("fail", "not-evaluated"), "problem")


def sarif(data: bytes) -> Tally:
    results = json.loads(data)["runs"][0]["results"]
    return tally("excepted" if one.get("suppressions") else SARIF[one["kind"]] for one in results)


def junit(data: bytes) -> Tally:
    root = ET.fromstring(data)  # noqa: S314 - our own file
    found = tally(case[0].tag if len(case) else "pass" for case in root.iter("testcase"))
    for element in (root, *root.iter("testsuite")):
        cases = [one[0].tag if len(one) else "pass" for one in element.iter("testcase")]
        stated = {name: int(element.get(name, cases.count(tag))) for name, tag in _STATED}
        assert stated == {name: cases.count(tag) for name, tag in _STATED}
        assert int(element.attrib["tests"]) == len(cases)
    return found


_STATED = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def oscal(data: bytes) -> Tally:
    result = json.loads(data)["assessment-results"]["results"][0]
    risks = {one["uuid"]: one["status"] for one in result.get("risks", ())}
    words = []
    for one in result.get("findings", ()):
        status = one["target"]["status"]
        risk = {risks[related["risk-uuid"]] for related in one.get("related-risks", ())}
        if status["state"] == "satisfied":
            words.append("pass")
        elif status["reason"] == "fail":
            assert risk == {"open"}
            words.append("fail")
        else:
            words.append("excepted" if risk == {"deviation-approved"} else "not-evaluated")
    by_hand = [one for one in result.get("observations", ()) if one["methods"] == ["EXAMINE"]]
    return tally([*words, *("manual" for _ in by_hand)])


def gitlab(data: bytes) -> Tally:
    return tally("problem" for _ in json.loads(data))


def github(data: bytes) -> Tally:
    found: Counter[str] = Counter()
    for line in data.decode().splitlines()[:-1]:
        level, message = line.split("::")[1].split(" ")[0], line.split("::", 2)[2]
        more = re.match(r"and ([\d,]+) more; ", message)
        found[level] += int(more[1].replace(",", "")) if more else 1
    return dict(found)


def openreports(data: bytes) -> Tally:
    items = json.loads(data)["items"]
    total: Counter[str] = Counter()
    for item in items:
        total.update(item["summary"])
        rows = Counter(row["result"] for row in item["results"])
        assert rows["fail"] <= item["summary"]["fail"]
    return dict(+total)


def table(data: bytes) -> dict[str, Tally]:
    """Record to tally of a CSV."""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    return {record: tally(row["verdict"] for row in rows if row["record"] == record) for record in _RECORDS}


_RECORDS = ("finding", "zone-pair", "rule")


def workbook(data: bytes) -> tuple[dict[str, Tally], Json]:
    """Record to tally of the sheet of results, and the sheet of totals."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    head, *rows = book["Results"].iter_rows(values_only=True)
    listed = [dict(zip(head, row, strict=True)) for row in rows]
    tallies = {record: tally(str(row["verdict"]) for row in listed if row["record"] == record) for record in _RECORDS}
    return tallies, {str(name): value for name, value in book["Summary"].iter_rows(values_only=True)}


def metrics(data: bytes) -> Iterator[tuple[str, Mapping[str, str], float]]:
    families = text_string_to_metric_families(data.decode())  # type: ignore[no-untyped-call]  # ships no types
    for family in families:
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def by_label(data: bytes, name: str, label: str) -> Tally:
    found: Counter[str] = Counter()
    for metric, labels, value in metrics(data):
        if metric == f"zone_audit_{name}":
            found[labels[label]] += int(value)
    return dict(+found)


def rows_of(page: str, title: str) -> list[list[str]]:
    """The rows of the first Markdown table under a heading, its header left out; cells as they are written."""
    section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[1:] if not line.startswith("| ---")]


def markdown(data: bytes) -> dict[str, Tally]:
    page = data.decode()
    titles = {"finding": "Findings", "zone-pair": "Zone pairs to look at", "rule": "Rules to look at"}
    return {record: tally(row[0].strip() for row in rows_of(page, title)) for record, title in titles.items()}


LISTS: Mapping[str, tuple[Callable[[bytes], Tally], Mapping[str, str]]] = {
    "sarif": (sarif, {word: word for word in WORDS}),
    "sarif-github": (sarif, dict.fromkeys(("fail", "not-evaluated"), "fail")),
    "junit": (junit, JUNIT),
    "oscal": (oscal, {word: word for word in WORDS if word != "not-applicable"}),
    "gitlab": (gitlab, PROBLEMS),
    "openreports": (openreports, OPENREPORTS),
    "policyreport": (openreports, OPENREPORTS),
}
"""Formats that are lists of problems: how to read one, and what verdicts are called in it."""


def check(files: Mapping[str, bytes], results: Json) -> None:
    """Every file tells the numbers of the results: AssertionError with the format where one does not."""
    wanted = told(results)
    for name, (read, names) in LISTS.items():
        assert read(files[name]) == merged(wanted, names), name
    counts = {
        "finding": tally_of(results["counts"]["findings"]),
        "zone-pair": tally_of(results["counts"]["cells"]),
        "rule": tally_of(results["counts"]["rules"]),
    }
    assert table(files["csv"]) == counts
    check_workbook(files["xlsx"], counts, results)
    check_metrics(files["prometheus"], counts, results)
    check_github(files["github"], results)
    for name in ("markdown", "github-summary"):
        check_page(files[name], counts)
    assert json.loads(files["json"]) == json.loads(files["json-v1"]) == results


def tally_of(counts: Mapping[str, int]) -> Tally:
    return {word: number for word, number in counts.items() if number}


def check_workbook(data: bytes, counts: Mapping[str, Tally], results: Json) -> None:
    listed, totals = workbook(data)
    assert listed == counts
    for record, what in (("finding", "Findings"), ("zone-pair", "Zone pairs"), ("rule", "Rules")):
        assert {word: totals[f"{what}: {word}"] for word in WORDS if totals[f"{what}: {word}"]} == counts[record]
    severities = results["counts"]["severities"]
    assert {one: totals[f"Failed findings: {one}"] for one in severities} == severities


def check_metrics(data: bytes, counts: Mapping[str, Tally], results: Json) -> None:
    assert by_label(data, "findings", "status") == counts["finding"]
    assert by_label(data, "zone_pairs", "status") == counts["zone-pair"]
    assert by_label(data, "rules", "status") == counts["rule"]
    assert by_label(data, "failed_findings", "severity") == tally_of(results["counts"]["severities"])
    assert by_label(data, "exceptions", "status") == tally(one["status"] for one in results["exceptions"])


def check_github(data: bytes, results: Json) -> None:
    """Everything to act on is counted, the part that a step does not show as well."""
    wanted = told(results)
    found = github(data)
    assert sum(found.values()) == sum(wanted.get(word, 0) for word in ("fail", "not-evaluated", "manual"))
    assert len(data.decode().splitlines()) <= 31


def check_page(data: bytes, counts: Mapping[str, Tally]) -> None:
    """Each table has a row for every record that it lists, or says how many are missing."""
    page, found = data.decode(), markdown(data)
    for record, tallied in counts.items():
        passed = () if record == "finding" else ("pass", "not-applicable")
        wanted = {word: number for word, number in tallied.items() if word not in passed}
        if "\nAnd " not in page:
            assert found[record] == wanted, record
        total = " + ".join(f"{tallied[word]:,} {word}" for word in WORDS if tallied.get(word))
        what = {"finding": "findings", "zone-pair": "zone pairs", "rule": "rules"}[record]
        assert f"| {sum(tallied.values()):,} {what}" + (f" = {total} |" if total else " |") in page
