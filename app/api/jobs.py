"""Jobs over REST: create, read, act, assign, manage, comment (rest.md 5). Updates are in ``updates.py``."""

from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer, carry_out
from app.api.requests import caller_of, path_text, query_flag, read_body, read_json
from app.api.responses import JsonResponse, succeeded
from app.api.state import gateway
from app.domain.job import Assignment
from app.errors import InvalidValue
from app.observability import count_action
from app.protocol.actions import read_action, render_decision
from app.protocol.diagrams import render_diagram
from app.protocol.ids import check_own_id
from app.protocol.job_requests import (
    AssignBody,
    CommentBody,
    CreateJobsBody,
    ManageBody,
    read_assignment,
    read_moment,
    read_place,
    read_properties,
    read_rows,
)
from app.protocol.jobs import (
    CommentAddedAnswer,
    CreatedJobsAnswer,
    JobCommentsAnswer,
    JobHistoryAnswer,
    ManagedJobAnswer,
    ManagedJobsAnswer,
)
from app.services import jobs, permissions, queries
from app.services.creation import CreatedJobs
from app.services.jobs import JobOverrides, Managed

_create_body = msgspec.json.Decoder(CreateJobsBody)
_assign_body = msgspec.json.Decoder(AssignBody)
_manage_body = msgspec.json.Decoder(ManageBody)
_comment_body = msgspec.json.Decoder(CommentBody)

CURRENT_STEP = "currentStep"
"""In place of a step id: the job's only current step, or the first of several."""


async def act(request: Request) -> Response:
    """``POST jobs/{jobId}/action``: 200 also when steps refuse; 400 when the whole call is refused."""
    caller = caller_of(request)
    job_id = path_text(request, "job_id")
    action = read_action(await read_json(request, "JobActionBody"))
    done = await carry_out(request, caller, lambda unit: jobs.act(unit, job_id, action), render_decision)
    if done.result is not None:
        count_action(type(action).__name__, [outcome.status for outcome in done.result.outcomes])
    return done.response


async def create(request: Request) -> Response:
    """``POST jobTemplates/{jobTemplateId}/job``."""
    caller = caller_of(request)
    template_id = path_text(request, "template_id")
    overrides = _overrides(await read_body(request, _create_body, "CreateJobOverrides"))
    return await answer(request, caller, lambda unit: jobs.create(unit, template_id, overrides), render_created)


async def read(request: Request) -> Response:
    """``GET jobs/{jobId}?extProps=&holds=``."""
    read_job = partial(
        queries.job,
        job_id=path_text(request, "job_id"),
        with_properties=query_flag(request, "extProps"),
        with_holds=query_flag(request, "holds"),
    )
    return JsonResponse(await gateway(request).engine.query(caller_of(request), read_job))


async def assign(request: Request) -> Response:
    """``POST jobs/{jobId}/{stepId}``; ``currentStep`` stands for the current step."""
    caller = caller_of(request)
    job_id, step_id = path_text(request, "job_id"), path_text(request, "step_id")
    body = await read_body(request, _assign_body, "AssignStepBody")
    assignment = read_assignment(body.assigned_type, body.assigned_to)
    target = None if step_id == CURRENT_STEP else step_id
    return await answer(request, caller, lambda unit: jobs.assign(unit, job_id, target, assignment), succeeded)


async def manage(request: Request) -> Response:
    """``POST jobs/manage``: jobs that are not refused are done; ``success`` only if all were."""
    caller = caller_of(request)
    body = await read_body(request, _manage_body, "ManageJobsBody")
    job_ids = list(dict.fromkeys(body.job_ids))
    return await answer(request, caller, lambda unit: jobs.manage(unit, body.type, job_ids), _managed)


async def add_comment(request: Request) -> Response:
    """``POST jobs/{jobId}/comments``."""
    caller = caller_of(request)
    job_id = path_text(request, "job_id")
    body = await read_body(request, _comment_body, "JobComment")
    use_case = partial(jobs.add_comment, job_id=job_id, comment=body.comment)
    return await answer(request, caller, use_case, lambda comment_id: CommentAddedAnswer(comment_id=comment_id))


async def comments(request: Request) -> Response:
    """``GET jobs/{jobId}/comments``."""
    return JsonResponse(JobCommentsAnswer(job_comments=await _query(request, queries.comments)))


async def history(request: Request) -> Response:
    """``GET jobs/{jobId}/history``."""
    return JsonResponse(JobHistoryAnswer(job_history=await _query(request, queries.history)))


async def allowed_actions(request: Request) -> Response:
    """``GET jobs/{jobId}/allowedActions``: what may be done now, and everything against what may not."""
    return JsonResponse(await _query(request, permissions.allowed_actions))


async def diagram(request: Request) -> Response:
    """``GET jobs/{jobId}/diagram``: the version the job follows."""
    record = await _query(request, queries.diagram_of_job)
    return JsonResponse(render_diagram(record.body, record.diagram))


async def _query(request: Request, query: Any) -> Any:
    job_id = path_text(request, "job_id")
    return await gateway(request).engine.query(caller_of(request), lambda unit: query(unit, job_id))


def _overrides(body: CreateJobsBody) -> JobOverrides:
    return JobOverrides(
        number_of_jobs=body.number_of_jobs or 1,
        job_id=check_own_id(body.job_id, "jobId") if body.job_id else None,
        job_name=body.job_name,
        start_ms=read_moment(body.start_date, "startDate"),
        due_ms=read_moment(body.due_date, "dueDate"),
        priority=body.priority,
        description=body.description,
        owned_by=body.owned_by,
        assignment=_assignment(body),
        percent_complete=body.percent_complete,
        job_status=body.job_status,
        notes=body.notes,
        parent_job=body.parent_job or None,
        location=read_place(body.location),
        extended_properties=tuple(read_properties(body.extended_properties).items()),
        related_rows=read_rows(body.related_properties),
    )


def _assignment(body: CreateJobsBody) -> Assignment | None:
    """None: as the template says."""
    if body.assigned_type is None and not body.assigned_to:
        return None
    if body.assigned_type is None:
        raise InvalidValue("assignedType is missing: say whether assignedTo is a User or a Group.")
    return read_assignment(body.assigned_type, body.assigned_to)


def render_created(created: CreatedJobs) -> CreatedJobsAnswer:
    """The ids of new jobs, as they are told."""
    return CreatedJobsAnswer(
        job_ids=list(created.job_ids), auto_executed=created.auto_executed, message=created.message
    )


def _managed(managed: Managed) -> ManagedJobsAnswer:
    return ManagedJobsAnswer(
        success=managed.success,
        message=managed.message,
        name=managed.name,
        jobs=[
            ManagedJobAnswer(job_id=job.job_id, success=job.success, message=job.message, name=job.name)
            for job in managed.jobs
        ],
    )
