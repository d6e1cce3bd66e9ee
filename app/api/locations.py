"""The location of a job over REST (rest.md 5.11)."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.requests import caller_of, path_text, read_body, refused
from app.api.responses import JsonResponse, success
from app.api.state import gateway
from app.protocol.job_requests import SetLocationBody, read_place
from app.protocol.jobs import LocationAnswer
from app.services import locations

NOWHERE: Final = LocationAnswer(geometry_type="None", geometry="{}")

_location_body = msgspec.json.Decoder(SetLocationBody)


async def read(request: Request) -> Response:
    """``GET jobs/{jobId}/location``, in Web Mercator."""
    job_id = path_text(request, "job_id")
    found = await gateway(request).engine.query(caller_of(request), lambda unit: locations.location(unit, job_id))
    if found is None:
        return JsonResponse(NOWHERE)
    return JsonResponse(LocationAnswer(geometry_type=found.geometry_type, geometry=found.geometry))


async def write(request: Request) -> Response:
    """``PUT jobs/{jobId}/location``; an empty one clears it."""
    caller = caller_of(request)
    job_id = path_text(request, "job_id")
    body = await read_body(request, _location_body, "JobLocation")
    place = read_place(body.location)
    await gateway(request).engine.execute(caller, refused(lambda unit: locations.set_location(unit, job_id, place)))
    return success()
