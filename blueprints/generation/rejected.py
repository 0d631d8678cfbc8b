"""Numbers that are named only to say that they are wrong: "four rather than three web servers", "40 GB, not 100"."""

from blueprints.generation.tokens import Token

_SIZES = ("size", "memory", "disk", "cpu")


def without_rejected(tokens: list[Token]) -> list[Token]:
    """ "four rather than three web servers", "two, not three, proxies": the first number is meant."""
    kept: list[Token] = []
    rejected = -1
    for place, token in enumerate(tokens):
        kinds = [one.kind for one in tokens[place - 1 : place + 3]] if place else []
        is_wrong_count = kinds[:3] == ["number", "without", "number"] and kinds[3:] != ["join"]
        if is_wrong_count or (token.kind == "without" and _rejects_a_size(tokens, place)):
            rejected = place + 1
        elif place != rejected:
            kept.append(token)
    return kept


def _rejects_a_size(tokens: list[Token], place: int) -> bool:
    """ "the disk is to be 40 GB, not 100": behind a size, a number alone is a size that leaves its unit out."""
    before = [token.kind for token in tokens[max(0, place - 2) : place]]
    is_behind_size = before[-1:] in ([kind] for kind in _SIZES) or (
        before[-1:] in (["comma"], ["join"]) and before[0] in _SIZES
    )
    ahead = [token.kind for token in tokens[place + 1 : place + 3]]
    return is_behind_size and ahead[:1] == ["number"] and ahead[1:] in ([], ["stop"], ["comma"], ["close"], ["dash"])
