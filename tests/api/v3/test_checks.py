"""The thirteen checks of v3-jobs.md 4.7, by their names."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.auth.dialect_tokens import DialectTokens
from app.protocol.v3.dialects import USUAL_SCOPES, Bearer, Dialect
from app.services.first_start import ADMIN
from tests.api.conftest import Api
from tests.api.v3.conftest import ASKING, MIRA, V3, hex_of, job_of


def test_a_both_ids_of_one_job_answer_each_in_its_dialect_and_agree(client: TestClient, mira: V3, curator: V3) -> None:
    number = mira.spool(name="both.pdf")
    long_id = hex_of(client, number)
    job, view = mira.detail(number), mira.get(f"/v3/jobs/{long_id}")
    assert (job["id"], view["id"]) == (number, long_id)
    assert (job["state"], view["status"], view["disposition"]) == ("ready", "Created", "None")
    line = next(line for line in curator.get("/v3/jobs?limit=1000")["data"] if line["jobId"] == long_id)
    assert line["submittedBy"] == "Mira"
    known = Api(client).get(f"jobs/{job['jobId']}")
    assert job["jobId"] == job_of(client, number)
    assert (known["jobName"], known["ownedBy"]) == (job["name"], MIRA)
    mira.processed(number)
    assert mira.detail(number)["state"] == "printed"
    assert mira.get(f"/v3/jobs/{long_id}")["disposition"] == "Success"


def test_b_a_long_id_with_the_right_number_and_another_time_is_not_found(client: TestClient, mira: V3) -> None:
    long_id = hex_of(client, mira.spool())
    other = f"{int(long_id[:8], 16) + 1:08x}{long_id[8:]}"
    assert mira.refused("GET", f"/v3/jobs/{other}", status=404) == {"message": "Job not found"}


def test_c_project_0_clears_and_the_gate_returns(mira: V3, gated: str, project: int) -> None:
    number = mira.spool(gated)
    assert mira.state(number) == "paused"
    mira.ok("PATCH", f"/v3/jobs/{number}", {"projectId": project})
    assert (mira.state(number), mira.detail(number)["projectId"]) == ("ready", project)
    mira.ok("PATCH", f"/v3/jobs/{number}", {"projectId": 0})
    assert (mira.state(number), mira.detail(number)["projectId"]) == ("paused", 0)
    mira.refused("POST", "/v3/jobs/process", {"jobIds": [number]}, 409)
    mira.processed(number, projectId=project)
    assert mira.state(number) == "printed"


def test_d_a_patch_of_several_leaves_a_foreign_job_out_and_counts_the_others(mira: V3, otto: V3) -> None:
    mine, also_mine, foreign = mira.spool(), mira.spool(), otto.spool()
    found = mira.ok(
        "PATCH", "/v3/jobs", {"jobs": [{"id": number, "favorite": True} for number in (also_mine, foreign, mine)]}
    )
    assert ([job["id"] for job in found["jobs"]], found["count"]) == ([mine, also_mine], 2)
    assert not otto.detail(foreign)["favorite"]


def test_e_cancelling_several_with_a_foreign_one_changes_nothing(mira: V3, otto: V3) -> None:
    mine, foreign = mira.spool(), otto.spool()
    assert mira.refused("POST", "/v3/jobs/delete", [mine, foreign], 404)["data"] == [foreign]
    assert (mira.state(mine), otto.state(foreign)) == ("ready", "ready")


def test_f_cancelling_twice_succeeds_and_the_job_still_reads(client: TestClient, mira: V3) -> None:
    number = mira.spool()
    for _ in range(2):
        assert mira.ok("DELETE", f"/v3/jobs/{number}", status=204) is None
    assert mira.state(number) == "deleted"
    view = mira.get(f"/v3/jobs/{hex_of(client, number)}")
    assert (view["status"], view["disposition"]) == ("Cancelled", "Cancelled")


def test_g_the_same_uuid_twice_is_one_job(mira: V3, otto: V3) -> None:
    first = mira.spool(uuid="the-same")
    assert mira.spool(uuid="the-same", name="another name") == first
    assert otto.spool(uuid="the-same") != first, "another owner's is another job"


def test_h_processing_while_a_question_is_open_is_refused_and_the_job_stays_paused(mira: V3) -> None:
    number = mira.spool(ASKING)
    found = mira.refused("POST", "/v3/jobs/process", {"jobIds": [number]}, 409)
    assert found["message"].startswith("Invalid operation: The operation cannot be performed in the current state.")
    assert found["data"] == [number]
    assert mira.state(number) == "paused"


def test_i_an_answer_leads_on_and_its_key_is_refused_afterwards(mira: V3) -> None:
    number = mira.spool(ASKING)
    asked = mira.detail(number)["interaction"]
    assert (asked["text"], asked["options"], asked["state"]) == ("Two-sided?", ["duplex", "simplex", "cancel"], [])
    response = mira.answer(number, asked["key"], "duplex", "simplex", state=[])
    assert response.json() == {"interaction": None, "state": "ready"}
    again = mira.answer(number, asked["key"], "duplex")
    assert (again.status_code, again.json()["code"]) == (409, 409)


def test_j_messages_are_left_out_on_request_only(client: TestClient, mira: V3) -> None:
    path = f"/v3/jobs/{hex_of(client, mira.spool())}"
    whole = mira.get(path)
    assert set(whole) == {
        "id", "appId", "createDateTime", "status", "disposition", "outputs", "messages", "priority", "workerTag",
        "runWithE2",
    }  # fmt: skip
    for query in ("?includeMessages", "?includeMessages=", "?includeMessages=true"):
        assert mira.get(path + query) == whole
    assert set(mira.get(path + "?includeMessages=false")) == set(whole) - {"messages"}
    assert mira.refused("GET", path + "?includeMessages=maybe") == {
        "message": "The request is invalid.",
        "modelState": {"includeMessages": ["The value 'maybe' is not valid."]},
    }


def test_k_messages_are_for_curators(client: TestClient, mira: V3, curator: V3) -> None:
    path = f"/v3/jobs/{hex_of(client, mira.spool())}/messages"
    assert [message["toolId"] for message in curator.get(path)] == [1, 1]
    denied = {"message": "Authorization has been denied for this request."}
    assert mira.refused("GET", path, status=401) == denied
    assert curator.refused("GET", "/v3/jobs/69a5551400000000000fffff/messages", status=404)


def test_l_a_failed_job_is_completed_with_an_error_and_found_as_complete(client: TestClient, curator: V3) -> None:
    api = Api(client)
    step = {
        "id": "fails",
        "name": "Fails",
        "automatic": True,
        "proceedNext": True,
        "action": {"actionType": "Manual", "args": {}},
        "paths": [{"nextStep": "end", "expression": "$retVal == 'never'"}],
    }
    end = {"id": "end", "name": "End", "paths": []}
    api.template("Failing", api.diagram("Failing", [step, end], active=True))
    workflow = next(each for each in curator.get("/v3/workflows") if each["name"] == "Failing")
    made = curator.ok("POST", f"/v3/workflows/{workflow['id']}/jobs", {})
    assert (made["status"], made["disposition"]) == ("Completed", "Error")
    for word in ("Complete", "Completed"):
        found = curator.get(f"/v3/jobs?statuses={word}&limit=1000")["data"]
        assert made["id"] in [line["jobId"] for line in found]
    rows = curator.get(f"/v3/workflows/{workflow['id']}/jobs?resultCode=Error")
    assert [row["id"] for row in rows] == [made["id"]]


def expired(client: TestClient, dialect: Dialect) -> str:
    tokens = DialectTokens(client.app.state.gateway.tokens)  # type: ignore[attr-defined]
    return tokens.issue(Bearer(dialect, ADMIN, frozenset(USUAL_SCOPES)), -1)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v3/jobs/1", {"code", "message", "data"}),
        ("/api/v3/jobs", {"code", "message", "data"}),
        ("/v3/jobs/69a5551400000000000fffff", {"message"}),
        ("/webapi/v3/jobs", {"message"}),
    ],
)
def test_m_the_other_header_counts_and_an_expired_token_is_refused_in_the_dialect(
    client: TestClient, mira: V3, path: str, body: set[str]
) -> None:
    found: Any = client.get("/v3/queues", headers={"Authentication": f"Bearer {mira.token}"})
    assert found.status_code == 200
    for dialect in Dialect:
        refused = client.get(path, headers={"Authorization": f"Bearer {expired(client, dialect)}"})
        assert (refused.status_code, set(refused.json())) == (401, body)
    assert client.get(path).status_code == 401
