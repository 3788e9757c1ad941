from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hil_tests.broker.mosquitto import Broker
from hil_tests.desk.postgres import Postgres, find_binaries
from tests.tools.desk.desk_house import Opened, running, settings_for


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def desk(broker: Broker, tmp_path: Path) -> AsyncIterator[Opened]:
    async with running(settings_for(broker, tmp_path, allow_drill=True)) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server, one for the session."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed (apt install postgresql): the desk was tried on SQLite only")
    with Postgres(binaries) as server:
        yield server


@pytest.fixture
def postgres_database(postgres: Postgres) -> str:
    """The URL of an empty database."""
    return postgres.new_database(f"desk_{secrets.token_hex(4)}")


# For a test that looks at more than the database: `pytestmark = ON_SQLITE`, or on one of a file's tests.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, as --database takes it."""
    if request.param == "sqlite":
        return str(tmp_path / "desk.sqlite3")
    url: str = request.getfixturevalue("postgres_database")
    return url
