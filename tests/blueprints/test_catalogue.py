"""Templates: what they make, what can be chosen, and that choosing changes no template."""

from typing import Any

import pytest

from alma.errors import Invalid, NotFound
from blueprints import catalogue
from blueprints.catalogue.figures import Figures, cost_range, figures_of
from blueprints.schema import expand
from iprs.planner import draft_plan
from tests.iprs.test_planner_requests import TARGET, large_cluster

DOCUMENTED = {
    "simple-web-app", "ha-web-app", "microservices-k8s", "postgres-ha", "data-pipeline", "ml-training",
    "zero-trust-network", "observability-stack", "api-gateway", "redis-cluster",
}  # fmt: skip
ALL = list(catalogue.all_templates().values())
each = pytest.mark.parametrize("template", ALL, ids=lambda template: template.id)
COMMON = {"instance_count": 5, "cpu_per_instance": 3, "memory_per_instance": "6GB", "environment": "staging"}


def rendered(template_id: str, /, **given: Any) -> dict[str, Any]:
    return catalogue.render(catalogue.find(template_id), given).as_dict()


def test_the_documented_ones_come_first() -> None:
    assert [template.id for template in ALL][:10] == [one.id for one in ALL if one.id in DOCUMENTED]
    assert len(ALL) > len(DOCUMENTED)


@each
def test_it_takes_the_documented_parameters(template: catalogue.Template) -> None:
    before = template.model_dump_json()
    given = {**COMMON, "instance_count": max(5, template.parameters["instance_count"].minimum or 0)}  # type: ignore[type-var]
    machines = expand(catalogue.render(template, given)).machines
    sized = [one for one in machines if (one.cores, one.memory_bytes) == (3, 6 * 1024**3)]
    assert len(sized) == given["instance_count"]
    assert catalogue.render(template, given).metadata["environment"] == "staging"
    assert template.model_dump_json() == before


@each
def test_its_words_are_used_and_its_references_known(template: catalogue.Template) -> None:
    """Every parameter changes something, so that nobody turns a knob that is connected to nothing."""
    plain = catalogue.render(template)
    for parameter in template.parameters.values():
        other = {
            "integer": parameter.maximum, "size": "77GB", "switch": not parameter.default, "word": "testing", "label": "zz",
            "title": "Other", "address": "10.9.0.10/24", "host": "10.9.0.1", "choice": parameter.choices[-1] if parameter.choices else "",
        }[parameter.kind]  # fmt: skip
        with_it = {"first_address": "10.9.0.10/24"} if parameter.name == "gateway" else {}
        before = catalogue.render(template, with_it).digest() if with_it else plain.digest()
        assert catalogue.render(template, {**with_it, parameter.name: other}).digest() != before, parameter.name


@each
def test_every_value_has_its_cause(template: catalogue.Template) -> None:
    document = catalogue.render(template, {"prefix": "shop", "vlan": 30})
    causes: Any = document.metadata["causes"]
    for resource in document.resources:
        assert set(resource.as_given()["specs"]) <= set(causes[resource.name])
        assert causes[resource.name]["network"] == {"parameter": "vlan", "value": 30, "chosen": True}


@each
def test_complexity_is_the_same_counted_by_resources_or_by_machines(template: catalogue.Template) -> None:
    document = catalogue.render(template)
    by_resources = Figures(len(document.resources), 0, 0, "USD").complexity
    assert figures_of(document).complexity == by_resources


@pytest.mark.parametrize(("count", "words"), [(1, "low"), (3, "low"), (4, "medium"), (10, "medium"), (11, "high")])
def test_complexity_follows_the_documented_limits(count: int, words: str) -> None:
    assert Figures(count, 0, 0.0, "USD").complexity == words


def test_a_cost_range_is_rounded_outward() -> None:
    assert cost_range(Figures(1, 0, 21.2, "USD"), Figures(2, 0, 141.0, "USD")) == "$20-150/month"
    assert cost_range(Figures(1, 0, 1940.0, "CHF"), Figures(2, 0, 2100.0, "CHF")) == "1900-2100 CHF/month"


def test_what_is_switched_off_is_gone_with_everything_that_leans_on_it() -> None:
    with_cache, without = rendered("ha-web-app"), rendered("ha-web-app", with_cache=False, backup_days=0)
    assert {row["name"] for row in with_cache["resources"]} - {row["name"] for row in without["resources"]} == {"cache"}
    assert [row["dependencies"] for row in without["resources"] if row["name"] == "web"] == [["db"]]
    assert not any("backup" in row["specs"] for row in without["resources"])


def test_a_prefix_is_put_before_every_name() -> None:
    document = rendered("api-gateway", prefix="shop")
    assert all(row["name"].startswith("shop-") for row in document["resources"])
    entry = next(row for row in document["resources"] if row["name"] == "shop-entry")
    assert entry["dependencies"] == ["shop-gateway"]


@pytest.mark.parametrize(
    ("first", "gateway", "addresses"),
    [
        ("10.0.30.10/24", None, ["10.0.30.10/24", "10.0.30.11/24", "10.0.30.12/24"]),
        ("10.0.30.10/24", "10.0.30.11", ["10.0.30.10/24", "10.0.30.12/24", "10.0.30.13/24"]),
        ("10.0.30.1/29", "10.0.30.6", ["10.0.30.1/29", "10.0.30.2/29", "10.0.30.3/29"]),
        ("10.0.0.254/23", None, ["10.0.0.254/23", "10.0.0.255/23", "10.0.1.0/23"]),
        ("2001:db8::a/64", "2001:db8::1", ["2001:db8::a/64", "2001:db8::b/64", "2001:db8::c/64"]),
    ],
)
def test_machines_have_one_address_after_the_other(first: str, gateway: str | None, addresses: list[str]) -> None:
    given = {"instance_count": 3, "first_address": first, "gateway": gateway, "bridge": "vmbr1", "vlan": 30}
    document = catalogue.render(catalogue.find("simple-web-app"), given)
    cards = [machine.nics[0] for machine in expand(document).machines]
    assert [card.ip for card in cards] == addresses
    assert {(card.gateway, card.bridge, card.vlan) for card in cards} == {(gateway, "vmbr1", 30)}


@each
@pytest.mark.parametrize("which", [0, 1])
def test_the_smallest_and_the_largest_are_planned_and_priced(template: catalogue.Template, which: int) -> None:
    """On a cluster that is large enough. A GPU is the one thing that waits for a person."""
    given = limits(template, which) | {"first_address": "10.0.0.10/22", "gateway": "10.0.0.1"}
    document = catalogue.render(template, given)
    machines = expand(document).machines
    draft = draft_plan(document, large_cluster({str(m.image) for m in machines if m.image}, 2**17), (), TARGET)
    assert [problem for problem in draft.problems if "GPU" not in problem] == []
    assert draft.summary() == {"create": len(machines)}
    assert figures_of(document).cost > 0
    assert len({machine.nics[0].ip for machine in machines}) == len(machines)


def limits(template: catalogue.Template, which: int) -> dict[str, Any]:
    """The smallest, or the largest value of each parameter."""
    return {
        one.name: {
            "integer": (one.minimum, one.maximum)[which], "size": (one.minimum, one.maximum)[which], "switch": bool(which),
            "choice": one.choices[-which] if one.choices else "", "label": "a" * (1, 20)[which], "word": "a" * (1, 50)[which],
            "title": "a" * (1, 100)[which],
        }[one.kind]
        for one in template.parameters.values() if one.kind not in {"address", "host"} and one.name != "bridge"
    }  # fmt: skip


def test_text_that_looks_like_a_template_stays_text() -> None:
    assert rendered("simple-web-app", name="a $instance_count b")["name"] == "a $instance_count b"


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"instance_count": 0}, "instance_count", "1 to 50"),
        ({"instance_count": True}, "instance_count", "whole number"),
        ({"instance_count": "3"}, "instance_count", "whole number"),
        ({"instance_count": 10**30}, "instance_count", "1 to 50"),
        ({"memory_per_instance": 8}, "memory_per_instance", "no unit"),
        ({"memory_per_instance": "1MB"}, "memory_per_instance", "512MB to 1TB"),
        ({"memory_per_instance": ["8GB"]}, "memory_per_instance", "size"),
        ({"os": "windows"}, "os", "one of debian-12"),
        ({"environment": "a b"}, "environment", "word"),
        ({"environment": {"a": 1}}, "environment", "word"),
        ({"vlan": 5000}, "vlan", "1 to 4094"),
        ({"vlan": 0}, "vlan", "1 to 4094"),
        ({"bridge": "vm br0"}, "bridge", "letters"),
        ({"first_address": "10.0.0.5"}, "first_address", "with its network"),
        ({"first_address": "10.0.0.0/24"}, "first_address", "of a host in 10.0.0.0/24"),
        ({"first_address": "10.0.0.255/24"}, "first_address", "of a host"),
        ({"first_address": "10.0.0.300/24"}, "first_address", "not an address"),
        ({"first_address": 5}, "first_address", "with its network"),
        ({"first_address": "10.0.0.254/24", "instance_count": 2}, "first_address", "room for 1 machines"),
        ({"first_address": "10.0.0.5/24", "gateway": "10.0.1.1"}, "gateway", "must be in 10.0.0.0/24"),
        ({"first_address": "10.0.0.5/24", "gateway": "::1"}, "gateway", "must be in"),
        ({"gateway": "10.0.0.1"}, "gateway", "choose first_address"),
        ({"first_address": "10.0.0.5/24", "gateway": "x"}, "gateway", "not an address"),
        ({"prefix": "-x"}, "prefix", "letters"),
        ({"name": 5}, "name", "text"),
        ({"cpu_per_instnce": 2}, "cpu_per_instnce", 'did you mean "cpu_per_instance"'),
    ],
)
def test_a_choice_that_cannot_be_is_refused_by_name(given: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        rendered("simple-web-app", **given)
    (fault,) = caught.value.details or ()
    assert fault["field"] == f"parameters.{field}"
    assert words in fault["message"]


def test_an_unknown_template_names_the_nearest() -> None:
    with pytest.raises(NotFound, match='did you mean "ha-web-app"'):
        catalogue.find("ha-webapp")
