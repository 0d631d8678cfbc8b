"""The admin shows everything and changes nothing."""

import pytest
from django.test import Client
from django.urls import reverse

from blueprints import services
from blueprints.models import Blueprint
from tests.factories.accounts import make_actor, make_user
from tests.factories.blueprints import make_blueprint

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def page(name: str, *args: object) -> str:
    return reverse(f"admin:blueprints_{name}", args=args)


def test_list_shows_deleted_ones_too(operator: Client) -> None:
    kept, gone = make_blueprint(name="kept"), make_blueprint(name="gone")
    services.delete(gone, by=make_actor())
    body = operator.get(page("blueprint_changelist")).content.decode()
    assert kept.name in body
    assert gone.name in body
    only_living = operator.get(page("blueprint_changelist"), {"deleted_at__isempty": "1"}).content.decode()
    assert "gone" not in only_living


def test_search_finds_by_name(operator: Client) -> None:
    make_blueprint(name="alpha")
    make_blueprint(name="beta")
    body = operator.get(page("blueprint_changelist"), {"q": "alph"}).content.decode()
    assert "alpha" in body
    assert "beta" not in body


@pytest.mark.parametrize("method", ["get", "post"])
def test_nothing_is_added_or_deleted(operator: Client, method: str) -> None:
    blueprint = make_blueprint()
    for url in (page("blueprint_add"), page("blueprint_delete", blueprint.pk)):
        assert getattr(operator, method)(url).status_code == 403
    assert Blueprint.objects.filter(deleted_at=None).count() == 1


def test_content_is_shown_and_not_changed(operator: Client) -> None:
    blueprint = make_blueprint()
    url = page("blueprint_change", blueprint.pk)
    body = operator.get(url).content.decode()
    assert "web-server-1" in body
    assert 'name="_save"' not in body
    assert operator.post(url, {"name": "changed"}).status_code == 403
    revision = page("blueprintrevision_change", blueprint.current_revision().pk)
    assert blueprint.current_revision().digest in operator.get(revision).content.decode()
    assert operator.get(page("blueprintrevision_changelist")).status_code == 200


def test_admin_is_for_staff(client: Client) -> None:
    client.force_login(make_user())
    assert client.get(page("blueprint_changelist")).status_code == 302
