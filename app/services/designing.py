"""What designing diagrams, templates and searches has in common: who may, ids that callers choose, sharing."""

from app.errors import InvalidValue, PermissionDenied
from app.protocol.ids import check_own_id
from app.services.engine import Unit


def require_designer(unit: Unit) -> None:
    """Raise PermissionDenied unless the caller has adminBasic (or adminAdvanced, which includes it)."""
    if not unit.actor.may("adminBasic"):
        raise PermissionDenied(f"{unit.actor.username!r} may not design here: the privilege adminBasic is missing.")


def own_or_new_id(unit: Unit, given: str | None, member: str) -> str:
    """The id the caller has chosen, if it is one (InvalidValue otherwise); else a new one."""
    return check_own_id(given, member) if given else unit.new_id()


def existing_groups(unit: Unit, group_ids: list[str]) -> tuple[str, ...]:
    """Groups to share something with, each once. Raises InvalidValue, naming those that do not exist."""
    wanted = tuple(dict.fromkeys(group_ids))
    unknown = [group_id for group_id in wanted if unit.tx.group(group_id) is None]
    if unknown:
        raise InvalidValue(f"groupIds: there is no group {', '.join(unknown)}.", details=unknown)
    return wanted
