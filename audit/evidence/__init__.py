"""Evidence: one file with everything that a verdict rests on, and what shows that nobody changed it since.

A bundle is a zip archive of one layout (`bundle`), its manifest names every member by SHA-256 (`manifest`), a Merkle
tree stands over its objects (`tree`, `leaves`), and `proof` shows one of them without the others. Signatures
(`envelope`, `keys`), time-stamps (`timestamps`) and signed PDFs (`signed_pdf`) need the extra `signing`.
"""

from __future__ import annotations
