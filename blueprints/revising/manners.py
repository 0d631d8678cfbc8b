"""How words are meant: as an order, as a question, as a yes or a no, or as a word of thanks. What they order is `revising`'s."""

from blueprints.revising.hearing import Heard, hear, phrases

_MOST_BESIDE = 4
"""So many words may stand beside a greeting or a word of thanks."""


def is_question(words: str) -> bool:
    """Whether somebody asks, and does not order in the form of a question: "could you drop the cache?" does."""
    heard = hear(words)
    if heard.position("manners", "polite") is not None:
        return False
    return words.rstrip(" \"'”»").endswith("?") or _begins_with(heard, "asking")


def is_supposing(words: str) -> bool:
    """Whether a question is about what would be: "what would it cost with two more?"."""
    return hear(words).has("manners", "supposing")


def is_yes(words: str) -> bool:
    """Whether it agrees and says nothing else."""
    return _is_only(words, "yes")


def is_no(words: str) -> bool:
    """Whether it declines and says nothing else."""
    return _is_only(words, "no")


def leaves_it(words: str) -> bool:
    """Whether it begins with a no and says that something is to stay as it is: "no, leave it as DHCP"."""
    heard = hear(words)
    says_so = any(len(phrase) > 1 and heard.says(phrase) for phrase in phrases("manners")["no"])
    return heard.position("manners", "no") == 0 and says_so


def is_small_talk(words: str, name: str) -> bool:
    """Whether these are thanks or a greeting, and hardly anything else."""
    heard = hear(words)
    if not heard.has("manners", name) or heard.verb or any(sign.isdigit() for sign in words):
        return False
    return heard.names_nothing and len(_without(heard.words, "thanks", "greeting", "fillers", "yes")) <= _MOST_BESIDE


def speaks_of_running(words: str) -> bool:
    """Whether it says that the machine is there: "in production", "on the cluster"."""
    return hear(words).has("manners", "running")


def _is_only(words: str, name: str) -> bool:
    heard = hear(words)
    return heard.has("manners", name) and not _without(heard.words, name, "fillers")


def _without(words: tuple[str, ...], *names: str) -> list[str]:
    """The words that belong to none of these phrases."""
    known = sorted((phrase for name in names for phrase in phrases("manners")[name]), key=len, reverse=True)
    left, at = [], 0
    while at < len(words):
        size = next((len(phrase) for phrase in known if words[at : at + len(phrase)] == phrase), 0)
        if not size:
            left.append(words[at])
        at += size or 1
    return left


def _begins_with(heard: Heard, name: str) -> bool:
    return any(heard.words[: len(phrase)] == phrase for phrase in phrases("manners")[name])
