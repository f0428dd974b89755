"""The page on redaction says what is kept."""

from __future__ import annotations

import hashlib
import os

from audit.ledger import ALLOW_LIST
from audit.projection import describe
from tests.samples.running import ROOT

PAGE = ROOT / "docs" / "redaction.md"


def test_the_page_on_redaction_lists_what_is_kept() -> None:
    start, heading, listed = PAGE.read_text("utf-8").partition("## What is kept\n\n")
    assert heading
    if os.environ.get("ZONE_AUDIT_UPDATE") == "1":
        PAGE.write_text(f"{start}{heading}{describe.page()}", "utf-8")
    else:
        assert listed == describe.page(), "write it anew with: ZONE_AUDIT_UPDATE=1 pytest tests/projection"


def test_every_kind_that_is_asked_for_is_on_the_page() -> None:
    page = describe.page()
    assert all(f"`{kind.key}`" in page for kind in describe.known())


ALLOW_LISTS = {1: "248a030bca8ffb1f"}
"""Number to the beginning of the digest of what it keeps; older ones stay."""


def test_another_allow_list_has_another_number() -> None:
    digest = hashlib.sha256(describe.page().encode()).hexdigest()[:16]
    assert ALLOW_LISTS.get(ALLOW_LIST) == digest, "count ALLOW_LIST up in audit/ledger.py and add its digest here"
