"""Settings of an item over REST (rest.md 8.2)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer
from app.api.requests import caller_of, query_flag, read_body
from app.api.responses import JsonResponse, succeeded
from app.api.state import gateway
from app.protocol.item_setup import SettingsAnswer, SettingsBody
from app.services import item_settings

_body = msgspec.json.Decoder(SettingsBody)


async def read(request: Request) -> Response:
    """``GET settings``."""
    with_system = query_flag(request, "includeSystemSettings", absent=True)
    found = await gateway(request).engine.query(
        caller_of(request), lambda unit: item_settings.told(unit, with_system=with_system)
    )
    return JsonResponse(SettingsAnswer(found))


async def update(request: Request) -> Response:
    """``POST settings``."""
    caller = caller_of(request)
    body = await read_body(request, _body, "UpdateSettingsBody")
    return await answer(request, caller, lambda unit: item_settings.update(unit, body), succeeded)
