from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audit import discovery
from audit.control_mapping import frameworks, mapped
from audit.model import VERDICTS, Verdict
from audit.report import FindingRecord, RuleRecord
from audit.report_annex import ControlRecord

RULES = discovery.discover()
KNOWN = {f"{framework.id}/{control.id}": control for framework in frameworks() for control in framework.controls}


def rule(number: int, verdict: Verdict, *controls: str) -> RuleRecord:
    return RuleRecord(id=f"R{number}", title="t", severity="low", verdict=verdict, controls=controls)


def one(records: tuple[ControlRecord, ...], control: str) -> ControlRecord:
    return next(record for record in records if f"{record.framework}/{record.control}" == control)


def test_every_control_that_a_rule_names_is_described() -> None:
    assert {control for one in RULES for control in one.controls} <= set(KNOWN)


def test_every_described_control_has_a_rule_that_supports_it() -> None:
    named = {control for one in RULES for control in one.controls}
    assert [key for key, control in KNOWN.items() if not named & {key, *control.evidence}] == []


def test_evidence_is_shared_with_controls_that_rules_name_themselves() -> None:
    named = {control for one in RULES for control in one.controls}
    assert {one for control in KNOWN.values() for one in control.evidence} <= named


def test_no_text_claims_that_anything_is_satisfied() -> None:
    texts = [framework.note for framework in frameworks()] + [control.text for control in KNOWN.values()]
    assert all(texts)
    assert not [text for text in texts if any(word in text.lower() for word in ("satisf", "certif", "is compliant"))]


def test_tests_of_segmentation_are_never_more_than_supported() -> None:
    assert all(KNOWN[key].supporting_only for key in ("pci-dss-4.0.1/11.4.5", "pci-dss-4.0.1/11.4.6"))


@given(st.lists(st.sampled_from(VERDICTS), min_size=1))
def test_a_control_takes_the_worst_verdict_that_says_something(verdicts: list[Verdict]) -> None:
    rules = [rule(number, verdict, "nist-800-53r5/sc-7") for number, verdict in enumerate(verdicts)]
    telling = [verdict for verdict in verdicts if verdict != "not-applicable"] or verdicts
    assert one(mapped(rules, (), ()), "nist-800-53r5/sc-7").result == min(telling, key=VERDICTS.index)


def test_a_control_without_rule_or_row_is_not_reported() -> None:
    assert mapped([rule(1, "pass")], (), ()) == ()


def test_shared_evidence_counts_for_both_controls() -> None:
    records = mapped([rule(1, "fail", "nist-800-53r5/ca-7")], (), ())
    assert {one(records, key).result for key in ("nist-800-53r5/ca-7", "iso-27001-2022/a.5.36")} == {"fail"}


def test_a_finding_counts_for_a_control_that_its_rule_does_not_name() -> None:
    finding = FindingRecord(
        fingerprint="f", rule="R1", verdict="fail", severity="low", title="t", controls=("nist-800-53r5/sc-7",)
    )
    rules = [rule(1, "fail"), rule(2, "pass", "nist-800-53r5/sc-7")]
    assert one(mapped(rules, (), [finding]), "nist-800-53r5/sc-7").result == "fail"


def test_a_control_that_only_the_matrix_knows_is_reported_last_and_without_words() -> None:
    finding = FindingRecord(
        fingerprint="f", rule="R1", verdict="fail", severity="low", title="t", controls=("own/7", "nist-800-53r5/sc-7")
    )
    records = mapped([rule(1, "fail", "own/7", "nist-800-53r5/sc-7")], (), [finding])
    assert (records[-1].framework, records[-1].control, records[-1].text) == ("own", "7", "")
    assert records[-1].findings == ("f",)
