"""What only a letter has: its head, what it quotes, and the signature. Blanked out, so that every other character stays."""

import re

_SIGN_OFF = (
    r"(?:best|kind|warm|many|with (?:best|kind))(?: and best)? ?(?:regards|wishes|thanks)|regards|cheers|sincerely|yours[\w ]*|thanks"
    r"|thank you|thx|best|br|rgds|mit (?:freundlichen|besten|herzlichen|lieben) gr(?:ü|ue)(?:ß|ss)en|(?:viele|beste|liebe|freundliche|sch(?:ö|oe)ne)"
    r" gr(?:ü|ue)(?:ß|ss)e|mfg|lg|vg|gru(?:ß|ss)|danke|vielen dank|cordialement|bien (?:cordialement|à vous)|merci|salutations|saludos(?: cordiales)?"
    r"|un saludo|atentamente|gracias|cordiali saluti|distinti saluti|saluti|grazie"
)
_SIGNATURE = re.compile(
    rf"^[ \t]*(?:--[ \t]*|(?:{_SIGN_OFF})(?:[ \t]+(?:in advance|im voraus|a lot|d'avance|de antemano|mille|vielmals))?[ \t]*[,!.]?[ \t]*)$\n"
    r"(?P<rest>(?:(?!^[ \t]*(?:p\.? ?s\.?\b|>|nachtrag)).*(?:\n|\Z))*)",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(
    r"(?:^[ \t]*(?:on|am|le|el|il)\b[^\n]{4,120}(?:wrote|schrieb|écrit|escribió|ha scritto)[^\n]{0,60}:[ \t]*\n)?(?:^[ \t]*>.*(?:\n|\Z))+",
    re.IGNORECASE | re.MULTILINE,
)
_FORWARDED = re.compile(
    r"^-{2,} ?(?:original message|ursprüngliche nachricht|message d'origine|mensaje original)[\s\S]*", re.I | re.M
)
_HEAD = re.compile(
    r"^(?:from|to|cc|bcc|sent|date|reply-to|von|an|gesendet|datum|de|à|envoyé|para|enviado|fecha|da|inviato|priority|message-id):.*$",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT = re.compile(r"^(?:subject|betreff|objet|asunto|oggetto):", re.IGNORECASE | re.MULTILINE)
_MOST_SIGNATURE = 600


def without_letter_parts(text: str) -> str:
    """The letter itself. A head only where there is a subject, for "to:" and "date:" mean other things elsewhere."""
    if _SUBJECT.search(text):
        text = _HEAD.sub(_blank, _SUBJECT.sub(_blank, text))
    kept = _SIGNATURE.sub(_without_signature, _FORWARDED.sub(_blank, _QUOTED.sub(_blank, text)))
    return kept if re.search(r"\w", kept) else text


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _without_signature(match: re.Match[str]) -> str:
    """What stands below the last greeting, unless it is too long for a signature or the text begins with it."""
    if match.start() == 0 or len(match["rest"]) > _MOST_SIGNATURE:
        return match[0]
    return _blank(match)
