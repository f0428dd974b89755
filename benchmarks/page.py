"""How fast the HTML report answers in a browser: from opening to ready, and from a keystroke to the next picture.

    python benchmarks/page.py

Prints a Markdown table for 5,000 findings between 30 zones. Needs Chromium and the development packages.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from audit import pages
from tests.outputs.example_report import large

FINDINGS, ZONES = 5000, 30
TYPED = "service 0123"
TARGETS = (3000.0, 200.0)
"""Milliseconds until the page is ready, and from a keystroke to the picture, which half of them may not exceed."""
READY = "performance.getEntriesByType('navigation')[0].domComplete"
KEYSTROKE = """text => new Promise(done => {
    const field = document.getElementById('x-q');
    const start = performance.now();
    field.value = text;
    field.dispatchEvent(new Event('input', {bubbles: true}));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""


def measured(page: Any, address: str) -> tuple[float, float]:
    """Milliseconds until ready, and the median of those after a keystroke."""
    page.goto(address)
    spent = [page.evaluate(KEYSTROKE, TYPED[:length]) for length in (*range(1, len(TYPED) + 1), 0)]
    return page.evaluate(READY), statistics.median(spent)


def main() -> None:
    """Measure and print; exit code 1 when a target is missed."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        place = Path(folder) / "report.html"
        place.write_text(pages.html(large(ZONES, FINDINGS)), encoding="utf-8")
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        found = measured(browser.new_page(), place.as_uri())
        browser.close()
    print("| what | ms | target ms |\n|---|---:|---:|")
    for what, milliseconds, target in zip(("ready", "keystroke to picture, median"), found, TARGETS, strict=True):
        print(f"| {what} | {milliseconds:.0f} | {target:.0f} |")
    sys.exit(any(spent > target for spent, target in zip(found, TARGETS, strict=True)))


if __name__ == "__main__":
    main()
