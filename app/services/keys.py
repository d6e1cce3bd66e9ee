"""Keys that sign tokens: made once per database, rotated by ``stepgate key rotate``.

The caller brings the new key's id and secret (sealed, where a master key is set), because a use case may run twice.
"""

from app.services.engine import Unit
from app.services.ports import SigningKey, Tx


def ensure_signing_key(tx: Tx, key_id: str, secret: bytes) -> None:
    """Add the key unless the database has one that signs."""
    if not any(key.retired_ms is None for key in tx.signing_keys()):
        tx.add_signing_key(SigningKey(key_id, secret, tx.now_ms(), None))


def rotate_signing_key(unit: Unit, key_id: str, secret: bytes) -> None:
    """Let the new key sign from now on. The old ones verify what they have signed until that has run out."""
    unit.tx.retire_signing_keys(unit.now_ms)
    unit.tx.add_signing_key(SigningKey(key_id, secret, unit.now_ms, None))
    unit.tx.bump_access(None)
    unit.effects.access_changed = True
