"""What only the analytics dialect asks: workflows, their jobs, and running one (v3-jobs.md 3)."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.requests import read_body
from app.api.responses import JsonResponse
from app.api.state import gateway
from app.api.v3.queries import workflow_filter
from app.api.v3.visits import Visit, visited
from app.errors import NotFound
from app.protocol.v3.analytics import RunWorkflowBody
from app.protocol.v3.ids import NumberId, parse_id
from app.services.v3 import workflows
from app.services.v3.workflows import Order

_run: Final = msgspec.json.Decoder(RunWorkflowBody)


@visited("jobs")
async def list_all(request: Request, visit: Visit) -> Response:
    """``GET v3/workflows``."""
    return JsonResponse(await gateway(request).engine.query(visit.caller, workflows.workflows))


@visited("jobs")
async def jobs(request: Request, visit: Visit) -> Response:
    """``GET v3/workflows/{id}/jobs``."""
    workflow, wanted = _workflow(request), workflow_filter(request)
    found = await gateway(request).engine.query(
        visit.caller, lambda unit: workflows.jobs_of_workflow(unit, workflow, wanted)
    )
    return JsonResponse(found)


@visited("jobs")
async def run(request: Request, visit: Visit) -> Response:
    """``POST v3/workflows/{id}/jobs``: make a job and queue it."""
    workflow = _workflow(request)
    body = await read_body(request, _run, "Job")
    priority = None if body.priority is None else str(body.priority)
    order = Order(body.worker_tag or "", priority, body.questions or ())
    made = await gateway(request).engine.execute(visit.caller, lambda unit: workflows.enqueue(unit, workflow, order))
    return JsonResponse(made)


def _workflow(request: Request) -> NumberId:
    found = parse_id(str(request.path_params["workflow_id"]))
    if found is None:
        raise NotFound("Workflow not found", name="WorkflowNotFound")
    return found
