"""A deployment that a project cannot pay for is refused, whoever asks and however."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alma.accounts.actors import Actor
from alma.accounts.models import Project
from alma.errors import PaymentRequired
from blueprints import projects, services
from blueprints.models import Blueprint, Price, PriceBook
from blueprints.pricing import Item, cost_of, default_list
from blueprints.pricing.book import price_list
from blueprints.schema import expand
from iprs.budgets import committed, committed_by
from iprs.models import IPR, Deployment
from iprs.services import deploy
from tests.factories.accounts import make_actor, make_environment, make_key, make_project
from tests.factories.blueprints import make_blueprint, make_document, make_resource
from tests.factories.iprs import make_deployment, make_ipr, make_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> Actor:
    return make_actor()


@pytest.fixture
def project(author: Actor) -> Project:
    return make_project()


def cost(blueprint: Blueprint) -> Decimal:
    return cost_of(blueprint.current_revision().parsed(), default_list()).total


def approved(project: Project, by: Actor, name: str = "shop", **more: Any) -> IPR:
    """An IPR that may be deployed, of a new blueprint of the project."""
    blueprint = more.pop("blueprint", None) or make_blueprint(by=by, name=name)
    projects.place(blueprint, project, by=by)
    blueprint.refresh_from_db()
    environment = more.pop("environment", None) or make_environment(f"env-{name}")
    return make_ipr(by=by, blueprint=blueprint, environment=environment, status=IPR.Status.APPROVED, **more)


def budget(project: Project, amount: Decimal | None) -> None:
    Project.objects.filter(pk=project.pk).update(monthly_budget=amount)


@pytest.mark.parametrize(("spare", "is_paid"), [(None, True), ("0", True), ("0.01", True), ("-0.01", False)])
def test_the_budget_is_the_bound(project: Project, author: Actor, spare: str | None, is_paid: bool) -> None:
    ipr = approved(project, author)
    budget(project, None if spare is None else cost(ipr.blueprint) + Decimal(spare))
    if is_paid:
        assert deploy(ipr, by=author).status == Deployment.Status.QUEUED
        return
    with pytest.raises(PaymentRequired) as caught:
        deploy(ipr, by=author)
    assert caught.value.details["wanted"] == float(cost(ipr.blueprint))
    ipr.refresh_from_db()
    assert (ipr.status, Deployment.objects.count()) == (IPR.Status.APPROVED, 0)


def test_what_is_deployed_already_counts(project: Project, author: Actor) -> None:
    first, second = approved(project, author, "one"), approved(project, author, "two")
    budget(project, cost(first.blueprint) + cost(second.blueprint) - Decimal("0.01"))
    deploy(first, by=author)
    assert committed([project], default_list()) == {project.pk: cost(first.blueprint)}
    with pytest.raises(PaymentRequired, match="committed already"):
        deploy(second, by=author)


def test_the_price_book_of_the_day_counts(project: Project, author: Actor) -> None:
    """Also where the same document was priced before, at other prices: 7 EUR for each machine."""
    ipr = approved(project, author)
    make_deployment(ipr, Deployment.Status.COMPLETED)
    assert committed([project], price_list(project.organization_id))[project.pk] == cost(ipr.blueprint)
    book = PriceBook.objects.create(
        organization=project.organization, name="Ours", currency="EUR", valid_from=date(2026, 1, 1)
    )
    price = Price.objects.create(book=book, item=Item.MACHINE, amount=7)
    machines = len(expand(ipr.blueprint.current_revision().parsed()).machines)
    assert committed([project], price_list(project.organization_id))[project.pk] == 7 * machines
    budget(project, 7 * machines - Decimal("0.01"))
    with pytest.raises(PaymentRequired, match="EUR"):
        deploy(approved(project, author, blueprint=ipr.blueprint, environment=ipr.environment), by=author)
    Price.objects.filter(pk=price.pk).update(amount=6)
    assert committed([project], price_list(project.organization_id))[project.pk] == 6 * machines


def test_a_deployment_replaces_the_one_before_it(project: Project, author: Actor) -> None:
    ipr = approved(project, author)
    make_deployment(ipr, Deployment.Status.COMPLETED)
    before = cost(ipr.blueprint)
    larger = make_document(name="shop", resources=[make_resource(specs={"cpu": 8, "memory": "16GB", "disk": "100GB"})])
    blueprint = services.update(ipr.blueprint, larger, by=author)
    after = approved(project, author, blueprint=blueprint, environment=ipr.environment)
    assert cost(blueprint) > before
    budget(project, cost(blueprint))
    deploy(after, by=author)
    assert committed([project], default_list())[project.pk] == cost(blueprint)


def test_other_projects_and_rehearsals_cost_nothing(project: Project, author: Actor) -> None:
    other = approved(make_project("other"), author, "other")
    make_deployment(other, Deployment.Status.COMPLETED)
    ipr = approved(project, author)
    make_deployment(ipr, Deployment.Status.COMPLETED, is_dry_run=True)
    assert committed([project], default_list())[project.pk] == 0
    assert committed_by(author.organization_id, default_list()) == cost(other.blueprint)
    budget(project, cost(ipr.blueprint))
    deploy(ipr, by=author)


def test_a_deleted_project_bounds_nothing(project: Project, author: Actor) -> None:
    ipr = approved(project, author)
    budget(project, Decimal(0))
    projects.delete(project, by=author)
    deploy(IPR.objects.get(pk=ipr.pk), by=author)


def test_the_api_says_402(client: Client, project: Project, author: Actor) -> None:
    ipr = approved(project, author)
    budget(project, Decimal(1))
    headers = {"X-API-Key": make_key()[1]}
    response = client.post(
        f"/api/v1/iprs/{ipr.pk}/deploy", data={"engine": "proxmox"}, content_type="application/json", headers=headers
    )
    body = response.json()
    assert (response.status_code, body["error_code"]) == (402, "PAYMENT_REQUIRED")
    assert (body["monthly_budget"], body["committed"]) == (1.0, 0.0)


def test_what_many_projects_cost_is_read_at_once(
    author: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [make_project(f"p{number}") for number in range(4)]
    for number, row in enumerate(rows):
        ipr = approved(row, author, f"b{number}")
        make_plan(ipr)
        make_deployment(ipr, Deployment.Status.COMPLETED)
    committed(rows, default_list())
    with django_assert_num_queries(1):
        assert all(committed(rows, default_list()).values())


def test_the_page_says_why(client: Client, project: Project, author: Actor) -> None:
    ipr = approved(project, author)
    budget(project, Decimal(1))
    assert author.user is not None
    client.force_login(author.user)
    response = client.post(f"/iprs/{ipr.pk}/deploy/", {"plan_digest": ipr.current_plan.digest})
    assert response.status_code == 402
    assert b"of the budget of 1.00 of Shop are committed already" in response.content
