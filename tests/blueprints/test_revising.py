"""Words about a draft: what they change, in five languages, and what is asked back instead of guessed."""

from typing import Any

import pytest

from alma.errors import BadRequest
from blueprints.revising import revise
from blueprints.schema import parse_document

MACHINE: dict[str, Any] = {"cpu": 2, "memory": "4GB", "disk": "20GB", "os": "debian-12"}
SHOP: dict[str, Any] = {
    "version": "1.0",
    "name": "shop",
    "resources": [
        {"name": "db", "type": "database", "specs": {**MACHINE, "software": ["postgresql"], "memory": "8GB"}},
        {"name": "db-replica", "type": "database", "specs": {**MACHINE, "software": ["postgresql"]}},
        {"name": "cache", "type": "vm", "specs": {"ram": "2GB", "role": "cache", "software": ["redis"]}},
        {"name": "web-1", "type": "web", "specs": MACHINE, "dependencies": ["db", "cache"]},
        {"name": "web-2", "type": "web", "specs": MACHINE, "dependencies": ["db", "cache"]},
        {"name": "worker", "type": "worker", "specs": {**MACHINE, "count": 3}},
        {"name": "lb", "type": "load_balancer", "specs": MACHINE, "dependencies": ["web-1", "web-2"]},
    ],
    "metadata": {"environment": "staging"},
}


def revised(words: str, document: dict[str, Any] = SHOP) -> dict[str, dict[str, Any]]:
    """The specs by name, after these words."""
    revision = revise(document, words)
    assert revision is not None, words
    assert not revision.question, revision.question
    assert revision.changes
    return {row["name"]: row for row in revision.document["resources"]}


@pytest.mark.parametrize(
    ("words", "name", "specs"),
    [
        ("make the replica bigger", "db-replica", {"cpu": 4, "memory": "8GB", "disk": "20GB"}),
        ("Give db 32 GB of RAM", "db", {"memory": "32GB", "cpu": 2}),
        ("give lb 3 cores and 2 GB of memory", "lb", {"memory": "2GB", "cpu": 3, "disk": "20GB"}),
        ("web-1 needs 12 GB of memory", "web-1", {"memory": "12GB", "cpu": 2}),
        ("the redis cache needs 6 GB memory", "cache", {"ram": "6GB"}),
        ("double the disk of the load balancer", "lb", {"disk": "40GB", "memory": "4GB"}),
        ("the cache is too big", "cache", {"ram": "1GB"}),
        ("Mach den Load Balancer größer", "lb", {"cpu": 4, "memory": "8GB"}),
        ("rends le cache plus grand", "cache", {"ram": "4GB"}),
        ("haz el balanceador más grande", "lb", {"cpu": 4}),
        ("raddoppia la memoria della cache", "cache", {"ram": "4GB"}),
        ("10 workers instead of 3", "worker", {"count": 10}),
        ("two more workers", "worker", {"count": 5}),
        ("drop one worker", "worker", {"count": 2}),
        ("drop a worker", "worker", {"count": 2}),
        ("entferne einen Worker", "worker", {"count": 2}),
        ("supprime un worker", "worker", {"count": 2}),
        ("quita un worker", "worker", {"count": 2}),
        ("togli un worker", "worker", {"count": 2}),
        ("remove the last worker", "worker", {"count": 2}),
    ],
)
def test_sizes_and_numbers_change_where_they_are_meant(words: str, name: str, specs: dict[str, Any]) -> None:
    found = revised(words)[name]["specs"]
    assert {key: found[key] for key in specs} == specs


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("drop the second web server", {"web-2"}),
        ("remove the cache and the load balancer", {"cache", "lb"}),
        ("we don't need redis", {"cache"}),
        ("ohne Cache bitte", {"cache"}),
        ("supprime le cache", {"cache"}),
        ("quita el balanceador de carga", {"lb"}),
        ("togli il bilanciatore", {"lb"}),
        ("get rid of db-replica", {"db-replica"}),
        ("delete all workers", {"worker"}),
    ],
)
def test_what_is_dropped_is_gone_and_nobody_waits_for_it(words: str, gone: set[str]) -> None:
    left = revised(words)
    assert {row["name"] for row in SHOP["resources"]} - set(left) == gone
    assert not gone & {name for row in left.values() for name in row.get("dependencies", ())}


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("add a rabbitmq message queue", "queue"),
        ("füge noch ein Monitoring hinzu", "monitoring"),
        ("ajoute un serveur de messagerie", "mail"),
        ("añade un servidor de correo", "mail"),
        ("aggiungi anche un server di posta", "mail"),
    ],
)
def test_what_is_added_stands_beside_the_rest(words: str, role: str) -> None:
    found = revised(words)
    new = [row for name, row in found.items() if name not in {one["name"] for one in SHOP["resources"]}]
    assert [row["specs"].get("role") or row["type"] for row in new] == [role]
    assert len(found) == len(SHOP["resources"]) + 1


def test_one_more_of_a_kind_is_needed_by_whoever_needs_the_others() -> None:
    found = revised("another web server")
    assert found["web-3"]["specs"] == MACHINE
    assert found["web-3"]["dependencies"] == ["db", "cache"]
    assert found["lb"]["dependencies"] == ["web-1", "web-2", "web-3"]


@pytest.mark.parametrize(
    "words", ["remove the kafka", "make it bigger", "get rid of that thing", "drop the tenth web server"]
)
def test_what_is_not_there_is_asked_and_nothing_changes(words: str) -> None:
    revision = revise(SHOP, words)
    assert revision is not None
    assert revision.question or not revision.changes
    assert revision.document["resources"] == SHOP["resources"]


def test_what_cannot_be_is_refused() -> None:
    huge = {**SHOP, "resources": [{"name": "db", "type": "database", "specs": {**MACHINE, "cpu": 1000}}]}
    with pytest.raises(BadRequest, match="cannot be done"):
        revise(huge, "double the cores of the database")


@pytest.mark.parametrize("words", ["create a kubernetes cluster with 3 nodes", "hello", "a mail server"])
def test_what_is_not_about_the_draft_is_left_to_others(words: str) -> None:
    assert revise(SHOP, words) is None


def test_each_change_has_its_cause_and_the_draft_stays_as_it_was() -> None:
    before = parse_document(SHOP).digest()
    revision = revise(SHOP, "give db 32 GB of RAM")
    assert revision is not None
    assert revision.document["metadata"]["causes"] == {"db": {"memory": {"words": "32 GB of RAM", "span": [8, 20]}}}
    assert list(revision.changes) == ["db: memory 8GB → 32GB."]
    assert revision.document["metadata"]["estimated_cost"] > 0
    assert parse_document(SHOP).digest() == before


@pytest.mark.parametrize(
    ("words", "name", "key", "quoted"),
    [
        ("give db 32 GB of RAM", "db", "memory", "32 GB of RAM"),
        ("make the database bigger", "db", "memory", "make the database bigger"),
        ("db mit 16 Kernen", "db", "cpu", "16 Kernen"),
        ("add a mail server with 3 cores", "mail-server", "cpu", "3 cores"),
        (f"{'please ' * 40}make the database bigger", "db", "cpu", "please " * 28 + "plea"),
    ],
)
def test_a_cause_quotes_its_words_where_they_stand(words: str, name: str, key: str, quoted: str) -> None:
    revision = revise(SHOP, words, turn=7)
    assert revision is not None
    cause = revision.document["metadata"]["causes"][name][key]
    start, end = cause["span"]
    assert (cause["words"], words[start:end], cause["turn"]) == (quoted, quoted, 7)


THREE = {**SHOP, "resources": [*SHOP["resources"], {"name": "web-3", "type": "web", "specs": MACHINE}]}


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (
            "give db more memory and drop the second web server",
            ["db: memory 8GB → 16GB.", "web-2 is gone."],
        ),
        ("drop the second web server and the cache", ["cache is gone.", "web-2 is gone."]),
        ("drop the first and the third web server", ["web-1 is gone.", "web-3 is gone."]),
        ("remove the last two web servers, then give db 64 GB of RAM", ["web-2 is gone.", "web-3 is gone.", "db: memory 8GB → 64GB."]),
        ("give db 32 GB and web-1 4 cores", ["db: memory 8GB → 32GB.", "web-1: cores 2 → 4."]),
        ("give db 8 cores and 32 GB", ["db: cores 2 → 8, memory 8GB → 32GB."]),
        ("db needs 16 GB, web-1 needs 8 GB and web-2 needs 6 GB", ["db: memory 8GB → 16GB.", "web-1: memory 4GB → 8GB.", "web-2: memory 4GB → 6GB."]),
        ("set web-1, web-2 and web-3 to 8 GB of memory", [f"web-{n}: memory 4GB → 8GB." for n in (1, 2, 3)]),
        ("make db bigger but not the replica", ["db: cores 2 → 4, memory 8GB → 16GB."]),
        ("make the load balancer bigger, and web-1 too", ["lb: cores 2 → 4, memory 4GB → 8GB.", "web-1: cores 2 → 4, memory 4GB → 8GB."]),
        ("scale the web servers to 5 and drop the replica", ["web-4 is new, like web-3.", "web-5 is new, like web-3.", "db-replica is gone."]),
        ("I want 5 web servers and no cache", ["web-4 is new, like web-3.", "web-5 is new, like web-3.", "cache is gone."]),
        ("two more web servers and one more load balancer", ["web-4 is new, like web-3.", "web-5 is new, like web-3.", "lb: number 1 → 2."]),
        ("Remove the cache. Also, give web-1 12 GB.", ["cache is gone.", "web-1: memory 4GB → 12GB."]),
        ("we don't need redis any more, but please add two workers", ["cache is gone.", "worker: number 3 → 5."]),
        ("Thanks! That looks good. Drop the cache.", ["cache is gone."]),
        ("make db 16 GB bigger, and the load balancer too", ["db: memory 8GB → 16GB.", "lb: memory 4GB → 16GB."]),
        ("Mach den Load Balancer größer und entferne den zweiten Webserver", ["lb: cores 2 → 4, memory 4GB → 8GB.", "web-2 is gone."]),
        ("supprime le deuxième serveur web et donne 16 Go à db", ["web-2 is gone.", "db: memory 8GB → 16GB."]),
        ("quita la cache y añade otro servidor web", ["cache is gone.", "web-4 is new, like web-3."]),
        ("togli la cache e raddoppia la memoria di db", ["cache is gone.", "db: memory 8GB → 16GB."]),
    ],
)  # fmt: skip
def test_each_of_several_things_is_done(words: str, changes: list[str]) -> None:
    revision = revise(THREE, words)
    assert revision is not None
    assert (revision.question, list(revision.changes)) == ("", changes)


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("remove the load balancer in front of the web servers", {"lb"}),
        ("drop all web servers but one", {"web-2", "web-3"}),
        ("drop the web servers, but not web-2", {"web-1", "web-3"}),
        ("drop all web servers except web-2", {"web-1", "web-3"}),
        ("remove everything but the database", {"cache", "web-1", "web-2", "web-3", "worker", "lb"}),
        ("drop the first two web servers", {"web-1", "web-2"}),
    ],
)
def test_what_is_only_named_beside_it_stays(words: str, gone: set[str]) -> None:
    assert {row["name"] for row in THREE["resources"]} - set(revised(words, THREE)) == gone


@pytest.mark.parametrize(
    "words",
    [
        "remove the disk of the database",
        "remove postgres from db",
        "drop the second server of the shop",
        "give the web servers the address 10.0.0.9",
        "drop the cache and give the web servers the address 10.0.0.9",
        "actually only one database",
        "rename the web servers to shop",
    ],
)
def test_what_could_mean_too_much_is_asked_and_nothing_of_it_is_done(words: str) -> None:
    revision = revise(THREE, words)
    assert revision is not None
    assert revision.question
    assert revision.document["resources"] == THREE["resources"]


def test_it_is_what_was_changed_last() -> None:
    queue = "add a rabbitmq queue with 4 GB and make it bigger"
    assert revised(queue)["rabbitmq"]["specs"]["memory"] == "8GB"
    first = revise(SHOP, "add a rabbitmq queue with 4 GB", turn=3)
    assert first is not None
    assert revised("make it bigger", first.document)["rabbitmq"]["specs"]["memory"] == "8GB"


def test_networks_backups_programs_and_names_change_too() -> None:
    found = revised("put the web servers on VLAN 20 and back up db weekly, keep 30 days")
    assert [found[name]["specs"]["network"] for name in ("web-1", "web-2")] == [{"vlan": 20}] * 2
    assert found["db"]["specs"]["backup"] == {"schedule": "weekly", "retention_days": 30}
    without = revised("the db should have no backups", {**SHOP, "resources": list(found.values())})
    assert "backup" not in without["db"]["specs"]
    assert revised("replace redis with memcached")["cache"]["specs"]["software"] == ["memcached"]
    assert revised("use mariadb instead of postgres for db-replica")["db"]["specs"]["software"] == ["postgresql"]
    assert revised("rename db to main-db")["web-1"]["dependencies"] == ["main-db", "cache"]


def test_a_cause_of_a_later_clause_quotes_its_words_where_they_stand() -> None:
    words = "drop the cache and give db 32 GB of RAM"
    revision = revise(SHOP, words)
    assert revision is not None
    start, end = revision.document["metadata"]["causes"]["db"]["memory"]["span"]
    assert words[start:end] == "32 GB of RAM"


def test_places_kinds_and_systems_change_where_they_are_meant() -> None:
    apart = revised("put the web servers on different hosts", THREE)
    assert [apart[f"web-{number}"]["specs"].get("anti_affinity") for number in (1, 2, 3)] == ["web"] * 3
    assert "anti_affinity" not in apart["db"]["specs"]
    assert revised("make the cache a container")["cache"]["type"] == "lxc"
    assert {row["specs"]["os"] for row in revised("Rocky Linux 9 everywhere").values()} == {"rocky-9"}
    only = revised("put the second web server on VLAN 12", THREE)
    assert [name for name, row in only.items() if "network" in row["specs"]] == ["web-2"]


@pytest.mark.parametrize("words", ["give the database 500 GB of disk", "gib der Datenbank 500 GB Platte"])
def test_the_only_machine_is_not_another_that_is_named(words: str) -> None:
    one = {**SHOP, "resources": [SHOP["resources"][3] | {"dependencies": []}]}
    revision = revise(one, words)
    assert revision is None or revision.document["resources"] == one["resources"]


def test_backups_and_machines_are_dropped_in_one_breath() -> None:
    backed = revised("back up db weekly and keep 30 days")
    left = revised("drop the cache and the backups of db", {**SHOP, "resources": list(backed.values())})
    assert "cache" not in left
    assert "backup" not in left["db"]["specs"]
