"""`/api/v1/auth/keys`, as llamactl has it today: the keys of the caller's organization, and which instances each may use."""

from datetime import UTC, datetime
from typing import Any, Literal

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response

from alma.accounts.actors import Actor
from alma.accounts.desk import keys
from alma.accounts.models import ApiKey
from alma.accounts.scopes import INFERENCE
from alma.api.authentication import actor_of
from alma.api.bodies import read_body
from alma.api.dialects import LLAMACTL
from alma.api.endpoints import Endpoint
from alma.api.paging import MAX_LIMIT
from alma.api.schema import array_of, refusals
from alma.errors import BadRequest
from instances.models import Instance

_KEY = OpenApiParameter("key_id", str, OpenApiParameter.PATH, description="As the list says it")
_MOST = 100


class KeyLimits(BaseModel):
    """What a key may have of models; null is no bound. Tokens are those of prompts and completions together, in UTC."""

    model_config = ConfigDict(extra="forbid", strict=True)

    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    requests_at_once: int | None = Field(default=None, ge=1, le=100_000)
    tokens_per_day: int | None = Field(default=None, ge=0, le=10**15)
    tokens_per_month: int | None = Field(default=None, ge=0, le=10**15)

    def limits(self) -> dict[str, int | None]:
        """Those that were sent."""
        return {name: getattr(self, name) for name in KeyLimits.model_fields if name in self.model_fields_set}


class KeyWish(KeyLimits):
    """A key that uses models: all of them, or those of some instances."""

    name: str = Field(min_length=1, max_length=100)
    permission_mode: Literal["allow_all", "per_instance"]
    instance_ids: list[int] = Field(default_factory=list, max_length=_MOST, description="The `id` of instances")
    expires_at: int | None = Field(default=None, ge=0, le=253_402_300_799, description="Seconds since 1970")


class KeyRow(BaseModel):
    """What is known of a key; its secret is not. Times in seconds since 1970."""

    id: str
    name: str
    user_id: str
    permission_mode: str
    expires_at: int | None
    created_at: int
    updated_at: int
    last_used_at: int | None
    requests_per_minute: int | None
    requests_at_once: int | None
    tokens_per_day: int | None
    tokens_per_month: int | None


class NewKey(KeyRow):
    """A new key; `key` is shown this once."""

    key: str


class KeyPermission(BaseModel):
    """An instance that a key may use."""

    instance_id: int
    instance_name: str


def row(key: ApiKey) -> dict[str, Any]:
    """A key as llamactl says it."""
    return {
        "id": key.token_id, "name": key.name, "user_id": key.created_by, "expires_at": key.expires_at,
        "permission_mode": "per_instance" if key.instances else "allow_all", "created_at": key.created_at,
        "updated_at": key.revoked_at or key.created_at, "last_used_at": key.last_used_at,
        **{name: getattr(key, name) for name in KeyLimits.model_fields},
    }  # fmt: skip


class Keys(Endpoint):
    """All keys, and new ones."""

    dialect = LLAMACTL
    scopes = {"GET": "key:read", "POST": keys.WRITE}

    @extend_schema(operation_id="llamactl_keys_list", responses={200: array_of(KeyRow)}, tags=["auth"])
    def get(self, request: Request) -> Response:
        """List keys that can be used, the newest first."""
        return Response([row(key) for key in ApiKey.objects.visible_to(actor_of(request)).active()[:MAX_LIMIT]])

    @extend_schema(
        operation_id="llamactl_keys_create", request=KeyWish, tags=["auth"],
        responses={201: NewKey, **refusals(400, 403, dialect=LLAMACTL)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Make a key that uses models and does nothing else. People alone make keys: sign in, or send the token of a login."""
        actor = actor_of(request)
        keys.check_mint(by=actor)
        key, secret = _made(read_body(KeyWish, request), by=actor)
        headers = {"Location": f"/api/v1/auth/keys/{key.token_id}", "Cache-Control": "no-store"}
        return Response({**row(key), "key": secret}, status=201, headers=headers)


class OneKey(Endpoint):
    """One key."""

    dialect = LLAMACTL
    scopes = {"GET": "key:read", "PUT": keys.WRITE, "DELETE": keys.WRITE}

    @extend_schema(
        operation_id="llamactl_keys_get", parameters=[_KEY], tags=["auth"],
        responses={200: KeyRow, **refusals(404, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request, key_id: str) -> Response:
        """Show a key without its secret."""
        return Response(row(keys.found(key_id, by=actor_of(request))))

    @extend_schema(
        operation_id="llamactl_keys_update", parameters=[_KEY], request=KeyLimits, tags=["auth"],
        responses={200: KeyRow, **refusals(400, 403, 404, dialect=LLAMACTL)},
    )  # fmt: skip
    def put(self, request: Request, key_id: str) -> Response:
        """Change what a key may have of models: what is given, the rest stays. Only people do, as with making one."""
        actor = actor_of(request)
        key = keys.found(key_id, by=actor)
        keys.limit(key, read_body(KeyLimits, request).limits(), by=actor)
        return Response(row(key))

    @extend_schema(
        operation_id="llamactl_keys_delete", parameters=[_KEY], tags=["auth"],
        responses={204: None, **refusals(404, dialect=LLAMACTL)},
    )  # fmt: skip
    def delete(self, request: Request, key_id: str) -> Response:
        """Revoke a key; the next request with it is refused."""
        actor = actor_of(request)
        keys.revoke(keys.found(key_id, by=actor), by=actor)
        return Response(status=204)


class KeyPermissions(Endpoint):
    """Which instances a key may use."""

    dialect = LLAMACTL
    scopes = {"GET": "key:read"}

    @extend_schema(
        operation_id="llamactl_keys_permissions", parameters=[_KEY], tags=["auth"],
        responses={200: array_of(KeyPermission), **refusals(404, dialect=LLAMACTL)},
    )  # fmt: skip
    def get(self, request: Request, key_id: str) -> Response:
        """List the instances that a key may use; none for one that may use all."""
        actor = actor_of(request)
        key = keys.found(key_id, by=actor)
        found = Instance.objects.visible_to(actor).filter(name__in=key.instances)
        return Response([{"instance_id": one.pk, "instance_name": one.name} for one in found])


@transaction.atomic
def _made(body: KeyWish, *, by: Actor) -> tuple[ApiKey, str]:
    """Raises BadRequest, Invalid, Refused."""
    names = _names(body, by=by)
    expires_at = datetime.fromtimestamp(body.expires_at, UTC) if body.expires_at is not None else None
    key, secret = keys.mint(
        keys.Wish(name=body.name, scopes=INFERENCE, expires_at=expires_at, style=ApiKey.Style.SK, limits=body.limits()),
        by=by,
    )
    if names:
        key.instances = names
        key.save(update_fields=["instances"])
    return key, secret


def _names(body: KeyWish, *, by: Actor) -> list[str]:
    if body.permission_mode == "allow_all":
        return []
    if not body.instance_ids:
        raise BadRequest("Instance IDs required when permission mode is 'per_instance'")
    known = {one.pk: one.name for one in Instance.objects.visible_to(by).filter(pk__in=body.instance_ids)}
    unknown = [number for number in body.instance_ids if number not in known]
    if unknown:
        raise BadRequest(f"Instance ID {unknown[0]} does not exist")
    return sorted(known.values())
