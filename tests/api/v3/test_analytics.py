"""The analytics dialect, call by call: workflows and running them, lists and their filters, messages, outputs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from app.domain.access import Role
from app.domain.job import AutomationType, Origin
from app.domain.phases import Phase
from app.protocol.v3.analytics import STATUSES
from app.protocol.v3.dialects import Dialect
from app.protocol.v3.ids import hex_id
from app.protocol.v3.print_jobs import STATES
from app.services import creation
from app.services.creation import JobOverrides
from app.services.engine import Caller
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.services.ports import Group, Tx
from tests.api.conftest import Api
from tests.api.v3.conftest import MIRA, OTTO, REPORT, V3, hex_of, job_of, on_store
from tests.support import eventually


@pytest.fixture
def maker(mira: V3) -> V3:
    """Mira, by the analytics dialect."""
    return mira.in_(Dialect.ANALYTICS)


@pytest.fixture
def report(maker: V3) -> str:
    """The id of the demo workflow."""
    return workflow(maker, REPORT)


def workflow(who: V3, name: str) -> str:
    return str(next(each["id"] for each in who.get("/v3/workflows") if each["name"] == name))


def number_of(view: Any) -> int:
    return int(view["id"][8:], 16)


async def ended(who: V3, view: Any) -> Any:
    """The job once it is Completed."""
    path = f"/v3/jobs/{view['id']}"
    await eventually(lambda: who.get(path)["status"] == "Completed", expected_s=2)
    return who.get(path)


pytestmark = pytest.mark.anyio


# ---------------------------------------------------------------- run


async def test_a_workflow_is_run_with_its_question_answered(maker: V3, curator: V3, report: str) -> None:
    made = maker.ok("POST", f"/v3/workflows/{report}/jobs", {"questions": [{"name": "Region", "value": "East"}]})
    assert made["appId"] == report
    assert made["status"] in {"Running", "Completed"}
    found = await ended(maker, made)
    assert found["disposition"] == "Success"
    assert [(each["status"], each["toolId"]) for each in found["messages"]] == [(1, -1), (1, 1), (4, 1), (1, 2), (4, 2)]
    assert found["messages"][1]["text"] == "Step 'Region' started"
    assert curator.get(f"/v3/jobs/{made['id']}/messages") == found["messages"]


async def test_a_question_that_was_not_answered_waits_and_is_one_of_the_print_dialect_too(
    maker: V3, mira: V3, report: str
) -> None:
    made = maker.ok("POST", f"/v3/workflows/{report}/jobs", {})
    assert (made["status"], made["disposition"], made["priority"], made["workerTag"]) == ("Running", "None", "Low", "")
    number = number_of(made)
    asked = mira.detail(number)["interaction"]
    assert (asked["text"], asked["options"], mira.state(number)) == ("Region", ["East", "West"], "paused")
    assert mira.answer(number, asked["key"], "West").status_code == 200
    assert (await ended(maker, made))["disposition"] == "Success"


async def test_several_questions_are_the_properties_that_a_step_asks_for(client: TestClient, curator: V3) -> None:
    api = Api(client)
    step = {
        "id": "ask", "name": "Ask",
        "action": {"actionType": "UpdateJobProperties", "args": {"properties": [
            {"identifier": "notes", "alias": "Notes"}, {"identifier": "description"}]}},
        "paths": [],
    }  # fmt: skip
    api.template("Form", api.diagram("Form", [step]))
    line = next(each for each in curator.get("/v3/workflows") if each["name"] == "Form")
    assert (line["isApp"], line["questions"]) == (True, ["notes", "description"])
    answers = [{"name": "notes", "value": "n"}, {"name": "description", "value": "d"}]
    made = curator.ok("POST", f"/v3/workflows/{line['id']}/jobs", {"questions": answers})
    await ended(curator, made)
    found = api.get(f"jobs/{job_of(client, number_of(made))}")
    assert (found["notes"], found["description"]) == ("n", "d")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"questions": [{"name": "Country", "value": "East"}]}, 400),
        ({"questions": [{"name": "Region", "value": "North"}]}, 400),
        ({"questions": "Region"}, 400),
        ({"priority": "Urgent"}, 400),
        ({"priority": "High"}, 403),
        ({"workerTag": "gpu"}, 403),
    ],
)
async def test_a_run_that_is_not_right_makes_no_job(
    maker: V3, curator: V3, report: str, body: dict[str, Any], status: int
) -> None:
    before = len(curator.get(f"/v3/workflows/{report}/jobs?limit=1000"))
    found = maker.refused("POST", f"/v3/workflows/{report}/jobs", body, status)
    assert set(found) == ({"message", "modelState"} if status == 400 else {"message"})
    assert len(curator.get(f"/v3/workflows/{report}/jobs?limit=1000")) == before


@pytest.mark.parametrize(
    ("priority", "expected"),
    [("High", "High"), (1, "Medium"), ("3", "High"), ("Critical", "High"), ("Default", "Low"), (None, "Low")],
)
async def test_priorities_are_the_items_the_highest_for_critical(
    curator: V3, report: str, priority: Any, expected: str
) -> None:
    made = curator.ok("POST", f"/v3/workflows/{report}/jobs", {"priority": priority, "workerTag": "gpu"})
    assert (made["priority"], made["workerTag"]) == (expected, "gpu")


async def test_without_the_privilege_to_create_nothing_is_run(client: TestClient, maker: V3, report: str) -> None:
    on_store(client, _add_looker)
    looker = V3(client, "looker", Dialect.ANALYTICS)
    assert "jobCreate" in looker.refused("POST", f"/v3/workflows/{report}/jobs", {}, 403)["message"]
    assert looker.get(f"/v3/workflows/{report}/jobs") == []


def _add_looker(tx: Tx) -> None:
    item = tx.items()[0]
    tx.add_user("looker", None)
    tx.add_group(Group("lookers", "Lookers"))
    tx.put_role(item, Role("Looker", "Looks.", ()))
    tx.link_role(item, "lookers", "Looker", True)
    tx.set_member("looker", "lookers", True)
    tx.bump_access(item)


@pytest.mark.parametrize("workflow_id", ["000000000000000000999999", "x", "0", "69a555140000000000000001"])
async def test_a_workflow_that_is_not_there_is_not_found(maker: V3, workflow_id: str) -> None:
    maker.refused("GET", f"/v3/workflows/{workflow_id}/jobs", status=404)
    maker.refused("POST", f"/v3/workflows/{workflow_id}/jobs", {}, 404)


async def test_a_template_that_is_shared_with_others_is_no_workflow(client: TestClient, maker: V3, curator: V3) -> None:
    api = Api(client)
    on_store(client, lambda tx: tx.add_group(Group("closed", "Closed")))
    template_id = api.template("For others", api.diagram("For others", [{"id": "a", "name": "A", "paths": []}]))
    api.post(f"jobTemplates/{template_id}/shareWith", {"groupIds": ["closed"]})
    found = workflow(curator, "For others")
    assert "For others" not in [each["name"] for each in maker.get("/v3/workflows")]
    maker.refused("POST", f"/v3/workflows/{found}/jobs", {}, 404)


# ---------------------------------------------------------------- lists


async def test_the_jobs_of_a_workflow_are_ones_own_and_a_curators_all(
    client: TestClient, maker: V3, otto: V3, curator: V3, report: str
) -> None:
    made = maker.ok("POST", f"/v3/workflows/{report}/jobs", {})
    rows = {row["id"]: row for row in maker.get(f"/v3/workflows/{report}/jobs?limit=1000")}
    assert set(rows[made["id"]]) == {"id", "createDate", "status", "priority", "workerTag", "runWithE2"}
    assert made["id"] in [row["id"] for row in curator.get(f"/webapi/v3/workflows/{report}/jobs?limit=1000")]
    assert otto.in_(Dialect.ANALYTICS).get(f"/v3/workflows/{report}/jobs") == []
    for word in ("Running", "running,Queued"):
        assert made["id"] in [row["id"] for row in maker.get(f"/v3/workflows/{report}/jobs?status={word}&limit=1000")]
    assert maker.get(f"/v3/workflows/{report}/jobs?state=Completed&status=Running") == []
    assert maker.get(f"/v3/workflows/{report}/jobs?resultCode=Warning") == []
    newest = maker.get(f"/v3/workflows/{report}/jobs?sortField=createdate&direction=desc&limit=1")
    assert [row["id"] for row in newest] == [max(rows, key=lambda each: int(each[8:], 16))]


@pytest.mark.parametrize(
    "query",
    ["status=Odd", "resultCode=Odd", "sortField=Odd", "direction=up", "offset=-1", "limit=x", "state=1"],
)
async def test_a_filter_that_is_not_right_is_named(maker: V3, report: str, query: str) -> None:
    name, _, value = query.partition("=")
    found = maker.refused("GET", f"/v3/workflows/{report}/jobs?{query}")
    assert found["modelState"] == {name: [f"The value '{value}' is not valid."]}


async def test_curators_list_all_jobs_and_narrow_them(
    client: TestClient, maker: V3, curator: V3, report: str, people: dict[str, int]
) -> None:
    made = maker.ok("POST", f"/v3/workflows/{report}/jobs", {"questions": [{"name": "Region", "value": "East"}]})
    await ended(maker, made)
    today = datetime.now(UTC).date()
    day = timedelta(days=1)

    def found(query: str) -> bool:
        return made["id"] in [line["jobId"] for line in curator.get(f"/v3/jobs?limit=1000&{query}")["data"]]

    line = next(line for line in curator.get("/v3/jobs?limit=1000")["data"] if line["jobId"] == made["id"])
    assert (line["workflowId"], line["workflowName"], line["submittedBy"]) == (report, REPORT, "Mira")
    assert line["executionTime"].startswith("00:")
    assert line["startTime"].endswith("Z")
    mine, other = hex_id(people[MIRA]), hex_id(people[OTTO])
    for query in (
        f"users={mine}&allUsers=true", f"users={other}", "statuses=Complete", "priorities=Low,High",
        "workflowNames=Regional%20report", f"completedAfter={today - day}", f"completedBefore={today + day}",
    ):  # fmt: skip
        assert found(query), query
    for query in (
        f"users={other}&allUsers=true", f"users={hex_id(999_999)}&allUsers=true", "statuses=Running,Initializing",
        "priorities=Critical", "workflowNames=None", f"completedAfter={today}", f"completedBefore={today}",
    ):  # fmt: skip
        assert not found(query), query
    for query in ("users=x&allUsers=true", "allUsers=perhaps&users=1", "completedAfter=soon", "priorities=odd"):
        curator.refused("GET", f"/v3/jobs?{query}")
    for field in ("CreateDate", "AppName", "CompletionDateTime", "Priority", "Status"):
        assert curator.get(f"/v3/jobs?sortField={field}&direction=desc&limit=2")["data"]


async def test_only_curators_list_all_jobs(maker: V3) -> None:
    assert maker.refused("GET", "/v3/jobs", status=401)["message"].startswith("Authorization has been denied")


# ---------------------------------------------------------------- one job


async def test_jobs_that_a_schedule_made_are_seen_by_the_groups_its_template_is_shared_with(
    client: TestClient, maker: V3, otto: V3
) -> None:
    api = Api(client)
    template_id = api.template("Nightly", api.diagram("Nightly", [{"id": "a", "name": "A", "paths": []}]))
    made: dict[str, int] = {}
    for kind in (AutomationType.SCHEDULED, AutomationType.WEBHOOK):
        made[kind] = _made_by(client, template_id, Origin("auto", kind))
    by_schedule, by_webhook = (
        hex_of(client, made[kind]) for kind in (AutomationType.SCHEDULED, AutomationType.WEBHOOK)
    )
    maker.refused("GET", f"/v3/jobs/{by_schedule}", status=404)
    on_store(client, _share_with_mira(template_id))
    assert maker.get(f"/v3/jobs/{by_schedule}")["id"] == by_schedule
    maker.refused("GET", f"/v3/jobs/{by_webhook}", status=404)
    rows = maker.get(f"/v3/workflows/{workflow(maker, 'Nightly')}/jobs")
    assert [row["id"] for row in rows] == [by_schedule]
    maker.refused("DELETE", f"/v3/jobs/{by_schedule}", status=404)
    V3(client, MIRA).refused("GET", f"/v3/jobs/{made[AutomationType.SCHEDULED]}", status=404)
    otto.in_(Dialect.ANALYTICS).refused("GET", f"/v3/jobs/{by_schedule}", status=404)


def _made_by(client: TestClient, template_id: str, origin: Origin) -> int:
    assert client.portal is not None
    engine = client.app.state.gateway.engine  # type: ignore[attr-defined]

    def make(unit: Any) -> int:
        (job_id,) = creation.create(unit, template_id, JobOverrides(origin=origin)).job_ids
        return int(unit.tx.job(unit.item, job_id).number)

    return int(client.portal.call(engine.execute, Caller(ORG_ID, ITEM_ID, ADMIN), make))


def _share_with_mira(template_id: str) -> Callable[[Tx], None]:
    def share(tx: Tx) -> None:
        item = tx.items()[0]
        tx.add_group(Group("night", "Night"))
        tx.set_member(MIRA, "night", True)
        template = tx.template(item, template_id)
        assert template is not None
        tx.put_template(item, replace(template, shared_with=("night",)))
        tx.bump_access(None)

    return share


@contextmanager
def settings(client: TestClient, **changes: Any) -> Iterator[None]:
    """Other settings for a while."""
    state = client.app.state  # type: ignore[attr-defined]
    parts = state.gateway
    state.gateway = replace(parts, settings=msgspec.structs.replace(parts.settings, **changes))
    try:
        yield
    finally:
        state.gateway = parts


async def test_only_apps_are_shown_where_the_setting_says_so(
    client: TestClient, mira: V3, maker: V3, report: str
) -> None:
    path = f"/v3/jobs/{hex_of(client, mira.spool())}"
    assert mira.get(path)["appId"] is None
    made = maker.ok("POST", f"/v3/workflows/{report}/jobs", {})
    with settings(client, v3_app_only=True):
        mira.refused("GET", path, status=404)
        assert maker.get(f"/v3/jobs/{made['id']}")["appId"] == report


async def test_the_item_of_the_setting_is_served_and_no_other(client: TestClient, mira: V3) -> None:
    number = mira.spool()
    for item_id, status in (("f" * 32, 404), (ITEM_ID, 200)):
        with settings(client, v3_item=item_id):
            assert mira.call("GET", f"/v3/jobs/{number}").status_code == status


async def test_outputs_are_the_files_of_a_job_in_both_addresses(client: TestClient, mira: V3, otto: V3) -> None:
    number = mira.spool()
    long_id, job_id, api = hex_of(client, number), job_of(client, number), Api(client)
    for name in ("q3.csv", "notes"):
        api.call("POST", f"jobs/{job_id}/attachments", files={"attachment": (name, b"a,b\n1,2\n")})
    api.post(f"jobs/{job_id}/attachmentslinked", {"attachments": [{"url": "https://example.com/x", "alias": "x"}]})
    outputs = mira.get(f"/v3/jobs/{long_id}")["outputs"]
    assert [(each["fileName"], each["availableFormats"]) for each in outputs] == [
        ("q3.csv", ["Raw", "Csv"]),
        ("notes", ["Raw"]),
    ]
    for base in (f"/webapi/v1/jobs/{long_id}", f"/webapi/v3/jobs/{long_id}", f"/v3/jobs/{number}"):
        path = f"{base}/output/{outputs[0]['id']}"
        assert mira.call("GET", f"{path}?format=Csv").content == b"a,b\n1,2\n"
        assert (
            mira.call("GET", path, headers={"Authorization": f"Bearer {mira.token}", "Range": "bytes=0-2"}).content
            == b"a,b"
        )
        mira.refused("GET", f"{path}?format=Pdf", status=404)
        mira.refused("GET", f"{base}/output/none", status=404)
        otto.refused("GET", path, status=404)
    levels = [(each["status"], each["text"]) for each in mira.get(f"/v3/jobs/{long_id}")["messages"]]
    assert (9, "q3.csv added") in levels


async def test_a_job_is_cancelled_by_its_owner_or_a_curator(
    client: TestClient, maker: V3, otto: V3, curator: V3, report: str
) -> None:
    one, two = (maker.ok("POST", f"/v3/workflows/{report}/jobs", {}) for _ in range(2))
    otto.in_(Dialect.ANALYTICS).refused("DELETE", f"/v3/jobs/{one['id']}", status=404)
    maker.ok("DELETE", f"/webapi/v3/jobs/{one['id']}", status=204)
    curator.ok("DELETE", f"/v3/jobs/{two['id']}", status=204)
    for made in (one, two):
        found = maker.get(f"/v3/jobs/{made['id']}")
        assert (found["status"], found["disposition"]) == ("Cancelled", "Cancelled")
    done = maker.ok("POST", f"/v3/workflows/{report}/jobs", {"questions": [{"name": "Region", "value": "West"}]})
    await ended(maker, done)
    assert maker.refused("DELETE", f"/v3/jobs/{done['id']}", status=409)["message"].startswith("Invalid operation")


async def test_every_state_has_its_word_in_both_dialects() -> None:
    assert set(STATES) == set(STATUSES) == set(Phase)
