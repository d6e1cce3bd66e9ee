"""``POST jobs/{jobId}/steps/{stepId}/response``: the same answers as on the websocket, over REST."""

from collections.abc import Callable
from typing import Any

import pytest

from app.api import answers
from app.domain.job import Answer
from app.hub.hub import Hub
from app.services.first_start import ITEM_ID
from app.services.ports import AnswerRecord
from tests.api.conftest import Api


@pytest.fixture
def asked(api: Api, question: str) -> str:
    """A job whose question is open."""
    job_id = api.job(question)
    assert api.action(job_id, "Run")["success"]
    return job_id


def respond(api: Api, job_id: str, **body: Any) -> Any:
    return api.post(f"jobs/{job_id}/steps/ask/response", body)


def test_an_answer_moves_the_job_on(api: Api, asked: str) -> None:
    found = respond(api, asked, questionResponse=1)
    assert found["success"] is True
    assert found["stage"] == "applied"
    assert found["promptId"]
    assert api.current(asked) == ["end"]


@pytest.mark.parametrize("msg_type", ["StepInformation", "STEPINFORESPONSE"])
def test_the_body_may_be_the_websockets_whole_message(api: Api, asked: str, msg_type: str) -> None:
    message = {"jobId": asked, "stepId": "ask", "questionResponse": 1}
    assert respond(api, asked, msgType=msg_type, message=message, token="x")["success"]
    assert api.current(asked) == ["end"]


def test_the_same_request_id_gets_the_same_verdict(api: Api, asked: str) -> None:
    first = respond(api, asked, questionResponse=1, requestId="r1")
    again = respond(api, asked, questionResponse=1, requestId="r1")
    assert first == again
    assert (again["stage"], again["requestId"]) == ("applied", "r1")


def test_a_second_answer_is_told_that_somebody_was_first(api: Api, asked: str) -> None:
    respond(api, asked, questionResponse=1)
    assert api.refused(f"jobs/{asked}/steps/ask/response", {"questionResponse": 0})["type"] == "already_answered"
    assert api.current(asked) == ["end"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"questionResponse": 7}, "invalid"),
        ({"manualResponse": True}, "invalid"),
        ({"questionResponse": 1, "promptId": "another"}, "not_waiting"),
    ],
)
def test_an_answer_that_does_not_fit_leaves_the_question_open(api: Api, asked: str, body: Any, reason: str) -> None:
    assert api.refused(f"jobs/{asked}/steps/ask/response", body)["type"] == reason
    assert respond(api, asked, questionResponse=1)["stage"] == "applied"


def test_a_question_that_nobody_has_asked_waits_for_no_answer(api: Api, question: str) -> None:
    job_id = api.job(question)
    assert api.refused(f"jobs/{job_id}/steps/ask/response", {"questionResponse": 1})["type"] == "not_waiting"


def test_only_whom_the_step_waits_for_may_answer(api: Api, worker: Api, asked: str) -> None:
    found = worker.refused(f"jobs/{asked}/steps/ask/response", {"questionResponse": 1})
    assert found["type"] == "not_allowed"
    assert api.current(asked) == ["ask"]


@pytest.mark.parametrize("member", ["jobId", "stepId"])
def test_a_body_that_names_another_step_is_refused(api: Api, asked: str, member: str) -> None:
    body = {"questionResponse": 1, member: "another"}
    assert member in api.refused(f"jobs/{asked}/steps/ask/response", body)["message"]
    assert api.current(asked) == ["ask"]


def test_an_answer_to_a_job_that_is_not_there_is_refused(api: Api) -> None:
    assert api.refused("jobs/nowhere/steps/ask/response", {"questionResponse": 1})["message"]


def test_an_answer_whose_verdict_is_late_is_told_as_stored_and_counts(
    api: Api, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(answers, "VERDICT_WAIT_S", 0)
        assert respond(api, asked, questionResponse=1, requestId="late")["stage"] == "stored"
    assert respond(api, asked, questionResponse=1, requestId="late")["stage"] == "applied"
    assert api.current(asked) == ["end"]


def test_an_answer_that_is_rejected_after_it_was_stored_is_told_as_refused(
    api: Api, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rare: the world has changed between storing and applying, such as a user who was to be assigned and is gone."""

    def reject(_: Hub, answer_id: int, callback: Callable[[AnswerRecord], None]) -> None:
        callback(
            AnswerRecord(
                answer_id=answer_id,
                item_id=ITEM_ID,
                job_key=1,
                job_id=asked,
                step_id="ask",
                run_id="r",
                prompt_id="p",
                request_id=None,
                username="admin",
                answer=Answer(question_response=1),
                stage="rejected",
                reason="invalid",
                at_ms=0,
            )
        )

    monkeypatch.setattr(Hub, "watch_answer", reject)
    assert api.refused(f"jobs/{asked}/steps/ask/response", {"questionResponse": 1})["type"] == "invalid"


def test_nobody_is_left_waiting_for_a_verdict(api: Api, asked: str) -> None:
    respond(api, asked, questionResponse=1)
    assert api.gateway.hub._verdicts.watched == []
