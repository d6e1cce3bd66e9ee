"""rest.md 5.10 and 14.6: comments and history of a job."""

from tests.conformance.people import Person
from tests.conformance.steps import step

ACTIONS = set(
    "Activated Deactivated Started Paused Finished Completed Error Cancelled Reassigned Upgraded Updated Created "
    "Deleted Closed Added DependencyAdded Held HoldReleased Reopened Reactivated".split()
)


def test_add_comment_answers_with_its_id(admin: Person, two_steps: str) -> None:
    answer = admin.post(f"jobs/{admin.job(two_steps)}/comments", {"comment": "Looks good"})
    assert set(answer) == {"commentId"}


def test_get_comments_lists_them_oldest_first(admin: Person, viewer: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    assert admin.get(f"jobs/{job_id}/comments") == {"jobComments": []}
    ids = [who.post(f"jobs/{job_id}/comments", {"comment": who.username})["commentId"] for who in (viewer, admin)]
    found = admin.get(f"jobs/{job_id}/comments")["jobComments"]
    assert [each["commentId"] for each in found] == ids
    assert [(each["comment"], each["lastModifiedBy"]) for each in found] == [("viewer", "viewer"), ("admin", "admin")]
    for each in found:
        assert set(each) == {"jobId", "comment", "commentId", "lastModifiedBy", "lastModified"}
        assert each["jobId"] == job_id


def test_a_comment_is_told(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    with admin.watch(job_id) as watcher:
        admin.post(f"jobs/{job_id}/comments", {"comment": "x"})
        told = watcher.next()
    assert (told["msgType"], told["message"]["jobId"]) == ("JobCommentUpdated", job_id)


def test_get_history_has_lines_of_known_actions(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    admin.acts(job_id, "Run", "Finish")
    lines = admin.get(f"jobs/{job_id}/history")["jobHistory"]
    assert {"jobId", "date", "username", "action"} <= set.intersection(*(set(line) for line in lines))
    assert {line["action"] for line in lines} <= ACTIONS
    assert lines[0]["action"] == "Created"


def test_a_finished_step_tells_when_and_how_long(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    admin.acts(job_id, "Run", "Finish")
    (line,) = [line for line in admin.get(f"jobs/{job_id}/history")["jobHistory"] if line["action"] == "Finished"]
    assert line["stepId"] == "one"
    assert line["startDate"] <= line["endDate"]
    assert line["durationSeconds"] >= 0


def test_each_action_of_the_history_comes_from_what_it_is_named_after(admin: Person) -> None:
    """But for ``Error`` (a failed answer) and ``Upgraded``, which have tests of their own."""
    job_id, other = admin.job_on(step("a", "b"), step("b")), admin.job_on(step("ask"))

    def adds(*actions: str) -> None:
        now = admin.history(job_id)
        assert now[len(before) :] == list(actions)
        before[:] = now

    before = admin.history(job_id)
    assert before == ["Created", "Activated"]
    admin.acts(job_id, "Hold")
    adds("Held")
    admin.acts(job_id, "ReleaseHold")
    adds("HoldReleased")
    admin.acts(job_id, "Hold", dependentJobId=other)
    adds("DependencyAdded")
    admin.acts(job_id, "ReleaseHold", dependentJobId=other)
    adds("HoldReleased")
    admin.post(f"jobs/{job_id}/currentStep", {"assignedType": "User", "assignedTo": "admin"})
    adds("Reassigned")
    admin.post(f"jobs/{job_id}/update", {"notes": "n"})
    adds("Updated")
    admin.post(f"jobs/{job_id}/comments", {"comment": "c"})
    adds("Added")
    admin.acts(job_id, "Run")
    adds("Started")
    admin.acts(job_id, "Stop")
    adds("Paused")
    admin.acts(job_id, "Finish")
    adds("Finished", "Activated")
    admin.acts(job_id, "SetCurrentStep", stepIds=["a"])
    adds("Deactivated", "Activated")
    admin.acts(job_id, "SetCurrentStep", stepIds=["b"])
    adds("Deactivated", "Activated")
    admin.post("jobs/manage", {"type": "Close", "jobIds": [job_id]})
    adds("Closed")
    admin.post("jobs/manage", {"type": "Reopen", "jobIds": [job_id]})
    adds("Reopened", "Reactivated")
    admin.acts(job_id, "Run", "Finish")
    adds("Started", "Finished", "Completed")
    asked = admin.job_on(step("ask", kind="Question"))
    admin.acts(asked, "Run", "Stop")
    assert admin.history(asked)[-1] == "Cancelled"


def test_a_user_who_fails_a_step_leaves_an_error(admin: Person) -> None:
    job_id = admin.job_on(step("ask"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run")
        watcher.answer(job_id, "ask", manualResponse=False)
        assert watcher.until("StepError")["stepId"] == "ask"
    assert admin.history(job_id)[-1] == "Error"
