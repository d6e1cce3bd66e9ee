"""``POST jobs/search`` and ``POST jobs/statistics`` (rest.md 5.3, 5.4)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.requests import caller_of, read_body
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.protocol.search import SearchBody, StatisticsBody
from app.services import search

_search_body = msgspec.json.Decoder(SearchBody)
_statistics_body = msgspec.json.Decoder(StatisticsBody)


async def jobs(request: Request) -> Response:
    """A page of jobs, read in one snapshot."""
    caller = caller_of(request)
    body = await read_body(request, _search_body, "JobQuery")
    return JsonResponse(await gateway(request).engine.query(caller, lambda unit: search.jobs(unit, body)))


async def statistics(request: Request) -> Response:
    """How many jobs there are."""
    caller = caller_of(request)
    body = await read_body(request, _statistics_body, "JobStatisticsQuery")
    return JsonResponse(await gateway(request).engine.query(caller, lambda unit: search.statistics(unit, body)))
