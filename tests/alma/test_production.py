"""What an operator runs before the first start on a public address."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source import ROOT


def manage(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALMA_")}
    values = {**kept, "ALMA_DATA_DIR": str(tmp_path), **environment}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=values, capture_output=True, text=True, timeout=60
    )


def test_check_deploy_is_clean_on_a_public_address(tmp_path: Path) -> None:
    public = {"ALMA_HTTP_HOST": "0.0.0.0", "ALMA_ALLOWED_HOSTS": "alma.example.org", "ALMA_BEHIND_PROXY": "yes"}
    answer = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **public)
    assert answer.returncode == 0, answer.stderr
    assert "no issues" in answer.stdout


@pytest.mark.parametrize(("tls", "prefix"), [("yes", "__Host-"), ("no", "")])
def test_where_tls_is_on_no_other_host_can_set_our_cookies(tmp_path: Path, tls: str, prefix: str) -> None:
    asked = "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE)"
    answer = manage(tmp_path, "shell", "--verbosity=0", "-c", asked, ALMA_TLS=tls)
    assert answer.stdout.split() == [f"{prefix}sessionid", f"{prefix}csrftoken", str(tls == "yes")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALMA_HTTP_PORT", "http"), ("ALMA_LEASE_SECONDS", "1"), ("ALMA_DEBUG", "perhaps"), ("ALMA_DATABASE_URL", "x")],
)
def test_a_bad_value_stops_the_start_with_a_sentence_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    answer = manage(tmp_path, "check", **{name: value})
    assert answer.returncode != 0
    assert name in answer.stderr
    assert "ImproperlyConfigured" in answer.stderr


def test_a_lease_that_a_call_could_outlive_stops_the_start(tmp_path: Path) -> None:
    answer = manage(tmp_path, "check", ALMA_CLUSTER_TOTAL_SECONDS="120")
    assert answer.returncode != 0
    assert "jobs.E003" in answer.stderr
    assert "jobs.E004" in answer.stderr


def test_the_secret_key_is_made_once_for_its_owner(tmp_path: Path) -> None:
    assert manage(tmp_path, "check").returncode == 0
    first = (tmp_path / "secret_key").read_text()
    assert manage(tmp_path, "check").returncode == 0
    assert (tmp_path / "secret_key").read_text() == first
