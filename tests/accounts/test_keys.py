"""Keys: what is kept of them, what they open, and when they no longer do."""

from datetime import timedelta

import pytest
from django.core import serializers
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from alma.accounts.keys import MAX_LENGTH, resolve
from alma.accounts.models import ApiKey
from alma.accounts.scopes import EVERYTHING, INFERENCE, SERVICE
from alma.errors import NotAuthenticated
from tests.factories.accounts import make_key, make_organization, make_user

pytestmark = pytest.mark.django_db


def test_of_a_secret_only_digest_and_prefix_are_kept() -> None:
    key, secret = make_key()
    stored = serializers.serialize("json", ApiKey.objects.all())
    assert secret not in stored
    assert secret[13:] not in stored
    assert (len(key.prefix), len(key.digest)) == (12, 64)
    assert secret.startswith(key.prefix)
    assert secret not in f"{key} {key!r}"


def test_secrets_are_long_and_never_the_same() -> None:
    secrets = {make_key()[1] for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret.rpartition("_")[2]) for secret in secrets} == {48}  # 192 bits in hexadecimal


def test_a_key_opens_what_it_was_made_for() -> None:
    key, secret = make_key(INFERENCE, name="chat")
    actor = resolve(secret)
    assert (actor.organization_id, actor.label, actor.key_id) == (key.organization_id, "chat", key.pk)
    assert actor.scopes == INFERENCE
    assert (actor.user, actor.is_anonymous, actor.lane) == (None, False, "live")


def test_a_key_of_a_person_names_the_person() -> None:
    person = make_user()
    _, secret = make_key(owner=person, lane=ApiKey.Lane.TEST)
    actor = resolve(secret)
    assert (actor.user, actor.user_id, actor.lane) == (person, person.pk, "test")
    assert secret.startswith("alm_test_")


def test_unknown_scopes_are_not_granted() -> None:
    key, _ = make_key(frozenset({"blueprint:read", "world:rule"}))
    assert key.scopes == ["blueprint:read"]
    assert "world:rule" not in EVERYTHING


def test_a_revoked_key_is_refused_at_once() -> None:
    key, secret = make_key()
    assert resolve(secret)
    key.revoke()
    with pytest.raises(NotAuthenticated):
        resolve(secret)


def test_revoking_twice_keeps_the_first_time() -> None:
    key, _ = make_key()
    key.revoke()
    first = key.revoked_at
    key.revoke()
    assert key.revoked_at == first is not None


@pytest.mark.parametrize(("seconds", "is_open"), [(60, True), (-1, False)])
def test_a_key_ends_with_its_time(seconds: int, is_open: bool) -> None:
    key, secret = make_key(expires_at=timezone.now() + timedelta(seconds=seconds))
    assert ApiKey.objects.active().filter(pk=key.pk).exists() is is_open
    if is_open:
        assert resolve(secret).key_id == key.pk
    else:
        with pytest.raises(NotAuthenticated):
            resolve(secret)


def test_the_key_of_a_disabled_person_is_refused() -> None:
    person = make_user()
    _, secret = make_key(owner=person)
    person.is_active = False
    person.save()
    with pytest.raises(NotAuthenticated):
        resolve(secret)


def test_the_key_of_a_person_who_has_left_the_organization_is_refused() -> None:
    person = make_user(organization=make_organization("other"))
    _, secret = make_key(owner=person)
    with pytest.raises(NotAuthenticated):
        resolve(secret)


@pytest.mark.parametrize(
    "secret",
    ["", "x", "alm_live_" + "0" * 48, "kéy", "a" * (MAX_LENGTH + 1), "\x00", "' OR 1=1 --"],
    ids=["empty", "short", "unknown", "not ASCII", "long", "NUL", "SQL"],
)
def test_anything_else_is_refused(secret: str) -> None:
    make_key()
    with pytest.raises(NotAuthenticated, match="Invalid API key"):
        resolve(secret)


def test_the_digest_does_not_open() -> None:
    key, _ = make_key()
    for stored in (key.digest, key.prefix):
        with pytest.raises(NotAuthenticated):
            resolve(stored)


def test_keys_of_the_environment(settings: Settings) -> None:
    settings.ALMA_API_KEYS = ["first-key", "second-key"]
    organization = make_organization()
    actor = resolve("second-key")
    assert (actor.organization_id, actor.scopes, actor.key_id) == (organization.pk, SERVICE, None)
    with pytest.raises(NotAuthenticated):
        resolve("first-key,second-key")


def test_use_is_noted_once_a_minute(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    key, secret = make_key()
    resolve(secret)
    key.refresh_from_db()
    first = key.last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        resolve(secret)
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    resolve(secret)
    key.refresh_from_db()
    assert key.last_used_at >= first
