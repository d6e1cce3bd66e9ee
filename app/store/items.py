"""Workflow items, and what is set up in them: job numbers, lookups, settings, saved searches; and the signing keys."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.errors import Conflict
from app.services.ports import Item, SavedSearch, Setting, SigningKey, StoredTemplate
from app.store.base import Queries
from app.store.schema import item, job_number, lookup, search, setting, signing_key, stored_template
from app.store.sql import Row, Statement, insert_if_new, insert_into, put_into

SELECT_ITEM: Final = select(item.c.key, item.c.item_id, item.c.org_id, item.c.name, item.c.access_version, item.c.owner)
_THERE = SELECT_ITEM.where(item.c.going.is_(False))
_ITEM = Statement(
    _THERE.where(item.c.item_id == bindparam("item_id"), item.c.org_id == bindparam("org_id")), settled=True
)
_ITEMS = Statement(_THERE.order_by(item.c.key))
_ADD_ITEM = insert_if_new(item, "item_id", "org_id", "name", "owner", "going", returning="key")
_RAISED = update(item).values(access_version=item.c.access_version + bindparam("one"))
_BUMP = Statement(_RAISED.where(item.c.key == bindparam("own_key")))
_BUMP_ALL = Statement(_RAISED)

_numbers = insert(job_number).values(item_key=bindparam("own_item"), next_number=bindparam("first_free"))
_NUMBERS = Statement(
    _numbers.on_conflict_do_update(
        index_elements=["item_key"], set_={"next_number": job_number.c.next_number + bindparam("count")}
    ).returning(job_number.c.next_number)
)

_LOOKUPS = Statement(
    select(lookup.c.name, lookup.c.value)
    .where(lookup.c.item_key == bindparam("item_key"), lookup.c.lookup_type == bindparam("lookup_type"))
    .order_by(lookup.c.key)
)
_CLEAR_LOOKUPS = Statement(
    delete(lookup).where(lookup.c.item_key == bindparam("own_item"), lookup.c.lookup_type == bindparam("own_type"))
)
_ADD_LOOKUP = insert_into(lookup)


def _kinds_of(table: Table, column: str) -> Statement:
    """The values of a column in an item, in the order in which each was first there."""
    kinds = select(table.c[column]).where(table.c.item_key == bindparam("item_key")).group_by(table.c[column])
    return Statement(kinds.order_by(func.min(table.c.key)))


_LOOKUP_TYPES = _kinds_of(lookup, "lookup_type")

_SETTINGS = Statement(
    select(setting.c.name, setting.c.value, setting.c.encrypted)
    .where(setting.c.item_key == bindparam("item_key"))
    .order_by(setting.c.key)
)
_PUT_SETTING = put_into(setting, ["item_key", "name"])
_DELETE_SETTING = Statement(
    delete(setting).where(setting.c.item_key == bindparam("own_item"), setting.c.name == bindparam("own_name"))
)

_STORED: Final = "template_type template_id name details".split()
"""Members of ``StoredTemplate``, in the order of its constructor."""

_stored = select(*(stored_template.c[name] for name in _STORED)).where(
    stored_template.c.item_key == bindparam("item_key"), stored_template.c.template_type == bindparam("template_type")
)
_ALL_STORED = Statement(_stored.order_by(stored_template.c.key))
_ONE_STORED = Statement(_stored.where(stored_template.c.template_id == bindparam("template_id")))
_STORED_TYPES = _kinds_of(stored_template, "template_type")
_PUT_STORED = put_into(stored_template, ["item_key", "template_type", "template_id"])
_DELETE_STORED = Statement(
    delete(stored_template).where(
        stored_template.c.item_key == bindparam("own_item"),
        stored_template.c.template_type == bindparam("own_type"),
        stored_template.c.template_id == bindparam("own_id"),
    )
)

_SEARCH: Final = "search_id name search_type folder definition color_ramp sort_index shared_with".split()
"""Members of ``SavedSearch``, in the order of its constructor."""

_searches = select(*(search.c[name] for name in _SEARCH)).where(search.c.item_key == bindparam("item_key"))
_ALL_SEARCHES = Statement(_searches.order_by(search.c.key))
_ONE_SEARCH = Statement(_searches.where(search.c.search_id == bindparam("search_id")))
_PUT_SEARCH = put_into(search, ["item_key", "search_id"])
_DELETE_SEARCH = Statement(
    delete(search).where(search.c.item_key == bindparam("own_item"), search.c.search_id == bindparam("own_id"))
)

_KEYS = Statement(
    select(signing_key.c.key_id, signing_key.c.secret, signing_key.c.created_ms, signing_key.c.retired_ms).order_by(
        signing_key.c.key
    )
)
_ADD_KEY = insert_if_new(signing_key)
_RETIRE_KEYS = Statement(
    update(signing_key).where(signing_key.c.retired_ms.is_(None)).values(retired_ms=bindparam("new_ms"))
)


class ItemQueries(Queries):
    """``Tx``: items, lookups, searches, keys."""

    def item(self, org_id: str, item_id: str) -> Item | None:
        row = self.sql.one(_ITEM, org_id=org_id, item_id=item_id)
        return Item(*row) if row else None

    def items(self) -> list[Item]:
        return [Item(*row) for row in self.sql.all(_ITEMS)]

    def add_item(self, item_id: str, org_id: str, name: str, owner: str | None = None) -> Item:
        """Raises Conflict when the id is taken, in whatever organisation: channels are named by it alone."""
        row = self.sql.one(_ADD_ITEM, item_id=item_id, org_id=org_id, name=name, owner=owner, going=False)
        if row is None:
            raise Conflict(f"There is a workflow item {item_id!r} already.", name="ItemExists")
        return Item(row[0], item_id, org_id, name, access_version=1, owner=owner)

    def lock_item(self, item: Item) -> None:  # noqa: ARG002 - PostgreSQL needs it
        """SQLite has one writer, who holds every item's lock already."""
        self.sql.check_writable()

    def bump_access(self, item: Item | None) -> None:
        if item is None:
            self.sql.change(_BUMP_ALL, one=1)
        else:
            self.sql.change(_BUMP, one=1, own_key=item.key)

    def next_job_number(self, item: Item, count: int) -> int:
        return self._key_of(_NUMBERS, own_item=item.key, first_free=count + 1, count=count) - count

    def lookups(self, item: Item, lookup_type: str) -> list[tuple[str, int]]:
        rows = self.sql.all(_LOOKUPS, item_key=item.key, lookup_type=lookup_type)
        return [(name, value) for name, value in rows]

    def put_lookups(self, item: Item, lookup_type: str, values: Sequence[tuple[str, int]]) -> None:
        """Replace all values of a type. Raises Conflict when a name comes twice."""
        self.sql.change(_CLEAR_LOOKUPS, own_item=item.key, own_type=lookup_type)
        rows = [
            {"item_key": item.key, "lookup_type": lookup_type, "name": name, "value": value} for name, value in values
        ]
        self.sql.change_many(_ADD_LOOKUP, rows)

    def lookup_types(self, item: Item) -> list[str]:
        return [kind for (kind,) in self.sql.all(_LOOKUP_TYPES, item_key=item.key)]

    def settings(self, item: Item) -> list[Setting]:
        rows = self.sql.all(_SETTINGS, item_key=item.key)
        return [Setting(name, bytes(value), bool(encrypted)) for name, value, encrypted in rows]

    def put_setting(self, item: Item, setting: Setting) -> None:
        self.sql.change(
            _PUT_SETTING, item_key=item.key, name=setting.name, value=setting.value, encrypted=setting.encrypted
        )

    def delete_setting(self, item: Item, name: str) -> None:
        self.sql.change(_DELETE_SETTING, own_item=item.key, own_name=name)

    def stored_template(self, item: Item, template_type: str, template_id: str) -> StoredTemplate | None:
        row = self.sql.one(_ONE_STORED, item_key=item.key, template_type=template_type, template_id=template_id)
        return StoredTemplate(*row) if row else None

    def stored_templates(self, item: Item, template_type: str) -> list[StoredTemplate]:
        rows = self.sql.all(_ALL_STORED, item_key=item.key, template_type=template_type)
        return [StoredTemplate(*row) for row in rows]

    def stored_template_types(self, item: Item) -> list[str]:
        return [kind for (kind,) in self.sql.all(_STORED_TYPES, item_key=item.key)]

    def put_stored_template(self, item: Item, template: StoredTemplate) -> None:
        values = {name: getattr(template, name) for name in _STORED}
        self.sql.change(_PUT_STORED, item_key=item.key, **values)

    def delete_stored_template(self, item: Item, template_type: str, template_id: str) -> None:
        self.sql.change(_DELETE_STORED, own_item=item.key, own_type=template_type, own_id=template_id)

    def searches(self, item: Item) -> list[SavedSearch]:
        return [_search(row) for row in self.sql.all(_ALL_SEARCHES, item_key=item.key)]

    def search(self, item: Item, search_id: str) -> SavedSearch | None:
        row = self.sql.one(_ONE_SEARCH, item_key=item.key, search_id=search_id)
        return _search(row) if row else None

    def put_search(self, item: Item, search: SavedSearch) -> None:
        values = {name: getattr(search, name) for name in _SEARCH}
        values["shared_with"] = " ".join(search.shared_with)
        self.sql.change(_PUT_SEARCH, item_key=item.key, **values)

    def delete_search(self, item: Item, search_id: str) -> None:
        self.sql.change(_DELETE_SEARCH, own_item=item.key, own_id=search_id)

    def signing_keys(self) -> list[SigningKey]:
        return [SigningKey(*row) for row in self.sql.all(_KEYS)]

    def add_signing_key(self, key: SigningKey) -> None:
        """Raises Conflict when the id is taken."""
        added = self.sql.change(
            _ADD_KEY, key_id=key.key_id, secret=key.secret, created_ms=key.created_ms, retired_ms=key.retired_ms
        )
        if not added:
            raise Conflict(f"There is a signing key {key.key_id!r} already.")

    def retire_signing_keys(self, retired_ms: int) -> None:
        self.sql.change(_RETIRE_KEYS, new_ms=retired_ms)


def _search(row: Row) -> SavedSearch:
    """Group ids hold no blanks, so one text holds them all."""
    members: Row = (*row[:-1], tuple(row[-1].split()))
    return SavedSearch(*members)
