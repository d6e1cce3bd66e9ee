"""The part of a transaction that reads and writes automations."""

from typing import Protocol

from app.services.ports.automations import Automation, DueAutomation
from app.services.ports.definitions import Item


class AutomationTx(Protocol):
    """Automations, in one transaction (see ``Tx``). Ids are an item's own; a deleted template's go with it."""

    def automations(self, item: Item, template_id: str | None = None) -> list[Automation]:
        """Those of a template, or all of the item."""

    def automation(self, item: Item, automation_id: str) -> Automation | None: ...
    def lock_automations(self, item: Item, template_id: str) -> list[Automation]:
        """Those of a template; until the transaction ends, nobody else changes them, nor do they make jobs."""

    def take_automation(self, item: Item, automation_id: str, due_ms: int) -> Automation | None:
        """Lock a schedule that is due at that moment. None, at once: it is not, any more, or another transaction has
        it. Whoever moves ``next_ms`` on in the transaction that makes the job makes the only one for the moment."""

    def put_automation(self, item: Item, automation: Automation) -> None:
        """Write it, in place of the one of its id. Its template must be there."""

    def delete_automation(self, item: Item, automation_id: str) -> None: ...
    def count_occurrence(self, item: Item, automation_id: str, at_ms: int) -> bool:
        """It has made a job, and its error is over; nothing else of it is written. False: it is gone."""

    def note_automation_error(self, item: Item, automation_id: str, reason: str, at_ms: int) -> None:
        """Why it has made no job; nothing else of it is written."""

    def due_automations(self, now_ms: int, limit: int = 100) -> list[DueAutomation]:
        """Schedules of all items whose moment has come, longest due first."""

    def next_automation_ms(self) -> int | None:
        """When the next schedule of any item is due."""
