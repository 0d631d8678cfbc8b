"""Price books: what an organization reckons with from a day on."""

from typing import TYPE_CHECKING, Self

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from alma.accounts.models import Organization, OwnedQuerySet
from blueprints.pricing.items import Item

if TYPE_CHECKING:
    from alma.accounts.actors import Actor


class PriceBook(models.Model):
    """Prices of an organization from a day on, until the next book begins."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="price_books")
    name = models.CharField(max_length=100)
    currency = models.CharField(
        max_length=3, default="USD", validators=[RegexValidator(r"^[A-Z]{3}$", "Three capitals, as in EUR.")]
    )
    valid_from = models.DateField(help_text="The first day on which these prices hold.")
    note = models.CharField(max_length=500, blank=True, help_text="Where the prices come from, as a whole.")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["organization_id", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["organization", "valid_from"], name="price_book_day")]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency}, from {self.valid_from:%Y-%m-%d})"


class PriceQuerySet(models.QuerySet):
    """Prices by who may read them."""

    def visible_to(self, actor: "Actor") -> Self:
        """The prices of books that the actor sees."""
        return self.filter(book__in=PriceBook.objects.visible_to(actor))


class Price(models.Model):
    """One line of a book."""

    book = models.ForeignKey(PriceBook, models.CASCADE, related_name="prices")
    item = models.CharField(max_length=20, choices=Item)
    amount = models.DecimalField(max_digits=12, decimal_places=4, validators=[MinValueValidator(0)])
    source = models.CharField(max_length=300, blank=True, help_text="Where the figure comes from.")

    objects = PriceQuerySet.as_manager()

    class Meta:
        ordering = ["book_id", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["book", "item"], name="price_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.get_item_display()}: {self.amount}"
