"""Where the nouns of a phrase begin and end among tokens: "PostgreSQL database server", "two Debian 12"."""

from blueprints.generation.lexicon import head_words, software_facts
from blueprints.generation.tokens import Token

NOUNS = ("role", "software", "machine", "member")
_VERBS = ("host", "hosts", "monitors", "caches", "stores", "searches", "logs", "queues", "proxies", "mails", "backs")
VALUES = ("cpu", "memory", "disk", "size", "gpu", "os", "vlan", "cidr", "ip")
_PIECES = ("stuck", "pieces", "pcs", "units", "unidades", "piezas", "pezzi", "unites", "stk")
_NEW = (
    *("new", "fresh", "neue", "neuen", "neuer", "neues", "frische", "nouveau", "nouveaux", "nouvelle", "nouvelles"),
    *("nuevo", "nuevos", "nueva", "nuevas", "nuovo", "nuovi", "nuova", "nuove"),
)
_COUNTS = ("number", "article")
_FOLD = ("fach", "fold", "trio", "pair", "quartet", "duo")


def told_what_for(tokens: list[Token]) -> list[Token]:
    """ "four lab VMs", "two platform servers": between a number and machines, what could ask for something says what for."""
    found = list(tokens)
    for place in range(1, len(tokens) - 1):
        is_between = tokens[place - 1].kind in _COUNTS and tokens[place + 1].kind == "machine"
        if is_between and (tokens[place].kind, tokens[place].value) == ("verb", "build"):
            found[place] = tokens[place].become("word", tokens[place].text.lower())
    return found


def core_end(tokens: list[Token], start: int) -> int:
    """Where the nouns that begin here end: "PostgreSQL database server", "LXC container"."""
    if _is_verb(tokens, start):
        return start
    if _is_bare_system(tokens, start):
        return start + 1
    end = start
    while end < len(tokens) and tokens[end].kind in NOUNS and _continues(tokens[start:end], tokens[end]):
        end += 1
    return end


def _is_verb(tokens: list[Token], start: int) -> bool:
    """ "Host a Moodle", "Rancher-managed": no noun."""
    following = tokens[start + 1].kind if start + 1 < len(tokens) else ""
    if following == "word" and tokens[start + 1].value in head_words():
        return not _is_comparison(tokens[start + 1 : start + 3])
    return tokens[start].text.lower() in _VERBS and following in ("article", "number", "definite", "own", "another")


def _is_comparison(tokens: list[Token]) -> bool:
    """ "three mail servers like that"; "a Debian-like system" has no noun behind it that something is likened to."""
    return tokens[0].value == "like" and len(tokens) > 1 and tokens[1].kind in ("definite", "this", "it")


def _continues(core: list[Token], token: Token) -> bool:
    """Whether this noun belongs to those before it."""
    if not core:
        return True
    if token.kind in ("software", "role") and all(t.kind == "member" for t in core):
        return True
    if token.kind == "software":
        return core[-1].kind != "member" and _plays(core, token.value)
    if token.kind == "role":
        return core[-1].kind in ("software", "role") or (core[-1].kind == "machine" and len(core) == 1)
    return True


def _plays(core: list[Token], software: str) -> bool:
    """Whether the software plays the role that stands before it, and is the first that is named."""
    facts = software_facts(software)
    roles = [token.value for token in core if token.kind == "role"]
    fits = not roles or facts.get("role", "") in ("", *roles) or bool(facts.get("runtime"))
    return fits and all(token.kind != "software" for token in core)


def _is_bare_system(tokens: list[Token], start: int) -> bool:
    """ "two Debian 12", "an Ubuntu": a system that is counted and has no noun after it is a machine."""
    if tokens[start].kind != "os" or start == 0:
        return False
    before = next((t for t in reversed(tokens[:start]) if not _is_adjective(t)), None)
    after = next((t for t in tokens[start + 1 :] if t.kind not in (*VALUES, "slash", "dash")), None)
    is_counted = before is not None and before.kind in ("number", "article")
    return is_counted and (after is None or after.kind not in (*NOUNS, "word", "environment", "size_word"))


def _is_adjective(token: Token) -> bool:
    """ "two large", "two new"."""
    return token.kind in ("size_word", "another", "exact") or (token.kind == "word" and token.value in _NEW)


def count_behind(tokens: list[Token], end: int) -> tuple[Token | None, int]:
    """A count behind the noun that ends here, "x3", "(3)", ": 3", "trio", and the place behind it."""
    following = tokens[end : end + 3]
    kinds = [token.kind for token in following]
    if kinds[:1] == ["number"] and _counts_before(following[0].text.lower(), kinds[1:2]):
        return following[0], end + 1
    if kinds == ["open", "number", "close"]:
        return following[1], end + 3
    if kinds == ["open", "number", "word"] and following[2].value in _PIECES:
        return following[1], end + 4
    is_ended = (
        len(kinds) == 2 or kinds[2:] in (["comma"], ["open"], ["stop"]) or _is_next_pair(tokens[end + 2 : end + 4])
    )
    if kinds[:2] in (["colon", "number"], ["slash", "number"]) and is_ended:
        return following[1], end + 2
    return None, end


def _counts_before(text: str, after: list[str]) -> bool:
    """ "x3"; "3x" at the end of a clause; "trio", but not "a trio of something else"."""
    if text[:1] in ("x", "×"):
        return True
    return (text.endswith(_FOLD) and after != ["join"]) or (
        text[-1:] in ("x", "×") and after in ([], ["comma"], ["stop"])
    )


def _is_next_pair(following: list[Token]) -> bool:
    """ "web:3 app:2"."""
    return [token.kind for token in following][1:] == ["colon"] and following[0].kind in ("role", "software", "machine")
