"""The form of a question about the product."""

from django import forms

LONGEST_QUESTION = 500


class QuestionForm(forms.Form):
    """What somebody wants to know."""

    question = forms.CharField(min_length=2, max_length=LONGEST_QUESTION)
