"""Holds that wait for features: set by people, looked at after the commit and at events, ended as somebody, once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest

from app.auth.sealing import Sealer
from app.domain.commands import ManageType, ReleaseHold, Run, SetHold
from app.domain.job import WebhookDependency
from app.errors import InvalidValue, RuleViolation
from app.services import jobs, webhook_connections
from app.services.engine import Unit, new_id
from app.services.ports import WebhookConnection
from app.services.webhook_holds import release
from app.services.webhook_looks import look_at_all
from app.steps import dispatcher
from app.steps.feature_services import RestFeatureServices
from app.steps.http import HttpClient
from app.steps.limits import FairLimit
from app.steps.webhook_look import WebhookLooker
from app.store.tx import SqlTx
from tests.steps.counterparts import answer, counterpart
from tests.steps.dispatching import TRIES, errors, until_all_sent, until_told
from tests.steps.feature_server import FeatureServer
from tests.steps.service_steps import http_client
from tests.support.world import World, open_world, step

pytestmark = pytest.mark.anyio

VAULT = Sealer("a master key of some length")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the module, and so one world: each test has connections and jobs of its own."""
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[FeatureServer]:
    async with counterpart() as started:
        yield FeatureServer(started)


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[HttpClient]:
    async with http_client() as client:
        yield client


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, http: HttpClient) -> AsyncIterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatcher, "PAUSES_S", (0.02, 0.02))
        looker = looker_with(http)
        settings: dict[str, object] = {"data_dir": tmp_path_factory.mktemp("world")}
        async with open_world(settings, vault=VAULT, senders=lambda _: [looker]) as opened:
            yield opened


def looker_with(http: HttpClient) -> WebhookLooker:
    return WebhookLooker(RestFeatureServices(http, FairLimit("host", 10)))


async def connection_to(world: World, server: FeatureServer, **members: Any) -> str:
    """A connection, and those it names have opted in."""
    connection_id = new_id()
    made = WebhookConnection(connection_id, "Parcels", server.url, True, VAULT.seal(b"s3cret"), **members)

    def put(unit: Unit) -> None:
        unit.tx.put_webhook_connection(unit.item, made)
        for name in made.run_as:
            unit.tx.put_webhook_token(unit.item, name, VAULT.seal(b"t"))

    await world.execute(put)
    return connection_id


def waits(connection_id: str, object_id: int = 1, condition: str = "state = 3") -> SetHold:
    return SetHold(("one",), webhook=WebhookDependency(connection_id, condition, 0, object_id))


async def held(world: World, *actions: SetHold) -> str:
    """A job whose automatic step is held; the holds have been looked at once."""
    template = await world.template([step("zero", "Manual", "one", args={}), step("one", automatic=True)])
    job_id = await world.create(template)
    for action in actions:
        decision = await world.act(job_id, replace(action, step_ids=("one",)))
        assert decision.success
    await until_all_sent(world)
    await world.act(job_id, Run(("zero",)))
    return job_id


async def event(world: World, connection_id: str) -> None:
    await world.execute(lambda unit: look_at_all(unit, connection_id), None)


async def released(world: World, job_id: str) -> list[str]:
    """By whom holds of a job were released."""
    return [line.username for line in await world.history(job_id) if line.action == "HoldReleased"]


def names_of(world: World, job_id: str) -> list[str]:
    return [name for name in world.ear.types(job_id) if name in {"StepHoldReleased", "StepHoldsUpdated"}]


async def test_an_event_ends_the_holds_whose_features_are_what_they_wait_for(
    world: World, server: FeatureServer
) -> None:
    """One question for all that wait for the same; what they are waited for by is known from the holds alone."""
    server.states = {1: 2, 2: 2}
    connection_id = await connection_to(world, server)
    first, second = await held(world, waits(connection_id)), await held(world, waits(connection_id, 2))
    await event(world, connection_id)
    await until_all_sent(world)
    assert (await released(world, first), await released(world, second)) == ([], [])
    server.questions.clear()
    server.states[1] = 3
    await event(world, connection_id)
    await world.ear.until(lambda: "StepStarted" in world.ear.types(first)[-3:])
    await until_all_sent(world)
    assert [question["objectIds"] for question in server.questions] == ["1,2"]
    assert (await released(world, first), await released(world, second)) == (["system"], [])
    assert world.ear.types(first)[-3:] == ["StepHoldReleased", "StepStarted", "StepInfoRequired"]
    assert (await world.job(first)).flow.holds == ()


async def test_a_hold_for_what_is_so_already_ends_at_once(world: World, server: FeatureServer) -> None:
    server.states = {1: 3}
    job_id = await held(world, waits(await connection_to(world, server)))
    assert await released(world, job_id) == ["system"]
    assert names_of(world, job_id) == ["StepHoldsUpdated", "StepHoldsUpdated"], "set, and released, on a step to come"


async def test_however_often_an_event_comes_a_hold_is_released_once(world: World, server: FeatureServer) -> None:
    """Several looks find the same at once, on any nodes: the job's lock lets one of them end the hold."""
    connection_id = await connection_to(world, server)
    job_id = await held(world, waits(connection_id))
    (hold,) = (await world.job(job_id)).flow.holds
    end = partial(release, connection_id=connection_id, job_id=job_id, hold_id=hold.hold_id)
    ended = await asyncio.gather(*(world.execute(end, None) for _ in range(5)))
    assert sorted(ended) == [False, False, False, False, True]
    assert (await released(world, job_id), names_of(world, job_id)) == (
        ["system"],
        ["StepHoldsUpdated", "StepHoldReleased"],
    )
    assert not await world.execute(partial(release, connection_id="x", job_id="none", hold_id="h"), None)


async def test_one_look_that_has_not_begun_does_for_any_number_of_events(world: World, server: FeatureServer) -> None:
    connection_id = await connection_to(world, server)

    def hear(unit: Unit) -> int:
        for _ in range(50):
            look_at_all(unit, connection_id)
        return len(cast(SqlTx, unit.tx).sql.all(TRIES))

    assert await world.execute(hear) == 1
    await until_all_sent(world)
    assert server.questions == [], "nothing waits, so nobody is asked"


async def test_a_hold_is_released_as_the_user_named_or_as_the_other_one(world: World, server: FeatureServer) -> None:
    """Judged at the moment of the release."""
    server.states = {1: 3}
    for name, role in (("wanda", "View Jobs"), ("hector", "Manage Jobs - Basic")):
        await world.add_user(name, role=role)
    by = [
        await connection_to(world, server, username=first, fallback_username=second)
        for first, second in (("hector", None), ("wanda", "hector"), ("gone", "hector"))
        if first != "gone"
    ]
    found = [await released(world, await held(world, waits(connection_id))) for connection_id in by]
    assert found == [["hector"], ["hector"]]
    nobody = await held(world, waits(await connection_to(world, server, username="wanda")))
    assert await released(world, nobody) == []
    (line,) = await errors(world, nobody)
    assert "'wanda' may not release holds" in line
    assert (await world.act(nobody, ReleaseHold(("one",), webhook_connection_id="none"))).success is False


async def test_a_condition_that_the_service_refuses_is_told_and_keeps_no_other_waiting(
    world: World, server: FeatureServer
) -> None:
    server.states = {1: 2}
    connection_id = await connection_to(world, server)
    odd, fine = await held(world, waits(connection_id, condition="nonsense")), await held(world, waits(connection_id))
    (line,) = await errors(world, odd)
    assert "Cannot perform query" in line
    server.states[1] = 3
    await event(world, connection_id)
    await until_all_sent(world)
    assert (await released(world, odd), await released(world, fine)) == ([], ["system"])
    assert len(await errors(world, odd)) == 1, "events do not say it again"


async def test_a_service_that_is_away_is_asked_again_and_given_up_in_the_end(
    world: World, server: FeatureServer
) -> None:
    server.states, server.broken = {1: 3}, answer(503)
    job_id = await held(world, waits(await connection_to(world, server)))
    assert await released(world, job_id) == []
    await until_told(world, job_id)
    (line,) = await errors(world, job_id)
    assert "gave up looking whether a feature meets the condition of a hold, after 3 tries" in line
    assert len(server.site.requests) == 3


async def test_a_connection_that_is_disabled_ends_nothing_and_takes_no_hold(
    world: World, server: FeatureServer
) -> None:
    connection_id = await connection_to(world, server)
    job_id = await held(world, waits(connection_id))
    server.states = {1: 3}

    def disable(unit: Unit) -> None:
        known = webhook_connections.find(unit, connection_id)
        unit.tx.put_webhook_connection(unit.item, replace(known, enabled=False))

    await world.execute(disable)
    await event(world, connection_id)
    await until_all_sent(world)
    (hold,) = (await world.job(job_id)).flow.holds
    assert not await world.execute(
        partial(release, connection_id=connection_id, job_id=job_id, hold_id=hold.hold_id), None
    )
    with pytest.raises(InvalidValue, match="is disabled"):
        await world.act(job_id, waits(connection_id))


async def test_a_connection_goes_when_no_open_job_waits_for_it(world: World, server: FeatureServer) -> None:
    """A hold of a closed job stays on record, and can be released by hand when the job is opened again."""
    connection_id = await connection_to(world, server)
    job_id = await held(world, waits(connection_id))
    with pytest.raises(RuleViolation, match=f"one is on job '{job_id}'"):
        await world.execute(lambda unit: webhook_connections.delete(unit, connection_id))
    await world.execute(lambda unit: jobs.manage(unit, ManageType.CLOSE, [job_id]))
    await world.execute(lambda unit: webhook_connections.delete(unit, connection_id))
    await event(world, connection_id)
    await world.execute(lambda unit: jobs.manage(unit, ManageType.REOPEN, [job_id]))
    assert (await world.act(job_id, ReleaseHold((), webhook_connection_id=connection_id))).success
    assert await released(world, job_id) == ["admin"]


async def test_holding_and_deleting_at_once_leaves_no_hold_without_its_connection(
    world: World, server: FeatureServer
) -> None:
    for _ in range(4):
        connection_id = await connection_to(world, server)
        job_id = await held(world)
        await asyncio.gather(
            world.act(job_id, waits(connection_id)),
            world.execute(lambda unit, name=connection_id: webhook_connections.delete(unit, name)),  # type: ignore[misc]
            return_exceptions=True,
        )
        known = await world.query(lambda unit, name=connection_id: unit.tx.webhook_connection(unit.item, name))  # type: ignore[misc]
        assert bool((await world.job(job_id)).flow.holds) == bool(known)
