"""A spooled job's question reaches websocket subscribers, and either door answers it: the first one wins."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.services.first_start import ADMIN
from tests.api.sockets import Client, Site, open_site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        yield opened


async def call(site: Site, method: str, path: str, body: Any = None) -> Any:
    """The response of the print dialect, to the administrator."""
    headers = {"Authorization": f"Bearer {site.token()}"}
    return await site.http.request(method, f"http://{site.address}/v3/jobs{path}", json=body, headers=headers)


async def job_id_of(site: Site, number: int) -> str:
    def find(tx: Any) -> str:
        return str(tx.job_by_number(tx.items()[0], number).job.job_id)

    return await site.gateway.engine.store.read(find)


async def subscribed(site: Site, client: Client, uuid: str) -> tuple[int, str, str, dict[str, Any]]:
    """A new job that asks, and its state as a subscriber gets it."""
    body = {"queue": "Ask me first", "owner": ADMIN, "computer": "DESK-21", "name": "q3.pdf", "uuid": uuid}
    number = (await call(site, "POST", "/client", body)).json()["id"]
    key = (await call(site, "GET", f"/{number}")).json()["interaction"]["key"]
    job_id = await job_id_of(site, number)
    return number, job_id, key, await client.subscribe(job_id)


async def test_the_script_answers_what_subscribers_were_asked_and_they_hear_of_all_of_it(site: Site) -> None:
    async with site.connected() as client:
        number, job_id, key, state = await subscribed(site, client, "one")
        (step,) = state["stepStates"]
        asked = step["messageDetails"]
        assert (asked["msgType"], asked["message"]["question"]) == ("StepInfoRequired", "Two-sided?")
        answered = await call(site, "POST", f"/{number}/script", {key: {"duplex": True, "simplex": None}, "state": []})
        assert answered.json() == {"interaction": None, "state": "ready"}
        assert (await client.until("StepFinished"))["stepIds"] == ["review"]
        await client.answer(job_id, "review", questionResponse=2, requestId="late")
        assert (await client.until("Error"))["msgCode"] == "already_answered"
        assert (await call(site, "POST", "/process", {"jobIds": [number]})).status_code == 202
        assert _named(await client.until("JobUpdated"), "queued_by") == ADMIN
        assert (await client.until("StepStarted"))["stepIds"] == ["release"]
        assert _named(await client.until("JobUpdated"), "percent_complete") == "100"
        await call(site, "PATCH", f"/{number}", {"favorite": True})
        assert _named(await client.until("JobUpdated"), "favorite") == "true"


async def test_an_answer_over_the_websocket_comes_before_the_script(site: Site) -> None:
    async with site.connected() as client:
        number, job_id, key, _ = await subscribed(site, client, "two")
        await client.answer(job_id, "review", questionResponse=1, requestId="first")
        assert (await client.until("StepFinished"))["stepIds"] == ["review"]
        late = await call(site, "POST", f"/{number}/script", {key: {"simplex": True}})
        assert (late.status_code, late.json()["code"]) == (409, 409)


async def test_a_cancelled_job_is_told(site: Site) -> None:
    async with site.connected() as client:
        number, _, _, _ = await subscribed(site, client, "three")
        assert (await call(site, "DELETE", f"/{number}")).status_code == 204
        assert (await client.until("StepCancelled"))["stepIds"] == ["review"]
        assert _named(await client.until("JobUpdated"), "cancelled") == "true"


def _named(body: dict[str, Any], name: str) -> str | None:
    """The new value of a member that ``JobUpdated`` tells."""
    values = {each["propertyName"]: each["value"] for each in body["properties"]["jobProperties"]}
    return values.get(name)
