"""Which wire messages tell of which event, with exactly which bodies, and in which order (websocket.md 3 and 4)."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest

from app.domain import events as e
from app.domain.changes import Changes, MemberChange
from app.domain.commands import (
    Action,
    Finish,
    ManageType,
    RefreshStatus,
    ReleaseHold,
    Run,
    SetCurrentStep,
    SetHold,
    Stop,
)
from app.domain.diagram import Diagram
from app.domain.job import (
    NO_TICKET,
    UNASSIGNED,
    Answer,
    Attachment,
    Content,
    CurrentStep,
    DataVersion,
    Flow,
    Hold,
    Job,
    Location,
    PropertyResponse,
    StepFault,
    StepState,
    StoredAnswer,
    WebhookDependency,
)
from app.domain.job import Run as JobRun
from app.domain.properties import PropertyValue, RelatedChanges, RelatedRow
from app.domain.values import Value
from app.protocol.notifications import encode
from app.services import jobs, messages
from tests.conftest import Settings
from tests.domain.builders import CHOICES, TO_ANA, diagram, group, job, silent, step, user, visit
from tests.steps.executors import Scripted, at_once
from tests.support.world import World, open_world
from tests.support.world import step as wire_step

pytestmark = pytest.mark.anyio

SITE = [
    {
        "tableName": "site",
        "extendedPropertyDefinitions": [
            {"propertyName": "acres", "dataType": "Double"},
            {"propertyName": "owner", "dataType": "String"},
        ],
    }
]

AT_MS = 1_767_225_600_000
AT = "2026-01-01T00:00:00Z"
LATER_MS = AT_MS + 86_400_000
LATER = "2026-01-02T00:00:00Z"

RUN = JobRun("run-1", AT_MS, "ana")
ASKING = replace(RUN, prompt_id="P1")
STEPS: Diagram = diagram(
    step("ask", "Question", to=["work"], help_text="See the manual", comment_required=True),
    step("work", to=["serve"], can_skip=True),
    step("serve", "WebRequest", to=["gp"]),
    step("gp", "ExecuteGP", to=["auto"]),
    silent("auto"),
)
MANUAL = Hold("h1", "work", "olga", AT_MS)
TIMED = Hold("h2", "work", "olga", AT_MS, scheduled_release_ms=LATER_MS)
CONTENT = Content("b1", "plan.pdf", "application/pdf", 7, "00")
CHANGED = {"lastModifiedBy": "ana", "lastModified": AT}
WAITS = Hold("h3", "work", "olga", AT_MS, dependent_job_id="J0", dependent_step_id="s2")
WATCHES = Hold("h4", "work", "olga", AT_MS, webhook=WebhookDependency("C1", "state = 3", 0, 7))
FEATURE = {
    "webhookConnectionId": "C1",
    "details": {"webhookReleaseCondition": "state = 3", "webhookLayerId": 0, "webhookObjectId": 7},
}


def at(*steps: CurrentStep, holds: tuple[Hold, ...] = (), **members: Any) -> Job:
    return job(Flow(steps=steps, holds=holds), **members)


def told(event: e.Event, of: Job, steps: Diagram = STEPS) -> list[tuple[str, dict[str, Any]]]:
    """Message types and bodies, without the job id, which all have."""
    found = []
    for message in messages.render(event, of, steps):
        envelope = json.loads(encode(message.body, timestamp_ms=AT_MS))
        assert envelope["message"].pop("jobId") == "J1"
        found.append((envelope["msgType"], envelope["message"]))
    return found


ASK_WAITS = at(visit("ask", state=StepState.WAITING, run=ASKING))
ASK_APPLIES = at(visit("ask", state=StepState.EXECUTING, run=ASKING))
WORK_RUNS = at(visit("work", state=StepState.EXECUTING, run=RUN))
SERVE_RUNS = at(visit("serve", state=StepState.EXECUTING, run=RUN))
SERVE_STOPS = at(visit("serve", state=StepState.STOPPING, run=RUN))
WORK_HANDLED = at(visit("work", state=StepState.HANDLED, run=RUN))
FINISHED: dict[str, Any] = {
    "step": visit("ask"),
    "by": "ana",
    "at_ms": AT_MS,
    "return_value": 1,
    "pending": (),
    "status": None,
}

QUESTION_INFO = {
    "stepId": "ask",
    "msg": "ASK",
    "msgCode": "QUESTION",
    "allowedActions": 1,
    "stepType": "Question",
    "promptId": "P1",
    "helpText": "See the manual",
    "canComment": True,
    "commentRequired": True,
    "question": "ASK",
    "questionResponses": [{"name": "Yes", "value": 1}, {"name": "No", "value": 0}],
}

GOLDEN: list[tuple[e.Event, Job, list[tuple[str, dict[str, Any]]]]] = [
    (e.JobCreated(job(), "ana"), job(), []),
    (
        e.StepsActivated((visit("work"),)),
        at(visit("ask"), visit("work")),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "current_step", "value": "ASK, WORK"},
                            {"propertyName": "current_step_id", "value": "ask, work"},
                        ]
                    }
                },
            )
        ],
    ),
    (e.StepStarted("work", RUN, automatic=False), WORK_RUNS, [("StepStarted", {"stepIds": ["work"]})]),
    (e.PromptOpened("ask", "P1"), ASK_WAITS, [("StepInfoRequired", QUESTION_INFO)]),
    (e.AnswerRejected("ask", "P1", "ana", "no path"), ASK_WAITS, [("StepInfoRequired", QUESTION_INFO)]),
    (
        e.AnswerStored("ask", "P1", StoredAnswer("ben", AT_MS, Answer(question_response=1))),
        ASK_APPLIES,
        [
            (
                "StepProgress",
                {"stepIds": ["ask"], "msg": "ben has answered", "msgCode": "ANSWERED", "allowedActions": 0},
            )
        ],
    ),
    (
        e.StepHandled("work", "STEP_SUCCESS"),
        WORK_HANDLED,
        [
            (
                "StepProgress",
                {"stepIds": ["work"], "msg": "The step is being worked on", "msgCode": "HANDLED", "allowedActions": 6},
            )
        ],
    ),
    (
        e.StepProgressed("serve", "half", "HALF"),
        SERVE_RUNS,
        [("StepProgress", {"stepIds": ["serve"], "msg": "half", "msgCode": "HALF", "allowedActions": 1})],
    ),
    (
        e.StepCompleted("serve", 1),
        at(visit("serve", state=StepState.DONE, run=RUN)),
        [
            (
                "StepStopped",
                {"stepId": "serve", "msg": "The step has run to its end; finish it to go on", "msgCode": "COMPLETED"},
            )
        ],
    ),
    (
        e.StepFinished(activated=(visit("work"),), skipped=False, automatic=True, **FINISHED),
        at(visit("work"), visit("serve", group("g7")), holds=(MANUAL, TIMED, WAITS), status="Under way"),
        [
            (
                "StepFinished",
                {
                    "stepIds": ["ask"],
                    "jobStatus": "Under way",
                    "currentSteps": [
                        {
                            "stepId": "work",
                            "stepName": "WORK",
                            "assignedType": "User",
                            "assignedTo": "ana",
                            "canSkip": True,
                            "manualHold": True,
                            "dependencies": True,
                            "holdScheduledRelease": LATER,
                        },
                        {
                            "stepId": "serve",
                            "stepName": "SERVE",
                            "assignedType": "Group",
                            "assignedTo": "g7",
                            "canSkip": False,
                            "manualHold": False,
                            "dependencies": False,
                            "holdScheduledRelease": None,
                        },
                    ],
                },
            )
        ],
    ),
    (
        e.WorkflowCompleted("ana"),
        at(),
        [("JobUpdated", {"properties": {"jobProperties": [{"propertyName": "percent_complete", "value": "100"}]}})],
    ),
    (e.StepStopping("serve", "ana"), SERVE_STOPS, [("StepStopping", {"stepIds": ["serve"]})]),
    (
        e.StepStopped("serve", "ana", StepState.CANCELLED, told_as_stopped=True),
        at(visit("serve", state=StepState.CANCELLED, run=RUN)),
        [("StepStopped", {"stepId": "serve", "msg": "ana stopped the step", "msgCode": "STOPPED"})],
    ),
    (
        e.StepStopped("ask", "ana", StepState.CANCELLED),
        at(visit("ask", state=StepState.CANCELLED, run=RUN)),
        [("StepCancelled", {"stepIds": ["ask"]})],
    ),
    (
        e.StepStopped("work", "ana", StepState.PAUSED),
        at(visit("work", state=StepState.PAUSED, run=RUN)),
        [("StepPaused", {"stepIds": ["work"]})],
    ),
    (
        e.StepFailed("serve", "system", StepFault("The site is closed.", "SITE_CLOSED")),
        at(visit("serve", state=StepState.FAILED, run=RUN)),
        [("StepError", {"stepId": "serve", "msg": "The site is closed.", "msgCode": "SITE_CLOSED"})],
    ),
    (
        e.CurrentStepSet(visit("work"), ("ask",), "ana", is_new=True),
        at(visit("work")),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "current_step", "value": "WORK"},
                            {"propertyName": "current_step_id", "value": "work"},
                        ]
                    }
                },
            )
        ],
    ),
    (e.StatusRefreshed("ask", "ana"), ASK_WAITS, [("StepInfoRequired", QUESTION_INFO)]),
    (e.StatusRefreshed("serve", "ana"), SERVE_STOPS, [("StepStopping", {"stepIds": ["serve"]})]),
    (
        e.StatusRefreshed("work", "ana"),
        WORK_HANDLED,
        [
            (
                "StepProgress",
                {"stepIds": ["work"], "msg": "The step is being worked on", "msgCode": "HANDLED", "allowedActions": 6},
            )
        ],
    ),
    (
        e.StatusRefreshed("gp", "ana"),
        at(visit("gp", state=StepState.EXECUTING, run=RUN)),
        [
            (
                "StepProgress",
                {"stepIds": ["gp"], "msg": "The step is running", "msgCode": "EXECUTING", "allowedActions": 9},
            )
        ],
    ),
    (
        e.StepReassigned("work", user("ben"), "ana"),
        at(visit("work", user("ben"))),
        [("StepReassigned", {"stepId": "work", "assignedType": "User", "assignedTo": "ben"})],
    ),
    (
        e.StepReassigned("work", UNASSIGNED, "ana"),
        at(visit("work")),
        [("StepReassigned", {"stepId": "work", "assignedType": "Unassigned"})],
    ),
    (
        e.HoldSet(MANUAL, blocks=True),
        at(visit("work"), holds=(MANUAL,)),
        [
            (
                "StepHeld",
                {
                    "stepIds": ["work"],
                    "manual": True,
                    "dependency": False,
                    "webhookDependency": False,
                    "setBy": "olga",
                    "setDate": AT,
                    "holdIds": ["h1"],
                },
            )
        ],
    ),
    (
        e.HoldSet(WAITS, blocks=True),
        at(visit("work"), holds=(TIMED, WAITS)),
        [
            (
                "StepHeld",
                {
                    "stepIds": ["work"],
                    "manual": True,
                    "dependency": True,
                    "webhookDependency": False,
                    "setBy": "olga",
                    "setDate": AT,
                    "holdIds": ["h3"],
                    "dependencyDetails": {"dependentJobId": "J0", "dependentStepId": "s2"},
                },
            )
        ],
    ),
    (
        e.HoldSet(WATCHES, blocks=True),
        at(visit("work"), holds=(WATCHES,)),
        [
            (
                "StepHeld",
                {
                    "stepIds": ["work"],
                    "manual": False,
                    "dependency": False,
                    "webhookDependency": True,
                    "setBy": "olga",
                    "setDate": AT,
                    "holdIds": ["h4"],
                    "webhookDependencyDetails": FEATURE,
                },
            )
        ],
    ),
    (
        e.HoldReleased(WATCHES, "ana", LATER_MS, frees=False),
        at(visit("work"), holds=(MANUAL,)),
        [
            (
                "StepHoldsUpdated",
                {
                    "stepIds": ["work"],
                    "holdIds": ["h4"],
                    "manual": False,
                    "setBy": "olga",
                    "setDate": AT,
                    "releasedBy": "ana",
                    "releasedDate": LATER,
                    "webhookDependencyDetails": FEATURE,
                },
            )
        ],
    ),
    (
        e.HoldSet(TIMED, blocks=False),
        at(visit("ask"), holds=(TIMED,)),
        [
            (
                "StepHoldsUpdated",
                {
                    "stepIds": ["work"],
                    "holdIds": ["h2"],
                    "manual": True,
                    "setBy": "olga",
                    "setDate": AT,
                    "scheduledRelease": LATER,
                },
            )
        ],
    ),
    (
        e.StepReachedHeld("work", (MANUAL, TIMED)),
        at(visit("work"), holds=(MANUAL, TIMED)),
        [
            (
                "StepHeld",
                {
                    "stepIds": ["work"],
                    "manual": True,
                    "dependency": False,
                    "webhookDependency": False,
                    "scheduledRelease": LATER,
                    "setBy": "olga",
                    "setDate": AT,
                    "holdIds": ["h1", "h2"],
                },
            )
        ],
    ),
    (
        e.HoldReleased(MANUAL, "ana", LATER_MS, frees=True),
        at(visit("work")),
        [
            (
                "StepHoldReleased",
                {"stepIds": ["work"], "holdIds": ["h1"], "releasedBy": "ana", "releasedDate": LATER},
            )
        ],
    ),
    (
        e.HoldReleased(WAITS, "ana", LATER_MS, frees=False),
        at(visit("work"), holds=(MANUAL,)),
        [
            (
                "StepHoldsUpdated",
                {
                    "stepIds": ["work"],
                    "holdIds": ["h3"],
                    "manual": False,
                    "setBy": "olga",
                    "setDate": AT,
                    "releasedBy": "ana",
                    "releasedDate": LATER,
                    "dependencyDetails": {"dependentJobId": "J0", "dependentStepId": "s2"},
                },
            )
        ],
    ),
    (
        e.HoldEndedAtOnce(replace(WAITS, dependent_step_id=None), "olga"),
        at(visit("work")),
        [
            (
                "StepHoldsUpdated",
                {
                    "stepIds": ["work"],
                    "holdIds": ["h3"],
                    "manual": False,
                    "setBy": "olga",
                    "setDate": AT,
                    "releasedBy": "olga",
                    "releasedDate": AT,
                    "dependencyDetails": {"dependentJobId": "J0"},
                },
            )
        ],
    ),
    (
        e.CommentAdded("c1", "Looks good", "ana", AT_MS),
        at(),
        [
            (
                "JobCommentUpdated",
                {
                    "adds": [
                        {
                            "jobId": "J1",
                            "commentId": "c1",
                            "comment": "Looks good",
                            "lastModifiedBy": "ana",
                            "lastModified": AT,
                        }
                    ]
                },
            )
        ],
    ),
    (
        e.LocationSet(Location("Polygon", "{}"), "ana", added=True),
        at(),
        [("JobLocationUpdated", {"updateType": "LocationAdded"})],
    ),
    (
        e.LocationSet(Location("Polygon", "{}"), "ana", added=False),
        at(),
        [("JobLocationUpdated", {"updateType": "LocationUpdated"})],
    ),
    (e.LocationCleared("ana"), at(), [("JobLocationUpdated", {"updateType": "LocationUpdated"})]),
    (
        e.AttachmentsAdded(
            (
                Attachment("a1", "Plan", "Plans", "ana", AT_MS, step_id="ask", content=CONTENT),
                Attachment("a2", "Map", "General", "ana", AT_MS, link="https://maps.test/1"),
            ),
            "ana",
        ),
        at(),
        [
            (
                "JobAttachmentUpdated",
                {
                    "adds": [
                        {"id": "a1", "alias": "Plan", "folder": "Plans", "stepId": "ask", **CHANGED},
                        {"id": "a2", "alias": "Map", "folder": "General", "url": "https://maps.test/1", **CHANGED},
                    ]
                },
            )
        ],
    ),
    (
        e.AttachmentChanged(Attachment("a1", "Plan B", "Plans", "ana", AT_MS, content=CONTENT), "ana"),
        at(),
        [("JobAttachmentUpdated", {"updates": [{"id": "a1", "alias": "Plan B", "folder": "Plans", **CHANGED}]})],
    ),
    (
        e.AttachmentDeleted(Attachment("a1", "Plan", "Plans", "ben", AT_MS, content=CONTENT), "ana"),
        at(),
        [("JobAttachmentUpdated", {"deletes": ["a1"]})],
    ),
    (
        e.PropertiesSet(
            Changes(
                members=(
                    MemberChange("due_ms", AT_MS),
                    MemberChange("percent_complete", 12.345678),
                    MemberChange("parent_job", None),
                    MemberChange("versions", (DataVersion("source", name="v1"), DataVersion("other", guid="g"))),
                ),
                properties=(
                    PropertyValue("site", "acres", Value("12.5", number=12.5)),
                    PropertyValue("b", "c"),
                    PropertyValue("site", "d", Value("x")),
                ),
                related=RelatedChanges(
                    adds=(RelatedRow("r1", "visits", (PropertyValue("visits", "day", Value("2025-03-01")),), AT_MS),),
                    updates=(RelatedRow("r2", "visits", (PropertyValue("visits", "day"),), AT_MS),),
                    deletes=(RelatedRow("r3", "photos", (), AT_MS),),
                ),
            ),
            "ana",
        ),
        at(),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "extendedProperties": [
                            {
                                "tableName": "site",
                                "properties": [
                                    {"propertyName": "acres", "value": "12.5"},
                                    {"propertyName": "d", "value": "x"},
                                ],
                            },
                            {"tableName": "b", "properties": [{"propertyName": "c", "value": None}]},
                        ],
                        "jobProperties": [
                            {"propertyName": "due_date", "value": AT},
                            {"propertyName": "percent_complete", "value": "12.345678"},
                            {"propertyName": "parent_job", "value": None},
                            {"propertyName": "versions", "value": "v1, g"},
                        ],
                        "relatedProperties": [
                            {
                                "tableName": "visits",
                                "adds": [{"id": "r1", "properties": [{"propertyName": "day", "value": "2025-03-01"}]}],
                                "updates": [{"id": "r2", "properties": [{"propertyName": "day", "value": None}]}],
                            },
                            {"tableName": "photos", "deletes": ["r3"]},
                        ],
                    }
                },
            )
        ],
    ),
    (
        e.JobClosed("ana", AT_MS, "Done"),
        at(status="Done", closed=True),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "closed", "value": "true"},
                            {"propertyName": "closed_by", "value": "ana"},
                            {"propertyName": "end_date", "value": AT},
                            {"propertyName": "job_status", "value": "Done"},
                        ]
                    }
                },
            )
        ],
    ),
    (
        e.JobReopened("ana", ("work",)),
        at(visit("work")),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "closed", "value": "false"},
                            {"propertyName": "closed_by", "value": None},
                            {"propertyName": "end_date", "value": None},
                        ]
                    }
                },
            )
        ],
    ),
    (
        e.JobUpgraded("ana", "Inspection", 2, Flow()),
        at(),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "diagram_version", "value": "2"},
                            {"propertyName": "diagram_name", "value": "Inspection"},
                        ]
                    }
                },
            )
        ],
    ),
    (
        e.JobClosed("ana", AT_MS, None, cancelled=True),
        at(),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "closed", "value": "true"},
                            {"propertyName": "closed_by", "value": "ana"},
                            {"propertyName": "end_date", "value": AT},
                            {"propertyName": "job_status", "value": "Ready"},
                            {"propertyName": "cancelled", "value": "true"},
                        ]
                    }
                },
            )
        ],
    ),
    (
        e.JobQueued("ana", AT_MS),
        at(),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "queued_by", "value": "ana"},
                            {"propertyName": "queue_date", "value": AT},
                        ]
                    }
                },
            )
        ],
    ),
    (
        e.JobRestarted("ana"),
        at(),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "percent_complete", "value": "0"},
                        ]
                    }
                },
            )
        ],
    ),
    (
        e.TicketSet(NO_TICKET, "ben", (("owned_by", "ana", "ben"), ("project_id", "3", "")), "ana"),
        at(),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "owned_by", "value": "ben"},
                            {"propertyName": "project_id", "value": ""},
                        ]
                    }
                },
            )
        ],
    ),
    (
        e.JobDeleted("ana"),
        at(),
        [
            (
                "JobUpdated",
                {
                    "properties": {
                        "jobProperties": [
                            {"propertyName": "deleted", "value": "true"},
                            {"propertyName": "deleted_by", "value": "ana"},
                        ]
                    }
                },
            )
        ],
    ),
]


@pytest.mark.parametrize(("event", "of", "expected"), GOLDEN, ids=[type(event).__name__ for event, *_ in GOLDEN])
def test_an_event_is_told_by_exactly_these_messages(
    event: e.Event, of: Job, expected: list[tuple[str, dict[str, Any]]]
) -> None:
    assert told(event, of) == expected


def test_every_kind_of_event_has_its_example() -> None:
    assert {type(event) for event, *_ in GOLDEN} == set(get_args(e.Event))


# ---------------------------------------------------------------- what a step asks


KINDS: list[tuple[str, dict[str, Any], str, int, dict[str, Any]]] = [
    (
        "Question",
        {"question": "Which?", "userPrompt": "Please", "questionResponses": CHOICES},
        "QUESTION",
        1,
        {
            "question": "Which?",
            "questionResponses": [{"name": "Yes", "value": 1}, {"name": "No", "value": 0}],
            "userPrompt": "Please",
        },
    ),
    ("Manual", {"userPrompt": "Go there"}, "MANUAL", 6, {"userPrompt": "Go there"}),
    ("OpenApp", {"appUrl": {"value": "https://app.test/"}}, "OPENAPP", 6, {"appUrl": "https://app.test/"}),
    (
        "DefineLocation",
        {"userPrompt": "Draw it", "geometryType": "Polyline", "methodType": "Draw"},
        "LOCATION",
        6,
        {"prompt": "Draw it", "userPrompt": "Draw it", "geometryType": "Polyline", "methodType": "Draw"},
    ),
    (
        "UpdateJobProperties",
        {"userPrompt": "Fill in", "properties": [{"identifier": "site.acres", "alias": "Acres", "required": True}]},
        "PROPERTIES",
        5,
        {
            "jobTemplateId": "T1",
            "prompt": "Fill in",
            "userPrompt": "Fill in",
            "properties": [{"identifier": "site.acres", "alias": "Acres", "required": True, "order": 0}],
        },
    ),
    (
        "Attachment",
        {"folder": "photos", "acceptedFileTypes": ".jpg", "acceptLinked": False},
        "ATTACHMENT",
        6,
        {"folder": "photos", "acceptedFileTypes": ".jpg", "acceptEmbedded": True, "acceptLinked": False},
    ),
    (
        "AdvancedAssignment",
        {"userDefinedAssignmentOptions": {"groupId": "g7"}},
        "ASSIGNMENT",
        6,
        {"assignmentMethod": "UserDefined", "userDefinedAssignmentOptions": {"groupId": "g7"}},
    ),
    ("Survey123", {"surveyId": "f3"}, "OTHER", 6, {}),
]


@pytest.mark.parametrize(("kind", "args", "code", "allowed", "special"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_each_kind_of_step_asks_in_its_own_form_and_tells_others_only_that_it_asks(
    kind: str, args: dict[str, Any], code: str, allowed: int, special: dict[str, Any]
) -> None:
    steps = diagram(step("s1", kind, to=["end"], args=args, help_link="https://help.test"), step("end"))
    waiting = at(visit("s1", state=StepState.WAITING, run=ASKING))
    (message,) = messages.render(e.PromptOpened("s1", "P1"), waiting, steps)
    short = {
        "jobId": "J1",
        "stepId": "s1",
        "msg": args.get("userPrompt", "S1"),
        "msgCode": code,
        "allowedActions": 0,
        "stepType": kind,
        "promptId": "P1",
    }
    form = {"helpLink": "https://help.test", "canComment": True, "commentRequired": False, "allowedActions": allowed}
    assert json.loads(encode(message.body, timestamp_ms=0))["message"] == short | form | special
    assert message.short is not None
    assert json.loads(encode(message.short, timestamp_ms=0))["message"] == short
    assert (message.audience, message.describes) == (TO_ANA, ("s1",))


# ---------------------------------------------------------------- order, numbers, and what describes a step


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings: Settings = {"data_dir": tmp_path / "data"}
    async with open_world(settings, [Scripted(at_once)]) as opened:
        yield opened


Heard = tuple[Action, list[str], dict[str, str]]
"""An action, the types of the messages it causes, and the type of the message that describes each current step then."""

STORIES: dict[str, tuple[list[dict[str, Any]], list[Heard]]] = {
    "a manual step that proceeds is run, held in vain, stopped, run, and finished": (
        [wire_step("work", "Manual", "end"), wire_step("end")],
        [
            (Run(), ["StepStarted", "StepInfoRequired"], {"work": "StepInfoRequired"}),
            (Run(), [], {"work": "StepInfoRequired"}),
            (SetHold(), [], {"work": "StepInfoRequired"}),
            (RefreshStatus(), ["StepInfoRequired"], {"work": "StepInfoRequired"}),
            (Stop(), ["StepPaused"], {"work": "StepPaused"}),
            (SetHold(), ["StepHeld"], {"work": "StepHeld"}),
            (SetHold(), ["StepHeld"], {"work": "StepHeld"}),
            (ReleaseHold(), ["StepHoldsUpdated", "StepHoldReleased"], {}),
            (Run(), ["StepStarted", "StepInfoRequired"], {"work": "StepInfoRequired"}),
            (Finish(), ["StepFinished"], {}),
        ],
    ),
    "a question is cancelled by a stop": (
        [wire_step("ask", "Question", args={"questionResponses": CHOICES})],
        [
            (Run(), ["StepStarted", "StepInfoRequired"], {"ask": "StepInfoRequired"}),
            (Stop(), ["StepCancelled"], {"ask": "StepCancelled"}),
        ],
    ),
    "steps that ask nothing run one after the other to the end": (
        [wire_step("one", "Manual", "two", args={}), wire_step("two", automatic=True, args={})],
        [(Run(), ["StepStarted", "StepFinished", "StepStarted", "StepFinished", "JobUpdated"], {})],
    ),
    "a future step is held, which is told again when the job reaches it": (
        [wire_step("first", "Manual", "later", canSkip=True), wire_step("later")],
        [
            (SetHold(("later",)), ["StepHoldsUpdated"], {}),
            (Finish(), ["StepFinished", "StepHeld"], {"later": "StepHeld"}),
            (ReleaseHold(("later",)), ["StepHoldReleased"], {}),
        ],
    ),
    "a step is set by hand": (
        [wire_step("first", "Manual", "later"), wire_step("later")],
        [
            (SetCurrentStep(("later",)), ["JobUpdated"], {}),
            (SetCurrentStep(("later",)), ["JobUpdated"], {}),
        ],
    ),
    "two branches run beside each other": (
        [
            wire_step("fork", "Manual", "left", "right", canSkip=True),
            wire_step("left", "Manual", "join", canSkip=True),
            wire_step("right", "Manual", "join"),
            wire_step("join"),
        ],
        [
            (Finish(), ["StepFinished"], {}),
            (
                Run(),
                ["StepStarted", "StepInfoRequired", "StepStarted", "StepInfoRequired"],
                {"left": "StepInfoRequired", "right": "StepInfoRequired"},
            ),
            (Finish(("left",)), ["StepFinished"], {"right": "StepInfoRequired"}),
            (Stop(), ["StepPaused"], {"right": "StepPaused"}),
            (Finish(), ["StepFinished"], {}),
        ],
    ),
}


@pytest.mark.parametrize("story", STORIES)
async def test_messages_come_in_order_without_gap_and_the_last_one_describes_its_step(world: World, story: str) -> None:
    steps, heard = STORIES[story]
    job_id = await world.create(await world.template(steps))
    assert await world.feed(job_id) == []
    seq = 0
    for action, types, described in heard:
        await world.act(job_id, action)
        new = [message for message in await world.feed(job_id) if message.seq > seq]
        assert ([message.msg_type for message in new], action) == (types, action)
        assert [message.seq for message in new] == list(range(seq + 1, seq + 1 + len(new)))
        seq += len(new)
        assert (await _described(world, job_id), action) == (described, action)
    assert world.ear.messages == await world.feed(job_id)
    for message in world.ear.messages:
        envelope = json.loads(message.body)
        assert (envelope["seq"], envelope["timestamp"]) == (message.seq, message.created_ms)
        assert envelope["msgType"] == message.msg_type


async def _described(world: World, job_id: str) -> dict[str, str]:
    record = await world.record(job_id)
    assert record is not None
    found = await world.query(lambda unit: unit.tx.feed_messages(record, record.details.values()))
    return {step_id: found[seq].msg_type for step_id, seq in record.details.items()}


async def test_an_answer_is_told_as_progress_then_its_effects_then_the_finished_step(world: World) -> None:
    asked = {"properties": [{"identifier": "site.acres", "required": True}]}
    steps = [
        wire_step("fill", "UpdateJobProperties", "place", args=asked),
        wire_step("place", "DefineLocation", "choose", automatic=True),
        wire_step("choose", "AdvancedAssignment", "end", automatic=True),
        wire_step("end"),
    ]
    job_id = await world.create(await world.template(steps, extendedPropertyTableDefinitions=SITE))
    await world.act(job_id, Run())
    point = '{"points":[[0,0]],"spatialReference":{"wkid":102100}}'
    given = {
        "fill": Answer(property_responses=(PropertyResponse("site.acres", "12"),), comment="measured"),
        "place": Answer(location=point),
        "choose": Answer(assignment_response="admin"),
    }
    expected = {
        "fill": ["JobCommentUpdated", "JobUpdated"],
        "place": ["JobLocationUpdated"],
        "choose": ["StepReassigned"],
    }
    for count, (step_id, answer) in enumerate(given.items(), start=1):
        seq = len(await world.feed(job_id))
        await world.answer(job_id, step_id, answer)
        await world.ear.until(partial(_has_verdicts, world, count))
        types = [message.msg_type for message in await world.feed(job_id)][seq:]
        following = [] if step_id == "choose" else ["StepStarted", "StepInfoRequired"]
        assert types == ["StepProgress", *expected[step_id], "StepFinished", *following]


def _has_verdicts(world: World, count: int) -> bool:
    return len(world.ear.verdicts) == count


async def test_a_job_that_is_managed_says_so_and_a_deleted_one_can_still_be_read(world: World) -> None:
    job_id = await world.create(await world.template([wire_step("only")]))
    for kind in (ManageType.CLOSE, ManageType.REOPEN, ManageType.DELETE):
        await world.execute(partial(jobs.manage, kind=kind, job_ids=[job_id]))
    feed = await world.feed(job_id)
    assert [message.msg_type for message in feed] == ["JobUpdated"] * 3
    assert await world.record(job_id) is None
    assert json.loads(feed[-1].body)["message"]["properties"]["jobProperties"][0] == {
        "propertyName": "deleted",
        "value": "true",
    }
    assert await world.query(lambda unit: unit.tx.check_feed(unit.item, job_id)) == []
