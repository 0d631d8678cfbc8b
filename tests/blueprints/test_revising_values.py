"""Values that words set in a draft, in five languages: steps, shares, disks, storages, nodes, networks, ports and switches."""

import pytest

from blueprints.generation import generate
from blueprints.revising import revise

SHOP = "3 web servers behind a load balancer, with a PostgreSQL database"


def changes(words: str, wish: str = SHOP) -> list[str]:
    revision = revise(dict(generate(wish)), words)
    assert revision is not None, words
    assert not revision.question, revision.question
    return list(revision.changes)


@pytest.mark.parametrize(
    ("words", "memory"),
    [
        ("increase the database memory by 4 GB", "12GB"),
        ("erhöhe den Speicher der Datenbank um 4 GB", "12GB"),
        ("augmente la mémoire de la base de 4 Go", "12GB"),
        ("aumenta la memoria de la base de datos en 4 GB", "12GB"),
        ("aumenta la memoria del database di 4 GB", "12GB"),
        ("reduce the memory of the database by 2 GB", "6GB"),
        ("add 4 GB to the database", "12GB"),
        ("füge der Datenbank 4 GB Speicher hinzu", "12GB"),
        ("25% more memory for the database", "10GB"),
        ("increase the memory of the database by 50%", "12GB"),
        ("triple the memory of the database", "24GB"),
        ("raise the memory of the database to 24 GB", "24GB"),
        ("can the database have 16 GB", "16GB"),
    ],
)
def test_memory_grows_by_so_much(words: str, memory: str) -> None:
    assert changes(words) == [f"postgresql: memory 8GB → {memory}."]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("reduce the disk of the database to 60 GB", "disk 100GB → 60GB"),
        ("add 4 GB of memory and 2 cores to the database", "memory 8GB → 12GB, cores 2 → 4"),
        ("add a 500 GB disk to the database", "a further disk of 500GB"),
        ("give the database a second disk with 1 TB", "a further disk of 1TB"),
        ("put the database on the storage local-zfs", "on the storage local-zfs"),
        ("mets la base sur le stockage ceph-pool", "on the storage ceph-pool"),
        ("put the database disk on nvme", "on NVME storage (noted, but only the name of a storage chooses one)"),
        ("pon la base de datos en ssd", "on SSD storage (noted, but only the name of a storage chooses one)"),
        ("run the database on node pve1", "on the node pve1"),
        ("die Datenbank auf pve2", "on the node pve2"),
        ("give the database a GPU", "GPUs none → 1"),
        ("protect the database from deletion", "protected from deletion"),
        ("schütze die Datenbank vor dem Löschen", "protected from deletion"),
        ("do not start the database at boot", "does not start with its node"),
        ("open ports 5432 and 6432 on the database", "port 5432, 6432"),
        ("tag the database with gold", "tag gold"),
        ("use DHCP for the database", "its address by DHCP"),
        ("make the database a container", "container"),
        ("put the database on bridge vmbr1", "on the bridge vmbr1"),
    ],
)
def test_a_value_of_a_part_is_set(words: str, told: str) -> None:
    assert changes(words) == [f"postgresql: {told}."]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("use Debian 12 everywhere", "system as by default → debian-12"),
        ("upgrade to Debian 12", "system as by default → debian-12"),
        ("Debian 12 for all", "system as by default → debian-12"),
        ("nimm überall Debian 12", "system as by default → debian-12"),
        ("the gateway is 10.0.0.1", "network with gateway 10.0.0.1"),
        ("DNS server 10.0.0.53", "DNS server 10.0.0.53"),
        ("set the timezone to Europe/Berlin", "time zone Europe/Berlin"),
        ("the user shall be alice", "user alice"),
        ("store everything on local-zfs", "on the storage local-zfs"),
        ("back everything up nightly, keep 14 days", "backup with schedule daily, retention days 14"),
        ("sichere alles jede Nacht, 14 Tage aufbewahren", "backup with schedule daily, retention days 14"),
        ("sauvegarde tout chaque nuit, garde 14 jours", "backup with schedule daily, retention days 14"),
        ("copias de seguridad de todo cada noche, guarda 14 días", "backup with schedule daily, retention days 14"),
        ("backup di tutto ogni notte, conserva 14 giorni", "backup with schedule daily, retention days 14"),
        ("add nightly backups", "backup with schedule daily"),
    ],
)
def test_what_is_said_of_no_part_holds_for_all(words: str, told: str) -> None:
    names = ("postgresql", "web-server-1", "web-server-2", "web-server-3", "load-balancer")
    assert changes(words) == [f"{name}: {told}." for name in names]


def test_as_many_addresses_as_machines_are_one_each() -> None:
    given = changes("addresses 10.0.0.11 to 10.0.0.13 for the web servers")
    assert given == [f"web-server-{number}: network with ip 10.0.0.1{number}." for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("wish", "words", "told"),
    [
        ("2 web servers in VLAN 30", "no VLAN for the web servers", ["web-server-1: no VLAN.", "web-server-2: no VLAN."]),
        ("2 web servers in VLAN 30", "remove the VLAN", ["web-server-1: no VLAN.", "web-server-2: no VLAN."]),
        ("a database with weekly backups", "keep the backups for 30 days", ["database: backup with retention days 30."]),
        ("a database with weekly backups", "do not back up the database", ["database: no backups."]),
        ("a database with weekly backups", "stop backing up the database", ["database: no backups."]),
        ("2 LXC containers with redis", "use VMs instead of containers", ["redis-1: virtual machine.", "redis-2: virtual machine."]),
        ("2 LXC containers with redis", "don't use containers", ["redis-1: virtual machine.", "redis-2: virtual machine."]),
        ("2 databases", "the databases must not be on the same host", [f"database-{n}: on another host than the rest of database." for n in (1, 2)]),
        (SHOP, "add a read replica", ["postgresql: number 1 → 2."]),
        (SHOP, "clone the database", ["postgresql: number 1 → 2."]),
    ],
)  # fmt: skip
def test_what_is_there_is_taken_away_turned_or_doubled(wish: str, words: str, told: list[str]) -> None:
    assert changes(words, wish) == told


@pytest.mark.parametrize("words", ["put the foo on pve2", "paint it blue", "make the database prettier"])
def test_what_nothing_is_known_of_changes_nothing(words: str) -> None:
    revision = revise(dict(generate(SHOP)), words)
    assert revision is None or not revision.changes
