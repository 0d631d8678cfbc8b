"""Arguments that stand in a question: numbers of people and requests, sizes, blueprints, machines, jobs, times, money, topics. In
English, German, French, Spanish and Italian."""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from blueprints.generation.lexicon import fold
from blueprints.pasted import texts_in
from blueprints.revising.said import said_values
from blueprints.tools.inventories import inventory_in
from blueprints.tools.subjects import MACHINE_READ
from vms.machines import public_id
from vms.models import Cluster, Guest

_NUMBER = r"(?<![\w.,-])(?P<number>\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+(?!\d)|\d{1,12}(?:[.,]\d{1,6})?)(?: ?(?P<factor>k|m|mil|mila|mille|tausend|thousand|millionen|millions?|millones|milioni|mio)\b)?"
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:[.,'\u00a0\u202f ]\d{3})+")
_FACTORS = {"k": 1e3, "mil": 1e3, "mila": 1e3, "mille": 1e3, "tausend": 1e3, "thousand": 1e3}
_PEOPLE = re.compile(
    rf"{_NUMBER} (?:[\w'-]+ ){{0,2}}?(?:users?|people|visitors?|customers?|clients?|students|pupils|employees|nutzern?|benutzern?|anwendern?|"
    r"besuchern?|kunden|leuten?|schulern?|mitarbeitern?|utilisateurs?|visiteurs?|personnes|eleves|usuarios?|visitantes|clientes|personas|"
    r"alumnos|utenti|visitatori|clienti|persone|studenti)\b"
)
_RATE = re.compile(
    rf"{_NUMBER} ?(?:requests?|reqs?|queries|calls|anfragen|aufrufe|requetes|appels|peticiones|solicitudes|richieste|chiamate)? ?"
    r"(?:/ ?|(?:per|a|an|pro|je|par|por|al|all)(?: |'))(?P<unit>seconds?|secs?|s|sekunde|seconde|segundo|secondo|minutes?|min|minuto|hours?|h|stunde|heure|"
    r"hora|ora)\b|" + _NUMBER.replace("number", "second").replace("factor", "other") + r" ?(?:rps|qps|req/s)\b"
)
_SECONDS = {"m": 60, "h": 3600, "stunde": 3600, "o": 3600}
_BLUEPRINT = re.compile(r"\bblueprints?\b(?: (?:number|numero|nummer|id|nr|no|n))?[.\u00b0\u00ba]? ?#?(\d{1,15})\b")
_AND_OTHER = re.compile(
    r"(?:,| and| with| to| against| versus| vs\.?| und| mit| gegen| et| avec| y| e| con| contra| contro)+ "
    r"(?:(?:the|le|la|el|il|l|dem|der|den|das|al|number|nummer|numero) )*(?:blueprint )?#?(\d{1,15})\b"
)
_MACHINE = re.compile(r"\bvm-\d{1,9}\b")
_JOB = re.compile(r"\b(?:job_\w{1,80}|deploy-[\w-]{1,60}|plan_\w{1,60})\b")
_TIME = re.compile(
    r"\b(?:(\d{1,3}) |(?:next|nachsten?|kommenden?|prochaine?|proxim[oa]|prossim[oa]) )(hours?|stunden?|heures?|horas?|ore|days?|tage?n?|jours?|dias?|"
    r"giorn[oi]|weeks?|wochen?|semaines?|semanas?|settiman[ae]|months?|monate?n?|mois|mes(?:es|i|e)?)\b"
    r"|\b(hour|day|week|month|woche|monat|semaine|mois|semana|mes|settimana|mese) (?:prochaine?|proxim[oa]|prossim[oa])\b"
)
_HOURS = {"h": 1, "stu": 1, "ore": 1, "d": 24, "ta": 24, "j": 24, "gi": 24, "w": 168, "se": 168, "m": 720}
_MONEY = re.compile(
    rf"(?:[$\u20ac\u00a3]|eur|usd|chf|gbp) ?{_NUMBER}|"
    + _NUMBER.replace("number", "amount").replace("factor", "times")
    + r" ?(?:[$\u20ac\u00a3]|eur(?:os?)?|usd|dollars?|chf|gbp|dolares|dollari)(?!\w)"
)
_FROM = r"\b(?:from|von|vom|aus|de|du|del|desde|da|dal) (?:(?:the|our|dem|der|unserem|le|la|el|il|notre|nuestro|nostro|cluster|pool) )*"
_METRICS = {
    "cpu": r"cpus?|cores|kerne|prozessor\w*|processeurs?|procesador\w*|processor\w*",
    "memory": r"memory|ram|arbeitsspeicher\w*|hauptspeicher\w*|memoire|memoria",
    "storage": r"storage|disks?|speicherplatz\w*|festplatten?\w*|platten?|disques?|stockage|discos?|almacenamiento|dischi|archiviazione",
    "network": r"network|traffic|bandwidth|netz\w*|bandbreite|reseau|bande passante|red|rete|ancho de banda",
}  # fmt: skip
_WITHOUT_ARTICLE = re.compile(
    r"(?<![\w.-])(?:(?:the|der|die|das|dem|den|le|la|les|el|il|lo) +[\w.-]+|([\w.-]*\w))", re.IGNORECASE
)
MOST_NAMED = 20
_ABOUT_ITSELF = ("description", "problem", "requirements")
Read = dict[str, Any]


def read(question: str, known: Collection[str], by: Actor) -> Read:
    """What words like these mean of the arguments that are known."""
    given, words = documents_in(question)
    found: Read = dict.fromkeys(_ABOUT_ITSELF, question) | given
    found |= in_words(words) | (_sizes_in(words) if "cpu" in known else {}) | _places_in(fold(words), by)
    if {"vm_ids", "vm_id"} & {*known}:
        found |= _machines_in(words, found.get("vm_ids", []), by, any_name="problem" in known)
    if (
        {"blueprint", "blueprint_id"} <= found.keys()
        and "other_blueprint" not in found
        and "other_blueprint_id" in known
    ):
        found["other_blueprint_id"] = found.pop("blueprint_id")  # "compare this with blueprint 3"
    return {name: value for name, value in found.items() if name in known}


def documents_in(question: str) -> tuple[Read, str]:
    """What stands in a question as YAML or JSON, as arguments, and the words beside it."""
    texts, words = texts_in(question)
    if texts:
        return dict(zip(("blueprint", "other_blueprint"), texts, strict=False)) if len(texts) < 3 else {}, words
    inventory, words = inventory_in(question)
    return ({"inventory": inventory} if inventory else {}), words


def in_words(words: str) -> Read:
    """What stands in the words alone."""
    text = fold(words)
    figures = _BLUEPRINT.sub("blueprint;", text)  # "blueprint 2 500 times" is not 2,500 times
    found = _jobs_in(words) | _things_in(text)
    for reader in _READERS:
        found |= reader(figures)
    return found


def without_names(words: str) -> str:
    """The words without names of machines and jobs, which say nothing."""
    return _JOB.sub(" ", _MACHINE.sub(" ", words))


def _number(text: str, factor: str | None) -> float:
    """1,500 and 1.500 and 1 500 are the same in one language or another; what has three digits after it is no fraction."""
    plain = re.sub(r"\D", "", text) if _GROUPED.fullmatch(text) else text.replace(",", ".")
    return float(plain) * (_FACTORS.get(factor, 1e6) if factor else 1)


def _load_in(text: str) -> Read:
    found: Read = {}
    if people := _PEOPLE.search(text):
        found["peak_users"] = round(_number(people["number"], people["factor"]))
    if rate := _RATE.search(text):
        number = _number(rate["number"] or rate["second"], rate["factor"] or rate["other"])
        unit = rate["unit"] or "s"
        found["requests_per_second"] = number / next((n for key, n in _SECONDS.items() if unit.startswith(key)), 1)
    level = next((name for name in ("low", "moderate", "high") if re.search(rf"\b{name}[ _-]traffic\b", text)), "")
    return found | ({"usage_pattern": f"{level}_traffic"} if level else {})


def _things_in(text: str) -> Read:
    found: Read = {}
    numbers = list(_blueprints(text))
    for name, number in zip(("blueprint_id", "other_blueprint_id"), numbers, strict=False):
        found[name] = number
    if named := list(dict.fromkeys(_MACHINE.findall(text))):
        found |= {"vm_ids": named[:MOST_NAMED], "vm_id": named[0]}
    return found


def _blueprints(text: str) -> Iterator[int]:
    """The numbers of blueprints, also where the word is said of the first alone."""
    for one in _BLUEPRINT.finditer(text):
        yield int(one[1])
        other = _AND_OTHER.match(text, one.end())
        if other and not _BLUEPRINT.search(other[0]):
            yield int(other[1])


def _time_in(text: str) -> Read:
    found = _TIME.search(text)
    if found is None:
        return {}
    unit = found[2] or found[3]
    hours = int(found[1] or 1) * next(n for key, n in _HOURS.items() if unit.startswith(key))
    return {"hours": hours} | ({"days": hours // 24} if hours >= 24 else {})


def _topic_in(text: str) -> Read:
    metric = next((name for name, words in _METRICS.items() if re.search(rf"\b(?:{words})\b", text)), None)
    framework = "soc2" if re.search(r"\bsoc ?2\b", text) else "cis" if re.search(r"\bcis\b", text) else None
    return ({"metric": metric} if metric else {}) | ({"framework": framework} if framework else {})


def _money_in(text: str) -> Read:
    found = _MONEY.search(text)
    if found is None:
        return {}
    return {"max_cost": _number(found["number"] or found["amount"], found["factor"] or found["times"])}


def _jobs_in(words: str) -> Read:
    """Their names have capitals."""
    jobs = list(dict.fromkeys(_JOB.findall(words)))
    return {"job_ids": jobs[:10]} if jobs else {}


def _sizes_in(words: str) -> Read:
    """Of machines, as the planner reads them."""
    return {name: value for name, value in said_values(words).values.items() if name in ("cpu", "memory", "disk")}


def _places_in(text: str, by: Actor) -> Read:
    """Environments and clusters that the caller sees and the question names."""
    said = set(re.findall(r"[a-z0-9_-]+", text))
    environments = list(Environment.objects.visible_to(by).filter(slug__in=said).values_list("slug", flat=True))
    clusters = Cluster.objects.visible_to(by).filter(slug__in=said).values_list("slug", flat=True)
    found: Read = {"environment": environments[0]} if environments else {}
    return found | _from_and_to(text, list(clusters))


def _machines_in(words: str, ids: list[str], by: Actor, *, any_name: bool) -> Read:
    """Machines that the caller sees, by id or by name. A name of one plain word, such as "web", may be meant otherwise, but not
    where something is wrong with it: "gitlab hangs". With an article it is a thing again: "the web is slow"."""
    plain = _WITHOUT_ARTICLE.findall(words) if any_name else ()
    told = [*plain, *(name for name in re.findall(r"[\w.-]*\w", words) if re.search(r"[\d._-]", name))]
    said = {spelled for name in told for spelled in (name, name.lower()) if name} - {*ids}
    if not said or not by.has(MACHINE_READ):
        return {}
    rows = Guest.objects.visible_to(by).present().machines().filter(name__in=said).order_by("pk")[:MOST_NAMED]
    named = list(dict.fromkeys([*ids, *(public_id(row) for row in rows)]))[:MOST_NAMED]
    return {"vm_ids": named, "vm_id": named[0]} if named else {}


def _from_and_to(text: str, clusters: list[str]) -> Read:
    if not clusters:
        return {}
    left = [slug for slug in clusters if re.search(rf"{_FROM}{re.escape(slug)}(?![\w-])", text)]
    taken = [slug for slug in clusters if slug not in left]
    found: Read = {"cluster": (taken or left)[0]}
    found |= {"source_cluster": left[0]} if left else {}
    return found | ({"target_cluster": taken[0]} if taken else {})


_READERS: tuple[Callable[[str], Read], ...] = (_load_in, _time_in, _topic_in, _money_in)
