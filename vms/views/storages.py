"""Making and removing storages of ALMA's."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from alma.errors import DomainError
from alma.htmx import HtmxRequest
from vms.forms.places import STORAGE_KINDS, StorageForm
from vms.models import ClusterStorage
from vms.operations import storages
from vms.storages import find as find_storage
from vms.views.places import limits_of

WRITE = "storage:write"


def find(request: HtmxRequest, pk: int) -> ClusterStorage:
    """A storage that the actor may see. Raises Http404."""
    row = find_storage(pk, by=request.actor)
    if row is None:
        raise Http404
    return row


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def storage_new(request: HtmxRequest) -> HttpResponse:
    """Choose a type, then say what it needs."""
    request.actor.require(WRITE)
    kind = request.GET.get("type", "")
    known = dict(STORAGE_KINDS)
    context = {
        "kinds": STORAGE_KINDS,
        "kind": kind,
        "label": known.get(kind, ""),
        "limits": limits_of(request.actor, "/storage"),
    }
    if kind not in known:
        return render(request, "vms/places/storage_form.html", context)
    form = StorageForm(request.POST if request.method == "POST" else None, kind=kind, by=request.actor)
    if form.is_bound and form.is_valid():
        try:
            _, job = storages.create(form.wish(), cluster=form.text("cluster"), by=request.actor)
        except DomainError as error:
            form.object(error)
        else:
            return redirect(job)
    fields = [field for field in form if field.name not in {"cluster", "content"}]
    status = 422 if form.is_bound else 200
    return render(request, "vms/places/storage_form.html", context | {"form": form, "plain": fields}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def storage_delete(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask, then remove its definition."""
    request.actor.require(WRITE)
    row = find(request, pk)
    if request.method != "POST":
        nodes = list(row.cluster.storages.filter(name=row.name).order_by("node").values_list("node", flat=True))
        return render(request, "vms/places/storage_delete.html", {"storage": row, "nodes": nodes})
    return redirect(storages.delete(row, by=request.actor))
