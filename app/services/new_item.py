"""What a new workflow item holds: roles, lookups, searches, diagrams and templates, and its admin group.

The contents lie as JSON beside this module in ``seeds/`` (source: rest.md 16; the diagrams and their texts are ours).
"""

from importlib.resources import files
from typing import Any

import msgspec

from app.domain.access import ADMIN_ROLE, DEFAULT_ROLES
from app.protocol.diagrams import parse_diagram
from app.protocol.text import iso
from app.services.ports import DiagramRecord, Group, Item, JobTemplate, SavedSearch, Tx

_DIAGRAMS = ("introduction_diagram.json", "review_diagram.json")
_TEMPLATES = ("introduction_template.json", "review_template.json")
_DEMO = ("print", "ask_and_print", "report")
"""Two queues and a workflow for the v3 dialects; each has a diagram and a template."""

_FIRST_VERSION = 1


def admin_group_name(item_name: str) -> str:
    """What the group of an item's first administrators is called (rest.md 3)."""
    return f"Workflow Manager Admin {item_name}"


def admin_group(tx: Tx, item: Item) -> Group | None:
    """The group that was made with an item, unless it is gone."""
    return tx.group_by_name(admin_group_name(item.name))


def fill(tx: Tx, item: Item, admin_group_id: str, username: str) -> None:
    """Give a new item its contents; ``username`` has made it, and is in its admin group.

    Raises Conflict when there is a group of that name or id.
    """
    for role in DEFAULT_ROLES:
        tx.put_role(item, role)
    tx.add_group(Group(admin_group_id, admin_group_name(item.name)))
    tx.link_role(item, admin_group_id, ADMIN_ROLE, True)
    tx.set_member(username, admin_group_id, True)
    _add_lookups(tx, item)
    _add_searches(tx, item)
    for name in _DIAGRAMS:
        _add_diagram(tx, item, _seed(name), username)
    for name in _TEMPLATES:
        _add_template(tx, item, msgspec.json.decode(_seed(name)), username)


def add_demo(tx: Tx, item: Item, username: str) -> None:
    """Give an item something to try the v3 dialects on."""
    for name in _DEMO:
        _add_diagram(tx, item, _seed(f"{name}_diagram.json"), username)
        _add_template(tx, item, msgspec.json.decode(_seed(f"{name}_template.json")), username)


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


def _add_diagram(tx: Tx, item: Item, body: bytes, username: str) -> None:
    document: dict[str, Any] = msgspec.json.decode(body)
    diagram = parse_diagram(body, diagram_id=document["diagramId"], version=_FIRST_VERSION)
    tx.put_diagram(item, DiagramRecord(diagram, body, document["description"], tx.now_ms(), username))


def _add_template(tx: Tx, item: Item, document: dict[str, Any], username: str) -> None:
    now_ms = tx.now_ms()
    document |= {"lastUpdatedBy": username, "lastUpdatedDate": iso(now_ms)}
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
            updated_by=username,
            updated_ms=now_ms,
        ),
    )


def _seed(name: str) -> bytes:
    """Read a file of ``seeds/``; JSON is stored as compact as it travels."""
    text = (files("app.services") / "seeds" / name).read_bytes()
    return msgspec.json.format(text, indent=-1)
