"""Price books, and costs worked by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from blueprints.assistants.answering import answer
from blueprints.assistants.talk import Talk
from blueprints.generation import generate
from blueprints.models import Price, PriceBook
from blueprints.pricing import Item, budgets, cost_of, default_list
from blueprints.pricing.book import price_list
from blueprints.schema import BlueprintDocument, parse_document
from tests.factories.accounts import make_key, make_organization

pytestmark = pytest.mark.django_db


def make_book(slug: str = "default", valid_from: date = date(2026, 1, 1), **amounts: str) -> PriceBook:
    organization = make_organization(slug)
    book = PriceBook.objects.create(organization=organization, name="Ours", currency="EUR", valid_from=valid_from)
    Price.objects.bulk_create(
        Price(book=book, item=item, amount=Decimal(amount), source="invoice") for item, amount in amounts.items()
    )
    return book


def document(**specs: Any) -> BlueprintDocument:
    kind = specs.pop("type", "vm")
    return parse_document({"name": "x", "resources": [{"name": "a", "type": kind, "specs": specs}]})


PRICED = [
    ({"cpu": 4, "memory": "8GB", "disk": "100GB"}, "40.00"),  # 2 + 4×4 + 8×2 + 100×0.06
    ({"cpu": 4, "memory": "8GB", "disk": "100GB", "backup": True}, "42.00"),  # and 100×0.02
    ({"cpu": 4, "memory": "8GB", "disk": "100GB", "count": 3}, "120.00"),
    ({"cpu": 2, "sockets": 2, "memory": "8GB", "disk": "50GB", "disks": ["50GB"]}, "40.00"),
    ({"type": "lxc", "cpu": 2, "memory": "2GB", "disk": "20GB"}, "12.80"),  # 2 + (8 + 4)×0.8 + 1.2
    ({"cpu": 1, "memory": "1GB", "disk": "10GB", "gpu": 2}, "308.60"),  # 2 + 4 + 2 + 0.6 + 300
    ({"type": "network"}, "0"),
]


@pytest.mark.parametrize(("specs", "total"), PRICED)
def test_costs_at_the_defaults(specs: dict[str, Any], total: str) -> None:
    sheet = cost_of(document(**specs), price_list(None))
    assert (sheet.total, sheet.currency) == (Decimal(total), "USD")
    assert sum(sheet.by_resource().values(), Decimal(0)) == sheet.total


def test_each_default_says_where_it_comes_from() -> None:
    shipped = default_list()
    assert all("Assumption" in shipped.sources[item] and shipped[item] > 0 for item in Item)
    assert 32 * shipped[Item.CORE] + 256 * shipped[Item.MEMORY_GB] + 50 * shipped[Item.MACHINE] == 740


def test_the_newest_book_that_is_valid_counts() -> None:
    first, later = (
        make_book(core="10", memory_gb="1", machine="0", disk_gb="0"),
        make_book(valid_from=date(2026, 7, 1), core="20"),
    )
    make_book("other", core="99")
    own = first.organization_id
    assert [price_list(own, day).currency for day in (date(2025, 12, 31), date(2026, 1, 1))] == ["USD", "EUR"]
    assert [price_list(own, day)[Item.CORE] for day in (date(2026, 6, 30), date(2026, 7, 1))] == [10, 20]
    assert cost_of(document(cpu=2, memory="4GB", disk="1TB"), price_list(own, date(2026, 3, 1))).total == 24
    assert later.organization_id == own


def test_what_a_book_in_another_currency_leaves_out_is_not_charged_and_said() -> None:
    book = make_book(core="10")
    found = price_list(book.organization_id)
    assert found[Item.DISK_GB] == 0
    assert "not charged" in found.sources[Item.DISK_GB]
    assert found[Item.CONTAINER_FACTOR] == Decimal("0.80")
    assert "“Ours”" in found.assumptions()[0]


def test_prices_that_are_none(client: object) -> None:
    book = make_book()
    for wrong in (
        Price(book=book, item="core", amount=Decimal("-1")),
        Price(book=book, item="moon", amount=Decimal(1)),
    ):
        with pytest.raises(ValidationError):
            wrong.full_clean()
    with pytest.raises(ValidationError):
        PriceBook(organization=book.organization, name="x", currency="eur", valid_from=date(2026, 2, 1)).full_clean()


def test_every_price_that_an_organization_sees_is_of_its_book(client: Client) -> None:
    """A machine is 7 EUR and nothing else costs: one web server 7, three of its template 21."""
    make_book("default", machine="7", core="0", memory_gb="0", disk_gb="0", backup_gb="0")
    headers = {"X-API-Key": make_key()[1]}

    def post(path: str, body: dict[str, Any]) -> Any:
        return client.post(f"/api/v1/{path}", data=body, content_type="application/json", headers=headers).json()

    drafted = post("blueprints/generate-blueprint", {"description": "one web server", "constraints": {"max_cost": 5}})
    assert (drafted["metadata"]["estimated_cost"], drafted["metadata"]["currency"]) == (7.0, "EUR")
    assert "7.00 EUR a month exceeds the budget of 5" in drafted["metadata"]["warnings"][0]
    said = post("conversation/chat", {"message": "two web servers", "context": {"conversation_id": "c"}})
    assert said["blueprint"]["metadata"]["estimated_cost"] == 14.0
    changed = post("conversation/chat", {"message": "one more web server", "context": {"conversation_id": "c"}})
    assert (changed["blueprint"]["metadata"]["estimated_cost"], "21.00 EUR" in changed["response"]) == (21.0, True)
    made = post("templates/simple-web-app/customize", {"parameters": {"instance_count": 3}})["metadata"]
    assert (made["estimated_cost"], made["currency"]) == (21.0, "EUR")
    cards = client.get("/api/v1/templates", headers=headers).json()["templates"]
    assert {card["estimated_cost"][0] for card in cards} == {"€"}
    ran = post("tools/execute-direct", {"tool": "create_blueprint", "arguments": {"description": "one web server"}})
    assert (ran["result"]["estimated_cost_monthly"], ran["result"]["currency"]) == (7.0, "EUR")


@pytest.mark.parametrize(
    ("words", "currency"),
    [
        ("100 Euro", "EUR"), ("€100", "EUR"), ("100€", "EUR"), ("100 EUR", "EUR"), ("$50", "USD"), ("50 dollars", "USD"), ("50 dólares", "USD"),
        ("100 Franken", "CHF"), ("£20", "GBP"), ("20 pounds", "GBP"), ("100", ""), ("100 a month", ""), ("European", ""),
    ],
)  # fmt: skip
def test_the_currency_of_a_budget_is_read(words: str, currency: str) -> None:
    assert budgets.currency_in(words) == currency


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("2 web servers, max 10 Euro", "The budget is in EUR and the prices are in USD"),
        ("2 web servers, max 1000 Euro", "The budget is in EUR and the prices are in USD"),
        ("2 Webserver für höchstens 10 € im Monat", "The budget is in EUR and the prices are in USD"),
        ("2 web servers, max $10", "The estimated cost of 32.80 USD a month exceeds the budget of 10."),
        ("2 web servers, budget 10", "The estimated cost of 32.80 USD a month exceeds the budget of 10."),
        ("2 web servers, max $1000", ""),
    ],
)
def test_a_budget_in_another_currency_is_not_compared_and_that_is_said(words: str, begins: str) -> None:
    warnings = generate(words)["metadata"]["warnings"]
    assert [line[: len(begins)] for line in warnings] == ([begins] if begins else [])


def test_a_conversation_says_that_a_budget_is_not_compared() -> None:
    talk = Talk(drafts=[dict(generate("2 web servers"))], turn=3)
    given = answer("the budget is 10 euros", talk)
    assert list(given.changes) == ["Budget of a month: none → 10 EUR."]
    assert "The budget of 10 EUR is in another currency and is not compared." in given.content
    assert given.draft is not None
    assert given.draft["metadata"]["warnings"][0].startswith("The budget is in EUR")
    again = answer("budget 10 dollars", Talk(drafts=[given.draft], turn=5))
    assert again.draft is not None
    assert again.draft["metadata"]["warnings"] == []
    assert "That is over the budget of 10" in again.content
