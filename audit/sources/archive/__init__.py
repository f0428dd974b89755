"""Snapshot files: what a live cluster said, in one zip archive or the same tree as a directory.

`manifest.json` says where, when and how it was read, and the SHA-256 of every other member; `objects/KEY.json` holds
the objects of one kind as a Kubernetes list. `Draft` writes such a file whole or not at all, `opened` reads it without
unpacking and refuses whatever is not exactly as it was written.
"""

from __future__ import annotations

from audit.sources.archive.draft import Draft
from audit.sources.archive.reading import Archive, is_snapshot, opened

__all__ = ["Archive", "Draft", "is_snapshot", "opened"]
