"""Makes `tests.core` importable however pytest was started, and random clusters the same in every run."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parents[2]))
settings.register_profile("same", derandomize=True, deadline=None, database=None)
