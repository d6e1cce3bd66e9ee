"""Automations: what makes jobs by itself, and when it is due."""

from typing import Final

from sqlalchemy import bindparam, delete, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.job import AutomationType
from app.services.ports import Automation, DueAutomation, Item
from app.store.base import Queries
from app.store.schema import automation, item, job_template
from app.store.sql import Row, Statement

_FIELDS: Final = (
    "automation_id name automation_type enabled details secret created_by set_ms next_ms occurrences last_ms "
    "last_error last_error_ms"
).split()
"""Columns that are members of ``Automation``."""

_COLUMNS = [automation.c[name] for name in _FIELDS]
_SELECT = (
    select(job_template.c.template_id, *_COLUMNS)
    .select_from(automation.join(job_template, automation.c.job_template_key == job_template.c.key))
    .where(automation.c.item_key == bindparam("item_key"))
    .order_by(automation.c.key)
)
_ALL = Statement(_SELECT)
_OF_TEMPLATE = _SELECT.where(job_template.c.template_id == bindparam("template_id"))
_ALL_OF_TEMPLATE = Statement(_OF_TEMPLATE)
_LOCK = Statement(_OF_TEMPLATE.with_for_update(of=automation))
_BY_ID = _SELECT.where(automation.c.automation_id == bindparam("automation_id"))
_ONE = Statement(_BY_ID)
_TAKE = Statement(
    _BY_ID.where(automation.c.next_ms == bindparam("due_ms")).with_for_update(skip_locked=True, of=automation)
)
_TEMPLATE_KEY = (
    select(job_template.c.key)
    .where(job_template.c.item_key == bindparam("own_item"), job_template.c.template_id == bindparam("own_template"))
    .scalar_subquery()
)
_put = insert(automation).values(
    item_key=bindparam("own_item"), job_template_key=_TEMPLATE_KEY, **{name: bindparam(name) for name in _FIELDS}
)
_PUT = Statement(
    _put.on_conflict_do_update(
        index_elements=["item_key", "automation_id"],
        set_={name: _put.excluded[name] for name in ("job_template_key", *_FIELDS[1:])},
    )
)
_OF_ITEM = automation.join(item, (automation.c.item_key == item.c.key) & item.c.going.is_(False))
_DUE = Statement(
    select(item.c.item_id, automation.c.automation_id, automation.c.next_ms)
    .select_from(_OF_ITEM)
    .where(automation.c.next_ms <= bindparam("now_ms"))
    .order_by(automation.c.next_ms, automation.c.key)
    .limit(bindparam("count"))
)
_NEXT = Statement(select(func.min(automation.c.next_ms)).select_from(_OF_ITEM).where(automation.c.next_ms.is_not(None)))
_OWN = (automation.c.item_key == bindparam("own_item"), automation.c.automation_id == bindparam("own_id"))
_DELETE = Statement(delete(automation).where(*_OWN))
_COUNT = Statement(
    update(automation)
    .where(*_OWN)
    .values(
        occurrences=automation.c.occurrences + bindparam("one"),
        last_ms=bindparam("at_ms"),
        last_error=null(),
        last_error_ms=null(),
    )
)
_NOTE = Statement(
    update(automation).where(*_OWN).values(last_error=bindparam("reason"), last_error_ms=bindparam("at_ms"))
)


class AutomationQueries(Queries):
    """``Tx``: automations."""

    def automations(self, item: Item, template_id: str | None = None) -> list[Automation]:
        if template_id is None:
            return [_automation(row) for row in self.sql.all(_ALL, item_key=item.key)]
        rows = self.sql.all(_ALL_OF_TEMPLATE, item_key=item.key, template_id=template_id)
        return [_automation(row) for row in rows]

    def automation(self, item: Item, automation_id: str) -> Automation | None:
        row = self.sql.one(_ONE, item_key=item.key, automation_id=automation_id)
        return _automation(row) if row else None

    def lock_automations(self, item: Item, template_id: str) -> list[Automation]:
        self.sql.check_writable()
        return [_automation(row) for row in self.sql.all(_LOCK, item_key=item.key, template_id=template_id)]

    def take_automation(self, item: Item, automation_id: str, due_ms: int) -> Automation | None:
        self.sql.check_writable()
        row = self.sql.one(_TAKE, item_key=item.key, automation_id=automation_id, due_ms=due_ms)
        return _automation(row) if row else None

    def put_automation(self, item: Item, automation: Automation) -> None:
        values = {name: getattr(automation, name) for name in _FIELDS}
        values["automation_type"] = automation.automation_type.value
        self.sql.change(_PUT, own_item=item.key, own_template=automation.template_id, **values)

    def delete_automation(self, item: Item, automation_id: str) -> None:
        self.sql.change(_DELETE, own_item=item.key, own_id=automation_id)

    def count_occurrence(self, item: Item, automation_id: str, at_ms: int) -> bool:
        return self.sql.change(_COUNT, own_item=item.key, own_id=automation_id, one=1, at_ms=at_ms) == 1

    def note_automation_error(self, item: Item, automation_id: str, reason: str, at_ms: int) -> None:
        self.sql.change(_NOTE, own_item=item.key, own_id=automation_id, reason=reason, at_ms=at_ms)

    def due_automations(self, now_ms: int, limit: int = 100) -> list[DueAutomation]:
        return [DueAutomation(*row) for row in self.sql.all(_DUE, now_ms=now_ms, count=limit)]

    def next_automation_ms(self) -> int | None:
        row = self.sql.one(_NEXT)
        return row[0] if row else None


def _automation(row: Row) -> Automation:
    template_id, automation_id, name, kind, enabled, details, secret, *others = row
    return Automation(
        automation_id,
        template_id,
        name,
        AutomationType(kind),
        bool(enabled),
        details,
        None if secret is None else bytes(secret),
        *others,
    )
