"""Tokens of the Proxmox AI document, and the login of the older llamactl document."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts import tokens
from alma.accounts.desk import keys
from alma.accounts.models import ApiKey
from alma.api.answers import Answer
from alma.api.authentication import NoCredentials, PasswordsOrCredentials, actor_of, person_of, presented_key
from alma.api.bodies import read_body
from alma.api.dialects import LLAMACTL_OLD, PROXMOX
from alma.api.endpoints import Endpoint
from alma.api.paging import paginate
from alma.api.permissions import ANYBODY, Scoped
from alma.api.schema import MESSAGE, CredentialsScheme, listing_of, page_parameters
from alma.errors import NotAuthenticated

DEFAULT_LIFETIME = timedelta(days=90)
LONGEST_SECONDS = int(keys.LONGEST.total_seconds())


class TokenLimits(BaseModel):
    """What a token may have of models; null is no bound. Tokens are those of prompts and completions together, in UTC."""

    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    requests_at_once: int | None = Field(default=None, ge=1, le=100_000)
    tokens_per_day: int | None = Field(default=None, ge=0, le=10**15)
    tokens_per_month: int | None = Field(default=None, ge=0, le=10**15)
    instances: list[Annotated[str, Field(min_length=1, max_length=50)]] = Field(
        default_factory=list, max_length=100, description="Names of the instances that it reaches; none for all"
    )

    def given(self) -> dict[str, Any]:
        """Those that were sent."""
        return self.model_dump(include=self.model_fields_set & set(keys.LIMITS))


class TokenWish(TokenLimits):
    """A token that is wanted; without `expires_in`, in seconds, it is good for ninety days. One of the `test`
    environment acts on sandboxes alone."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=500)
    expires_in: int = Field(default=int(DEFAULT_LIFETIME.total_seconds()), ge=60, le=LONGEST_SECONDS)
    permissions: list[str] = Field(min_length=1, max_length=100)
    environment: ApiKey.Lane = Field(default=ApiKey.Lane.LIVE, strict=False)


class TokenSecret(BaseModel):
    """A new token. `access_token` is shown this once."""

    token_id: str
    access_token: str
    token_type: str
    expires_at: datetime | None
    permissions: list[str]


class TokenRow(BaseModel):
    """What is known of a token; its secret is not."""

    token_id: str
    name: str
    description: str
    prefix: str
    environment: str
    status: str
    permissions: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None
    revoked_at: datetime | None
    requests_per_minute: int | None
    requests_at_once: int | None
    tokens_per_day: int | None
    tokens_per_month: int | None
    instances: list[str]


def token_row(key: ApiKey) -> dict[str, Any]:
    """One row of the list."""
    return {
        "token_id": key.token_id, "name": key.name, "description": key.description, "prefix": key.prefix,
        "environment": key.lane, "status": key.state, "permissions": key.scopes, "created_at": key.created_at,
        "created_by": key.created_by, "expires_at": key.expires_at, "last_used_at": key.last_used_at,
        "last_used_from": key.last_used_from or None, "revoked_at": key.revoked_at,
        **{name: getattr(key, name) for name in keys.LIMITS},
    }  # fmt: skip


class PasswordsScheme(OpenApiAuthenticationExtension):
    """As everywhere, and name and password where a token is made."""

    target_class = "alma.api.authentication.PasswordsOrCredentials"
    name = "basic"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """What is not described elsewhere."""
        return {"type": "http", "scheme": "basic"}

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[str]]]:
        """Any one of them."""
        has_passwords = auto_schema.method in PasswordsOrCredentials.password_methods
        return [{name: []} for name in (*CredentialsScheme.name, *(["basic"] if has_passwords else []))]


class NoScheme(OpenApiAuthenticationExtension):
    """Nothing is asked."""

    target_class = "alma.api.authentication.NoCredentials"
    name: list[str] = []

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """None."""
        return []

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """None."""
        return {}


class Tokens(Endpoint):
    """The tokens of the caller's organization."""

    dialect = PROXMOX
    authentication_classes = [PasswordsOrCredentials]
    scopes = {"GET": "key:read", "POST": keys.WRITE}

    @extend_schema(
        operation_id="tokens_list",
        parameters=page_parameters(PROXMOX),
        responses={200: listing_of(PROXMOX, TokenRow, "tokens")},
        tags=["auth"],
    )
    def get(self, request: Request) -> Response:
        """List tokens, the newest first."""
        rows = ApiKey.objects.visible_to(actor_of(request)).order_by("-created_at")
        return Response(paginate(request, rows, token_row, key="tokens"))

    @extend_schema(operation_id="tokens_create", request=TokenWish, responses={201: TokenSecret}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Make a token for the person whose name and password are in the header, or who is signed in. It acts for
        that person: with the permissions given here, never with more than the person has."""
        actor = actor_of(request)
        keys.check_mint(by=actor)
        body = read_body(TokenWish, request)
        wish = keys.Wish(
            name=body.name, description=body.description, scopes=frozenset(body.permissions), is_personal=True,
            style=ApiKey.Style.PXA, expires_at=timezone.now() + timedelta(seconds=body.expires_in),
            lane=body.environment, limits=body.given(),
        )  # fmt: skip
        key, secret = keys.mint(wish, by=actor)
        given = [scope for scope in dict.fromkeys(body.permissions) if scope in key.scopes]
        return Response(
            {
                "token_id": key.token_id, "access_token": secret, "token_type": "bearer",
                "expires_at": key.expires_at, "permissions": given,
            },
            status=201, headers={"Location": f"/v1/auth/tokens/{key.token_id}", "Cache-Control": "no-store"},
        )  # fmt: skip


class _OwnOrScoped(Scoped):
    """A token may always end itself; nobody should need a right to give one up."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the token of the path is the one in the header, or the actor may do it to any."""
        actor = actor_of(request)
        own = ApiKey.objects.filter(pk=actor.key_id or 0, token_id=view.kwargs["token_id"])
        return (request.method == "DELETE" and own.exists()) or super().has_permission(request, view)


class Token(Endpoint):
    """One token."""

    dialect = PROXMOX
    permission_classes = [_OwnOrScoped]
    scopes = {"PUT": keys.WRITE, "DELETE": keys.WRITE}

    @extend_schema(operation_id="tokens_update", request=TokenLimits, responses={200: TokenRow}, tags=["auth"])
    def put(self, request: Request, token_id: str) -> Response:
        """Change what a token may have of models: what is given, the rest stays. Only people do, as with making one."""
        actor = actor_of(request)
        key = keys.found(token_id, by=actor)
        keys.limit(key, read_body(TokenLimits, request).given(), by=actor)
        return Response(token_row(key))

    @extend_schema(operation_id="tokens_revoke", responses={200: MESSAGE}, tags=["auth"])
    def delete(self, request: Request, token_id: str) -> Response:
        """Revoke a token; the next request with it is refused. Doing it twice is no error."""
        actor = actor_of(request)
        keys.revoke(keys.found(token_id, by=actor), by=actor)
        return Answer(message="Token revoked successfully")


class NamePassword(BaseModel):
    """Name and password."""

    username: str = Field(min_length=1, max_length=150)
    password: str = Field(min_length=1, max_length=4096)


class Renewal(BaseModel):
    """The refresh token, unless it or an access token that is still good is in the Authorization header."""

    refresh_token: str = Field(default="", max_length=8000)


class LoginAnswer(BaseModel):
    """A token for the Authorization header, and one that only renews it."""

    token: str
    expires_at: datetime
    token_type: str
    refresh_token: str
    refresh_expires_at: datetime


def _answer(login: tokens.Login) -> Response:
    access, refresh = tokens.access_token(login), tokens.refresh_token(login)
    body = {
        "token": access.text, "expires_at": access.expires_at, "token_type": "bearer",
        "refresh_token": refresh.text, "refresh_expires_at": refresh.expires_at,
    }  # fmt: skip
    return Response(body, headers={"Cache-Control": "no-store"})


class _Entrance(Endpoint):
    """What is in the body or the header is looked at here and nowhere before."""

    dialect = LLAMACTL_OLD
    authentication_classes = [NoCredentials]
    permission_classes = []
    scopes = {"POST": ANYBODY}

    @property
    def keeps_answers(self) -> bool:
        """A repeated login is a new one."""
        return False


class Login(_Entrance):
    """The login of a person's program."""

    @extend_schema(operation_id="auth_login", request=NamePassword, responses={200: LoginAnswer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Give name and password, get a token with the rights of that person."""
        body = read_body(NamePassword, request)
        return _answer(tokens.log_in(person_of(request._request, body.username, body.password)))


class Refresh(_Entrance):
    """The renewal of a login."""

    @extend_schema(operation_id="auth_refresh", request=Renewal, responses={200: LoginAnswer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Get a new token for one that still holds; after a week the password is asked for again."""
        body = read_body(Renewal, request) if request.data else Renewal()
        token = body.refresh_token or presented_key(request.headers)
        if not token:
            raise NotAuthenticated("Send the token to renew.", code="INVALID_TOKEN")
        return _answer(tokens.renew(token))
