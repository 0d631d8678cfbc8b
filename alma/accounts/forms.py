"""Forms of signing in and of passwords. Each password that is given is counted, so that none is guessed."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.http import HttpRequest

from alma.errors import RateLimited


class SignInForm(AuthenticationForm):
    """Name and password. The refusal is the same for a person who does not exist."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The user name and the password do not match.",
    }

    def clean(self) -> dict[str, Any]:
        """Check them; who has tried too often reads how long to wait."""
        try:
            return super().clean()
        except RateLimited as error:
            raise forms.ValidationError(error.message, code="rate_limited") from error


class ConfirmForm(forms.Form):
    """The password of the person who is signed in already."""

    password = forms.CharField(
        strip=False, max_length=4096, widget=forms.PasswordInput, error_messages={"required": "Give your password."}
    )

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data)
        self._request = request

    def clean_password(self) -> str:
        """It is that person's."""
        password: str = self.cleaned_data["password"]
        check_password(self._request, password)
        return password


class NewPasswordForm(PasswordChangeForm):
    """The present password and a new one."""

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        assert isinstance(request.user, User)
        super().__init__(request.user, data)
        self._request = request

    def clean_old_password(self) -> str:
        """It is that person's."""
        password: str = self.cleaned_data["old_password"]
        check_password(self._request, password)
        return password


def check_password(request: HttpRequest, password: str) -> None:
    """Raises ValidationError when this is not the password of the person who is signed in, or was tried too often."""
    assert isinstance(request.user, User)
    try:
        person = authenticate(request, username=request.user.get_username(), password=password)
    except RateLimited as error:
        raise forms.ValidationError(error.message, code="rate_limited") from error
    if person != request.user:
        raise forms.ValidationError("This is not your password.", code="wrong_password")
