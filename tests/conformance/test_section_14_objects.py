"""rest.md 14: the objects of the wire, member by member, and what steps and paths make of theirs."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.conformance.people import Person, fresh
from tests.conformance.scene import IDLE, Scene
from tests.conformance.steps import step
from tests.conformance.tables import property_of, table, table_name

TEXT, NUMBER, FLAG, LIST, OBJECT = str, (int, float), bool, list, dict
MOMENT = "a moment"
"""Text in ISO 8601, in UTC."""

JOB: Mapping[str, Any] = dict.fromkeys(
    "jobId jobName ownedBy createdBy closedBy notes description parentJob priority jobStatus diagramId diagramName "
    "jobTemplateId jobTemplateName".split(),
    TEXT,
) | {
    "createdDate": MOMENT,
    "startDate": MOMENT,
    "startedDate": MOMENT,
    "dueDate": MOMENT,
    "endDate": MOMENT,
    "percentComplete": NUMBER,
    "diagramVersion": int,
    "currentSteps": LIST,
    "activeVersions": LIST,
    "extendedProperties": LIST,
    "relatedProperties": LIST,
    "holds": LIST,
    "hasLocation": NUMBER,
    "closed": FLAG,
}
CURRENT_STEP = {
    "stepId": TEXT,
    "stepName": TEXT,
    "assignedType": TEXT,
    "assignedTo": TEXT,
    "canSkip": FLAG,
    "manualHold": FLAG,
    "holdScheduledRelease": MOMENT,
    "dependencies": FLAG,
}
HOLD = {
    "jobId": TEXT,
    "stepId": TEXT,
    "holdId": TEXT,
    "setBy": TEXT,
    "setDate": MOMENT,
    "scheduledRelease": MOMENT,
    "releasedBy": TEXT,
    "releasedDate": MOMENT,
    "dependentJobId": TEXT,
    "dependentStepId": TEXT,
}
HISTORY = {
    "jobId": TEXT,
    "stepId": TEXT,
    "date": MOMENT,
    "username": TEXT,
    "action": TEXT,
    "result": TEXT,
    "startDate": MOMENT,
    "endDate": MOMENT,
    "durationSeconds": NUMBER,
}


def check(found: Mapping[str, Any], members: Mapping[str, Any]) -> set[str]:
    """Check the type of each member that is there; returns their names."""
    for name in members.keys() & found.keys():
        kind, value = members[name], found[name]
        if kind is MOMENT:
            assert isinstance(value, str), name
            assert value.endswith("Z"), name
        else:
            assert isinstance(value, kind), name
            assert kind is FLAG or not isinstance(value, bool), name
    return members.keys() & found.keys()


@pytest.fixture(scope="module")
def full(client: Any) -> dict[str, Any]:
    """A job that has everything a job can have, and is closed."""
    admin, one, many = Person(client), table_name("one"), table_name("many")
    tables = [table(one, property_of("p")), table(many, property_of("q"), relationshipType="OneToMany")]
    template = admin.made([step("a")], extendedPropertyTableDefinitions=tables)
    parent = admin.job(template)
    job_id = admin.job(
        template,
        parentJob=parent,
        notes="n",
        description="d",
        dueDate="2030-01-01T00:00:00Z",
        extendedProperties=[{"identifier": f"{one}.p", "value": "v"}],
        relatedProperties=[{"tableName": many, "entries": [{"properties": [{"propertyName": "q", "value": "v"}]}]}],
        location={"geometry": '{"points": [[0, 0]]}'},
    )
    admin.post(f"jobs/{job_id}/update", {"versions": [{"dataSourceName": "Roads", "versionName": "mine"}]})
    admin.acts(job_id, "Run", "Stop", "Hold", "ReleaseHold")
    admin.acts(job_id, "Hold", holdScheduledRelease="2099-01-01T00:00:00Z")
    admin.acts(job_id, "Hold", dependentJobId=parent, dependentStepId="a")
    admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    return admin.read(job_id)


def test_job_has_each_member_in_its_type(full: dict[str, Any]) -> None:
    assert check(full, JOB) == set(JOB)


def test_current_step_has_each_member_in_its_type(full: dict[str, Any]) -> None:
    (found,) = full["currentSteps"]
    assert check(found, CURRENT_STEP) == set(CURRENT_STEP)


def test_hold_has_each_member_in_its_type(full: dict[str, Any]) -> None:
    seen = [check(found, HOLD) for found in full["holds"]]
    assert set.union(*map(set, seen)) == set(HOLD)
    assert all({"jobId", "stepId", "holdId", "setBy", "setDate"} <= names for names in seen)


def test_history_has_each_member_in_its_type(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    admin.post(f"jobs/{job_id}/update", {"notes": "n"})
    admin.acts(job_id, "Run", "Finish")
    seen = [check(line, HISTORY) for line in admin.get(f"jobs/{job_id}/history")["jobHistory"]]
    assert set.union(*map(set, seen)) == set(HISTORY)


def test_properties_travel_as_names_and_texts(full: dict[str, Any]) -> None:
    (one,), (many,) = full["extendedProperties"], full["relatedProperties"]
    assert one["properties"] == [{"propertyName": "p", "value": "v"}]
    (entry,) = many["entries"]
    assert entry["properties"] == [{"propertyName": "q", "value": "v"}]
    assert isinstance(entry["id"], str)
    assert entry["createdDate"].endswith("Z")


def test_what_has_no_value_is_left_out_or_null(admin: Person) -> None:
    job = admin.read(admin.job_on(step("a")))
    for name in ("closedBy", "notes", "description", "startedDate", "dueDate", "endDate", "parentJob"):
        assert job.get(name) is None


# ---------------------------------------------------------------- 14.4


@pytest.mark.parametrize("schedule", [{"scheduleType": "Duration", "timeDuration": 2}])
def test_a_step_with_a_schedule_waits_for_it(admin: Person, schedule: dict[str, Any]) -> None:
    job_id = admin.job_on(step("a", schedule=schedule))
    (now,) = admin.read(job_id)["currentSteps"]
    assert now["manualHold"] is True
    assert now["holdScheduledRelease"] > admin.read(job_id)["createdDate"]
    assert admin.status(job_id, "Run") == ["Held"]


def test_a_comment_that_is_required_comes_with_the_answer(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b", canComment=True, commentRequired=True), step("b"))
    admin.acts(job_id, "Run")
    assert admin.status(job_id, "Finish") == ["WaitingForInfo"]
    path = f"jobs/{job_id}/steps/a/response"
    admin.refused(path, {"manualResponse": True})
    with admin.watch(job_id) as watcher:
        admin.post(path, {"manualResponse": True, "comment": "done"})
        watcher.until("StepFinished")
    assert admin.current(job_id) == ["b"]
    assert [each["comment"] for each in admin.get(f"jobs/{job_id}/comments")["jobComments"]] == ["done"]


def test_an_unknown_kind_of_step_is_stored_and_done_by_a_person(admin: Person) -> None:
    args = {"anything": [{"at": "all"}]}
    job_id = admin.job_on(step("a", kind="ProGP", args=args))
    assert admin.get(f"jobs/{job_id}/diagram")["steps"][0]["action"] == {"actionType": "ProGP", "args": args}
    admin.acts(job_id, "Run", "Finish")
    assert admin.current(job_id) == []


# ---------------------------------------------------------------- what a running step or a closed job is no matter to


def test_comments_attachments_and_locations_do_not_wait_for_a_running_step(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    admin.acts(job_id, "Run")
    admin.post(f"jobs/{job_id}/comments", {"comment": "c"})
    admin.post(f"jobs/{job_id}/attachmentslinked", {"attachments": [{"url": "u"}]})
    admin.put(f"jobs/{job_id}/location", {"location": {"geometry": '{"points": [[0, 0]]}'}})
    assert admin.get(f"jobs/{job_id}")["hasLocation"] == 1


def test_a_closed_job_is_read_searched_and_commented(admin: Person, client: Any) -> None:
    scene, name = Scene(admin), fresh("Closed")
    job_id = scene.job(IDLE)
    admin.post(f"jobs/{job_id}/update", {"jobName": name})
    admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    admin.post(f"jobs/{job_id}/comments", {"comment": "c"})
    for path in ("", "/comments", "/history", "/attachments", "/location", "/diagram"):
        admin.get(f"jobs/{job_id}{path}")
    assert admin.post("jobs/search", {"q": f"jobName='{name}' AND closed=1"})["num"] == 1
