"""Documents that stand in a question without a fence: a blueprint, two of them, or an inventory from elsewhere."""

import json
from typing import Any

import pytest

from blueprints.tools import execute
from blueprints.tools.choosing import choose
from tests.factories.accounts import make_actor, make_organization

pytestmark = pytest.mark.django_db
SHOP = "name: shop\nresources:\n  - name: web\n    type: vm\n    specs: {cpu: 2, memory: 4GB}\n"
TWICE = SHOP.replace("cpu: 2", "cpu: 4")
SHOP_JSON = json.dumps({"name": "shop", "resources": [{"name": "web", "type": "vm", "specs": {"cpu": 2}}]})
MACHINES = [{"name": "mail", "cpu": 4, "memory": "8GB", "disk": "200GB"}, {"name": "erp", "cpu": 8, "memory": "32GB"}]


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        (f"Is this valid?\n{SHOP}", "validate_blueprint"),
        (f"Is this valid?\n\n{SHOP}\nThanks a lot!", "validate_blueprint"),
        (f"Ist das gültig?\n    {SHOP.replace(chr(10), chr(10) + '    ')}", "validate_blueprint"),
        (f"Is this valid? {SHOP_JSON} Thank you.", "validate_blueprint"),
        (f"Is this secure?\n{SHOP}", "security_audit"),
        (f"note: it is urgent\n\nEst-ce que c'est sûr, la sécurité ?\n{SHOP}", "security_audit"),
        (f"{SHOP}\n\nwhat is too expensive here, make it cheaper", "optimize_costs"),
        (f"Compare\n{SHOP}\nand\n{TWICE}", "compare_blueprints"),
        (f"Compare {SHOP_JSON} and {SHOP_JSON}", "compare_blueprints"),
    ],
)
def test_a_blueprint_among_words_is_what_the_question_is_about(question: str, tool: str) -> None:
    make_organization()
    choice = choose(question, {}, by=make_actor())
    assert choice.tool == tool
    assert execute(choice.tool, choice.arguments, by=make_actor()).summary


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (json.dumps(MACHINES), MACHINES),
        (json.dumps({"vms": MACHINES}, indent=2), MACHINES),
        ("machines:\n- {name: mail, cpu: 4, memory: 8GB, disk: 200GB}\n- name: erp\n  cpu: 8\n  memory: 32GB\n", MACHINES),
        ("- name: mail\n  vcpus: 4\n  ram_gb: 8\n  storage: 200\n- name: erp\n  vCPU: 8\n  memory_mb: 32768\n",
         [MACHINES[0], {"name": "erp", "cpu": 8, "memory": "32768MB"}]),
        ('[{"Name": "mail"}]', None),
        ('[{"name": "mail", "cpu": 4, "PowerState": "poweredOff", "Folder": "office"}]',
         [{"name": "mail", "cpu": 4, "group": "office", "is_running": False}]),
    ],
)  # fmt: skip
def test_an_inventory_among_words_is_what_is_migrated(text: str, wanted: list[dict[str, Any]] | None) -> None:
    choice = choose(f"We leave VMware. How would these move?\n{text}\nBest regards", {}, by=make_actor())
    assert choice.tool == "migrate_infrastructure"
    assert choice.arguments.get("inventory") == wanted


def test_a_blueprint_among_words_is_compared_with_a_saved_one() -> None:
    choice = choose(f"Compare this with blueprint 3:\n{SHOP}", {}, by=make_actor())
    assert (choice.tool, choice.arguments["other_blueprint_id"]) == ("compare_blueprints", 3)
    assert choice.arguments["blueprint"].startswith("name: shop")


def test_what_is_wrong_among_words_is_said_with_its_line() -> None:
    wrong = SHOP.replace("cpu: 2", "cpu: two")
    choice = choose(f"Is this valid?\n{wrong}", {}, by=make_actor())
    (fault,) = execute(choice.tool, choice.arguments, by=make_actor()).model_dump()["errors"]
    assert (fault["field"], fault["line"]) == ("specs.cpu", 5)
