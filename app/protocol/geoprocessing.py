"""Geoprocessing over REST: the arguments of an ExecuteGP step, and what an asynchronous service answers.

Source: the public description of asynchronous geoprocessing services (``submitJob``, ``jobs/{id}``); the step's
arguments are ours (docs/service-steps.md).
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.protocol.service_args import (
    STATUS_CODE,
    AnswerUse,
    Authentication,
    faults_of_authentication,
    faults_of_use,
)

DEFAULT_TIMEOUT_S = 86_400.0


class Parameter(msgspec.Struct, rename="camel"):
    """An input of the task. A text may be Arcade; any other value is sent as JSON."""

    name: Annotated[str, Meta(min_length=1)]
    value: Any = None


class GeoprocessingArgs(msgspec.Struct, rename="camel"):
    """A task of a geoprocessing service. ``url``, up to the task's name, may be Arcade.

    ``timeout`` is in seconds, for the whole job of the service. Paths of ``response`` lead into an object that has a
    member for each result of the task: ``$.Count``.
    """

    url: Annotated[str, Meta(min_length=1)]
    parameters: list[Parameter] | None = None
    authentication: Authentication | None = None
    timeout: Annotated[float, Meta(gt=0, le=604_800)] | None = None
    response: AnswerUse | None = None

    @property
    def timeout_s(self) -> float:
        return self.timeout or DEFAULT_TIMEOUT_S

    def faults(self) -> Iterator[str]:
        """What is wrong beyond the types."""
        yield from faults_of_authentication(self.authentication)
        yield from faults_of_use(self.response)
        if self.response is not None and self.response.return_value == STATUS_CODE:
            yield "response.returnValue: a geoprocessing job has no status code"
        for number, parameter in enumerate(self.parameters or ()):
            if parameter.name.lower() in {"f", "token"}:
                yield f"parameters[{number}]: {parameter.name} is the protocol's own"


class JobStatus(StrEnum):
    """How far a job of a service is."""

    NEW = "esriJobNew"
    WAITING = "esriJobWaiting"
    SUBMITTED = "esriJobSubmitted"
    EXECUTING = "esriJobExecuting"
    SUCCEEDED = "esriJobSucceeded"
    FAILED = "esriJobFailed"
    TIMED_OUT = "esriJobTimedOut"
    CANCELLING = "esriJobCancelling"
    CANCELLED = "esriJobCancelled"
    DELETING = "esriJobDeleting"
    DELETED = "esriJobDeleted"


ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.TIMED_OUT, JobStatus.CANCELLED, JobStatus.DELETED})


class ServiceMessage(msgspec.Struct):
    """A line of a job's protocol."""

    type: str = "esriJobMessageTypeInformative"
    description: str = ""

    @property
    def is_error(self) -> bool:
        return self.type in {"esriJobMessageTypeError", "esriJobMessageTypeAbort"}


class ServiceJob(msgspec.Struct, rename="camel"):
    """A job of a service, as it describes it. ``results`` has a member for each result that is there."""

    job_id: Annotated[str, Meta(min_length=1, max_length=200)]
    job_status: JobStatus
    messages: list[ServiceMessage] = []
    results: dict[str, Any] = {}


class ServiceFault(msgspec.Struct):
    """Why a service refuses; it says so with status 200."""

    code: int = 0
    message: str = ""
    details: list[str] | None = None


class ServiceAnswer(msgspec.Struct):
    """Looked at first: is it a refusal?"""

    error: ServiceFault | None = None


class ServiceResult(msgspec.Struct, rename="camel"):
    """One result of a job."""

    value: Any = None
