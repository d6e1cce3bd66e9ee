"""What the administration of whole workflow items needs of a transaction."""

from typing import Protocol

from app.domain.access import PortalRole
from app.domain.job import Content
from app.services.ports.administration import ItemTask, LogEntry, TaskEnded, TaskKind, TaskState
from app.services.ports.definitions import Item
from app.services.ports.runs import RunRecord


class AdministrationTx(Protocol):
    """Making items and deleting them. A part of ``Tx``."""

    def add_item(self, item_id: str, org_id: str, name: str, owner: str | None = None) -> Item:
        """Raises Conflict when the id is taken."""

    def let_item_go(self, item: Item) -> list[RunRecord]:
        """From the commit on nobody finds the item. What it had to send is not sent; returns its runs that have not
        ended, which are to be stopped."""

    def going_items(self) -> list[Item]:
        """Items that were let go, and are not removed yet."""

    def remove_piece(self, item: Item, limit: int) -> bool:
        """Remove some of an item that was let go: about ``limit`` rows, its jobs first (as ``delete_job``), in the end
        the item itself. False: it is gone. Several transactions at once do no harm."""

    def has_jobs(self, item: Item) -> bool: ...
    def lookup_types(self, item: Item) -> list[str]: ...
    def stored_template_types(self, item: Item) -> list[str]: ...
    def set_portal_role(self, username: str, portal_role: PortalRole) -> None:
        """Raises NotFound."""

    def delete_group(self, group_id: str) -> None:
        """With its members and its links to roles. Idempotent."""

    # background work
    def add_item_task(self, item: Item, task_id: str, kind: TaskKind, username: str, body: bytes) -> None:
        """``body`` is sealed; it is kept until the task has ended."""

    def waiting_item_tasks(self, item: Item) -> int:
        """How many have not ended."""

    def claim_item_task(self, node_id: str) -> ItemTask | None:
        """Take the oldest that has not ended and that no other living node has."""

    def end_item_task(
        self, task: ItemTask, node_id: str, problem: str | None, content: Content | None, mapping: bytes | None
    ) -> bool:
        """Note what has become of it. False: it is not this node's any more."""

    def item_task(self, item: Item, task_id: str) -> TaskState | None: ...
    def ended_item_tasks(self, since_ms: int) -> list[TaskEnded]:
        """Those of all items that have ended after then, in the order they were added."""

    def forget_item_tasks(self, before_ms: int, limit: int) -> int:
        """Drop those that ended before then; returns how many."""

    # the log
    def add_log(self, item: Item, entry: LogEntry) -> None:
        """Only the newest ones are kept, some ten thousand of each item."""

    def logs(self, item: Item, from_ms: int, until_ms: int, skip: int, count: int) -> list[LogEntry]:
        """A page of the entries with ``from_ms <= at_ms <= until_ms``, newest first."""
