"""Which prices hold: the newest book of an organization that is valid on a day, else the defaults that come along."""

from datetime import date
from decimal import Decimal

from django.utils import timezone

from blueprints.models.prices import Price, PriceBook
from blueprints.pricing.items import Item
from blueprints.pricing.lists import PriceList, default_list


def price_list(organization_id: int | None, on: date | None = None) -> PriceList:
    """What holds for an organization on a day, today unless one is given. Two queries."""
    day = on or timezone.now().date()
    book = (
        PriceBook.objects.filter(organization_id=organization_id or 0, valid_from__lte=day)
        .order_by("-valid_from")
        .first()
    )
    if book is None:
        return default_list()
    return of_book(book)


def of_book(book: PriceBook) -> PriceList:
    """The prices of a book. Of what it leaves out the default is taken where it is in the same currency, else nothing is charged."""
    fallback = default_list()
    is_same = fallback.currency == book.currency
    neutral = {item: fallback[item] if is_same or item == Item.CONTAINER_FACTOR else Decimal(0) for item in Item}
    left_out = (
        "Not in the book: the default."
        if is_same
        else "Not in the book, and the default is in another currency: not charged."
    )
    rows = {Item(row.item): row for row in Price.objects.filter(book=book)}
    return PriceList(
        book.name, book.currency, book.valid_from,
        {item: rows[item].amount if item in rows else neutral[item] for item in Item},
        {item: rows[item].source if item in rows else left_out for item in Item},
    )  # fmt: skip
