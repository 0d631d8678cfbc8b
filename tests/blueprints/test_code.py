"""Code for other tools: read back by their own readers, hostile text stays text, and the score follows from the checks."""

from typing import Any

import hcl2
import pytest
import yaml

from alma.errors import BadRequest
from blueprints import catalogue, code
from blueprints.code import ansible, cloud_init, making, terraform
from blueprints.code.making import Check, Code
from blueprints.code.unsaid import unmade
from blueprints.schema import BlueprintDocument, expand_machines, parse_document
from tests.factories.accounts import make_actor

pytestmark = pytest.mark.django_db
TEMPLATES = [catalogue.render(template, {"vlan": 30, "prefix": "x"}) for template in catalogue.all_templates().values()]
each = pytest.mark.parametrize("document", TEMPLATES, ids=lambda document: str(document.metadata["template"]))
HOSTILE = '${file("/etc/passwd")} %{ for x in y } "quoted" {{ lookup("env", "HOME") }} {% raw %} <b>'


def wanted(document: BlueprintDocument) -> dict[str, tuple[int, int]]:
    return {one.key: (one.cores, one.memory_mib) for one in expand_machines(document)}


@each
def test_terraform_says_each_machine(document: BlueprintDocument) -> None:
    assert terraform.shapes(terraform.render(document)) == wanted(document)


@each
def test_ansible_says_each_machine_after_what_it_needs(document: BlueprintDocument) -> None:
    text = ansible.render(document)
    assert ansible.shapes(text) == wanted(document)
    order = list(ansible.shapes(text))
    for machine in expand_machines(document):
        assert all(order.index(key) < order.index(machine.key) for key in machine.depends_on)


@each
def test_cloud_init_names_each_machine(document: BlueprintDocument) -> None:
    text = cloud_init.render(document)
    assert cloud_init.hostnames(text) == list(wanted(document))
    assert text.count("#cloud-config") == len(wanted(document))


def with_one(**specs: Any) -> BlueprintDocument:
    row = {"name": "web", "type": "vm", "description": HOSTILE, "specs": {"cpu": 2, "memory": "2GB", **specs}}
    return parse_document({"version": "1.0", "name": "shop", "resources": [row]})


def test_text_is_no_expression_of_terraform() -> None:
    (resource,) = hcl2.loads(terraform.render(with_one()))["resource"]
    (body,) = resource['"proxmox_virtual_environment_vm"'].values()
    assert "$${file(" in body["description"]
    assert "%%{ for" in body["description"]
    assert "${file(" not in body["description"].replace("$${", "")


@pytest.mark.parametrize("kind", ["vm", "lxc"])
def test_text_is_no_expression_of_ansible(kind: str) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ0Y2Fub25pY2FsZXhhbXBsZWtleWZvcnRlc3Rz {{ evil }}"
    disk = {"size": "5GB", "mount": "/{{ evil }}"}
    document = with_one(kind=kind, software=["{{ evil }}", "nginx"], disks=[disk], ssh_keys=[key])
    own = ("{{ proxmox_", "{{ storage", "{{ container_archive")
    text = ansible.render(document)
    assert all(text[at:].startswith(own) for at in range(len(text)) if text.startswith("{{", at))
    assert "{ { evil" in text


def test_addresses_disks_and_keys_are_written() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ0Y2Fub25pY2FsZXhhbXBsZWtleWZvcnRlc3Rz ana"
    specs = {"ip": "10.0.0.5/24", "gateway": "10.0.0.1", "vlan": 20, "disk": "20GB", "data_disk": "5GB", "user": "ana"}
    document = with_one(**specs, os="ubuntu-24.04", software=["nginx", "superset"], ssh_keys=[key])
    (resource,) = hcl2.loads(terraform.render(document))["resource"]
    (body,) = resource['"proxmox_virtual_environment_vm"'].values()
    assert [disk["size"] for disk in body["disk"]] == [20, 5]
    assert body["network_device"][0]["vlan_id"] == 20
    assert body["initialization"][0]["ip_config"][0]["ipv4"][0]["gateway"] == '"10.0.0.1"'
    data = next(yaml.safe_load_all(cloud_init.render(document)))
    assert data["users"][0]["ssh_authorized_keys"] == [key]
    assert "nginx" in data["packages"]
    assert "# superset is not a package here" in cloud_init.render(document)
    assert "no SSH key" not in cloud_init.render(document) and "no SSH key" in cloud_init.render(with_one())
    sized, added = (tasks_of(document)[name] for name in ("Size web", "Add disk 1 to web"))
    assert sized["update_unsafe"], "without it the module leaves out net"
    assert (sized["net"]["net0"], added["disk"], added["size"]) == ("virtio,bridge=vmbr0,tag=20", "scsi1", "5")


def tasks_of(document: BlueprintDocument) -> dict[str, dict[str, Any]]:
    """The arguments of each task that makes machines, by its name."""
    making_play = yaml.safe_load(ansible.render(document))[0]
    return {task["name"]: next(value for key, value in task.items() if key != "name") for task in making_play["tasks"]}


@pytest.mark.parametrize(
    ("system", "kind"),
    [("rocky-9", "centos"), ("ubuntu-24.04", "ubuntu"), ("arch", "archlinux"), ("talos", "unmanaged")],
)
def test_a_container_is_of_a_type_that_the_provider_knows(system: str, kind: str) -> None:
    document = with_one(kind="lxc", os=system, data_disk="5GB", tags=["Web", "front_end"], role="front_end")
    (resource,) = hcl2.loads(terraform.render(document))["resource"]
    (body,) = resource['"proxmox_virtual_environment_container"'].values()
    assert body["operating_system"][0]["type"] == f'"{kind}"'
    assert [body["mount_point"][0][name] for name in ("size", "path")] == ['"5G"', '"/mnt/data"']
    assert body["tags"] == ['"front-end"', '"web"'], "Proxmox keeps them sorted and in small letters"
    assert tasks_of(document)["Make container web"]["mounts"]["mp0"].endswith(":5,mp=/mnt/data")


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        ({}, {}),
        ({"backup": "daily"}, dict.fromkeys(code.FORMATS, "backup job for web.")),
        ({"gpu": 1}, dict.fromkeys(code.FORMATS, "No GPU")),
        ({"anti_affinity": True, "count": 2}, {"terraform": "Nodes", "ansible": "Nodes"}),
        ({"software": ["nginx"]}, {"terraform": "install it on web"}),
        (
            {"software": ["nginx", "superset"]},
            {"terraform": "install it on web", **dict.fromkeys(("ansible", "cloud-init"), "left to you: superset.")},
        ),
        ({"ip": "10.0.0.5/24"}, {"cloud-init": "User data says nothing"}),
        ({"os": "windows-2022"}, {"ansible": "Only Linux", "cloud-init": "Only Linux"}),
    ],
    ids=str,
)
def test_parts_that_a_format_does_not_make_are_told(specs: dict[str, Any], told: dict[str, str]) -> None:
    machines = expand_machines(with_one(**specs))
    found = {kind: unmade(machines, kind) for kind in code.FORMATS}
    assert {kind: [words in text for text in found[kind]] for kind, words in told.items()} == {
        kind: [True] for kind in told
    }
    assert not any(found[kind] for kind in code.FORMATS if kind not in told)


@pytest.mark.parametrize("kind", code.FORMATS)
def test_words_become_code_that_was_read_back(kind: str) -> None:
    made = code.make("2 web servers with nginx and a PostgreSQL database with 8 GB", kind, by=make_actor())
    assert [check.passed for check in made.checks[:2]] == [True, True]
    assert made.score == round(100 * sum(check.passed for check in made.checks) / len(made.checks))


def test_frameworks_narrow_what_is_told() -> None:
    words, actor = "a debian machine with nginx", make_actor()
    everything = code.make(words, "terraform", by=actor).findings
    narrowed = code.make(words, "terraform", frameworks=["SOC2"], by=actor).findings
    assert everything
    assert {one.rule for one in narrowed} <= {one.rule for one in everything}


def test_a_check_that_fails_costs_its_share() -> None:
    document = with_one()
    checks = [Check("a", True), Check("b", False), Check("c", True), Check("d", True)]
    assert Code("", document, checks, (), ()).score == 75


def test_what_cannot_be_built_is_no_code() -> None:
    with pytest.raises(BadRequest):
        code.make("tell me a joke", "terraform", by=make_actor())


@pytest.mark.parametrize("kind", code.FORMATS)
@pytest.mark.parametrize(
    "text",
    ["{", 'resource "a" "b" {', "[1, 2]", "- 5", "a: &b [*b]", "\0", "%{ if", "${" * 500, "- tasks: [{a: 1}]", "5"],
)
def test_code_that_cannot_be_read_back_is_told_so(kind: str, text: str) -> None:
    """Whatever the parsers raise is a check that failed, never an error of the request."""
    checks = making._read_back(kind, text, with_one())
    assert not all(check.passed for check in checks)


def test_what_the_code_leaves_out_costs_points() -> None:
    prompt = "Create a secure web server VM with Nginx, SSL certificate, and firewall rules"
    made, plain = (
        code.make(words, "ansible", by=make_actor()) for words in (prompt, "a web server with nginx, no SSL")
    )
    assert [row.name for row in made.document.resources] == ["web-server"], "rules are no machine"
    (check,) = [one for one in made.checks if one.name == "Nothing of the wish is left out"]
    assert not check.passed and "Certificates" in check.detail and "Firewall rules" in check.detail
    assert made.score < plain.score and made.recommendations[0].startswith("Certificates")
