"""Tickets, CSRF tokens and API tokens, in every form that clients send them."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from urllib.parse import unquote

from vms.sandbox.core.errors import ApiError
from vms.sandbox.core.identity import NOBODY, Identity
from vms.sandbox.core.model import Token, User
from vms.sandbox.core.world import World

TICKET_SECONDS = 2 * 3600
CONSOLE_SECONDS = 40
_AHEAD = 20
_CLOCK_SKEW = 300
_CONSOLE = re.compile(r"(?:.{8}:)?(PVEVNC:([0-9A-F]{8}))::(.+)")
_TICKET = re.compile(r"PVE:([^:]+):([0-9A-F]{8})::(.+)")
_OPEN_TO_ALL = {
    ("GET", "/access/domains"), ("GET", "/access/ticket"), ("POST", "/access/ticket"), ("POST", "/access/vncticket"),
    ("POST", "/access/openid/login"), ("POST", "/access/openid/auth-url"),
}  # fmt: skip


_UPLOAD = re.compile(r"/nodes/[^/]+/storage/[^/]+/upload/?")
"""A form of a page uploads files, and a form has no header to carry a CSRF token."""


class Unauthorized(ApiError):
    """A 401 of the authentication stage: a reason phrase and an empty body."""

    def __init__(self, text: str) -> None:
        super().__init__(401, text)


def authenticate(world: World, method: str, path: str, headers: Mapping[str, str]) -> Identity:
    """Who asks, from the headers alone; raises Unauthorized. A ticket goes before a token."""
    authorization = headers.get("Authorization", "")
    ticket = _extract(headers.get("Cookie", ""), "PVEAuthCookie") or _extract(authorization, "PVEAuthCookie")
    token = "" if ticket else _extract(authorization, "PVEAPIToken")
    if (method, path) in _OPEN_TO_ALL:
        return Identity(tokenid=token) if token else NOBODY
    if token:
        return _token_identity(world, token)
    if not ticket:
        raise Unauthorized("No ticket")
    is_upload = method == "POST" and _UPLOAD.fullmatch(path) is not None
    return _ticket_identity(world, "GET" if is_upload else method, ticket, headers.get("CSRFPreventionToken", ""))


def _ticket_identity(world: World, method: str, ticket: str, csrf_token: str) -> Identity:
    user = ticket_user(world, ticket)
    if not user:
        raise Unauthorized("Authentication failed!")
    if method != "GET" and not _is_csrf_valid(world, user, csrf_token):
        raise Unauthorized("Permission denied - invalid csrf token")
    return Identity(user)


def _extract(header: str, key: str) -> str:
    match = re.search(rf"(?:^|\s){key}(?:=| )([^;]*)", header)
    return unquote(match[1]) if match else ""


def _token_identity(world: World, value: str) -> Identity:
    full_id, separator, secret = value.partition("=")
    token = world.state.tokens.get(full_id)
    if not separator or token is None or not _is_token_good(world, token, secret):
        raise Unauthorized("Authentication failed!")
    return Identity(token.userid, token.tokenid, privsep=bool(token.privsep))


def _is_token_good(world: World, token: Token, secret: str) -> bool:
    is_expired = bool(token.expire) and token.expire < world.now()
    user = world.state.users.get(token.userid)
    is_right = _is_same(token.digest, secret_digest(secret))
    return is_right and not is_expired and user is not None and _is_active(world, user)


def _is_active(world: World, user: User) -> bool:
    return bool(user.enable) and (not user.expire or user.expire > world.now())


def secret_digest(secret: str) -> str:
    return hashlib.sha256(_bytes(secret)).hexdigest()


def password_digest(password: str, salt: bytes) -> str:
    derived = hashlib.scrypt(_bytes(password), salt=salt, n=2**12, r=8, p=1)
    return f"{salt.hex()}${derived.hex()}"


def is_password_right(user: User, password: str) -> bool:
    salt, _, _ = user.password.partition("$")
    return bool(salt) and _is_same(user.password, password_digest(password, bytes.fromhex(salt)))


def log_in(world: World, userid: str, password: str) -> None:
    """Check a password, or a ticket given as one; root's ticket is good for any user."""
    user = world.state.users.get(userid)
    holder = ticket_user(world, password) if password.startswith("PVE:") else ""
    is_right = holder in {userid, "root@pam"} if holder else user is not None and is_password_right(user, password)
    if user is None or not is_right or not _is_active(world, user):
        raise ApiError(401, "authentication failure")


def issue_ticket(world: World, userid: str) -> str:
    plain = f"PVE:{userid}:{int(world.now()):08X}"
    return f"{plain}::{_sign(world, plain)}"


def issue_csrf_token(world: World, userid: str) -> str:
    stamp = f"{int(world.now()):08X}"
    return f"{stamp}:{_sign(world, f'{stamp}:{userid}')}"


def ticket_user(world: World, ticket: str) -> str:
    """The user of a valid ticket, empty otherwise."""
    match = _TICKET.fullmatch(ticket)
    if not match or not _is_fresh(world, match[2]):
        return ""
    user = world.state.users.get(match[1])
    is_signed = _is_same(match[3], _sign(world, f"PVE:{match[1]}:{match[2]}"))
    return match[1] if is_signed and user is not None and _is_active(world, user) else ""


def issue_console_ticket(world: World, name: str, path: str, port: int) -> str:
    """What lets a user or token to one console, at one port; it names neither."""
    plain = f"PVEVNC:{int(world.now()):08X}"
    return f"{plain}::{_sign(world, f'{plain}:{name}:{path}:{port}')}"


def is_console_ticket(world: World, ticket: str, name: str, path: str, port: int) -> bool:
    """Whether it is one, for them and for there, and young enough. The password of a screen may stand before it."""
    match = _CONSOLE.fullmatch(ticket)
    if match is None or not -_AHEAD < world.now() - int(match[2], 16) < CONSOLE_SECONDS:
        return False
    return _is_same(match[3], _sign(world, f"{match[1]}:{name}:{path}:{port}"))


def _is_csrf_valid(world: World, userid: str, value: str) -> bool:
    stamp, _, signature = value.partition(":")
    if not re.fullmatch("[0-9A-F]{8}", stamp) or not _is_fresh(world, stamp):
        return False
    return _is_same(signature, _sign(world, f"{stamp}:{userid}"))


def _is_fresh(world: World, stamp: str) -> bool:
    age = world.now() - int(stamp, 16)
    return -_CLOCK_SKEW < age < TICKET_SECONDS


def _sign(world: World, text: str) -> str:
    key = bytes.fromhex(world.state.setting("ticket_key"))
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha512).digest()).decode().rstrip("=")


def _is_same(left: str, right: str) -> bool:
    return hmac.compare_digest(_bytes(left), _bytes(right))


def _bytes(text: str) -> bytes:
    """Header values may carry bytes that are no text."""
    return text.encode(errors="surrogatepass")
