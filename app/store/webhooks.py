"""Webhook connections, the users they act as, and the holds that wait for features of theirs."""

from typing import Final

from sqlalchemy import bindparam, delete, select

from app.domain.job import WebhookDependency
from app.errors import NotFound
from app.services.ports import Item, WatchedFeature, WebhookConnection
from app.store.base import Queries
from app.store.holds import WEBHOOK_FIELDS
from app.store.schema import hold, job, user, webhook_account, webhook_connection
from app.store.sql import Row, Statement, put_into

_FIELDS: Final = (
    "connection_id name service enabled secret username fallback_username managed change_types webhook_id "
    "webhook_active"
).split()
"""Members of ``WebhookConnection``, in the order of its constructor."""

_all = select(*(webhook_connection.c[name] for name in _FIELDS)).where(
    webhook_connection.c.item_key == bindparam("item_key")
)
_one = _all.where(webhook_connection.c.connection_id == bindparam("connection_id"))
_ALL = Statement(_all.order_by(webhook_connection.c.key))
_ONE = Statement(_one)
_USE = Statement(_one.with_for_update(read=True))
_CHANGE = Statement(_one.with_for_update())
_PUT = put_into(webhook_connection, ["item_key", "connection_id"])
_DELETE = Statement(
    delete(webhook_connection).where(
        webhook_connection.c.item_key == bindparam("own_item"),
        webhook_connection.c.connection_id == bindparam("own_id"),
    )
)
_WATCHED = Statement(
    select(job.c.job_id, hold.c.hold_id, *(hold.c[name] for name in WEBHOOK_FIELDS), job.c.closed)
    .select_from(hold.join(job, hold.c.job_key == job.c.key))
    .where(
        hold.c.item_key == bindparam("item_key"),
        hold.c.released_ms.is_(None),
        hold.c.webhook_connection_id == bindparam("connection_id"),
    )
    .order_by(hold.c.key)
)

_USER = Statement(select(user.c.key).where(user.c.username == bindparam("username")))
_own_account = (
    webhook_account.c.item_key == bindparam("own_item"),
    webhook_account.c.user_key == select(user.c.key).where(user.c.username == bindparam("own_name")).scalar_subquery(),
)
_TOKEN = Statement(select(webhook_account.c.token).where(*_own_account))
_PUT_TOKEN = put_into(webhook_account, ["item_key", "user_key"])


class WebhookQueries(Queries):
    """``Tx``: webhook connections."""

    def webhook_connections(self, item: Item) -> list[WebhookConnection]:
        return [_connection(row) for row in self.sql.all(_ALL, item_key=item.key)]

    def webhook_connection(
        self, item: Item, connection_id: str, *, use: bool = False, change: bool = False
    ) -> WebhookConnection | None:
        """SQLite has one writer: nobody else is there to be kept away."""
        if use or change:
            self.sql.check_writable()
        statement = _CHANGE if change else _USE if use else _ONE
        row = self.sql.one(statement, item_key=item.key, connection_id=connection_id)
        return _connection(row) if row else None

    def put_webhook_connection(self, item: Item, connection: WebhookConnection) -> None:
        values = {name: getattr(connection, name) for name in _FIELDS}
        values["change_types"] = " ".join(connection.change_types)
        self.sql.change(_PUT, item_key=item.key, **values)

    def delete_webhook_connection(self, item: Item, connection_id: str) -> None:
        self.sql.change(_DELETE, own_item=item.key, own_id=connection_id)

    def watched_features(self, item: Item, connection_id: str) -> list[WatchedFeature]:
        rows = self.sql.all(_WATCHED, item_key=item.key, connection_id=connection_id)
        return [
            WatchedFeature(job_id, hold_id, WebhookDependency(*webhook), bool(closed))
            for job_id, hold_id, *webhook, closed in rows
        ]

    def webhook_token(self, item: Item, username: str) -> bytes | None:
        row = self.sql.one(_TOKEN, own_item=item.key, own_name=username)
        return bytes(row[0]) if row else None

    def put_webhook_token(self, item: Item, username: str, token: bytes) -> None:
        row = self.sql.one(_USER, username=username)
        if row is None:
            raise NotFound(f"There is no user {username!r}.", name="UserNotFound")
        self.sql.change(_PUT_TOKEN, item_key=item.key, user_key=row[0], token=token)


def _connection(row: Row) -> WebhookConnection:
    connection_id, name, service, enabled, secret, username, fallback, managed, types, webhook_id, active = row
    return WebhookConnection(
        connection_id,
        name,
        service,
        bool(enabled),
        bytes(secret),
        username,
        fallback,
        bool(managed),
        tuple(types.split()),
        webhook_id,
        bool(active),
    )
