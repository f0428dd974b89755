"""Access of objects as they are written."""

from __future__ import annotations

import io
import json

from audit.access.index import Access
from audit.sources import read
from tests.access.slow import Json


def access_of(objects: list[Json]) -> Access:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    return Access(read(["-"], stdin=io.BytesIO(text.encode())))
