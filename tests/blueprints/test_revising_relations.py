"""What is said of two things at once: what runs on what, what waits for what, what shares a machine, what is like what."""

from typing import Any

import pytest

from blueprints.generation import generate
from blueprints.revising import Revision, revise

APP = "2 app servers, a PostgreSQL database and a Redis cache"
SHOP = "3 web servers behind a load balancer, with a PostgreSQL database"


def revised(words: str, wish: str = APP) -> Revision:
    revision = revise(dict(generate(wish)), words)
    assert revision is not None, words
    return revision


def rows(revision: Revision) -> dict[str, dict[str, Any]]:
    assert not revision.question, revision.question
    return {row["name"]: row for row in revision.document["resources"]}


@pytest.mark.parametrize(
    ("words", "name", "software"),
    [
        ("install docker on the app servers", "app-server-1", ["docker"]),
        ("installiere docker auf den App-Servern", "app-server-2", ["docker"]),
        ("installe docker sur les serveurs d'application", "app-server-1", ["docker"]),
        ("instala docker en los servidores de aplicación", "app-server-1", ["docker"]),
        ("installa docker sui server applicativi", "app-server-1", ["docker"]),
        ("the app needs Java 17", "app-server-1", ["java"]),
        ("die App-Server brauchen Java 17", "app-server-1", ["java"]),
        ("les serveurs d'application ont besoin de Java 17", "app-server-2", ["java"]),
        ("los servidores de aplicación necesitan Java 17", "app-server-1", ["java"]),
        ("i server applicativi hanno bisogno di Java 17", "app-server-1", ["java"]),
        ("run nginx on the app servers", "app-server-1", ["nginx"]),
        ("put node exporter on all machines", "postgresql", ["postgresql", "node-exporter"]),
        ("add docker to the app servers", "app-server-2", ["docker"]),
        ("installiere Redis auf app-server-1", "app-server-1", ["redis"]),
    ],
)
def test_a_program_goes_on_the_machines_that_are_meant(words: str, name: str, software: list[str]) -> None:
    found = rows(revised(words))
    assert found[name]["specs"]["software"] == software
    assert len(found) == 4


def test_a_release_is_noted_and_counts_nothing() -> None:
    assert list(revised("upgrade the database to PostgreSQL 16").changes) == ["postgresql: version 16."]
    assert list(revised("downgrade postgres to 14").changes) == ["postgresql: version 14."]


def test_an_unknown_name_that_is_to_be_installed_is_a_package() -> None:
    found = rows(revised("install fail2ban and htop everywhere"))
    assert {tuple(row["specs"]["packages"]) for row in found.values()} == {("fail2ban", "htop")}


def test_another_program_takes_the_place_of_what_does_the_same() -> None:
    for words in ("use mysql for the database", "utilise mysql pour la base", "run mysql on the database"):
        assert list(revised(words).changes) == [
            "postgresql: software postgresql → mysql.",
            "postgresql is called mysql.",
        ]


def test_sizes_that_are_said_beside_a_program_are_set_too() -> None:
    specs = rows(revised("the database needs 16 GB and docker"))["postgresql"]["specs"]
    assert (specs["memory"], specs["software"]) == ("16GB", ["postgresql", "docker"])


@pytest.mark.parametrize(
    "words",
    [
        "it needs docker",
        "we need docker",
        "wir brauchen Docker",
        "il faut docker",
        "hace falta docker",
        "serve docker",
        "install docker",
        "put redis on the app server",
    ],
)
def test_where_a_program_is_to_run_is_asked(words: str) -> None:
    asked = revised(words)
    assert asked.question.endswith((".", "?"))
    assert not asked.changes


def test_a_program_beside_others_is_taken_off_again() -> None:
    document = dict(revised("install docker on the app servers").document)
    found = revise(document, "remove docker from the app servers")
    assert found is not None
    assert [row["specs"]["software"] for row in found.document["resources"] if "app" in row["name"]] == [[], []]


@pytest.mark.parametrize(
    ("words", "name", "needs"),
    [
        ("start the cache before the database", "postgresql", ["redis"]),
        ("starte den Cache vor der Datenbank", "postgresql", ["redis"]),
        ("démarre le cache avant la base de données", "postgresql", ["redis"]),
        ("arranca la cache antes de la base de datos", "postgresql", ["redis"]),
        ("avvia la cache prima del database", "postgresql", ["redis"]),
        ("start the cache after the database", "redis", ["postgresql"]),
        ("the cache depends on the database", "redis", ["postgresql"]),
        ("the cache must not start before the database", "redis", ["postgresql"]),
        ("first the cache, then the database", "postgresql", ["redis"]),
        ("before the database starts, start the cache", "postgresql", ["redis"]),
        ("the app servers no longer need the cache", "app-server-1", ["postgresql"]),
        ("start the database after the app servers", "app-server-1", ["redis"]),
    ],
)
def test_an_order_becomes_dependencies(words: str, name: str, needs: list[str]) -> None:
    assert rows(revised(words))[name]["dependencies"] == needs


def test_what_is_needed_and_not_there_is_added_and_waited_for() -> None:
    found = rows(revised("the app needs a mail server"))
    assert "mail-server" in found
    assert found["app-server-1"]["dependencies"][-1] == "mail-server"


@pytest.mark.parametrize(
    "words",
    [
        "put the cache and the database on one machine", "merge the database and the cache", "lege Datenbank und Cache auf eine Maschine",
        "mets la base et le cache sur la même machine", "pon la base de datos y la cache en la misma máquina",
        "metti il database e la cache sulla stessa macchina", "put redis on the database server",
    ],
)  # fmt: skip
def test_parts_share_a_machine_that_is_large_enough_for_all(words: str) -> None:
    found = rows(revised(words))
    specs = found["postgresql"]["specs"]
    assert set(found) == {"postgresql", "app-server-1", "app-server-2"}
    assert (specs["software"], specs["memory"], specs["disk"]) == (["postgresql", "redis"], "10GB", "120GB")
    assert found["app-server-1"]["dependencies"] == ["postgresql"]


def test_everything_on_one_machine_says_what_runs_there() -> None:
    specs = rows(revised("run everything on one machine"))["postgresql"]["specs"]
    assert (specs["software"], specs["services"], specs["memory"]) == (["postgresql", "redis"], ["app"], "18GB")


@pytest.mark.parametrize(
    ("words", "memory", "disk"),
    [
        ("the same memory for the load balancer as for the database", "8GB", "20GB"),
        ("make the load balancer as big as the database", "8GB", "100GB"),
        ("der Load Balancer soll so viel Speicher haben wie die Datenbank", "8GB", "20GB"),
    ],
)
def test_sizes_are_taken_from_another_part(words: str, memory: str, disk: str) -> None:
    specs = rows(revised(words, SHOP))["load-balancer"]["specs"]
    assert (specs["memory"], specs["disk"]) == (memory, disk)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("the web servers are fine, but the database is too small", {"web-server-1", "load-balancer"}),
        ("twice as much memory for all but the database", {"postgresql"}),
        ("doppelt so viel Speicher für alle ausser der Datenbank", {"postgresql"}),
        ("deux fois plus de mémoire pour tous sauf la base", {"postgresql"}),
        ("el doble de memoria para todos menos la base de datos", {"postgresql"}),
        ("il doppio della memoria per tutti tranne il database", {"postgresql"}),
    ],
)
def test_what_is_excepted_stays(words: str, kept: set[str]) -> None:
    changed = {change.partition(":")[0] for change in revised(words, SHOP).changes}
    assert changed
    assert not changed & kept
