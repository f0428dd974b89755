"""A live cluster -> snapshot file: the only user of `kubernetes` and `urllib3`.

`access` says where the API server is and as whom it is asked, `Client` asks it, and `collect` hands what it says to a
Draft: `discovery` (what is served) -> `routes` (where each kind is listed, or why not) -> `cut` (all kinds as they were
at one time; `passing` reads several of them at a time, `listing` each one page by page) -> `entries` (the ledger).
"""

from __future__ import annotations

from audit.collection.access import Access, access, in_pipeline
from audit.collection.answers import Answer, Failure, Limits
from audit.collection.collecting import Order, collect
from audit.collection.transport import Client

__all__ = ["Access", "Answer", "Client", "Failure", "Limits", "Order", "access", "collect", "in_pipeline"]
