"""Updates of jobs over REST (rest.md 5.5)."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer
from app.api.requests import caller_of, path_text, read_body
from app.api.responses import succeeded
from app.protocol.job_requests import read_moment, read_properties, read_rows, read_values
from app.protocol.update_requests import RelatedBody, UpdateJobBody, read_version
from app.services.updating import JobUpdate, RowUpdate, update_job

_update_body = msgspec.json.Decoder(UpdateJobBody)


async def update(request: Request) -> Response:
    """``POST jobs/{jobId}/update``."""
    caller = caller_of(request)
    job_id = path_text(request, "job_id")
    wanted = _update(await read_body(request, _update_body, "JobOverrides"))
    return await answer(request, caller, lambda unit: update_job(unit, job_id, wanted), succeeded)


def _update(body: UpdateJobBody) -> JobUpdate:
    """What the body wants changed. Raises InvalidValue."""
    members: dict[str, Any] = {
        "name": body.job_name,
        "start_ms": read_moment(body.start_date, "startDate"),
        "due_ms": read_moment(body.due_date, "dueDate"),
        "priority": body.priority,
        "description": body.description,
        "owned_by": body.owned_by,
        "percent_complete": body.percent_complete,
        "status": body.job_status,
        "notes": body.notes,
    }
    given = {name: value for name, value in members.items() if value is not None}
    if body.parent_job is not None:
        given["parent_job"] = body.parent_job or None
    related = body.related_properties or RelatedBody()
    return JobUpdate(
        members=given,
        versions=tuple(read_version(version) for version in body.versions or ()),
        properties=read_properties(body.extended_properties),
        row_adds=read_rows(related.adds),
        row_updates=tuple(
            RowUpdate(table.table_name, row.id, read_values(row.properties))
            for table in related.updates or ()
            for row in table.entries
        ),
        row_deletes=tuple((table.table_name, row_id) for table in related.deletes or () for row_id in table.ids),
        running_step_id=body.allow_running_step_id,
    )
