"""Use cases on webhook connections (rest.md 12). What a feature service is told of them is in ``managed_webhooks.py``.

Whoever may design the item sets connections up and reads their secrets: it is the same people who give them. Whoever
may hold steps sees which ones there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from app.errors import AccessError, InvalidValue, NotFound, PermissionDenied, RuleViolation
from app.protocol.webhooks import (
    PORTAL_SETTING,
    WebhookConnectionBody,
    WebhookConnectionDetails,
    WebhookConnectionLine,
)
from app.services import item_settings
from app.services.access import read_actor
from app.services.engine import Unit
from app.services.ports import ServiceAccess, WebhookConnection
from app.services.webhook_looks import look_at_all

HOLDS = "jobUpdateHolds"
"""Releases holds, also those that an event ends."""


@dataclass(frozen=True, slots=True)
class OptIn:
    """A user lets connections act as him.

    ``proven``: his token of this server came along. ``token`` is one for the feature service, and proves nothing here.
    """

    username: str
    proven: bool = False
    token: str | None = field(default=None, repr=False)


def listed(unit: Unit) -> list[WebhookConnectionLine]:
    """All connections. Raises PermissionDenied without adminBasic or jobUpdateHolds."""
    if not (unit.actor.may("adminBasic") or unit.actor.may(HOLDS)):
        raise PermissionDenied(
            f"Webhook connections need the privilege adminBasic or {HOLDS}; {unit.actor.username!r} has neither."
        )
    return [
        WebhookConnectionLine(
            connection_id=known.connection_id,
            connection_name=known.name,
            enabled=known.enabled,
            item_id=known.service,
            username=known.username,
            fallback_username=known.fallback_username,
        )
        for known in unit.tx.webhook_connections(unit.item)
    ]


def details(unit: Unit, connection_id: str) -> WebhookConnectionDetails:
    """One connection, its secret included. Raises PermissionDenied without adminBasic; RuleViolation where there is
    none, as the reference wants it of reading one too (rest.md 2.2)."""
    _require(unit)
    try:
        known = find(unit, connection_id)
    except NotFound as error:
        raise RuleViolation(error.message, name=error.name) from error
    is_there = known.webhook_id is not None
    return WebhookConnectionDetails(
        connection_id=known.connection_id,
        connection_name=known.name,
        enabled=known.enabled,
        item_id=known.service,
        username=known.username,
        fallback_username=known.fallback_username,
        secret=unit.vault.open(known.secret).decode(),
        webhook_type="FeatureService",
        webhook_active=known.webhook_active if is_there else None,
        webhook_change_types=list(known.change_types) if is_there else None,
        managed_webhook_id=known.webhook_id,
    )


def create(unit: Unit, body: WebhookConnectionBody, opt_ins: Sequence[OptIn]) -> str:
    """Create a connection; returns its id. Raises PermissionDenied, InvalidValue."""
    _require(unit)
    _check(body)
    _opt_in(unit, body, opt_ins)
    connection_id = unit.new_id()
    unit.tx.put_webhook_connection(unit.item, _given(unit, connection_id, body))
    return connection_id


def change(unit: Unit, connection_id: str, body: WebhookConnectionBody, opt_ins: Sequence[OptIn]) -> str:
    """Replace what a connection says; what the service has stays known. Raises as ``create``, NotFound.

    One that is enabled again looks at all that waits: what has happened meanwhile was not heard.
    """
    _require(unit)
    known = find(unit, connection_id, change=True)
    _check(body)
    if body.item_id != known.service:
        raise InvalidValue(
            f"WebhookConnection was invalid: itemId is {known.service!r} and stays so. Create another connection for "
            "another service.",
            details=["itemId"],
        )
    _opt_in(unit, body, opt_ins)
    given = replace(_given(unit, connection_id, body), webhook_id=known.webhook_id, webhook_active=known.webhook_active)
    unit.tx.put_webhook_connection(unit.item, given)
    if given.enabled and not known.enabled:
        look_at_all(unit, connection_id)
    return connection_id


def delete(unit: Unit, connection_id: str) -> tuple[WebhookConnection, ServiceAccess]:
    """Delete a connection; returns what it was, and how to speak to its service.

    Raises:
        PermissionDenied, NotFound. RuleViolation: steps of open jobs wait for features of it.
    """
    _require(unit)
    known = find(unit, connection_id, change=True)
    waiting = {watched.job_id for watched in unit.tx.watched_features(unit.item, connection_id) if not watched.closed}
    if waiting:
        raise RuleViolation(
            f"Steps of {len(waiting)} open jobs wait for the webhook connection {known.name!r}. Release those holds "
            f"first; one is on job {min(waiting)!r}.",
            name="WebhookConnectionInUse",
        )
    access = access_of(unit, known)
    unit.tx.delete_webhook_connection(unit.item, connection_id)
    return known, access


def find(unit: Unit, connection_id: str, *, change: bool = False) -> WebhookConnection:
    """One connection. Raises NotFound."""
    known = unit.tx.webhook_connection(unit.item, connection_id, change=change)
    if known is None:
        raise NotFound(
            f"There is no webhook connection {connection_id!r} in this workflow item.", name="WebhookConnectionNotFound"
        )
    return known


def access_of(unit: Unit, known: WebhookConnection) -> ServiceAccess:
    """How to speak to a connection's service. Raises StoreUnavailable when the master key is another one."""
    sealed = [unit.tx.webhook_token(unit.item, name) for name in known.run_as]
    tokens = [unit.vault.open(token).decode() for token in sealed if token is not None]
    portal_url = item_settings.opened(unit).get(PORTAL_SETTING) or None
    return ServiceAccess(known.service, portal_url, tuple(token for token in tokens if token))


# ---------------------------------------------------------------- what is given


def _require(unit: Unit) -> None:
    if not unit.actor.may("adminBasic"):
        raise PermissionDenied(
            f"Webhook connections need the privilege adminBasic, which {unit.actor.username!r} lacks."
        )


def _given(unit: Unit, connection_id: str, body: WebhookConnectionBody) -> WebhookConnection:
    return WebhookConnection(
        connection_id,
        body.connection_name,
        body.item_id,
        body.enabled,
        unit.vault.seal(body.secret.encode()),
        body.username,
        body.fallback_username,
        body.manage_webhook,
        tuple(dict.fromkeys(body.webhook_change_types or ())),
    )


def _check(body: WebhookConnectionBody) -> None:
    """Raise InvalidValue for what the types do not say, all faults at once."""
    faults = list(_faults(body))
    if faults:
        raise InvalidValue(f"WebhookConnection was invalid: {'; '.join(faults)}.", details=faults)


def _faults(body: WebhookConnectionBody) -> Iterable[str]:
    if body.manage_webhook and not body.webhook_change_types:
        yield "webhookChangeTypes must name FeaturesUpdated or FeaturesEdited where manageWebhook is true"
    if "://" in body.item_id and not is_service_address(body.item_id):
        yield "itemId must be a feature service's item id or address (https://HOST/.../rest/services/NAME/FeatureServer)"
    if body.user_token and not body.username:
        yield "userToken needs username: whose token is it?"
    if body.fallback_user_token and not body.fallback_username:
        yield "fallbackUserToken needs fallbackUsername: whose token is it?"


def is_service_address(text: str) -> bool:
    """Tell whether a text is the address of a feature service, as opposed to an item id."""
    try:
        parsed = urlsplit(text)
    except ValueError:
        return False
    is_plain = parsed.scheme in {"http", "https"} and parsed.hostname and not (parsed.query or parsed.fragment)
    return bool(is_plain) and "/rest/services/" in parsed.path and parsed.path.rstrip("/").endswith("/FeatureServer")


def _opt_in(unit: Unit, body: WebhookConnectionBody, opt_ins: Sequence[OptIn]) -> None:
    """Note who lets connections act as him. A user need do so once in an item; a token given again replaces the last.

    Raises InvalidValue: somebody who is named cannot release holds here, or has not opted in.
    """
    given = {each.username: each for each in opt_ins}
    for name in dict.fromkeys(filter(None, (body.username, body.fallback_username))):
        _check_user(unit, name)
        opted = given.get(name, OptIn(name))
        known = unit.tx.webhook_token(unit.item, name)
        if known is None and not opted.proven and name != unit.actor.username:
            raise InvalidValue(
                f"The user {name!r} has not opted in to act for webhooks in this workflow item: give a token of that "
                "user, or let that user create the connection.",
                name="WebhookUserNotOptedIn",
            )
        if known is None or opted.token is not None:
            unit.tx.put_webhook_token(unit.item, name, unit.vault.seal((opted.token or "").encode()))


def _check_user(unit: Unit, name: str) -> None:
    try:
        actor = read_actor(unit.tx, unit.item, name)
    except AccessError:
        actor = None
    if actor is None or not actor.may(HOLDS):
        raise InvalidValue(
            f"The user {name!r} cannot act for webhooks: that takes a user of this workflow item with the privilege "
            f"{HOLDS}.",
            name="InvalidUserType",
        )
