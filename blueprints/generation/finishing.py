"""What only the whole text can settle: headings, order of tables, machines without a noun, what holds for all."""

import re

from blueprints.generation import backing, environments, gathering, headings, sharing
from blueprints.generation.facts import Group, Request, rule
from blueprints.generation.lexicon import software_facts
from blueprints.generation.walk import Walk


def finish(walk: Walk) -> None:
    """In this order: what is too much, what is missing, what is inherited, what is in doubt."""
    gathering.gather(walk)
    headings.drop(walk)
    _balance(walk)
    _serve_model(walk)
    _settle_wants(walk.request)
    _settle_runners(walk.request)
    if not walk.request.groups:
        _from_values_alone(walk)
    for group in walk.request.groups:
        _inherit(walk.request, group)
    backing.ask_about_both(walk.request)
    backing.settle(walk)
    environments.settle(walk)


def _balance(walk: Walk) -> None:
    """ "A load-balanced API" has a load balancer, whether or not it is named."""
    request = walk.request
    has_one = any(group.role == "load_balancer" for group in request.groups)
    if walk.balanced is None or has_one or not request.groups or "load_balancer" in request.excluded | request.existing:
        return
    request.groups.append(Group(role="load_balancer", count=1, causes={"role": walk.quote(walk.balanced)}))


def _serve_model(walk: Walk) -> None:
    """ "Run Llama 3 70B on a box with two cards": what no program is named for has the purpose of serving the model."""
    groups = walk.request.groups
    if walk.model is None or any(group.role == "llm" for group in groups):
        return
    home = next((g for g in groups if g.is_generic and g.gpu), next((g for g in groups if g.is_generic), None))
    if home is None:
        home = Group()
        groups.append(home)
    home.set("role", "llm", walk.quote(walk.model))


def _from_values_alone(walk: Walk) -> None:
    """Machines of which no noun speaks: "6 in total", "3x 4c 8g", "keepalived"."""
    request = walk.request
    if request.total_machines:
        request.groups.append(Group(count=request.total_machines, causes={"count": request.causes["total_machines"]}))
    elif request.defaults.describes_a_machine:
        request.groups.append(Group(is_counted=True))
        if walk.loose:
            request.groups[0].set("count", max(1, int(walk.loose.value)), walk.quote(walk.loose))
    elif walk.addons:
        request.groups.append(Group(software_facts(walk.addons[0])["role"], walk.addons))


def _inherit(request: Request, group: Group) -> None:
    """Windows does not go into the containers that all others are in."""
    if group.os.startswith("windows") and not group.kind and request.defaults.kind == "lxc":
        group.set("kind", "vm", rule("Windows does not run in a container"))
    sharing.inherit(group, request.defaults)
    if len(request.groups) == 1 and group.count is None and request.defaults.count:
        group.set("count", request.defaults.count, request.defaults.causes["count"])
    if "vm" in request.excluded and not group.kind:
        group.set("kind", "lxc", rule("no virtual machines are wanted"))


def _settle_runners(request: Request) -> None:
    """ "GitLab with two runners": they are those of the only forge that is named."""
    forges = {name for group in request.groups for name in group.software if software_facts(f"{name}-runner")}
    for group in request.groups if len(forges) == 1 else ():
        if group.role == "ci" and not group.software and any("runner" in word for word in group.words):
            group.set("software", [f"{name}-runner" for name in forges], rule("the runners of the forge that is named"))


def _settle_wants(request: Request) -> None:
    """What tables say about order: by name, software or role."""
    for group in request.groups:
        for want in group.wants:
            said = set(re.split(r"[^a-z0-9-]+", want.lower()))
            request.needs += [
                (group, other)
                for other in request.groups
                if other is not group and said & {other.name, other.role, *other.software}
            ]
