"""Making a machine: from a template or an image, as the clusters were last read."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from alma.errors import DomainError
from alma.htmx import HtmxRequest
from alma.jobs.gate import decided_at
from vms.forms.making import MachineForm
from vms.operations.making import create


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def machine_new(request: HtmxRequest) -> HttpResponse:
    """Ask what it shall be, and begin; then its page, or the IPR that has to be agreed to."""
    request.actor.require("vm:write")
    chosen = {"source": request.GET.get("source", "")[:400]}
    form = MachineForm(request.POST if request.method == "POST" else None, by=request.actor, initial=chosen)
    if form.is_bound and form.is_valid() and form.wish is not None:
        try:
            guest, job = create(form.wish.machine(), by=request.actor)
        except DomainError as error:
            form.object(error)
        else:
            for note in form.wish.notes(job.params["template"]):
                messages.info(request, note)
            return redirect(decided_at(job.params)["ipr_url"] or guest.get_absolute_url())
    return render(request, "vms/making/form.html", {"form": form}, status=422 if form.is_bound else 200)
