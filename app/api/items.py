"""The workflow item, and whether the server is there (rest.md 13.2, 13.3)."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.problems import problem
from app.api.requests import caller_of
from app.api.responses import JsonResponse, success
from app.api.state import gateway
from app.errors import BackendError
from app.services.engine import Unit

ITEM_VERSION: Final = "1.0"
"""The form in which an item's contents are kept; there is one so far, so nothing can be upgraded."""


class ItemDetails(msgspec.Struct, rename="camel"):
    """What clients ask about an item before they use it."""

    item_version: str = ITEM_VERSION
    upgrade_available: bool = False
    is_oldest_allowed_version: bool = False
    allow_unsecure_webhooks: bool = False
    custom_smtp: bool = msgspec.field(default=False, name="customSMTP")


class ServerStatus(msgspec.Struct, rename="camel"):
    """Every feature is there without a licence."""

    success: bool = True
    has_advanced_license: bool = True


async def read(request: Request) -> Response:
    """``GET /{orgId}/{itemId}``."""
    unsecure = gateway(request).settings.allow_unsecure_webhooks
    return JsonResponse(await gateway(request).engine.query(caller_of(request), lambda unit: _details(unit, unsecure)))


def _details(unit: Unit, unsecure: bool) -> ItemDetails:
    has_mail = any(setting.name == "smtpServer" and setting.value for setting in unit.tx.settings(unit.item))
    return ItemDetails(allow_unsecure_webhooks=unsecure, custom_smtp=has_mail)


async def check_status(_: Request) -> Response:
    """``GET /{orgId}/checkStatus``: asked by clients that look for the server, before they have a token."""
    return JsonResponse(ServerStatus())


async def health_check(request: Request) -> Response:
    """``GET /{orgId}/healthCheck``: 400 with an error object when the database does not answer.

    Not 503, which the vendor's client would repeat and then not show (python-client.md 1, trap 3); load balancers
    ask /readyz.
    """
    try:
        await gateway(request).engine.store.read(lambda tx: tx.epoch())
    except BackendError as error:
        return problem(400, error.name, error.message)
    return success()
