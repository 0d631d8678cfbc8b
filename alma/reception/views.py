"""The page that answers questions about the product from its documentation."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from alma.htmx import HtmxRequest
from alma.reception.answering import MOST_CITATIONS, answer
from alma.reception.forms import QuestionForm

QUESTIONS = (
    "How do I connect a real cluster?",
    "How can a key be limited?",
    "What does a backup need to count as good?",
)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def help_page(request: HtmxRequest) -> HttpResponse:
    """A question, and what the documentation says about it, with the places where it does."""
    form = QuestionForm(request.POST if request.method == "POST" else None)
    said = None
    if form.is_valid():
        said = answer(form.cleaned_data["question"], limit=MOST_CITATIONS, by=request.actor)
    context = {"form": form, "said": said, "questions": QUESTIONS}
    return render(request, "help/help_page.html", context, status=422 if form.errors else 200)
