"""Opens the database of a history: a SQLite file, or PostgreSQL by URL, brought up to the schema of this version."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from audit.errors import UsageError

WAIT_SECONDS = 30
"""For another process that writes to the same SQLite file."""
_LOCK = 0x7A6F6E65
"""Any number; PostgreSQL keeps two processes from changing the schema at once by it."""
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_HINT = "name a file, `postgresql://USER@HOST/DATABASE`, or set ZONE_AUDIT_HISTORY"


@contextmanager
def engine(place: str) -> Iterator[Engine]:
    """The database at a file or URL, with all migrations applied; UsageError for what is none, without any password."""
    url = _url(place)
    made: Engine | None = None
    try:
        made = _engine(url)
        _migrate(made)
        yield made
    except ModuleNotFoundError as error:
        hint = "install it with `pip install 'zone-audit[postgresql]'`"
        raise UsageError(f"the history needs `{error.name}`, which is not installed", hint=hint) from error
    except CommandError as error:
        hint = "use the newest zone-audit on it"
        raise UsageError(f"history `{_shown(url)}` was written by a newer version", hint=hint) from error
    except SQLAlchemyError as error:
        raise UsageError(f"history `{_shown(url)}`: {_reason(error, url)}") from None
    finally:
        if made is not None:
            made.dispose()


def _url(place: str) -> URL:
    if "://" not in place:
        return URL.create(_DRIVERS["sqlite"], database=place)
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        raise UsageError("the URL of the history cannot be read", hint=_HINT) from None
    name = url.drivername.partition("+")[0].replace("postgres", "postgresql", url.drivername == "postgres")
    if name not in _DRIVERS:
        raise UsageError(f"a history in `{name}` is not possible", hint=_HINT)
    return url.set(drivername=_DRIVERS[name])


def _engine(url: URL) -> Engine:
    if url.drivername != _DRIVERS["sqlite"]:
        return create_engine(url, pool_size=1, connect_args={"connect_timeout": WAIT_SECONDS})
    _private(Path(url.database or ""))
    made = create_engine(url, connect_args={"timeout": WAIT_SECONDS})
    event.listen(made, "connect", _manual)
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return made


def _private(path: Path) -> None:
    """Makes an empty file that only its owner reads, where there is none: a history is a map for attackers."""
    if not path.name or path.is_dir():
        raise UsageError(f"history `{path}` is no file", hint=_HINT)
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise UsageError(f"history `{path}` cannot be made: {(error.strerror or 'error').lower()}") from error


def _manual(connection: Any, _: object) -> None:
    """Transactions as asked for: the driver's own begin too late for changes of the schema."""
    connection.isolation_level = None


def _migrate(made: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with made.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _shown(url: URL) -> str:
    """The place without what may be secret: the query of a URL can hold passwords as well."""
    if url.drivername == _DRIVERS["sqlite"]:
        return url.database or ""
    return url.set(query={}).render_as_string(hide_password=True)


def _reason(error: SQLAlchemyError, url: URL) -> str:
    """The first line of what the driver says."""
    told = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return told.replace(str(url.password), "***") if url.password else told
