"""One readable line for each message."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from app.cli.terminal_lines import line, matter
from stepgate_client import messages
from stepgate_client.models import Comment, CurrentStep, PropertyValue

NAMES = {"s1": "Review", "s2": "Visit"}
STATE = messages.StepState(step_id="s1", step_name="Review", assigned_type="User", assigned_to="ana")
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)


def about(kind: type[messages.Message], **body: Any) -> str:
    return matter(kind(**({"job_id": "J1"} | body)), NAMES)


def test_a_line_has_time_number_type_step_and_what_matters() -> None:
    message = messages.StepError(timestamp=0, seq=7, job_id="J1", step_id="s1", msg="No\nroute", msg_code="GP_FAILED")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d     #7  StepError           Review: No route \(GP_FAILED\)",
        line(message, NAMES),
    )
    assert "  J1  StepError" in line(message, NAMES, job="J1")


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        (
            messages.JobState,
            {"job_status": "Ready", "percent_complete": 25, "step_states": [STATE], "recovered": True},
            "Ready, 25 %, at Review (user ana)",
        ),
        (
            messages.JobState,
            {"job_status": "Done", "percent_complete": 100, "closed": True, "recovered": False, "reason": "trimmed"},
            "Messages were missed (trimmed). Done, 100 %, closed, no current step",
        ),
        (messages.StepStarted, {"step_ids": ["s1", "s9"]}, "Review, s9"),
        (
            messages.StepFinished,
            {
                "step_ids": ["s1"],
                "job_status": "Ready",
                "current_steps": [CurrentStep(step_id="s2", step_name="Visit")],
            },
            "Review: Ready; now at Visit",
        ),
        (messages.StepFinished, {"step_ids": ["s1"], "job_status": "Ready"}, "Review: Ready; no current step"),
        (
            messages.StepInfoRequired,
            {"step_id": "s1", "question": "Again?", "question_responses": [messages.Choice(name="Yes", value=1)]},
            "Review: Again? [Yes]",
        ),
        (
            messages.StepReassigned,
            {"step_id": "s1", "assigned_type": "Group", "assigned_to": "g7"},
            "Review: to group g7",
        ),
        (messages.StepReassigned, {"step_id": "s1"}, "Review: to nobody"),
        (messages.StepHeld, {"step_ids": ["s1"], "manual": True, "set_by": "ana"}, "Review: by hand, set by ana"),
        (
            messages.StepHeld,
            {
                "step_ids": ["s1"],
                "dependency": True,
                "dependency_details": messages.DependencyDetails(dependent_job_id="J0", dependent_step_id="s4"),
            },
            "Review: until job J0 has passed step s4",
        ),
        (messages.StepHoldReleased, {"step_ids": ["s1"], "released_by": "ben"}, "Review: released by ben"),
        (messages.StepHoldsUpdated, {"step_ids": ["s1"], "released_by": "ben"}, "Review: released by ben"),
        (
            messages.JobUpdated,
            {
                "properties": messages.UpdatedProperties(
                    job_properties=[PropertyValue(property_name="closed", value="true")]
                )
            },
            "closed = true",
        ),
        (
            messages.JobCommentUpdated,
            {"adds": [Comment(job_id="J1", comment="Started", last_modified_by="ana")]},
            "ana: Started",
        ),
        (
            messages.JobAttachmentUpdated,
            {"adds": [messages.Attachment(id="a1", alias="plan.pdf")], "deletes": ["a0"]},
            "+plan.pdf, -a0",
        ),
        (messages.JobLocationUpdated, {"update_type": "LocationAdded"}, "set"),
        (messages.Error, {"msg": "No such job.", "msg_code": "not_found"}, "No such job. (not_found)"),
        (messages.UnknownMessage, {"type": "New", "body": {"more": 1}}, "{'more': 1}"),
    ],
)
def test_each_type_says_what_matters(kind: type[messages.Message], body: dict[str, Any], text: str) -> None:
    assert about(kind, **body) == text


def test_a_scheduled_hold_says_until_when() -> None:
    assert re.search(
        r"until 2026-05-0\d ", about(messages.StepHeld, step_ids=["s1"], manual=True, scheduled_release=AT)
    )
