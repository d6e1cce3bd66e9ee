"""A task of an asynchronous geoprocessing service, over REST: ``submitJob``, ``jobs/{id}``, its results, ``cancel``."""

from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

from app.protocol.codes import MsgCode
from app.protocol.geoprocessing import ServiceAnswer, ServiceJob, ServiceResult
from app.steps.arcgis import FORM, read_answer
from app.steps.http import HttpClient
from app.steps.outgoing import Outgoing, origin_of

T = TypeVar("T")

REQUEST_S: Final = 30.0
"""For one question and its answer."""


class GpTask:
    """One task. Everything is a POST: inputs may be long, and none of them stands in a log of addresses.

    All methods raise StepFailed and StepTimedOut when there is no answer, or none that can be read, and
    StepFailed with ``GP_REFUSED`` when the service says no.
    """

    def __init__(self, http: HttpClient, url: str, credentials: tuple[tuple[str, str], ...]) -> None:
        self.url = url
        self._http = http
        self._credentials = credentials

    async def submit(self, parameters: dict[str, str], *, key: str) -> ServiceJob:
        """Begin a job; ``key`` is the ``Idempotency-Key``."""
        return await self._post("submitJob", ServiceJob, parameters, (("Idempotency-Key", key),))

    async def status(self, job_id: str) -> ServiceJob:
        """How far a job is, with all its messages."""
        return await self._post(f"jobs/{quote(job_id, safe='')}", ServiceJob)

    async def result(self, job: ServiceJob, name: str) -> Any:
        """The value of a result."""
        place = f"jobs/{quote(job.job_id, safe='')}/results/{quote(name, safe='')}"
        return (await self._post(place, ServiceResult)).value

    async def cancel(self, job_id: str) -> None:
        """Ask for the end of a job."""
        await self._post(f"jobs/{quote(job_id, safe='')}/cancel", ServiceAnswer)

    async def _post(
        self,
        place: str,
        schema: type[T],
        parameters: dict[str, str] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> T:
        form = urlencode({**(parameters or {}), "f": "json"}).encode()
        request = Outgoing("POST", f"{self.url}/{place}", (*FORM, *headers, *self._credentials), form)
        reply = await self._http.send(request, timeout_s=REQUEST_S)
        where = f"The geoprocessing service at {origin_of(self.url)}"
        return read_answer(reply, schema, where, refused=MsgCode.GP_REFUSED)
