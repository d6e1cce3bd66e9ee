"""rest.md 17: what subscribers hear, and how steps are answered."""

import pytest

from tests.conformance.people import ADVANCED, BASIC, Person
from tests.conformance.steps import question, step


def test_notifications_begin_with_connected_and_a_job_state_for_each_subscription(
    admin: Person, two_steps: str
) -> None:
    job_ids = [admin.job(two_steps), admin.job(two_steps)]
    with admin.watch() as watcher:
        watcher.send(msgType="subscribe", jobIds=job_ids, token=admin.token())
        states = [watcher.next() for _ in job_ids]
    assert {state["msgType"] for state in states} == {"JobState"}
    assert {state["message"]["jobId"] for state in states} == set(job_ids)


def test_answer_step_takes_an_answer_over_rest(admin: Person) -> None:
    job_id = admin.job_on(question(), step("end"))
    admin.acts(job_id, "Run")
    with admin.watch(job_id) as watcher:
        answer = admin.post(f"jobs/{job_id}/steps/ask/response", {"questionResponse": 1})
        assert answer["success"] is True
        watcher.until("StepFinished")
    assert admin.current(job_id) == ["end"]


def test_every_message_has_its_type_its_time_and_the_job(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run")
        told = watcher.next()
    assert {"msgType", "timestamp", "message"} <= set(told)
    assert told["message"]["jobId"] == job_id


def test_a_question_is_put_and_answered_over_the_websocket(admin: Person) -> None:
    job_id = admin.job_on(question(canComment=True, helpText="Think"), step("end"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run")
        asked = watcher.until("StepInfoRequired")
        assert (asked["stepId"], asked["question"], asked["canComment"]) == ("ask", "Sure?", True)
        assert (asked["commentRequired"], asked["helpText"]) == (False, "Think")
        assert [(each["name"], each["value"]) for each in asked["questionResponses"]] == [("Yes", 1), ("No", 0)]
        watcher.answer(job_id, "ask", questionResponse=1, comment="sure")
        finished = watcher.until("StepFinished")
    assert (finished["jobId"], finished["stepIds"]) == (job_id, ["ask"])
    assert [step["stepId"] for step in finished["currentSteps"]] == ["end"]
    assert finished["jobStatus"] == admin.get(f"jobs/{job_id}")["jobStatus"]
    assert [each["comment"] for each in admin.get(f"jobs/{job_id}/comments")["jobComments"]] == ["sure"]


def test_allowed_actions_are_flags(admin: Person) -> None:
    """Cancel 1, Pause 2, Finish 4, Refresh 8: a question may be cancelled, a manual step paused or finished."""
    for first, flags in ((question(), 1), (step("do", "end"), 6)):
        job_id = admin.job_on(first, step("end"))
        with admin.watch(job_id) as watcher:
            admin.acts(job_id, "Run")
            assert watcher.until("StepInfoRequired")["allowedActions"] == flags


def test_unsubscribe_ends_the_messages_of_a_job(admin: Person, two_steps: str) -> None:
    left, kept = admin.job(two_steps), admin.job(two_steps)
    with admin.watch(left, kept) as watcher:
        watcher.send(msgType="unsubscribe", jobIds=[left], token=admin.token(), requestId="r")
        assert watcher.until("Ack")["requestId"] == "r"
        for job_id in (left, kept):
            admin.post(f"jobs/{job_id}/comments", {"comment": "x"})
        assert watcher.next()["message"]["jobId"] == kept


@pytest.mark.parametrize("msg_type", ["STEPINFORESPONSE", "StepInformation", "stepinforesponse"])
def test_letter_case_and_the_two_names_of_an_answer_do_not_matter(admin: Person, msg_type: str) -> None:
    job_id = admin.job_on(question(), step("end"))
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Run")
        watcher.send(msgType=msg_type, message={"jobId": job_id, "stepId": "ask", "questionResponse": 1})
        watcher.until("StepFinished")


def test_what_each_call_is_told_as(admin: Person) -> None:
    """The types that the vendor's client waits for, and the order in which they come."""
    job_id = admin.job_on(step("do", "end"), step("end"))
    link = {"attachments": [{"url": "https://example.com"}]}
    point = '{"points": [[0, 0]], "spatialReference": {"wkid": 102100}}'
    with admin.watch(job_id) as watcher:

        def tells(*types: str) -> None:
            assert [watcher.next()["msgType"] for _ in types] == list(types)

        admin.post(f"jobs/{job_id}/update", {"notes": "n"})
        tells("JobUpdated")
        admin.post(f"jobs/{job_id}/comments", {"comment": "c"})
        tells("JobCommentUpdated")
        admin.post(f"jobs/{job_id}/attachmentslinked", link)
        tells("JobAttachmentUpdated")
        admin.put(f"jobs/{job_id}/location", {"location": {"geometryType": "Multipoint", "geometry": point}})
        tells("JobLocationUpdated")
        for name in (ADVANCED, "admin"):
            admin.post(f"jobs/{job_id}/do", {"assignedType": "User", "assignedTo": name})
            tells("StepReassigned")
        admin.acts(job_id, "Hold")
        tells("StepHeld")
        admin.acts(job_id, "ReleaseHold")
        tells("StepHoldReleased")
        admin.acts(job_id, "Run")
        tells("StepStarted", "StepInfoRequired")
        admin.acts(job_id, "Stop")
        tells("StepPaused")
        admin.acts(job_id, "Finish")
        tells("StepFinished")


def test_a_shortened_question_goes_to_those_it_is_not_assigned_to(admin: Person, basic: Person, viewer: Person) -> None:
    job_id = admin.job(admin.made([question(), step("end")]), assignedType="Group", assignedTo=BASIC)
    with basic.watch(job_id) as concerned, viewer.watch(job_id) as other:
        basic.acts(job_id, "Run")
        assert concerned.until("StepInfoRequired")["question"] == "Sure?"
        short = other.until("StepInfoRequired")
    assert "question" not in short
    assert short["allowedActions"] == 0


def test_an_unknown_job_is_told_as_an_error_and_the_others_are_subscribed(admin: Person, two_steps: str) -> None:
    job_id = admin.job(two_steps)
    with admin.watch() as watcher:
        watcher.send(msgType="subscribe", jobIds=["unknown", job_id])
        found = {frame["msgType"]: frame["message"] for frame in (watcher.next(), watcher.next())}
    assert found["Error"]["jobId"] == "unknown"
    assert found["JobState"]["jobId"] == job_id
