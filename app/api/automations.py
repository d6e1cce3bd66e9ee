"""Automations of job templates over REST (rest.md 7.1)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer
from app.api.requests import caller_of, path_text, read_body
from app.api.responses import JsonResponse, as_it_is
from app.api.state import gateway
from app.protocol.automations import AutomationList, AutomationsBody
from app.services import automations

_body = msgspec.json.Decoder(AutomationsBody)


async def list_all(request: Request) -> Response:
    """``GET jobTemplates/{jobTemplateId}/automatedCreation``."""
    caller, template_id = caller_of(request), path_text(request, "template_id")
    found = await gateway(request).engine.query(caller, lambda unit: automations.lines(unit, template_id))
    return JsonResponse(AutomationList(automations=found))


async def read(request: Request) -> Response:
    """``GET jobTemplates/{jobTemplateId}/automatedCreation/{automationId}``."""
    caller, template_id = caller_of(request), path_text(request, "template_id")
    automation_id = path_text(request, "automation_id")
    found = await gateway(request).engine.query(
        caller, lambda unit: automations.details(unit, template_id, automation_id)
    )
    return JsonResponse(found)


async def edit(request: Request) -> Response:
    """``POST jobTemplates/{jobTemplateId}/automatedCreation``."""
    caller, template_id = caller_of(request), path_text(request, "template_id")
    body = await read_body(request, _body, "Automations")
    unsecure = gateway(request).settings.allow_unsecure_webhooks
    return await answer(
        request,
        caller,
        lambda unit: automations.edit(unit, template_id, body, unsecure_webhooks=unsecure),
        as_it_is,
    )
