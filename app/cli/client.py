"""The terminal client: watch jobs, answer their questions, and act on them, through a server that runs.

Exit status as everywhere: 0 done, 1 refused or not possible (why is on standard error), 2 asked for in a wrong way.
"""

import sys
from typing import Annotated

import typer

from app.cli.terminal import IdCommand, JobId, Target, refused, step_id_of, step_names, with_target
from app.cli.terminal_actions import finish, hold, release, run, stop
from app.cli.terminal_answers import answer_of, open_questions, show_question
from app.cli.terminal_lines import Names, assignee, line, local
from stepgate_client import INTRODUCTION_TEMPLATE, AnswerRejected, Client, ConnectionState, Phase, Position
from stepgate_client.messages import JobMessage, JobState, Message, StepInfoRequired
from stepgate_client.models import CurrentStep, Job


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (create, show, watch, answer, run, finish, stop, hold, release):
        app.command(command.__name__, cls=IdCommand)(with_target(command))


# ---------------------------------------------------------------- looking


def create(
    target: Target,
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="Id of the template.")] = INTRODUCTION_TEMPLATE,
    name: Annotated[str | None, typer.Option(help="Name of the job; without it, the template's.")] = None,
) -> None:
    """Create a job; prints its id and nothing else."""
    created = target.do(lambda client: client.create_jobs(template, job_name=name))
    print(created.job_ids[0])
    if created.message:
        print(f"stepgate: {created.message}", file=sys.stderr)


def show(target: Target, job: JobId) -> None:
    """Show how a job stands: its state, its current steps, their holds and open questions."""

    async def read(client: Client) -> tuple[Job, JobState]:
        return await client.get_job(job, holds=True), await client.job_state(job)

    found, state = target.do(read)
    print(_summary(found))
    if not found.current_steps:
        print("No current step: the workflow is done.")
    questions = {question.step_id: question for question in open_questions(state)}
    for step in found.current_steps:
        print(f"\n{step.step_name} ({step.step_id})")
        print(f"  for {assignee(step.assigned_type, step.assigned_to)}")
        print(f"  {_step_state(step, state, questions.get(step.step_id))}")


def watch(
    target: Target,
    jobs: Annotated[list[str], typer.Argument(metavar="JOB", help="Ids of the jobs.")],
    since: Annotated[
        int | None, typer.Option(min=0, metavar="SEQ", help="Begin after this message instead of now (0: all).")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the messages as they come, one JSON text a line.")
    ] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="Print a line for each message also on a terminal; nothing is drawn over.")
    ] = False,
) -> None:
    """Watch jobs until Ctrl-C. A terminal shows how they stand, drawn anew with each message; a pipe gets one line for
    each. Lost connections are made again; nothing is missed."""
    live = sys.stdout.isatty() and not as_json and not lines

    async def follow(client: Client) -> None:
        names: dict[str, str] = {}
        for job in jobs:
            names |= {} if as_json else await step_names(client, job)
        positions = {} if since is None else {job: await _position(client, job, since) for job in jobs}
        if live:
            await _draw(client, jobs, names, positions)
            return
        async with client.notifications(*jobs, since=positions, on_state=_tell_connection) as messages:
            async for message in messages:
                _print(message, names, as_json=as_json, with_job=len(jobs) > 1)

    target.do(follow)


async def _draw(client: Client, jobs: list[str], names: Names, positions: dict[str, Position]) -> None:
    from rich.live import Live

    from app.cli.live_view import LiveView

    view = LiveView(jobs, names)
    with Live(view, refresh_per_second=8, vertical_overflow="visible") as drawn:
        async with client.notifications(*jobs, since=positions, on_state=view.connection) as messages:
            async for message in messages:
                view.take(message)
                drawn.update(view)


async def _position(client: Client, job: str, seq: int) -> Position:
    """The place after message ``seq`` in the server's present history."""
    return Position(seq, (await client.job_state(job)).epoch or "")


def _print(message: Message, names: Names, *, as_json: bool, with_job: bool) -> None:
    if as_json:
        print(message.frame.decode(), flush=True)
        return
    job = message.job_id if with_job and isinstance(message, JobMessage) else None
    print(line(message, names, job=job), flush=True)


def _tell_connection(state: ConnectionState) -> None:
    if state.phase is Phase.WAITING:
        print(f"stepgate: {state.cause} Trying again in {state.retry_in_s:.1f} s.", file=sys.stderr, flush=True)
    elif state.phase is Phase.OPEN and state.failures:
        print("stepgate: Connected again.", file=sys.stderr, flush=True)


# ---------------------------------------------------------------- answering


def answer(
    target: Target,
    job: JobId,
    step: Annotated[str | None, typer.Argument(metavar="STEP", help="Id or name, when several steps ask.")] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE",
            help="The answer, instead of being asked: a question's number or name; yes or no; a geometry as JSON, "
            "@FILE or failed; PROPERTY=VALUE (may be repeated); a user or group.",
        ),
    ] = None,
    comment: Annotated[str | None, typer.Option(metavar="TEXT", help="A comment to go with it.")] = None,
) -> None:
    """Answer the open question of a job, and wait until the answer is applied."""

    async def look(client: Client) -> tuple[StepInfoRequired, Names]:
        names = await step_names(client, job)
        return _choose(await client.job_state(job), await step_id_of(client, job, step), names), names

    question, names = target.do(look)
    if not value:
        show_question(question, names)
    given = answer_of(question, value or [], comment)

    async def send(client: Client) -> None:
        name = names.get(question.step_id, question.step_id)
        try:
            async for verdict in client.answer_stages(job, question.step_id, given, prompt_id=question.prompt_id):
                text = "stored" if not verdict.is_final else "applied"
                print(f"{name}: the answer is {text}.", flush=True)
        except AnswerRejected as error:
            raise refused(f"{name}: the answer was rejected ({error.reason}). {error.message}") from error

    target.do(send)


def _choose(state: JobState, step_ids: tuple[str, ...], names: Names) -> StepInfoRequired:
    """The question to answer: of the step named, or the only one that is open to this user."""
    questions = [question for question in open_questions(state) if not step_ids or question.step_id in step_ids]
    mine = [question for question in questions if question.allowed_actions]
    if len(mine) == 1:
        return mine[0]
    if mine:
        listed = ", ".join(names.get(question.step_id, question.step_id) for question in mine)
        raise refused(f"Several steps wait for an answer; name one of them: {listed}.")
    if questions:
        waits = [step for step in state.step_states if step.step_id == questions[0].step_id]
        who = assignee(waits[0].assigned_type, waits[0].assigned_to)
        raise refused(f"The question is open, and waits for {who}, not for you.")
    current = ", ".join(step.step_name for step in state.step_states) or "none"
    raise refused(f"No step waits for an answer. Current steps: {current}. Has the step been run?")


def _summary(job: Job) -> str:
    state = "closed" if job.closed else "open"
    head = f"{job.job_name} ({job.job_id})"
    return f"{head}\n{job.job_status}, {job.percent_complete:g} %, {state}; {job.job_template_name}, for {job.owned_by}"


def _step_state(step: CurrentStep, state: JobState, question: StepInfoRequired | None) -> str:
    """Say what a step does or waits for: its holds, its question, or its last message."""
    holds = ["on hold"] if step.is_held else []
    if step.hold_scheduled_release is not None:
        holds = [f"on hold until {local(step.hold_scheduled_release)}"]
    if step.dependencies:
        holds.append("waits for another job")
    if step.webhook_dependency:
        holds.append("waits for a feature")
    if question is not None:
        return "; ".join([*holds, f"asks: {question.question or question.prompt or question.user_prompt or ''}"])
    details = next((known.details for known in state.step_states if known.step_id == step.step_id), None)
    last = "" if details is None or holds else details.msg_type.removeprefix("Step").lower()
    return "; ".join([*holds, last]) if last else "; ".join(holds) or "ready"
