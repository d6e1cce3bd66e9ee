"""Job templates over REST (rest.md 7). Creating jobs from them is in ``jobs.py``."""

from starlette.requests import Request
from starlette.responses import Response

from app.api.requests import caller_of, path_text, read_json, refused
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.protocol.templates import TemplateCreated, TemplateList, read_template, render_template
from app.services import templates


async def create(request: Request) -> Response:
    """``POST jobTemplates``."""
    caller = caller_of(request)
    document = read_template(await read_json(request, "JobTemplate"))
    use_case = refused(lambda unit: templates.create(unit, document))
    return JsonResponse(TemplateCreated(await gateway(request).engine.execute(caller, use_case)))


async def read(request: Request) -> Response:
    """``GET jobTemplates/{jobTemplateId}``."""
    template_id = path_text(request, "template_id")
    found = await gateway(request).engine.query(caller_of(request), lambda unit: templates.read(unit, template_id))
    return JsonResponse(render_template(found.body))


async def list_all(request: Request) -> Response:
    """``GET jobTemplates``."""
    return JsonResponse(TemplateList(await gateway(request).engine.query(caller_of(request), templates.lines)))
