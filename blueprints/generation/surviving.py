"""What has to go on when something fails, and what must never stand together: "it must keep running if a host dies", "niemals auf
demselben Host". Such clauses ask for high availability or for different hosts, and name no further machines."""

import re

from blueprints.generation.tokens import Token

_GOES_ON = (
    r"(?:keeps?|stays?|remains?)\s(?:on\s)?(?:running|working|up|online|available|reachable|alive|serving|in\sservice)"
    r"|(?:carry|carries|goe?s?)\son|continues?|surviv\w+|weiter\s?(?:läuft|laufen|arbeite\w+|funktionier\w+)"
    r"|(?:erreichbar|online|verfügbar|oben)\s(?:bleib\w+|sein)|überleb\w+|continu(?:er|e)|(?:rester|reste)\s\w+(?:\s\w+)?"
    r"|(?:seguir|siga|continuar)\s\w+|sobreviv\w+|(?:continuare|restare|rimanere)(?:\s\w+){1,2}|sopravviv\w+"
)
_WHEN = r"if|when|whenever|should|even\sif|even\swhen|wenn|falls|sollte|si|quand|lorsque|aunque|cuando|se|quando|anche\sse|même\ssi"
_FAILS = (
    r"dies?|fails?|goe?s?\s(?:down|offline)|crash(?:es)?|breaks?|burns?|is\s(?:lost|gone|dead|down)|ausfällt|ausfallen|stirbt"
    r"|abstürzt|tombe(?:\sen\spanne)?|meurt|plante|lâche|cae|falla|muere|cade|muore|si\sguasta|si\srompe"
)
_PHYSICAL = r"(?:physical|proxmox|pve|physische[nrs]?|physikalische[nrs]?|baremetal)"
_BODY = (
    r"nodes?|servers?|machines?|box(?:es)?|knotens?|maschinen?|n(?:œ|oe)uds?|serveurs?|nodos?|servidor(?:es)?|m[áa]quinas?"
    r"|nodi|macchin[ae]"
)
_SURE = r"(?:hosts?|hypervisors?|hyperviseurs?|h[ôo]tes?|hipervisor(?:es)?|anfitri[óo]n(?:es)?|blades?)"
_BEHIND = r"(?:\s(?:physiques?|f[íi]sic[oa]s?|fisic[oaih]e?))"
_HOST = (
    rf"(?:{_PHYSICAL}[\s-])?{_SURE}{_BEHIND}?|{_PHYSICAL}[\s-](?:{_BODY})|(?:{_BODY}){_BEHIND}"
    r"|nodes?|knotens?|n(?:œ|oe)uds?|nodos?|nodi"
)
_ONE = (
    r"(?:(?:(?:any|one|each|every)\sof\s(?:our|the|these)|einer\sder|einer\sunserer|l'un\sde\s(?:nos|ces)|uno\sde\s(?:los|nuestros)"
    r"|uno\sdei(?:\snostri)?|an?|any|one|single|whole|entire|the|our|another|ein(?:e[nmrs]?)?|irgendein(?:e[nmrs]?)?|des|un[eao]?"
    r"|cualquier|qualsiasi|n'importe\squel|nuestros?)\s){1,3}"
)
_LOSS = (
    r"(?:loss|failure|outage|crash|death|breakdown)\sof|los(?:e|es|ing)|(?:ausfall|verlust)(?:\svon)?|verlier\w+|perte\sd['e]|panne\sd['e]"
    r"|perd(?:re|ons)|(?:p[ée]rdida|ca[íi]da|fallo)\sde|perd(?:er|emos)|(?:perdita|guasto|caduta)\sdi|perd(?:ere|iamo)"
)
_ANY = (
    r"(?:any|one|each|every|single|ein(?:e[nrs])?|einzelne[nrs]?|beliebige[nrs]?|irgendeine[nrs]?|n'importe\squel\w*|seule?"
    r"|cualquier|sol[oa]|qualsiasi|un[eoa]?|a)\s"
)
_NEVER = r"never|not|cannot|n't|dont|nie|niemals|nicht|keinesfalls|jamais|pas|nunca|jam[áa]s|no|ni|mai|non"
_SAME = (
    r"(?:the\s)?same|one|a\s(?:single|common)|shar\w+\san?|(?:dem|der)?selben|gleichen|(?:gemeinsam\sauf\s)?einem"
    r"|m[êe]me|mism[oa]|stess[oa]"
)
_EACH = r"one|each|every\w*|jede[rs]?|je\sein\w*|ein\w*|chacune?|une?|cada\sun[oa]|un[oa]|ognun[oa]|ciascun[oa]"
_OWN = r"its|their|own|an?|separate|different|dedicated|distinct|other|ein\w*|eigene\w*|seine\w*|andere\w*|separate\w*|un[eoa]?|propi[oa]|proprio|autre"
_SURVIVES = re.compile(
    rf"\b(?:{_GOES_ON})\b[^.;:!?\n]{{0,30}}?\b(?:{_WHEN})\b[^.;:!?\n]{{1,40}}?\b(?:{_FAILS})\b", re.IGNORECASE
)
_HOST_FAILS = re.compile(
    rf"\b(?:{_LOSS})\s?{_ONE}?(?:{_HOST})\b|\b(?:{_GOES_ON})\s(?:\w+\s){{0,2}}(?:{_LOSS})\s?(?:{_ANY}){{1,3}}(?:{_BODY})\b|\b(?:{_WHEN})\s{_ONE}(?:{_HOST})\s(?:{_FAILS})\b"
    rf"|\b(?:{_WHEN})\s(?:se\s)?(?:{_FAILS})\s{_ONE}(?:{_HOST})\b|\b(?:{_SURE})[\s-]?(?:failures?|outages?|ausf[äa]ll\w*)\b",
    re.IGNORECASE,
)
_APART = re.compile(
    rf"\b(?:{_NEVER})\b[^.;:!?,\n]{{0,40}}?\b(?:{_SAME})\s(?:{_HOST})\b"
    rf"|\bkein\w*\s(?:{_HOST})\s(?:miteinander\s)?teil\w+|(?:partag|compart|condivid|shar)\w*\s(?:aucun|ning[úu]n|nessun|no)\s(?:{_HOST})\b"
    rf"|\b(?:{_EACH})(?:\s\w+)?\s(?:(?:per|pro|par|por)|(?:on|auf|sur|en|su)\s(?:(?:{_OWN})\s){{1,2}})\s?"
    rf"(?:(?:{_PHYSICAL}[\s-])?{_SURE}{_BEHIND}?|{_PHYSICAL}[\s-](?:{_BODY})|(?:{_BODY}){_BEHIND})\b",
    re.IGNORECASE,
)
_NOUNS = ("role", "software")


def marked(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens with every such clause as one word: of high availability, of different hosts, or of both."""
    for pattern, kind, value in ((_HOST_FAILS, "spread", "ha"), (_APART, "spread", "spread"), (_SURVIVES, "ha", "ha")):
        for match in pattern.finditer(text):
            tokens = _as_one(tokens, match, kind, value)
    return tokens


def _as_one(tokens: list[Token], match: re.Match[str], kind: str, value: str) -> list[Token]:
    covered = [token for token in tokens if match.start() <= token.start and token.end <= match.end()]
    if not covered or (kind == "spread" and any(token.kind in _NOUNS for token in covered)):
        return tokens
    place = tokens.index(covered[0])
    is_of_hosts = kind == "spread" or any(token.kind == "spread" for token in covered)
    kept = covered[0].become("spread" if is_of_hosts else kind, value, until=covered[-1])
    return [*tokens[:place], kept, *(token for token in tokens[place:] if token not in covered)]
