"""Stored templates over REST (rest.md 8.3)."""

from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer
from app.api.requests import caller_of, path_text, read_body, refused
from app.api.responses import JsonResponse, success
from app.api.state import gateway
from app.protocol.item_setup import (
    StoredTemplateAnswer,
    StoredTemplateBody,
    StoredTemplateCreated,
    StoredTemplateLine,
    StoredTemplateList,
    StoredTemplateUpdate,
)
from app.services import stored_templates

_create_body = msgspec.json.Decoder(StoredTemplateBody)
_update_body = msgspec.json.Decoder(StoredTemplateUpdate)


async def list_all(request: Request) -> Response:
    """``GET templates/{templateType}``."""
    template_type = path_text(request, "template_type")
    found = await gateway(request).engine.query(
        caller_of(request), lambda unit: unit.tx.stored_templates(unit.item, template_type)
    )
    return JsonResponse(StoredTemplateList([StoredTemplateLine(each.template_id, each.name) for each in found]))


async def create(request: Request) -> Response:
    """``POST templates/{templateType}``."""
    caller, template_type = caller_of(request), path_text(request, "template_type")
    body = await read_body(request, _create_body, "Template")
    use_case = partial(stored_templates.create, template_type=template_type, body=body)
    return await answer(request, caller, use_case, StoredTemplateCreated)


async def read(request: Request) -> Response:
    """``GET templates/{templateType}/{templateId}``."""
    named = _named(request)
    found = await gateway(request).engine.query(caller_of(request), lambda unit: stored_templates.read(unit, *named))
    return JsonResponse(StoredTemplateAnswer(found.template_id, found.name, found.details))


async def update(request: Request) -> Response:
    """``PUT templates/{templateType}/{templateId}``."""
    caller, named = caller_of(request), _named(request)
    body = await read_body(request, _update_body, "Template")
    await gateway(request).engine.execute(caller, refused(lambda unit: stored_templates.update(unit, *named, body)))
    return success()


async def delete(request: Request) -> Response:
    """``DELETE templates/{templateType}/{templateId}``."""
    caller, named = caller_of(request), _named(request)
    await gateway(request).engine.execute(caller, refused(lambda unit: stored_templates.delete(unit, *named)))
    return success()


def _named(request: Request) -> tuple[str, str]:
    return path_text(request, "template_type"), path_text(request, "stored_template_id")
