"""A budget against a sum: compared where both are in one currency, and said to be not compared where they are not."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from blueprints.sentences import NOT_COMPARED, TOO_DEAR, values_in

_SIGNS = {
    "EUR": r"€|eur(?:os?)?", "USD": r"\$|usd|us dollars?|dollars?|d[oó]lares|dollari", "GBP": r"£|gbp|pounds?(?: sterling)?",
    "CHF": r"chf|franken|francs?(?: suisses)?|sfr", "JPY": r"¥|jpy|yen", "SEK": r"sek", "NOK": r"nok", "DKK": r"dkk", "PLN": r"pln|z[lł]oty",
    "CZK": r"czk", "CAD": r"cad", "AUD": r"aud", "INR": r"₹|inr|rupees",
}  # fmt: skip
_CURRENCY = re.compile(
    "|".join(rf"(?P<{code}>(?<![^\W\d])(?:{signs})(?![^\W\d]))" for code, signs in _SIGNS.items()), re.IGNORECASE
)
_WORD_BEHIND = re.compile(r"\s?(?:[^\W\d]+|[€$£¥₹])")


def currency_in(words: str) -> str:
    """The code of the currency that the words name; nothing where they name none, which is that of the prices."""
    found = _CURRENCY.search(words)
    return (found.lastgroup or "") if found else ""


def currency_beside(text: str, begin: int, end: int) -> str:
    """That of a sum in a text: among its words, or the word right behind it."""
    behind = _WORD_BEHIND.match(text, end)
    return currency_in(text[begin:end]) or (currency_in(behind[0]) if behind else "")


def budget_of(metadata: Mapping[str, Any]) -> str:
    """A budget as one writes it: "100 EUR"; nothing where there is none."""
    most, currency = metadata.get("max_cost"), metadata.get("budget_currency")
    return f"{most:g} {currency or ''}".strip() if isinstance(most, int | float) else str(most or "")


def is_exceeded(metadata: Mapping[str, Any], cost: float, currency: str) -> bool:
    """Whether the sum is above a budget that can be compared with it."""
    most = metadata.get("max_cost")
    return isinstance(most, int | float) and cost > most and not is_foreign(metadata, currency)


def is_foreign(metadata: Mapping[str, Any], currency: str) -> bool:
    """Whether the budget is in another currency than the prices."""
    said = metadata.get("budget_currency")
    return bool(said) and said != currency


def remark(metadata: Mapping[str, Any], cost: float, currency: str) -> str:
    """What is to be said of the budget; nothing where it is kept, or there is none."""
    if is_foreign(metadata, currency):
        return _(NOT_COMPARED) % {"said": metadata["budget_currency"], "currency": currency}
    if not is_exceeded(metadata, cost, currency):
        return ""
    return _(TOO_DEAR) % {"sum": money(cost), "currency": currency, "budget": f"{metadata['max_cost']:g}"}


def is_remark(line: str) -> bool:
    """Whether a sentence is such a remark, in whatever language."""
    return any(values_in(line, message) is not None for message in (TOO_DEAR, NOT_COMPARED))


def money(value: float | Decimal) -> str:
    """A sum as it is written in the language that is spoken: 24.50, or 24,50."""
    return number_format(Decimal(f"{value:.2f}"), 2)
