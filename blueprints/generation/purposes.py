"""Servers that are only called by their purpose: "El servidor web …; el de correo …"."""

from blueprints.generation.lexicon import senses
from blueprints.generation.tokens import Token

_NOUNS = {
    "el": "servidor",
    "los": "servidores",
    "celui": "serveur",
    "ceux": "serveurs",
    "quello": "server",
    "quelli": "server",
}


def server_left_out(tokens: list[Token], position: int, words: list[str]) -> tuple[Token, int] | None:
    """ "el de correo", "celui de messagerie", "quello di posta": the one of the servers that is for it."""
    noun = _NOUNS.get(str(tokens[position - 1].value)) if position and words[0] in ("de", "di", "d") else None
    for length in range(len(words), 1, -1) if noun else ():
        sense = senses().get((str(noun), *words[:length]))
        if sense and sense.kind == "role":
            return tokens[position].become(*sense, until=tokens[position + length - 1]), length
    return None
