"""What a new database holds: a workflow item with queues to try, the user who administers it, and a signing key."""

from dataclasses import dataclass

from app.domain.access import PortalRole
from app.services.keys import ensure_signing_key
from app.services.new_item import add_demo, admin_group_name, fill
from app.services.ports import Tx

ORG_ID = "workflow"
ITEM_ID = "00000000000000000000000000000001"
ITEM_NAME = "Workflow"
ADMIN = "admin"
TEMPLATE_ID = "Q5-nYVlCTBOZ4ShEdDsglA"
ADMIN_GROUP = admin_group_name(ITEM_NAME)


@dataclass(frozen=True, slots=True)
class FirstPeople:
    """What is random in a new database, made beforehand: the transaction may run twice."""

    admin_password_hash: str
    admin_group_id: str
    signing_key_id: str
    signing_secret: bytes


def first_start(tx: Tx, people: FirstPeople) -> bool:
    """Fill an empty database. Returns False, having done nothing, when there is a workflow item already.

    One transaction: a start that dies in the middle leaves the database empty. Of two at once the slower raises
    Conflict and finds the item when it tries again.
    """
    if tx.items():
        return False
    item = tx.add_item(ITEM_ID, ORG_ID, ITEM_NAME, ADMIN)
    tx.add_user(ADMIN, people.admin_password_hash)
    tx.set_portal_role(ADMIN, PortalRole.ADMINISTRATOR)
    fill(tx, item, people.admin_group_id, ADMIN)
    add_demo(tx, item, ADMIN)
    ensure_signing_key(tx, people.signing_key_id, people.signing_secret)
    tx.bump_access(item)
    return True
