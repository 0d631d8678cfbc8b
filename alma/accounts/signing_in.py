"""Passwords: checked once, counted always. Who guesses waits longer each time; nobody else does.

Failures are counted per name and address together: a guesser slows down only themselves, and the person whose name
is guessed at signs in from their own address as ever. An attempt is counted before the password is looked at, under
the lock of its row, so that many attempts at once are as slow as many in turn.
"""

import unicodedata
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from alma.accounts.models import SignInAttempts
from alma.errors import RateLimited

FREE_FAILURES = 5
LONGEST = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


class CountingBackend(ModelBackend):
    """Django's own check of a password, which does equal work for people who do not exist; each attempt is counted."""

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The person, or None. Raises RateLimited, whatever the password."""
        if request is None or username is None or password is None:
            return super().authenticate(request, username=username, password=password, **kwargs)
        pair = pair_of(username, request.META.get("REMOTE_ADDR", ""))
        count(pair)
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            forgive(pair)
        return user

    async def aauthenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The same for asynchronous callers."""
        return await sync_to_async(self.authenticate)(request, username=username, password=password, **kwargs)


def pair_of(username: str, address: str) -> str:
    """What stands for a name from an address."""
    name = unicodedata.normalize("NFKC", username).casefold()
    return salted_hmac("alma.accounts.signing_in", f"{network_of(address)} {name}", algorithm="sha256").hexdigest()


def network_of(address: str) -> str:
    """What stands for an address: of IPv6 its /64, which one customer has whole; IPv4 is the same however it is written."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    known = getattr(known, "ipv4_mapped", None) or known
    return str(ip_network((known, 64), strict=False)) if known.version == 6 else str(known)


@transaction.atomic
def count(pair: str, *, now: datetime | None = None) -> None:
    """Count an attempt before its outcome is known. Raises RateLimited while the pair has to wait."""
    row = _locked(pair, now or timezone.now())
    now = now or timezone.now()  # read again under the lock: the clocks of waiters are older than what they waited for
    if row.blocked_until is not None and row.blocked_until > now:
        seconds = max(1, round((row.blocked_until - now).total_seconds()))
        raise RateLimited(f"Too many attempts. Try again in {seconds} seconds.", retry_after=seconds)
    row.failures = 1 if row.last_at < now - FORGOTTEN_AFTER else row.failures + 1
    row.last_at = now
    row.blocked_until = now + pause if (pause := delay_after(row.failures)) else None
    row.save(update_fields=["failures", "last_at", "blocked_until"])


def _locked(pair: str, now: datetime) -> SignInAttempts:
    rows = SignInAttempts.objects.select_for_update()
    return rows.filter(pair=pair).first() or rows.get_or_create(pair=pair, defaults={"last_at": now})[0]


def delay_after(failures: int) -> timedelta:
    """Nothing for the first few, then 1 s, 2 s, 4 s … up to a quarter of an hour."""
    if failures < FREE_FAILURES:
        return timedelta()
    return min(LONGEST, timedelta(seconds=2 ** min(failures - FREE_FAILURES, 20)))


def forgive(pair: str) -> None:
    """The password was right: what went before was a slip of the fingers."""
    SignInAttempts.objects.filter(pair=pair).delete()


def forget_old() -> None:
    """A chore: drop what no longer counts."""
    SignInAttempts.objects.filter(last_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()


def stamp_of(user: User) -> str:
    """What changes with the password, so that whatever names it ends with that password. It tells nothing of it."""
    return salted_hmac("alma.accounts.stamp", user.password, algorithm="sha256").hexdigest()[:32]
