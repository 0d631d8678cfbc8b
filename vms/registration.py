"""Registering clusters: a person says where one is and what of it may be used, and a look says what is missing."""

from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from alma.accounts.actors import Actor
from alma.errors import Invalid, Unavailable, WrongState
from alma.events.services import emit
from vms.models import Cluster
from vms.proxmox.client import connect
from vms.proxmox.privileges import look
from vms.services import clear_answers

WHERE = ("host", "port", "token_id", "ca_pem", "fingerprint", "verifies_tls")
"""Who gets to see the token's secret depends on these; whoever changes one gives the secret again."""
SETTINGS = (
    *WHERE, "name", "vmid_first", "vmid_last", "parallel_limit", "default_storage", "default_bridge", "pool",
    "chosen_nodes", "chosen_storages", "encrypting_storages",
)  # fmt: skip
MOST_CLUSTERS = 50


def register(values: dict[str, Any], *, token_secret: str, by: Actor) -> Cluster:
    """A new cluster of the actor's organization. Raises Refused, Invalid, WrongState."""
    by.require("vm:write")
    assert by.organization_id is not None
    if not token_secret:
        raise Invalid("A new cluster needs its token's secret.", details={"token_secret": ["Enter the secret."]})
    if Cluster.objects.visible_to(by).count() >= MOST_CLUSTERS:
        raise WrongState(f"An organization has at most {MOST_CLUSTERS} clusters.")
    cluster = Cluster(organization_id=by.organization_id, slug=_free_slug(values["name"], by.organization_id))
    return _save(cluster, values, token_secret, "cluster.registered", by)


def change(cluster: Cluster, values: dict[str, Any], *, token_secret: str = "", by: Actor) -> Cluster:
    """Other settings; the secret is kept when none is given. Raises Refused, Invalid."""
    by.require("vm:write")
    moved = [name for name in WHERE if name in values and values[name] != getattr(cluster, name)]
    if moved and not token_secret:
        text = "Enter the secret again: it would be sent to another place, or checked in another way, than before."
        raise Invalid(text, details={"token_secret": [text]})
    return _save(cluster, values, token_secret, "cluster.changed", by)


@transaction.atomic
def _save(cluster: Cluster, values: dict[str, Any], token_secret: str, told: str, by: Actor) -> Cluster:
    changed = sorted(name for name in SETTINGS if name in values and values[name] != getattr(cluster, name))
    was_verified = cluster.verifies_tls
    for name in changed:
        setattr(cluster, name, values[name])
    if token_secret:
        cluster.seal(token_secret)
        changed.append("token_secret")
    try:
        cluster.full_clean()
        cluster.save()
    except ValidationError as error:
        raise Invalid("This cluster cannot be registered.", details=error.message_dict) from error
    except IntegrityError as error:
        raise WrongState("Another cluster has taken this name meanwhile; try again.") from error
    _tell(cluster, told, by, settings=changed)
    if was_verified and not cluster.verifies_tls:
        _tell(cluster, "cluster.tls_unverified", by)
    return cluster


def switch(cluster: Cluster, *, to: bool, by: Actor) -> None:
    """Use the cluster, or leave it alone from now on; its rows and its ledger stay. Raises Refused."""
    by.require("vm:write")
    with transaction.atomic():
        if Cluster.objects.filter(pk=cluster.pk, is_enabled=not to).update(is_enabled=to):
            _tell(cluster, "cluster.enabled" if to else "cluster.disabled", by)
    cluster.is_enabled = to


def check(cluster: Cluster, *, by: Actor) -> dict[str, Any]:
    """Reach the cluster now and write down what is missing. An unreachable one is a result too. Raises Refused."""
    by.require("vm:write")
    result: dict[str, Any] = {"at": timezone.now().isoformat(), "by": by.label, "error": ""}
    try:
        with clear_answers(cluster):
            result |= asdict(look(connect(cluster), cluster))
    except Unavailable as error:
        result["error"] = error.message
    Cluster.objects.filter(pk=cluster.pk).update(preflight=result)
    cluster.preflight = result
    return result


def _free_slug(name: str, organization_id: int) -> str:
    stem = slugify(name)[:40] or "cluster"
    taken = set(Cluster.objects.filter(organization_id=organization_id).values_list("slug", flat=True)) | {"new"}
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)


def _tell(cluster: Cluster, kind: str, by: Actor, **data: Any) -> None:
    emit(cluster.stream, kind, organization_id=cluster.organization_id, actor=by.label, cluster=cluster.slug, **data)
