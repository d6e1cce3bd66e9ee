"""An item's settings (rest.md 8.2): names and texts, of which some are secrets."""

from collections.abc import Mapping

from app.services.engine import Unit


def opened(unit: Unit) -> Mapping[str, str]:
    """All settings, secrets included: for the server's own work, never for an answer. Raises StoreUnavailable when a
    secret was sealed under another master key."""
    return {
        setting.name: (unit.vault.open(setting.value) if setting.encrypted else setting.value).decode()
        for setting in unit.tx.settings(unit.item)
    }
