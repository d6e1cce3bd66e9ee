"""Workflow items as wholes over REST: made, brought up to date, deleted (rest.md 13.3)."""

import re
from functools import partial
from typing import Final
from urllib.parse import unquote_plus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import administer, digest_of
from app.api.requests import body_digest, caller_of, path_text, query_number, read_json, refused, username_of
from app.api.responses import JsonResponse, success
from app.api.state import gateway
from app.errors import InvalidValue
from app.protocol.items import CreationStatus, ItemAnswer, ItemRequest
from app.protocol.text import check_text, decode, parse_time
from app.services import item_log, items
from app.services.ports import Item

_OTHERS: Final = frozenset({"token", "f", "async"})
"""Parameters that may follow the name."""

_body = msgspec.json.Decoder(ItemRequest)


async def create(request: Request) -> Response:
    """``POST admin/createWorkflowItem?name=``: whoever makes an item owns it, and administers it."""
    username, org_id = username_of(request), path_text(request, "org_id")
    await _read(request, "CreateItemBody")
    name = _name(request.scope["query_string"].decode("latin-1"))
    use_case = partial(items.create, org_id=org_id, name=name, owner=username)
    return await administer(request, username, use_case, _answer, digest=digest_of(body_digest(request), name))


async def creation_status(request: Request) -> Response:
    """``GET admin/{itemId}/creationStatus``."""
    named = _named(request)
    await gateway(request).engine.administer(username_of(request), lambda unit: items.see(unit, *named))
    return JsonResponse(CreationStatus())


async def upgrade(request: Request) -> Response:
    """``POST admin/{itemId}/upgrade``."""
    username, named = username_of(request), _named(request)
    await _read(request, "UpgradeItemBody")
    return await administer(request, username, lambda unit: items.upgrade(unit, *named), _answer)


async def delete(request: Request) -> Response:
    """``DELETE admin/{itemId}``."""
    named = _named(request)
    use_case = refused(lambda unit: items.delete(unit, *named), missing_is_404=True)
    await gateway(request).engine.administer(username_of(request), use_case)
    return success()


async def logs(request: Request) -> Response:
    """``GET admin/{itemId}/logs``: a page of the item's log, newest first."""
    from_ms, until_ms = _moment(request, "startTime"), _moment(request, "endTime")
    skip = query_number(request, "paginationStart", absent=0, most=10**9)
    count = query_number(request, "paginationCount", absent=100, most=item_log.MAX_PAGE)
    page = await gateway(request).engine.query(
        caller_of(request), refused(lambda unit: item_log.page(unit, from_ms, until_ms, skip, count))
    )
    return JsonResponse(page)


def _moment(request: Request, name: str) -> int | None:
    """A moment in the query, as text or in milliseconds. Raises InvalidValue."""
    text = request.query_params.get(name)
    if not text:
        return None
    if re.fullmatch(r"\d{1,15}", text, re.ASCII):
        return int(text)
    try:
        return parse_time(text.replace(" ", "+"))
    except InvalidValue as error:
        raise InvalidValue(f"The query parameter {name} was invalid: {error.message}", details=[name]) from error


async def _read(request: Request, name: str) -> ItemRequest:
    """The body; none at all counts as an empty one."""
    return decode(_body, await read_json(request, name) or b"{}", name)


def _named(request: Request) -> tuple[str, str]:
    return path_text(request, "org_id"), path_text(request, "item_id")


def _name(query: str) -> str:
    """The parameter ``name``. The vendor's client does not quote the ``&`` in it (python-client.md 4), so what follows
    one belongs to it, up to another parameter that this operation knows. Raises InvalidValue."""
    parts = query.split("&")
    starts = [number for number, part in enumerate(parts) if part.partition("=")[0] == "name"]
    if not starts:
        raise InvalidValue("The query parameter name is missing: the name of the new item.", details=["name"])
    own = [parts[starts[0]].partition("=")[2]]
    for part in parts[starts[0] + 1 :]:
        if part.partition("=")[0] in _OTHERS and "=" in part:
            break
        own.append(part)
    try:
        name = unquote_plus("&".join(own), errors="strict")
        check_text(name, "name")
    except (UnicodeDecodeError, InvalidValue) as error:
        raise InvalidValue("The query parameter name is not text in UTF-8.", details=["name"]) from error
    return name


def _answer(item: Item) -> ItemAnswer:
    return ItemAnswer(item.item_id)
