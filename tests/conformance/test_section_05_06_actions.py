"""rest.md 5.6: seven actions on steps, and what is answered. What they mean is section 15."""

from typing import Any

import pytest

from tests.conformance.people import ADVANCED, Person
from tests.conformance.steps import step

STATUSES = (
    "Success NoStartedStep NoActiveStep AlreadyExecuting AssignedToDifferentUser JobClosed StepNotCurrent "
    "NoMatchingPaths NotRunning WaitingForInfo Held NotHeld StepNotInDiagram StepNotAuto"
).split()


def test_job_action_answers_with_an_entry_for_each_step(admin: Person, two_steps: str) -> None:
    answer = admin.action(admin.job(two_steps), "Run", stepIds=["one"])
    assert answer == {
        "success": True,
        "stepResponses": [{"stepId": "one", "status": "Success", "statusDescription": "The step was started running"}],
    }


def test_get_allowed_actions_tells_what_the_action_would_answer(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    (step,) = admin.get(f"jobs/{job_id}/allowedActions")["steps"]
    for action in step["actions"]:
        if action["name"] == "Stop":
            (response,) = admin.action(job_id, "Stop")["stepResponses"]
            assert (action["allowed"], action["reasons"]) == (False, response["reasons"])
            return
    raise AssertionError("nothing is said of Stop")


@pytest.mark.parametrize("named", [{}, {"stepIds": None}, {"stepIds": []}], ids=["absent", "null", "empty"])
def test_without_step_ids_the_current_steps_are_meant(admin: Person, named: dict[str, Any]) -> None:
    job_id = admin.job_on(step("a", "b", "c"), step("b"), step("c"))
    admin.acts(job_id, "Run", "Finish")
    answer = admin.action(job_id, "Run", **named)
    assert sorted(each["stepId"] for each in answer["stepResponses"]) == ["b", "c"]
    assert answer["success"]


def test_success_is_false_when_one_step_was_refused_and_the_others_are_done(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b", "c"), step("b"), step("c"))
    admin.acts(job_id, "Run", "Finish")
    admin.acts(job_id, "Hold", stepIds=["b"])
    answer = admin.action(job_id, "Run")
    assert not answer["success"]
    assert {each["stepId"]: each["status"] for each in answer["stepResponses"]} == {"b": "Held", "c": "Success"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "Dance"},
        {"type": None},
        {"type": "SetCurrentStep"},
        {"type": "SetCurrentStep", "stepIds": ["one", "two"]},
        {"type": "Run", "stepIds": "one"},
        {"type": "Hold", "dependentStepId": "two"},
        {"type": "Hold", "holdScheduledRelease": "soon"},
    ],
    ids=str,
)
def test_an_invalid_body_is_a_400(admin: Person, two_steps: str, body: dict[str, Any]) -> None:
    admin.refused(f"jobs/{admin.job(two_steps)}/action", body)


def test_a_job_that_is_not_there_is_a_400(admin: Person) -> None:
    assert admin.refused("jobs/unknown/action", {"type": "Run"})["type"] == "JobNotFound"


@pytest.mark.parametrize("kind", ["Hold", "ReleaseHold", "SetCurrentStep"])
def test_a_privilege_that_the_whole_call_needs_is_a_400(
    admin: Person, viewer: Person, two_steps: str, kind: str
) -> None:
    job_id = admin.job(two_steps)
    body = {"type": kind, "stepIds": ["one"]}
    assert viewer.refused(f"jobs/{job_id}/action", body)["type"] == "PermissionDenied"


def test_members_of_other_actions_do_no_harm(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    members = {"dependentJobId": "x", "holdScheduledRelease": "y", "webhookConnectionId": "z", "stepIds": ["one"]}
    assert admin.status(job_id, "Run", **members) == ["Success"]


# ---------------------------------------------------------------- each status


def test_status_success(admin: Person, two_steps: str) -> None:
    assert admin.status(admin.job(two_steps), "Run") == ["Success"]


def test_status_no_started_step(admin: Person, two_steps: str) -> None:
    assert admin.status(admin.job(two_steps), "Finish") == ["NoStartedStep"]


def test_status_no_active_step(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    admin.acts(job_id, "Run", "Finish")
    assert admin.status(job_id, "Run") == ["NoActiveStep"]
    assert admin.status(job_id, "Run", stepIds=["a"]) == ["NoActiveStep"]


def test_status_already_executing(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b"), step("b"))
    admin.acts(job_id, "Run")
    assert admin.status(job_id, "Hold") == ["AlreadyExecuting"]
    assert admin.status(job_id, "SetCurrentStep", stepIds=["b"]) == ["AlreadyExecuting"]


def test_status_assigned_to_different_user(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps, assignedType="User", assignedTo=ADVANCED)
    for kind in ("Run", "Finish"):
        assert admin.status(job_id, kind) == ["AssignedToDifferentUser"]


def test_status_job_closed(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    for kind in ("Run", "Finish", "Stop", "Hold"):
        assert admin.status(job_id, kind) == ["JobClosed"]
    assert admin.status(job_id, "SetCurrentStep", stepIds=["two"]) == ["JobClosed"]


def test_status_step_not_current(admin: Person, two_steps: str) -> None:
    for kind in ("Run", "Finish", "Stop"):
        assert admin.status(admin.job(two_steps), kind, stepIds=["two"]) == ["StepNotCurrent"]


def test_status_no_matching_paths(admin: Person) -> None:
    job_id = admin.job_on(step("a", paths=[{"nextStep": "b", "expression": "1 == 2"}]), step("b"))
    admin.acts(job_id, "Run")
    assert admin.status(job_id, "Finish") == ["NoMatchingPaths"]


def test_status_not_running(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    for kind in ("Stop", "RefreshStatus"):
        assert admin.status(job_id, kind) == ["NotRunning"]


def test_status_waiting_for_info(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    admin.acts(job_id, "Run")
    assert admin.status(job_id, "Run") == ["WaitingForInfo"]


def test_status_held(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    admin.acts(job_id, "Hold")
    for kind in ("Run", "Finish"):
        assert admin.status(job_id, kind) == ["Held"]


def test_status_not_held(admin: Person, two_steps: str) -> None:
    assert admin.status(admin.job(two_steps), "ReleaseHold") == ["NotHeld"]


def test_status_step_not_in_diagram(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    for kind in ("Run", "Finish", "Stop", "Hold", "ReleaseHold", "SetCurrentStep", "RefreshStatus"):
        assert admin.status(job_id, kind, stepIds=["nowhere"]) == ["StepNotInDiagram"]


def test_status_step_not_auto(admin: Person) -> None:
    """A step that should start by itself and has nobody who could; its entry (ours) stands beside the action's."""
    job_id = admin.job(admin.made([step("a", automatic=True)]), assignedType="Unassigned")
    admin.acts(job_id, "Hold")
    answer = admin.action(job_id, "ReleaseHold")
    assert answer["success"] is True
    assert [each["status"] for each in answer["automaticResponses"]] == ["StepNotAuto"]


def test_each_status_has_its_test() -> None:
    names = {
        name.removeprefix("test_status_").replace("_", "") for name in globals() if name.startswith("test_status_")
    }
    assert names == {status.lower() for status in STATUSES}
