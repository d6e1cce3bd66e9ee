"""Makes the jobs of schedules when their moments come. Every node looks; the first in the database makes the job."""

import logging

from app.errors import OWN_FAULT, BackendError, GatewayError
from app.services import schedules
from app.services.engine import ItemGone
from app.services.ports import DueAutomation, Store
from app.steps.calls import ServerCalls
from app.steps.watch import Watch, sleep_s

log = logging.getLogger(__name__)

_TAKEN_S = 0.05
"""Look again after so long when other nodes are at all that is due."""


class Schedules:
    """Watches the schedules of all items."""

    def __init__(self, store: Store, calls: ServerCalls) -> None:
        self._store = store
        self._calls = calls
        self._watch = Watch("schedules", self._make_due)

    def open(self) -> None:
        self._watch.open()

    async def close(self) -> None:
        await self._watch.close()

    def changed(self) -> None:
        """The next moment may be an earlier one now."""
        self._watch.changed()

    async def _make_due(self) -> float:
        """Make what is due; returns how many seconds to sleep."""
        next_ms = await self._store.read(lambda tx: tx.next_automation_ms())
        pause_s = sleep_s(next_ms, self._store.now_ms())
        if pause_s > 0:
            return pause_s
        due = await self._store.read(lambda tx: tx.due_automations(tx.now_ms()))
        made = [each for each in due if await self._make(each)]
        return 0 if made else _TAKEN_S

    async def _make(self, due: DueAutomation) -> bool:
        """False: another node is at it. A job that cannot be made is noted, and does not end the schedule; a database
        that is away is waited for: BackendError."""
        try:
            return (
                await self._calls.execute(due.item_id, lambda unit: schedules.make_job_when_due(unit, due)) is not None
            )
        except BackendError:
            raise
        except ItemGone:
            return False  # it is removed soon, and this schedule with it
        except GatewayError as error:
            reason = error.message
            log.warning("the automation %s made no job: %s", due.automation_id, reason)
        except Exception:
            reason = OWN_FAULT
            log.exception("the automation %s made no job", due.automation_id)
        return await self._calls.execute(due.item_id, lambda unit: schedules.skip_when_due(unit, due, reason))
