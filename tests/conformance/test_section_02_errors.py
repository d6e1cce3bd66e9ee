"""rest.md 2: errors and partial success."""

from typing import Any

import pytest

from tests.api.conftest import error
from tests.conformance.people import Person, fresh


def test_every_error_has_message_type_and_details_whatever_the_operation(admin: Person, outsider: Person) -> None:
    """One shape satisfies the three that the reference has; ``error`` checks it."""
    for response, status in (
        (admin.call("GET", "jobs/unknown"), 404),
        (admin.call("POST", "jobs/unknown/update", json={}), 400),
        (admin.call("DELETE", "diagrams/unknown"), 404),
        (admin.call("PUT", "lookups/status", json={}), 400),
        (admin.call("GET", "jobs", headers={}), 404),
        (admin.call("PATCH", "diagrams"), 405),
        (outsider.call("GET", "diagrams"), 403),
        (admin.client.get("/nothing/at/all/here"), 404),
    ):
        found = error(response, status)
        assert {"message", "type", "details"} <= set(found)
        assert isinstance(found["details"], list)


BODIES: dict[str, tuple[str, str, Any]] = {
    "CreateJobOverrides": ("POST", "jobTemplates/{template}/job", {"numberOfJobs": "two"}),
    "JobOverrides": ("POST", "jobs/{job}/update", {"jobName": 7}),
    "JobActionBody": ("POST", "jobs/{job}/action", {"type": "Run", "stepIds": 7}),
    "ManageJobsBody": ("POST", "jobs/manage", {"type": "Close"}),
    "AssignStepBody": ("POST", "jobs/{job}/one", {"assignedType": "Robot"}),
    "JobQuery": ("POST", "jobs/search", {"q": 7}),
    "WorkflowDiagram": ("POST", "diagrams", {"diagramName": "x"}),
    "JobTemplate": ("POST", "jobTemplates", {"jobTemplateName": "x"}),
    "JobLocation": ("PUT", "jobs/{job}/location", {"location": 7}),
    "LookupTable": ("PUT", "lookups/own", {"lookups": 7}),
    "WorkflowRole": ("POST", "community/roles/x", {"privileges": 7}),
    "SavedSearch": ("POST", "searches", {"name": 7}),
    "JobComment": ("POST", "jobs/{job}/comments", {}),
}


@pytest.mark.parametrize("name", BODIES)
def test_an_invalid_body_is_told_by_its_name_and_by_what_is_wrong_in_it(
    admin: Person, two_steps: str, name: str
) -> None:
    method, path, body = BODIES[name]
    found = error(admin.call(method, path.format(job=admin.job(two_steps), template=two_steps), json=body))
    assert found["message"].startswith(f"{name} was invalid: ")
    assert found["details"]


def test_an_action_that_a_step_refuses_is_still_a_200(admin: Person, two_steps: str) -> None:
    answer = admin.call("POST", f"jobs/{admin.job(two_steps)}/action", json={"type": "Stop"})
    assert (answer.status_code, answer.json()["success"]) == (200, False)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("diagrams/unknown/1", 404),
        ("jobTemplates/unknown", 404),
        ("community/groups/unknown", 404),
        ("community/users/unknown", 404),
        ("jobs/unknown", 404),
    ],
)
def test_what_is_read_and_not_there_is_404(admin: Person, path: str, status: int) -> None:
    error(admin.call("GET", path), status)


def test_partial_success_has_a_message_and_a_name_of_the_first_refusal(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    answer = admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id, "unknown"]})
    assert (answer["success"], answer["name"]) == (False, "JobNotFound")
    assert "unknown" in answer["message"]
    assert admin.read(job_id)["closed"] is True
    whole = admin.post("jobs/manage", {"type": "Reopen", "jobIds": [job_id]})
    assert whole["success"] is True
    assert "message" not in whole


def test_names_of_errors_are_those_of_the_reference_where_it_has_one(admin: Person) -> None:
    name, own = fresh("Named"), fresh("named")
    body = {"diagramName": name, "diagramId": own, "displayGrid": True, "active": True, "steps": [{"id": "a"}]}
    admin.post("diagrams", body)
    assert admin.refused("diagrams", body | {"diagramId": None})["type"] == "InvalidDiagramNameDuplicate"
    assert admin.refused("diagrams", body | {"diagramName": fresh("N")})["type"] == "InvalidDiagramIdDuplicate"
    other = admin.diagram(fresh("Other"), [{"id": "a"}])
    refused = admin.refused(f"diagrams/{other}", {"diagram": body})
    assert refused["type"] == "InvalidDiagramNameDuplicateUpdate"
