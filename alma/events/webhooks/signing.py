"""Signatures of deliveries: those of Standard Webhooks, and the one that the API document shows."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from alma.events.models.webhooks import SECRET_PREFIX


def key_of(secret: str) -> bytes:
    """The key in a `whsec_…` secret; any other secret is the key as it stands."""
    if secret.startswith(SECRET_PREFIX):
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return secret.encode()


def headers_of(message_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """What proves where a delivery comes from; with two secrets each signs, and either proves it."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    standard = (base64.b64encode(_hmac(key_of(secret), signed)).decode() for secret in secrets)
    documented = (_hmac(secret.encode(), f"{timestamp}.".encode() + body).hex() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in standard),
        "X-Webhook-Signature": ", ".join(f"sha256={signature}" for signature in documented),
    }


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()
