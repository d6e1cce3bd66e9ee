"""Geoprocessing steps: submitted once, watched until their end, cancelled by a stop, and taken over where they are."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.auth.sealing import Sealer
from app.domain.commands import RefreshStatus, Run, Stop
from app.steps.geoprocessing import Geoprocessing
from app.steps.http import HttpClient
from app.steps.limits import FairLimit
from tests.conftest import Settings
from tests.steps.counterparts import Handler, answer, counterpart, hang_up, json_answer
from tests.steps.gp_server import TASK, ServiceJobs
from tests.steps.service_steps import at, ended, http_client, is_finished, job_with, keep_secret, told_codes
from tests.support import eventually
from tests.support.world import World, open_world

pytestmark = pytest.mark.anyio

VAULT = Sealer("a master key of some length")


@pytest.fixture
async def service() -> AsyncIterator[ServiceJobs]:
    async with counterpart() as site:
        yield ServiceJobs(site)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the module, and so one world: each test has its own jobs and its own service."""
    return "asyncio"


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[HttpClient]:
    async with http_client() as client:
        yield client


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """SQLite: what these steps do is the same on both databases."""
    return {"data_dir": tmp_path / "data"}


def executor(http: HttpClient, first_pause_s: float = 0.02) -> Geoprocessing:
    return Geoprocessing(http, FairLimit("host", 20), first_pause_s=first_pause_s)


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, http: HttpClient) -> AsyncIterator[World]:
    async with open_world({"data_dir": tmp_path_factory.mktemp("world")}, [executor(http)], vault=VAULT) as opened:
        yield opened


async def started(world: World, service: ServiceJobs, **args: Any) -> str:
    """A job whose task has been submitted."""
    job_id = await job_with(world, "ExecuteGP", {"url": service.url, **args})
    await world.act(job_id, Run())
    return job_id


async def test_a_task_gets_its_parameters_tells_its_messages_once_and_gives_its_results(
    world: World, service: ServiceJobs
) -> None:
    await keep_secret(world, VAULT, "gisToken", "very-secret")
    service.say("Begun.")
    parameters = [
        {"name": "owner", "value": "'of ' + $currentUser"},
        {"name": "distance", "value": {"distance": 5, "units": "esriMeters"}},
        {"name": "plain", "value": "a-b"},
    ]
    job_id = await started(
        world,
        service,
        parameters=parameters,
        authentication={"type": "Bearer", "tokenSetting": "gisToken"},
        response={"returnValue": "$.Colour"},
    )
    await world.ear.until(lambda: "StepProgress" in world.ear.types(job_id))
    service.say("Begun.", "Half of it.")
    await world.ear.until(lambda: len(world.ear.bodies(job_id, "StepProgress")) == 2, 2)
    service.succeed(Colour="green", Features={"features": []})
    assert (await ended(world, job_id))["msgType"] == "StepFinished"
    assert await at(world, job_id) == ["text"]
    told = [(body["msgCode"], body["msg"]) for body in world.ear.bodies(job_id, "StepProgress")]
    assert told[:2] == [("GP_MESSAGE", "Begun."), ("GP_MESSAGE", "Half of it.")]
    distance = '{"distance":5,"units":"esriMeters"}'
    assert service.submitted == [{"owner": "of admin", "distance": distance, "plain": "a-b", "f": "json"}]
    assert {received.headers["authorization"] for received in service.site.requests} == {"Bearer very-secret"}
    assert "very-secret" not in str(world.ear.messages)
    fetched = [received.path for received in service.site.requests if "/results/" in received.path]
    assert fetched == [f"{TASK}/jobs/j1/results/Colour"], "a result that is not used may be larger than can be taken"


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("esriJobFailed", "GP_FAILED", "No such layer."),
        ("esriJobTimedOut", "GP_TIMED_OUT", ""),
        ("esriJobCancelled", "GP_CANCELLED", ""),
        ("esriJobDeleted", "GP_CANCELLED", ""),
    ],
)
async def test_a_job_that_does_not_succeed_is_a_failed_step_with_what_the_service_says(
    world: World, service: ServiceJobs, status: str, code: str, said: str
) -> None:
    service.end(status, ("Informative", "Begun."), ("Error", said))
    job_id = await started(world, service)
    told = await ended(world, job_id)
    assert (told["msgType"], told["msgCode"]) == ("StepError", code)
    assert said in told["msg"]
    service.succeed()
    assert (await world.act(job_id, Run())).success
    await world.ear.until(lambda: is_finished(world, job_id), 2)
    assert len(service.submitted) == 2


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (json_answer('{"error": {"code": 400, "message": "Bad layer.", "details": ["It is none."]}}'), "GP_REFUSED"),
        (answer(403), "GP_REFUSED"),
        (answer(500), "UNEXPECTED_STATUS"),
        (answer(200, "<html>", content_type="text/html"), "UNEXPECTED_RESPONSE"),
        (json_answer('{"jobId": "j1", "jobStatus": "esriJobBored"}'), "UNEXPECTED_RESPONSE"),
        (json_answer('{"jobId": 5}'), "UNEXPECTED_RESPONSE"),
        (hang_up, "CONNECTION_FAILED"),
        (answer(302, location="http://10.0.0.1/"), "ADDRESS_REFUSED"),
    ],
    ids=["error", "403", "500", "html", "status", "id", "reset", "inwards"],
)
async def test_a_submission_that_fails_is_a_failed_step(
    world: World, service: ServiceJobs, handler: Handler | bytes, code: str
) -> None:
    service.site.on(f"{TASK}/submitJob", handler)
    job_id = await started(world, service)
    told = await ended(world, job_id)
    assert (told["msgType"], told["msgCode"]) == ("StepError", code)
    assert await at(world, job_id) == ["serve"]


def _asked_since(service: ServiceJobs, before: int) -> bool:
    return len(service.site.requests) > before


async def test_a_service_that_is_away_for_a_while_is_asked_again_and_the_job_goes_on(
    world: World, service: ServiceJobs
) -> None:
    job_id = await started(world, service)
    await service.site.until(lambda: service.asked > 0)
    there = service.site.handlers[f"{TASK}/jobs/j1"]
    for gone in (hang_up, answer(502), json_answer('{"error": {"code": 503, "message": "busy"}}')):
        before = len(service.site.requests)
        service.site.on(f"{TASK}/jobs/j1", gone)
        await service.site.until(partial(_asked_since, service, before + 1), 2)
    await world.ear.until(lambda: "GP_UNREACHABLE" in told_codes(world, job_id), 2)
    service.succeed()
    service.site.on(f"{TASK}/jobs/j1", there)
    assert (await ended(world, job_id))["msgType"] == "StepFinished"
    assert len(service.submitted) == 1


async def test_a_job_that_the_service_does_not_know_any_more_is_a_failed_step(
    world: World, service: ServiceJobs
) -> None:
    job_id = await started(world, service)
    await service.site.until(lambda: service.asked > 0)
    service.site.on(f"{TASK}/jobs/j1", json_answer('{"error": {"code": 404, "message": "Unknown job."}}'))
    told = await ended(world, job_id)
    assert (told["msgCode"], "Unknown job." in told["msg"]) == ("GP_REFUSED", True)


async def test_a_job_that_takes_longer_than_the_step_allows_is_cancelled_at_the_service(
    world: World, service: ServiceJobs
) -> None:
    job_id = await started(world, service, timeout=0.1)
    told = await ended(world, job_id)
    assert (told["msgType"], told["msgCode"]) == ("StepError", "GP_TIMED_OUT")
    assert service.cancelled == ["j1"]


async def test_stop_cancels_the_job_at_the_service(world: World, service: ServiceJobs) -> None:
    job_id = await started(world, service)
    await service.site.until(lambda: service.asked > 0)
    assert (await world.act(job_id, Stop())).success
    assert (await ended(world, job_id))["msgType"] == "StepCancelled"
    assert service.cancelled == ["j1"]


async def test_a_stop_ends_although_the_service_cannot_be_asked(world: World, service: ServiceJobs) -> None:
    job_id = await started(world, service)
    await service.site.until(lambda: service.asked > 0)
    service.site.on(f"{TASK}/jobs/j1/cancel", hang_up)
    await world.act(job_id, Stop())
    assert (await ended(world, job_id))["msgType"] == "StepCancelled"


async def test_refresh_status_asks_the_service_at_once(
    settings: Settings, http: HttpClient, service: ServiceJobs
) -> None:
    """The pause is longer than any test: only the question of a person can bring the end."""
    async with open_world(settings, [executor(http, first_pause_s=3600)]) as world:
        job_id = await started(world, service)
        await service.site.until(lambda: service.asked == 1)
        service.succeed()
        assert (await world.act(job_id, RefreshStatus())).success
        assert (await ended(world, job_id))["msgType"] == "StepFinished"
        assert service.asked == 2


@pytest.mark.parametrize("crashes", [True, False])
async def test_the_next_start_goes_on_with_the_same_job_of_the_service(
    settings: Settings, http: HttpClient, service: ServiceJobs, crashes: bool
) -> None:
    """Whether the server was killed or closed in good order: it does not cancel what it will go on with."""
    async with open_world(settings, [executor(http)]) as first:
        job_id = await started(first, service)
        await service.site.until(lambda: service.asked > 0)
        if crashes:
            await first.crash()
    service.succeed()
    async with open_world(settings, [executor(http)]) as second:
        assert (await ended(second, job_id))["msgType"] == "StepFinished"
    assert (len(service.submitted), service.cancelled) == (1, [])


async def test_a_run_that_was_taken_over_before_its_job_was_noted_leaves_no_job_behind(
    settings: Settings, http: HttpClient, service: ServiceJobs
) -> None:
    """The race: the submission is answered after another node has taken the run, and submitted a job of its own."""
    submit, gate, waiting = service.site.handlers[f"{TASK}/submitJob"], asyncio.Event(), asyncio.Event()

    async def slowly(received: Any, wire: Any) -> None:
        waiting.set()
        await gate.wait()
        await submit(received, wire)

    service.site.on(f"{TASK}/submitJob", slowly)
    async with open_world(settings, [executor(http)], lease_s=60) as world:
        await started(world, service)
        await waiting.wait()
        await world.store.run(lambda tx: tx.end_node(world.runner.node_id))
        taken = await world.store.run(lambda tx: tx.adopt_runs("another", tx.now_ms()))
        assert len(taken) == 1
        gate.set()
        await eventually(lambda: service.cancelled == ["j1"])
