"""Web requests of steps: what is sent, what becomes of the answer, and how each failure of a server is told."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.auth.sealing import Sealer
from app.domain.commands import Run, Stop
from app.domain.job import StepState
from app.services import attachments
from app.steps.http import MAX_RESPONSE_BYTES, HttpClient
from tests.conftest import Settings
from tests.steps.counterparts import (
    Authority,
    Counterpart,
    Received,
    Wire,
    answer,
    counterpart,
    hang_up,
    json_answer,
    saying_in_turn,
    silent,
)
from tests.steps.service_steps import at, ended, http_client, is_finished, job_with, keep_secret, told_codes, web_world
from tests.support import deadline, free_port
from tests.support.world import World, step

pytestmark = pytest.mark.anyio

VAULT = Sealer("a master key of some length")


@pytest.fixture
async def site() -> AsyncIterator[Counterpart]:
    async with counterpart() as started:
        yield started


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the module, and so one world: each test has its own jobs and its own server."""
    return "asyncio"


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[HttpClient]:
    async with http_client() as client:
        yield client


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, http: HttpClient) -> AsyncIterator[World]:
    """SQLite: what a web request does is the same on both databases."""
    settings: Settings = {"data_dir": tmp_path_factory.mktemp("world")}
    async with web_world(http, settings, vault=VAULT) as opened:
        yield opened


async def run(world: World, args: dict[str, Any], **members: Any) -> tuple[str, dict[str, Any]]:
    """Run a job's web request to its end; returns the job's id and the message that told the end."""
    job_id = await job_with(world, "WebRequest", args, **members)
    await world.act(job_id, Run())
    return job_id, await ended(world, job_id)


# ---------------------------------------------------------------- what is sent


async def test_a_request_is_made_of_the_arguments_with_their_expressions_computed(
    world: World, site: Counterpart
) -> None:
    url = site.on("/things/admin", answer(204))
    job_id, _ = await run(
        world,
        {
            "url": f"'{url.removesuffix('admin')}' + JobCreator($job)",
            "method": "PUT",
            "headers": [
                {"key": "X-User", "value": "$currentUser"},
                {"key": "X-Off", "value": "1", "isEnabled": False},
                {"key": "X-Plain", "value": "a-b", "isEnabled": None},
            ],
            "query": [{"key": "who", "value": "$currentUser + ' & co'"}, {"key": "x", "value": "ü"}],
            "body": "'Job of ' + $currentUser",
        },
    )
    (received,) = site.requests
    assert (received.method, received.path, received.body) == ("PUT", "/things/admin", b"Job of admin")
    assert received.form == {"who": "admin & co", "x": "ü"}
    wanted = {"x-user": "admin", "x-plain": "a-b", "content-type": "text/plain; charset=utf-8"}
    assert wanted.items() <= received.headers.items()
    assert "x-off" not in received.headers
    assert await at(world, job_id) == ["good"]


@pytest.mark.parametrize(
    ("args", "method", "content_type"),
    [
        ({}, "GET", None),
        ({"body": '{"a": "$job"}'}, "POST", "application/json"),
        ({"body": "a", "headers": [{"key": "content-type", "value": "text/css"}]}, "POST", "text/css"),
    ],
)
async def test_method_and_type_follow_from_the_body_where_they_are_not_given(
    world: World, site: Counterpart, args: dict[str, Any], method: str, content_type: str | None
) -> None:
    await run(world, {"url": site.on("/", answer(200)), **args})
    (received,) = site.requests
    assert (received.method, received.headers.get("content-type")) == (method, content_type)


async def test_secrets_come_from_settings_and_are_seen_by_the_server_only(
    world: World, site: Counterpart, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for name in ("gisPassword", "gisToken", "gisKey"):
        await keep_secret(world, VAULT, name, f"very-{name}")
    url = site.on("/", answer(500))
    key = [{"key": "X-Key", "setting": "gisKey"}]
    basic = {"type": "Basic", "username": "JobCreator($job)", "passwordSetting": "gisPassword"}
    bearer = {"type": "Bearer", "tokenSetting": "gisToken"}
    for auth in (basic, bearer):
        _, told = await run(world, {"url": url, "authentication": auth, "headers": key, "query": key})
        assert told["msgCode"] == "UNEXPECTED_STATUS"
    first, second = site.requests
    assert first.headers["authorization"] == "Basic YWRtaW46dmVyeS1naXNQYXNzd29yZA=="
    assert second.headers["authorization"] == second.headers["x-esri-authorization"] == "Bearer very-gisToken"
    assert first.headers["x-key"] == first.form["X-Key"] == "very-gisKey"
    shown = str(world.ear.messages) + caplog.text
    assert "very-" not in shown
    assert "YWRt" not in shown


@pytest.mark.parametrize("setting", ["missing", "smtpPassword"])
async def test_a_setting_that_is_not_there_or_is_the_mail_servers_fails_the_step(
    world: World, site: Counterpart, setting: str
) -> None:
    await keep_secret(world, VAULT, "smtpPassword", "secret")
    auth = {"type": "Bearer", "tokenSetting": setting}
    _, told = await run(world, {"url": site.on("/", answer(200)), "authentication": auth})
    assert (told["msgCode"], site.requests) == ("NOT_CONFIGURED", [])


# ---------------------------------------------------------------- what becomes of the answer


@pytest.mark.parametrize(
    ("args", "reply", "next_step"),
    [
        ({}, answer(200), "good"),
        ({"expectedStatusCodes": [404], "response": {"returnValue": "StatusCode"}}, answer(404), "404"),
        (
            {"response": {"returnValue": "$.light['colour now'][-1]"}},
            b'{"light": {"colour now": [1, "green"]}}',
            "text",
        ),
        ({"response": {"returnValue": "$"}}, b'"green"', "text"),
        ({"response": {"returnValue": "$[0]"}}, b"[404]", "404"),
    ],
)
async def test_the_return_value_is_success_or_the_status_or_a_value_of_the_answer(
    world: World, site: Counterpart, args: dict[str, Any], reply: bytes, next_step: str
) -> None:
    said = reply if reply.startswith(b"HTTP") else json_answer(reply.decode())
    job_id, told = await run(world, {"url": site.on("/", said), **args})
    assert (told["msgType"], await at(world, job_id)) == ("StepFinished", [next_step])


async def test_values_of_the_answer_become_extended_properties_and_are_told(world: World, site: Counterpart) -> None:
    tables = [
        {
            "tableName": "site",
            "relationshipType": "OneToOne",
            "extendedPropertyDefinitions": [
                {"propertyName": name, "propertyAlias": name, "dataType": "String"}
                for name in ("owner", "areas", "gone")
            ],
        }
    ]
    url = site.on("/", json_answer('{"owner": {"name": "Ann"}, "areas": [1, 2.5], "gone": null}'))
    wanted = {"site.owner": "$.owner.name", "site.areas": "$.areas", "site.gone": "$.gone"}
    response = {"properties": [{"identifier": name, "path": path} for name, path in wanted.items()]}
    steps = [step("serve", "WebRequest", "end", args={"url": url, "response": response}), step("end")]
    job_id = await world.create(await world.template(steps, extendedPropertyTableDefinitions=tables))
    await world.act(job_id, Run())
    assert (await ended(world, job_id))["msgType"] == "StepFinished"
    record = await world.record(job_id)
    assert record is not None
    stored = await world.query(lambda unit: unit.tx.properties(record))
    values = {row.identifier: row.value.text for row in stored}
    assert values == {"site.owner": "Ann", "site.areas": "[1,2.5]", "site.gone": None}
    assert "JobUpdated" in world.ear.types(job_id)


async def test_an_answer_becomes_an_attachment_and_its_values_outputs_of_the_step(
    world: World, site: Counterpart
) -> None:
    body = '{"ids": [7, "b", {"c": 1}]}'
    response = {"outputs": "$.ids", "attachment": {"fileName": "'of ' + $currentUser + '.json'", "folder": "answers"}}
    job_id, told = await run(world, {"url": site.on("/", json_answer(body)), "response": response})
    assert told["msgType"] == "StepFinished"
    (attached,) = await world.query(lambda unit: attachments.of_job(unit, job_id))
    assert (attached.alias, attached.folder) == ("of admin.json", "answers")
    assert attached.content is not None
    assert (attached.content.size, attached.content.media_type) == (len(body), "application/json")
    record = await world.record(job_id)
    assert record is not None
    assert await world.query(lambda unit: unit.tx.step_output(record, "serve")) == [7, "b", '{"c":1}']
    assert "JobAttachmentUpdated" in world.ear.types(job_id)


async def test_a_jobs_value_in_an_address_leads_nowhere_else(world: World, site: Counterpart) -> None:
    url = site.on("/owner/a%2Fb%3Fc", answer(200))
    steps = [step("serve", "WebRequest", args={"url": f"'{site.url}/owner/' + JobName($job)"})]
    job_id = await world.create(await world.template(steps), job_name="a/b?c")
    await world.act(job_id, Run())
    assert (await ended(world, job_id))["msgType"] == "StepFinished", url


@pytest.mark.parametrize(
    ("response", "said", "told"),
    [
        ({"returnValue": "$.a"}, answer(200, "<html>", content_type="text/html"), ("UNEXPECTED_RESPONSE", "text/html")),
        ({"returnValue": "$.a"}, json_answer('{"b": 1}'), ("UNEXPECTED_RESPONSE", "no value at $.a")),
        ({"returnValue": "$.a"}, json_answer("[1]"), ("UNEXPECTED_RESPONSE", "no value at $.a")),
        ({"returnValue": "$"}, json_answer("{}"), ("UNEXPECTED_RESPONSE", "an object")),
        ({"returnValue": "$"}, json_answer('"half'), ("UNEXPECTED_RESPONSE", "JSON")),
        ({"outputs": "$"}, json_answer(f"[{'1,' * 10_000}1]"), ("UNEXPECTED_RESPONSE", "10001")),
        ({"properties": [{"identifier": "a.b", "path": "$"}]}, json_answer("1"), ("INVALID_VALUE", "a.b")),
    ],
)
async def test_an_answer_that_has_not_what_the_step_looks_for_fails_the_step(
    world: World, site: Counterpart, response: dict[str, Any], said: bytes, told: tuple[str, str]
) -> None:
    job_id, body = await run(world, {"url": site.on("/", said), "response": response})
    assert (body["msgType"], body["msgCode"]) == ("StepError", told[0])
    assert told[1] in body["msg"]
    assert await at(world, job_id) == ["serve"]


# ---------------------------------------------------------------- failures


async def _half(_: Received, wire: Wire) -> None:
    await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")


async def test_each_failure_of_a_server_is_told_and_the_job_can_go_on(
    world: World, site: Counterpart, tmp_path: Path
) -> None:
    """All at once, in one world; then the server is well again, and the same steps succeed."""
    async with counterpart(Authority.make(tmp_path).server_tls("127.0.0.1")) as untrusted:
        failing: dict[str, tuple[Any, str]] = {
            "/500": (answer(500), "UNEXPECTED_STATUS"),
            "/404": (answer(404), "UNEXPECTED_STATUS"),
            "/reset": (hang_up, "CONNECTION_FAILED"),
            "/half": (_half, "BROKEN_RESPONSE"),
            "/slow": (silent, "REQUEST_TIMED_OUT"),
            "/huge": (answer(200, bytes(MAX_RESPONSE_BYTES + 1)), "RESPONSE_TOO_LARGE"),
            "/bomb": (
                answer(200, gzip.compress(bytes(MAX_RESPONSE_BYTES + 1)), content_encoding="gzip"),
                "RESPONSE_TOO_LARGE",
            ),
            "/inwards": (answer(302, location="http://10.0.0.1/"), "ADDRESS_REFUSED"),
        }
        urls = {site.on(path, handler): code for path, (handler, code) in failing.items()}
        urls |= {
            f"http://127.0.0.1:{free_port()}/": "CONNECTION_FAILED",
            "http://localhost.invalid/": "HOST_NOT_FOUND",
            "http://[::1]/": "ADDRESS_REFUSED",
            untrusted.url: "CERTIFICATE_REFUSED",
            "no address": "INVALID_REQUEST",
        }
        jobs = {}
        for url, code in urls.items():
            timeout_s = 0.2 if code == "REQUEST_TIMED_OUT" else 600
            jobs[await job_with(world, "WebRequest", {"url": url, "timeout": timeout_s})] = url, code
        for job_id in jobs:
            await world.act(job_id, Run())
        for job_id, (url, code) in jobs.items():
            told = await ended(world, job_id, seconds=20)
            assert (url, told["msgType"], told["msgCode"]) == (url, "StepError", code)
            assert told["msg"].endswith(".")
            assert (await world.job(job_id)).flow.current("serve").state is StepState.FAILED
    for path in failing:
        site.on(path, answer(200))
    for job_id, (url, _) in jobs.items():
        if url.startswith(site.url) and not url.endswith("/slow"):
            assert (await world.act(job_id, Run())).success
            await world.ear.until(partial(is_finished, world, job_id), 5)


async def test_a_failure_takes_the_path_that_asks_for_it(world: World, site: Counterpart) -> None:
    paths = [
        {"nextStep": "good", "expression": "$retVal == $stepSuccess"},
        {"nextStep": "bad", "expression": "$retVal != $stepSuccess"},
    ]
    args = {"url": site.on("/", answer(500))}
    steps = [step("serve", "WebRequest", args=args, paths=paths), step("good"), step("bad")]
    job_id = await world.create(await world.template(steps))
    await world.act(job_id, Run())
    await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
    assert await at(world, job_id) == ["bad"]


# ---------------------------------------------------------------- tries


async def test_a_request_is_tried_again_with_the_same_idempotency_key_until_it_succeeds(
    world: World, site: Counterpart
) -> None:
    async def succeed(_: Received, wire: Wire) -> None:
        await world.ear.until(lambda: "RETRYING" in told_codes(world, job_id), 2)
        await wire.say(answer(200))

    failures = [hang_up, saying_in_turn(answer(503)), _half, succeed]

    async def next_one(received: Received, wire: Wire) -> None:
        await failures.pop(0)(received, wire)

    url = site.on("/", next_one)
    job_id = await job_with(world, "WebRequest", {"url": url, "retries": 3, "timeout": 600})
    await world.act(job_id, Run())
    await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id), 5)
    keys = [received.headers["idempotency-key"] for received in site.requests]
    assert len(keys) == 4
    assert len(set(keys)) == 1


@pytest.mark.parametrize(("status", "retries", "asked"), [(503, 2, 3), (503, 0, 1), (500, 5, 1), (404, 5, 1)])
async def test_tries_come_to_an_end_and_only_a_passing_failure_has_several(
    world: World, site: Counterpart, status: int, retries: int, asked: int
) -> None:
    _, told = await run(world, {"url": site.on("/", answer(status)), "retries": retries})
    assert (told["msgCode"], len(site.requests)) == ("UNEXPECTED_STATUS", asked)
    assert str(status) in told["msg"]


async def test_a_new_run_has_a_new_idempotency_key(world: World, site: Counterpart) -> None:
    url = site.on("/", saying_in_turn(answer(500), answer(200)))
    job_id, _ = await run(world, {"url": url})
    await world.act(job_id, Run())
    await world.ear.until(lambda: "StepFinished" in world.ear.types(job_id))
    first, second = (received.headers["idempotency-key"] for received in site.requests)
    assert first != second


# ---------------------------------------------------------------- stop, adoption


async def test_stop_ends_a_request_that_hangs(world: World, site: Counterpart) -> None:
    left = asyncio.Event()

    async def hanging(_: Received, wire: Wire) -> None:
        await wire.until_left()
        left.set()

    job_id = await job_with(world, "WebRequest", {"url": site.on("/", hanging), "timeout": 600})
    await world.act(job_id, Run())
    await site.until(lambda: bool(site.requests))
    assert (await world.act(job_id, Stop())).success
    assert (await ended(world, job_id))["msgType"] == "StepStopped"
    await asyncio.wait_for(left.wait(), deadline(1))


async def test_after_a_crash_the_request_is_sent_again_with_the_same_idempotency_key(
    tmp_path: Path, site: Counterpart, http: HttpClient
) -> None:
    settings: Settings = {"data_dir": tmp_path / "data"}
    url = site.on("/", silent)

    async with web_world(http, settings) as first:
        job_id = await job_with(first, "WebRequest", {"url": url, "timeout": 600})
        await first.act(job_id, Run())
        await site.until(lambda: bool(site.requests))
        await first.crash()
    site.on("/", answer(200))
    async with web_world(http, settings) as second:
        assert (await ended(second, job_id))["msgType"] == "StepFinished"
    before, after = (received.headers["idempotency-key"] for received in site.requests)
    assert before == after
