"""``evaluateArcade`` (rest.md 13.1), and expressions in diagrams that ask for more than the job's own members."""

from typing import Any

import pytest

from tests.api.conftest import ITEM, WORKER, Api, error

TABLES = [
    {
        "tableName": "parcel",
        "relationshipType": "OneToOne",
        "extendedPropertyDefinitions": [
            {"propertyName": "area", "dataType": "Integer", "defaultValue": "7"},
            {"propertyName": "owner", "dataType": "String", "defaultValue": "ana"},
        ],
    }
]


def step(step_id: str, *paths: dict[str, Any], kind: str = "Manual", **members: Any) -> dict[str, Any]:
    return {"id": step_id, "name": step_id, "action": {"actionType": kind}, "paths": list(paths)} | members


def path(next_step: str, expression: str | None = None, **members: Any) -> dict[str, Any]:
    found = {"nextStep": next_step, "assignedType": "Unassigned", "notifications": []} | members
    return found | ({"expression": expression} if expression else {})


def evaluate(api: Api, expression: str, job_id: str | None = None, **members: Any) -> str:
    body = {"expression": expression} | members
    if job_id is not None:
        body |= {"contextType": "JobContext", "context": {"jobId": job_id}}
    result: str = api.post("evaluateArcade", body)["result"]
    return result


def parcels(api: Api, name: str, steps: list[dict[str, Any]], **members: Any) -> str:
    """A template with the tables, which it shares with the others of the module."""
    diagram_id = api.diagram(name, steps, initialStepId=steps[0]["id"])
    is_there = bool(api.get("tableDefinitions")["tableDefinitions"])
    tables = [table | {"associateToExisting": is_there} for table in TABLES]
    return api.template(name, diagram_id, extendedPropertyTableDefinitions=tables, **members)


def test_an_expression_is_worth_its_text(worker: Api) -> None:
    assert evaluate(worker, "'test ' + '123'", contextType="BaseContext", context=None, f="json") == "test 123"
    assert evaluate(worker, "$currentUser") == WORKER
    assert evaluate(worker, "IIf(Year(Now()) > 2000, 1.0, 2)") == "1"
    assert evaluate(worker, "null") == ""
    assert evaluate(worker, "Count(Guid('digits'))") == "32"


def test_a_job_is_asked_in_its_context_and_by_its_id(worker: Api, manual: str) -> None:
    job_id = worker.job(manual, jobName="Arcade @ Tests", notes="it's", dueDate="2025-11-17T08:00:00Z")
    expression = "'Job name = ' + jobName($job)"
    assert evaluate(worker, expression, job_id) == "Job name = Arcade @ Tests"
    assert evaluate(worker, expression, job_id, parseMode="URL") == "Job name = Arcade+%40+Tests"
    assert evaluate(worker, '"notes=\'" + JobNotes($job) + "\'"', job_id, parseMode="Query") == "notes='it''s'"
    assert evaluate(worker, "JobDueDate($job)", job_id) == "1763366400"
    assert evaluate(worker, f"JobCreator('{job_id}')") == WORKER
    assert evaluate(worker, f"GetUser($currentPortal, JobOwner('{job_id}'))['username']") == WORKER
    assert evaluate(worker, "JobLocation($job)", job_id) == ""


def test_the_groups_of_a_user_stand_in_quotes(worker: Api) -> None:
    groups = evaluate(worker, "userGroups($currentUser)")
    assert groups.startswith("'")
    assert groups.endswith("'")


def test_properties_comments_and_runners_are_asked(api: Api, worker: Api) -> None:
    template = parcels(api, "Parcels asked", [step("a")])
    job_id = worker.job(template, extendedProperties=[{"identifier": "parcel.area", "value": "12"}])
    worker.post(f"jobs/{job_id}/comments", {"comment": "first"})
    worker.post(f"jobs/{job_id}/comments", {"comment": "second"})
    worker.action(job_id, "Run")
    assert evaluate(worker, "JobExtendedProperty($job, 'parcel', 'area') * 2", job_id) == "24"
    assert evaluate(worker, "JobExtendedProperty($job, 'parcel', 'owner')", job_id) == "ana"
    assert evaluate(worker, "JobComment($job) + LastRunner($job, 'a')", job_id) == f"second{WORKER}"
    assert evaluate(worker, "LastRunner($job, 'b')", job_id) == ""
    refused = worker.refused("evaluateArcade", {"expression": f"JobExtendedProperty('{job_id}', 'parcel', 'x')"})
    assert "no extended property parcel.x; it has: parcel.area, parcel.owner" in refused["message"]


def test_what_a_step_has_put_out_is_an_array(api: Api, worker: Api, manual: str) -> None:
    job_id = worker.job(manual)

    def put_out(tx: Any) -> None:
        item = tx.items()[0]
        tx.set_step_output(tx.job(item, job_id), "gp", ["a", 1, None])

    assert api.client.portal is not None
    api.client.portal.call(api.gateway.engine.store.run, put_out)
    assert evaluate(worker, "Concatenate(JobOutputArray($job, 'gp'), '|')", job_id) == "a|1|"


def test_a_path_is_taken_by_properties_as_the_answer_sets_them(api: Api, worker: Api) -> None:
    """The answer, its effect and the choice of the path are one transaction: the path sees the new value."""
    asked = {"properties": [{"identifier": "parcel.area", "required": True}]}
    large = path("large", "JobExtendedProperty($job, 'parcel', 'area') > 100")
    small = path("small", "JobExtendedProperty($job, 'parcel', 'area') <= 10")
    fill_in = step("a", large, small, kind="UpdateJobProperties", proceedNext=True)
    fill_in["action"]["args"] = asked
    template = parcels(api, "Parcels by size", [fill_in, step("large"), step("small")])
    job_id = worker.job(template)
    worker.action(job_id, "Run")
    between = {"propertyResponses": [{"identifier": "parcel.area", "value": "50"}]}
    refused = worker.refused(f"jobs/{job_id}/steps/a/response", between)
    assert "No path out of the step matches" in refused["message"]
    answer = {"propertyResponses": [{"identifier": "parcel.area", "value": "1000"}]}
    assert worker.post(f"jobs/{job_id}/steps/a/response", answer)["stage"] == "applied"
    assert worker.current(job_id) == ["large"]


def test_new_jobs_see_the_properties_they_are_created_with(api: Api, worker: Api) -> None:
    first = step("a", path("b", "JobExtendedProperty($job, 'parcel', 'area') == 12"), path("c"), automatic=True)
    template = parcels(
        api,
        "Parcels created",
        [first | {"proceedNext": True}, step("b"), step("c")],
        defaultAssignedTo="JobExtendedProperty($job, 'parcel', 'owner')",
    )
    properties = [{"identifier": "parcel.area", "value": "12"}, {"identifier": "parcel.owner", "value": WORKER}]
    job_id = worker.job(template, extendedProperties=properties)
    assert worker.current(job_id) == ["b", "c"]
    assert {each["assignedTo"] for each in worker.get(f"jobs/{job_id}")["currentSteps"]} == {WORKER}


def test_work_goes_back_to_whoever_did_it(api: Api, worker: Api) -> None:
    back = path("b", assignedType="User", assignedTo="LastRunner($job, 'a')")
    template = parcels(api, "Parcels back", [step("a", back), step("b")])
    job_id = worker.job(template)
    worker.action(job_id, "Run")
    worker.action(job_id, "Finish")
    assert worker.get(f"jobs/{job_id}")["currentSteps"][0]["assignedTo"] == WORKER


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"expression": "1 +"}, 400, "Line 1, column 4: the expression ends too early"),
        ({"expression": "FeatureSetByName(1)"}, 400, "function FeatureSetByName is not supported"),
        ({"expression": "JobName($job)"}, 400, "needs a job, and there is none here"),
        ({"expression": "JobName('nope')"}, 400, "there is no job 'nope'"),
        ({"expression": "$job", "contextType": "JobContext"}, 400, 'needs the job: "context"'),
        ({"expression": "$job", "contextType": "JobContext", "context": {"jobId": "nope"}}, 404, "no job 'nope'"),
        ({"expression": "1", "contextType": "Other"}, 400, "ArcadeExpression was invalid"),
        ({"expression": "1", "parseMode": "url"}, 400, "ArcadeExpression was invalid"),
        ({}, 400, "expression"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_its_reason(
    worker: Api, body: dict[str, Any], status: int, words: str
) -> None:
    assert words in worker.refused("evaluateArcade", body, status)["message"]


def test_only_members_of_the_item_may_evaluate(api: Api, outsider: Api) -> None:
    outsider.refused("evaluateArcade", {"expression": "1"}, 403)
    error(api.client.post(f"{ITEM}/evaluateArcade", json={"expression": "1"}), 401)
    elsewhere = "/workflow/" + "f" * 32
    headers = {"Authorization": f"Bearer {api.token()}"}
    error(api.client.post(f"{elsewhere}/evaluateArcade", json={"expression": "1"}, headers=headers), 404)
