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
    own = ("{{ proxmox_", "{{ storage", "{{ container_archive", "{{ template_node")
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


ACCESS = {"api_host", "api_user", "api_token_id", "api_token_secret"}
TAKEN = {
    "proxmox_kvm": ACCESS | {
        "node", "target", "name", "clone", "full", "timeout", "pool", "update", "update_unsafe", "cores", "sockets", "memory", "net",
        "ipconfig", "agent", "onboot", "cpu", "balloon", "description", "protection", "sshkeys", "ciuser", "nameservers",
        "searchdomains", "tags", "state",
    },
    "proxmox_disk": ACCESS | {"name", "disk", "size", "storage", "state"},
    "proxmox": ACCESS | {
        "node", "hostname", "ostemplate", "cores", "memory", "disk", "netif", "unprivileged", "onboot", "swap", "description", "pool",
        "features", "timezone", "mounts", "pubkey", "nameserver", "searchdomain", "tags", "state",
    },
}  # fmt: skip
"""Of what the modules of community.proxmox 1.4 take, the part that is written here: `proxmox_disk` has no `node`."""


@each
def test_ansible_gives_each_module_what_it_takes(document: BlueprintDocument) -> None:
    for task in yaml.safe_load(ansible.render(document))[0]["tasks"]:
        ((module, values),) = [(key.rpartition(".")[2], value) for key, value in task.items() if key != "name"]
        assert set(values) <= TAKEN[module], task["name"]


def resources_of(document: BlueprintDocument) -> dict[str, dict[str, Any]]:
    """The resources of Terraform by their names there."""
    rows = hcl2.loads(terraform.render(document))["resource"]
    return {name.strip('"'): body for row in rows for named in row.values() for name, body in named.items()}


def machines_named(*names: str, **specs: Any) -> BlueprintDocument:
    rows = [{"name": name, "type": "vm", "specs": specs} for name in names]
    return parse_document({"version": "1.0", "name": "shop", "resources": rows})


def test_a_name_of_terraform_begins_with_no_digit() -> None:
    assert list(resources_of(machines_named("3web", "db-1", count=2))) == ["_3web_1", "_3web_2", "db_1_1", "db_1_2"]


def test_a_system_is_a_template_for_machines_and_an_archive_for_containers() -> None:
    """One variable cannot hold the VMID that a clone takes and the file that a container takes."""
    rows = [{"name": name, "type": name, "specs": {"os": "debian-12", "node": "pve2"}} for name in ("vm", "lxc")]
    document = parse_document({"version": "1.0", "name": "shop", "resources": rows})
    found = resources_of(document)
    clone, system = found["vm"]["clone"][0], found["lxc"]["operating_system"][0]
    assert clone["vm_id"] == '${var.templates["debian-12"]}'
    assert system["template_file_id"] == '${var.archives["debian-12"]}'
    assert clone["node_name"] == "${var.template_node}", "templates may lie on one node only"
    declared = {name.strip('"') for row in hcl2.loads(terraform.render(document))["variable"] for name in row}
    assert {"templates", "template_node", "archives"} <= declared
    assert "archives" not in terraform.render(with_one())
    cloned, made = (tasks_of(document)[name] for name in ("Clone vm", "Make container lxc"))
    assert (cloned["node"], cloned["target"]) == ("{{ template_node | default('pve2') }}", "pve2")
    assert made["ostemplate"] == "{{ container_archives['debian-12'] }}"


def test_what_alma_only_notes_is_written_where_the_format_has_a_place() -> None:
    specs = {
        "cpu_type": "host",
        "min_memory": "1GB",
        "timezone": "Europe/Berlin",
        "packages": ["htop"],
        "user": "deploy",
    }
    document = with_one(**specs, protected=True, pool="shop", firewall=True)
    body = resources_of(document)["web"]
    assert (body["cpu"][0]["type"], body["memory"][0]["floating"]) == ('"host"', 1024)
    data = next(yaml.safe_load_all(cloud_init.render(document)))
    assert (data["timezone"], data["users"][0]["name"]) == ("Europe/Berlin", "deploy")
    assert data["packages"] == ["qemu-guest-agent", "htop"]
    tasks = tasks_of(document)
    sized = tasks["Size web"]
    assert [sized[name] for name in ("cpu", "balloon", "protection")] == ["host", 1024, True]
    assert tasks["Clone web"]["pool"] == "shop"
    setting_up = yaml.safe_load(ansible.render(document))[1]["tasks"]
    assert [task["name"] for task in setting_up] == ["Install htop", "Set the time zone"]
    box = tasks_of(with_one(kind="lxc", nesting=True, unprivileged=False, timezone="Europe/Berlin", swap="1GB"))
    made = box["Make container web"]
    assert [made[name] for name in ("features", "unprivileged", "timezone", "swap")] == [
        ["nesting=1"],
        False,
        "Europe/Berlin",
        1024,
    ]


def test_addresses_of_ipv6_are_written_as_such() -> None:
    document = machines_named(
        "web", networks=["vmbr0", {"bridge": "vmbr1", "ip": "fd00::5/64", "gateway": "fd00::1", "dns": ["fd00::53"]}]
    )
    settings = resources_of(document)["web"]["initialization"][0]
    assert [next(iter(row)) for row in settings["ip_config"]] == ["ipv4", "ipv4", "ipv6"]
    assert settings["dns"][0]["servers"] == ['"fd00::53"'], "a guest has one list, whichever card names it"
    assert tasks_of(document)["Size web"]["ipconfig"]["ipconfig2"] == "ip6=fd00::5/64,gw6=fd00::1"


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
        ({"timezone": "Europe/Berlin", "packages": ["htop"]}, {"terraform": "left to you: timezone and packages."}),
        ({"vip": "10.0.0.9"}, dict.fromkeys(code.FORMATS, "left to you: vip.")),
        ({"kind": "lxc", "user": "ana"}, dict.fromkeys(("terraform", "ansible"), "make the user of web in it")),
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
