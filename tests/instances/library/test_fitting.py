"""Will it fit: the reckoning against what the real llama.cpp takes, and every verdict."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.utils import timezone

from alma.accounts.actors import Actor
from instances import machine
from instances.library import choosing, claiming, devices, fitting, scanning
from instances.library.facts import Facts
from instances.library.scanning import Found, Part
from instances.remote import library
from tests.factories.accounts import make_actor, make_organization
from tests.factories.instances import make_instance
from tests.instances.serving import served

GIB = 1024**3
LLAMA_8B = Facts(
    architecture="llama", layers=32, width=4096, inner=14336, heads=32, vocabulary=128_256, context_length=131_072,
    cached_keys=32 * 8 * 128, cached_values=32 * 8 * 128,
)  # fmt: skip


def model(size: int = 4_920_000_000, known: Facts = LLAMA_8B) -> Found:
    return Found("m.gguf", "gguf", (Part("m.gguf", size),), known)


def test_reckoning_by_hand() -> None:
    """llama.cpp prints a KV cache of 1024 MiB for Llama 3.1 8B at 8192 tokens, and 544 MiB of it in q8_0."""
    claim = claiming.claim_of(model(), {"ctx_size": 8192})
    assert (claim.weights, claim.cache, claim.context) == (4_920_000_000, 1024 * 1024**2, 8192)
    small = claiming.claim_of(model(), {"ctx_size": 8192, "cache_type_k": "q8_0", "cache_type_v": "q8_0"})
    assert small.cache == 544 * 1024**2
    assert claiming.claim_of(model(), {}).cache == 16 * GIB
    assert claiming.claim_of(model(), {"ctx_size": 8192, "parallel": 8}).cache == claim.cache
    without = claiming.claim_of(model(), {"ctx_size": 8192, "flash_attn": "off"})
    assert without.working - claim.working == 512 * 32 * 8192 * 4
    assert not claiming.claim_of(model(known=Facts()), {}).is_whole


@pytest.mark.processes
@pytest.mark.parametrize(
    "options",
    [{"ctx_size": 4096}, {"ctx_size": 65_536, "parallel": 8}, {"ctx_size": 262_144, "parallel": 4}],
    ids=str,
)
def test_reckoning_is_near_what_is_taken(models: Path, options: Mapping[str, Any]) -> None:
    """The real llama.cpp through the product's launcher. It clears its cache when it makes it, so all of it is resident."""
    (found,) = scanning.scan()
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    with served(models / "tiny.gguf", *words) as server:
        assert server.ask("/completion", {"prompt": "one two three", "n_predict": 8})[0] == 200
        taken = psutil.Process(server.process.pid).memory_info().rss
    claimed = claiming.claim_of(found, options).total
    assert 0.75 < claimed / taken < 1.35, (claimed, taken)


@pytest.fixture
def actor(db: None, monkeypatch) -> Actor:
    monkeypatch.setattr(library, "devices", lambda: ())
    return make_actor()


def has(monkeypatch, free: float, total: float = 16) -> None:
    monkeypatch.setattr(machine, "memory_bytes", lambda: machine.Memory(int(total * GIB), int(free * GIB)))


def verdict(actor: Actor, **more: Any) -> tuple[str, tuple[str, ...]]:
    found = fitting.Room.now(by=actor, **more).fit(model(), {"ctx_size": 8192})
    assert found.words.endswith(".") and "GiB" in found.words
    return found.verdict, found.evicts


def running(actor: Actor, name: str, minutes: int, **more: Any) -> Any:
    organization = more.pop("organization", None) or actor.user.memberships.get().organization  # type: ignore[union-attr]
    used = timezone.now() - timedelta(minutes=minutes)
    values = {"status": "running", "wanted": "running", "memory_bytes": 3 * GIB, "last_used_at": used, **more}
    return make_instance(name, organization=organization, **values)


def test_verdicts(actor: Actor, monkeypatch) -> None:
    has(monkeypatch, free=8)
    assert verdict(actor) == ("fits", ())
    has(monkeypatch, free=4)
    assert verdict(actor) == ("tight", ())
    has(monkeypatch, free=4, total=5)
    assert verdict(actor) == ("no", ())


def test_the_one_unused_for_longest_goes_first(actor: Actor, monkeypatch) -> None:
    has(monkeypatch, free=4)
    running(actor, "newest", 1)
    running(actor, "oldest", 60)
    running(actor, "pinned", 90, is_pinned=True)
    running(actor, "kept", 90, kept_until=timezone.now() + timedelta(hours=1))
    running(actor, "foreign", 90, organization=make_organization("theirs"))
    assert verdict(actor) == ("evicts", ("oldest",))
    has(monkeypatch, free=1)
    assert verdict(actor) == ("evicts", ("oldest", "newest"))
    has(monkeypatch, free=0)
    assert verdict(actor) == ("tight", ())


def test_the_one_that_is_started_makes_no_room_for_itself(actor: Actor, monkeypatch) -> None:
    has(monkeypatch, free=4)
    row = running(actor, "self", 60)
    assert verdict(actor, but=row.pk) == ("tight", ())


def test_graphics_cards_take_their_share(actor: Actor, monkeypatch) -> None:
    has(monkeypatch, free=1, total=8)
    cards = (devices.Device("card", 24 * GIB, 24 * GIB),)
    monkeypatch.setattr(library, "devices", lambda: cards)
    assert verdict(actor)[0] == "fits"
    assert fitting.fit(model(), {"ctx_size": 8192, "gpu_layers": 0}, by=actor).verdict == "tight"


def test_cards_are_read_from_their_own_program(monkeypatch, tmp_path: Path) -> None:
    devices._asked.cache_clear()
    path = tmp_path / "nvidia-smi"
    path.write_text("#!/bin/sh\necho 'NVIDIA RTX, Ada, 24564, 20000'\necho 'NVIDIA A2, 15356, 15000'\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert devices.devices() == (
        devices.Device("NVIDIA RTX, Ada", 24564 * 1024**2, 20000 * 1024**2),
        devices.Device("NVIDIA A2", 15356 * 1024**2, 15000 * 1024**2),
    )
    devices._asked.cache_clear()
    path.write_text("#!/bin/sh\nexit 9\n")
    assert devices.devices() == ()
    devices._asked.cache_clear()


def test_warning_is_said_once_it_surely_does_not_fit(actor: Actor, models: Path, monkeypatch) -> None:
    row = make_instance("one", organization=actor.user.memberships.get().organization)  # type: ignore[union-attr]
    assert fitting.warnings_of(row, by=actor) == []
    has(monkeypatch, free=0.001, total=0.002)
    assert "will not fit" in fitting.warnings_of(row, by=actor)[0]


def test_name_that_comes_near_is_named(actor: Actor, models: Path) -> None:
    backend = fitting.backend_of("llama_cpp")
    assert choosing.chosen("/models/tiny.gguf", backend, by=actor).path == "tiny.gguf"
    for path in ("/models/tinny.gguf", "org/tiny.gguf", "/srv/Tiny.gguf"):
        with pytest.raises(fitting.DomainError, match=r"there is tiny\.gguf") as caught:
            choosing.chosen(path, backend, by=actor)
        assert caught.value.code == "MODEL_MISSING"
