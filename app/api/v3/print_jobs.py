"""What only the print dialect asks: change, cancel several, register, process, answer, and its lists (v3-jobs.md 2)."""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.answers import verdict_on
from app.api.requests import read_body
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.api.v3.visits import Visit, visited
from app.errors import Conflict, NotFound
from app.protocol.v3.analytics import JobView
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.ids import parse_id
from app.protocol.v3.neighbours import PaymentAccounts, Projects, Queues, Users
from app.protocol.v3.print_jobs import (
    ClientJob,
    JobPatch,
    JobPatches,
    NumberedPatch,
    Numbers,
    PrintJob,
    ProcessBody,
    RegisteredJob,
    document_of,
    render_jobs,
)
from app.protocol.v3.script import read_script
from app.services import answers
from app.services.engine import Unit
from app.services.v3 import analytics, neighbours, print_jobs, printing, scripts

_patch: Final = msgspec.json.Decoder(JobPatch)
_patches: Final = msgspec.json.Decoder(JobPatches | list[NumberedPatch])
_numbers: Final = msgspec.json.Decoder(Numbers)
_client_job: Final = msgspec.json.Decoder(ClientJob)
_process: Final = msgspec.json.Decoder(ProcessBody)
_script: Final[msgspec.json.Decoder[dict[str, Any]]] = msgspec.json.Decoder(dict[str, Any])


@visited("jobs")
async def change(request: Request, visit: Visit) -> Response:
    """``PATCH v3/jobs/{id}``: the job as it is afterwards, in the words of the dialect that was asked in."""
    wanted = visit.wanted
    patch = await read_body(request, _patch, "Job")

    def use_case(unit: Unit) -> PrintJob | JobView:
        record = print_jobs.change(unit, wanted, patch, visit.bearer.scopes)
        if visit.dialect is Dialect.PRINT:
            return print_jobs.rendered(record)
        return analytics.render_view(unit, record, with_messages=True)

    return JsonResponse(await gateway(request).engine.execute(visit.caller, use_case))


@visited("jobs")
async def change_many(request: Request, visit: Visit) -> Response:
    """``PATCH v3/jobs``: those that were changed. The bare array of an older edition is taken too."""
    body = await read_body(request, _patches, "Jobs")
    patches = body.jobs if isinstance(body, JobPatches) else body
    pairs = [(patch.id, patch) for patch in patches]
    changed = await gateway(request).engine.execute(
        visit.caller, lambda unit: print_jobs.change_many(unit, pairs, visit.bearer.scopes)
    )
    return JsonResponse(render_jobs(changed))


@visited("jobs")
async def cancel_many(request: Request, visit: Visit) -> Response:
    """``POST v3/jobs/delete``: all are cancelled, or none."""
    numbers = await read_body(request, _numbers, "Jobs")
    await gateway(request).engine.execute(visit.caller, lambda unit: printing.cancel_many(unit, numbers))
    return Response(status_code=204)


@visited("jobs")
async def register(request: Request, visit: Visit) -> Response:
    """``POST v3/jobs/client``: a job whose document stays on its computer."""
    body = await read_body(request, _client_job, "ClientJob")
    document = document_of(body)
    number = await gateway(request).engine.execute(
        visit.caller,
        lambda unit: printing.register(unit, body.queue, body.name, document, visit.bearer.scopes),
    )
    return JsonResponse(RegisteredJob(number))


@visited("jobs")
async def process(request: Request, visit: Visit) -> Response:
    """``POST v3/jobs/process``: all are queued, or none."""
    body = await read_body(request, _process, "ProcessRequest")
    await gateway(request).engine.execute(visit.caller, lambda unit: printing.process(unit, body, visit.bearer.scopes))
    return Response(status_code=202)


@visited("jobs")
async def script(request: Request, visit: Visit) -> Response:
    """``POST v3/jobs/{id}/script``: answer the open question; once that has counted, the next one is in the answer."""
    wanted = visit.wanted
    body: dict[str, Any] = await read_body(request, _script, "ScriptInput")
    given = read_script(body)
    parts = gateway(request)
    done = await parts.engine.execute(visit.caller, lambda unit: scripts.answer(unit, wanted, given))
    if done.receipt.answer_id is not None:
        verdict = await verdict_on(parts, done.receipt.answer_id)
        if verdict is not None and verdict.stage == answers.REJECTED:
            raise Conflict("The answer could not be applied; the question is open again.", name="WrongState")
    return JsonResponse(await parts.engine.query(visit.caller, lambda unit: scripts.after_answer(unit, done.number)))


@visited("queues", "jobs")
async def queues(request: Request, visit: Visit) -> Response:
    """``GET v3/queues``."""
    found = await gateway(request).engine.query(visit.caller, neighbours.queues)
    return JsonResponse(Queues(found, len(found)))


@visited("jobs")
async def projects(request: Request, visit: Visit) -> Response:
    """``GET v3/projects``."""
    found = await gateway(request).engine.query(visit.caller, neighbours.projects)
    return JsonResponse(Projects(found, len(found)))


@visited("users", "jobs")
async def users(request: Request, visit: Visit) -> Response:
    """``GET v3/users``."""
    found = await gateway(request).engine.query(visit.caller, neighbours.users)
    return JsonResponse(Users(found, len(found)))


@visited("users", "jobs")
async def accounts(request: Request, visit: Visit) -> Response:
    """``GET v3/users/{id}/accounts``."""
    wanted = parse_id(str(request.path_params["user_id"]))
    if wanted is None:
        raise NotFound("User not found", name="UserNotFound")
    found = await gateway(request).engine.query(visit.caller, lambda unit: neighbours.accounts(unit, wanted))
    return JsonResponse(PaymentAccounts(found, len(found)))
