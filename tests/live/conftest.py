"""Fixtures: an API server of our own, with every kind that the audit reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import population, schemas
from tests.live.client import Client
from tests.live.serving import BINARY, Server, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With one object or more of every kind."""
    if not BINARY.exists():
        pytest.skip("no API server: `make test-live` builds one where Go is installed")
    if not schemas.PUBLISHED.is_dir():
        pytest.skip("the published schemas (`shared/crds`) are not beside this repository")
    with running(tmp_path_factory.mktemp("server")) as started:
        schemas.load(started.admin)
        population.create(started.admin, population.every_kind())
        yield started


@pytest.fixture(scope="session")
def admin(server: Server) -> Client:
    """May do everything."""
    return server.admin


@pytest.fixture(scope="session")
def places(admin: Client) -> population.Places:
    """Where the server keeps objects of each kind."""
    return population.places(admin)
