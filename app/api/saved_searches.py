"""Saved searches over REST (rest.md 10)."""

from functools import partial
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer
from app.api.requests import caller_of, path_text, query_word, read_body, read_json, refused
from app.api.responses import JsonResponse, succeeded, success
from app.api.state import gateway
from app.protocol.saved_searches import SavedSearchCreated, SavedSearchList, SearchType, read_saved_search
from app.protocol.templates import ShareBody
from app.services import saved_searches

ALL: Final = "All"
SEARCH_TYPES: Final = (*(kind.value for kind in SearchType), ALL)

_share_body = msgspec.json.Decoder(ShareBody)


async def list_all(request: Request) -> Response:
    """``GET searches``."""
    caller, word = caller_of(request), query_word(request, "searchType", SEARCH_TYPES)
    wanted = None if word == ALL else SearchType(word)
    found = await gateway(request).engine.query(caller, lambda unit: saved_searches.told(unit, wanted))
    return JsonResponse(SavedSearchList(found))


async def create(request: Request) -> Response:
    """``POST searches``."""
    caller = caller_of(request)
    document = read_saved_search(await read_json(request, "SavedSearch"))
    return await answer(request, caller, lambda unit: saved_searches.create(unit, document), SavedSearchCreated)


async def change(request: Request) -> Response:
    """``PUT searches/{searchId}``."""
    caller, search_id = caller_of(request), path_text(request, "search_id")
    document = read_saved_search(await read_json(request, "SavedSearch"))
    use_case = refused(lambda unit: saved_searches.change(unit, search_id, document))
    await gateway(request).engine.execute(caller, use_case)
    return success()


async def delete(request: Request) -> Response:
    """``DELETE searches/{searchId}``."""
    caller, search_id = caller_of(request), path_text(request, "search_id")
    await gateway(request).engine.execute(caller, refused(lambda unit: saved_searches.delete(unit, search_id)))
    return success()


async def share(request: Request) -> Response:
    """``POST searches/{searchId}/shareWith``."""
    caller, search_id = caller_of(request), path_text(request, "search_id")
    body = await read_body(request, _share_body, "ShareWithBody")
    use_case = partial(saved_searches.share, search_id=search_id, group_ids=body.group_ids)
    return await answer(request, caller, use_case, succeeded)


async def shared_with(request: Request) -> Response:
    """``GET searches/{searchId}/shareWith``."""
    caller, search_id = caller_of(request), path_text(request, "search_id")
    found = await gateway(request).engine.query(caller, lambda unit: saved_searches.shared_with(unit, search_id))
    return JsonResponse(ShareBody(found))
