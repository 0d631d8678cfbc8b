"""Passwords: how often they may be tried, what a refusal says, and what ends when."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alma.accounts import signing_in
from alma.accounts.models import SignInAttempts
from alma.errors import RateLimited
from tests.concurrency import together
from tests.factories.accounts import PASSWORD, make_organization, make_user

pytestmark = pytest.mark.django_db

HOME, ELSEWHERE = "192.0.2.1", "192.0.2.2"


def attempt(client: Client, name: str, password: str, address: str = HOME) -> Any:
    return client.post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def exhaust(name: str, address: str = HOME) -> None:
    for _ in range(signing_in.FREE_FAILURES):
        attempt(Client(), name, "wrong", address)


# -- counting -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (14, 512), (15, 900), (16, 900), (5000, 900)],
)
def test_waiting_grows_and_has_an_end(failures: int, seconds: int) -> None:
    assert signing_in.delay_after(failures) == timedelta(seconds=seconds)


def test_one_waits_out_each_delay_and_then_tries_once() -> None:
    now, tried = timezone.now(), 0
    for second in range(64):
        try:
            signing_in.count("pair", now=now + timedelta(seconds=second))
            tried += 1
        except RateLimited as error:
            assert 0 < (error.retry_after or 0) <= 32
    # five at 0, 1, 2, 3, 4 s; then after 1, 2, 4, 8, 16 and 32 s
    assert tried == 5 + 5


def test_yesterday_is_forgotten_and_swept() -> None:
    now = timezone.now()
    SignInAttempts.objects.create(pair="pair", failures=30, last_at=now - timedelta(days=1, minutes=1))
    SignInAttempts.objects.create(pair="kept", failures=30, last_at=now - timedelta(hours=23))
    signing_in.count("pair", now=now)
    assert SignInAttempts.objects.get(pair="pair").failures == 1
    SignInAttempts.objects.filter(pair="pair").update(last_at=now - timedelta(days=2))
    signing_in.forget_old()
    assert SignInAttempts.objects.get().pair == "kept"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (("ana", HOME), ("ana", HOME), True),
        (("ana", HOME), ("ana", ELSEWHERE), False),
        (("ana", HOME), ("bob", HOME), False),
        (("ana", HOME), ("ANA", HOME), True),
        (("ﬁn", HOME), ("fin", HOME), True),
        (("ana", "2001:db8:1:2::1"), ("ana", "2001:db8:1:2:ffff::9"), True),
        (("ana", "2001:db8:1:2::1"), ("ana", "2001:db8:1:3::1"), False),
        (("ana", ""), ("ana", HOME), False),
    ],
)
def test_what_counts_as_one_pair(one: tuple[str, str], other: tuple[str, str], is_same: bool) -> None:
    assert (signing_in.pair_of(*one) == signing_in.pair_of(*other)) is is_same


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_counted_like_many_in_turn() -> None:
    def guess(number: int) -> bool:
        try:
            signing_in.count("pair")
        except RateLimited:
            return False
        return True

    tried = sum(together(12, guess))
    assert tried == SignInAttempts.objects.get().failures
    assert signing_in.FREE_FAILURES <= tried <= signing_in.FREE_FAILURES + 1  # a second may pass meanwhile


# -- at the door ----------------------------------------------------------------------------------
def test_after_too_many_even_the_right_password_waits(client: Client) -> None:
    make_user(username="ana")
    exhaust("ana")
    answer = attempt(client, "ana", PASSWORD)
    assert b"Too many attempts" in answer.content
    assert not is_signed_in(client)
    SignInAttempts.objects.update(blocked_until=timezone.now() - timedelta(seconds=1))
    assert attempt(client, "ana", PASSWORD).status_code == 302


def test_a_guesser_locks_nobody_out(client: Client) -> None:
    make_user(username="ana")
    for number in range(20):
        exhaust("ana", f"198.51.100.{number}")
    assert attempt(client, "ana", PASSWORD, ELSEWHERE).status_code == 302
    assert is_signed_in(client)


def test_the_right_password_forgives() -> None:
    make_user(username="ana")
    for _ in range(3):
        for _ in range(signing_in.FREE_FAILURES - 1):
            attempt(Client(), "ana", "wrong")
        assert attempt(Client(), "ana", PASSWORD).status_code == 302
    assert not SignInAttempts.objects.exists()


def test_the_administration_counts_as_well(client: Client) -> None:
    make_user(username="root", is_staff=True, is_superuser=True)
    form = {"username": "root", "password": "wrong", "this_is_the_login_form": "1"}
    statuses = [client.post("/admin/login/", form).status_code for _ in range(signing_in.FREE_FAILURES + 6)]
    assert statuses[: signing_in.FREE_FAILURES] == [200] * signing_in.FREE_FAILURES
    assert 429 in statuses  # the pause grows: a busy machine may sit out the first


def test_every_refusal_is_in_the_same_words() -> None:
    make_user(username="ana")
    make_user(username="gone", is_active=False)
    answers = [attempt(Client(), name, "wrong") for name in ("ana", "gone", "nobody")]
    answers.append(attempt(Client(), "gone", PASSWORD))
    bodies = {answer.content.partition(b'role="alert"')[2].partition(b"<form")[0] for answer in answers}
    assert len(bodies) == 1
    assert b"The user name and the password do not match." in bodies.pop()


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed."""

    algorithm = "counted"
    calls = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).calls += 1
        return super().encode(password, salt)


def test_unknown_people_take_as_much_work(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make_user(username="ana")
    make_user(username="gone", is_active=False)
    work = {}
    for name in ("ana", "gone", "nobody"):
        before = CountingHasher.calls
        attempt(Client(), name, "wrong")
        work[name] = CountingHasher.calls - before
    assert set(work.values()) == {1}


def test_passwords_typed_as_names_are_not_kept() -> None:
    attempt(Client(), "hunter2-my-password", "x")
    row = SignInAttempts.objects.get()
    assert "hunter2" not in f"{row.pair} {row}"
    assert len(row.pair) == 64


# -- sessions -------------------------------------------------------------------------------------
def test_signing_in_changes_the_id_of_the_session(client: Client) -> None:
    make_user(username="ana")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    before = session.session_key
    attempt(client, "ana", PASSWORD)
    assert client.session.session_key != before
    thief = Client()
    thief.cookies["sessionid"] = before
    assert not is_signed_in(thief)


def test_signing_out_ends_the_session_on_the_server(client: Client) -> None:
    make_user(username="ana")
    attempt(client, "ana", PASSWORD)
    thief = Client()
    thief.cookies["sessionid"] = client.session.session_key
    assert is_signed_in(thief)
    client.post("/logout/")
    assert not is_signed_in(thief)


def changed(client: Client, **fields: str) -> Any:
    new = "a quite different phrase"
    return client.post(
        "/account/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new, **fields}
    )


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(client: Client) -> None:
    ana = make_user(username="ana")
    other = Client()
    for browser in (client, other):
        attempt(browser, "ana", PASSWORD)
    before = client.session.session_key
    assert changed(client).status_code == 302
    assert client.session.session_key != before
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert User.objects.get(pk=ana.pk).check_password("a quite different phrase")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"old_password": "wrong"}, "This is not your password."),
        ({"new_password1": "short", "new_password2": "short"}, "too short"),
        ({"new_password2": "another phrase"}, "match"),
        ({"new_password1": "ana-ana-ana-ana", "new_password2": "ana-ana-ana-ana"}, "similar"),
    ],
)
def test_a_new_password_is_refused(client: Client, fields: dict[str, str], words: str) -> None:
    make_user(username="ana-ana-ana")
    attempt(client, "ana-ana-ana", PASSWORD)
    answer = changed(client, **fields)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert User.objects.get().check_password(PASSWORD)


def test_the_present_password_cannot_be_guessed_there(client: Client) -> None:
    make_user(username="ana")
    attempt(client, "ana", PASSWORD)
    for _ in range(signing_in.FREE_FAILURES):
        changed(client, old_password="wrong")
    assert "Too many attempts" in changed(client).content.decode()
    assert User.objects.get().check_password(PASSWORD)


def test_the_page_of_the_password_is_for_people(client: Client) -> None:
    make_organization()
    assert client.get("/account/password/").url == "/login/?next=/account/password/"
