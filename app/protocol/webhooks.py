"""Webhook connections on the wire (rest.md 12): what is given, what is told, and what a look at a service is about."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

_Name = Annotated[str, Meta(min_length=1, max_length=255)]
_Secret = Annotated[str, Meta(min_length=1, max_length=1_000)]
_Token = Annotated[str, Meta(max_length=10_000)]

ChangeType = Literal["FeaturesUpdated", "FeaturesEdited"]

FAILED_TO_CREATE: Final = "FailedToCreateManagedWebhook"
FAILED_TO_UPDATE: Final = "FailedToUpdateManagedWebhook"
FAILED_TO_DELETE: Final = "FailedToDeleteManagedWebhook"


class WebhookConnectionBody(msgspec.Struct, rename="camel"):
    """A webhook connection to create, or what one is to become.

    ``itemId`` is that of the feature service in a portal or (ours) the service's address; it stays what it was.
    ``secret`` signs what the service sends. ``manageWebhook``: the server keeps the webhook at the service, for the
    ``webhookChangeTypes``. ``username``, else ``fallbackUsername``, is as whom holds are released; ``userToken`` is a
    token of that user, of this server or for the service.
    """

    connection_name: _Name
    item_id: Annotated[str, Meta(max_length=2_000, pattern=r"^\S+$")]
    webhook_type: Literal["FeatureService"]
    secret: _Secret
    enabled: bool
    manage_webhook: bool
    webhook_change_types: Annotated[list[ChangeType], Meta(max_length=10)] | None = None
    username: _Name | None = None
    user_token: _Token | None = None
    fallback_username: _Name | None = None
    fallback_user_token: _Token | None = None


class WebhookConnectionLine(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One line of the list."""

    connection_id: str
    connection_name: str
    enabled: bool
    item_id: str
    username: str | None = None
    fallback_username: str | None = None


class WebhookConnectionList(msgspec.Struct, rename="camel"):
    """The connections, in the order they were created."""

    webhook_connections: list[WebhookConnectionLine]


class WebhookConnectionDetails(WebhookConnectionLine, rename="camel", omit_defaults=True, kw_only=True):
    """A connection with its secret. The last three are there when the server keeps a webhook at the service: as it was
    last set there."""

    secret: str
    webhook_type: str
    webhook_active: bool | None = None
    webhook_change_types: list[str] | None = None
    managed_webhook_id: str | None = None


class WebhookConnectionAnswer(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What became of a change. ``success`` false: it was done here, and ``message`` says what the feature service did
    not do; ``name`` is the kind of that failure."""

    success: bool
    connection_id: str
    message: str | None = None
    name: str | None = None


class Challenge(msgspec.Struct):
    """The answer to a sender that asks whether somebody listens who has the secret."""

    response_token: str


class Look(msgspec.Struct, rename="camel", frozen=True):
    """What a look at a feature service is about: the holds of a connection, or one of them."""

    connection_id: str
    hold_id: str | None = None


PORTAL_SETTING: Final = "webhookPortalUrl"
"""The item's setting that says at which portal the item ids of feature services are known."""
