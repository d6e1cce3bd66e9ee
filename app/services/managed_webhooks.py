"""Keeps the webhooks of connections at their feature services as the connections say, after the commit that says it.

The service is asked outside any transaction, and what it did is written down in one. A process that dies in between
leaves a webhook that is not known here: it is found by the path it sends to when the connection is changed or deleted.
"""

import logging
from dataclasses import dataclass, replace
from typing import Final

from app.errors import StepError
from app.protocol.webhooks import FAILED_TO_CREATE, FAILED_TO_DELETE, FAILED_TO_UPDATE
from app.services import webhook_connections
from app.services.engine import Caller, Engine, Unit
from app.services.ports import FeatureServices, ServiceAccess, ServiceWebhook, WebhookConnection

log = logging.getLogger(__name__)

EVENTS: Final = "executeWebhook"
"""The last segment of the address that a service sends its events to."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What the feature service did not do: the kind, and a sentence."""

    name: str
    message: str


class ManagedWebhooks:
    """Brings feature services in line."""

    def __init__(self, engine: Engine, services: FeatureServices) -> None:
        self._engine = engine
        self._services = services

    async def settle(self, caller: Caller, connection_id: str, root: str) -> Failure | None:
        """Make the service have the webhook that the connection wants, or none. None: it has.

        Args:
            root: where the service finds this server.
        """
        wanted = await self._engine.query(_server_in(caller), lambda unit: _wanted(unit, connection_id, caller, root))
        if wanted.connection.managed:
            return await self._put(caller, wanted)
        if wanted.connection.webhook_id is not None:
            return await self._take_back(caller, wanted)
        return None

    async def removed(self, caller: Caller, connection: WebhookConnection, access: ServiceAccess) -> Failure | None:
        """Take back the webhook of a connection that was deleted."""
        if not connection.managed and connection.webhook_id is None:
            return None
        return await self._delete(access, _path(caller, connection.connection_id))

    async def _put(self, caller: Caller, wanted: "_Wanted") -> Failure | None:
        known = wanted.connection
        try:
            webhook_id = await self._services.put_webhook(wanted.access, wanted.webhook)
        except StepError as error:
            log.warning("the webhook of the connection %s was not set up: %s", known.connection_id, error)
            return Failure(FAILED_TO_UPDATE if known.webhook_id is not None else FAILED_TO_CREATE, str(error))
        await self._note(caller, known.connection_id, webhook_id, active=wanted.webhook.active)
        return None

    async def _take_back(self, caller: Caller, wanted: "_Wanted") -> Failure | None:
        connection_id = wanted.connection.connection_id
        failure = await self._delete(wanted.access, _path(caller, connection_id))
        if failure is None:
            await self._note(caller, connection_id, None, active=False)
        return failure

    async def _delete(self, access: ServiceAccess, path: str) -> Failure | None:
        try:
            await self._services.delete_webhooks(access, path)
        except StepError as error:
            log.warning("the webhook that sends to %s was not deleted: %s", path, error)
            return Failure(FAILED_TO_DELETE, str(error))
        return None

    async def _note(self, caller: Caller, connection_id: str, webhook_id: str | None, *, active: bool) -> None:
        """Write down what the service has; nothing where the connection was deleted meanwhile."""

        def note(unit: Unit) -> None:
            known = unit.tx.webhook_connection(unit.item, connection_id, change=True)
            if known is not None:
                there = replace(known, webhook_id=webhook_id, webhook_active=active)
                unit.tx.put_webhook_connection(unit.item, there)

        await self._engine.execute(_server_in(caller), note)


@dataclass(frozen=True, slots=True)
class _Wanted:
    connection: WebhookConnection
    access: ServiceAccess
    webhook: ServiceWebhook


def _wanted(unit: Unit, connection_id: str, caller: Caller, root: str) -> _Wanted:
    known = webhook_connections.find(unit, connection_id)
    secret = unit.vault.open(known.secret).decode()
    path = _path(caller, connection_id)
    webhook = ServiceWebhook(known.name, root, path, secret, known.change_types, known.enabled)
    return _Wanted(known, webhook_connections.access_of(unit, known), webhook)


def _path(caller: Caller, connection_id: str) -> str:
    return f"/{caller.org_id}/{caller.item_id}/webhookConnections/{connection_id}/{EVENTS}"


def _server_in(caller: Caller) -> Caller:
    return replace(caller, username=None)
