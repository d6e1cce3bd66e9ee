"""What the administration of whole workflow items needs of a transaction."""

from typing import Protocol

from app.domain.access import PortalRole
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
