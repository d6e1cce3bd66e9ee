"""What designing diagrams and templates has in common: who may, and ids that callers choose."""

from app.errors import PermissionDenied
from app.protocol.ids import check_own_id
from app.services.engine import Unit


def require_designer(unit: Unit) -> None:
    """Raise PermissionDenied unless the caller has adminBasic (or adminAdvanced, which includes it)."""
    if not unit.actor.may("adminBasic"):
        raise PermissionDenied(f"{unit.actor.username!r} may not design here: the privilege adminBasic is missing.")


def own_or_new_id(unit: Unit, given: str | None, member: str) -> str:
    """The id the caller has chosen, if it is one (InvalidValue otherwise); else a new one."""
    return check_own_id(given, member) if given else unit.new_id()
