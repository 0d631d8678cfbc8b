"""Several environments in one request: "development gets one web server, production three", "a test and a production database"."""

from dataclasses import replace
from itertools import takewhile

from django.utils.translation import gettext as _

from blueprints.generation import copying, sharing
from blueprints.generation.facts import Group
from blueprints.generation.lexicon import deferring_words, head_words
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

_FAR = 40
_NEAR = 3
_VALUES = (*sharing.SIZES, "size", "spec", "factor", "disks")
_TEST_CONTEXT = {"join", "verb", "colon", "article", ""}
_OPENINGS: tuple[list[str], ...] = ([], ["definite"], ["article"], ["word"], ["comma"], ["join"])
_TESTERS = ("qa", "uat")


def named(walk: Walk, token: Token) -> None:
    """ "for production": where the request is for, or the machines from here on."""
    if (walk.has_environments and copying.copied(walk, token)) or not _is_meant(walk, token):
        return
    request = walk.request
    if walk.has_environments:
        turn_to(walk, token)
    if request.environment and request.environment != token.value:
        walk.environments.add(token.value)
    if not request.environment:
        request.environment = token.value
        request.causes["environment"] = walk.quote(token)


def _is_meant(walk: Walk, token: Token) -> bool:
    """Neither a part of another word, a title, a plain test, people, nor what is ordered another time."""
    if _is_tail(walk, token) or walk.kinds_after(2) == ["colon", "environment"]:  # "Stage: PROD"
        return False
    if token.value == "test" and token.text.lower() not in _TESTERS and not _is_about_environment(walk):
        return False
    return not walk.has_environments or not (_is_of_people(walk) or _comes_later(walk))


def _is_tail(walk: Walk, token: Token) -> bool:
    """ "load-test", but "non-production"."""
    return walk.text[max(0, token.start - 1) : token.start] == "-" and token.value != "production"


def _is_of_people(walk: Walk) -> bool:
    """ "The QA team wants …"."""
    following = walk.elements[walk.position + 1 : walk.position + 2]
    return bool(following) and isinstance(following[0], Token) and following[0].value in head_words()


def _comes_later(walk: Walk) -> bool:
    """ "the production environment will be ordered separately", "production stays as it is"."""
    behind = walk.elements[walk.position + 1 :]
    ahead = [*takewhile(lambda e: isinstance(e, Phrase) or e.kind not in ("environment", "colon"), behind)]
    if any(isinstance(e, Phrase) for e in ahead) or walk.kinds_before(1) not in _OPENINGS:
        return False
    return any(isinstance(e, Token) and (e.kind == "existing" or e.value in deferring_words()) for e in ahead)


def _is_about_environment(walk: Walk) -> bool:
    """ "unit tests" and "a test" are no environment; "for testing" and "Environment: TEST" are."""
    before = (walk.kinds_before(1) or [""])[0]
    following = walk.kinds_after(1)
    if before == "comma" and following in ([], ["stop"]):  # "…, 160 GB, test"
        return True
    if before == "open" and following == ["close"]:  # "the streaming backend (test)"
        return True
    said = walk.quote(walk.elements[walk.position]).text
    if len(said.split()) > 1 or said.endswith("umgebung"):  # "test environment"
        return True
    return before in _TEST_CONTEXT or any(kind in ("verb", "comma", "phrase", "machine") for kind in following)


def one_each(elements: list[Element]) -> list[Element]:
    """ "a test and a production database" are two databases."""
    found: list[Element] = []
    for place, element in enumerate(elements):
        if isinstance(element, Token) and element.kind == "environment" and (noun := _shared_noun(elements, place)):
            count = elements[place - 1]
            if isinstance(count, Token) and count.kind in ("article", "number") and found and found[-1] is count:
                found.pop()
                found.append(replace(noun, count=count, before=[element], tokens=[count, element]))
                continue
        found.append(element)
    return found


def counted_again(elements: list[Element]) -> list[Element]:
    """ "one app server for staging and three for production": behind a number, the noun of the environment before."""
    found: list[Element] = []
    for element in elements:
        noun = _noun_of_environment(found) if isinstance(element, Token) and element.kind == "environment" else None
        place = len(found) - 1 - (bool(found) and isinstance(found[-1], Token) and found[-1].value in ("for", "on"))
        number = found[place] if noun is not None and place > 0 else None
        if noun is not None and isinstance(element, Token) and isinstance(number, Token) and number.kind == "number":
            del found[place:]
            found.append(replace(noun, count=number, before=[element], tokens=[number, element]))
        else:
            found.append(element)
    return found


def _noun_of_environment(before: list[Element]) -> Phrase | None:
    """The latest noun, when an environment was said of it right behind it, or before it."""
    for place in range(len(before) - 1, -1, -1):
        noun = before[place]
        if isinstance(noun, Phrase):
            behind = [e.kind for e in before[place + 1 : place + 3] if isinstance(e, Token) and e.kind != "join"]
            is_said = noun.has("environment") or behind[:1] == ["environment"]
            return noun if is_said and noun.count is not None else None
    return None


def _shared_noun(elements: list[Element], place: int) -> Phrase | None:
    """The noun behind the "and", when it is of another environment."""
    following = elements[place + 1 : place + 3]
    if len(following) < 2 or not isinstance(following[0], Token) or following[0].value != "and":
        return None
    noun = following[1]
    is_other = isinstance(noun, Phrase) and any(token.kind == "environment" for token in noun.before)
    return noun if is_other and isinstance(noun, Phrase) else None


def turn_to(walk: Walk, token: Token) -> None:
    """From here on, machines are of this environment: those that it has, or the ones before once more."""
    before, walk.environment = walk.environment, str(token.value)
    own = [group for group in walk.request.groups if group.environment == walk.environment]
    if own and walk.link not in ("for", "on"):
        walk.turn_to(*own)
    elif not own and before and (_has_only_values(walk) or _number_behind(walk)):
        source = [group for group in walk.request.groups if group.environment == before]
        walk.turn_to(*(_again(walk, group) for group in source))
        _count_again(walk, _number_behind(walk))
    elif not before:
        for group in walk.here:
            group.environment = group.environment or walk.environment


def _number_behind(walk: Walk) -> Token | None:
    """ "development gets one web server, production three"."""
    following = walk.elements[walk.position + 1 : walk.position + 1 + _NEAR]
    words = [*takewhile(lambda e: isinstance(e, Token) and e.kind == "word", following)]
    number = next(iter(following[len(words) :]), None)
    is_last = walk.kinds_after(len(words) + 2)[len(words) + 1 :] in ([], ["stop"], ["comma"])
    return number if isinstance(number, Token) and number.kind == "number" and is_last else None


def _count_again(walk: Walk, number: Token | None) -> None:
    """So many of the only kind of machine that the environment before has."""
    if number is not None and walk.focus is not None and len(walk.current) == 1:
        walk.focus.set("count", max(1, int(number.value)), walk.quote(number))
        walk.named_until = number.end


def _has_only_values(walk: Walk) -> bool:
    """ "…, once for production with 8 cores": sizes follow, and no noun before them."""
    for element in walk.elements[walk.position + 1 : walk.position + _FAR]:
        if isinstance(element, Phrase) or element.kind in ("stop", "colon", "environment"):
            return False
        if element.kind in _VALUES:
            return True
    return False


def _again(walk: Walk, group: Group) -> Group:
    copy = sharing.copy_of(group)
    copy.environment = walk.environment
    for size in sharing.SIZES:
        setattr(copy, size, None)
        copy.causes.pop(size, None)
    walk.request.groups.append(copy)
    return copy


def settle(walk: Walk) -> None:
    """Each group has its environment, or the request is asked which one it is for."""
    request = walk.request
    if not walk.environments or not request.environment:
        return
    if len({group.environment for group in request.groups if group.environment}) > 1:
        for group in request.groups:
            group.environment = group.environment or request.environment
        request.environment = ""
        return
    asked = _(" and ").join([request.environment, *sorted(walk.environments)])
    request.ask(
        _("The request names several environments (%(names)s). Which one is this blueprint for?") % {"names": asked}
    )
