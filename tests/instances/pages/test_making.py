"""Making an instance and changing one: fields, pasted commands, options as the program describes them, and the export."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.models import Organization
from instances import services
from instances.backends.helptext import read
from instances.models import LOST_AFTER, Instance, Node
from tests.factories.accounts import make_actor, make_organization, make_user
from tests.factories.instances import make_instance
from tests.instances.llama import HELP

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("models")]
FIELDS: dict[str, Any] = {
    "name": "coder", "backend": "llama_cpp", "model": "tiny.gguf", "options": "ctx-size: 4096\n--parallel 2\ncont_batching",
    "group": "small", "aliases": "gpt-4o-mini, a/b", "concurrency": "", "idle_seconds": "60", "stop_seconds": "30",
    "max_restarts": "3", "restart_seconds": "5", "is_pinned": "on", "request_defaults": "temperature: 0.5\nstop: END",
}  # fmt: skip


def test_form_makes_an_instance_as_it_was_filled_in(site: Client) -> None:
    answer = site.post("/instances/new/", {**FIELDS, "action": "start"})
    assert answer.headers["Location"] == "/instances/coder/"
    one = Instance.objects.get()
    assert one.options == {"ctx_size": 4096, "parallel": 2, "cont_batching": True}
    assert (one.wanted, one.group, one.aliases) == ("running", "small", ["gpt-4o-mini", "a/b"])
    assert (one.is_pinned, one.starts_on_demand, one.idle_seconds, one.concurrency) == (True, False, 60, None)
    assert one.request_defaults == {"temperature": 0.5, "stop": "END"}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": "no way"}, "name", "Letters, digits, dots"),
        ({"name": "new"}, "name", "is a route"),
        ({"name": "there"}, "name", "There is an instance there already"),
        ({"name": ""}, "name", "required"),
        ({"model": "../etc/passwd"}, "model", "no «..»"),
        ({"model": "none.gguf"}, "model", "There is no model none.gguf"),
        ({"options": "api_key: mine"}, "options", "a key of its own"),
        ({"options": "ctx_sice: 1"}, "options", "did you mean ctx_size"),
        ({"options": "ctx_size: many"}, "options", "must be a whole number"),
        ({"options": "ctx_size: 1\nctx_size: 2"}, "options", "stands there twice"),
        ({"options": "= 4"}, "options", "is no name with a value"),
        ({"aliases": "..,b"}, "aliases", "Letters, digits and"),
        ({"request_defaults": "model: other"}, "request_defaults", "cannot be preset"),
        ({"idle_seconds": "-1"}, "idle_seconds", "greater than or equal to 0"),
        ({"model": "a\0b"}, "model", "Null characters"),
        ({"backend": "vllm"}, "backend", "not set up here"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    site: Client, organization: Organization, change: dict[str, str], field: str, words: str
) -> None:
    make_instance("there", organization=organization)
    answer = site.post("/instances/new/", FIELDS | change)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert Instance.objects.count() == 1


def test_config_is_changed_and_what_is_not_written_any_more_goes(site: Client, organization: Organization) -> None:
    one = make_instance("one", organization=organization, options={"ctx_size": 512, "threads": 1}, status="running")
    page = site.get("/instances/one/config/").content.decode()
    assert "ctx_size: 512\nthreads: 1" in page and 'name="name"' not in page
    wish = {name: value for name, value in FIELDS.items() if name not in {"name", "backend"}}
    answer = site.post("/instances/one/config/", wish | {"options": "ctx_size: 1024"}, follow=True)
    assert "until it is restarted" in answer.content.decode()
    one.refresh_from_db()
    assert (one.options, one.name, one.backend) == ({"ctx_size": 1024}, "one", "llama_cpp")


def test_command_fills_the_fields_and_names_what_is_left_out(site: Client, organization: Organization) -> None:
    command = "LLAMA_X=1 llama-server -m 'big model.gguf' -c 4096 --temp 0 --host 0.0.0.0 --slots"
    page = site.post("/instances/new/", {"action": "paste", "command": command, "name": "coder"})
    form = page.context["form"]
    assert (form["model"].value(), form["options"].value()) == ("big model.gguf", "ctx_size: 4096\ntemp: 0.0")
    assert form["name"].value() == "coder"
    words = page.content.decode()
    assert "--host" in words and "listen on this machine alone" in words
    wrong = site.post("/instances/new/", {"action": "paste", "command": "llama-server --ctx-sise 4"}).content.decode()
    assert "is not a known option" in wrong
    assert Instance.objects.count() == 0


def test_options_are_described_by_the_program(site: Client) -> None:
    page = site.get("/instances/new/options/?option=ctx-size").content.decode()
    assert "ctx_size" in page and "size of the prompt context" in page and "n_cpu_moe" not in page
    assert "model_url" not in site.get("/instances/new/options/?backend=none").content.decode()
    assert "not set up here" in site.get("/instances/new/options/?backend=vllm").content.decode()
    part = site.get("/instances/new/options/?option=zzz", headers={"HX-Request": "true"}).content.decode()
    assert "No option fits" in part and "<html" not in part


def test_explanations_are_read_over_several_lines() -> None:
    about = {option.flag: option.about for option in read(HELP).options}
    assert about["--threads"].startswith("number of CPU threads") and "LLAMA_ARG_THREADS" in about["--threads"]
    assert about["--kv-offload"].startswith("whether to enable KV cache offloading")
    assert "sampling params" not in about["--log-file"]


def test_export_makes_the_same_instance_again(site: Client, organization: Organization) -> None:
    site.post("/instances/new/", FIELDS)
    answer = site.get("/instances/coder/export/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="coder.json"'
    body = json.loads(answer.content)
    services.remove(Instance.objects.get(), by=make_actor("operator", organization=organization), stops_first=True)
    assert site.post("/api/v1/instances/coder", body, "application/json").status_code == 201
    first, second = Instance.objects.order_by("pk")
    for name in ("model", "backend", "options", *services.SETTABLE):
        assert getattr(first, name) == getattr(second, name), name


def test_who_may_make_and_change(client: Client, organization: Organization) -> None:
    make_instance("one", organization=organization)
    make_instance("theirs", organization=make_organization("theirs"))
    client.force_login(make_user("viewer", organization=organization))
    assert "disabled" in client.get("/instances/one/config/").content.decode()
    assert client.get("/instances/one/export/").status_code == 200
    assert client.get("/instances/new/").status_code == client.post("/instances/new/", FIELDS).status_code == 403
    assert client.post("/instances/one/config/", FIELDS).status_code == 403
    assert client.get("/instances/theirs/config/").status_code == 404
    assert client.get("/instances/theirs/export/").status_code == 404
    assert client.post("/instances/one/export/").status_code == client.put("/instances/new/").status_code == 405
    client.logout()
    for path in ("new/", "new/options/", "one/config/", "one/export/"):
        assert client.get(f"/instances/{path}").status_code == 302


def test_machine_is_asked_for_where_there_are_several(site: Client, organization: Organization) -> None:
    assert "Machine" not in site.get("/instances/new/").content.decode()
    Node.objects.create(name="gpu1", address="10.0.0.7", seen_at=timezone.now() - LOST_AFTER * 2)
    page = site.get("/instances/new/?node=gpu1").content.decode()
    assert '<option value="gpu1" selected>gpu1 (away)</option>' in page
    assert '<option value="tiny.gguf">' not in page, "what lies on a machine that is away is not known"
    assert '<option value="tiny.gguf">' in site.get("/instances/new/?node=main").content.decode()
    values = {**FIELDS, "name": "far", "model": "only/there.gguf", "node": "gpu1"}
    assert site.post("/instances/new/", values).status_code == 302
    assert Instance.objects.get(name="far").node == "gpu1"
    assert (
        "Select a valid choice" in site.post("/instances/new/", values | {"name": "x", "node": "no"}).content.decode()
    )
    assert "Machine" not in site.get("/instances/far/config/").content.decode()
