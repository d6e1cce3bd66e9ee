"""What request handlers reach through the application: made by ``bootstrap.py``, one per process."""

from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from app.auth.logins import Logins
from app.auth.tokens import Tokens
from app.hub.hub import Hub
from app.services.attachment_files import AttachmentFiles
from app.services.engine import Engine
from app.services.managed_webhooks import ManagedWebhooks
from app.services.ports import Bus
from app.settings import Settings
from app.steps.item_tasks import ItemTasks


@dataclass(frozen=True, slots=True)
class Gateway:
    """The running parts a handler may use."""

    settings: Settings
    engine: Engine
    hub: Hub
    bus: Bus
    tokens: Tokens
    files: AttachmentFiles
    logins: Logins
    webhooks: ManagedWebhooks
    item_tasks: ItemTasks
    slots_in_flight: set[str] = field(default_factory=set)
    """Of requests with an idempotency key that this process carries out now."""


def gateway(connection: HTTPConnection) -> Gateway:
    """The gateway behind a request or websocket."""
    return cast(Gateway, connection.app.state.gateway)
