"""python -m instances.launcher: a llama-server for machines that have none."""

import signal
import sys

from instances.launcher import serving
from instances.launcher.flags import help_text
from instances.launcher.reading import Setting, WrongFlag, read


def main(words: list[str]) -> int:
    """Answer about itself, or serve until a signal; the exit code."""
    if {"-h", "--help", "--usage"} & set(words):
        sys.stdout.write(help_text())
        return 0
    if words == ["--version"]:
        sys.stdout.write(serving.version(serving.library()))
        return 0
    if words == ["--list-devices"]:
        sys.stdout.write(serving.devices(serving.library()))
        return 0
    try:
        settings = read(words)
    except WrongFlag as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return _serve_until_signal(settings)


def _serve_until_signal(settings: list[Setting]) -> int:
    """Signals end it as the kernel does, also while a model loads: it has nothing to save."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    server = serving.serve(serving.library(), settings)
    while True:
        signal.pause()
        assert server is not None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
