"""The schema of the history; `migrations` makes it, step by step, and a test holds the two against each other."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, String, Text, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables."""


class Run(Base):
    """One scan."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(Text)
    """Cluster and matrix, or sources and matrix."""
    source: Mapped[str] = mapped_column(Text)
    matrix: Mapped[str] = mapped_column(Text)
    created: Mapped[str] = mapped_column(String(20))
    """UTC, `2026-11-23T06:18:00Z`: sorts by time."""
    verdict: Mapped[str] = mapped_column(String(20))
    exit_code: Mapped[int]
    refused: Mapped[bool] = mapped_column(server_default=false())
    """By `--fail-on-new`: what it found new stays new for the scans after it."""
    severities: Mapped[str] = mapped_column(Text)
    """JSON: severity to number of findings with verdict fail."""
    excepted: Mapped[int]
    not_evaluated: Mapped[int]
    """Rules and cells."""
    tool: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the results as written."""
    results: Mapped[bytes] = mapped_column(LargeBinary)
    """The results JSON, zlib."""

    __table_args__ = (Index("runs_by_subject", "subject", "created"),)


class Sighting(Base):
    """One finding of a subject. It stays when runs are pruned, so that its first day does not get lost."""

    __tablename__ = "findings"

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(128), primary_key=True)
    rule: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(String(20))
    """When it was last seen."""
    title: Mapped[str] = mapped_column(Text)
    first_seen: Mapped[str] = mapped_column(String(20))
    last_seen: Mapped[str] = mapped_column(String(20))
