"""The log of an item: what has gone wrong with its jobs, for whoever administers it (rest.md 13.3)."""

from app.errors import InvalidValue, PermissionDenied
from app.protocol.items import LogLine, LogPage
from app.protocol.text import iso
from app.services.engine import Unit
from app.services.ports import LogEntry, LogLevel

MAX_MESSAGE_CHARS = 2_000
MAX_PAGE = 1_000
_FOR_EVER_MS = 2**62


def write(
    unit: Unit,
    level: LogLevel,
    message: str,
    *,
    job_id: str | None = None,
    step_id: str | None = None,
    username: str | None = None,
) -> None:
    """Add an entry, in the transaction of what it is about.

    Args:
        username: whom it happened to; None: the present caller.
    """
    text = message[:MAX_MESSAGE_CHARS]
    unit.tx.add_log(unit.item, LogEntry(level, text, unit.now_ms, username or unit.actor.username, job_id, step_id))


def page(unit: Unit, from_ms: int | None, until_ms: int | None, skip: int, count: int) -> LogPage:
    """Entries of a time, newest first. Raises PermissionDenied without adminBasic, InvalidValue."""
    if not unit.actor.may("adminBasic"):
        raise PermissionDenied("The log is for adminBasic and adminAdvanced.")
    if from_ms is not None and until_ms is not None and from_ms > until_ms:
        raise InvalidValue("endTime lies before startTime.", details=["endTime"])
    found = unit.tx.logs(unit.item, from_ms or 0, _FOR_EVER_MS if until_ms is None else until_ms, skip, count)
    return LogPage([_line(entry) for entry in found])


def _line(entry: LogEntry) -> LogLine:
    return LogLine(
        log_level=entry.level.value,
        message=entry.message,
        job_id=entry.job_id,
        step_id=entry.step_id,
        created_date=iso(entry.at_ms),
        created_user=entry.username,
    )
