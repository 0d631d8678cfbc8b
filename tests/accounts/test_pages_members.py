"""The pages of members: who comes, as what, and who goes."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from alma.accounts.actors import Actor, for_user
from alma.accounts.desk import members
from alma.accounts.keys import resolve
from alma.accounts.models import ApiKey, Membership
from alma.accounts.scopes import ROLE_SCOPES
from alma.errors import WrongState
from alma.events.models import Event
from tests.concurrency import together
from tests.factories.accounts import PASSWORD, make_key, make_organization, make_user, sign_in

pytestmark = pytest.mark.django_db

LINK = re.compile(r"http://testserver(/account/welcome/[^<\"]+)")
NEW = {"new_password1": "a phrase of my own", "new_password2": "a phrase of my own"}


@pytest.fixture
def browser(client: Client) -> Client:
    return sign_in(client, make_user("admin", username="ana"))


def added(browser: Client, username: str = "zoe", role: str = "reviewer") -> Any:
    return browser.post("/settings/members/add/", {"username": username, "role": role})


def link_in(answer: Any) -> str:
    return LINK.findall(answer.content.decode())[0]


def welcome(link: str, client: Client | None = None) -> Any:
    agent = client or Client()
    form = agent.get(link)
    return agent.post(form.url, NEW) if form.status_code == 302 else form


def member(user: User) -> Membership:
    return Membership.objects.get(user=user)


def kinds() -> list[str]:
    return list(Event.objects.filter(kind__startswith="member.").order_by("seq").values_list("kind", flat=True))


# -- coming ---------------------------------------------------------------------------------------
def test_a_new_person_sets_a_password_by_a_link_that_works_once(browser: Client) -> None:
    answer = added(browser)
    link = link_in(answer)
    assert "no-store" in answer["Cache-Control"]
    zoe = User.objects.get(username="zoe")
    assert not zoe.has_usable_password()
    assert for_user(zoe).scopes == ROLE_SCOPES["reviewer"]
    visitor = Client()
    assert welcome(link, visitor).url == "/login/"
    assert visitor.post("/login/", {"username": "zoe", "password": NEW["new_password1"]}).status_code == 302
    assert "does not work any more" in welcome(link).content.decode()
    assert kinds() == ["member.added"]
    assert link.split("/")[-2] not in str(list(Event.objects.values_list("data", flat=True)))


def test_a_newer_link_ends_the_older_one(browser: Client) -> None:
    first = link_in(added(browser))
    zoe = User.objects.get(username="zoe")
    second = link_in(browser.post(f"/settings/members/{member(zoe).pk}/link/"))
    assert "does not work any more" in welcome(first).content.decode()
    assert welcome(second).url == "/login/"
    assert kinds() == ["member.added", "member.invited"]


def test_who_has_an_account_is_added_without_a_link(browser: Client) -> None:
    zoe = make_user("viewer", organization=make_organization("other"), username="zoe")
    answer = added(browser)
    assert answer.url == "/settings/members/"
    assert Membership.objects.filter(user=zoe).count() == 2
    zoe.refresh_from_db()
    assert zoe.check_password(PASSWORD)


def _with_password() -> User:
    return make_user("viewer", username="zoe")


def _of_two_organizations() -> User:
    zoe = User.objects.create_user("zoe")
    for slug in ("default", "other"):
        Membership.objects.create(organization=make_organization(slug), user=zoe)
    return zoe


def _of_the_staff() -> User:
    zoe = User.objects.create_user("zoe", is_staff=True)
    Membership.objects.create(organization=make_organization(), user=zoe)
    return zoe


@pytest.mark.parametrize("person", [_with_password, _of_two_organizations, _of_the_staff])
def test_nobody_gets_a_link_into_an_account_of_another(browser: Client, person: Any) -> None:
    zoe = person()
    place = Membership.objects.get(user=zoe, organization=make_organization())
    answer = browser.post(f"/settings/members/{place.pk}/link/")
    assert answer.status_code == 409
    assert not LINK.search(answer.content.decode())


@pytest.mark.parametrize(
    ("username", "role", "words"),
    [
        ("", "viewer", "Give a user name."),
        ("a b", "viewer", "Enter a valid username"),
        ("a" * 151, "viewer", "at most 150"),
        ("zoe", "emperor", "not one of the available choices"),
        ("ana", "viewer", "is a member already"),
    ],
)
def test_what_is_refused(browser: Client, username: str, role: str, words: str) -> None:
    answer = added(browser, username, role)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert Membership.objects.count() == User.objects.count() == 1


# -- roles and going ------------------------------------------------------------------------------
@pytest.mark.parametrize("role", Membership.Role.values)
def test_a_role_counts_at_once(browser: Client, role: str) -> None:
    zoe = make_user("viewer", username="zoe")
    browser.post(f"/settings/members/{member(zoe).pk}/role/", {"role": role})
    assert for_user(zoe).scopes == ROLE_SCOPES[role]
    assert kinds() == ([] if role == "viewer" else ["member.role_changed"])


def test_an_unknown_role_is_refused(browser: Client) -> None:
    zoe = make_user("viewer", username="zoe")
    assert browser.post(f"/settings/members/{member(zoe).pk}/role/", {"role": "emperor"}).status_code == 422
    assert member(zoe).role == "viewer"


def test_the_last_administrator_stays(browser: Client) -> None:
    ana = User.objects.get(username="ana")
    make_user("admin", username="gone", is_active=False)
    make_user("admin", username="elsewhere", organization=make_organization("other"))
    path = f"/settings/members/{member(ana).pk}"
    for answer in (browser.post(f"{path}/role/", {"role": "viewer"}), browser.post(f"{path}/remove/")):
        assert answer.status_code == 409
        assert "last administrator" in answer.content.decode()
    assert member(ana).role == "admin"
    make_user("admin", username="zoe")
    assert browser.post(f"{path}/role/", {"role": "viewer"}).status_code == 302
    assert member(ana).role == "viewer"


def test_what_the_last_administrator_may_not_is_not_offered(browser: Client) -> None:
    ana = member(User.objects.get(username="ana"))
    make_user("viewer", username="bob")
    page, remove = "/settings/members/", f"/settings/members/{ana.pk}/remove/"
    assert "the only administrator" in browser.get(page).content.decode()
    assert remove not in browser.get(page).content.decode()
    assert "Remove member" not in browser.get(remove).content.decode()
    disabled = make_user("admin")
    User.objects.filter(pk=disabled.pk).update(is_active=False)
    assert remove not in browser.get(page).content.decode()
    make_user("admin")
    assert remove in browser.get(page).content.decode()
    assert "This is you" in browser.get(remove).content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_both_leave() -> None:
    people = [make_user("admin", username=name) for name in ("ana", "zoe")]
    actors = [for_user(user) for user in people]

    def leave(number: int) -> bool:
        try:
            members.remove(member(people[number]), by=actors[number])
        except WrongState:
            return False
        return True

    assert sorted(together(2, leave)) == [False, True]
    assert Membership.objects.filter(role="admin").count() == 1


def test_who_is_removed_takes_their_keys_along(browser: Client) -> None:
    zoe = make_user("deployer", username="zoe")
    other = make_organization("other")
    Membership.objects.create(organization=other, user=zoe, role="viewer")
    _, mine = make_key(owner=zoe, name="of zoe")
    _, elsewhere = make_key(owner=zoe, organization=other)
    _, service = make_key(name="a service")
    path = f"/settings/members/{Membership.objects.get(user=zoe, organization=make_organization()).pk}/remove/"
    page = browser.get(path).content.decode()
    assert "of zoe" in page
    assert "a service" not in page
    assert browser.post(path).url == "/settings/members/"
    assert [ApiKey.objects.get(digest=ApiKey.digest_of(it)).state for it in (mine, elsewhere, service)] == [
        "revoked", "active", "active",
    ]  # fmt: skip
    assert resolve(elsewhere).organization_id == other.pk == for_user(zoe).organization_id
    assert kinds() == ["member.removed"]


def test_people_of_others_are_not_there(browser: Client) -> None:
    other = make_organization("other")
    foreign = member(make_user("viewer", organization=other, username="foreigner"))
    assert "foreigner" not in browser.get("/settings/members/").content.decode()
    for action in ("role", "link", "remove"):
        assert browser.post(f"/settings/members/{foreign.pk}/{action}/", {"role": "admin"}).status_code == 404
        assert browser.post(f"/settings/members/99999/{action}/", {"role": "admin"}).status_code == 404
    foreign.refresh_from_db()
    assert foreign.role == "viewer"


# -- several organizations ------------------------------------------------------------------------
def test_one_works_in_the_organization_that_one_chose(client: Client) -> None:
    first, second = make_organization(), make_organization("second", name="Second Ltd")
    make_user("admin", organization=make_organization("third"))
    zoe = make_user("admin", organization=first, username="zoe")
    Membership.objects.create(organization=second, user=zoe, role="viewer")
    make_key(name="key of the first", organization=first)
    make_key(name="key of the second", organization=second)
    sign_in(client, zoe)

    def seen() -> Actor:
        page = client.get("/settings/keys/").content.decode()
        assert ("key of the first" in page) is not ("key of the second" in page)
        rows = client.get("/v1/auth/tokens").json()["data"]["tokens"]
        assert [row["name"] in page for row in rows] == [True]
        return for_user(zoe, client.session.get("organization_id"))

    assert seen().organization_id == first.pk
    assert b"Second Ltd" in client.get("/").content
    assert client.post("/account/organization/", {"organization": "second"}).url == "/"
    assert seen().organization_id == second.pk
    assert client.get("/settings/keys/new/").status_code == 403
    for slug in ("third", "nowhere", ""):
        assert client.post("/account/organization/", {"organization": slug}).status_code == 404
    assert seen().organization_id == second.pk
    Membership.objects.filter(organization=second).delete()
    assert seen().organization_id == first.pk


def test_who_has_one_organization_is_offered_no_other(browser: Client) -> None:
    assert b'action="/account/organization/"' not in browser.get("/").content
