"""Acting on a job from the terminal: run, finish, stop, hold and release, and what is said afterwards."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from app.cli.terminal import JobId, Target, step_id_of, step_names, tell_refusal
from stepgate_client import ActionRefused, Client
from stepgate_client.models import ActionResult

StepName = Annotated[
    str | None, typer.Argument(metavar="STEP", help="Id or name of the step; without it, all current ones.")
]
OtherJob = Annotated[str | None, typer.Option("--job", metavar="JOB", help="Wait for this other job.")]
OtherStep = Annotated[str | None, typer.Option("--step", metavar="STEP", help="Wait for this step of the other job.")]

Act = Callable[[Client], Awaitable[ActionResult]]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_RELATIVE = re.compile(r"(\d+)([smhd])")


def run(target: Target, job: JobId, step: StepName = None) -> None:
    """Start the job's current step, or the one named."""
    _act(target, job, step, "run")


def finish(target: Target, job: JobId, step: StepName = None) -> None:
    """Finish the current step, or the one named, and move on."""
    _act(target, job, step, "finish")


def stop(target: Target, job: JobId, step: StepName = None) -> None:
    """Stop the running step: a person's work is paused, processing is cancelled."""
    _act(target, job, step, "stop")


def hold(
    target: Target,
    job: JobId,
    step: StepName = None,
    *,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Release at 2026-05-01T08:00 (local time) or in 90s, 10m, 2h, 1d."),
    ] = None,
    other_job: OtherJob = None,
    other_step: OtherStep = None,
) -> None:
    """Keep a step from running: until released, until a time, or until another job (or its step) is done."""
    moment = None if until is None else _moment(until)
    _check_dependency(other_job, other_step)

    async def act(client: Client) -> ActionResult:
        step_ids = await step_id_of(client, job, step)
        other = (await step_id_of(client, other_job, other_step) or (None,))[0] if other_job else None
        return await client.hold(job, *step_ids, until=moment, other_job_id=other_job, other_step_id=other)

    _report(target, job, act)


def release(
    target: Target, job: JobId, step: StepName = None, other_job: OtherJob = None, other_step: OtherStep = None
) -> None:
    """Release the manual and scheduled holds of a step (without STEP, of all), or with --job that dependency."""
    _check_dependency(other_job, other_step)

    async def act(client: Client) -> ActionResult:
        step_ids = await step_id_of(client, job, step)
        other = (await step_id_of(client, other_job, other_step) or (None,))[0] if other_job else None
        return await client.release_hold(job, *step_ids, other_job_id=other_job, other_step_id=other)

    _report(target, job, act)


def _act(target: Target, job: str, step: str | None, action: str) -> None:
    async def act(client: Client) -> ActionResult:
        step_ids = await step_id_of(client, job, step)
        result: ActionResult = await getattr(client, action)(job, *step_ids)
        return result

    _report(target, job, act)


def _report(target: Target, job: str, act: Act) -> None:
    """Do an action and print what became of each step."""

    async def work(client: Client) -> None:
        try:
            result = await act(client)
        except ActionRefused as error:
            raise await tell_refusal(client, job, error) from error
        names = await step_names(client, job)
        for response in [*result.step_responses, *result.automatic_responses]:
            print(f"{names.get(response.step_id, response.step_id)}: {response.status_description}")

    target.do(work)


def _check_dependency(other_job: str | None, other_step: str | None) -> None:
    if other_step and not other_job:
        raise typer.BadParameter("--step needs --job: it is a step of the other job.")


def _moment(text: str) -> datetime:
    """Read a moment: ISO 8601, local where it has no offset, or a time from now such as ``10m``."""
    if relative := _RELATIVE.fullmatch(text.strip()):
        return datetime.now(UTC) + timedelta(**{_UNITS[relative[2]]: int(relative[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no time. Write it like 2026-05-01T08:00, or like 10m.") from error
