"""Machines that run instances: who may be one, who is, and what is free there."""

import secrets
import socket
import time
from dataclasses import dataclass

import psutil
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from alma import liveness
from alma.accounts.models import ApiKey
from alma.errors import Invalid, NotFound, Refused, WrongState
from instances.models import LOST_AFTER, Instance, Node

OWN = "main"
"""The machine of an installation on one machine: it needs neither to be added nor a token."""
MOST = 200
_PAUSE = 0.5


def add(name: str, address: str) -> str:
    """A new machine; the token that its supervisor has to show, which is not kept. Raises Invalid, WrongState."""
    token = secrets.token_urlsafe(32)
    node = Node(name=name, address=address, token_hash=ApiKey.digest_of(token))
    try:
        node.full_clean(validate_unique=False, validate_constraints=False)
        node.save()
    except ValidationError as error:
        raise Invalid(" ".join(f"{field}: {words[0]}" for field, words in error.message_dict.items())) from error
    except IntegrityError as error:
        raise WrongState(f"There is a node {name} already.", code="NODE_EXISTS") from error
    return token


def remove(name: str) -> None:
    """Forget a machine that has no instances. Raises NotFound, WrongState."""
    node = find(name)
    if Instance.objects.filter(node=name).exists():
        raise WrongState(f"The node {name} has instances; delete them first.", code="NODE_IN_USE")
    node.delete()


def find(name: str) -> Node:
    """The machine of that name. Raises NotFound."""
    node = Node.objects.filter(name=name).first() if "\0" not in name else None
    if node is None:
        raise NotFound(f"There is no node {name[:64]}.", code="NODE_NOT_FOUND")
    return node


def refuse_unknown(name: str) -> None:
    """Nothing for a machine that instances can be placed on, this one without a name among them. Raises Invalid."""
    if name not in {"", settings.ALMA_NODE} and not _is_there(name):
        raise Invalid(f"There is no node {name[:64]}.", code="NODE_NOT_FOUND")


def choices() -> list[tuple[str, str]]:
    """The machines that people choose from, this one first; one that is away says so."""
    there = {node.name: f"{node.name} (away)" if node.is_lost else node.name for node in Node.objects.all()[:MOST]}
    own = settings.ALMA_NODE
    return [(own, own), *((name, label) for name, label in there.items() if name != own)]


def _is_there(name: str) -> bool:
    return "\0" not in name and Node.objects.filter(name=name).exists()


@dataclass(frozen=True)
class Claim:
    """A supervisor that has a machine, and tells that it lives. Two never have the same one at a time."""

    name: str
    holder: str
    ask_port: int | None = None

    def keep(self) -> Node | None:
        """Show life and what is free; the row, or None when another supervisor has taken the machine over."""
        memory = psutil.virtual_memory()
        figures = {
            "seen_at": timezone.now(), "version": settings.ALMA_VERSION, "cpu_count": psutil.cpu_count(),
            "cpu_percent": psutil.cpu_percent(), "memory_bytes": memory.total, "memory_free_bytes": memory.available,
            "ask_port": self.ask_port,
        }  # fmt: skip
        rows = Node.objects.filter(name=self.name, holder=self.holder)
        return rows.get() if rows.update(**figures) else None


def claim(name: str, token: str) -> Claim:
    """Have a machine. One that another supervisor has, or had a moment ago, is waited for. Raises NotFound, Refused,
    WrongState."""
    if name == OWN:
        Node.objects.get_or_create(name=OWN)
    node = find(name)
    if node.token_hash and not constant_time_compare(node.token_hash, ApiKey.digest_of(token)):
        raise Refused(f"ALMA_NODE_TOKEN is not the token of the node {name}.", code="WRONG_NODE_TOKEN")
    mine = Claim(name, f"{socket.gethostname()}:{settings.ALMA_DATA_DIR}"[:300])
    deadline = time.monotonic() + LOST_AFTER.total_seconds() + 2
    while not _taken(mine):
        if time.monotonic() > deadline:
            raise WrongState(f"Another supervisor looks after the node {name}.", code="NODE_TAKEN")
        liveness.show_life()
        time.sleep(_PAUSE)
    return mine


def _taken(claim: Claim) -> bool:
    is_free = Q(holder__in=("", claim.holder)) | Q(seen_at=None) | Q(seen_at__lt=timezone.now() - LOST_AFTER)
    return bool(Node.objects.filter(is_free, name=claim.name).update(holder=claim.holder, seen_at=timezone.now()))
