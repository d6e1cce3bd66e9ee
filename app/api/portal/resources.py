"""The portal's resources below ``sharing/rest`` that lead a client from its login to a workflow item."""

from starlette.requests import Request
from starlette.responses import Response

from app.api.credentials import token_of
from app.api.portal.portals import NO_STORE, Portal, portal_errors, portal_of, read_form, viewer_of
from app.api.requests import path_text
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.domain.access import SYSTEM
from app.errors import NotFound, PermissionDenied
from app.protocol.portal import (
    AuthInfo,
    HelperService,
    HelperServices,
    OwnUser,
    PortalInfo,
    PortalItem,
    PortalSelf,
    PortalServer,
    PortalServers,
    PortalUser,
    PortalVersion,
)
from app.services import portal as people
from app.services.engine import Caller
from app.services.ports import Item


@portal_errors
async def info(request: Request) -> Response:
    """``GET sharing/rest/info``: where a token is to be had."""
    portal = await portal_of(request)
    login = AuthInfo(token_services_url=f"{portal.url}/sharing/rest/generateToken")
    return _answer(PortalInfo(login, owning_system_url=portal.url))


async def version(_: Request) -> Response:
    """``GET sharing/rest``."""
    return _answer(PortalVersion())


@portal_errors
async def portal_self(request: Request) -> Response:
    """``GET sharing/rest/portals/self``: with the user when a token came along. One that is not valid is an error."""
    portal = await portal_of(request)
    services = HelperServices()
    if not portal.is_enterprise:
        services.workflow_manager = HelperService(portal.server_url)
    answer = PortalSelf(portal.org_id, portal.is_enterprise, services)
    if token_of(request) is not None:
        answer.user = await _viewer(request)
    return _answer(answer)


@portal_errors
async def servers(request: Request) -> Response:
    """``GET sharing/rest/portals/{portalId}/servers``: this one; a portal of the online shape has none."""
    await _viewer(request)
    portal = await portal_of(request)
    portal_id = path_text(request, "portal_id")
    if portal_id not in {portal.org_id, "self"}:
        raise NotFound(f"There is no portal {portal_id!r}.", name="PortalNotFound")
    own = PortalServer(portal.org_id, portal.server_url, portal.server_url)
    return _answer(PortalServers([own] if portal.is_enterprise else []))


@portal_errors
async def own_user(request: Request) -> Response:
    """``GET sharing/rest/community/self``."""
    user = await _viewer(request)
    members = {name: getattr(user, name) for name in PortalUser.__struct_fields__}
    return _answer(OwnUser(**members))


@portal_errors
async def user(request: Request) -> Response:
    """``GET sharing/rest/community/users/{username}``."""
    asking, username = viewer_of(request), path_text(request, "username")
    return _answer(await gateway(request).engine.store.read(lambda tx: people.user(tx, asking, username)))


@portal_errors
async def group(request: Request) -> Response:
    """``GET sharing/rest/community/groups/{groupId}``."""
    asking, group_id = viewer_of(request), path_text(request, "group_id")
    return _answer(await gateway(request).engine.store.read(lambda tx: people.group(tx, asking, group_id)))


@portal_errors
async def item(request: Request) -> Response:
    """``GET`` or ``POST sharing/rest/content/items/{id}``: an item in which the user has a role."""
    form = await read_form(request) if request.method == "POST" else {}
    asking = viewer_of(request, form.get("token"))
    found = await _item(request, await portal_of(request), asking)
    return _answer(PortalItem(id=found.item_id, title=found.name, owner=found.owner or SYSTEM.username))


async def _item(request: Request, portal: Portal, username: str) -> Item:
    caller = Caller(portal.org_id, path_text(request, "content_id"), username)
    try:
        return await gateway(request).engine.query(caller, lambda unit: unit.item)
    except (NotFound, PermissionDenied) as error:
        # In these words clients see that there is no such item; and who has no role need not learn that there is one.
        raise NotFound("Item does not exist or is inaccessible.", name="ItemNotFound") from error


async def _viewer(request: Request) -> PortalUser:
    asking = viewer_of(request)
    return await gateway(request).engine.store.read(lambda tx: people.viewer(tx, asking))


def _answer(body: object) -> Response:
    """What a portal tells may depend on who asks, so no cache keeps it."""
    return JsonResponse(body, headers=NO_STORE)
