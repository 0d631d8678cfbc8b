"""Conversations as a whole: their list, copies, what becomes of a draft, and their end."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alma.errors import WrongState
from alma.htmx import HtmxRequest
from blueprints import services
from blueprints.assistants import conversations
from blueprints.assistants.answering import BEGIN
from blueprints.forms import WordsForm
from blueprints.models import Conversation
from blueprints.pages.conversation import read_draft
from blueprints.schema import BlueprintDocument

PER_PAGE = 25
STREAM = "text/event-stream"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def conversation_list(request: HtmxRequest) -> HttpResponse:
    """All conversations of the organization, the newest first; the first words begin another one."""
    form = WordsForm(request.POST or None, initial={"words": request.GET.get("words", "")[:8000]})
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data["words"]
        row = conversations.begin(by=request.actor, title=conversations.title_of(words))
        if STREAM in request.headers.get("Accept", ""):  # a script says them there, and shows the answer as it comes
            return HttpResponse(status=HTTPStatus.CREATED, headers={"Location": _address(row)})
        conversations.say(row, words, by=request.actor)
        return redirect(_address(row))
    rows = Conversation.objects.visible_to(request.actor).select_related("assistant")
    context = {
        "form": form,
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "can_write": request.actor.has(conversations.WRITE),
        "hints": BEGIN,
    }
    status = 422 if form.errors else 200
    return render(request, "blueprints/conversation_list.html", context, status=status)


@require_POST
@login_required
def conversation_fork(request: HtmxRequest, uid: UUID) -> HttpResponse:
    """Go on from an earlier answer in a conversation of its own; this one stays as it is."""
    row = found(request, uid)
    text = request.POST.get("number", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else row.message_count
    row = conversations.fork(row, number, by=request.actor)
    messages.success(request, "This is a copy up to that answer; the other conversation stays as it was.")
    return redirect("blueprints:conversation", row.uid)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def conversation_archive(request: HtmxRequest, uid: UUID) -> HttpResponse:
    """Ask, then close it for good; it can still be read."""
    row = found(request, uid)
    request.actor.require(conversations.WRITE)
    if request.method == "POST":
        conversations.archive(row, by=request.actor)
        messages.success(request, "The conversation is closed. It can still be read.")
        return redirect("blueprints:conversation", uid)
    return render(request, "blueprints/conversation_archive.html", {"conversation": row})


@require_safe
@login_required
def conversation_draft(request: HtmxRequest, uid: UUID) -> HttpResponse:
    """To the editor with the draft of a conversation."""
    return redirect(f"{reverse('blueprints:new')}?conversation={found(request, uid).uid}")


@require_POST
@login_required
def conversation_propose(request: HtmxRequest, uid: UUID) -> HttpResponse:
    """Save the draft as a blueprint, unless it is saved as it stands, and on to its IPR, which is opened there."""
    document = drafted_document(request, str(uid))
    if document is None:
        raise WrongState("There is no draft to propose yet.")
    blueprint = services.saved_alike(document, by=request.actor) or services.create(document, by=request.actor)
    return redirect(f"{reverse('iprs:new')}?blueprint={blueprint.pk}")


def drafted_document(request: HtmxRequest, uid: str) -> BlueprintDocument | None:
    """The newest draft of a conversation, which it names as where it comes from. Raises NotFound."""
    try:
        row = found(request, UUID(uid))
    except ValueError as error:
        raise conversations.not_found() from error
    document = read_draft(conversations.talk_of(row).draft)
    return document and document.model_copy(update={"metadata": {**document.metadata, "conversation": str(row.uid)}})


def found(request: HtmxRequest, uid: UUID) -> Conversation:
    """A conversation that the person sees. Raises NotFound."""
    rows = Conversation.objects.visible_to(request.actor).select_related("assistant")
    row = rows.filter(uid=uid).first()
    if row is None:
        raise conversations.not_found()
    return row


def _address(row: Conversation) -> str:
    return reverse("blueprints:conversation", args=[row.uid])
