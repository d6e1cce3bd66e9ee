"""``POST jobs/search`` and ``POST jobs/statistics`` (rest.md 5.3, 5.4)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer_query
from app.api.requests import caller_of, read_body
from app.api.responses import as_it_is
from app.protocol.search import SearchBody, StatisticsBody
from app.services import search

_search_body = msgspec.json.Decoder(SearchBody)
_statistics_body = msgspec.json.Decoder(StatisticsBody)


async def jobs(request: Request) -> Response:
    """A page of jobs, read in one snapshot."""
    caller = caller_of(request)
    body = await read_body(request, _search_body, "JobQuery")
    return await answer_query(request, caller, lambda unit: search.jobs(unit, body), as_it_is)


async def statistics(request: Request) -> Response:
    """How many jobs there are."""
    caller = caller_of(request)
    body = await read_body(request, _statistics_body, "JobStatisticsQuery")
    return await answer_query(request, caller, lambda unit: search.statistics(unit, body), as_it_is)
