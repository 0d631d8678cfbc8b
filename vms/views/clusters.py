"""Watching clusters: nodes, storages, guests and tasks as they were last read. No page waits for a cluster."""

from collections import defaultdict
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from vms.models import Cluster, ClusterNode, ClusterStorage, ClusterTask, Guest, GuestQuerySet
from vms.operations.showing import proposed
from vms.views.registration import find

PER_PAGE = 25
MOST_NODES, MOST_STORAGES = 100, 200
TASK_STATES = (("", "All"), ("running", "Running"), ("failed", "Failed"))


def tone_of(used: float, total: float) -> str:
    """By how full something is."""
    share = used / total if total else 0.0
    return "bad" if share > 0.95 else "warn" if share > 0.85 else ""


@require_safe
@login_required
@vary_on_headers("HX-Request")
def cluster_list(request: HtmxRequest) -> HttpResponse:
    """All clusters, those that are switched off as well; HTMX gets the part below the head."""
    request.actor.require("vm:read")
    clusters = _annotated(Cluster.objects.visible_to(request.actor).order_by("is_sandbox", "pk"))
    nodes = defaultdict(list)
    for node in ClusterNode.objects.visible_to(request.actor).filter(cluster__in=clusters)[: MOST_NODES * 10]:
        nodes[node.cluster_id].append(node)
    rows = [{"cluster": cluster, **_sum(nodes[cluster.pk])} for cluster in clusters]
    default = next((cluster.pk for cluster in clusters if cluster.is_enabled), None)
    context = {"rows": rows, "default": default, "live": " ".join(cluster.stream for cluster in clusters)}
    return render(request, "vms/_clusters.html" if request.htmx else "vms/cluster_list.html", context)


def _annotated(clusters: Any) -> list[Cluster]:
    present = Q(guests__missing_since=None, guests__is_template=False)
    return list(
        clusters.defer("ca_pem", "token_secret_sealed").annotate(
            guest_count=Count("guests", filter=present),
            running_count=Count("guests", filter=present & Q(guests__status="running")),
        )
    )


def _sum(nodes: list[ClusterNode]) -> dict[str, Any]:
    """The nodes of one cluster together."""
    online = [node for node in nodes if node.is_online]
    used, total = sum(node.memory_used for node in online), sum(node.memory_bytes for node in online)
    return {
        "nodes": len(nodes), "online": len(online), "memory_used": used, "memory_bytes": total, "tone": tone_of(used, total),
    }  # fmt: skip


@require_safe
@login_required
@vary_on_headers("HX-Request")
def cluster_detail(request: HtmxRequest, slug: str) -> HttpResponse:
    """One cluster: its nodes, storages, guests and tasks; HTMX gets nodes and storages."""
    request.actor.require("vm:read")
    cluster = find(request, slug)
    context = {"cluster": cluster, **_hardware(cluster)}
    if request.htmx:
        return render(request, "vms/_cluster_hardware.html", context)
    context |= _guests(request, cluster) | _tasks(request, cluster)
    return render(request, "vms/cluster_detail.html", context)


def _hardware(cluster: Cluster) -> dict[str, Any]:
    present = Guest.objects.present().filter(cluster=cluster, is_template=False)
    counts = (
        present.order_by()
        .values_list("node")
        .annotate(all=Count("pk"), running=Count("pk", filter=Q(status="running")))
    )
    per_node = {name: (number, running) for name, number, running in counts}
    nodes = [
        {
            "node": node, "guests": per_node.get(node.name, (0, 0))[0], "running": per_node.get(node.name, (0, 0))[1],
            "cpu_tone": tone_of(node.cpu_load, 1), "memory_tone": tone_of(node.memory_used, node.memory_bytes),
        }
        for node in ClusterNode.objects.filter(cluster=cluster)[:MOST_NODES]
    ]  # fmt: skip
    return {"nodes": nodes, "storages": _storages(cluster)}


def _storages(cluster: Cluster) -> list[dict[str, Any]]:
    """Each storage of each node; a shared one once, with the nodes that see it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for storage in ClusterStorage.objects.filter(cluster=cluster)[:MOST_STORAGES]:
        key = (storage.name, "" if storage.is_shared else storage.node)
        row = found.setdefault(
            key,
            {"storage": storage, "nodes": [], "tone": tone_of(storage.used_bytes, storage.total_bytes)},
        )
        row["nodes"].append(storage.node)
    return list(found.values())


@require_safe
@login_required
@vary_on_headers("HX-Request")
def cluster_guests(request: HtmxRequest, slug: str) -> HttpResponse:
    """The guests of a cluster that a search finds; for HTMX, and as a page for those without it."""
    request.actor.require("vm:read")
    cluster = find(request, slug)
    context = {"cluster": cluster, **_guests(request, cluster)}
    return render(request, "vms/_cluster_guests.html" if request.htmx else "vms/cluster_guests.html", context)


def _guests(request: HtmxRequest, cluster: Cluster) -> dict[str, Any]:
    words = request.GET.get("q", "")[:200].replace("\0", "")
    rows = (
        Guest.objects.filter(cluster=cluster)
        .present()
        .with_drift()
        .select_related("claim")
        .order_by("is_template", "name", "vmid")
    )
    page = Paginator(_found(rows, words), PER_PAGE).get_page(request.GET.get("page"))
    return {"page": page, "words": words, "proposed": proposed(page.object_list)}


def _found(rows: GuestQuerySet, words: str) -> GuestQuerySet:
    for word in words.split():
        match = Q(name__icontains=word) | Q(node__icontains=word) | Q(tags__icontains=word) | Q(status=word.lower())
        if word.isascii() and word.isdigit() and len(word) < 10:
            match |= Q(vmid=int(word))
        rows = rows.filter(match)
    return rows


@require_safe
@login_required
@vary_on_headers("HX-Request")
def cluster_tasks(request: HtmxRequest, slug: str) -> HttpResponse:
    """The recent tasks of a cluster; for HTMX, and as a page for those without it."""
    request.actor.require("vm:read")
    cluster = find(request, slug)
    context = {"cluster": cluster, **_tasks(request, cluster)}
    return render(request, "vms/_cluster_tasks.html" if request.htmx else "vms/cluster_tasks.html", context)


def _tasks(request: HtmxRequest, cluster: Cluster) -> dict[str, Any]:
    state = request.GET.get("state", "")
    rows = ClusterTask.objects.filter(cluster=cluster).defer("log")
    if state == "running":
        rows = rows.filter(ended_at=None)
    if state == "failed":
        rows = rows.exclude(ended_at=None).exclude(Q(status="OK") | Q(status__startswith="WARNINGS: "))
    return {"tasks": rows[:PER_PAGE], "states": TASK_STATES, "state": state}


@require_safe
@login_required
@vary_on_headers("HX-Request")
def task_detail(request: HtmxRequest, slug: str, pk: int) -> HttpResponse:
    """One task with its log as it was last read."""
    request.actor.require("vm:read")
    cluster = find(request, slug)
    task = get_object_or_404(ClusterTask, cluster=cluster, pk=pk)
    context = {"cluster": cluster, "task": task, "lines": list(enumerate(task.log.splitlines(), start=1))}
    return render(request, "vms/_cluster_task.html" if request.htmx else "vms/cluster_task.html", context)


@require_safe
@login_required
def cluster_checks(request: HtmxRequest, slug: str) -> HttpResponse:
    """The settings of a cluster and what the last test of its connection found."""
    request.actor.require("vm:read")
    return render(request, "vms/cluster_checks.html", {"cluster": find(request, slug)})
