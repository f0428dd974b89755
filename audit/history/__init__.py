"""History: what earlier scans of the same cluster said, in SQLite or PostgreSQL.

One row per scan with its results, one per finding that any of them had. A scan is of a subject: the cluster (or the
sources, for manifests) and the name of the zone matrix. Results are kept as they were written, byte for byte.
"""

from __future__ import annotations

from audit.history.store import History, Summary, opened

__all__ = ["History", "Summary", "opened"]
