"""Secrets at rest: sealed with a key that is derived from the secret key and never lies in the database."""

import base64
from dataclasses import dataclass
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from alma.errors import Unavailable


@cache
def _key(secret_key: str, purpose: bytes) -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


@dataclass(frozen=True)
class Seal:
    """One kind of secret. Each purpose has a key of its own: what is sealed for one cannot be opened as another."""

    purpose: bytes
    lost: str
    """What to say when a secret was sealed under a key that is gone."""
    code: str

    def _keys(self) -> MultiFernet:
        """The present secret key seals; those before it (SECRET_KEY_FALLBACKS) still open."""
        return MultiFernet(
            [_key(secret, self.purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
        )

    def seal(self, secret: str) -> str:
        """What may be stored."""
        return self._keys().encrypt(secret.encode()).decode() if secret else ""

    def unseal(self, sealed: str) -> str:
        """The secret again. Raises Unavailable when it was sealed under a key that is gone."""
        if not sealed:
            return ""
        try:
            return self._keys().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise Unavailable(self.lost, code=self.code) from error
