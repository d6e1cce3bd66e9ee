"""rest.md 5.8: a current step is given to a user, a group or nobody, as far as the caller's privilege reaches."""

from collections.abc import Callable
from typing import Any

import pytest

from app.services.ports import Group, Tx
from tests.conformance.people import ADVANCED, BASIC, OUTSIDER, VIEWER, Person, run

Hire = Callable[..., Person]


def assignment(person: Person, job_id: str) -> tuple[str, str | None]:
    (step,) = person.get(f"jobs/{job_id}")["currentSteps"]
    return step["assignedType"], step.get("assignedTo")


def assign(person: Person, job_id: str, kind: str, name: str | None = None, step: str = "currentStep") -> int:
    """The status of the answer."""
    body = {"assignedType": kind} | ({"assignedTo": name} if name else {})
    return int(person.call("POST", f"jobs/{job_id}/{step}", json=body).status_code)


def test_assign_step_answers_success_by_the_steps_id_and_as_current_step(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    body = {"assignedType": "User", "assignedTo": ADVANCED}
    for step in ("one", "currentStep"):
        assert admin.post(f"jobs/{job_id}/{step}", body) == {"success": True}
    assert assignment(admin, job_id) == ("User", ADVANCED)


def test_without_a_type_the_step_is_unassigned_whoever_is_named(admin: Person, two_steps: str) -> None:
    for body in ({}, {"assignedTo": ADVANCED}, {"assignedType": "Unassigned", "assignedTo": ADVANCED}):
        job_id = admin.job(two_steps)
        admin.post(f"jobs/{job_id}/currentStep", body)
        assert assignment(admin, job_id) == ("Unassigned", None)


def test_assign_any_gives_any_job_to_anybody(hire: Hire, admin: Person, two_steps: str) -> None:
    person = hire("jobAssignAny")
    for kind, name in (("User", VIEWER), ("Group", BASIC), ("Unassigned", None)):
        job_id = admin.job(two_steps, assignedType="User", assignedTo=ADVANCED)
        assert assign(person, job_id, kind, name) == 200
        assert assignment(admin, job_id) == (kind, name)


def test_assign_group_gives_the_own_groups_work_to_its_members(hire: Hire, admin: Person, two_steps: str) -> None:
    person = hire("jobAssignGroup")
    mine = person.username  # the group has the user's name
    ours = {"assignedType": "Group", "assignedTo": mine}
    for kind, name, status in (("User", mine, 200), ("User", ADVANCED, 400), ("Group", BASIC, 400)):
        job_id = admin.job(two_steps, **ours)
        assert assign(person, job_id, kind, name) == status
        assert assignment(admin, job_id) == ((kind, name) if status == 200 else ("Group", mine))
    others = admin.job(two_steps, assignedType="Group", assignedTo=BASIC)
    assert assign(person, others, "User", mine) == 400


def test_assign_individual_takes_for_oneself_and_gives_back(hire: Hire, admin: Person, two_steps: str) -> None:
    person = hire("jobAssignIndividual")
    mine = person.username
    job_id = admin.job(two_steps, assignedType="Group", assignedTo=mine)
    assert assign(person, job_id, "User", ADVANCED) == 400
    assert assign(person, job_id, "User", mine) == 200
    assert assign(person, job_id, "Group", BASIC) == 400
    assert assign(person, job_id, "Group", mine) == 200
    assert assignment(admin, job_id) == ("Group", mine)


def test_with_none_of_the_three_nothing_is_assigned(viewer: Person, admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps, assignedType="User", assignedTo=VIEWER)
    for kind, name in (("User", VIEWER), ("Group", VIEWER), ("Unassigned", None)):
        assert assign(viewer, job_id, kind, name) == 400
    assert assignment(admin, job_id) == ("User", VIEWER)


@pytest.mark.parametrize("privilege", ["jobAssignAny", "jobAssignGroup", "jobAssignIndividual"])
def test_with_any_of_the_three_a_step_is_unassigned(hire: Hire, admin: Person, two_steps: str, privilege: str) -> None:
    person = hire(privilege)
    job_id = admin.job(two_steps, assignedType="User", assignedTo=person.username)
    assert assign(person, job_id, "Unassigned") == 200
    assert assignment(admin, job_id) == ("Unassigned", None)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("User", None),
        ("Group", None),
        ("User", "nobody"),
        ("Group", "nobody"),
        ("User", OUTSIDER),
        ("User", "stranger"),
    ],
)
def test_whom_nothing_can_be_given_to_is_refused(admin: Person, two_steps: str, kind: str, name: str | None) -> None:
    job_id = admin.job(two_steps)
    assert assign(admin, job_id, kind, name) == 400
    assert assignment(admin, job_id) == ("User", "admin")


def test_a_group_that_is_linked_to_no_role_is_refused(client: Any, admin: Person, two_steps: str) -> None:
    def add(tx: Tx) -> None:
        tx.add_group(Group("loose", "Loose"))

    run(client, add)
    job_id = admin.job(two_steps)
    for group in ("loose", "stranger"):
        assert assign(admin, job_id, "Group", group) == 400


def test_only_a_current_step_of_an_open_job_that_does_not_run_is_assigned(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    for step in ("two", "nowhere"):
        assert assign(admin, job_id, "User", ADVANCED, step) == 400
    running = admin.job_on({"id": "ask", "action": {"actionType": "Manual", "args": {"userPrompt": "Do"}}})
    admin.acts(running, "Run")
    admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    for each in (running, job_id, "unknown"):
        assert assign(admin, each, "User", ADVANCED) == 400
    assert assignment(admin, running) == assignment(admin, job_id) == ("User", "admin")


def test_an_assignment_is_told_and_in_the_history(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    with admin.watch(job_id) as watcher:
        assign(admin, job_id, "User", ADVANCED)
        told = watcher.next()
    assert (told["msgType"], told["message"]["jobId"]) == ("StepReassigned", job_id)
    assert admin.history(job_id)[-1] == "Reassigned"
