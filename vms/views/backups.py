"""Backups: what there is, and which machines have none."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from alma.htmx import HtmxRequest
from vms import machines
from vms.backups import listing
from vms.forms.backups import AGES, ORIGINS, STATES, VERIFIED, BackupFilter, GapFilter
from vms.models import Backup, BackupQuerySet, BackupStorage, Cluster, Guest

PER_PAGE = 50
SHOWN, GAPS = 8, 5
"""Backups of one machine, and machines without one, that are shown before one asks for more."""


@require_safe
@login_required
@vary_on_headers("HX-Request")
def backup_list(request: HtmxRequest) -> HttpResponse:
    """Machines without a good backup first, then all backups; HTMX gets the part below the filters."""
    request.actor.require("backup:read")
    values = BackupFilter(request.GET).values()
    clusters = list(machines.clusters_of(request.actor).values())
    page = Paginator(_wanted(request, values), PER_PAGE).get_page(request.GET.get("page"))
    gaps = listing.gaps(request.actor)
    gap_count = gaps.count()
    context = {
        "page": page, "rows": _with_states(page.object_list), "filters": values, "clusters": clusters,
        "live": " ".join([*(cluster.stream for cluster in clusters), listing.TOPICS]), "states": STATES,
        "kinds": VERIFIED, "gaps": list(gaps[:GAPS]), "gap_count": gap_count, "gaps_more": max(0, gap_count - GAPS), "old_days": listing.OLD.days,
        "unread": _unread(clusters),
    }  # fmt: skip
    return render(request, "vms/backups/_list.html" if request.htmx else "vms/backups/backup_list.html", context)


def _unread(clusters: Iterable[Cluster]) -> list[list[BackupStorage]]:
    """Storages that could not be read, those together that one thing keeps from it; of each group the oldest reading first."""
    rows = BackupStorage.objects.filter(cluster__in=clusters).exclude(error="").select_related("cluster")
    groups: dict[tuple[int, str], list[BackupStorage]] = {}
    for row in rows.order_by(F("read_at").asc(nulls_first=True), "name", "node"):
        groups.setdefault((row.cluster_id, row.error), []).append(row)
    return list(groups.values())


@require_safe
@login_required
@vary_on_headers("HX-Request")
def gap_list(request: HtmxRequest) -> HttpResponse:
    """All machines without a good backup; HTMX gets the part below the filters."""
    request.actor.require("backup:read")
    values = GapFilter(request.GET).values()
    clusters = list(machines.clusters_of(request.actor).values())
    wanted = {"words": values["q"], **{name: values[name] for name in ("origin", "age", "cluster")}}
    rows = listing.narrowed(listing.gaps(request.actor), **wanted)
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")), "filters": values, "clusters": clusters,
        "origins": ORIGINS, "ages": AGES, "old_days": listing.OLD.days, "is_filtered": any(values.values()),
        "live": " ".join([*(cluster.stream for cluster in clusters), listing.TOPICS]),
    }  # fmt: skip
    return render(request, "vms/backups/_gap_list.html" if request.htmx else "vms/backups/gap_list.html", context)


def _with_states(backups: Iterable[Backup]) -> list[tuple[Backup, str]]:
    """Each backup with how it is shown: by what a job does with it, or its own state."""
    rows = list(backups)
    busy = listing.busy(rows)
    return [(row, busy.get(row.pk, row.state)) for row in rows]


def _wanted(request: HtmxRequest, values: dict[str, str]) -> BackupQuerySet:
    is_verified = {"yes": True, "no": False}.get(values["verified"])
    wish = listing.Wish(None, values["status"], values["cluster"], is_verified)
    rows = listing.listed(request.actor, wish)
    for word in values["q"].replace("\0", "").split():
        match = Q(guest_name__icontains=word) | Q(storage__icontains=word) | Q(description__icontains=word)
        rows = rows.filter(match | Q(vmid=int(word)) if word.isascii() and word.isdigit() and len(word) < 10 else match)
    return rows.select_related("cluster", "guest").defer("cluster__ca_pem", "cluster__token_secret_sealed")


@require_safe
@login_required
@vary_on_headers("HX-Request")
def machine_backups(request: HtmxRequest, pk: int) -> HttpResponse:
    """The backups of one machine: for its page to pull in, and as a page of their own."""
    request.actor.require("backup:read")
    guest = get_object_or_404(Guest.objects.visible_to(request.actor).machines().select_related("cluster"), pk=pk)
    rows = Backup.objects.filter(guest=guest).order_by("-created_at", "-pk")
    total = rows.count()
    context: dict[str, Any] = {
        "guest": guest, "rows": _with_states(rows.select_related("cluster")[:SHOWN]), "total": total, "more": total > SHOWN,
        "saved": listing.saved(guest), "live": f"{guest.cluster.stream} {listing.TOPICS}",
    }  # fmt: skip
    return render(request, "vms/backups/_machine.html" if request.htmx else "vms/backups/machine_backups.html", context)
