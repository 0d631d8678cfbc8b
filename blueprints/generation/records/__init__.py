"""Machines that are written down as records: tables, comma-separated lines, YAML and JSON."""

import re

from blueprints.generation.facts import Group
from blueprints.generation.records.machines import groups_of
from blueprints.generation.records.tables import tables
from blueprints.generation.records.trees import trees


def taken_out(text: str) -> tuple[str, list[Group]]:
    """The text with its records blanked out, every other character in its place, and the machines of the records."""
    found: list[Group] = []
    for read in (trees, tables):
        records, spans = read(text)
        groups = [group for record in records for group in groups_of(record)]
        if groups:
            found += groups
            for start, end in spans:
                text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    return text, _of_one_cluster(found)


def _of_one_cluster(groups: list[Group]) -> list[Group]:
    """Workers beside a control plane are those of Kubernetes."""
    has_planes = any(group.role == "k8s_control" for group in groups)
    for group in groups if has_planes else ():
        group.role = "k8s_worker" if group.role == "worker" and not group.software else group.role
    return groups
