"""What has to go on when something fails: "it must keep running if that server dies" asks for high availability, and names no
further machines."""

import re

from blueprints.generation.tokens import Token

_GOES_ON = (
    r"(?:keeps?|stays?|remains?)\s(?:on\s)?(?:running|working|up|online|available|reachable|alive|serving|in\sservice)"
    r"|(?:carry|carries|goe?s?)\son|continues?|surviv\w+|weiter\s?(?:läuft|laufen|arbeite\w+|funktionier\w+)"
    r"|(?:erreichbar|online|verfügbar|oben)\s(?:bleib\w+|sein)|überleb\w+|continu(?:er|e)|(?:rester|reste)\s\w+(?:\s\w+)?"
    r"|(?:seguir|siga|continuar)\s\w+|sobreviv\w+|(?:continuare|restare|rimanere)(?:\s\w+){1,2}|sopravviv\w+"
)
_WHEN = (
    r"if|when|should|even\sif|even\swhen|wenn|falls|sollte|si|quand|lorsque|aunque|cuando|se|quando|anche\sse|même\ssi"
)
_FAILS = (
    r"dies?|fails?|goe?s?\s(?:down|offline)|crash(?:es)?|breaks?|burns?|is\s(?:lost|gone|dead|down)|ausfällt|ausfallen|stirbt"
    r"|abstürzt|tombe|meurt|plante|lâche|cae|falla|muere|cade|muore|si\sguasta|si\srompe"
)
_SURVIVES = re.compile(
    rf"\b(?:{_GOES_ON})\b[^.;:!?\n]{{0,30}}?\b(?:{_WHEN})\b[^.;:!?\n]{{1,40}}?\b(?:{_FAILS})\b", re.IGNORECASE
)


def marked(text: str, tokens: list[Token]) -> list[Token]:
    """The tokens with every such clause as one word of high availability."""
    for match in _SURVIVES.finditer(text):
        covered = [token for token in tokens if match.start() <= token.start and token.end <= match.end()]
        if covered:
            place = tokens.index(covered[0])
            kept = covered[0].become("ha", "ha", until=covered[-1])
            tokens = [*tokens[:place], kept, *(token for token in tokens[place:] if token not in covered)]
    return tokens
