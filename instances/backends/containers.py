"""Containers: what a `docker run` needs so that what it starts has our name, our key and our end."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import PurePath

PROGRAMS = frozenset({"docker", "podman", "nerdctl"})
SECONDS = 20.0
_RUN = "run"


def is_run(words: Sequence[str]) -> bool:
    """Whether a command runs a container: `docker run …`, with or without a path."""
    return len(words) > 2 and PurePath(words[0]).name in PROGRAMS and _RUN in words[1:]


def completed(words: Sequence[str], *, models: str, marker: str, variable: str) -> list[str]:
    """The command with what is not said in it: removed at its end, on the network of the machine, with the folder of models
    to be read, under the name of the start, and with the variable of the key, whose value is in the environment of the
    command and not among its words. Without a marker it is only asked about itself."""
    at = words.index(_RUN, 1) + 1
    more: list[str] = []
    if not _has(words, "--rm"):
        more += ["--rm"]
    if not _has(words, "--network", "--net", "-p", "--publish"):
        more += ["--network", "host"]
    if not _has(words, "-v", "--volume", "--mount"):
        more += ["-v", f"{models}:{models}:ro"]
    if marker and not _has(words, "--name"):
        more += ["--name", marker]
    if marker and variable:
        more += ["-e", variable]
    return [*words[:at], *more, *words[at:]]


def remove(program: str, marker: str) -> None:
    """End a container whose command has ended or was killed: it does not end with that. Harmless when there is none."""
    if not marker:
        return
    command = [program, "rm", "-f", marker]
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return


def _has(words: Iterable[str], *options: str) -> bool:
    return any(word == option or word.startswith(f"{option}=") for word in words for option in options)
