"""An item's settings (rest.md 8.2): names and texts, of which some are secrets that nobody is ever told."""

from collections.abc import Mapping

from app.errors import InvalidValue, PermissionDenied
from app.protocol.item_setup import ALWAYS_SECRET, SYSTEM_SETTINGS, SettingGiven, SettingsBody, WireSetting
from app.protocol.smtp import read_port, read_protocol
from app.services.engine import Unit
from app.services.ports import Setting

_CHECKS = {"smtpPort": read_port, "smtpProtocol": read_protocol}
"""Settings that are checked when they are stored: a wrong one would be found only when a step fails."""


def update(unit: Unit, body: SettingsBody) -> None:
    """Add and change settings, all or none; secrets are sealed.

    Raises:
        PermissionDenied: without adminAdvanced. InvalidValue: a system setting that is not what it must be, a value
        missing where there is none yet.
    """
    if not unit.actor.may("adminAdvanced"):
        raise PermissionDenied(f"Settings need the privilege adminAdvanced, which {unit.actor.username!r} lacks.")
    known = {setting.name: setting for setting in unit.tx.settings(unit.item)}
    if faults := [fault for number, given in enumerate(body.settings) if (fault := _fault(number, given, known))]:
        raise InvalidValue(f"UpdateSettingsBody was invalid: {'; '.join(faults)}.", details=faults)
    for given in body.settings:
        if given.value is not None:
            known[given.prop_name] = _stored(unit, given, known.get(given.prop_name))
            unit.tx.put_setting(unit.item, known[given.prop_name])


def _fault(number: int, given: SettingGiven, known: Mapping[str, Setting]) -> str | None:
    place = f"settings[{number}] ({given.prop_name})"
    if given.value is None:
        before = known.get(given.prop_name)
        if before is None:
            return f"{place} has no value"
        changed = given.encrypted is not None and given.encrypted != before.encrypted
        return f"{place} cannot change whether it is encrypted without a value" if changed else None
    try:
        _CHECKS.get(given.prop_name, str)(str(given.value))
    except ValueError as error:
        return f"{place}: {error}"
    return None


def _stored(unit: Unit, given: SettingGiven, before: Setting | None) -> Setting:
    was_secret = before is not None and before.encrypted
    encrypted = given.prop_name == ALWAYS_SECRET or (was_secret if given.encrypted is None else given.encrypted)
    value = str(given.value).encode()
    return Setting(given.prop_name, unit.vault.seal(value) if encrypted else value, encrypted)


def told(unit: Unit, *, with_system: bool) -> list[WireSetting]:
    """The settings as anybody may read them: a secret has no value."""
    return [
        WireSetting(setting.name, None if setting.encrypted else setting.value.decode(), setting.encrypted)
        for setting in unit.tx.settings(unit.item)
        if with_system or setting.name not in SYSTEM_SETTINGS
    ]


def opened(unit: Unit) -> Mapping[str, str]:
    """All settings, secrets included: for the server's own work, never for an answer. Raises StoreUnavailable when a
    secret was sealed under another master key."""
    return {
        setting.name: (unit.vault.open(setting.value) if setting.encrypted else setting.value).decode()
        for setting in unit.tx.settings(unit.item)
    }
