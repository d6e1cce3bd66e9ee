"""Job templates over REST (rest.md 7). Creating jobs from them is in ``jobs.py``."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer
from app.api.requests import caller_of, path_text, read_body, read_json, refused
from app.api.responses import JsonResponse, succeeded, success
from app.api.state import gateway
from app.protocol.tables import TableList
from app.protocol.templates import ShareBody, TemplateCreated, TemplateList, read_template, render_template
from app.services import templates
from app.services.tables import tables_of_item

_share_body = msgspec.json.Decoder(ShareBody)


async def create(request: Request) -> Response:
    """``POST jobTemplates``."""
    caller = caller_of(request)
    document = read_template(await read_json(request, "JobTemplate"))
    return await answer(request, caller, lambda unit: templates.create(unit, document), TemplateCreated)


async def read(request: Request) -> Response:
    """``GET jobTemplates/{jobTemplateId}``."""
    template_id = path_text(request, "template_id")
    found = await gateway(request).engine.query(caller_of(request), lambda unit: templates.read(unit, template_id))
    return JsonResponse(render_template(found.body))


async def change(request: Request) -> Response:
    """``PUT jobTemplates/{jobTemplateId}``."""
    caller = caller_of(request)
    template_id = path_text(request, "template_id")
    document = read_template(await read_json(request, "JobTemplate"))
    await gateway(request).engine.execute(caller, refused(lambda unit: templates.change(unit, template_id, document)))
    return success()


async def delete(request: Request) -> Response:
    """``DELETE jobTemplates/{jobTemplateId}``."""
    caller = caller_of(request)
    template_id = path_text(request, "template_id")
    await gateway(request).engine.execute(caller, refused(lambda unit: templates.delete(unit, template_id)))
    return success()


async def share(request: Request) -> Response:
    """``POST jobTemplates/{jobTemplateId}/shareWith``."""
    caller = caller_of(request)
    template_id = path_text(request, "template_id")
    body = await read_body(request, _share_body, "ShareWithBody")
    return await answer(request, caller, lambda unit: templates.share(unit, template_id, body.group_ids), succeeded)


async def shared_with(request: Request) -> Response:
    """``GET jobTemplates/{jobTemplateId}/shareWith``."""
    caller, template_id = caller_of(request), path_text(request, "template_id")
    found = await gateway(request).engine.query(caller, lambda unit: templates.shared_with(unit, template_id))
    return JsonResponse(ShareBody(found))


async def table_definitions(request: Request) -> Response:
    """``GET tableDefinitions``."""
    return JsonResponse(TableList(await gateway(request).engine.query(caller_of(request), tables_of_item)))


async def list_all(request: Request) -> Response:
    """``GET jobTemplates``."""
    return JsonResponse(TemplateList(await gateway(request).engine.query(caller_of(request), templates.lines)))
