"""Webhook connections, and the features that holds wait for (rest.md 12)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from stepgate_client.models import Model
from stepgate_client.rest import Rest, part

ChangeType = Literal["FeaturesUpdated", "FeaturesEdited"]


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature to wait for: ``condition`` is a where clause in the SQL of the connection's feature service."""

    connection_id: str
    condition: str
    layer_id: int
    object_id: int

    def members(self) -> Mapping[str, Any]:
        """What stands of it in a Hold."""
        details = {
            "webhookReleaseCondition": self.condition,
            "webhookLayerId": self.layer_id,
            "webhookObjectId": self.object_id,
        }
        return {"webhookConnectionId": self.connection_id, "webhookDependencyDetails": details}


class WebhookConnection(Model, frozen=True):
    """A webhook connection; the members from ``secret`` on are there when it is read by itself."""

    connection_id: str
    connection_name: str
    enabled: bool
    item_id: str
    username: str | None = None
    fallback_username: str | None = None
    secret: str | None = None
    webhook_type: str | None = None
    webhook_active: bool | None = None
    webhook_change_types: list[str] | None = None
    managed_webhook_id: str | None = None


class WebhookChange(Model, frozen=True):
    """What became of a change. ``success`` false: it was done, but not at the feature service; ``message`` says why."""

    connection_id: str
    success: bool
    message: str | None = None
    name: str | None = None


class WebhookConnections:
    """Reads and changes webhook connections; ``Client.webhooks`` is one. Calls raise as those of ``Client``; all but
    ``all`` need the privilege ``adminBasic``."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def all(self) -> list[WebhookConnection]:
        """List the connections, without secrets."""
        return (await self._rest.get("webhookConnections", _Connections)).webhook_connections

    async def get(self, connection_id: str) -> WebhookConnection:
        """Read a connection, its secret included."""
        return await self._rest.get(_path(connection_id), WebhookConnection)

    async def create(
        self,
        name: str,
        item_id: str,
        secret: str,
        *,
        enabled: bool = True,
        manage: Iterable[ChangeType] = (),
        username: str | None = None,
        user_token: str | None = None,
        fallback_username: str | None = None,
        fallback_user_token: str | None = None,
    ) -> WebhookChange:
        """Create a connection.

        Args:
            item_id: of the feature service, or its address.
            manage: changes for which the server shall keep a webhook at the service; none: it keeps none.
            username: as whom holds are released, else as ``fallback_username``.
            user_token: of that user: of this server, or for the feature service.
        """
        body = {
            "connectionName": name,
            "itemId": item_id,
            "webhookType": "FeatureService",
            "secret": secret,
            "enabled": enabled,
            "manageWebhook": bool(changes := list(manage)),
            "webhookChangeTypes": changes,
            "username": username,
            "userToken": user_token,
            "fallbackUsername": fallback_username,
            "fallbackUserToken": fallback_user_token,
        }
        return await self._rest.post("webhookConnections", body, WebhookChange)

    async def replace(self, connection: WebhookConnection) -> WebhookChange:
        """Replace the connection that has this id by what was read with ``get`` and changed; the server goes on keeping
        the webhook at the service if it does."""
        body = msgspec.to_builtins(connection) | {"manageWebhook": connection.managed_webhook_id is not None}
        return await self._rest.put(_path(connection.connection_id), body, WebhookChange)

    async def delete(self, connection_id: str) -> WebhookChange:
        """Delete a connection that nothing waits for."""
        return await self._rest.delete(_path(connection_id), WebhookChange)


class _Connections(Model, frozen=True):
    webhook_connections: list[WebhookConnection]


def _path(connection_id: str) -> str:
    return f"webhookConnections/{part(connection_id)}"
