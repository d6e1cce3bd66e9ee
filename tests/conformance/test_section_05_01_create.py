"""rest.md 5.1: jobs are created from a template, with the template's defaults or what the body says instead."""

from datetime import datetime
from typing import Any

import pytest

from tests.conformance.people import ADVANCED, BASIC, Person, fresh
from tests.conformance.tables import property_of, table

UNUSED = [{"id": "one", "name": "One", "paths": []}]
WORK = table(
    "work_5_1",
    property_of("count", "Integer", defaultValue="7"),
    property_of("needed", "Integer", required=True),
)
NOTES = table("notes_5_1", property_of("text"), relationshipType="OneToMany")


def test_create_jobs_answers_with_the_ids_and_no_success(admin: Person, two_steps: str) -> None:
    answer = admin.post(f"jobTemplates/{two_steps}/job", {"numberOfJobs": 2})
    assert set(answer) == {"jobIds", "autoExecuted"}
    assert answer["autoExecuted"] is False
    assert len(set(answer["jobIds"])) == 2


def test_an_empty_body_creates_one_job_with_the_templates_defaults(admin: Person) -> None:
    template = admin.made(
        UNUSED,
        defaultJobName="Road [index]",
        defaultDescription="As always",
        defaultPriorityName="High",
        defaultStatus="Ready",
        defaultJobDuration=2,
    )
    job = admin.read(admin.job(template))
    assert job["jobName"].startswith("Road ")
    assert job["jobName"].removeprefix("Road ").isdecimal()
    assert (job["description"], job["priority"], job["jobStatus"]) == ("As always", "High", "Ready")
    assert (job["ownedBy"], job["createdBy"], job["percentComplete"]) == ("admin", "admin", 0)
    assert job["currentSteps"][0]["assignedTo"] == "admin"  # the template says JobCreator($job)
    assert job["startDate"] == job["createdDate"]
    start, due = (datetime.fromisoformat(job[name]) for name in ("startDate", "dueDate"))
    assert (due - start).days == 2


@pytest.mark.parametrize(
    ("sent", "member", "shown"),
    [
        ({"jobName": "Mine"}, "jobName", "Mine"),
        ({"startDate": "2026-01-01T00:00:00Z"}, "startDate", "2026-01-01T00:00:00Z"),
        ({"dueDate": "2031-01-01T00:00:00Z"}, "dueDate", "2031-01-01T00:00:00Z"),
        ({"priority": "Medium"}, "priority", "Medium"),
        ({"description": "text"}, "description", "text"),
        ({"ownedBy": ADVANCED}, "ownedBy", ADVANCED),
        ({"percentComplete": 40}, "percentComplete", 40),
        ({"jobStatus": "Pending"}, "jobStatus", "Pending"),
        ({"notes": "note"}, "notes", "note"),
        ({"parentJob": ""}, "parentJob", None),
    ],
)
def test_each_member_overrides_its_default(
    admin: Person, two_steps: str, sent: dict[str, Any], member: str, shown: Any
) -> None:
    assert admin.read(admin.job(two_steps, **sent)).get(member) == shown


def test_the_first_step_is_assigned_as_the_body_says(admin: Person, two_steps: str) -> None:
    for kind, name in (("User", ADVANCED), ("Group", BASIC), ("Unassigned", None)):
        (step,) = admin.read(admin.job(two_steps, assignedType=kind, assignedTo=name))["currentSteps"]
        assert (step["assignedType"], step.get("assignedTo")) == (kind, name)


def test_an_own_id_is_taken_for_one_job_only_and_only_once(admin: Person, two_steps: str) -> None:
    own = fresh("own")
    assert admin.job(two_steps, jobId=own) == own
    for body in ({"jobId": own}, {"jobId": fresh("own"), "numberOfJobs": 2}):
        admin.refused(f"jobTemplates/{two_steps}/job", body)


def test_a_parent_and_a_location_come_with_the_job(admin: Person, two_steps: str) -> None:
    parent = admin.job(two_steps)
    point = '{"points": [[0, 0]], "spatialReference": {"wkid": 102100}}'
    child = admin.job(two_steps, parentJob=parent, location={"geometryType": "Multipoint", "geometry": point})
    job = admin.read(child)
    assert (job["parentJob"], job["hasLocation"]) == (parent, 1)


def test_extended_and_related_properties_come_with_the_job_and_defaults_fill_the_rest(admin: Person) -> None:
    template = admin.made(UNUSED, extendedPropertyTableDefinitions=[WORK, NOTES])
    job_id = admin.job(
        template,
        extendedProperties=[{"identifier": "work_5_1.needed", "value": "3"}],
        relatedProperties=[
            {"tableName": "notes_5_1", "entries": [{"properties": [{"propertyName": "text", "value": "a"}]}]}
        ],
    )
    job = admin.read(job_id)
    (table,) = job["extendedProperties"]
    assert {each["propertyName"]: each["value"] for each in table["properties"]} == {"count": "7", "needed": "3"}
    (rows,) = job["relatedProperties"]
    assert [each["value"] for each in rows["entries"][0]["properties"]] == ["a"]
    for wrong in (
        [],
        [{"identifier": "work_5_1.needed", "value": "three"}],
        [{"identifier": "work_5_1.needed", "value": "3"}, {"identifier": "work_5_1.unknown", "value": "1"}],
    ):
        admin.refused(f"jobTemplates/{template}/job", {"extendedProperties": wrong})


def test_a_job_is_refused_without_the_privilege(viewer: Person, two_steps: str) -> None:
    assert viewer.refused(f"jobTemplates/{two_steps}/job", {})["type"] == "PermissionDenied"


def test_a_template_that_is_not_active_or_not_there_creates_no_job(admin: Person) -> None:
    for state in ("Draft", "Automated", "Retired"):
        admin.refused(f"jobTemplates/{admin.made(UNUSED, state=state)}/job", {})
    assert admin.refused("jobTemplates/unknown/job", {})["type"] == "JobTemplateNotFound"


def test_a_diagram_that_was_never_activated_creates_no_job(admin: Person) -> None:
    name = fresh("Draft")
    template = admin.template(name, admin.diagram(name, UNUSED, active=False))
    admin.refused(f"jobTemplates/{template}/job", {})


@pytest.mark.parametrize(
    "body",
    [
        {"assignedType": "User", "assignedTo": "nobody"},
        {"assignedType": "Group", "assignedTo": "nobody"},
        {"assignedType": "User"},
        {"ownedBy": "nobody"},
        {"parentJob": "nothing"},
        {"priority": "Utmost"},
        {"numberOfJobs": 0},
        {"percentComplete": 101},
        {"startDate": "tomorrow"},
        {"location": {"geometryType": "Polygon", "geometry": "no JSON"}},
    ],
    ids="-".join,
)
def test_what_cannot_be_is_refused_and_no_job_is_made(admin: Person, two_steps: str, body: dict[str, Any]) -> None:
    before = admin.post("jobs/statistics", {"q": "closed=0"})
    admin.refused(f"jobTemplates/{two_steps}/job", body)
    assert admin.post("jobs/statistics", {"q": "closed=0"}) == before


def test_an_assignee_without_a_role_in_the_item_is_refused(admin: Person, two_steps: str) -> None:
    admin.refused(f"jobTemplates/{two_steps}/job", {"assignedType": "User", "assignedTo": "outsider"})


def test_a_new_job_follows_the_latest_active_version_and_says_so_in_its_history(admin: Person) -> None:
    name = fresh("Versions")
    diagram = admin.diagram(name, UNUSED)
    template = admin.template(name, diagram)
    second = {"diagramName": name, "displayGrid": True, "active": True, "steps": UNUSED}
    admin.post(f"diagrams/{diagram}", {"diagram": second})
    admin.post(f"diagrams/{diagram}", {"diagram": second | {"active": False}})
    job_id = admin.job(template)
    job = admin.read(job_id)
    assert (job["diagramId"], job["diagramVersion"], job["diagramName"]) == (diagram, 2, name)
    assert [step["stepId"] for step in job["currentSteps"]] == ["one"]
    assert admin.history(job_id)[:2] == ["Created", "Activated"]


def test_an_automatic_first_step_is_started(admin: Person) -> None:
    template = admin.made([{"id": "one", "automatic": True, "action": {"actionType": "Manual", "args": {}}}])
    answer = admin.post(f"jobTemplates/{template}/job", {})
    assert answer["autoExecuted"] is True
    assert "Started" in admin.history(answer["jobIds"][0])
