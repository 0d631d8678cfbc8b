"""What all tests share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from hypothesis import settings as hypothesis_settings

# Imported here and not at its first use: Python 3.11 can fail to compile a module once a recursion limit was met.
hypothesis_settings.register_profile("alma", deadline=None)
hypothesis_settings.register_profile("thorough", deadline=None, print_blob=True)
hypothesis_settings.load_profile("alma")

pytest_plugins = [
    "tests.fixtures.installation",
    "tests.fixtures.limits",
    "tests.fixtures.receiver",
    "tests.fixtures.sandbox",
    "tests.fixtures.services",
]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite in a file, as it is served: in memory, threads share one cache and lock each other's tables at once.

    On a PostgreSQL server each run has databases of its own, so that two runs do not drop each other's. Neither waits for
    the disk at each commit: these databases need not outlive a power cut. Those of installations that tests start do."""
    for connection in connections.all():
        served, options = connection.settings_dict["TEST"], connection.settings_dict["OPTIONS"]
        if connection.vendor == "sqlite":
            folder: Path = tmp_path_factory.mktemp("database")
            served["NAME"] = str(folder / "test.sqlite3")
            options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
        else:
            served["NAME"] = f"test_alma_{os.getpid()}"
            options["options"] = "-c synchronous_commit=off"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """PostgreSQL drops no database that somebody is connected to, and threads of the last tests may still be."""
    yield
    with django_db_blocker.unblock():
        for connection in connections.all():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )


@pytest.fixture(scope="session", autouse=True)
def static_root() -> None:
    """The folder of collected files, which the server makes at start and without which WhiteNoise warns."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
