"""A task of an asynchronous geoprocessing service, over REST: ``submitJob``, ``jobs/{id}``, its results, ``cancel``."""

from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from app.errors import StepFailed
from app.protocol.codes import MsgCode
from app.protocol.geoprocessing import ServiceAnswer, ServiceJob, ServiceResult
from app.steps.http import HttpClient
from app.steps.outgoing import Outgoing, Reply, origin_of

T = TypeVar("T")

REQUEST_S: Final = 30.0
"""For one question and its answer."""

_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))


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
        request = Outgoing("POST", f"{self.url}/{place}", (*_FORM, *headers, *self._credentials), form)
        return self._read(await self._http.send(request, timeout_s=REQUEST_S), schema)

    def _read(self, reply: Reply, schema: type[T]) -> T:
        """Refusals come as an ``error`` in an answer with status 200; others as a status."""
        where = f"The geoprocessing service at {origin_of(self.url)}"
        if 400 <= reply.status < 500:
            raise StepFailed(f"{where} refuses: status {reply.status}.", name=MsgCode.GP_REFUSED)
        if not 200 <= reply.status < 300:
            raise StepFailed(f"{where} answered with status {reply.status}.", name=MsgCode.UNEXPECTED_STATUS)
        try:
            fault = msgspec.json.decode(reply.body, type=ServiceAnswer).error
            if fault is None:
                return msgspec.json.decode(reply.body, type=schema)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            text = f"{where} did not answer as such services do: {error}."
            raise StepFailed(text, name=MsgCode.UNEXPECTED_RESPONSE) from error
        said = " ".join([fault.message, *(fault.details or [])]).strip()[:1000] or "it does not say why"
        if fault.code >= 500:
            raise StepFailed(f"{where} has failed: {said} (code {fault.code}).", name=MsgCode.UNEXPECTED_STATUS)
        raise StepFailed(f"{where} refuses: {said} (code {fault.code}).", name=MsgCode.GP_REFUSED)
