"""Numbers in words: "three", "vierundsechzig", "a hundred and twenty-eight"."""

from functools import lru_cache

from text_to_num import text2num

from blueprints.generation.lexicon import articles, fold, number_words


@lru_cache(maxsize=4096)
def in_words(text: str, language: str) -> int | None:
    """The number that these words are in the language, or in English; None when they are none. Accents are needed."""
    if text.lower() in ("o", "os"):  # "or" in Spanish and Italian, and hardly ever a nought
        return None
    for spoken in dict.fromkeys((language, "en")):
        try:
            return int(text2num(text.lower(), spoken))
        except ValueError:
            continue
    return None


def number_of(word: str, language: str) -> int | None:
    """One word as a number: "three", "dozen", "12"; an article is none."""
    if word.isascii() and word.isdigit():
        return int(word)
    folded = fold(word)
    if folded in number_words(language):
        return int(number_words(language)[folded])
    return None if folded in articles(language) else in_words(word, language)
