"""rest.md 15.6 and 15.7: what keeps steps from running, and how it ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conformance.people import Person
from tests.conformance.steps import quiet, step

NEVER = "2099-01-01T00:00:00Z"


def holds(person: Person, job_id: str) -> list[dict[str, Any]]:
    """Those that are not over."""
    return [each for each in person.read(job_id)["holds"] if "releasedDate" not in each]


def test_a_hold_is_told_noted_and_on_record(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Hold")
        held = watcher.until("StepHeld")
    assert (held["jobId"], held["stepIds"], held["manual"], held["dependency"]) == (job_id, ["a"], True, False)
    assert held["setBy"] == "admin"
    (hold,) = holds(admin, job_id)
    assert (hold["jobId"], hold["stepId"], hold["setBy"]) == (job_id, "a", "admin")
    assert hold["setDate"].endswith("Z")
    assert admin.history(job_id)[-1] == "Held"
    (now,) = admin.read(job_id)["currentSteps"]
    assert (now["manualHold"], now["dependencies"]) == (True, False)


def test_a_running_step_or_a_closed_job_is_not_held(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    admin.acts(job_id, "Run")
    assert admin.status(job_id, "Hold") == ["AlreadyExecuting"]
    admin.acts(job_id, "Stop")
    admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    assert admin.status(job_id, "Hold") == ["JobClosed"]
    assert holds(admin, job_id) == []


def test_several_holds_coexist_and_all_must_end_before_run_and_finish(admin: Person) -> None:
    job_id, other = admin.job_on(step("a", canSkip=True)), admin.job_on(step("a"))
    admin.acts(job_id, "Hold")
    admin.acts(job_id, "Hold", holdScheduledRelease=NEVER)
    admin.acts(job_id, "Hold", dependentJobId=other)
    assert len(holds(admin, job_id)) == 3
    admin.acts(job_id, "ReleaseHold")
    for kind in ("Run", "Finish"):
        assert admin.status(job_id, kind) == ["Held"]
    admin.acts(job_id, "ReleaseHold", dependentJobId=other)
    assert admin.status(job_id, "Run") == ["Success"]


def test_without_step_ids_all_current_steps_are_held_and_released(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b", "c"), step("b"), step("c"))
    admin.acts(job_id, "Run", "Finish", "Hold")
    assert sorted(each["stepId"] for each in holds(admin, job_id)) == ["b", "c"]
    admin.acts(job_id, "ReleaseHold")
    assert holds(admin, job_id) == []


def test_a_step_that_is_still_to_come_can_be_held(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b"), step("b"))
    admin.acts(job_id, "Hold", stepIds=["b"])
    admin.acts(job_id, "Run", "Finish", stepIds=["a"])
    assert admin.status(job_id, "Run") == ["Held"]


def test_a_scheduled_hold_ends_by_itself(admin: Person) -> None:
    """On a machine that stalls its time may be over before it is set; then it is told as ended at once."""
    job_id = admin.job_on(step("a"))
    soon = (datetime.now(UTC) + timedelta(milliseconds=300)).isoformat()
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Hold", holdScheduledRelease=soon)
        while watcher.next()["msgType"] not in {"StepHoldReleased", "StepHoldsUpdated"}:
            pass
    assert holds(admin, job_id) == []
    assert admin.status(job_id, "Run") == ["Success"]


def test_a_scheduled_hold_says_when_it_ends(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Hold", holdScheduledRelease=NEVER)
        held = watcher.until("StepHeld")
    assert (held["scheduledRelease"], held["dependency"]) == (NEVER, False)
    assert holds(admin, job_id)[0]["scheduledRelease"] == NEVER


@pytest.mark.parametrize("way", ["step", "diagram", "close", "delete"])
def test_a_dependency_ends_when_what_it_waits_for_is_done(admin: Person, way: str) -> None:
    other, job_id = admin.job_on(quiet("a", "b"), quiet("b")), admin.job_on(step("a"))
    members = {"dependentJobId": other} | ({"dependentStepId": "a"} if way == "step" else {})
    admin.acts(job_id, "Hold", **members)
    assert admin.history(job_id)[-1] == "DependencyAdded"
    (now,) = admin.read(job_id)["currentSteps"]
    assert (now["manualHold"], now["dependencies"]) == (False, True)
    if way in {"close", "delete"}:
        admin.post("jobs/manage", {"type": way.title(), "jobIds": [other]})
    else:
        admin.acts(other, "Run")
        if way == "diagram":
            assert admin.status(job_id, "Run") == ["Held"]
            admin.acts(other, "Run")
    assert admin.status(job_id, "Run") == ["Success"]


def test_an_automatic_step_starts_when_its_last_hold_goes(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b"), quiet("b", "c", automatic=True), step("c"))
    admin.acts(job_id, "Hold", stepIds=["b"])
    admin.acts(job_id, "Hold", stepIds=["b"], holdScheduledRelease=NEVER)
    admin.acts(job_id, "Run", "Finish", stepIds=["a"])
    assert admin.current(job_id) == ["b"]
    admin.acts(job_id, "ReleaseHold")
    assert admin.current(job_id) == ["c"]


def test_a_dependency_on_itself_on_nothing_or_in_a_circle_is_refused(admin: Person) -> None:
    first, second, third = (admin.job_on(step("a")) for _ in range(3))
    admin.acts(first, "Hold", dependentJobId=second)
    admin.acts(second, "Hold", dependentJobId=third)
    for job_id, target in ((first, first), (first, "unknown"), (second, first), (third, first)):
        admin.refused(f"jobs/{job_id}/action", {"type": "Hold", "dependentJobId": target})
    gone = {"type": "Hold", "dependentJobId": second, "dependentStepId": "nowhere"}
    admin.refused(f"jobs/{first}/action", gone)
    assert holds(admin, third) == []


# ---------------------------------------------------------------- 15.7 ReleaseHold


def test_a_release_is_told_noted_and_stays_on_record(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    admin.acts(job_id, "Hold")
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "ReleaseHold")
        assert watcher.until("StepHoldReleased")["stepIds"] == ["a"]
    (hold,) = admin.read(job_id)["holds"]
    assert hold["releasedBy"] == "admin"
    assert hold["releasedDate"].endswith("Z")
    assert admin.history(job_id)[-1] == "HoldReleased"


def test_manual_and_scheduled_holds_are_released_without_naming_a_job_and_dependencies_only_by_theirs(
    admin: Person,
) -> None:
    job_id, other, third = admin.job_on(step("a")), admin.job_on(step("x")), admin.job_on(step("x"))
    admin.acts(job_id, "Hold", dependentJobId=other, dependentStepId="x")
    for wrong in ({}, {"dependentJobId": third}, {"dependentJobId": third, "dependentStepId": "x"}):
        assert admin.status(job_id, "ReleaseHold", **wrong) == ["NotHeld"]
    admin.acts(job_id, "Hold")
    admin.acts(job_id, "ReleaseHold", dependentJobId=other, dependentStepId="x")
    assert [each.get("dependentJobId") for each in holds(admin, job_id)] == [None]
    admin.acts(job_id, "ReleaseHold")
    assert holds(admin, job_id) == []


def test_a_step_that_is_not_held_is_told_so(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b"), step("b"))
    assert admin.status(job_id, "ReleaseHold") == ["NotHeld"]
    assert admin.status(job_id, "ReleaseHold", stepIds=["b"]) == ["NotHeld"]
