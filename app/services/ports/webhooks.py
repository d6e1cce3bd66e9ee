"""Webhook connections, what waits for them, and the feature services behind them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from app.domain.job import WebhookDependency


@dataclass(frozen=True, slots=True)
class WebhookConnection:
    """A webhook connection (rest.md 12). ``service`` is its ``itemId``: a portal's, or a feature service's address.

    ``secret`` is sealed by a ``Vault``. ``managed``: the server is to keep a webhook at the service, for changes of the
    kinds ``change_types``; ``webhook_id`` and ``webhook_active`` are what is known to be there.
    """

    connection_id: str
    name: str
    service: str
    enabled: bool
    secret: bytes = field(repr=False)
    username: str | None = None
    fallback_username: str | None = None
    managed: bool = False
    change_types: tuple[str, ...] = ()
    webhook_id: str | None = None
    webhook_active: bool = False

    @property
    def run_as(self) -> tuple[str, ...]:
        """The users named, the first choice first."""
        return tuple(name for name in (self.username, self.fallback_username) if name is not None)


@dataclass(frozen=True, slots=True)
class WatchedFeature:
    """An unreleased hold that waits for a feature. ``closed``: its job is."""

    job_id: str
    hold_id: str
    webhook: WebhookDependency
    closed: bool


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """How to speak to the feature service of a connection: what its ``itemId`` says, the portal that knows item ids,
    and tokens to try one after the other."""

    service: str
    portal_url: str | None = None
    tokens: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ServiceWebhook:
    """A webhook at a feature service. It sends to ``root`` and ``path``, of which the latter is its own and stays;
    ``secret`` signs what it sends."""

    name: str
    root: str
    path: str
    secret: str = field(repr=False)
    change_types: tuple[str, ...]
    active: bool


class FeatureServices(Protocol):
    """Feature services, over the network.

    All methods raise StepError with a sentence for people; an attribute ``is_passing`` that is true says that the same
    may succeed later.
    """

    async def matching(
        self, access: ServiceAccess, layer_id: int, condition: str, object_ids: Collection[int]
    ) -> frozenset[int]:
        """Which of these features of a layer meet the condition now."""

    async def put_webhook(self, access: ServiceAccess, webhook: ServiceWebhook) -> str:
        """Create it or, where the service has one that sends to the same path, change that; returns its id."""

    async def delete_webhooks(self, access: ServiceAccess, path: str) -> None:
        """Delete what sends to an address that ends in this path. None there: nothing to do."""
