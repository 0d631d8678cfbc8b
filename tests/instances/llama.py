"""A llama-server that is asked for help in tests: part of what a real build prints."""

from pathlib import Path

from instances.backends import helptext
from instances.backends.allowed import LLAMA_CPP
from instances.backends.checking import Checker

HELP = (Path(__file__).parent / "llama_help.txt").read_text()
CATALOGUE = helptext.read(HELP)
CHECKER = Checker(LLAMA_CPP, CATALOGUE)
