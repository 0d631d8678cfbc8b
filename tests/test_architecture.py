"""The architecture holds in every module, and each rule notices when it does not."""

from collections.abc import Callable, Iterator

import pytest

from tests import architecture
from tests.source import ROOT, Module, module_of, modules, snippet

Rule = Callable[[Module], Iterator[str]]
RULES: list[Rule] = [
    architecture.wiring_imports,
    architecture.climbing_imports,
    architecture.climbing_kernel_imports,
    architecture.hidden_imports,
    architecture.crossing_imports,
    architecture.web_in_domain,
    architecture.environment_reads,
    architecture.state_writes,
    architecture.signals_between_apps,
]
BREACHES: list[tuple[Rule, str, str]] = [
    (architecture.wiring_imports, "iprs.services", "from alma.settings import DEBUG"),
    (architecture.wiring_imports, "vms.models", "from alma import overview"),
    (architecture.climbing_imports, "alma.jobs.engine", "import iprs.models"),
    (architecture.climbing_imports, "vms.steps.create", "from blueprints.models import Blueprint"),
    (architecture.climbing_imports, "blueprints.services", "def late():\n    from iprs import services"),
    (architecture.climbing_kernel_imports, "alma.events.services", "from alma.jobs.models import Job"),
    (architecture.climbing_kernel_imports, "alma.accounts.keys", "from alma import api"),
    (architecture.climbing_kernel_imports, "alma.brandnew", "import json"),
    (architecture.hidden_imports, "vms.models", "def late():\n    import json"),
    (architecture.hidden_imports, "vms.models", "from vms.claims import *"),
    (architecture.hidden_imports, "vms.models", "from . import claims"),
    (architecture.crossing_imports, "iprs.planning", "from blueprints.views import detail"),
    (architecture.crossing_imports, "iprs.planning", "from blueprints import serializers"),
    (architecture.crossing_imports, "iprs.planning", "from vms.proxmox._wire import call"),
    (architecture.crossing_imports, "alma.jobs.engine", "from alma.events.services import _locked"),
    (architecture.web_in_domain, "iprs.services.opening", "from django.http import Http404"),
    (architecture.web_in_domain, "alma.jobs.engine", "from rest_framework.response import Response"),
    (architecture.environment_reads, "alma.settings", "import os\nDEBUG = os.environ['DEBUG']"),
    (architecture.environment_reads, "vms.models", "import os\nos.getenv('HOME')"),
    (architecture.environment_reads, "vms.models", "from os import environ"),
    (architecture.environment_reads, "alma.asgi", "import os\nos.environ['DEBUG']"),
    (architecture.state_writes, "iprs.services.opening", "def open_ipr(ipr):\n    ipr.status = 'approved'"),
    (architecture.state_writes, "iprs.services.opening", "def f(rows):\n    rows.update(state='done')"),
    (architecture.signals_between_apps, "iprs.apps", "from django.db.models.signals import post_save"),
    (architecture.signals_between_apps, "vms.apps", "from django.dispatch import receiver"),
]
KEPT: list[tuple[Rule, str, str]] = [
    (architecture.climbing_imports, "iprs.services", "from alma.jobs.models import Job\nfrom vms.models import Guest"),
    (architecture.climbing_imports, "alma.overview", "from iprs.models import IPR"),
    (
        architecture.climbing_kernel_imports,
        "alma.htmx",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from alma.accounts.actors import Actor",
    ),
    (architecture.crossing_imports, "iprs.planning", "from blueprints.models import Blueprint"),
    (architecture.web_in_domain, "iprs.views", "from django.shortcuts import render"),
    (architecture.environment_reads, "alma.asgi", "import os\nos.environ.setdefault('A', 'b')"),
    (architecture.state_writes, "iprs.models.ipr", "class IPR:\n    def move(self, to):\n        self.status = to"),
]


def _named(rows: list[tuple[Rule, str, str]]) -> list[str]:
    return [f"{rule.__name__}-{name}" for rule, name, _ in rows]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps(rule: Rule) -> None:
    assert len(modules()) > 100
    assert [breach for module in modules() for breach in rule(module)] == []


def test_manage_reads_no_environment() -> None:
    assert list(architecture.environment_reads(module_of(ROOT / "manage.py"))) == []


@pytest.mark.parametrize(("rule", "name", "source"), BREACHES, ids=_named(BREACHES))
def test_rule_notices(rule: Rule, name: str, source: str) -> None:
    assert list(rule(snippet(name, source)))


@pytest.mark.parametrize(("rule", "name", "source"), KEPT, ids=_named(KEPT))
def test_rule_allows(rule: Rule, name: str, source: str) -> None:
    assert list(rule(snippet(name, source))) == []


def test_every_rule_is_shown_to_notice() -> None:
    assert {rule for rule, _, _ in BREACHES} == set(RULES)
