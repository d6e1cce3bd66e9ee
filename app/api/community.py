"""Users, groups and roles of an item over REST (rest.md 9)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer
from app.api.requests import caller_of, path_text, read_body, refused
from app.api.responses import JsonResponse, succeeded
from app.api.state import gateway
from app.domain.access import Role
from app.protocol.community import (
    Found,
    GroupList,
    GroupRoles,
    GroupUpdate,
    RoleBody,
    RoleList,
    UserList,
    WireRole,
)
from app.services import community, roles

_group_body = msgspec.json.Decoder(GroupUpdate)
_role_body = msgspec.json.Decoder(RoleBody)


async def users(request: Request) -> Response:
    """``GET community/users``."""
    return JsonResponse(UserList(await gateway(request).engine.query(caller_of(request), community.users)))


async def user(request: Request) -> Response:
    """``GET community/users/{username}``."""
    username = path_text(request, "username")
    return JsonResponse(
        await gateway(request).engine.query(caller_of(request), lambda unit: community.user(unit, username))
    )


async def groups(request: Request) -> Response:
    """``GET community/groups``."""
    return JsonResponse(GroupList(await gateway(request).engine.query(caller_of(request), community.groups)))


async def group(request: Request) -> Response:
    """``GET community/groups/{groupId}``."""
    group_id = path_text(request, "group_id")
    found = await gateway(request).engine.query(caller_of(request), lambda unit: roles.of_group(unit, group_id))
    return JsonResponse(GroupRoles(found))


async def update_group(request: Request) -> Response:
    """``POST community/groups/{groupId}``."""
    caller, group_id = caller_of(request), path_text(request, "group_id")
    body = await read_body(request, _group_body, "UpdateGroupBody")
    return await answer(request, caller, lambda unit: roles.update_group(unit, group_id, body), succeeded)


async def list_roles(request: Request) -> Response:
    """``GET community/roles``."""
    found = await gateway(request).engine.query(caller_of(request), lambda unit: unit.tx.roles(unit.item))
    return JsonResponse(RoleList([_told(role) for role in found]))


async def role(request: Request) -> Response:
    """``GET community/roles/{roleName}``."""
    role_name = path_text(request, "role_name")
    found = await gateway(request).engine.query(caller_of(request), lambda unit: roles.role(unit, role_name))
    return JsonResponse(_told(found))


async def put_role(request: Request) -> Response:
    """``POST community/roles/{roleName}``."""
    caller, role_name = caller_of(request), path_text(request, "role_name")
    body = await read_body(request, _role_body, "WorkflowRole")
    return await answer(request, caller, lambda unit: roles.put(unit, role_name, body), succeeded)


async def delete_role(request: Request) -> Response:
    """``DELETE community/roles/{roleName}``."""
    caller, role_name = caller_of(request), path_text(request, "role_name")
    found = await gateway(request).engine.execute(caller, refused(lambda unit: roles.delete(unit, role_name)))
    return JsonResponse(Found(found))


def _told(role: Role) -> WireRole:
    return WireRole(role_name=role.name, description=role.description, privileges=list(role.privileges))
