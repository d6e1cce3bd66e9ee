"""What the terminal client's commands share: which server, who asks, and how refusals are told.

A command is a plain function with a ``target``; ``with_target`` gives it the four options that name server and user.
"""

import asyncio
import inspect
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

from app.cli.options import DEFAULT_ITEM, DEFAULT_URL, DatabaseUrl, DataDir, ItemId, settings_of
from app.cli.token import make_token
from app.errors import GatewayError
from app.settings import Settings
from stepgate_client import ActionRefused, Client, StepgateError
from stepgate_client.models import Diagram, Lift, StepResponse

T = TypeVar("T")

LOCAL_USER = "admin"
HOLD_PRIVILEGE = "jobUpdateHolds"

COMMANDS: dict[str | None, str] = {
    "Run": "stepgate run",
    "Finish": "stepgate finish",
    "Stop": "stepgate stop",
    "StepInformation": "stepgate answer",
}
"""Which command does an action that a refusal names."""

_ID_LIKE_AN_OPTION = re.compile(r"-[A-Za-z0-9_-]{21}")

JobId = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]
Url = Annotated[str, typer.Option(envvar="STEPGATE_URL", help="Root of the server.")]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="STEPGATE_TOKEN",
        help="Bearer token; without one, a token of the user admin is made from the local server's database.",
        show_default=False,
    ),
]


class IdCommand(TyperCommand):
    """A command that takes ids as arguments, also those that begin with a hyphen, as one id in 64 does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what looks like an id and names no option as an argument; all else is parsed as usual."""
        ctx.ignore_unknown_options = any(_ID_LIKE_AN_OPTION.fullmatch(argument) for argument in args)
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


@dataclass
class LocalToken:
    """Tokens of the local server's admin, made from its database and made anew when half of their time is over."""

    settings: Settings
    _token: str = ""
    _made_s: float = field(default=0.0)

    def make(self) -> str:
        """Make one now. Opens the database; call it outside an event loop."""
        self._token, self._made_s = make_token(self.settings, LOCAL_USER), time.monotonic()
        return self._token

    async def get(self) -> str:
        """Give a valid token."""
        if time.monotonic() - self._made_s > self.settings.token_ttl_s / 2:
            await asyncio.to_thread(self.make)
        return self._token


@dataclass(frozen=True)
class Target:
    """The server and item that a command speaks to, and its token or where tokens come from."""

    url: str
    item_id: str
    token: str | None
    local: LocalToken | None = None

    def client(self) -> Client:
        """Make a client; the caller closes it."""
        if self.local is not None:
            return Client(self.url, get_token=self.local.get, item_id=self.item_id, retries=0)
        return Client(self.url, token=self.token, item_id=self.item_id, retries=0)

    def do(self, job: Callable[[Client], Awaitable[T]]) -> T:
        """Run a coroutine with a client, and tell refusals on standard error. Raises typer.Exit(1) after a refusal."""

        async def work() -> T:
            async with self.client() as client:
                return await job(client)

        try:
            return asyncio.run(work())
        except StepgateError as error:
            raise refused(str(error)) from error
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error


def with_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options ``--url``, ``--token``, ``--item``, ``--data-dir``, ``--database-url`` and hand it the
    ``Target`` they mean as its first argument. What the command has under one of these names takes its place."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in shared} | {name: arguments[name] for name in replaced}
        command(_target(**given), **arguments)

    own = list(inspect.signature(command).parameters.values())[1:]
    shared = dict(inspect.signature(_target).parameters)
    replaced = [parameter.name for parameter in own if shared.pop(parameter.name, None) is not None]
    signature = inspect.Signature([*own, *shared.values()], return_annotation=None)
    run.__signature__ = signature  # type: ignore[attr-defined] # what typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    return run


def _target(
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    item: ItemId = DEFAULT_ITEM,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> Target:
    if token:
        return Target(url, item, token)
    local = LocalToken(settings_of(data_dir=data_dir, database_url=database_url))
    try:
        local.make()
    except GatewayError as error:
        raise refused(
            f"{error.message} Run this where the server was started, name its --data-dir, "
            "or give a token (--token, STEPGATE_TOKEN)."
        ) from error
    return Target(url, item, None, local)


def refused(message: str) -> typer.Exit:
    """Write why not on standard error; returns the exception that ends the command with status 1."""
    print(f"stepgate: {message}", file=sys.stderr)
    return typer.Exit(1)


async def step_id_of(client: Client, job_id: str, step: str | None) -> tuple[str, ...]:
    """Turn a step's id or name into what the actions take; None into nothing. Raises typer.Exit for an unknown one."""
    if step is None:
        return ()
    diagram = await client.diagram(job_id)
    found = diagram.step(step)
    if found is None:
        several = [known.id for known in diagram.steps if known.name.casefold() == step.casefold()]
        names = ", ".join(known.name for known in diagram.steps)
        hint = f"several steps have it; use the id: {', '.join(several)}" if several else f"its steps are: {names}"
        raise refused(f"The job's diagram has no single step {step!r}: {hint}.")
    return (found.id,)


async def tell_refusal(client: Client, job_id: str, error: ActionRefused) -> typer.Exit:
    """Write each refused step with every reason against it, and who or what could lift it."""
    names = await step_names(client, job_id)
    for response in error.step_responses:
        if not response.is_success:
            print(_sentence(response, names), file=sys.stderr)
    return typer.Exit(1)


async def step_names(client: Client, job_id: str) -> dict[str, str]:
    """Names of the diagram's steps by id; empty when the diagram cannot be read, as names are only for reading."""
    try:
        diagram: Diagram = await client.diagram(job_id)
    except StepgateError as error:
        if error.temporary:
            raise
        return {}
    return {step.id: step.name for step in diagram.steps}


def _sentence(response: StepResponse, names: dict[str, str]) -> str:
    """Say what refuses it; each reason has a line of its own where it says more than the first line has said."""
    name = names.get(response.step_id, response.step_id)
    head = f"{name}: {response.status_description}" if name else response.status_description
    lines = [f"{head} ({response.status})"]
    for reason in response.reasons:
        said = "" if reason.description == response.status_description else reason.description
        lifts = " or ".join(lift_text(lift, names) for lift in reason.lifted_by)
        told = " ".join(part for part in (said, f"What could lift it: {lifts}." if lifts else "") if part)
        lines += [f"  - {told}"] if told else []
    return os.linesep.join(lines)


def lift_text(lift: Lift, names: dict[str, str]) -> str:
    """Say who or what could lift a refusal."""
    step = f" on {names.get(lift.step_id, lift.step_id)}" if lift.step_id else ""
    match lift.kind:
        case "privilege":
            by = f"somebody with the privilege {lift.name}"
            return f"stepgate release, by {by}" if lift.name == HOLD_PRIVILEGE else by
        case "action":
            return f"{COMMANDS.get(lift.name, lift.name)}{step}"
        case "job":
            return f"job {lift.job_id}" + (f", step {lift.step_id}" if lift.step_id else "") + ", when it is done"
        case "time":
            return f"time, at {lift.at:%Y-%m-%d %H:%M:%S} UTC" if lift.at else "time"
        case "diagram":
            return "a change of the diagram"
    kind = "webhook connection" if lift.kind == "feature" else lift.kind
    return f"the {kind} {lift.name}"
