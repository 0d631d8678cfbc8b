"""Which machines are backed up: "nightly backups for PostgreSQL, none for Redis", "everything except the cache", "don't back up the
app servers". A word against a backup is none against the machine."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from blueprints.generation import exceptions, grouping
from blueprints.generation.facts import Group, Request
from blueprints.generation.phrases import Element, Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk, is_and, kind_of
from blueprints.sentences import term

_LEADS = ("definite", "word", "schedule", "exact")
_MOST_BETWEEN = 4


def spare(walk: Walk) -> None:
    """Take what is not backed up out of the sentence, and remember it until all machines are known."""
    mentions = [e for e in walk.elements if isinstance(e, Token) and e.kind == "backup"]
    if len(mentions) > 1:
        _spare_the_last(walk, walk.elements.index(mentions[-1]))
    for place in range(len(walk.elements) - 1, -1, -1) if mentions else ():
        first = _first_noun(walk, place)
        if first is not None:
            walk.backup_sentence, walk.covered = walk.sentence, []
            walk.backup_token = walk.backup_token or mentions[0]
            _spare_nouns(walk, place, first)


def _spare_nouns(walk: Walk, place: int, first: int) -> None:
    """Without "no backups for Redis"; "except Redis" leaves that it is about all others."""
    said, end = walk.elements[place], _end_of_nouns(walk.elements, first)
    walk.unbacked += [e for e in walk.elements[first:end] if isinstance(e, Phrase)]
    rest = [e for e in walk.elements[place:end] if kind_of(e) == "schedule"]
    if isinstance(said, Token) and exceptions.says_except(walk, said):
        rest.append(said.become("all", "all"))
    walk.elements = [*walk.elements[:place], *rest, *walk.elements[end:]]


def _spare_the_last(walk: Walk, mention: int) -> None:
    """ "… and a Redis, for which the backup is not needed"."""
    end = mention + 1
    while kind_of_at(walk.elements, end) in ("word", "join"):
        end += 1
    noun = next((e for e in reversed(walk.elements[:mention]) if isinstance(e, Phrase)), None)
    if noun is not None and kind_of_at(walk.elements, end) == "without" and _closes(walk.elements[end + 1 :]):
        walk.unbacked.append(noun)
        walk.elements = [*walk.elements[:mention], *walk.elements[end + 1 :]]


def _closes(following: list[Element]) -> bool:
    plain = [kind for kind in map(kind_of, following) if kind != "word"]
    return not plain or plain[0] in ("stop", "comma", "close")


def _first_noun(walk: Walk, place: int) -> int | None:
    """Where the machines begin that a "no backups for" or an "except" at this place is about."""
    elements = walk.elements
    if kind_of(elements[place]) != "without":
        return None
    is_exception = exceptions.says_except(walk, elements[place])
    noun = _skip(elements, place + 1)
    if not is_exception:
        if kind_of_at(elements, noun) != "backup":
            return None
        noun = _skip(elements, noun + 1)
    phrase = elements[noun] if noun < len(elements) else None
    return noun if isinstance(phrase, Phrase) and not phrase.insists else None


def kind_of_at(elements: list[Element], place: int) -> str:
    return kind_of(elements[place]) if place < len(elements) else ""


def _skip(elements: list[Element], place: int) -> int:
    """Past "for", "the" and words of no meaning."""
    end = place
    while end < len(elements) and end - place < _MOST_BETWEEN and _leads_on(elements[end]):
        end += 1
    return end


def _leads_on(element: Element) -> bool:
    is_small = isinstance(element, Token) and element.kind == "join" and element.value in ("for", "on", "with", "to")
    return is_small or kind_of(element) in _LEADS


def _end_of_nouns(elements: list[Element], first: int) -> int:
    """Behind the last of "the web servers and the cache"."""
    end = first + 1
    while end + 1 < len(elements) and is_and(elements[end]) and _is_bare(elements[end + 1]):
        if any(kind_of(e) in ("backup", "schedule", "without") for e in elements[end + 2 : end + 4]):
            break
        end += 2
    return end


def _is_bare(element: Element) -> bool:
    return isinstance(element, Phrase) and not element.insists


def named_behind(walk: Walk) -> list[Group]:
    """ "Nightly backups for PostgreSQL and GitLab": those that stand behind the word, as they were read."""
    place = _skip(walk.elements, walk.position + 1)
    if not _is_bare_at(walk.elements, place):
        return []
    end = _end_of_nouns(walk.elements, place)
    return list(_known(walk, [e for e in walk.elements[place:end] if isinstance(e, Phrase)]))


def _is_bare_at(elements: list[Element], place: int) -> bool:
    return place < len(elements) and _is_bare(elements[place])


def _known(walk: Walk, phrases: list[Phrase]) -> Iterator[Group]:
    for phrase in phrases:
        for name in phrase.software[:1]:
            phrase.role = phrase.role or grouping.role_of(name)
        if (phrase.role or phrase.software) and (group := grouping.known(walk, phrase)):
            yield group


def settle(walk: Walk) -> None:
    """Nothing that was spared has a backup."""
    for group in _known(walk, walk.unbacked):
        group.lacks.add("backup")
    for group in walk.request.groups:
        if "backup" in group.lacks:
            group.backup_schedule, group.backup_days = "", None
            group.causes.pop("backup_schedule", None)
            group.causes.pop("backup_days", None)


def ask_about_both(request: Request) -> None:
    """ "Keep nightly backups of it, and it is never backed up at all": wanted and refused at once."""
    single = request.groups[0] if len(request.groups) == 1 else None
    if single and "backup" in request.defaults.lacks and single.backup_schedule:
        name = term((single.software or [single.role or "machine"])[0])
        request.ask(
            _("The request contradicts itself: it wants backups of the %(name)s, and none. Is it to be backed up?")
            % {"name": name}
        )
