"""Projects: what jobs of the v3 dialects can be done for."""

from app.errors import InvalidValue
from app.services.engine import Unit
from app.services.people import require_administrator
from app.services.ports import Project

MAX_NAME_CHARS = 200


def add(unit: Unit, name: str) -> Project:
    """Add a project to the item. Raises PermissionDenied, InvalidValue, Conflict (the name is taken)."""
    require_administrator(unit)
    if not name.isprintable() or name != name.strip() or not 0 < len(name) <= MAX_NAME_CHARS:
        raise InvalidValue(f"{name!r} cannot be a project's name: 1 to {MAX_NAME_CHARS} printable characters.")
    return unit.tx.add_project(unit.item, name)
