"""What executors and senders may ask of the server: ``StepServices``."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from app.errors import StepFailed, StoreUnavailable
from app.protocol.codes import MsgCode
from app.services import item_settings, runs
from app.services.engine import Unit
from app.services.ports import RunRecord
from app.steps.calls import ServerCalls

T = TypeVar("T")


class ItemServices:
    """Reads and writes in an item, patiently."""

    def __init__(self, calls: ServerCalls, item_id: str) -> None:
        self._calls = calls
        self._item_id = item_id
        self.has_noted = False

    async def read(self, query: Callable[[Unit], T]) -> T:
        return await self._calls.query(self._item_id, query)

    async def write(self, use_case: Callable[[Unit], T]) -> T:
        return await self._calls.persist(self._item_id, use_case)

    async def settings(self) -> Mapping[str, str]:
        def opened(unit: Unit) -> Mapping[str, str] | StoreUnavailable:
            try:
                return item_settings.opened(unit)
            except StoreUnavailable as error:  # waiting, as for a database that is away, would not help
                return error

        found = await self.read(opened)
        if isinstance(found, StoreUnavailable):
            raise StepFailed(f"The item's settings cannot be read. {found}", name=MsgCode.NOT_CONFIGURED) from found
        return found


class RunServices(ItemServices):
    """The services of a run."""

    def __init__(self, calls: ServerCalls, run: RunRecord) -> None:
        super().__init__(calls, run.item_id)
        self._run = run

    async def note(self, note: str) -> None:
        if not await self.write(lambda unit: runs.note(unit, self._run, note)):
            raise StepFailed("Another node has taken this run over.", name=MsgCode.STEP_FAILED)
        self.has_noted = True
