"""Saved searches and charts of an item (rest.md 10)."""

from dataclasses import replace

import msgspec

from app.errors import Conflict, InvalidValue, NotFound
from app.protocol.saved_searches import SavedSearchAnswer, SavedSearchDocument, SearchDefinition, SearchType
from app.services import search
from app.services.designing import existing_groups, own_or_new_id, require_designer
from app.services.engine import Unit
from app.services.ports import SavedSearch


def told(unit: Unit, search_type: SearchType | None) -> list[SavedSearchAnswer]:
    """The searches that the caller sees: those shared with nobody, or with a group of theirs; designers see all.

    Args:
        search_type: None for both types.
    """
    return [
        _answer(saved)
        for saved in unit.tx.searches(unit.item)
        if search_type in {None, saved.search_type} and unit.actor.may_use_shared(saved.shared_with)
    ]


def create(unit: Unit, document: SavedSearchDocument) -> str:
    """Save a search for everybody and return its id. Raises PermissionDenied, Conflict (id taken),
    InvalidValue (the id, or a definition that could not be searched with)."""
    require_designer(unit)
    search_id = own_or_new_id(unit, document.head.search_id, "searchId")
    unit.tx.lock_item(unit.item)
    if unit.tx.search(unit.item, search_id) is not None:
        raise Conflict(f"There is a saved search {search_id!r} already.")
    unit.tx.put_search(unit.item, record(unit, search_id, document))
    return search_id


def change(unit: Unit, search_id: str, document: SavedSearchDocument) -> None:
    """Replace a search; whom it is shared with stays. Raises PermissionDenied, NotFound,
    InvalidValue (another id, or a definition that could not be searched with)."""
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    before = existing(unit, search_id)
    if document.head.search_id not in {None, "", search_id}:
        raise InvalidValue(f"SavedSearch was invalid: searchId is {search_id!r} for good; leave it out.")
    unit.tx.put_search(unit.item, replace(record(unit, search_id, document), shared_with=before.shared_with))


def delete(unit: Unit, search_id: str) -> None:
    """Delete a search. Raises PermissionDenied, NotFound."""
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    existing(unit, search_id)
    unit.tx.delete_search(unit.item, search_id)


def share(unit: Unit, search_id: str, group_ids: list[str]) -> None:
    """Show a search only to members of these groups; no groups: to everybody. Raises PermissionDenied, NotFound,
    InvalidValue (there is no such group)."""
    require_designer(unit)
    unit.tx.lock_item(unit.item)
    saved = existing(unit, search_id)
    unit.tx.put_search(unit.item, replace(saved, shared_with=existing_groups(unit, group_ids)))


def shared_with(unit: Unit, search_id: str) -> list[str]:
    """The groups a search is shared with. Raises PermissionDenied without adminBasic, NotFound."""
    require_designer(unit)
    return list(existing(unit, search_id).shared_with)


def existing(unit: Unit, search_id: str) -> SavedSearch:
    """A saved search. Raises NotFound."""
    found = unit.tx.search(unit.item, search_id)
    if found is None:
        raise NotFound(f"There is no saved search {search_id!r}.", name="SearchNotFound")
    return found


def record(unit: Unit, search_id: str, document: SavedSearchDocument) -> SavedSearch:
    """The search as it is stored, shared with nobody. Raises InvalidValue for what could not be searched with."""
    head = document.head
    if head.definition:
        _check(unit, head.definition)
    return SavedSearch(
        search_id=search_id,
        name=head.name,
        search_type=document.search_type.value,
        folder=head.folder,
        definition=document.definition,
        color_ramp=head.color_ramp,
        sort_index=head.sort_index,
    )


def _check(unit: Unit, definition: SearchDefinition) -> None:
    """Refuse a definition that could not be searched with."""
    try:
        search.check(unit, definition, definition.group_by)
    except InvalidValue as error:
        fault = f"definition: {error.message}"
        raise InvalidValue(f"SavedSearch was invalid: {fault}", details=[fault]) from error


def _answer(saved: SavedSearch) -> SavedSearchAnswer:
    return SavedSearchAnswer(
        search_id=saved.search_id,
        name=saved.name,
        search_type=saved.search_type,
        folder=saved.folder,
        definition=None if saved.definition is None else msgspec.Raw(saved.definition),
        color_ramp=saved.color_ramp,
        sort_index=saved.sort_index,
    )
