"""The part of a transaction that is about webhook connections."""

from typing import Protocol

from app.services.ports.definitions import Item
from app.services.ports.webhooks import WatchedFeature, WebhookConnection


class WebhookTx(Protocol):
    """Webhook connections and what waits for them, in one transaction (see ``Tx``)."""

    def webhook_connections(self, item: Item) -> list[WebhookConnection]: ...
    def webhook_connection(
        self, item: Item, connection_id: str, *, use: bool = False, change: bool = False
    ) -> WebhookConnection | None:
        """One of them. ``use``: until the transaction ends nobody changes or deletes it; any number may use it.
        ``change``: nobody uses it either, and all holds that were set while it was used can be seen."""

    def put_webhook_connection(self, item: Item, connection: WebhookConnection) -> None: ...
    def delete_webhook_connection(self, item: Item, connection_id: str) -> None: ...
    def watched_features(self, item: Item, connection_id: str) -> list[WatchedFeature]:
        """Unreleased holds that wait for features of this connection, those set first come first."""

    def webhook_token(self, item: Item, username: str) -> bytes | None:
        """The sealed token of a user who has opted in; None: the user has not."""

    def put_webhook_token(self, item: Item, username: str, token: bytes) -> None:
        """The user opts in, or gives another token. Raises NotFound without such a user."""
