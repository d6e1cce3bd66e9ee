"""Secrets in an exported configuration: encrypted under a passphrase (scrypt, AES-256-GCM).

The file may lie anywhere, so guessing is made slow. What the key is derived with is fixed here and not read from the
file: whoever makes one must not choose how long this server works on it.
"""

import secrets
from base64 import b64decode, b64encode
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from app.errors import InvalidValue

SALT_BYTES: Final = 16
MAX_CHARS: Final = 1_000

_NONCE_BYTES: Final = 12
_LOG_COST, _BLOCK, _LANES = 15, 8, 1
"""32 MiB and a twentieth of a second for each guess."""


class PassphraseCipher:
    """Encrypts and decrypts texts with the key that a passphrase and a salt have become."""

    def __init__(self, salt: bytes, key: bytes) -> None:
        self.salt = salt
        self.key = key
        self._cipher = AESGCM(key)

    @classmethod
    def of(cls, passphrase: str, salt: bytes | None = None) -> Self:
        """Derive the key, which takes a twentieth of a second. Raises InvalidValue for what is no passphrase.

        Args:
            salt: of the file; None for a new one.
        """
        if not 0 < len(passphrase) <= MAX_CHARS:
            raise InvalidValue(f"A passphrase has 1 to {MAX_CHARS:,} characters.", details=["passphrase"])
        salt = salt or secrets.token_bytes(SALT_BYTES)
        derive = Scrypt(salt=salt, length=32, n=2**_LOG_COST, r=_BLOCK, p=_LANES)
        return cls(salt, derive.derive(passphrase.encode()))

    def seal(self, name: str, text: str) -> str:
        """Encrypt the value of what is called ``name``; it cannot be passed off as another's."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), name.encode())).decode()

    def open(self, name: str, sealed: str) -> str:
        """Decrypt. Raises InvalidValue: another passphrase, or changed since."""
        try:
            data = b64decode(sealed, validate=True)
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise InvalidValue(
                f"The secret {name!r} cannot be opened: the passphrase is not the one it was exported with, or the "
                "file was changed.",
                name="WrongPassphrase",
                details=["passphrase"],
            ) from error
