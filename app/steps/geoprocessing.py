"""Runs tasks of geoprocessing services (docs/service-steps.md). The service's job is noted, so a takeover goes on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from app.domain.job import ReturnValue
from app.errors import StepError, StepFailed, StepTimedOut
from app.protocol.codes import MsgCode
from app.protocol.geoprocessing import ENDED, GeoprocessingArgs, JobStatus, ServiceJob
from app.protocol.service_args import AnswerUse
from app.services.ports import Adoption, AtomicWork, StepContext
from app.services.texts import Texts
from app.services.web_requests import composed_authentication
from app.steps import answers
from app.steps.arguments import read_args
from app.steps.gp_service import GpTask
from app.steps.http import HttpClient
from app.steps.limits import FairLimit, in_turn
from app.steps.outgoing import host_of
from app.steps.rendering import Secrets, composed

T = TypeVar("T")

log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
"""Pauses between questions: the first one, then each half as long again, up to the longest."""

CANCEL_S: Final = 10.0
"""So long a stopped step waits for the service to take note."""


_PASSING: Final = frozenset(
    {
        MsgCode.CONNECTION_FAILED,
        MsgCode.HOST_NOT_FOUND,
        MsgCode.REQUEST_TIMED_OUT,
        MsgCode.BROKEN_RESPONSE,
        MsgCode.UNEXPECTED_STATUS,
    }
)
"""Failures of a question after which it is asked again: the job at the service goes on meanwhile."""


class Note(msgspec.Struct):
    """What a takeover must know: the service's job, and since when it is waited for (ms since 1970)."""

    service_job: str
    since_ms: int


class Geoprocessing:
    """Implements ``StepExecutor``.

    Args:
        hosts: how many steps may be at one host at a time.
        first_pause_s: see ``FIRST_PAUSE_S``.
    """

    action_type = "ExecuteGP"
    adoption = Adoption.RESUME

    def __init__(self, http: HttpClient, hosts: FairLimit, *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._http = http
        self._hosts = hosts
        self._first_pause_s = first_pause_s

    async def execute(self, context: StepContext) -> ReturnValue | AtomicWork:
        args = await composed(context, partial(_computed, read_args(context, GeoprocessingArgs)))
        task, parameters = task_of(self._http, args, await context.services.settings())
        async with in_turn(self._hosts, host_of(task.url), context, "other steps at the same server"):
            note = await _begin(context, task, parameters)
            watch = _Watch(context, note, args.timeout_s, self._first_pause_s)
            try:
                results = await _results(context, task, watch, args.response)
            except asyncio.CancelledError:
                if context.asked.is_stopped:
                    await _cancel(task, note)
                raise  # otherwise the server closes, and the next start, or another node, goes on with the same job
            except StepTimedOut:
                await _cancel(task, note)
                raise
        found = answers.find(args.response, results)
        return AtomicWork(lambda unit, jobs: answers.keep(unit, jobs, context.run, found))


async def _results(context: StepContext, task: GpTask, watch: "_Watch", use: AnswerUse | None) -> dict[str, Any]:
    """Wait for the end of the service's job, tell what it says meanwhile, and fetch those results that are of use."""
    told = _Told(context)
    while True:
        job = await watch.answered(lambda: task.status(watch.note.service_job))
        told.tell(job)
        if job.job_status in ENDED:
            break
        await watch.pause()
    _check_succeeded(job)
    needed = [name for name in job.results if use is not None and use.needs(name)]
    return {name: await watch.answered(partial(task.result, job, name)) for name in needed}


class _Watch:
    """Asks a service in growing intervals, as long as the step may take; a service that is away is asked again."""

    def __init__(self, context: StepContext, note: Note, timeout_s: float, first_pause_s: float) -> None:
        self.note = note
        self._context = context
        self._timeout_s = timeout_s
        self._pause_s = first_pause_s

    async def answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer. Raises StepFailed for one that further questions would not change, StepTimedOut as ``pause``."""
        while True:
            try:
                return await ask()
            except StepError as error:
                if error.name not in _PASSING:
                    raise
                self._context.progress(f"{error} It is asked again.", MsgCode.GP_UNREACHABLE)
            await self.pause()

    async def pause(self) -> None:
        """Wait until it is time for the next question, or somebody asks for the status. Raises StepTimedOut."""
        now_ms = await self._context.services.read(lambda unit: unit.now_ms)
        left_s = self._timeout_s - (now_ms - self.note.since_ms) / 1000
        if left_s <= 0:
            text = f"The geoprocessing job was not done within {self._timeout_s:g} s."
            raise StepTimedOut(text, name=MsgCode.GP_TIMED_OUT)
        await self._context.asked.refresh(min(self._pause_s, left_s))
        self._pause_s = min(self._pause_s * 1.5, LONGEST_PAUSE_S)


class _Told:
    """Tells each message of a job once; after a takeover from the beginning, for who knows which were told."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._count = 0
        self._status: JobStatus | None = None

    def tell(self, job: ServiceJob) -> None:
        fresh = job.messages[self._count :]
        self._count = len(job.messages)
        if fresh:
            text = "\n".join(message.description for message in fresh)[-2000:]
            self._context.progress(text, MsgCode.GP_MESSAGE)
        elif job.job_status is not self._status and job.job_status not in ENDED:
            self._context.progress(f"The service reports {job.job_status}", MsgCode.EXECUTING)
        self._status = job.job_status


def _computed(args: GeoprocessingArgs, texts: Texts) -> GeoprocessingArgs:
    """The arguments with their expressions computed. Raises StepFailed."""
    return replace(
        args,
        url=texts.url(args.url),
        parameters=[replace(each, value=_input(texts, each.name, each.value)) for each in args.parameters or ()],
        authentication=composed_authentication(texts, args.authentication),
    )


def _input(texts: Texts, name: str, value: Any) -> str:
    if isinstance(value, str):
        return texts.content(f"parameter {name}", value)
    return msgspec.json.encode(value).decode()


def task_of(http: HttpClient, args: GeoprocessingArgs, settings: Mapping[str, str]) -> tuple[GpTask, dict[str, str]]:
    """The task and its inputs as they are sent. Raises StepFailed."""
    url = args.url.rstrip("/")
    host_of(url)
    parameters = {each.name: each.value for each in args.parameters or ()}
    return GpTask(http, url, Secrets(settings).credentials(args.authentication)), parameters


async def _begin(context: StepContext, task: GpTask, parameters: dict[str, str]) -> Note:
    """The job that this run has begun before, or a new one, noted before anything else is done with it."""
    if context.run.note is not None:
        return msgspec.json.decode(context.run.note, type=Note)
    job = await task.submit(parameters, key=context.run.run_id)
    now_ms = await context.services.read(lambda unit: unit.now_ms)
    note = Note(job.job_id, now_ms)
    try:
        await context.services.note(msgspec.json.encode(note).decode())
    except StepFailed:  # another node has the run, and a job of its own
        await _cancel(task, note)
        raise
    return note


def _check_succeeded(job: ServiceJob) -> None:
    """Raises StepFailed or StepTimedOut, with what the service says, when the job has not succeeded."""
    if job.job_status is JobStatus.SUCCEEDED:
        return
    errors = [message.description for message in job.messages if message.is_error]
    said = " ".join(errors or [message.description for message in job.messages[-3:]])[:2000]
    if job.job_status is JobStatus.TIMED_OUT:
        raise StepTimedOut(f"The geoprocessing job took too long. {said}".strip(), name=MsgCode.GP_TIMED_OUT)
    if job.job_status is JobStatus.FAILED:
        raise StepFailed(f"The geoprocessing job has failed. {said}".strip(), name=MsgCode.GP_FAILED)
    raise StepFailed(f"The geoprocessing job was cancelled at the service. {said}".strip(), name=MsgCode.GP_CANCELLED)


async def _cancel(task: GpTask, note: Note) -> None:
    """Ask the service to stop. If it cannot be asked its job goes on there; for this run it is over."""
    try:
        async with asyncio.timeout(CANCEL_S):
            await task.cancel(note.service_job)
    except (StepError, TimeoutError) as error:
        fields = {"service_job": note.service_job, "error": str(error)}
        log.warning("a geoprocessing job could not be cancelled", extra={"fields": fields})
