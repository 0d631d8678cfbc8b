"""Figures as people read them: no more places than mean something, in JSON and in sentences alike."""

from collections.abc import Iterable

from django.utils.formats import get_format
from pydantic import BaseModel

_PLACES = {"_gb": 2, "_tb": 3, "_percent": 1, "_ms": 3, "_minutes": 1, "_hours": 2, "_monthly": 2, "score": 2}
"""By the ending of a field's name."""
_OTHERWISE, _SIGNIFICANT = 4, 6


def in_words(value: float) -> str:
    """With two places at most, and never with an exponent: 2.33, 1500000."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", get_format("DECIMAL_SEPARATOR"))


def per_second(arrivals: float) -> str:
    """Whole where that says enough."""
    return f"{arrivals:.0f}" if arrivals >= 10 else f"{arrivals:.2g}".replace(".", get_format("DECIMAL_SEPARATOR"))


def counted(value: float, noun: str, places: int = 0) -> str:
    """So many of a thing, rounded: "1 hour", "2.5 hours"."""
    number = f"{value:.{places}f}"
    number = number.rstrip("0").rstrip(".") if places else number
    return f"{number} {noun}{'' if number == '1' else 's'}"


def round_all(model: BaseModel) -> None:
    """Round the figures of a result, and of all that it holds; documents stay as they are."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, float):
            setattr(model, name, _rounded(name, value))
        elif isinstance(value, BaseModel):
            round_all(value)
        elif isinstance(value, list):
            _round_each(value)


def _round_each(values: Iterable[object]) -> None:
    for one in values:
        if isinstance(one, BaseModel):
            round_all(one)


def _rounded(name: str, value: float) -> float:
    places = next((places for ending, places in _PLACES.items() if name.endswith(ending)), None)
    if places is not None:
        return round(value, places)
    return round(value, _OTHERWISE) if abs(value) >= 1 else float(f"{value:.{_SIGNIFICANT}g}")
