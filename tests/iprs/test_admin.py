"""The administration: everything can be looked at, no status can be edited, keys are made and ended."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from alma.accounts.admin import PRESETS
from alma.accounts.keys import resolve
from alma.accounts.models import ApiKey, Environment
from alma.accounts.operators import LookOnlyAdmin
from alma.errors import NotAuthenticated
from alma.events.models import Event, Stream
from alma.jobs.models import Beat, Job
from iprs.models import IPR, Deployment, Plan, Review
from tests.factories.accounts import make_environment, make_key, make_organization, make_user
from tests.factories.iprs import make_deployment, make_ipr, make_review

pytestmark = pytest.mark.django_db
LOOK_ONLY = [IPR, Plan, Review, Deployment, Job, Beat, Stream, Event]


@pytest.fixture
def operator(client: Client) -> User:
    user = make_user("operator", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def address(model: Any, tail: str = "") -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{tail}"


def act(client: Client, model: Any, action: str, *rows: Any) -> Any:
    return client.post(address(model), {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


@pytest.mark.parametrize("model", [*LOOK_ONLY, ApiKey, Environment])
def test_lists_and_rows_open(client: Client, operator: User, model: Any) -> None:
    ipr = make_ipr()
    make_review(ipr)
    make_deployment(ipr)
    make_key()
    assert client.get(address(model)).status_code == 200
    row = model.objects.first()
    if row is not None:
        assert client.get(address(model, f"{row.pk}/change/")).status_code == 200


@pytest.mark.parametrize("model", LOOK_ONLY)
def test_workflow_rows_are_only_looked_at(client: Client, operator: User, model: Any) -> None:
    ipr = make_ipr()
    make_review(ipr)
    make_deployment(ipr)
    assert isinstance(admin.site.get_model_admin(model), LookOnlyAdmin)
    assert client.get(address(model, "add/")).status_code == 403
    row = model.objects.first()
    if row is not None:
        assert client.post(address(model, f"{row.pk}/change/"), {"status": "approved"}).status_code == 403
        assert client.post(address(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403
        assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [IPR, Job, ApiKey])
def test_administration_is_for_staff(client: Client, model: Any) -> None:
    client.force_login(make_user("admin"))
    assert client.get(address(model)).status_code == 302


def test_plan_again_goes_through_the_service(client: Client, operator: User) -> None:
    pending, deployed = make_ipr(), make_ipr(status=IPR.Status.DEPLOYED)
    text = act(client, IPR, "plan_again", pending, deployed).content.decode()
    assert pending.plans.count() == 2
    assert deployed.plans.count() == 1
    assert "cannot be planned again" in text


def test_wake_queues_a_job_that_sleeps(client: Client, operator: User) -> None:
    job = make_deployment(make_ipr()).job
    assert f"Woken: {job.public_id}." in act(client, Job, "wake", job).content.decode()
    assert Job.objects.get().kicked_at is not None
    assert "None of these sleeps." in act(client, Job, "wake", job).content.decode()


def test_rule_of_an_environment_can_be_changed(client: Client, operator: User) -> None:
    place = make_environment("production")
    data = {
        "organization": place.organization_id,
        "slug": "production",
        "name": "P",
        "required_approvals": 2,
        "position": 0,
    }
    assert client.post(address(Environment, f"{place.pk}/change/"), data).status_code == 302
    assert Environment.objects.get().required_approvals == 2


def mint(client: Client, **values: Any) -> Any:
    data = {"organization": make_organization().pk, "name": "ci", "lane": "live", "preset": "requester", **values}
    return client.post(address(ApiKey, "add/"), data)


def test_minted_key_is_shown_once_and_works(client: Client, operator: User) -> None:
    answer = mint(client)
    secret = answer.context["secret"]
    assert answer.status_code == 200
    assert secret in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert resolve(secret).scopes == PRESETS["requester"]
    for page in (address(ApiKey), address(ApiKey, f"{ApiKey.objects.get().pk}/change/")):
        assert secret not in client.get(page).content.decode()


def test_minted_key_is_stored_as_digest_alone(client: Client, operator: User) -> None:
    secret = mint(client).context["secret"]
    row = ApiKey.objects.values().get()
    assert secret not in str(row)
    assert row["digest"] == ApiKey.digest_of(secret)


def test_minted_key_with_rights_one_by_one(client: Client, operator: User) -> None:
    secret = mint(client, preset="chosen", scopes=["ipr:read", "vm:read"]).context["secret"]
    assert resolve(secret).scopes == {"ipr:read", "vm:read"}
    assert mint(client, preset="chosen").status_code == 200
    assert ApiKey.objects.count() == 1, "a key without rights is a mistake"


def test_revoked_key_ends_at_once(client: Client, operator: User) -> None:
    key, secret = make_key()
    assert "Revoked: " in act(client, ApiKey, "revoke", key).content.decode()
    with pytest.raises(NotAuthenticated):
        resolve(secret)


def test_key_is_neither_edited_nor_deleted(client: Client, operator: User) -> None:
    key, _ = make_key()
    assert client.post(address(ApiKey, f"{key.pk}/change/"), {"name": "other"}).status_code == 403
    assert client.post(address(ApiKey, f"{key.pk}/delete/"), {"post": "yes"}).status_code == 403
