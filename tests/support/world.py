"""A gateway without its edges: store, engine and runner on a real database, and a subscriber that hears it all."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from app.bus.memory import Exchange, MemoryBus
from app.domain.access import ADMIN_ROLE
from app.domain.commands import Action
from app.domain.job import Answer, AssignedType, Assignment, Job
from app.domain.outcomes import Decision
from app.errors import StoreUnavailable
from app.hub.payload import decode_payload
from app.hub.post import NodePost
from app.protocol.diagrams import parse_diagram
from app.services import answers, jobs
from app.services.engine import NO_VAULT, Caller, Engine, Unit, new_id
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID, FirstPeople, first_start
from app.services.ports import (
    AnswerRecord,
    DiagramRecord,
    DispatchSender,
    Errand,
    FeedMessage,
    Group,
    HistoryEntry,
    JobRecord,
    JobTemplate,
    StepExecutor,
    Store,
    TaskEnded,
    Tx,
    Vault,
)
from app.steps.runner import Runner
from app.store.migrate import migrate
from app.store.postgres import PostgresStore
from app.store.sqlite import SqliteStore
from tests.support.deadlines import deadline

T = TypeVar("T")


@dataclass
class Ear:
    """A publisher that keeps what it is given, and wakes whoever waits for it."""

    messages: list[FeedMessage] = field(default_factory=list)
    verdicts: list[AnswerRecord] = field(default_factory=list)
    tasks_ended: list[TaskEnded] = field(default_factory=list)
    access_changes: int = 0
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, messages: Sequence[FeedMessage]) -> None:
        self.messages += messages
        self._heard.set()

    def verdict(self, answer: AnswerRecord) -> None:
        self.verdicts.append(answer)
        self._heard.set()

    def task_ended(self, ended: TaskEnded) -> None:
        self.tasks_ended.append(ended)
        self._heard.set()

    def access_changed(self) -> None:
        self.access_changes += 1

    def types(self, job_id: str) -> list[str]:
        """The types of a job's messages so far, in order."""
        return [message.msg_type for message in self.messages if message.job_id == job_id]

    def bodies(self, job_id: str, msg_type: str) -> list[dict[str, Any]]:
        """The bodies of a job's messages of one type so far."""
        found = [message for message in self.messages if (message.job_id, message.msg_type) == (job_id, msg_type)]
        return [json.loads(message.body)["message"] for message in found]

    async def until(self, condition: Callable[[], T], seconds: float = 1) -> T:
        """Wait until ``condition()`` is truthy, looking again whenever something was heard."""
        async with asyncio.timeout(deadline(seconds)):
            while not (result := condition()):
                self._heard.clear()
                await self._heard.wait()
        return result


class Cable:
    """A store behind a cable that can be pulled: then every call fails, as with a database that is away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._refused = asyncio.Event()
        self.is_plugged = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def unplug(self) -> None:
        self.is_plugged = False
        self._refused.clear()

    def plug(self) -> None:
        self.is_plugged = True

    async def refused(self, seconds: float = 1) -> None:
        """Wait until somebody has asked in vain since the cable was pulled."""
        await asyncio.wait_for(self._refused.wait(), deadline(seconds))

    async def run(self, use_case: Callable[[Tx], T], **options: Any) -> T:
        self._check()
        return await self._store.run(use_case, **options)

    async def read(self, query: Callable[[Tx], T]) -> T:
        self._check()
        return await self._store.read(query)

    def _check(self) -> None:
        if not self.is_plugged:
            self._refused.set()
            raise StoreUnavailable("the cable is pulled")


class World:
    """A database with the contents of a first start, and everything behind the edges running on it.

    Worlds on one database are nodes of one installation; those with one ``exchange`` hear each other's errands.
    """

    def __init__(
        self,
        store: Store,
        executors: Sequence[StepExecutor],
        senders: Sequence[DispatchSender],
        *,
        lease_s: float,
        close_s: float,
        vault: Vault,
        exchange: Exchange | None,
        per_template: int,
    ) -> None:
        self.cable = Cable(store)
        self.store: Store = cast("Store", self.cable)
        self.ear = Ear()
        self.bus = MemoryBus(exchange)
        self.post = NodePost(self.bus)
        self.runner = Runner(
            self.store,
            self.post,
            executors,
            senders,
            lease_s=lease_s,
            renew_s=lease_s / 4,
            close_s=close_s,
            per_template=per_template,
        )
        self.engine = Engine(self.store, self.ear, self.runner, vault)
        self.runner.attach(self.engine)

    async def open(self) -> None:
        await self.bus.open(self._from_bus)
        await self.runner.open()

    async def close(self) -> None:
        await self.runner.close()
        await self.bus.close()

    def _from_bus(self, _: str, payload: bytes) -> None:
        content = decode_payload(payload)
        if isinstance(content, Errand):
            self.post.arrived(content)

    async def crash(self) -> None:
        """End as a killed process does: nothing is written or sent from now on, and the lease is not given up."""
        self.cable.unplug()
        await self.bus.close()
        await self.runner.close()

    async def execute(self, use_case: Callable[[Unit], T], username: str | None = ADMIN) -> T:
        return await self.engine.execute(Caller(ORG_ID, ITEM_ID, username), use_case)

    async def query(self, query: Callable[[Unit], T], username: str | None = ADMIN) -> T:
        return await self.engine.query(Caller(ORG_ID, ITEM_ID, username), query)

    async def act(self, job_id: str, action: Action, username: str = ADMIN) -> Decision:
        return await self.execute(lambda unit: jobs.act(unit, job_id, action), username)

    async def answer(self, job_id: str, step_id: str, answer: Answer, username: str = ADMIN) -> answers.AnswerReceipt:
        """Store an answer; it is applied soon after, which the ear hears."""
        return await self.execute(
            lambda unit: answers.store(unit, job_id=job_id, step_id=step_id, answer=answer), username
        )

    async def job(self, job_id: str) -> Job:
        record = await self.query(lambda unit: unit.tx.job(unit.item, job_id))
        assert record is not None, f"there is no job {job_id}"
        return record.job

    async def create(self, template_id: str, username: str = ADMIN, **overrides: Any) -> str:
        """Create one job and return its id."""
        made = await self.execute(lambda unit: jobs.create(unit, template_id, jobs.JobOverrides(**overrides)), username)
        return made.job_ids[0]

    async def add_user(self, username: str, *, role: str | None = ADMIN_ROLE) -> str:
        """Add a user in a group of their own, linked to ``role``; returns the group's id."""
        group_id = new_id()

        def add(unit: Unit) -> None:
            unit.tx.add_user(username, None)
            unit.tx.add_group(Group(group_id, f"{username}'s"))
            unit.tx.set_member(username, group_id, True)
            if role is not None:
                unit.tx.link_role(unit.item, group_id, role, True)
            unit.tx.bump_access(unit.item)

        await self.execute(add)
        return group_id

    async def join(self, username: str, group_id: str) -> None:
        """Make a user a member of one more group."""

        def add(unit: Unit) -> None:
            unit.tx.set_member(username, group_id, True)
            unit.tx.bump_access(unit.item)

        await self.execute(add)

    async def feed(self, job_id: str) -> list[FeedMessage]:
        return await self.query(lambda unit: unit.tx.feed(unit.item, job_id, 0))

    async def record(self, job_id: str) -> JobRecord | None:
        return await self.query(lambda unit: unit.tx.job(unit.item, job_id))

    async def history(self, job_id: str) -> list[HistoryEntry]:
        record = await self.query(lambda unit: unit.tx.job(unit.item, job_id))
        assert record is not None, f"there is no job {job_id}"
        return await self.query(lambda unit: unit.tx.history(record))

    async def template(self, steps: Sequence[dict[str, Any]], **members: Any) -> str:
        """Store an active diagram of these wire steps and an active template for it; returns the template's id.

        ``members`` are the template's own (rest.md 14.2), in place of the defaults here.
        """
        diagram_id, template_id = new_id(), new_id()
        body = {"diagramName": f"Diagram {diagram_id}", "steps": list(steps), "active": True, "displayGrid": True}
        defaults = {
            "jobTemplateId": template_id,
            "jobTemplateName": f"Template {template_id}",
            "diagramId": diagram_id,
            "diagramName": body["diagramName"],
            "state": "Active",
            "defaultPriorityName": "Low",
            "defaultAssignedType": "User",
            "defaultAssignedTo": ADMIN,
            **members,
        }

        taken = (str(defaults["state"]), str(defaults["diagramId"]))

        def put(unit: Unit) -> None:
            raw = json.dumps(body).encode()
            diagram = parse_diagram(raw, diagram_id=diagram_id, version=1)
            unit.tx.put_diagram(unit.item, DiagramRecord(diagram, raw, None, unit.now_ms, ADMIN))
            document = json.dumps(defaults).encode()
            name = str(defaults["jobTemplateName"])
            unit.tx.put_template(
                unit.item,
                JobTemplate(template_id, name, *taken, None, None, document, ADMIN, unit.now_ms),
            )

        await self.execute(put)
        return template_id


def step(step_id: str, kind: str = "Manual", *nexts: str, **members: Any) -> dict[str, Any]:
    """A step as a diagram's author writes it, with an unconditional path to each of ``nexts``.

    ``args`` may be given; a manual step asks for a confirmation unless it says otherwise.
    """
    args = members.pop("args", {"userPrompt": "Do it"} if kind == "Manual" else {})
    paths = members.pop("paths", [{"nextStep": target, "assignedType": "Unassigned"} for target in nexts])
    return {
        "id": step_id,
        "name": members.pop("name", step_id.upper()),
        "automatic": False,
        "proceedNext": True,
        "canSkip": False,
        "action": {"actionType": kind, "args": args},
        "paths": paths,
        **members,
    }


def user(name: str) -> Assignment:
    """An assignment to a user."""
    return Assignment(AssignedType.USER, name)


@asynccontextmanager
async def open_world(
    settings: dict[str, object],
    executors: Sequence[StepExecutor] | Callable[[Store], Sequence[StepExecutor]] = (),
    *,
    lease_s: float = 2,
    close_s: float = 5,
    vault: Vault = NO_VAULT,
    exchange: Exchange | None = None,
    per_template: int = 50,
    senders: Callable[[Store], Sequence[DispatchSender]] = lambda _: (),
) -> AsyncIterator[World]:
    """Open a world on the database that ``backend_settings`` names; a database with contents is taken as it is."""
    store = await open_store(settings)
    try:
        await store.run(_fill)
        world = World(
            store,
            executors(store) if callable(executors) else executors,
            senders(store),
            lease_s=lease_s,
            close_s=close_s,
            vault=vault,
            exchange=exchange,
            per_template=per_template,
        )
        await world.open()
        try:
            yield world
        finally:
            await world.close()
    finally:
        await store.close()


async def open_store(settings: dict[str, object]) -> Store:
    """Migrate and open the store that ``backend_settings`` names."""
    url = settings.get("database_url")
    if url is not None:
        await migrate(str(url))
        store: Store = PostgresStore(str(url), parse_diagram)
    else:
        file = _sqlite_file(settings)
        await migrate(f"sqlite:///{file}")
        store = SqliteStore(file, parse_diagram)
    await store.open()
    return store


def _sqlite_file(settings: dict[str, object]) -> Path:
    folder = Path(str(settings["data_dir"]))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "stepgate.db"


def _fill(tx: Tx) -> None:
    first_start(tx, FirstPeople("no password", new_id(), new_id(), b"k" * 32))
