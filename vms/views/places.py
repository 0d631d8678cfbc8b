"""Where disks lie and what network cards are attached to, on all clusters, as it was last read."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.accounts.actors import Actor
from alma.htmx import HtmxRequest
from alma.jobs.models import Job
from vms import machines, storages
from vms.models import Cluster, ClusterNetwork, PlaceClaim
from vms.operations.places import STREAMS, Row, at_work, status_of
from vms.views.clusters import tone_of

PER_PAGE = 50


@require_safe
@login_required
@vary_on_headers("HX-Request")
def storage_list(request: HtmxRequest) -> HttpResponse:
    """Storages, shared ones once; HTMX gets the part below the filters."""
    request.actor.require("storage:read")
    context = _searched(request, storages.listed(request.actor), ("name", "node", "plugin"))
    page = context["page"]
    found = storages.whole(page.object_list)
    jobs = at_work([one.row.claim for one in found if one.row.claim])
    page.object_list = [_with_room(one) | _standing(one.row, jobs, is_active=one.shown.is_active) for one in found]
    return render(request, "vms/_storages.html" if request.htmx else "vms/storage_list.html", context)


def _with_room(one: storages.Storage) -> dict[str, Any]:
    """A storage, and how full it is and could become."""
    shown, provisioned = one.shown, one.provisioned_bytes
    return {
        "storage": one.row, "shown": shown, "nodes": one.nodes, "provisioned_bytes": provisioned,
        "tone": tone_of(shown.used_bytes, shown.total_bytes),
        "is_overbooked": bool(provisioned and shown.total_bytes and provisioned > shown.total_bytes),
        "provisioned_tone": "warn" if provisioned and provisioned > shown.total_bytes else "",
        "provisioned_shown": min(provisioned or 0, shown.total_bytes),
        "is_encrypted": one.row.cluster.encrypts(one.row.name),
    }  # fmt: skip


def _standing(row: Row, jobs: Mapping[str, Job], *, is_active: bool) -> dict[str, Any]:
    """Whether ALMA made it, and how it stands."""
    is_ours = row.claim is not None and row.claim.state in PlaceClaim.ACTIVE
    return {"is_ours": is_ours, "status": status_of(row.claim if is_ours else None, jobs, is_active=is_active)}


def limits_of(actor: Actor, *paths: str) -> list[dict[str, str]]:
    """What tokens lack on these paths to make something, as the last test of each cluster has shown."""
    clusters = Cluster.objects.visible_to(actor).enabled().exclude(preflight=None).only("name", "preflight")
    return [
        {**row, "cluster": cluster.name}
        for cluster in clusters
        for row in (cluster.preflight or {}).get("optional", ())
        if row["path"] in paths
    ]


@require_safe
@login_required
@vary_on_headers("HX-Request")
def network_list(request: HtmxRequest) -> HttpResponse:
    """Bridges, VLANs and virtual networks; HTMX gets the part below the filters."""
    request.actor.require("network:read")
    rows = ClusterNetwork.objects.visible_to(request.actor).order_by("name", "node", "pk")
    context = _searched(request, rows, ("name", "bridge", "node", "zone", "description"))
    page = context["page"]
    jobs = at_work([row.claim for row in page if row.claim])
    page.object_list = [
        {"network": row, "dns": row.claim.wish.get("dns_servers") if row.claim else row.dns_servers}
        | _standing(row, jobs, is_active=row.is_active)
        for row in page
    ]
    return render(request, "vms/_networks.html" if request.htmx else "vms/network_list.html", context)


def _searched(request: HtmxRequest, rows: QuerySet[Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """A page of rows that fit the words and the cluster of a query string, and the streams whose changes redraw it."""
    clusters = list(machines.clusters_of(request.actor).values())
    can_write = request.actor.has("network:write") if "bridge" in fields else request.actor.has("storage:write")
    words, slug = request.GET.get("q", "")[:200].replace("\0", ""), request.GET.get("cluster", "")[:50]
    for word in words.split():
        match = Q()
        for name in fields:
            match |= Q((f"{name}__icontains", word))
        rows = rows.filter(match)
    chosen = next((cluster for cluster in clusters if cluster.slug == slug), None)
    rows = rows.filter(cluster=chosen) if chosen else rows
    rows = rows.select_related("cluster", "claim").defer("cluster__ca_pem", "cluster__token_secret_sealed")
    return {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")), "words": words,
        "chosen": chosen, "clusters": clusters, "can_write": can_write, "live": " ".join([*(cluster.stream for cluster in clusters), STREAMS]),
    }  # fmt: skip
