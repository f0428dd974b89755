"""SOURCE arguments -> Snapshot: manifests and dumps, from files, directories and standard input.

Text becomes JSON objects (`yaml_text`, `json_text`), each object an Entry (`objects`), each source a layer over those
before it (`layers`). Whatever the input is, `read` gives a Snapshot or an AuditError that names file, line and reason.
"""

from __future__ import annotations

from audit.sources.positions import locate
from audit.sources.reading import read

__all__ = ["locate", "read"]
