"""The library: which models there are, whether they would fit, and more of them."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from alma.errors import DomainError, Unavailable
from alma.htmx import HtmxRequest, done
from alma.jobs.models import Job
from instances import nodes
from instances.forms.downloads import DownloadForm
from instances.library import downloads, listing
from instances.library.fitting import Room
from instances.library.listing import Entry
from instances.models import Download
from instances.remote.asking import is_here

READ, WRITE = "instance:read", downloads.WRITE
PER_PAGE = 25
_BACKENDS = {"gguf": "llama_cpp", "safetensors": "vllm"}
_RECENT = timedelta(hours=24)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def model_list(request: HtmxRequest) -> HttpResponse:
    """All models and the downloads of the last day; HTMX gets the part below the form."""
    request.actor.require(READ)
    if request.htmx:
        return render(request, "instances/_models.html", _context(request))
    return render(
        request,
        "instances/models_list.html",
        _context(request) | {"form": DownloadForm(initial={"node": _node_of(request)})},
    )


@require_POST
@login_required
def model_download(request: HtmxRequest) -> HttpResponse:
    """Begin a download, and show it."""
    request.actor.require(WRITE)
    form = DownloadForm(request.POST)
    if form.is_valid():
        try:
            row = downloads.begin(form.wish(), by=request.actor)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return done(request, "instances:models", f"{row} is being fetched.", messages.SUCCESS)
    return render(request, "instances/models_list.html", _context(request) | {"form": form}, status=422)


@require_POST
@login_required
def model_cancel(request: HtmxRequest, job_id: str) -> HttpResponse:
    """Cancel a download."""
    request.actor.require(WRITE)
    row = downloads.find(job_id, by=request.actor)
    downloads.cancel(row, by=request.actor)
    return done(request, "instances:models", f"The download of {row} is being cancelled.")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def model_delete(request: HtmxRequest) -> HttpResponse:
    """Ask, then delete the files of a model."""
    request.actor.require(WRITE)
    path = request.GET.get("path", "")[:500]
    if not path:
        return redirect("instances:models")
    node = _node_of(request)
    entry = next((one for one in listing.of(by=request.actor, node=node) if one.model.path == path), None)
    if entry is None:
        raise Http404
    if request.method != "POST":
        return render(request, "instances/models_delete.html", {"entry": entry, "node": node})
    downloads.delete(path, by=request.actor, node=node)
    messages.success(request, f"{path} is deleted.")
    return redirect(reverse("instances:models") + (f"?node={quote(node)}" if node else ""))


def _node_of(request: HtmxRequest) -> str:
    """The machine whose models are shown, empty for this one. Raises NotFound."""
    node = request.GET.get("node", "")
    return "" if is_here(node) else nodes.find(node).name


def _context(request: HtmxRequest) -> dict[str, Any]:
    words = request.GET.get("q", "").strip()[:100].lower()
    node, problem, found, room = _node_of(request), "", list[Entry](), None
    try:
        found = [entry for entry in listing.of(by=request.actor, node=node) if _is_meant(entry, words)]
        room = Room.now(by=request.actor, node=node)
    except Unavailable as error:
        problem = error.message
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"entry": entry, "fit": _fit(room, entry)} for entry in page.object_list if room]
    recent = Q(job__state__in=Job.OPEN) | Q(job__finished_at__gt=timezone.now() - _RECENT)
    fetched = list(Download.objects.visible_to(request.actor).select_related("job").filter(recent)[:PER_PAGE])
    here = request.get_full_path() if request.method == "GET" else reverse("instances:models")
    return {
        "here": here, "page": page, "rows": rows, "words": words, "fetched": fetched, "room": room, "problem": problem,
        "node": node or settings.ALMA_NODE, "nodes": nodes.choices(),
        "is_fetching": any(row.job and row.job.is_open for row in fetched), "can_write": request.actor.has(WRITE),
    }  # fmt: skip


def _is_meant(entry: Entry, words: str) -> bool:
    facts = entry.model.facts
    said = f"{entry.model.path} {facts.name} {facts.architecture} {facts.quantization}".lower()
    return all(word in said for word in words.split())


def _fit(room: Room, entry: Entry) -> Any:
    """With the whole context of the model, as a start without options would have it."""
    return None if entry.model.problem else room.fit(entry.model, {}, _BACKENDS[entry.model.format])
