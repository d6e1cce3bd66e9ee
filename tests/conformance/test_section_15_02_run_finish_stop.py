"""rest.md 15.2, 15.3, 15.4: a step is run, stopped, finished, and the job moves on."""

from typing import Any

import pytest

from app.services.first_start import TEMPLATE_ID
from tests.conformance.people import ADVANCED, BASIC, Person
from tests.conformance.steps import KINDS, fails, question, quiet, sets_notes, step

# ---------------------------------------------------------------- 15.2 Run


def test_a_run_is_told_and_noted_and_the_first_one_sets_the_started_date(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    assert "startedDate" not in admin.read(job_id)
    with admin.watch(job_id) as watcher:
        answer = admin.action(job_id, "Run")
        assert watcher.next()["msgType"] == "StepStarted"
    assert answer["stepResponses"][0]["statusDescription"] == "The step was started running"
    started = admin.read(job_id)["startedDate"]
    assert admin.history(job_id)[-1] == "Started"
    admin.acts(job_id, "Stop", "Run")
    assert admin.read(job_id)["startedDate"] == started


@pytest.mark.parametrize("kind", [*KINDS, "SomethingUnknown"])
def test_an_interactive_step_asks_and_waits(admin: Person, kind: str) -> None:
    job_id = admin.job_on(step("a", kind=kind))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run")
        assert watcher.types("StepInfoRequired") == ["StepStarted", "StepInfoRequired"]
    assert admin.current(job_id) == ["a"]


def test_the_first_step_of_the_introduction_asks_although_it_proceeds(admin: Person) -> None:
    job_id = admin.job(TEMPLATE_ID)
    first = admin.get(f"jobs/{job_id}/diagram")
    (welcome,) = [each for each in first["steps"] if each["id"] == first["initialStepId"]]
    assert welcome["proceedNext"] is True
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run")
        assert watcher.until("StepInfoRequired")["stepId"] == welcome["id"]
        watcher.answer(job_id, welcome["id"], manualResponse=True)
        assert watcher.until("StepFinished")["stepIds"] == [welcome["id"]]


def test_a_step_that_asks_nothing_and_proceeds_is_finished_by_its_run(admin: Person) -> None:
    job_id = admin.job_on(quiet("a", "b"), step("b"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run")
        assert watcher.types("StepFinished") == ["StepStarted", "StepFinished"]
    assert admin.current(job_id) == ["b"]


def test_a_step_that_does_not_proceed_stays_until_finish(admin: Person) -> None:
    job_id = admin.job_on(quiet("a", "b", proceedNext=False), step("b"))
    admin.acts(job_id, "Run")
    assert admin.current(job_id) == ["a"]
    admin.acts(job_id, "Finish")
    assert admin.current(job_id) == ["b"]


def test_a_step_of_the_server_runs_by_itself_and_the_answer_says_only_that_it_started(admin: Person) -> None:
    job_id = admin.job_on(sets_notes("a", "b"), step("b"))
    with admin.watch(job_id) as watcher:
        assert admin.status(job_id, "Run") == ["Success"]
        assert watcher.until("StepFinished")["stepIds"] == ["a"]
    job = admin.read(job_id)
    assert (job["notes"], [each["stepId"] for each in job["currentSteps"]]) == ("done", ["b"])


def test_a_failing_step_is_told_noted_and_can_be_run_again(admin: Person) -> None:
    job_id = admin.job_on(fails("a", "b"), step("b"))
    with admin.watch(job_id) as watcher:
        for _ in range(2):
            admin.acts(job_id, "Run")
            assert watcher.until("StepError")["stepId"] == "a"
    assert admin.current(job_id) == ["a"]
    assert admin.history(job_id).count("Error") == 2


def test_a_failing_step_goes_where_a_path_matches_the_error(admin: Person) -> None:
    ways = [
        {"nextStep": "b", "expression": "$retVal == $stepSuccess"},
        {"nextStep": "c", "expression": "$retVal == $stepError"},
    ]
    job_id = admin.job_on(fails("a", paths=ways), step("b"), step("c"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run")
        watcher.until("StepFinished")
    assert admin.current(job_id) == ["c"]


# ---------------------------------------------------------------- 15.3 Finish


def test_a_step_that_was_not_started_is_not_finished_unless_it_can_be_skipped(admin: Person) -> None:
    for can_skip, status in ((False, "NoStartedStep"), (True, "Success")):
        job_id = admin.job_on(step("a", "b", canSkip=can_skip), step("b"))
        assert admin.status(job_id, "Finish") == [status]
        assert admin.current(job_id) == ["b" if can_skip else "a"]


def test_run_stop_finish_finishes_a_step(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b"), step("b"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run", "Stop", "Finish")
        finished = watcher.until("StepFinished")
    assert set(finished) >= {"jobId", "stepIds", "currentSteps", "jobStatus"}
    assert (finished["stepIds"], [each["stepId"] for each in finished["currentSteps"]]) == (["a"], ["b"])


def test_a_cancelled_step_must_be_run_again_unless_it_can_be_skipped(admin: Person) -> None:
    for can_skip, status in ((False, "NoStartedStep"), (True, "Success")):
        job_id = admin.job_on(step("a", "end", kind="Question", canSkip=can_skip), step("end"))
        admin.acts(job_id, "Run", "Stop")
        assert admin.status(job_id, "Finish") == [status]


def test_a_question_is_not_finished_without_its_answer(admin: Person) -> None:
    job_id = admin.job_on(question(), step("end"))
    admin.acts(job_id, "Run")
    assert admin.status(job_id, "Finish") == ["NoMatchingPaths"]
    assert admin.current(job_id) == ["ask"]


def test_without_a_matching_path_there_is_no_way_on_although_paths_exist(admin: Person) -> None:
    job_id = admin.job_on(step("a", paths=[{"nextStep": "b", "expression": "JobName($job) == 'x'"}]), step("b"))
    admin.acts(job_id, "Run")
    assert admin.status(job_id, "Finish") == ["NoMatchingPaths"]
    admin.post(f"jobs/{job_id}/update", {"jobName": "x", "allowRunningStepId": "a"})
    assert admin.status(job_id, "Finish") == ["Success"]


def test_all_paths_that_are_true_are_taken_and_meet_again(admin: Person) -> None:
    """The joining step becomes current only after all branches have finished."""
    branches = [step(name, "end") for name in "bcd"]
    job_id = admin.job_on(step("a", "b", "c", "d"), *branches, step("end"))
    admin.acts(job_id, "Run", "Finish")
    assert sorted(admin.current(job_id)) == ["b", "c", "d"]
    for name, left in (("b", ["c", "d"]), ("d", ["c"]), ("c", ["end"])):
        admin.acts(job_id, "Run", "Finish", stepIds=[name])
        assert sorted(admin.current(job_id)) == left


def test_a_path_gives_its_status_and_its_assignment(admin: Person) -> None:
    paths = [{"nextStep": "b", "status": "In Progress", "assignedType": "Group", "assignedTo": BASIC}]
    job_id = admin.job_on(step("a", paths=paths), step("b"))
    admin.acts(job_id, "Run", "Finish")
    job = admin.read(job_id)
    assert job["jobStatus"] == "In Progress"
    assert (job["currentSteps"][0]["assignedType"], job["currentSteps"][0]["assignedTo"]) == ("Group", BASIC)


@pytest.mark.parametrize(
    ("given", "assigned"),
    [
        ({"assignedType": "Unassigned"}, ("User", "admin")),
        ({"assignedType": "User", "assignedTo": ADVANCED}, ("User", ADVANCED)),
        ({"assignedType": "User", "assignedTo": "JobOwner($job)"}, ("User", "admin")),
        ({"assignedType": "User", "assignedTo": "'bas' + 'ic'", "isAssignedToCustomExpression": True}, ("User", BASIC)),
    ],
    ids=["kept", "named", "arcade", "custom"],
)
def test_an_assignment_of_a_path_is_kept_named_or_computed(
    admin: Person, given: dict[str, Any], assigned: tuple[str, str]
) -> None:
    job_id = admin.job_on(step("a", paths=[{"nextStep": "b"} | given]), step("b"))
    admin.acts(job_id, "Run", "Finish")
    (now,) = admin.read(job_id)["currentSteps"]
    assert (now["assignedType"], now["assignedTo"]) == assigned


def test_an_automatic_step_is_run_when_it_becomes_current(admin: Person) -> None:
    job_id = admin.job_on(step("a", "b"), sets_notes("b", "c", automatic=True), step("c"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run", "Finish")
        while watcher.until("StepFinished")["stepIds"] != ["b"]:
            pass
    assert admin.current(job_id) == ["c"]


def test_a_finished_workflow_is_complete_and_stays_open(admin: Person) -> None:
    job_id = admin.job_on(step("a"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run", "Finish")
        assert watcher.until("StepFinished")["currentSteps"] == []
    job = admin.read(job_id)
    assert (job["currentSteps"], job["percentComplete"], job["closed"]) == ([], 100, False)
    assert admin.history(job_id)[-1] == "Completed"


def test_a_finished_step_releases_those_that_wait_for_it(admin: Person) -> None:
    first, waits = admin.job_on(step("a", "b"), step("b")), admin.job_on(step("a"))
    admin.acts(waits, "Hold", dependentJobId=first, dependentStepId="a")
    with admin.watch(waits) as watcher:
        admin.acts(first, "Run", "Finish")
        assert watcher.until("StepHoldReleased")["stepIds"] == ["a"]
    assert admin.status(waits, "Run") == ["Success"]


# ---------------------------------------------------------------- 15.4 Stop


@pytest.mark.parametrize(
    ("kind", "msg_type", "action"),
    [
        ("Manual", "StepPaused", "Paused"),
        ("OpenApp", "StepPaused", "Paused"),
        ("Question", "StepCancelled", "Cancelled"),
    ],
)
def test_a_stop_pauses_a_persons_work_and_cancels_a_question(
    admin: Person, kind: str, msg_type: str, action: str
) -> None:
    job_id = admin.job_on(step("a", "b", kind=kind), step("b"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run", "Stop")
        assert watcher.until(msg_type)["stepIds"] == ["a"]
    assert admin.history(job_id)[-1] == action
    assert admin.status(job_id, "Stop") == ["NotRunning"]
    assert admin.status(job_id, "Run") == ["Success"]
