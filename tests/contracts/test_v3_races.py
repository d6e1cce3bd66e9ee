"""The v3 dialects' use cases that meet each other, on both databases: one of two wins, and the other is told so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar

import pytest

from app.domain.job import Answer, Document
from app.domain.phases import Phase, phase_of
from app.errors import Conflict, GatewayError
from app.protocol.v3.ids import NumberId
from app.protocol.v3.print_jobs import JobPatch, ProcessBody
from app.protocol.v3.script import ScriptInput
from app.services import answers
from app.services.engine import Unit
from app.services.first_start import ADMIN
from app.services.v3 import print_jobs, printing, scripts
from tests.conftest import Settings
from tests.support.world import World, open_world

pytestmark = pytest.mark.anyio

T = TypeVar("T")
ROUNDS = 8
NO_SCOPES: frozenset[str] = frozenset()
PULL, ASKING = "Follow me", "Ask me first"


@pytest.fixture
async def world(backend_settings: Settings) -> AsyncIterator[World]:
    async with open_world(backend_settings) as opened:
        yield opened


async def spool(world: World, queue: str, uuid: str) -> int:
    register = partial(printing.register, queue=queue, name="n", document=Document(uuid, ADMIN, "c"), scopes=NO_SCOPES)
    return await world.execute(register)


async def phase(world: World, number: int) -> Phase:
    def find(unit: Unit) -> Phase:
        record = unit.tx.job_by_number(unit.item, number)
        assert record is not None
        return phase_of(record.job)

    return await world.execute(find)


async def key_of(world: World, number: int) -> tuple[str, str]:
    """The key of the open question, and the id of the job."""

    def find(unit: Unit) -> tuple[str, str]:
        record = unit.tx.job_by_number(unit.item, number)
        interaction = print_jobs.job(unit, NumberId(number)).interaction
        assert interaction is not None
        assert record is not None
        return interaction.key, record.job.job_id

    return await world.execute(find)


async def race(world: World, *use_cases: Callable[[Unit], Any]) -> list[BaseException | None]:
    """What became of each: None, or its error."""
    results = await asyncio.gather(*(world.execute(each) for each in use_cases), return_exceptions=True)
    return [result if isinstance(result, BaseException) else None for result in results]


def answering(number: int, key: str, option: str) -> Callable[[Unit], Any]:
    return partial(scripts.answer, wanted=NumberId(number), given=ScriptInput(key, {option: True}, has_state=False))


def cancelling(number: int) -> Callable[[Unit], Any]:
    return partial(printing.cancel, wanted=NumberId(number))


def processing(number: int) -> Callable[[Unit], Any]:
    return partial(printing.process, body=ProcessBody([number]), scopes=NO_SCOPES)


async def test_of_two_answers_at_once_one_wins(world: World) -> None:
    for round_ in range(ROUNDS):
        number = await spool(world, ASKING, f"a{round_}")
        key, _ = await key_of(world, number)
        errors = await race(world, answering(number, key, "duplex"), answering(number, key, "simplex"))
        assert sorted(type(error).__name__ for error in errors) == ["Conflict", "NoneType"]


async def test_of_an_answer_through_each_door_one_wins(world: World) -> None:
    for round_ in range(ROUNDS):
        number = await spool(world, ASKING, f"d{round_}")
        key, job_id = await key_of(world, number)
        store = partial(answers.store, job_id=job_id, step_id="review", answer=Answer(question_response=1))
        script = asyncio.ensure_future(world.execute(answering(number, key, "simplex")))
        by_socket = await world.execute(store)
        results = list[Any](await asyncio.gather(script, return_exceptions=True))
        lost_script, lost_socket = isinstance(results[0], Conflict), by_socket.stage == answers.REJECTED
        assert lost_script is not lost_socket
        assert not lost_socket or by_socket.reason == "already_answered"


async def test_of_processing_and_cancelling_at_once_one_wins(world: World) -> None:
    for round_ in range(ROUNDS):
        number = await spool(world, PULL, f"p{round_}")
        processed, cancelled = await race(world, processing(number), cancelling(number))
        assert isinstance(processed, Conflict) is not isinstance(cancelled, Conflict)
        expected = Phase.CANCELLED if cancelled is None else Phase.SUCCEEDED
        assert await phase(world, number) is expected


async def test_an_answer_and_a_cancelling_never_lose_what_was_acknowledged(world: World) -> None:
    """The race: the answer is stored and waits to be applied while the job is cancelled."""
    for round_ in range(ROUNDS):
        number = await spool(world, ASKING, f"c{round_}")
        key, job_id = await key_of(world, number)
        answered, cancelled = await race(world, answering(number, key, "duplex"), cancelling(number))
        if answered is None and cancelled is None:  # the answer was applied in between
            assert await phase(world, number) is Phase.CANCELLED
        elif cancelled is None:
            assert isinstance(answered, Conflict)
            assert await phase(world, number) is Phase.CANCELLED
        else:
            assert isinstance(cancelled, Conflict)
            assert answered is None
            await world.ear.until(lambda job_id=job_id: "StepFinished" in world.ear.types(job_id)[-3:], 2)  # type: ignore[misc]
            assert await phase(world, number) is Phase.READY


async def test_the_same_document_at_once_is_one_job(world: World) -> None:
    for round_ in range(ROUNDS):
        numbers = await asyncio.gather(*(spool(world, PULL, f"s{round_}") for _ in range(3)))
        assert len(set(numbers)) == 1


async def test_patches_and_processing_in_opposite_orders_do_not_stand_in_each_others_way(world: World) -> None:
    """Jobs are locked in ascending order whatever the request says; a deadlock is tried again, not told."""
    for round_ in range(ROUNDS):
        one, two = [await spool(world, PULL, f"{name}{round_}") for name in ("x", "y")]
        patches = [(number, JobPatch(favorite=True)) for number in (two, one)]
        change = partial(print_jobs.change_many, patches=patches, scopes=NO_SCOPES)
        process = partial(printing.process, body=ProcessBody([two, one]), scopes=NO_SCOPES)
        errors = await race(world, change, process)
        assert not [error for error in errors if isinstance(error, GatewayError)]
        assert [await phase(world, number) for number in (one, two)] == [Phase.SUCCEEDED] * 2
