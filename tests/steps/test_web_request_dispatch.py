"""Web requests of template activities: written with what they tell of, sent after it until somebody has answered."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from app.auth.sealing import Sealer
from app.services.engine import new_id
from app.steps import dispatcher
from app.steps.http import HttpClient
from app.store.schema import dispatch
from app.store.sql import Statement
from app.store.tx import SqlTx
from tests.conftest import Settings
from tests.steps.counterparts import Counterpart, Received, Wire, answer, counterpart, hang_up, saying_in_turn, silent
from tests.steps.dispatching import activity, do, errors, left, manual_job, put_template, until_all_sent, until_told
from tests.steps.service_steps import http_client, keep_secret, web_world
from tests.support.world import World, step

pytestmark = pytest.mark.anyio

VAULT = Sealer("a master key of some length")
_CONTENT = Statement(select(dispatch.c.content))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the module, and so one world: each test has its own jobs, and leaves no dispatch behind."""
    return "asyncio"


@pytest.fixture
async def site() -> AsyncIterator[Counterpart]:
    async with counterpart() as started:
        yield started


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[HttpClient]:
    async with http_client() as client:
        yield client


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, http: HttpClient) -> AsyncIterator[World]:
    """SQLite, where nothing depends on the store; a dispatch is tried three times, with hardly a pause."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatcher, "PAUSES_S", (0.02, 0.02))
        async with web_world(http, {"data_dir": tmp_path_factory.mktemp("world")}, vault=VAULT) as opened:
            yield opened


async def job_that_tells(world: World, type_name: str, *, job_name: str = "Kerbs", **details: Any) -> str:
    """A job whose template sends a stored request, with these details, when this is done to one of its jobs."""
    request = new_id()
    await put_template(world, "webRequest", request, details)
    template = await world.template(
        [step("one", "Manual", "two"), step("two")], activities=[activity(type_name, "WebRequest", request)]
    )
    return await world.create(template, job_name=job_name)


async def contents(world: World) -> list[bytes]:
    found = await world.store.read(lambda tx: cast(SqlTx, tx).sql.all(_CONTENT))
    return [bytes(row[0]) for row in found]


# ---------------------------------------------------------------- what is sent


async def test_a_request_is_made_of_the_moment_it_tells_of_and_nothing_in_it_is_computed_twice(
    world: World, site: Counterpart
) -> None:
    """The job is gone when the request is sent. Its name reads as an expression, and is data."""
    url = site.on("/told", answer(204))
    job_id = await job_that_tells(
        world,
        "DeleteJob",
        job_name="'Not ' + $currentUser",
        url=url,
        query=[{"key": "name", "value": "JobName($job)"}, {"key": "off", "value": "Oops(", "isEnabled": False}],
        headers=[{"key": "X-By", "value": "$currentUser"}],
        body="JobName($job)",
    )
    assert await left(world) == []
    await do(world, job_id, "DeleteJob")
    await site.until(lambda: len(site.requests) == 1)
    await until_all_sent(world)
    (request,) = site.requests
    assert (request.method, request.form, request.body) == (
        "POST",
        {"name": "'Not ' + $currentUser"},
        b"'Not ' + $currentUser",
    )
    assert request.headers["x-by"] == "admin"
    assert job_id.strip("{}") in request.headers["idempotency-key"]


async def test_two_requests_have_two_keys(world: World, site: Counterpart) -> None:
    """Also where the first is done, and its row gone, before the second is made."""
    url = site.on("/told", answer(200))
    job_id = await job_that_tells(world, "AddComment", url=url)
    for number in (1, 2):
        await do(world, job_id, "AddComment")
        await site.until(lambda number=number: len(site.requests) == number)  # type: ignore[misc]
        await until_all_sent(world)
    assert await errors(world, job_id) == []
    assert len({request.headers["idempotency-key"] for request in site.requests}) == 2


async def test_credentials_are_put_in_when_it_is_sent_and_are_in_no_row(world: World, site: Counterpart) -> None:
    is_seen = asyncio.Event()

    async def wait(_: Received, wire: Wire) -> None:
        await is_seen.wait()
        await wire.say(answer(200))

    url = site.on("/told", wait)
    await keep_secret(world, VAULT, "hookToken", "s3cret-token")
    await keep_secret(world, VAULT, "hookKey", "s3cret-key")
    await job_that_tells(
        world,
        "CreateJob",
        url=url,
        headers=[{"key": "X-Key", "setting": "hookKey"}],
        authentication={"type": "Bearer", "tokenSetting": "hookToken"},
    )
    await site.until(lambda: len(site.requests) == 1)
    (content,) = await contents(world)
    is_seen.set()
    await until_all_sent(world)
    assert b"s3cret" not in content
    assert site.requests[0].headers["x-key"] == "s3cret-key"
    assert site.requests[0].headers["authorization"] == "Bearer s3cret-token"


@pytest.mark.parametrize(
    ("template_id", "url", "words"),
    [
        ("gone", "http://127.0.0.1/", "There is no web request template 'gone' any more"),
        ("broken", "'http://127.0.0.1/' + JobNmae($job)", "url cannot be evaluated"),
    ],
)
async def test_a_request_that_cannot_be_made_does_not_hinder_the_job_and_is_told_in_its_history(
    world: World, template_id: str, url: str, words: str
) -> None:
    await put_template(world, "webRequest", "broken", {"url": url})
    job_id = await manual_job(world, activities=[activity("AddComment", "WebRequest", template_id)])
    await do(world, job_id, "AddComment")
    (told,) = await errors(world, job_id)
    assert told.startswith("No web request was sent for AddComment.")
    assert words in told
    assert await left(world) == []


# ---------------------------------------------------------------- what goes wrong later


async def test_a_request_is_sent_again_with_its_key_until_the_server_takes_it(world: World, site: Counterpart) -> None:
    url = site.on("/told", saying_in_turn(answer(500), answer(429), answer(200)))
    job_id = await job_that_tells(world, "CreateJob", url=url)
    await site.until(lambda: len(site.requests) == 3)
    await until_all_sent(world)
    assert await errors(world, job_id) == []
    assert len({request.headers["idempotency-key"] for request in site.requests}) == 1


async def test_the_further_tries_of_the_request_itself_are_one_try_of_the_dispatch(
    world: World, site: Counterpart
) -> None:
    """Four refusals are more than the tries of a dispatch."""
    url = site.on("/told", saying_in_turn(*[answer(503)] * 4, answer(200)))
    job_id = await job_that_tells(world, "CreateJob", url=url, retries=2)
    await site.until(lambda: len(site.requests) == 5)
    await until_all_sent(world)
    assert await errors(world, job_id) == []


@pytest.mark.parametrize(
    ("handler", "times", "words"),
    [
        (answer(404), 1, "answered 404 (Not Found), which is not expected"),
        (answer(302), 1, "redirects, and does not say where to"),
        (answer(503), 3, "answered 503 (Service Unavailable), which is not expected"),
        (hang_up, 3, "broke the connection off"),
    ],
)
async def test_a_request_that_is_refused_is_given_up_at_once_or_after_the_last_try(
    world: World,
    site: Counterpart,
    handler: Any,
    times: int,
    words: str,
) -> None:
    url = site.on("/told", handler)
    job_id = await job_that_tells(world, "CreateJob", url=url)
    await until_told(world, job_id)
    (told,) = await errors(world, job_id)
    assert await left(world) == []
    assert told.startswith("The server gave up the web request 'Greeting' for CreateJob, after ")
    assert f"after {'one try' if times == 1 else '3 tries'}." in told
    assert words in told
    assert len(site.requests) == times


async def test_private_addresses_are_as_forbidden_as_to_steps(tmp_path: Path, site: Counterpart) -> None:
    url = site.on("/told", answer(200))
    async with http_client(allowed=()) as http, web_world(http, {"data_dir": tmp_path / "data"}) as world:
        job_id = await job_that_tells(world, "CreateJob", url=url)
        await until_told(world, job_id)
        (told,) = await errors(world, job_id)
    assert "after one try" in told
    assert "127.0.0.1" in told
    assert site.requests == []


async def test_a_request_on_its_way_when_its_process_died_is_sent_again_by_the_next_with_the_same_key(
    backend_settings: Settings, http: HttpClient, site: Counterpart
) -> None:
    url = site.on("/told", silent)
    async with web_world(http, backend_settings, lease_s=0.5) as world:
        job_id = await job_that_tells(world, "CreateJob", url=url)
        await site.until(lambda: len(site.requests) == 1)
        await world.crash()
    site.on("/told", answer(200))
    async with web_world(http, backend_settings, lease_s=0.5) as world:
        await site.until(lambda: len(site.requests) >= 2, seconds=3)
        await until_all_sent(world)
        assert await errors(world, job_id) == []
    assert len({request.headers["idempotency-key"] for request in site.requests}) == 1
