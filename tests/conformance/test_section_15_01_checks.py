"""rest.md 15.1 and 15.8: what is looked at before an action, in which order; RefreshStatus."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.people import ADVANCED, BASIC, Person
from tests.conformance.steps import KINDS, step

Hire = Callable[..., Person]
OWN = ("Run", "Finish", "Stop")
"""Actions that are for whoever has the step."""


def closed(person: Person, job_id: str) -> str:
    person.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    return job_id


def test_a_closed_job_is_told_before_anything_else(admin: Person, hire: Hire) -> None:
    job_id = closed(admin, admin.job_on(step("ask")))
    nobody = hire("workflowSetStepCurrent", "jobUpdateHolds")
    for kind in (*OWN, "Hold", "SetCurrentStep"):
        assert nobody.status(job_id, kind, stepIds=["nowhere"]) == ["JobClosed"]


def test_no_step_ids_are_all_current_steps_and_without_any_there_is_one_entry(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    admin.acts(job_id, "Run", "Finish")
    (entry,) = admin.action(job_id, "Run")["stepResponses"]
    assert (entry["stepId"], entry["status"]) == ("", "NoActiveStep")


def test_a_step_must_be_in_the_diagram_and_current_before_it_is_asked_whose_it_is(
    admin: Person, viewer: Person
) -> None:
    job_id = admin.job_on(step("a", "b"), step("b"))
    for kind in OWN:
        assert viewer.status(job_id, kind, stepIds=["nowhere"]) == ["StepNotInDiagram"]
        assert viewer.status(job_id, kind, stepIds=["b"]) == ["StepNotCurrent"]
        assert viewer.status(job_id, kind, stepIds=["a"]) == ["AssignedToDifferentUser"]


@pytest.mark.parametrize(
    ("kind", "name", "may"),
    [("User", BASIC, True), ("Group", BASIC, True), ("User", ADVANCED, False), ("Unassigned", None, False)],
)
def test_a_step_is_run_by_whoever_has_it_by_name_or_group(
    admin: Person, basic: Person, kind: str, name: str | None, may: bool
) -> None:
    job_id = admin.job(admin.made([step("a")]), assignedType=kind, assignedTo=name)
    assert basic.status(job_id, "Run") == ["Success" if may else "AssignedToDifferentUser"]


def test_stop_by_somebody_else_needs_force_stop(admin: Person, hire: Hire) -> None:
    job_id = admin.job_on(step("a"))
    admin.acts(job_id, "Run")
    assert hire("jobAssignAny").status(job_id, "Stop") == ["AssignedToDifferentUser"]
    assert hire("jobForceStop").status(job_id, "Stop") == ["Success"]


def test_holds_need_their_privilege_and_not_the_step(admin: Person, hire: Hire) -> None:
    job_id = admin.job_on(step("a"))
    person = hire("jobUpdateHolds")
    for kind in ("Hold", "ReleaseHold"):
        assert person.status(job_id, kind) == ["Success"]
        admin.job_on(step("a"))
    mine = admin.job(admin.made([step("a")]), assignedType="User", assignedTo="viewer")
    assert Person(admin.client, "viewer").refused(f"jobs/{mine}/action", {"type": "Hold"})["type"] == "PermissionDenied"


def test_set_current_step_needs_its_privilege_and_a_step_of_ones_own(admin: Person, hire: Hire) -> None:
    person = hire("workflowSetStepCurrent")
    template = admin.made([step("a", "b"), step("b")])
    job_id = admin.job(template)
    assert person.status(job_id, "SetCurrentStep", stepIds=["b"]) == ["AssignedToDifferentUser"]
    mine = admin.job(template, assignedType="User", assignedTo=person.username)
    assert person.status(mine, "SetCurrentStep", stepIds=["b"]) == ["Success"]


# ---------------------------------------------------------------- 15.8


@pytest.mark.parametrize("privileges", [("adminBasic",), ("adminAdvanced",), ()], ids=str)
def test_refresh_status_is_for_designers_administrators_and_the_assignee(
    admin: Person, hire: Hire, privileges: tuple[str, ...]
) -> None:
    person = hire(*privileges)
    job_id = admin.job_on(step("a"))
    admin.acts(job_id, "Run")
    assert person.status(job_id, "RefreshStatus") == ["Success" if privileges else "AssignedToDifferentUser"]
    assert admin.status(job_id, "RefreshStatus") == ["Success"]


@pytest.mark.parametrize("kind", KINDS)
def test_refresh_status_of_other_kinds_than_geoprocessing_changes_nothing(admin: Person, kind: str) -> None:
    job_id = admin.job_on(step("a", kind=kind))
    assert admin.status(job_id, "RefreshStatus") == ["NotRunning"]
    admin.acts(job_id, "Run")
    before: Any = admin.read(job_id)
    admin.acts(job_id, "RefreshStatus")
    assert admin.read(job_id) == before
