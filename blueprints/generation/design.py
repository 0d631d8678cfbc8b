"""From what was said to what is built: counts, sizes, Kubernetes roles, redundancy; each decision with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

from django.utils.translation import gettext as _

from blueprints.generation.facts import Cause, Group, Request, by_default, rule
from blueprints.generation.lexicon import role_defaults, software_facts
from blueprints.schema.sizes import GIB

_SIZE_FACTORS = {"small": 0.5, "large": 2.0, "": 1.0}
_WORKERS = {"node", "agent", "worker", "k8s_worker"}
_OF_KUBERNETES = ("talos",)
"""Systems that nothing but Kubernetes runs on."""
_CONTROL_PLANES = 3
_KUBERNETES_NODES = 3


@dataclass(slots=True, eq=False)
class Part:
    """Machines of one kind, decided. `causes` holds the quoted words or the rule behind each value."""

    group: Group
    label: str
    count: int
    cpu: int
    memory: int
    disk: int
    is_spread: bool
    needs: list["Part"] = field(default_factory=list)
    causes: dict[str, Cause] = field(default_factory=dict)

    @property
    def role(self) -> str:
        return self.group.role


def design(request: Request) -> list[Part]:
    """Every part, sized and in relation to the others."""
    groups = list(_with_kubernetes(request, _wanted(request)))
    parts = [_part(request, group) for group in groups]
    _share_total(request, parts)
    _label(parts)
    _relate(request, parts)
    return parts


def _wanted(request: Request) -> Iterator[Group]:
    """Groups that are machines: "a web application with 3 servers, nginx" names the same thing twice."""
    for group in request.groups:
        is_meant = not ({group.role, *group.software} - {""}) & request.excluded
        if is_meant and not (_is_open(group) and group.role in request.existing):
            yield group


def _is_open(group: Group) -> bool:
    """Only named: what is there already may be meant."""
    return not (group.software or group.is_counted or group.count or group.has_sizes)


def _with_kubernetes(request: Request, groups: Iterator[Group]) -> Iterator[Group]:
    """A cluster is control planes and workers; what was said of the cluster holds for both."""
    found = list(groups)
    parts = [group for group in found if group.role in ("k8s_control", "k8s_worker")]
    clusters = [group for group in found if group.role == "kubernetes"]
    for group in found:
        if group.role not in ("kubernetes", "k8s_control", "k8s_worker"):
            yield group
    if clusters or parts:
        yield from _kubernetes(request, clusters[0] if clusters else Group(role="kubernetes"), parts)
    for share in clusters[1:]:  # "five nodes, three with 8 GB and two with 16"
        if share.is_share:
            yield _kubernetes_part(clusters[0], "k8s_worker", share.count or 1, share)


def _kubernetes(request: Request, cluster: Group, parts: list[Group]) -> Iterator[Group]:
    own = {part.role: part for part in parts}
    _share_network(cluster, parts)
    for role, count in _members(request, cluster, own):
        if count:
            yield _kubernetes_part(cluster, role, count, own.get(role))
    for part in parts:
        if own[part.role] is not part:
            yield _kubernetes_part(cluster, part.role, part.count or 1, part)


def _members(request: Request, cluster: Group, own: dict[str, Group]) -> tuple[tuple[str, int], tuple[str, int]]:
    """How many control planes and workers."""
    control, workers = own.get("k8s_control"), own.get("k8s_worker")
    is_ha = request.is_ha or cluster.is_ha or bool(control and control.is_ha)
    planes = (control and control.count) or _planes(None if control else cluster.count, is_ha)
    is_alone = control is not None or bool(request.excluded & _WORKERS)
    rest = (workers.count or 1) if workers else _workers(cluster, planes, is_alone=is_alone)
    return ("k8s_control", planes), ("k8s_worker", rest)


def _share_network(cluster: Group, parts: list[Group]) -> None:
    """A network or Talos that was said of one part holds for the cluster, unless the other has its own."""
    cluster.os = cluster.os or next((part.os for part in parts if part.os in _OF_KUBERNETES), "")
    for name in ("vlan", "subnet", "gateway", "network"):
        said = [getattr(group, name) for group in (cluster, *parts) if getattr(group, name)]
        if said:
            setattr(cluster, name, said[0])


def _planes(nodes: int | None, is_ha: bool) -> int:
    return _CONTROL_PLANES if is_ha and (nodes is None or nodes >= _CONTROL_PLANES) else 1


def _workers(cluster: Group, planes: int, *, is_alone: bool) -> int:
    if is_alone and cluster.count is None:
        return 0
    return max(0, (cluster.count or planes + _KUBERNETES_NODES - 1) - planes)


def _kubernetes_part(cluster: Group, role: str, count: int, own: Group | None) -> Group:
    """The part with its own values, and those of the cluster where it has none."""
    part = replace(own or cluster, role=role, count=count, software=(own and own.software) or cluster.software)
    part.software = part.software or ["kubernetes"]
    part.causes = {**cluster.causes, **part.causes}
    part.causes.setdefault("count", rule("a cluster has control planes and workers"))
    for name in ("cpu", "memory", "disk", "os", "kind", "vlan", "subnet", "gateway", "network", "is_ha"):
        if not getattr(part, name) and getattr(cluster, name):
            setattr(part, name, getattr(cluster, name))
    return part


def _part(request: Request, group: Group) -> Part:
    causes = dict(group.causes)
    count = _count(request, group, causes)
    return Part(
        group=group,
        label="",
        count=count,
        cpu=_sized(group, "cpu", causes, count),
        memory=_sized(group, "memory", causes, count),
        disk=_sized(group, "disk", causes, count),
        is_spread=(count > 1 and (request.is_spread or _is_ha(request, group)))
        or (group.is_spread and (count > 1 or bool(group.name))),
        causes=causes,
    )


def _is_ha(request: Request, group: Group) -> bool:
    return group.is_ha or request.is_ha


def _count(request: Request, group: Group, causes: dict[str, Cause]) -> int:
    """What was said, or as many as high availability takes, or one."""
    if group.replicas:
        causes["count"] = rule(f"a primary and {group.replicas} {'replica' if group.replicas == 1 else 'replicas'}")
        return (group.count or 1) + group.replicas
    if group.count is not None:
        causes.setdefault("count", rule("the rest of a larger number"))
        return group.count
    if group.is_few and not group.is_vague:
        causes["count"] = rule("several means at least two")
        return 2
    if not _is_ha(request, group) or (group.kind and not group.role):
        causes["count"] = by_default("one")
        return 1
    members = max((software_facts(name).get("quorum", 0) for name in group.software), default=0)
    causes["count"] = rule("highly available means more than one")
    return int(members or role_defaults(group.role)["ha"])


def _sized(group: Group, name: str, causes: dict[str, Cause], count: int) -> int:
    said = getattr(group, name)
    if said is not None:
        return _divided(said, name, count, causes) if name in group.totals else int(said)
    causes[name] = by_default(f"the usual for {(group.role or 'a machine').replace('_', ' ')}")
    default = max([role_defaults(group.role)[name], *(software_facts(s).get(name, 0) for s in group.software)])
    scaled = max(1, int(default * _SIZE_FACTORS[group.size]))
    return scaled if name == "cpu" else scaled * GIB


def _divided(said: int, name: str, count: int, causes: dict[str, Cause]) -> int:
    said_words = causes.get(name, rule(str(said)))
    causes[name] = Cause(f"{said_words.text} in total, divided by {count}", said_words.start, said_words.end, "rule")
    return max(1, said // count)


def _share_total(request: Request, parts: list[Part]) -> None:
    """ "three machines in total" says how many the only countless part has; or it contradicts the rest."""
    if request.total_machines is None:
        return
    missing = request.total_machines - sum(part.count for part in parts)
    countless = [part for part in parts if part.group.count is None]
    if missing > 0 and len(countless) == 1 and not countless[0].group.is_exact:
        countless[0].count += missing
        countless[0].causes["count"] = rule(f"{request.total_machines} machines in total")
    elif missing:
        adds_up = sum(part.count for part in parts)
        request.questions.append(
            _(
                "The request speaks of %(count)s machines in total, but its parts add up to %(sum)s. Which of the two do you want?"
            )
            % {"count": request.total_machines, "sum": adds_up}
        )


def _label(parts: list[Part]) -> None:
    """Names that say what a machine is for, each once."""
    taken: set[str] = set()
    for part in parts:
        wanted = part.group.name or _wanted_label(part.group)
        label, number = wanted, 2
        while label in taken:
            label, number = f"{wanted}-{_letters(number)}", number + 1
        taken.add(label)
        part.label = label


def _letters(number: int) -> str:
    """2 -> b, 27 -> aa."""
    number, last = divmod(number - 1, 26)
    return (_letters(number) if number else "") + chr(ord("a") + last)


def _wanted_label(group: Group) -> str:
    facts: dict[str, Any] = role_defaults(group.role)
    if group.part and group.software:
        return f"{group.software[0]}-{group.part}"
    if group.software and group.role not in ("web", "app", "load_balancer", "k8s_control", "k8s_worker"):
        return group.software[0] if group.role else f"{group.software[0]}-host"
    called = next((word for word in facts.get("called", ()) if any(word in said.split() for said in group.words)), "")
    return str(called or facts.get("label") or ("container" if group.kind == "lxc" else "server"))


def _relate(request: Request, parts: list[Part]) -> None:
    """What was said about order first; then what is usual, where it does not contradict it."""
    pairs = list(permutations(parts, 2))
    for part, other in pairs:
        if any(_is_of(part, later) and _is_of(other, earlier) for later, earlier in request.needs):
            part.needs.append(other)
    for part, other in pairs:
        if other not in part.needs and _usually_needs(part, other) and not _reaches(other, part):
            part.needs.append(other)


def _is_of(part: Part, group: Group) -> bool:
    """Control planes and workers stand for their cluster."""
    is_cluster = group.role == "kubernetes" and part.role in ("k8s_control", "k8s_worker")
    return part.group is group or is_cluster or (group.role == part.role and part.role.startswith("k8s_"))


def _reaches(start: Part, goal: Part) -> bool:
    waiting, seen = [start], set()
    while waiting:
        part = waiting.pop()
        if part is goal:
            return True
        if id(part) not in seen:
            seen.add(id(part))
            waiting += part.needs
    return False


def _usually_needs(part: Part, other: Part) -> bool:
    """A database before its application, a controller before its agents, Prometheus before Grafana."""
    software = set(other.group.software)
    if part.group.environment != other.group.environment:
        return False
    if any(software & set(software_facts(name).get("needs", ())) for name in part.group.software):
        return True
    if part.role == other.role:
        return bool(part.group.part and not other.group.part and software & set(part.group.software))
    return other.role in role_defaults(part.role)["needs"]
