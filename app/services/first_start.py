"""What a new database holds: a workflow item with its roles, lookups, searches, diagrams and templates, and its admin.

The contents lie as JSON beside this module in ``seeds/`` (source: rest.md 16; the diagrams and their texts are ours).
"""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec

from app.domain.access import ADMIN_ROLE, DEFAULT_ROLES
from app.protocol.diagrams import parse_diagram
from app.protocol.text import iso
from app.services.keys import ensure_signing_key
from app.services.ports import DiagramRecord, Group, Item, JobTemplate, SavedSearch, Tx

ORG_ID = "workflow"
ITEM_ID = "00000000000000000000000000000001"
ITEM_NAME = "Workflow"
ADMIN = "admin"
TEMPLATE_ID = "Q5-nYVlCTBOZ4ShEdDsglA"
ADMIN_GROUP = f"Workflow Manager Admin {ITEM_NAME}"

_DIAGRAMS = ("introduction_diagram.json", "review_diagram.json")
_TEMPLATES = ("introduction_template.json", "review_template.json")
_FIRST_VERSION = 1


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
    item = tx.add_item(ITEM_ID, ORG_ID, ITEM_NAME)
    _add_roles(tx, item)
    _add_admin(tx, item, people)
    _add_lookups(tx, item)
    _add_searches(tx, item)
    for name in _DIAGRAMS:
        _add_diagram(tx, item, _seed(name))
    for name in _TEMPLATES:
        _add_template(tx, item, msgspec.json.decode(_seed(name)))
    ensure_signing_key(tx, people.signing_key_id, people.signing_secret)
    tx.bump_access(item)
    return True


def _add_roles(tx: Tx, item: Item) -> None:
    for role in DEFAULT_ROLES:
        tx.put_role(item, role)


def _add_admin(tx: Tx, item: Item, people: FirstPeople) -> None:
    tx.add_group(Group(people.admin_group_id, ADMIN_GROUP))
    tx.link_role(item, people.admin_group_id, ADMIN_ROLE, True)
    tx.add_user(ADMIN, people.admin_password_hash)
    tx.set_member(ADMIN, people.admin_group_id, True)


def _add_lookups(tx: Tx, item: Item) -> None:
    lookups = msgspec.json.decode(_seed("lookups.json"), type=dict[str, dict[str, int]])
    for lookup_type, values in lookups.items():
        tx.put_lookups(item, lookup_type, list(values.items()))


def _add_searches(tx: Tx, item: Item) -> None:
    for search in msgspec.json.decode(_seed("searches.json")):
        tx.put_search(
            item,
            SavedSearch(
                search_id=search["searchId"],
                name=search["name"],
                search_type=search["searchType"],
                folder=None,
                definition=msgspec.json.encode(search["definition"]),
                color_ramp=search.get("colorRamp"),
                sort_index=search["sortIndex"],
            ),
        )


def _add_diagram(tx: Tx, item: Item, body: bytes) -> None:
    document: dict[str, Any] = msgspec.json.decode(body)
    diagram = parse_diagram(body, diagram_id=document["diagramId"], version=_FIRST_VERSION)
    tx.put_diagram(item, DiagramRecord(diagram, body, document["description"], tx.now_ms(), ADMIN))


def _add_template(tx: Tx, item: Item, document: dict[str, Any]) -> None:
    now_ms = tx.now_ms()
    document |= {"lastUpdatedBy": ADMIN, "lastUpdatedDate": iso(now_ms)}
    tx.put_template(
        item,
        JobTemplate(
            template_id=document["jobTemplateId"],
            name=document["jobTemplateName"],
            state=document["state"],
            diagram_id=document["diagramId"],
            category=document["category"],
            description=document["description"],
            body=msgspec.json.encode(document),
            updated_by=ADMIN,
            updated_ms=now_ms,
        ),
    )


def _seed(name: str) -> bytes:
    """Read a file of ``seeds/``; JSON is stored as compact as it travels."""
    text = (files("app.services") / "seeds" / name).read_bytes()
    return msgspec.json.format(text, indent=-1)
