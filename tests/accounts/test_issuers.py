"""Tokens of an identity provider: one that runs here, with keys made here."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.checks import Error
from django.utils import timezone
from pytest_django import Settings

from alma.accounts import checks, issuers
from alma.accounts.keys import resolve
from alma.accounts.models import Membership
from alma.accounts.scopes import ADMIN, VIEWER
from alma.errors import NotAuthenticated, Unavailable
from tests.factories.accounts import make_organization, make_user

pytestmark = pytest.mark.django_db


@dataclass
class Provider:
    """An identity provider: what it publishes, how often it was asked, and what it signs."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    says_issuer: str = ""
    status: int = 200

    def add_key(self, kid: str) -> None:
        self.keys[kid] = rsa.generate_private_key(65537, 2048)

    def answer(self, path: str) -> Any:
        self.asked.append(path)
        if path == issuers.DISCOVERY:
            return {"issuer": self.says_issuer or self.url, "jwks_uri": f"{self.url}/keys"}
        return {"keys": [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}
                         for kid, key in self.keys.items()]}  # fmt: skip

    def sign(self, kid: str = "first", *, key: Any = None, algorithm: str = "RS256", **changes: Any) -> str:
        now = int(timezone.now().timestamp())
        claims = {"iss": self.url, "aud": "alma", "exp": now + 60, "iat": now, "preferred_username": "ana", **changes}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, key if key is not None else self.keys[kid], algorithm, headers={"kid": kid})


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    made = Provider()
    made.add_key("first")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(made.answer(self.path)).encode()
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    settings.ALMA_OIDC_ISSUER, settings.ALMA_OIDC_AUDIENCE = made.url, "alma"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    issuers._issuer.cache_clear()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_person_of_ours_by_a_token_of_theirs(provider: Provider) -> None:
    ana = make_user("admin", username="ana")
    actor = resolve(provider.sign())
    assert (actor.user, actor.scopes, actor.label, actor.key_id) == (ana, ADMIN, "ana", None)
    resolve(provider.sign())
    assert provider.asked == [issuers.DISCOVERY, "/keys"]


def test_the_address_of_the_keys_may_be_given(provider: Provider, settings: Settings) -> None:
    make_user(username="ana")
    settings.ALMA_OIDC_JWKS_URL = f"{provider.url}/keys"
    assert resolve(provider.sign()).label == "ana"
    assert provider.asked == ["/keys"]


def _public_pem(provider: Provider) -> bytes:
    return provider.keys["first"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


REFUSED: dict[str, dict[str, Any]] = {
    "expired": {"exp": 1},
    "no end": {"exp": None},
    "not yet": {"nbf": 4_000_000_000},
    "another issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "shop"},
    "no audience": {"aud": None},
    "unsigned": {"key": "", "algorithm": "none"},
    "a shared secret": {"key": "k" * 64, "algorithm": "HS256"},
    "a key of a stranger": {"key": rsa.generate_private_key(65537, 2048)},
    "another kind of key": {"key": ec.generate_private_key(ec.SECP256R1()), "algorithm": "ES256"},
    "a key that is not published": {"kid": "second", "key": rsa.generate_private_key(65537, 2048)},
    "nobody named": {"preferred_username": None},
    "nobody of ours": {"preferred_username": "zoe"},
    "somebody who left": {"preferred_username": "gone"},
    "no text for a name": {"preferred_username": ["ana"]},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_what_does_not_hold_is_refused(provider: Provider, changes: dict[str, Any]) -> None:
    make_user(username="ana")
    make_user(username="gone", is_active=False)
    assert resolve(provider.sign())
    with pytest.raises(NotAuthenticated):
        resolve(provider.sign(**changes))


def test_the_public_key_is_no_shared_secret(provider: Provider) -> None:
    make_user(username="ana")
    signed = provider.sign(key="x" * 64, algorithm="HS256")
    head, middle, _ = signed.split(".")
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{head}.{middle}".encode(), _public_pem(provider)
    )
    with pytest.raises(NotAuthenticated):
        resolve(f"{head}.{middle}.{jwt.utils.base64url_encode(signature).decode()}")


def test_without_an_issuer_or_an_audience_nothing_is_taken(provider: Provider, settings: Settings) -> None:
    make_user(username="ana")
    token = provider.sign()
    for name in ("ALMA_OIDC_ISSUER", "ALMA_OIDC_AUDIENCE"):
        value = getattr(settings, name)
        setattr(settings, name, "")
        with pytest.raises(NotAuthenticated):
            resolve(token)
        setattr(settings, name, value)
    assert resolve(token)
    assert len(provider.asked) == 2


# -- keys come and go -----------------------------------------------------------------------------
def test_a_new_key_is_found_and_an_old_one_forgotten(provider: Provider) -> None:
    make_user(username="ana")
    old = provider.sign()
    assert resolve(old)
    provider.add_key("second")
    del provider.keys["first"]
    client = issuers._issuer(provider.url, "")._client
    assert client is not None
    client.cooldown_duration = 0  # as if half a minute had passed
    assert resolve(provider.sign("second"))
    with pytest.raises(NotAuthenticated):
        resolve(old)


def test_made_up_keys_do_not_make_us_ask_each_time(provider: Provider) -> None:
    make_user(username="ana")
    resolve(provider.sign())
    stranger = rsa.generate_private_key(65537, 2048)
    for number in range(20):
        with pytest.raises(NotAuthenticated):
            resolve(provider.sign(f"made-up-{number}", key=stranger))
    assert len(provider.asked) == 2


@pytest.mark.parametrize("fault", [{"status": 500}, {"says_issuer": "https://elsewhere.example"}], ids=str)
def test_a_provider_that_fails_is_not_asked_by_everybody(provider: Provider, fault: dict[str, Any]) -> None:
    make_user(username="ana")
    for name, value in fault.items():
        setattr(provider, name, value)
    for _ in range(5):
        with pytest.raises(Unavailable):
            resolve(provider.sign())
    assert len(provider.asked) == 1
    provider.status, provider.says_issuer = 200, ""
    issuers._issuer(provider.url, "")._failed_at = float("-inf")  # as if the pause were over
    assert resolve(provider.sign())


# -- claims ---------------------------------------------------------------------------------------
def test_the_organization_of_a_claim(provider: Provider, settings: Settings) -> None:
    settings.ALMA_OIDC_ORGANIZATION_CLAIM = "org"
    ana = make_user("viewer", username="ana")
    other = make_organization("other")
    Membership.objects.create(organization=other, user=ana, role="admin")
    make_organization("third")
    actor = resolve(provider.sign(org="other"))
    assert (actor.organization_id, actor.scopes) == (other.pk, ADMIN)
    assert resolve(provider.sign(org="default")).scopes == VIEWER
    for slug in ("third", "nowhere", None, 5):
        with pytest.raises(NotAuthenticated):
            resolve(provider.sign(org=slug))


@pytest.mark.parametrize(("verified", "is_taken"), [(True, True), (False, False), (None, False), ("true", False)])
def test_an_address_counts_when_it_is_verified(
    provider: Provider, settings: Settings, verified: Any, is_taken: bool
) -> None:
    settings.ALMA_OIDC_USER_CLAIM = "email"
    make_user(username="ana@example.org")
    token = provider.sign(email="ana@example.org", email_verified=verified)
    if is_taken:
        assert resolve(token).label == "ana@example.org"
    else:
        with pytest.raises(NotAuthenticated):
            resolve(token)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "openid profile"}, VIEWER),
        ({"scope": "openid vm:read"}, {"vm:read"}),
        ({"scp": ["vm:read", "admin:write", 5]}, {"vm:read"}),
        ({"scope": {"vm:read": True}}, VIEWER),
        ({}, VIEWER),
    ],
)
def test_a_token_may_carry_less_than_the_role_and_never_more(
    provider: Provider, claims: dict[str, Any], scopes: frozenset[str]
) -> None:
    make_user("viewer", username="ana")
    assert resolve(provider.sign(**claims)).scopes == scopes


# -- the settings ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, []),
        ({"ISSUER": "https://id.example"}, ["accounts.E001"]),
        ({"ISSUER": "https://id.example", "AUDIENCE": "alma"}, []),
        ({"ISSUER": "http://id.example", "AUDIENCE": "alma"}, ["accounts.E002"]),
        ({"ISSUER": "http://127.0.0.1:9", "AUDIENCE": "alma"}, []),
        ({"ISSUER": "https://id.example", "AUDIENCE": "alma", "JWKS_URL": "file:///keys"}, ["accounts.E002"]),
    ],
)
def test_settings_that_would_let_anybody_in_stop_the_start(
    settings: Settings, values: dict[str, str], ids: list[str]
) -> None:
    for name, value in values.items():
        setattr(settings, f"ALMA_OIDC_{name}", value)
    found = checks.identity_provider()
    assert [error.id for error in found] == ids
    assert all(isinstance(error, Error) for error in found)
