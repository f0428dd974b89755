r"""Characters that the bundled fonts can draw; every other is spelled out as `\u4e2d`.

A character without a glyph would be drawn with whatever font the machine has, so that two machines would write two
reports, or as an empty box, which archives refuse. The attached results keep the text as it was.
"""

from __future__ import annotations

import re

from audit.report import Report
from audit.safetext import rewrite, visible

DRAWN = (
    "\u0020-\u007e\u00a0-\u024f\u0259\u02b0-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1"
    "\u03a3-\u03e1\u03f0-\u052f\u1e00-\u1eff\u2010-\u2015\u2018-\u2022\u2026\u2030\u2032-\u2033"
    "\u2039-\u203a\u2044\u2070-\u2071\u2074-\u208e\u2090-\u209c\u20ac\u2116\u2122\u2190-\u2195\u2212"
    "\u2260\u2264-\u2265\u2500-\u257f\u25a0-\u25fc\u25ff\ufffd"
)
"""What the sans-serif or the monospaced font has, as ranges of a pattern, which a test reads off the fonts; without two
squares for which the text library prefers a font of emoji."""
_UNDRAWN = re.compile(f"[^\\n{DRAWN}]")


def drawable(report: Report) -> Report:
    """The report with every character that has no glyph spelled out."""
    return rewrite(report, lambda text, _: _UNDRAWN.sub(visible, text))
