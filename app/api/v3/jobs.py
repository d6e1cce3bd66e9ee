"""What both dialects ask of one job, each in its own words: read, cancel, list; and the outputs (v3-jobs.md 4.2)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.api.downloads import file_response
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.api.v3.queries import jobs_filter, page, switch
from app.api.v3.visits import Visit, plain_refusal, visited
from app.domain.job import Attachment
from app.errors import NotFound
from app.protocol.v3.analytics import JobLines
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.print_jobs import PrintJobState, render_jobs
from app.services.v3 import analytics, print_jobs, printing

BEHIND_THE_END: Final = 416


@visited("jobs")
async def read(request: Request, visit: Visit) -> Response:
    """``GET v3/jobs/{id}``: a Job or a JobView."""
    parts, wanted = gateway(request), visit.wanted
    if visit.dialect is Dialect.PRINT:
        return JsonResponse(await parts.engine.query(visit.caller, lambda unit: print_jobs.job(unit, wanted)))
    with_messages = switch(request, "includeMessages", absent=True)
    only_apps = parts.settings.v3_app_only
    found = await parts.engine.query(
        visit.caller,
        lambda unit: analytics.view(unit, wanted, with_messages=with_messages, only_apps=only_apps),
    )
    return JsonResponse(found)


@visited("jobs")
async def list_all(request: Request, visit: Visit) -> Response:
    """``GET v3/jobs``: one's own, or, to a Curator, everybody's."""
    engine = gateway(request).engine
    if visit.dialect is Dialect.PRINT:
        start, count = page(request)
        jobs = await engine.query(visit.caller, lambda unit: print_jobs.jobs_of_caller(unit, start, count))
        return JsonResponse(render_jobs(jobs))
    wanted, owner = jobs_filter(request)
    return JsonResponse(
        JobLines(await engine.query(visit.caller, lambda unit: analytics.all_jobs(unit, wanted, owner)))
    )


@visited("jobs")
async def cancel(request: Request, visit: Visit) -> Response:
    """``DELETE v3/jobs/{id}``: the job is cancelled and can be read on."""
    wanted = visit.wanted
    await gateway(request).engine.execute(visit.caller, lambda unit: printing.cancel(unit, wanted))
    return Response(status_code=204)


@visited("jobs")
async def state(request: Request, visit: Visit) -> Response:
    """``GET v3/jobs/{id}/state``."""
    wanted = visit.wanted
    found = await gateway(request).engine.query(visit.caller, lambda unit: print_jobs.state(unit, wanted))
    return JsonResponse(PrintJobState(found))


@visited("jobs")
async def messages(request: Request, visit: Visit) -> Response:
    """``GET v3/jobs/{id}/messages``, for Curators."""
    wanted = visit.wanted
    found = await gateway(request).engine.query(visit.caller, lambda unit: analytics.messages(unit, wanted))
    return JsonResponse(found)


@visited("print", by_programs=True)
async def data(request: Request, visit: Visit) -> Response:
    """``GET v3/jobs/{id}/data``: the first file the server has of a job, or a range of it."""
    wanted = visit.wanted
    found = await gateway(request).engine.query(visit.caller, lambda unit: analytics.document(unit, wanted))
    return await _file(request, visit, found)


@visited("jobs")
async def output(request: Request, visit: Visit) -> Response:
    """``GET v3/jobs/{id}/output/{outputId}?format=``."""
    wanted, output_id = visit.wanted, str(request.path_params["output_id"])
    form = request.query_params.get("format")
    found = await gateway(request).engine.query(
        visit.caller, lambda unit: analytics.output(unit, wanted, output_id, form)
    )
    return await _file(request, visit, found)


async def _file(request: Request, visit: Visit, attachment: Attachment) -> Response:
    files = gateway(request).files
    if attachment.content is None or not await files.is_there(attachment.content):
        raise NotFound("The file is gone.", name="OutputNotFound")
    response = file_response(request, files, attachment.content)
    if response.status_code == BEHIND_THE_END:
        text = f"The file has {attachment.content.size} bytes; the range is behind its end."
        refused = plain_refusal(visit.dialect, BEHIND_THE_END, text)
        refused.headers["Content-Range"] = response.headers["Content-Range"]
        return refused
    return response
