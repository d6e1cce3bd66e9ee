"""Workflow items, and what is set up in them: job numbers, lookups, settings, saved searches; and the signing keys."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.errors import Conflict
from app.services.ports import Item, SavedSearch, Setting, SigningKey
from app.store.base import Queries
from app.store.schema import item, job_number, lookup, search, setting, signing_key
from app.store.sql import Statement, insert_if_new, insert_into, put_into

_SELECT = select(item.c.key, item.c.item_id, item.c.org_id, item.c.name, item.c.access_version)
_ITEM = Statement(
    _SELECT.where(item.c.item_id == bindparam("item_id"), item.c.org_id == bindparam("org_id")), settled=True
)
_ITEMS = Statement(_SELECT.order_by(item.c.key))
_ADD_ITEM = insert_if_new(item, "item_id", "org_id", "name", returning="key")
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

_SETTINGS = Statement(
    select(setting.c.name, setting.c.value, setting.c.encrypted)
    .where(setting.c.item_key == bindparam("item_key"))
    .order_by(setting.c.key)
)
_PUT_SETTING = put_into(setting, ["item_key", "name"])

_SEARCH: Final = "search_id name search_type folder definition color_ramp sort_index".split()
"""Members of ``SavedSearch``, in the order of its constructor."""

_SEARCHES = Statement(
    select(*(search.c[name] for name in _SEARCH))
    .where(search.c.item_key == bindparam("item_key"))
    .order_by(search.c.key)
)
_PUT_SEARCH = put_into(search, ["item_key", "search_id"])

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

    def add_item(self, item_id: str, org_id: str, name: str) -> Item:
        """Raises Conflict when the id is taken, in whatever organisation: channels are named by it alone."""
        row = self.sql.one(_ADD_ITEM, item_id=item_id, org_id=org_id, name=name)
        if row is None:
            raise Conflict(f"There is a workflow item {item_id!r} already.", name="ItemExists")
        return Item(row[0], item_id, org_id, name, access_version=1)

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

    def settings(self, item: Item) -> list[Setting]:
        rows = self.sql.all(_SETTINGS, item_key=item.key)
        return [Setting(name, bytes(value), bool(encrypted)) for name, value, encrypted in rows]

    def put_setting(self, item: Item, setting: Setting) -> None:
        self.sql.change(
            _PUT_SETTING, item_key=item.key, name=setting.name, value=setting.value, encrypted=setting.encrypted
        )

    def searches(self, item: Item) -> list[SavedSearch]:
        return [SavedSearch(*row) for row in self.sql.all(_SEARCHES, item_key=item.key)]

    def put_search(self, item: Item, search: SavedSearch) -> None:
        values = {name: getattr(search, name) for name in _SEARCH}
        self.sql.change(_PUT_SEARCH, item_key=item.key, **values)

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
