"""The print dialect, call by call: what it does, what it refuses, and that subscribers and the history are told."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.domain.access import Role
from app.protocol.v3.ids import hex_id
from app.services.first_start import ADMIN
from app.services.ports import Group
from tests.api.conftest import Api
from tests.api.v3.conftest import ASKING, MIRA, OTTO, PULL, V3, hex_of, history, job_of, on_store

JOB_MEMBERS = {
    "id", "name", "date", "dateTime", "favorite", "cost", "duplex", "color", "pageCount", "colorCount", "copies",
    "paper",
}  # fmt: skip


@pytest.fixture
def admin(mira: V3) -> V3:
    return mira.as_(ADMIN)


def feed(client: TestClient, number: int) -> list[tuple[str, Any]]:
    """What subscribers were told of a job: message types and bodies."""
    job_id = job_of(client, number)

    def read(tx: Any) -> list[Any]:
        return list(tx.feed(tx.items()[0], job_id, 0))

    return [(message.msg_type, json.loads(message.body)["message"]) for message in on_store(client, read)]


def updates(client: TestClient, number: int) -> list[dict[str, str]]:
    """The members that ``JobUpdated`` messages have told, one dictionary each."""
    told = [body["properties"]["jobProperties"] for kind, body in feed(client, number) if kind == "JobUpdated"]
    return [{each["propertyName"]: each["value"] for each in properties} for properties in told]


# ---------------------------------------------------------------- P5 register


def test_a_registered_job_has_what_the_client_has_parsed(client: TestClient, mira: V3) -> None:
    number = mira.spool(jobInfo={"pageCount": 12, "copies": 2, "paper": {"state": 5}, "unknown": 1})
    found = mira.detail(number)
    assert (found["pageCount"], found["copies"], found["paper"], found["duplex"]) == (12, 2, {"state": 5}, False)
    assert (found["queue"], found["account"], found["interaction"]) == (PULL, None, None)
    assert found["dateTime"].startswith(found["date"])
    assert ("Created", "q3-report.pdf") in history(client, number)


def test_a_job_of_a_direct_queue_is_processed_at_once(client: TestClient, mira: V3) -> None:
    api = Api(client)
    steps = [{"id": "print", "name": "Print", "automatic": True, "proceedNext": True, "paths": []}]
    api.template("Direct", api.diagram("Direct", steps))
    number = mira.spool("Direct")
    assert mira.state(number) == "printed"
    assert ("Processed", None) in history(client, number)
    assert {"Direct": "direct", PULL: "pull"}.items() <= {
        queue["name"]: queue["type"] for queue in mira.get("/v3/queues")["queues"]
    }.items()


@pytest.mark.parametrize(
    ("members", "status", "data"),
    [
        ({"queue": "No such"}, 404, ["queue"]),
        ({"owner": "nobody"}, 403, []),
        ({"owner": OTTO}, 403, []),
        ({"computer": ""}, 400, None),
        ({"uuid": None}, 400, None),
        ({"size": -1}, 400, None),
        ({"name": None}, 400, None),
        ({"jobInfo": {"copies": "two"}}, 400, None),
    ],
)
def test_a_job_that_is_not_right_is_not_registered(
    mira: V3, members: dict[str, Any], status: int, data: list[str] | None
) -> None:
    before = mira.get("/v3/jobs")["count"]
    body = {"queue": PULL, "owner": MIRA, "computer": "c", "name": "n", "uuid": "refused"}
    found = mira.refused("POST", "/v3/jobs/client", body | members, status)
    assert data is None or found["data"] == data
    assert mira.get("/v3/jobs")["count"] == before


def test_a_queue_that_is_off_takes_no_job(client: TestClient, mira: V3) -> None:
    api = Api(client)
    diagram_id = api.diagram("Off", [{"id": "a", "name": "A", "paths": []}])
    api.template("Off", diagram_id, state="Draft")
    body = {"queue": "Off", "owner": MIRA, "computer": "c", "name": "n", "uuid": "off"}
    assert "is off" in mira.refused("POST", "/v3/jobs/client", body, 409)["message"]
    assert "Off" not in [queue["name"] for queue in mira.get("/v3/queues")["queues"]]


def test_registering_for_somebody_else_takes_an_administrator_or_the_scope(mira: V3, otto: V3, admin: V3) -> None:
    for who in (mira.as_(MIRA, "print.services"), admin):
        number = V3.spool(who, owner=OTTO)
        assert otto.detail(number)["state"] == "ready"
    body = {"queue": PULL, "owner": "nobody", "computer": "c", "name": "n", "uuid": "u"}
    assert admin.refused("POST", "/v3/jobs/client", body, 400)["data"] == ["owner"]


def test_without_the_privilege_to_create_nothing_is_registered(client: TestClient, people: Any) -> None:
    assert people
    on_store(client, _add_reader)
    reader = V3(client, "reader")
    body = {"queue": PULL, "owner": "reader", "computer": "c", "name": "n", "uuid": "u"}
    assert "jobCreate" in reader.refused("POST", "/v3/jobs/client", body, 403)["message"]
    assert reader.get("/v3/jobs") == {"jobs": [], "count": 0}


def _add_reader(tx: Any) -> None:
    item = tx.items()[0]
    tx.add_user("reader", None)
    tx.add_group(Group("readers", "Readers"))
    tx.put_role(item, Role("Reader", "Reads.", ()))
    tx.link_role(item, "readers", "Reader", True)
    tx.set_member("reader", "readers", True)
    tx.bump_access(item)


# ---------------------------------------------------------------- P1, P2 change


def test_a_changed_job_is_answered_with_its_twelve_members_and_told(client: TestClient, mira: V3, project: int) -> None:
    number = mira.spool()
    found = mira.ok(
        "PATCH", f"/v3/jobs/{number}", {"favorite": True, "projectId": project, "account": "credit", "x": 1}
    )
    assert set(found) == JOB_MEMBERS
    assert (found["favorite"], found["cost"], found["paper"]) == (True, 1.85, {"state": 0})
    assert updates(client, number)[-1] == {"favorite": "true", "project_id": str(project), "account": "credit"}
    assert history(client, number)[-1] == (
        "Updated", f"project_id: none -> {project}; favorite: false -> true; account: none -> credit",
    )  # fmt: skip
    told = len(feed(client, number))
    mira.ok("PATCH", f"/v3/jobs/{number}", {"favorite": True, "account": None})
    assert len(feed(client, number)) == told, "what is as it was changes nothing"


def test_before_it_is_parsed_a_job_has_all_members_all_the_same(client: TestClient, mira: V3) -> None:
    api = Api(client)
    unparsed = {
        "id": "parse", "name": "Parse", "automatic": True,
        "action": {"actionType": "Question", "args": {"question": "?", "questionResponses": {
            "a": {"displayName": "a", "value": 1}}}},
        "paths": [],
    }  # fmt: skip
    api.template("No info", api.diagram("No info", [unparsed]))
    number = mira.spool("No info", jobInfo=None)
    found = mira.ok("PATCH", f"/v3/jobs/{number}", {"favorite": False})
    assert {name: found[name] for name in ("cost", "duplex", "color", "pageCount", "paper")} == {
        "cost": 0, "duplex": False, "color": False, "pageCount": 0, "paper": {"state": 0},
    }  # fmt: skip


def test_a_new_owner_takes_the_job_over_with_its_question(
    client: TestClient, mira: V3, otto: V3, admin: V3, people: dict[str, int]
) -> None:
    number = mira.spool(ASKING)
    assert "impersonate" in mira.refused("PATCH", f"/v3/jobs/{number}", {"ownerId": people[OTTO]}, 403)["message"]
    assert (
        "impersonate"
        in mira.refused("PATCH", "/v3/jobs", {"jobs": [{"id": number, "ownerId": people[OTTO]}]}, 403)["message"]
    )
    mira.ok("PATCH", f"/v3/jobs/{number}", {"ownerId": people[MIRA]})
    admin.ok("PATCH", f"/v3/jobs/{number}", {"ownerId": people[OTTO]})
    mira.refused("GET", f"/v3/jobs/{number}", status=404)
    asked = otto.detail(number)
    assert (asked["ownerId"], asked["state"]) == (people[OTTO], "paused")
    assert ("Updated", f"owned_by: {MIRA} -> {OTTO}") in history(client, number)
    assert [kind for kind, _ in feed(client, number)][-2:] == ["StepReassigned", "StepInfoRequired"]
    assert otto.answer(number, asked["interaction"]["key"], "simplex").json()["state"] == "ready"


@pytest.mark.parametrize(
    ("patch", "status", "data"),
    [
        ({"projectId": 9_999}, 400, ["projectId"]),
        ({"ownerId": 9_999}, 400, ["ownerId"]),
        ({"favorite": "yes"}, 400, None),
        ({"projectId": -1}, 400, None),
        ([], 400, None),
    ],
)
def test_a_patch_that_is_not_right_is_refused_and_leaves_the_job_as_it_was(
    admin: V3, mira: V3, patch: Any, status: int, data: Any
) -> None:
    number = mira.spool()
    before = mira.detail(number)
    found = admin.refused("PATCH", f"/v3/jobs/{number}", patch, status)
    assert data is None or found["data"] == data
    assert mira.detail(number) == before


def test_patches_that_cannot_be_done_are_left_out(mira: V3, project: int) -> None:
    one, two = mira.spool(), mira.spool()
    patches = [{"id": one, "projectId": 9_999}, {"id": two, "projectId": project}, {"id": 999_999, "favorite": True}]
    for body in (patches, {"jobs": patches}):
        assert [job["id"] for job in mira.ok("PATCH", "/v3/jobs", body)["jobs"]] == [two]
    assert mira.ok("PATCH", "/v3/jobs", {"jobs": []}) == {"jobs": [], "count": 0}
    mira.refused("PATCH", "/v3/jobs", {"jobs": [{"favorite": True}]})


def test_a_patch_by_the_long_id_is_answered_in_the_other_dialect(client: TestClient, mira: V3) -> None:
    number = mira.spool()
    long_id = hex_of(client, number)
    assert mira.ok("PATCH", f"/v3/jobs/{long_id}", {"favorite": True})["id"] == long_id
    assert mira.ok("PATCH", f"/api/v3/jobs/{long_id}", {"favorite": True})["id"] == number


# ---------------------------------------------------------------- P3, P4 cancel


def test_cancelling_is_told_and_final(client: TestClient, mira: V3) -> None:
    number = mira.spool(ASKING)
    key = mira.detail(number)["interaction"]["key"]
    mira.ok("POST", "/v3/jobs/delete", [number, number], 204)
    assert mira.detail(number)["interaction"] is None
    assert ("Cancelled", None) in history(client, number)
    assert updates(client, number)[-1]["cancelled"] == "true"
    assert "StepCancelled" in [kind for kind, _ in feed(client, number)]
    assert mira.answer(number, key, "duplex").status_code == 409
    assert mira.refused("POST", "/v3/jobs/process", {"jobIds": [number]}, 409)["data"] == [number]
    api = Api(client)
    refused = api.post("jobs/manage", {"type": "Reopen", "jobIds": [job_of(client, number)]})
    assert (refused["success"], refused["name"]) == (False, "JobCancelled")


def test_a_job_that_has_ended_is_not_cancelled_and_nothing_else_is(mira: V3) -> None:
    ended, ready = mira.spool(), mira.spool()
    mira.processed(ended)
    assert mira.refused("POST", "/v3/jobs/delete", [ready, ended], 409)["data"] == [ended]
    mira.refused("DELETE", f"/v3/jobs/{ended}", status=409)
    assert mira.state(ready) == "ready"


@pytest.mark.parametrize("body", [{"jobs": [1]}, ["1"], [0], [1.5], None])
def test_a_body_that_names_no_numbers_cancels_nothing(mira: V3, body: Any) -> None:
    response = mira.call("POST", "/v3/jobs/delete", json=body)
    assert (response.status_code, response.json()["code"]) == (400, 400)


@pytest.mark.parametrize("number", ["999999", "0", "x", "69a5551400000000000fffff", "1.5"])
def test_a_job_that_is_not_there_is_not_found(mira: V3, number: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/state"), ("GET", "/data")):
        mira.refused(method, f"/v3/jobs/{number}{path}", status=404)
    mira.refused("PATCH", f"/v3/jobs/{number}", {}, 404)
    mira.refused("POST", f"/v3/jobs/{number}/script", {"1": {"a": True}}, 404)


# ---------------------------------------------------------------- P6 process


def test_a_printed_job_is_printed_again_as_the_same_job(client: TestClient, mira: V3) -> None:
    number = mira.spool()
    mira.processed(number)
    mira.processed(number)
    assert mira.state(number) == "printed"
    actions = [action for action, _ in history(client, number)]
    assert (actions.count("Processed"), actions.count("Restarted"), actions.count("Completed")) == (2, 1, 2)


def test_processing_is_all_or_none(mira: V3, otto: V3, project: int) -> None:
    mine, asking, foreign = mira.spool(), mira.spool(ASKING), otto.spool()
    assert mira.refused("POST", "/v3/jobs/process", {"jobIds": [mine, foreign]}, 404)["data"] == [foreign]
    body = {"jobIds": [mine, asking], "projectId": project}
    assert mira.refused("POST", "/v3/jobs/process", body, 409)["data"] == [asking]
    found = mira.detail(mine)
    assert (found["state"], found["projectId"]) == ("ready", 0)


def test_a_project_and_an_account_are_set_before(mira: V3, project: int) -> None:
    number = mira.spool()
    mira.processed(number, projectId=project, account="credit.internal", owner=MIRA)
    found = mira.detail(number)
    assert (found["projectId"], found["account"], found["state"]) == (project, "credit.internal", "printed")
    mira.processed(number, account=None)
    assert mira.detail(number)["account"] == "credit.internal"


def test_acting_for_another_takes_an_administrator_or_the_scope_and_is_for_their_jobs(
    mira: V3, otto: V3, admin: V3
) -> None:
    number, mine = otto.spool(), mira.spool()
    mira.refused("POST", "/v3/jobs/process", {"jobIds": [number], "owner": OTTO}, 403)
    helper = mira.as_(MIRA, "impersonate")
    assert helper.refused("POST", "/v3/jobs/process", {"jobIds": [mine], "owner": OTTO}, 404)["data"] == [mine]
    helper.processed(number, owner=OTTO)
    admin.processed(number)
    assert otto.state(number) == "printed"


@pytest.mark.parametrize("members", [{"jobIds": []}, {"jobIds": ["1"]}, {"jobIds": None}, {"projectId": 9_999}])
def test_a_request_that_is_not_right_processes_nothing(mira: V3, members: dict[str, Any]) -> None:
    number = mira.spool()
    mira.refused("POST", "/v3/jobs/process", {"jobIds": [number]} | members, 400)
    assert mira.state(number) == "ready"


# ---------------------------------------------------------------- P7 answer


def test_an_option_that_cancels_cancels_the_job(mira: V3) -> None:
    number = mira.spool(ASKING)
    key = mira.detail(number)["interaction"]["key"]
    assert mira.answer(number, key, "cancel").json() == {"interaction": None, "state": "deleted"}


def test_an_administrator_answers_for_the_owner_and_a_stranger_does_not(mira: V3, otto: V3, admin: V3) -> None:
    number = mira.spool(ASKING)
    key = mira.detail(number)["interaction"]["key"]
    assert otto.answer(number, key, "duplex").status_code == 404
    assert admin.answer(number, key, "duplex").json()["state"] == "ready"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"state": []}, 400),
        ({"KEY": {"duplex": True}, "2": {"simplex": True}}, 400),
        ({"KEY": {"duplex": True, "simplex": True}}, 400),
        ({"KEY": {"duplex": None, "simplex": False}}, 400),
        ({"KEY": {"both": True}}, 400),
        ({"KEY": {"duplex": True, "both": None}}, 400),
        ({"KEY": "duplex"}, 400),
        ({"KEY": {"duplex": 1}}, 400),
        ({"KEY": {"duplex": True}, "state": "x"}, 400),
        ({"KEY": {"duplex": True}, "state": {"duplex": True}}, 409),
        ({"1": {"duplex": True}}, 409),
    ],
)
def test_an_answer_of_another_shape_leaves_the_question_open(mira: V3, body: dict[str, Any], status: int) -> None:
    number = mira.spool(ASKING)
    key = mira.detail(number)["interaction"]["key"]
    given = {key if name == "KEY" else name: value for name, value in body.items()}
    mira.refused("POST", f"/v3/jobs/{number}/script", given, status)
    assert mira.detail(number)["interaction"]["key"] == key
    assert mira.answer(number, key, "simplex", state={}).status_code == 200


def test_a_job_without_a_question_takes_no_answer(mira: V3) -> None:
    assert "No question is open" in mira.answer(mira.spool(), "1", "yes").json()["message"]


def test_a_step_that_asks_for_yes_or_no_is_answered_with_one(client: TestClient, mira: V3) -> None:
    api = Api(client)
    step = {
        "id": "check", "name": "Check", "automatic": True, "proceedNext": True,
        "action": {"actionType": "Manual", "args": {"userPrompt": "Is there paper?"}}, "paths": [],
    }  # fmt: skip
    api.template("Check", api.diagram("Check", [step]))
    number = mira.spool("Check")
    asked = mira.detail(number)["interaction"]
    assert (asked["text"], asked["options"]) == ("Is there paper?", ["yes", "no"])
    assert mira.answer(number, asked["key"], "yes").json() == {"interaction": None, "state": "printed"}


def test_the_answer_is_that_of_step_information_and_the_first_one_wins(client: TestClient, mira: V3) -> None:
    """Through either door: the websocket's answer over the workflow API, then the script, and the other way round."""
    api = Api(client, MIRA)
    first, second = mira.spool(ASKING), mira.spool(ASKING)
    key = mira.detail(first)["interaction"]["key"]
    path = f"jobs/{job_of(client, first)}/steps/review/response"
    assert api.post(path, {"questionResponse": 1})["stage"] == "applied"
    assert mira.answer(first, key, "simplex").status_code == 409
    assert mira.answer(second, mira.detail(second)["interaction"]["key"], "simplex").status_code == 200
    path = f"jobs/{job_of(client, second)}/steps/review/response"
    assert api.refused(path, {"questionResponse": 1})["type"] == "already_answered"
    assert "StepFinished" in [kind for kind, _ in feed(client, second)]


# ---------------------------------------------------------------- lists and neighbours


def test_everybody_lists_their_own_jobs_and_an_administrator_all(mira: V3, otto: V3, admin: V3) -> None:
    number, other = mira.spool(), otto.spool()
    mine = [job["id"] for job in mira.get("/v3/jobs?limit=1000")["jobs"]]
    assert mine[0] == number, "the newest first"
    assert other not in mine
    assert {number, other} <= {job["id"] for job in admin.get("/api/v3/jobs?limit=1000")["jobs"]}
    assert mira.get("/v3/jobs?offset=1&limit=1")["count"] == 1
    for query in ("limit=1001", "offset=-1", "limit=x"):
        mira.refused("GET", f"/v3/jobs?{query}")


def test_queues_projects_and_users_give_the_numbers(mira: V3, people: dict[str, int], gated: str, project: int) -> None:
    queues = {queue["name"]: queue for queue in mira.get("/v3/queues")["queues"]}
    assert queues[gated]["client"] == {"interaction": {"project": True, "paymentAccount": False}}
    assert queues[PULL]["availableProtocols"] == ["client"]
    assert project in [each["id"] for each in mira.get("/v3/projects")["projects"]]
    users = {user["userName"]: user["id"] for user in mira.get("/v3/users")["users"]}
    assert (users[MIRA], users[OTTO]) == (people[MIRA], people[OTTO])


def test_accounts_are_ones_own_or_an_administrators_to_see(
    mira: V3, otto: V3, admin: V3, people: dict[str, int]
) -> None:
    for user_id in (str(people[MIRA]), hex_id(people[MIRA])):
        (account,) = mira.get(f"/v3/users/{user_id}/accounts")["accounts"]
        assert account == {"name": MIRA, "reference": f"internal.{people[MIRA]}", "type": "internal", "limits": []}
        assert admin.get(f"/v3/users/{user_id}/accounts")["count"] == 1
        otto.refused("GET", f"/v3/users/{user_id}/accounts", status=404)
    for user_id in ("0", "x", "999999"):
        admin.refused("GET", f"/v3/users/{user_id}/accounts", status=404)


def test_data_is_the_first_file_the_server_has(client: TestClient, mira: V3, program: V3) -> None:
    number = mira.spool()
    path = f"/v3/jobs/{number}/data"
    program.refused("GET", path, status=404)
    Api(client).call(
        "POST", f"jobs/{job_of(client, number)}/attachments", files={"attachment": ("a.txt", b"0123456789")}
    )
    assert program.call("GET", path).content == b"0123456789"
    headers = {"Authorization": f"Bearer {program.token}"}
    part = program.call("GET", path, headers=headers | {"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    behind = program.call("GET", path, headers=headers | {"Range": "bytes=99-"})
    assert (behind.status_code, behind.json()["code"]) == (416, 416)
    assert mira.call("GET", path).status_code == 200
