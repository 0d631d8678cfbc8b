"""What a program says of itself: its options, its version, its devices. Asked once for each state of its file."""

import subprocess
from functools import lru_cache
from pathlib import Path
from shutil import which

from django.conf import settings

from alma import env
from alma.errors import Unavailable
from instances.backends import helptext
from instances.backends.checking import Checker
from instances.backends.helptext import Catalogue
from instances.backends.kinds import Backend

SECONDS = 30.0
_MOST = 1_000_000
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")


def checker_of(backend: Backend) -> Checker:
    """Judges options for this backend as it is installed now. Raises Invalid, Unavailable."""
    return Checker(backend.rules, catalogue_of(backend))


def catalogue_of(backend: Backend) -> Catalogue:
    """The options that the program lists. Raises Invalid when it is not set up, Unavailable when it does not say."""
    return catalogue_from(said(backend, *backend.help_words), backend)


def catalogue_from(text: str, backend: Backend) -> Catalogue:
    """The options in what a program printed. Raises Unavailable when there are none."""
    return _read(text, backend.label)


@lru_cache(maxsize=16)
def _read(text: str, label: str) -> Catalogue:
    catalogue = helptext.read(text)
    if not catalogue.options:
        raise Unavailable(f"{label} lists no options when it is asked for help.", code="BACKEND_UNREADABLE")
    return catalogue


def said(backend: Backend, *words: str) -> str:
    """What the program prints for some arguments. Raises Invalid, Unavailable."""
    command = backend.command()
    try:
        return _run((*command, *words), _state(command[0]))
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(
            f"{backend.label} cannot be asked about itself: {error}", code="BACKEND_UNREADABLE"
        ) from error


def _state(program: str) -> tuple[str, int, int]:
    """The file of a program with its time and size: another build is asked anew. Raises FileNotFoundError."""
    path = Path(which(program) or program)
    state = path.stat()
    return str(path), state.st_mtime_ns, state.st_size


@lru_cache(maxsize=32)
def _run(command: tuple[str, ...], state: tuple[str, int, int]) -> str:
    done = subprocess.run(
        command, env=clean_environment(), cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=SECONDS, check=True,
    )  # fmt: skip
    return done.stdout[:_MOST].decode(errors="replace")


def clean_environment() -> dict[str, str]:
    """What a backend may know of ours: where programs and its home are, and none of our secrets."""
    return {name: value for name in _PASSED_ON if (value := env.text(name))}
