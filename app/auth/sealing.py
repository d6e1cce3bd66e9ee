"""Secrets in the database, encrypted under the master key ``STEPGATE_SECRET_KEY`` (AES-256-GCM, HKDF-SHA256).

Without a master key secrets are stored as they are: whoever reads the database file can then sign tokens.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import StoreUnavailable

_MARK = b"sealed1:"
_NONCE_BYTES = 12


class Sealer:
    """Seals secrets before they are stored and opens them after. ``master_key`` None seals nothing."""

    def __init__(self, master_key: str | None) -> None:
        self._cipher = AESGCM(_derive(master_key)) if master_key else None

    def seal(self, secret: bytes) -> bytes:
        """Encrypt, when there is a master key."""
        if self._cipher is None:
            return secret
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _MARK + nonce + self._cipher.encrypt(nonce, secret, _MARK)

    def open(self, stored: bytes) -> bytes:
        """Decrypt what ``seal`` made; what was stored without a master key comes back as it is.

        Raises:
            StoreUnavailable: it was sealed under another master key than the present one, or was changed.
        """
        if not stored.startswith(_MARK):
            return stored
        sealed = stored[len(_MARK) :]
        if self._cipher is None:
            raise StoreUnavailable("The keys in the database are encrypted: set STEPGATE_SECRET_KEY to what it was.")
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _MARK)
        except InvalidTag as error:
            raise StoreUnavailable(
                "STEPGATE_SECRET_KEY is not the one that the keys in the database were encrypted with."
            ) from error


def _derive(master_key: str) -> bytes:
    """Make a key of text; text of a person's choice should be long, for nothing slow stands before it."""
    return HKDF(SHA256(), 32, salt=None, info=b"stepgate secrets").derive(master_key.encode())
