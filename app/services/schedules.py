"""Scheduled automations: the job that is due is made, once for each moment over all nodes (rest.md 7.1).

The schedule is moved on in the transaction that makes the job, so neither a crash nor another node makes two of it, or
none.
"""

from dataclasses import replace

from app.domain.job import Origin
from app.domain.schedule import Schedule, latest_time, next_time
from app.protocol.automations import read_details
from app.services import item_log
from app.services.access import read_actor
from app.services.acting import acting
from app.services.creation import AUTOMATED_STATES, JobOverrides, create
from app.services.engine import Unit
from app.services.ports import Automation, DueAutomation, LogLevel

MAX_ERROR_CHARS = 1_000


def make_job_when_due(unit: Unit, due: DueAutomation) -> str | None:
    """Make the job of a moment that has come, as who has added the automation, and return its id.

    Of moments that were missed the last one counts, and makes one job. None: another node has made it or is at it, or
    the schedule is another one by now. Raises what ``creation.create`` raises, and AccessError for a user who may not
    do anything any more; ``skip_when_due`` notes it.
    """
    found = _taken(unit, due)
    if found is None:
        return None
    automation, schedule = found
    origin = Origin(automation.automation_id, automation.automation_type)
    with acting(unit, read_actor(unit.tx, unit.item, automation.created_by)):
        created = create(unit, automation.template_id, JobOverrides(origin=origin), AUTOMATED_STATES)
    latest_ms = latest_time(schedule, set_ms=automation.set_ms, due_ms=due.due_ms, now_ms=unit.now_ms)
    made = replace(
        automation, occurrences=automation.occurrences + 1, last_ms=latest_ms, last_error=None, last_error_ms=None
    )
    unit.tx.put_automation(unit.item, _moved_on(unit, made, schedule))
    return created.job_ids[0]


def skip_when_due(unit: Unit, due: DueAutomation, reason: str) -> bool:
    """Note why the job of a moment could not be made, and go on with the next moment. False as None above."""
    found = _taken(unit, due)
    if found is None:
        return False
    automation, schedule = found
    noted = replace(automation, last_error=reason[:MAX_ERROR_CHARS], last_error_ms=unit.now_ms)
    unit.tx.put_automation(unit.item, _moved_on(unit, noted, schedule))
    item_log.write(unit, LogLevel.ERROR, f"The automation {automation.name!r} has made no job. {reason}")
    return True


def _taken(unit: Unit, due: DueAutomation) -> tuple[Automation, Schedule] | None:
    if due.due_ms > unit.now_ms:
        return None
    automation = unit.tx.take_automation(unit.item, due.automation_id, due.due_ms)
    schedule = read_details(automation.automation_type, automation.details).schedule if automation else None
    return (automation, schedule) if automation is not None and schedule is not None else None


def _moved_on(unit: Unit, automation: Automation, schedule: Schedule) -> Automation:
    following = next_time(schedule, set_ms=automation.set_ms, after_ms=unit.now_ms, occurrences=automation.occurrences)
    return replace(automation, next_ms=following)
