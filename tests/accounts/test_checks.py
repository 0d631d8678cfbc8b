"""What an operator is told of rules that are looser than they should be."""

from pathlib import Path

import pytest
from django.conf import settings as configured
from pytest_django import Settings

from alma.accounts.checks import RELAXATIONS, Relaxation, open_to_the_network, relaxed_rules

DOCUMENTED = Path(configured.BASE_DIR, "docs", "operations.md").read_text(encoding="utf-8")


def tighten(settings: Settings) -> None:
    for rule in RELAXATIONS:
        setattr(settings, rule.setting, not rule.is_loose_when)


@pytest.mark.parametrize("rule", RELAXATIONS, ids=lambda rule: rule.setting)
def test_each_rule_that_is_loose_is_named(settings: Settings, rule: Relaxation) -> None:
    tighten(settings)
    assert relaxed_rules() == []
    setattr(settings, rule.setting, rule.is_loose_when)
    (message,) = relaxed_rules()
    assert rule.setting in message.msg
    assert rule.setting in str(message.hint)
    assert message.id == rule.id


def test_each_rule_stands_in_the_table_for_operators() -> None:
    rows = [f"| `{rule.setting}={'yes' if rule.is_loose_when else 'no'}` |" for rule in RELAXATIONS]
    assert [row for row in rows if row not in DOCUMENTED] == []
    assert len({rule.id for rule in RELAXATIONS}) == len(RELAXATIONS)


@pytest.mark.parametrize(
    ("host", "is_behind_proxy", "is_refused"),
    [("127.0.0.1", False, False), ("127.0.0.1", True, True), ("0.0.0.0", False, True), ("::1", False, False)],
)
def test_without_authentication_alma_serves_its_own_machine_alone(
    settings: Settings, host: str, is_behind_proxy: bool, is_refused: bool
) -> None:
    settings.ALMA_HTTP_HOST, settings.ALMA_BEHIND_PROXY = host, is_behind_proxy
    assert open_to_the_network() == []
    settings.ALMA_AUTH_ENABLED = False
    assert [message.id for message in open_to_the_network()] == (["accounts.E003"] if is_refused else [])
