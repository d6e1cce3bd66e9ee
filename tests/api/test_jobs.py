from typing import Any

import pytest

from app.services.first_start import TEMPLATE_ID
from app.services.ports import Tx
from tests.api.conftest import Api, error


def step_response(answer: dict[str, Any]) -> dict[str, Any]:
    """The only entry of an action's answer, which has words for its status."""
    (found,) = answer["stepResponses"]
    assert found["statusDescription"].strip()
    assert answer["success"] == (found["status"] == "Success")
    return dict(found)


# ---------------------------------------------------------------- create and read


def test_a_job_is_created_with_its_first_step_current(api: Api, manual: str) -> None:
    created = api.post(f"jobTemplates/{manual}/job", {})
    assert created["autoExecuted"] is False
    assert "success" not in created
    job = api.get(f"jobs/{created['jobIds'][0]}")
    (step,) = job["currentSteps"]
    assert (step["stepId"], step["stepName"], step["canSkip"]) == ("one", "One", False)
    assert (step["assignedType"], step["assignedTo"]) == ("User", "admin")
    assert (step["manualHold"], step["dependencies"]) == (False, False)
    assert (job["jobTemplateId"], job["diagramVersion"], job["createdBy"]) == (manual, 1, "admin")
    assert (job["closed"], job["hasLocation"], job["activeVersions"], job["percentComplete"]) == (False, 0, [], 0)
    assert not {"holds", "extendedProperties", "relatedProperties"} & set(job)
    assert not {"attachments", "history", "comments"} & set(job)


def test_overrides_of_a_new_job_are_taken(api: Api, manual: str) -> None:
    geometry = '{"rings": [[[0, 0], [0, 9], [9, 9], [0, 0]]], "spatialReference": {"wkid": 102100}}'
    overrides = {
        "jobName": "Mine",
        "startDate": "2026-01-01T00:00:00Z",
        "dueDate": 1_800_000_000_000,
        "priority": "High",
        "description": "text",
        "ownedBy": "worker",
        "assignedType": "Group",
        "assignedTo": "workers",
        "percentComplete": 12.5,
        "jobStatus": "Pending",
        "notes": "note",
        "parentJob": "",
        "location": {"geometryType": "Polygon", "geometry": geometry},
    }
    job = api.get(f"jobs/{api.job(manual, **overrides)}")
    assert (job["jobName"], job["priority"], job["description"], job["notes"]) == ("Mine", "High", "text", "note")
    assert (job["startDate"], job["dueDate"]) == ("2026-01-01T00:00:00Z", "2027-01-15T08:00:00Z")
    assert (job["ownedBy"], job["jobStatus"], job["percentComplete"]) == ("worker", "Pending", 12.5)
    assert (job["currentSteps"][0]["assignedType"], job["currentSteps"][0]["assignedTo"]) == ("Group", "workers")
    assert job["hasLocation"] == 1
    assert "parentJob" not in job


def test_several_jobs_are_created_at_once(api: Api, manual: str) -> None:
    ids = api.post(f"jobTemplates/{manual}/job", {"numberOfJobs": 3})["jobIds"]
    assert len(set(ids)) == 3
    assert [api.get(f"jobs/{job_id}")["jobId"] for job_id in ids] == ids


def test_an_own_job_id_is_kept_and_never_given_twice(api: Api, manual: str) -> None:
    assert api.job(manual, jobId="{my-own_Id}") == "{my-own_Id}"
    assert api.refused(f"jobTemplates/{manual}/job", {"jobId": "{my-own_Id}"})["message"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"numberOfJobs": 0}, "$.numberOfJobs"),
        ({"numberOfJobs": 2, "jobId": "twice"}, "jobId"),
        ({"jobId": "a/b"}, "jobId"),
        ({"assignedTo": "worker"}, "assignedType is missing"),
        ({"assignedType": "User"}, "assignedTo is missing"),
        ({"startDate": "soon"}, "startDate"),
        ({"relatedProperties": [{"tableName": "t", "entries": [{"properties": []}]}]}, "no table 't'"),
        ({"extendedProperties": [{"identifier": "no.such", "value": "1"}]}, "no.such"),
        ({"location": {"geometry": "nowhere"}}, "location"),
    ],
)
def test_overrides_that_cannot_be_are_refused(api: Api, manual: str, body: dict[str, Any], fault: str) -> None:
    assert fault in api.refused(f"jobTemplates/{manual}/job", body)["message"]


def test_only_an_active_template_makes_jobs(api: Api) -> None:
    diagram_id = api.diagram("For a draft template", [{"id": "a"}])
    draft = api.template("A draft template", diagram_id, state="Draft")
    assert "Draft" in api.refused(f"jobTemplates/{draft}/job", {})["message"]
    api.refused("jobTemplates/nowhere/job", {})


def test_properties_and_holds_are_shown_on_request(api: Api) -> None:
    diagram_id = api.diagram("With properties", [{"id": "a"}])
    table = {
        "tableName": "site",
        "extendedPropertyDefinitions": [{"propertyName": "acres", "dataType": "Double", "defaultValue": "1"}],
    }
    template = api.template("With properties", diagram_id, extendedPropertyTableDefinitions=[table])
    job_id = api.job(template, extendedProperties=[{"identifier": "site.acres", "value": "4"}])
    job = api.get(f"jobs/{job_id}?extProps=True&holds=1")
    assert job["extendedProperties"] == [{"tableName": "site", "properties": [{"propertyName": "acres", "value": "4"}]}]
    assert job["relatedProperties"] == []
    assert job["holds"] == []
    assert "holds" not in api.get(f"jobs/{job_id}?extProps=0&holds=False")


@pytest.mark.parametrize("text", ["yes", "TRUE", "2", ""])
def test_a_switch_of_the_query_is_true_or_false(api: Api, manual: str, text: str) -> None:
    found = error(api.call("GET", f"jobs/{api.job(manual)}?extProps={text}"))
    assert "extProps" in found["message"]


@pytest.mark.parametrize("path", ["", "/diagram", "/history", "/comments"])
def test_a_job_that_is_not_there_is_not_found(api: Api, path: str) -> None:
    assert error(api.call("GET", f"jobs/nowhere{path}"), 404)["type"] == "JobNotFound"


def test_the_diagram_of_a_job_is_the_version_it_was_created_with(api: Api) -> None:
    diagram_id = api.diagram("Versions", [{"id": "a", "name": "Old"}])
    job_id = api.job(api.template("Versions", diagram_id))
    newer = {"diagramName": "Versions", "active": True, "displayGrid": True, "steps": [{"id": "a", "name": "New"}]}
    assert api.post(f"diagrams/{diagram_id}", {"diagram": newer}) == {"success": True}
    found = api.get(f"jobs/{job_id}/diagram")
    assert (found["diagramVersion"], found["steps"][0]["name"]) == (1, "Old")


def test_a_job_whose_diagram_version_is_gone_can_still_be_read(api: Api) -> None:
    diagram_id = api.diagram("Soon gone", [{"id": "a", "name": "A"}])
    job_id = api.job(api.template("Soon gone", diagram_id))

    def drop(tx: Tx) -> None:
        tx.delete_diagram_version(tx.items()[0], diagram_id, 1)

    assert api.client.portal is not None
    api.client.portal.call(api.gateway.engine.store.run, drop)
    assert api.get(f"jobs/{job_id}")["currentSteps"][0]["stepId"] == "a"
    assert error(api.call("GET", f"jobs/{job_id}/diagram"), 404)["type"] == "DiagramNotFound"


# ---------------------------------------------------------------- actions


def test_a_job_is_walked_to_its_end(api: Api, manual: str) -> None:
    job_id = api.job(manual)
    assert step_response(api.action(job_id, "Run", stepIds=[]))["stepId"] == "one"
    assert step_response(api.action(job_id, "Finish"))["status"] == "Success"
    assert api.current(job_id) == ["two"]
    assert step_response(api.action(job_id, "Finish", stepIds=["two"]))["status"] == "Success"
    done = api.get(f"jobs/{job_id}")
    assert (done["percentComplete"], done["currentSteps"], done["closed"]) == (100, [], False)
    actions = [line["action"] for line in api.get(f"jobs/{job_id}/history")["jobHistory"]]
    assert actions[0] == "Created"
    assert {"Started", "Finished", "Completed"} <= set(actions)
    finished = next(line for line in api.get(f"jobs/{job_id}/history")["jobHistory"] if line["action"] == "Finished")
    assert finished["durationSeconds"] >= 0
    assert (finished["stepId"], finished["username"], finished["jobId"]) == ("one", "admin", job_id)


def test_a_refused_step_is_an_answer_with_all_its_reasons(api: Api, worker: Api, manual: str) -> None:
    job_id = api.job(manual)
    api.action(job_id, "Hold", holdScheduledRelease="2999-01-01T00:00:00Z")
    refused = step_response(worker.action(job_id, "Run"))
    assert refused["status"] != "Success"
    assert refused["reasons"][0]["status"] == refused["status"]
    statuses = {reason["status"] for reason in refused["reasons"]}
    assert statuses == {"Held", "AssignedToDifferentUser"}
    held = next(reason for reason in refused["reasons"] if reason["status"] == "Held")
    assert held["holdId"]
    assert {"kind": "time", "at": "2999-01-01T00:00:00Z"} in held["liftedBy"]


def test_a_hold_is_shown_and_stays_in_the_list_when_it_is_over(api: Api, manual: str) -> None:
    job_id, other = api.job(manual), api.job(manual)
    api.action(job_id, "Hold", holdScheduledRelease="2999-01-01T00:00:00Z")
    api.action(job_id, "Hold", dependentJobId=other, dependentStepId="one")
    (step,) = api.get(f"jobs/{job_id}")["currentSteps"]
    assert (step["manualHold"], step["dependencies"]) == (True, True)
    assert step["holdScheduledRelease"] == "2999-01-01T00:00:00Z"
    assert api.action(job_id, "ReleaseHold")["success"]
    scheduled, dependency = api.get(f"jobs/{job_id}?holds=true")["holds"]
    assert (scheduled["setBy"], scheduled["scheduledRelease"]) == ("admin", "2999-01-01T00:00:00Z")
    assert scheduled["releasedBy"] == "admin"
    assert scheduled["releasedDate"]
    assert (dependency["dependentJobId"], dependency["dependentStepId"]) == (other, "one")
    assert "releasedBy" not in dependency


def test_a_dependency_ends_when_the_other_jobs_step_is_finished(api: Api, manual: str) -> None:
    job_id, other = api.job(manual), api.job(manual)
    api.action(job_id, "Hold", dependentJobId=other, dependentStepId="one")
    assert step_response(api.action(job_id, "Run"))["status"] == "Held"
    api.action(other, "Run")
    api.action(other, "Finish")
    assert step_response(api.action(job_id, "Run"))["status"] == "Success"


@pytest.mark.parametrize("kind", ["Hold", "SetCurrentStep"])
def test_a_missing_privilege_refuses_the_whole_call(worker: Api, api: Api, manual: str, kind: str) -> None:
    job_id = api.job(manual)
    found = worker.refused(f"jobs/{job_id}/action", {"type": kind, "stepIds": ["one"]})
    assert found["type"] == "PermissionDenied"
    assert api.get(f"jobs/{job_id}?holds=true")["holds"] == []


def test_an_action_on_a_job_that_is_not_there_is_refused_with_400(api: Api) -> None:
    assert api.refused("jobs/nowhere/action", {"type": "Run"})["message"]


# ---------------------------------------------------------------- assign, manage, comment


def test_a_step_is_reassigned_by_its_id_or_as_the_current_one(api: Api, manual: str) -> None:
    job_id = api.job(manual)
    for step_id, assignment, shown in [
        ("one", {"assignedType": "User", "assignedTo": "worker"}, ("User", "worker")),
        ("currentStep", {"assignedType": "Group", "assignedTo": "workers"}, ("Group", "workers")),
        ("one", {"assignedTo": "ignored"}, ("Unassigned", None)),
    ]:
        assert api.post(f"jobs/{job_id}/{step_id}", assignment) == {"success": True}
        (step,) = api.get(f"jobs/{job_id}")["currentSteps"]
        assert (step["assignedType"], step["assignedTo"]) == shown


@pytest.mark.parametrize(
    ("step_id", "body"),
    [
        ("one", {"assignedType": "User"}),
        ("one", {"assignedType": "User", "assignedTo": "nobody"}),
        ("one", {"assignedType": "Group", "assignedTo": "nobodies"}),
        ("one", {"assignedType": "Everybody"}),
        ("two", {"assignedType": "User", "assignedTo": "worker"}),
        ("nowhere", {"assignedType": "User", "assignedTo": "worker"}),
    ],
)
def test_an_assignment_that_cannot_be_changes_nothing(api: Api, manual: str, step_id: str, body: Any) -> None:
    job_id = api.job(manual)
    before = api.get(f"jobs/{job_id}")
    api.refused(f"jobs/{job_id}/{step_id}", body)
    assert api.get(f"jobs/{job_id}") == before


def test_managing_does_what_is_not_refused_and_tells_of_each(api: Api, manual: str) -> None:
    job_id = api.job(manual)
    found = api.post("jobs/manage", {"type": "Close", "jobIds": [job_id, "nowhere", job_id]})
    assert found["success"] is False
    assert found["message"]
    assert [(each["jobId"], each["success"]) for each in found["jobs"]] == [(job_id, True), ("nowhere", False)]
    assert api.get(f"jobs/{job_id}")["closed"] is True
    again = api.post("jobs/manage", {"type": "Reopen", "jobIds": [job_id]})
    assert again == {"success": True, "jobs": [{"jobId": job_id, "success": True}]}
    assert api.post("jobs/manage", {"type": "Delete", "jobIds": [job_id]})["success"]
    error(api.call("GET", f"jobs/{job_id}"), 404)


def test_managing_without_the_privilege_is_refused(api: Api, worker: Api, manual: str) -> None:
    job_id = api.job(manual)
    found = worker.refused("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    assert found["type"] == "PermissionDenied"
    assert api.get(f"jobs/{job_id}")["closed"] is False


def test_a_comment_is_added_and_listed(api: Api, worker: Api, manual: str) -> None:
    job_id = api.job(manual)
    added = worker.post(f"jobs/{job_id}/comments", {"comment": "an invalid token was seen"})
    assert list(added) == ["commentId"]
    (found,) = api.get(f"jobs/{job_id}/comments")["jobComments"]
    assert (found["comment"], found["commentId"]) == ("an invalid token was seen", added["commentId"])
    assert (found["jobId"], found["lastModifiedBy"]) == (job_id, "worker")
    assert found["lastModified"].endswith("Z")


def test_the_introduction_template_makes_jobs_at_once(api: Api) -> None:
    job = api.get(f"jobs/{api.job(TEMPLATE_ID)}")
    assert job["currentSteps"][0]["stepName"] == "Welcome"
    assert (job["priority"], job["jobStatus"]) == ("Low", "Ready")


# ---------------------------------------------------------------- what may be done


def test_what_may_be_done_is_told_with_who_could_lift_what_stands_against_it(
    api: Api, worker: Api, manual: str
) -> None:
    job_id = api.job(manual)
    (step,) = api.get(f"jobs/{job_id}/allowedActions")["steps"]
    own = {action["name"]: action for action in step["actions"]}
    assert own["Run"] == {"name": "Run", "allowed": True}
    assert own["Stop"]["reasons"][0]["status"] == "NotRunning"
    answer = worker.get(f"jobs/{job_id}/allowedActions")
    others = {action["name"]: action for action in answer["steps"][0]["actions"]}
    assert {"kind": "user", "name": "admin"} in others["Run"]["reasons"][0]["liftedBy"]
    whole = {action["name"]: action for action in answer["actions"]}
    assert list(whole) == ["Close", "Reopen", "Delete", "Upgrade"]
    assert whole["Reopen"]["reasons"][-1] == {
        "status": "JobNotClosed",
        "description": "The job is open already.",
        "liftedBy": [],
    }


def test_what_may_be_done_with_a_job_that_is_not_there_is_404(api: Api) -> None:
    assert error(api.call("GET", "jobs/none/allowedActions"), 404)["name"] == "JobNotFound"
