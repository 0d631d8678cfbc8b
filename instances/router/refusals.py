"""What instances say of requests that they refuse: whose fault it is, and what of it may stand in the log."""

import re

from instances.router.fields import is_known

_OF_THE_REQUEST = re.compile(
    r"'\w+' is required|Failed to parse (?:messages|tools)\b|(?:image|audio|video) input is not supported"
)
_QUOTED = re.compile(r"(?<!\w)(['\"])(\w+)\1|(?<!\w)['\"]|\{|(?<=schema error) at ")
_PARTS = frozenset({"role", "type"})


def is_of_the_request(message: str) -> bool:
    """Whether llama.cpp blames itself with 500 for what is wrong with the request, which clients would send again in vain."""
    return bool(_OF_THE_REQUEST.match(message))


def unquoted(message: str) -> str:
    """As far as it quotes no more of the request than names of fields: nothing of what was asked is kept."""
    for found in _QUOTED.finditer(message):
        word = found[2] or ""
        if not (is_known(word) or word in _PARTS):
            return f"{message[: found.start()].rstrip(' :')} …"
    return message
