"""What an installation needs before others, such as systemd, start its roles."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from alma.accounts.models import Environment, Organization
from vms.models import Cluster

pytestmark = pytest.mark.django_db


def prepare() -> str:
    output = StringIO()
    call_command("prepare", stdout=output)
    return output.getvalue()


def test_a_production_installation_has_an_admin_and_no_sandbox(tmp_path: Path, settings: Settings) -> None:
    settings.ALMA_DATA_DIR, settings.STATIC_ROOT = tmp_path / "data", tmp_path / "data" / "static"
    settings.ALMA_ROLES = ["web", "worker", "reconciler"]
    Organization.objects.all().delete()

    said = prepare()

    path = tmp_path / "data" / "bootstrap.json"
    assert str(path) in said
    assert path.stat().st_mode & 0o777 == 0o600
    known = json.loads(path.read_text())
    assert set(known) == {"username", "password", "api_key", "inference_key", "url"}
    assert User.objects.get(username=known["username"]).check_password(known["password"])
    assert Environment.objects.count() == 3
    assert not Cluster.objects.exists()

    prepare()
    assert json.loads(path.read_text()) == known  # once


def test_with_the_sandbox_there_is_a_cluster_to_try_it_on(tmp_path: Path, settings: Settings) -> None:
    settings.ALMA_DATA_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    Organization.objects.all().delete()
    prepare()
    assert Cluster.objects.get().is_sandbox
    assert json.loads((tmp_path / "bootstrap.json").read_text())["sandbox_url"].startswith("https://")
