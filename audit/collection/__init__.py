"""A live cluster -> snapshot file: the only user of `kubernetes` and `urllib3`.

`access` says where the API server is and as whom it is asked, `Client` asks it.
"""

from __future__ import annotations

from audit.collection.access import Access, access, in_pipeline
from audit.collection.answers import Answer, Failure, Limits
from audit.collection.transport import Client

__all__ = ["Access", "Answer", "Client", "Failure", "Limits", "access", "in_pipeline"]
