from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = "nobody"


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """URL of a PostgreSQL server of the tests' own, on loopback."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("no PostgreSQL server is installed (Debian: postgresql)")
    pytest.importorskip("psycopg")
    folder = Path(tempfile.mkdtemp(prefix="zone-audit-pg-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    as_other = ["runuser", "-u", NOBODY, "--"] if os.geteuid() == 0 else []
    if as_other:
        shutil.chown(folder, NOBODY)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    initdb, ctl = str(found[-1] / "initdb"), [*as_other, str(found[-1] / "pg_ctl"), "-D", str(folder / "data"), "-w"]

    def run(*command: str) -> None:
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run(*as_other, initdb, "-D", str(folder / "data"), "-U", "tester", "-A", "trust", "-E", "UTF8")
    run(*ctl, "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        run(*ctl, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty history in each database."""
    if request.param == "sqlite":
        yield str(tmp_path / "history.db")
        return
    url = request.getfixturevalue("server")
    yield url
    from sqlalchemy import create_engine, text

    made = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with made.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    made.dispose()
