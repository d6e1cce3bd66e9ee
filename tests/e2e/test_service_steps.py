"""One diagram with every kind of step that the server does, from its first step to its end: on one server with SQLite,
and on two nodes with PostgreSQL and Redis, where each action comes to the other node than the one before."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest

from stepgate_client import Answer, Client, PropertyResponse
from stepgate_client.messages import JobUpdated, StepError, StepFinished, StepHeld, StepHoldReleased, StepInfoRequired
from tests.e2e.nodes import open_nodes
from tests.e2e.walker import Watcher, client_of, heard_the_same, make_template, watching
from tests.steps.counterparts import Authority, Counterpart, answer, counterpart, json_answer
from tests.steps.gp_server import ServiceJobs
from tests.steps.mail_peers import PostOffice, post_office
from tests.support import ServerProcess, eventually
from tests.support.world import step

pytestmark = pytest.mark.anyio

TABLES = [
    {
        "tableName": "steps_site",
        "extendedPropertyDefinitions": [
            {"propertyName": "acres", "dataType": "Double"},
            {"propertyName": "permit", "dataType": "String"},
            {"propertyName": "use", "dataType": "String", "required": False, "domain": {
                "type": "codedValue", "codedValues": [{"code": "r", "name": "Road"}, {"code": "p", "name": "Path"}],
            }},
        ],
    }
]  # fmt: skip


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whose certificates the servers trust."""
    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[Counterpart]:
    """A server that the steps speak to."""
    async with counterpart(authority.server_tls("127.0.0.1")) as started:
        yield started


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    """A mail server."""
    async with post_office() as started:
        yield started


@pytest.fixture(scope="module", params=["sqlite", "two nodes"])
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[list[ServerProcess]]:
    folder = tmp_path_factory.mktemp("servers")
    settings = {"allow_private_addresses": "127.0.0.1", "trusted_certificates": str(authority.file)}
    if request.param == "two nodes":
        variables = {f"STEPGATE_{name.upper()}": value for name, value in settings.items()}
        with open_nodes(folder, (variables, variables)) as nodes:
            yield [nodes.a, nodes.b]
        return
    server = ServerProcess(folder, settings)
    try:
        server.start_on_a_free_port()
        yield [server, server]
    finally:
        server.close()


@pytest.fixture
async def clients(servers: list[ServerProcess]) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as opened:
        yield [await opened.enter_async_context(client_of(server)) for server in servers]


async def at(client: Client, job_id: str) -> list[str]:
    return [current.step_id for current in (await client.get_job(job_id)).current_steps]


async def test_every_kind_of_service_step_runs_to_the_end(
    servers: list[ServerProcess], clients: list[Client], site: Counterpart, office: PostOffice
) -> None:
    here, there = clients
    service = ServiceJobs(site)
    await here.item.update_settings(
        {"smtpServer": "127.0.0.1", "smtpPort": str(office.port), "smtpDefaultSenderEmail": "stepgate@example.org"}
    )
    permit = site.on("/permits", json_answer('{"number": "P-7", "state": "open"}'))
    created = json.dumps(
        {"url": site.on("/created", answer(204)), "query": [{"key": "name", "value": "JobName($job)"}]}
    )
    tell = await here.item.create_stored_template("webRequest", "Created", created)
    part = await make_template(
        servers[0],
        [step("work", args={"userPrompt": "Build it"})],
        activities=[{"typeName": "CreateJob", "actionName": "WebRequest", "templateId": tell}],
    )
    template = await make_template(
        servers[1], _every_kind(part, permit, service.url), extendedPropertyTableDefinitions=TABLES
    )
    job_id = (await here.create_jobs(template, job_name="Bridge")).job_ids[0]
    async with watching(here, job_id) as one, watching(there, job_id) as other:
        await there.run(job_id)
        await _values_are_set(here, one, job_id)
        await _parts_are_waited_for(here, there, other, job_id)
        await _the_user_is_asked(there, one, job_id)
        await _servers_have_answered(there, one, job_id, site, service)
        assert [message["Subject"] for message in office.messages] == ["Permit for Bridge"]
        await eventually(partial(_is_over, here, job_id), expected_s=5)
        await heard_the_same(one, other)
        assert one.seqs() == list(range(1, len(one.seqs()) + 1))
        assert not one.of(StepError)
        await site.until(lambda: len(told_of_parts(site)) == 2, 5)
    assert sorted(told_of_parts(site)) == ["North", "South"]
    history = await there.history(job_id)
    assert [line.step_id for line in history if line.action == "Finished"] == [
        "set",
        "make",
        "later",
        "ask",
        "request",
        "mail",
        "process",
        "end",
    ]
    assert (await here.get_job(job_id)).percent_complete == 100


def told_of_parts(site: Counterpart) -> list[str]:
    """The jobs whose creation an activity has told."""
    return [received.form["name"] for received in site.requests if received.path == "/created"]


def _every_kind(part: str, permit: str, task: str) -> list[dict[str, Any]]:
    """The steps; each that the server can start by itself is automatic."""
    values = [
        {"identifier": "steps_site.acres", "value": "Round(2.6)"},
        {"identifier": "notes", "value": "'Set for ' + JobName($job)"},
    ]
    make: dict[str, Any] = {"jobTemplateId": part, "items": "['North', 'South']", "itemProperty": "jobName"}
    make |= {"createAsChild": True, "createAsDependency": True}
    asked = {"userPrompt": "What for?", "properties": [{"identifier": "steps_site.use"}, {"identifier": "dueDate"}]}
    request: dict[str, Any] = {"url": permit, "query": [{"key": "name", "value": "JobName($job)"}]}
    request |= {
        "response": {"returnValue": "$.state", "properties": [{"identifier": "steps_site.permit", "path": "$.number"}]}
    }
    paths = [{"nextStep": "end", "expression": "$retVal == 'closed'"}]
    paths += [{"nextStep": "mail", "expression": "$retVal == 'open'"}]
    mail = {"to": ["zoe@example.net"], "subject": "'Permit for ' + JobName($job)", "body": "It is open."}
    process = {
        "url": task,
        "parameters": [{"name": "Acres", "value": "JobExtendedProperty($job, 'steps_site', 'acres')"}],
    }
    return [
        step("set", "UpdateJobProperties", "make", args={"propertyValues": values}),
        step("make", "CreateJob", "later", automatic=True, args=make),
        step(
            "later", "Manual", "ask", automatic=True, args={},
            schedule={"scheduleType": "Duration", "timeDuration": 0.2, "timeType": "Seconds"},
        ),
        step("ask", "UpdateJobProperties", "request", automatic=True, args=asked),
        step("request", "WebRequest", automatic=True, args=request, paths=paths),
        step("mail", "Email", "process", automatic=True, args=mail),
        step("process", "ExecuteGP", "end", automatic=True, args=process),
        step("end", "Manual", automatic=True, args={}),
    ]  # fmt: skip


async def _values_are_set(client: Client, watcher: Watcher, job_id: str) -> None:
    updated = await watcher.next_of(JobUpdated)
    assert [(each.property_name, each.value) for each in updated.properties.job_properties] == [
        ("notes", "Set for Bridge")
    ]
    job = await client.get_job(job_id, properties=True)
    (table,) = job.extended_properties
    assert [(each.property_name, each.value) for each in table.properties] == [
        ("acres", "3"),
        ("permit", None),
        ("use", None),
    ]


async def _parts_are_waited_for(here: Client, there: Client, watcher: Watcher, job_id: str) -> None:
    """The step behind CreateJob is held until both parts are done, and by its schedule."""
    await watcher.until(lambda: any("make" in finished.step_ids for finished in watcher.of(StepFinished)), 4)
    assert await at(here, job_id) == ["later"]
    held = await watcher.next_of(StepHeld)
    assert held.dependency
    holds = (await here.get_job(job_id, holds=True)).holds
    parts = [hold.dependent_job_id for hold in holds if hold.dependent_job_id]
    names = {(await there.get_job(part)).job_name for part in parts}
    assert names == {"North", "South"}
    for client, part in zip((here, there), parts, strict=True):
        await client.run(part)
        assert not watcher.of(StepHoldReleased)
        await client.answer(part, "work", Answer(manual_response=True))
    await watcher.next_of(StepHoldReleased, seconds=4)


async def _the_user_is_asked(client: Client, watcher: Watcher, job_id: str) -> None:
    asked = await watcher.next_of(StepInfoRequired)
    use, due = asked.properties
    assert (use.identifier, use.data_type, use.domain_type) == ("steps_site.use", "String", "codedValue")
    assert [code.code for code in use.coded_values or []] == ["r", "p"]
    assert (due.identifier, due.data_type) == ("dueDate", "DateTime")
    given = [("steps_site.use", "r"), ("dueDate", "2030-01-01T00:00:00Z")]
    responses = [PropertyResponse(identifier=name, value=value) for name, value in given]
    await client.answer(job_id, "ask", Answer(property_responses=responses), prompt_id=asked.prompt_id)


async def _servers_have_answered(
    client: Client, watcher: Watcher, job_id: str, site: Counterpart, service: ServiceJobs
) -> None:
    """The return code of the web request has taken its path, to a service which then brings its job to an end."""
    await watcher.until(lambda: any("request" in finished.step_ids for finished in watcher.of(StepFinished)), 5)
    (sent,) = [received for received in site.requests if received.path == "/permits"]
    assert sent.form == {"name": "Bridge"}
    await site.until(lambda: service.asked > 0, 5)
    assert service.submitted[0]["Acres"] == "3"
    (table,) = (await client.get_job(job_id, properties=True)).extended_properties
    assert {each.property_name: each.value for each in table.properties}["permit"] == "P-7"
    service.succeed()


async def _is_over(client: Client, job_id: str) -> bool:
    return not (await client.get_job(job_id)).current_steps
