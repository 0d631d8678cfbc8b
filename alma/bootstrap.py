"""The first start: an organization, its environments, an admin, keys; with the sandbox its cluster, and an IPR to look at."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from alma.accounts.actors import Actor, for_service
from alma.accounts.models import ApiKey, Environment, Membership, Organization, Project
from alma.accounts.scopes import INFERENCE, SERVICE
from blueprints import services as blueprints
from instances.tiny import model as tiny
from iprs import services as iprs
from vms.models import Cluster
from vms.sandbox import credentials as sandbox
from vms.sandbox.core.seed import ENCRYPTING_STORAGE
from vms.services import register_cluster

ORGANIZATION = "default"
ADMIN = "admin"
ENVIRONMENTS = (
    {"slug": "development", "name": "Development", "required_approvals": 0, "is_protected": False},
    {"slug": "staging", "name": "Staging", "required_approvals": 1, "is_protected": False},
    {"slug": "production", "name": "Production", "required_approvals": 1, "is_protected": True},
)
EXAMPLE = {
    "version": "1.0",
    "name": "team-wiki",
    "description": "A wiki behind a reverse proxy, with its own database.",
    "resources": [
        {
            "name": "wiki-db",
            "type": "vm",
            "specs": {"cpu": 2, "memory": "4GB", "disk": "40GB", "os": "debian-12", "role": "database"},
        },
        {
            "name": "wiki-app",
            "type": "vm",
            "specs": {"cpu": 2, "memory": "2GB", "disk": "20GB", "os": "debian-12", "role": "app"},
            "dependencies": ["wiki-db"],
        },
        {
            "name": "wiki-proxy",
            "type": "vm",
            "specs": {"cpu": 1, "memory": "1GB", "disk": "10GB", "os": "debian-12", "role": "load_balancer"},
            "dependencies": ["wiki-app"],
        },
    ],
    "metadata": {"owner": "platform", "environment": "staging"},
}


def run() -> dict[str, Any]:
    """Bring the installation to its first usable state; does nothing that was done before. Returns bootstrap.json."""
    path = settings.ALMA_DATA_DIR / "bootstrap.json"
    organization, is_new = _organization()
    simulator = _sandbox(organization) if "sandbox" in settings.ALMA_ROLES else {}
    if is_new and simulator:
        _example(organization)
    known = json.loads(path.read_text()) if path.exists() else _issue(organization)
    if "instances" in settings.ALMA_ROLES and not settings.ALMA_MODELS_DIR.exists():
        _tiny_model()
    url = f"http://{settings.ALMA_HTTP_HOST}:{settings.ALMA_HTTP_PORT}"
    content = {**known, "url": url, **simulator}
    if not path.exists() or content != json.loads(path.read_text()):
        _write(path, content)
    return content


def _organization() -> tuple[Organization, bool]:
    with transaction.atomic():
        organization, is_new = Organization.objects.get_or_create(slug=ORGANIZATION, defaults={"name": "Default"})
        if is_new:
            Project.objects.create(organization=organization, slug="default", name="Default")
            for position, values in enumerate(ENVIRONMENTS):
                Environment.objects.create(organization=organization, position=position, **values)
    return organization, is_new


def _tiny_model() -> None:
    """A model to try instances with, so that the folder of models is not empty."""
    settings.ALMA_MODELS_DIR.mkdir(parents=True)
    tiny.write(settings.ALMA_MODELS_DIR / "tiny.gguf")


def _sandbox(organization: Organization) -> dict[str, str]:
    """The simulator as a cluster; what bootstrap.json says of it."""
    known = sandbox.ensure(settings.ALMA_DATA_DIR)
    _cluster(organization, known)
    return _sandbox_part(known)


def _cluster(organization: Organization, known: sandbox.SandboxCredentials) -> None:
    """The sandbox as a cluster like any other, with its address of this start."""
    wanted: dict[str, Any] = {
        "name": "Sandbox",
        "host": settings.ALMA_SANDBOX_HOST,
        "port": settings.ALMA_SANDBOX_PORT,
        "token_id": known.token_id,
        "ca_pem": Path(known.ca_path).read_text(),
        "is_sandbox": True,
    }
    row = Cluster.objects.filter(organization=organization, slug="sandbox").first()
    wanted["encrypting_storages"] = sorted({*(row.encrypting_storages if row else ()), ENCRYPTING_STORAGE})
    if row is None or any(getattr(row, name) != value for name, value in wanted.items()):
        register_cluster(organization_id=organization.pk, slug="sandbox", token_secret=known.token_secret, **wanted)


def _example(organization: Organization) -> None:
    """A blueprint and an IPR that waits for review, so that no first page is empty."""
    actor = Actor(organization.pk, "ALMA demo", for_service("").scopes)
    blueprint = blueprints.create(EXAMPLE, by=actor)
    iprs.open_ipr(
        blueprint, by=actor, title="Set up the team wiki",
        description="Three small machines on the sandbox: try the review, approve it, and watch it being built.",
        environment=Environment.objects.get(organization=organization, slug="staging"),
        changes_summary={"added": ["wiki-db", "wiki-app", "wiki-proxy"], "removed": [], "modified": []},
    )  # fmt: skip


@transaction.atomic
def _issue(organization: Organization) -> dict[str, str]:
    """Credentials for a person, for programs, and for users of models; also when the file was lost."""
    password = secrets.token_urlsafe(12)
    admin, _ = User.objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    admin.set_password(password)
    admin.save()
    Membership.objects.get_or_create(organization=organization, user=admin, defaults={"role": Membership.Role.ADMIN})
    _, api_key = ApiKey.mint(organization, "Management key", SERVICE)
    _, inference_key = ApiKey.mint(organization, "Inference key", INFERENCE)
    return {"username": ADMIN, "password": password, "api_key": api_key, "inference_key": inference_key}


def _sandbox_part(known: sandbox.SandboxCredentials) -> dict[str, str]:
    return {
        "sandbox_url": f"https://{settings.ALMA_SANDBOX_HOST}:{settings.ALMA_SANDBOX_PORT}",
        "sandbox_user": known.user,
        "sandbox_password": known.password,
        "sandbox_token": f"{known.token_id}={known.token_secret}",
        "sandbox_node": "pve1",
        "sandbox_storage": "local-lvm",
        "sandbox_ca": known.ca_path,
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, for the owner's eyes only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
