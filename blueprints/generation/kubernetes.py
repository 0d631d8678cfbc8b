"""Machines of a Kubernetes cluster: which role its masters, controllers and workers have, and what a number among them counts."""

import re

from blueprints.generation.facts import Group
from blueprints.generation.lexicon import fold, software_facts
from blueprints.generation.phrases import Phrase
from blueprints.generation.tokens import Token
from blueprints.generation.walk import Walk

MACHINES = {"kubernetes", "k8s_control", "k8s_worker"}
_CONTROLS_OR_WORKS = ("k8s_control", "k8s_worker", "worker")
_SERVERS = re.compile(r"\w+(?:\s?x)?\s(?:k3s|rke2|k0s)[\s-](?:servers?|masters?|controllers?)\b", re.IGNORECASE)
_CONTROL = {"control", "controle", "controllo"}


def role_in(walk: Walk, phrase: Phrase) -> str:
    """Masters and workers are those of Kubernetes where Kubernetes is spoken of."""
    if walk.has_kubernetes:
        is_worker = phrase.role == "worker" and all(map(_makes_kubernetes, phrase.software))
        return "k8s_worker" if is_worker else phrase.role
    if phrase.role == "k8s_control" and phrase.software:
        return str(software_facts(phrase.software[0]).get("role", ""))  # "Redis master with two replicas"
    focus = walk.focus
    if focus and focus.software:
        return _part_of(walk, focus, phrase) if phrase.role in _CONTROLS_OR_WORKS else phrase.role
    return "worker" if phrase.role == "k8s_worker" else phrase.role


def are_controllers(walk: Walk, phrase: Phrase) -> bool:
    """ "k0s with three controllers": the control plane of the cluster that is spoken of."""
    if not (walk.has_kubernetes and phrase.member == "primary" and walk.focus and walk.focus.role in MACHINES):
        return False
    phrase.member, phrase.role = "", "k8s_control"
    return True


def have_agents(walk: Walk, group: Group) -> None:
    """ "three RKE2 servers and five agents": servers beside agents are the control plane."""
    said = group.causes.get("count")
    if group.role == "kubernetes" and said and _SERVERS.match(walk.text, said.start if said.start >= 0 else 0):
        group.role = "k8s_control"


def _makes_kubernetes(software: str) -> bool:
    return bool(software_facts(software).get("role") == "kubernetes")


def _part_of(walk: Walk, focus: Group, phrase: Phrase) -> str:
    """ "Spark: one master and six workers": members of what was named, with its software."""
    is_cluster = focus.role in ("worker", "cluster") or phrase.role == "k8s_control"
    if focus not in walk.here or not is_cluster or phrase.software:
        return "app" if phrase.role == "k8s_control" else phrase.role.replace("k8s_", "")
    phrase.software = list(focus.software)
    if phrase.insists:
        if focus.count is None and not focus.part and not focus.has_sizes:
            walk.drop(focus)
        phrase.before = [*phrase.before, phrase.tokens[-1].become("another", "part")]
    return focus.role


def counts_of_cluster(walk: Walk, token: Token) -> bool:
    """ "five nodes: three for the control plane and two for the workloads": what is not the one is the other."""
    focus, ahead = walk.focus, walk.elements[walk.position + 1 : walk.position + 5]
    cluster = next((group for group in walk.request.groups if group.role == "kubernetes" and group.count), None)
    if cluster is None or focus is None or focus.role not in MACHINES:
        return False
    noun = next((element for element in ahead if isinstance(element, Phrase)), None)
    if noun is not None and noun.count is None and noun.role in _CONTROLS_OR_WORKS:
        noun.count = token
        return True
    words = {fold(element.text) for element in ahead[:3] if isinstance(element, Token) and element.kind == "word"}
    if words & _CONTROL:
        walk.add(Group("k8s_control", is_counted=True)).set("count", int(token.value), walk.quote(token))
    return bool(words) and any(group.role == "k8s_control" for group in walk.request.groups)
