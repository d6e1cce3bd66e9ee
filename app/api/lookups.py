"""Lookups over REST (rest.md 8.1)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.requests import caller_of, path_text, read_body, refused
from app.api.responses import JsonResponse, success
from app.api.state import gateway
from app.protocol.item_setup import LookupsAnswer, LookupsBody
from app.services import lookups

_body = msgspec.json.Decoder(LookupsBody)


async def read(request: Request) -> Response:
    """``GET lookups/{lookupType}``."""
    lookup_type = path_text(request, "lookup_type")
    found = await gateway(request).engine.query(caller_of(request), lambda unit: lookups.read(unit, lookup_type))
    return JsonResponse(LookupsAnswer(found))


async def replace(request: Request) -> Response:
    """``PUT lookups/{lookupType}``."""
    caller, lookup_type = caller_of(request), path_text(request, "lookup_type")
    body = await read_body(request, _body, "LookupTable")
    await gateway(request).engine.execute(caller, refused(lambda unit: lookups.replace(unit, lookup_type, body)))
    return success()


async def delete(request: Request) -> Response:
    """``DELETE lookups/{lookupType}``."""
    caller, lookup_type = caller_of(request), path_text(request, "lookup_type")
    await gateway(request).engine.execute(caller, refused(lambda unit: lookups.delete(unit, lookup_type)))
    return success()
