from typing import Any

import msgspec
import pytest

from app.domain import commands
from app.domain.job import AssignedType, Assignment, Job, Location, WebhookDependency
from app.domain.outcomes import Decision, Lift, LiftKind, Reason, StepOutcome, StepStatus
from app.errors import InvalidValue
from app.protocol.actions import ACTION_TYPES, MAX_STEPS_AT_ONCE, read_action, render_decision
from app.protocol.ids import check_own_id
from app.protocol.job_requests import (
    CreateJobsBody,
    LocationBody,
    read_assignment,
    read_moment,
    read_place,
)
from app.protocol.jobs import render_job
from app.protocol.text import decode


def action(**members: Any) -> commands.Action:
    return read_action(msgspec.json.encode(members))


JOB = Job(
    job_id="j",
    name="JOB_1",
    template_id="t",
    template_name="T",
    diagram_id="d",
    diagram_name="D",
    diagram_version=2,
    owned_by="ann",
    created_by="ann",
    created_ms=0,
    status="Ready",
    priority="Low",
)


# ---------------------------------------------------------------- actions in


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("Run", commands.Run(("a", "b"))),
        ("Finish", commands.Finish(("a", "b"))),
        ("Stop", commands.Stop(("a", "b"))),
        ("Hold", commands.SetHold(("a", "b"))),
        ("ReleaseHold", commands.ReleaseHold(("a", "b"))),
        ("RefreshStatus", commands.RefreshStatus(("a", "b"))),
    ],
)
def test_each_type_becomes_its_command_and_a_step_named_twice_counts_once(kind: str, command: commands.Action) -> None:
    assert action(stepIds=["a", "b", "a"], type=kind, f="json", token="x") == command


@pytest.mark.parametrize("kind", [kind for kind in ACTION_TYPES if kind != "SetCurrentStep"])
@pytest.mark.parametrize("steps", [{}, {"stepIds": None}, {"stepIds": []}])
def test_no_steps_mean_the_current_ones(kind: str, steps: dict[str, Any]) -> None:
    assert action(type=kind, **steps).step_ids == ()


@pytest.mark.parametrize("steps", [None, [], ["a", "b"]])
def test_set_current_step_takes_exactly_one_step(steps: Any) -> None:
    with pytest.raises(InvalidValue, match="exactly one"):
        action(type="SetCurrentStep", stepIds=steps)


@pytest.mark.parametrize("release", ["1970-01-01T00:00:01Z", "1970-01-01T01:00:01+01:00", 1_000])
def test_a_hold_reads_its_release_and_its_dependency(release: Any) -> None:
    hold = action(type="Hold", holdScheduledRelease=release, dependentJobId="j", dependentStepId="s")
    assert hold == commands.SetHold((), scheduled_release_ms=1_000, dependent_job_id="j", dependent_step_id="s")


def test_an_empty_text_names_no_dependency() -> None:
    hold = action(type="Hold", dependentJobId="", dependentStepId="", webhookConnectionId="", holdScheduledRelease=None)
    assert hold == commands.SetHold()


@pytest.mark.parametrize("kind", ["Hold", "ReleaseHold"])
def test_a_dependency_on_a_step_needs_its_job(kind: str) -> None:
    with pytest.raises(InvalidValue, match="dependentStepId needs dependentJobId"):
        action(type=kind, dependentStepId="s")


DETAILS = {"webhookReleaseCondition": "state = 3", "webhookLayerId": 0, "webhookObjectId": 7}


def test_a_hold_reads_the_feature_it_waits_for() -> None:
    hold = action(type="Hold", webhookConnectionId="w", webhookDependencyDetails=DETAILS, dependentJobId=None)
    assert hold == commands.SetHold(webhook=WebhookDependency("w", "state = 3", 0, 7))
    release = action(type="ReleaseHold", webhookConnectionId="w", webhookDependencyDetails="of a Hold, ignored here")
    assert release == commands.ReleaseHold(webhook_connection_id="w")


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"webhookConnectionId": "w"}, "needs webhookDependencyDetails"),
        ({"webhookDependencyDetails": DETAILS}, "needs webhookConnectionId"),
        ({"webhookConnectionId": "w", "webhookDependencyDetails": {}}, "webhookReleaseCondition"),
        *(
            ({"webhookConnectionId": "w", "webhookDependencyDetails": DETAILS | {name: value}}, name)
            for name, value in [
                ("webhookReleaseCondition", " "),
                ("webhookReleaseCondition", "x" * 2_001),
                ("webhookReleaseCondition", 5),
                ("webhookLayerId", -1),
                ("webhookLayerId", "0"),
                ("webhookObjectId", None),
                ("webhookObjectId", 2**53 + 1),
            ]
        ),
    ],
)
def test_a_hold_for_a_feature_says_all_of_it(members: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidValue, match=fault):
        action(type="Hold", **members)


@pytest.mark.parametrize("kind", ["Run", "Finish", "Stop", "RefreshStatus"])
def test_members_of_a_hold_are_ignored_in_other_actions(kind: str) -> None:
    found = action(type=kind, holdScheduledRelease=True, dependentStepId=5, webhookConnectionId=["w"])
    assert found.step_ids == ()


@pytest.mark.parametrize("kind", ["run", "RUN", "", "Dance"])
def test_an_unknown_type_lists_the_right_ones(kind: str) -> None:
    with pytest.raises(
        InvalidValue, match="none of Run, Finish, Stop, SetCurrentStep, Hold, ReleaseHold, RefreshStatus"
    ):
        action(type=kind)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b"[]", "expected `object`"),
        (b"{}", "`type`"),
        (b'{"type": null}', r"\$.type"),
        (b'{"type": "Run", "stepIds": "a"}', r"\$.stepIds"),
        (b'{"type": "Run", "stepIds": [1]}', r"\$.stepIds\[0\]"),
        (b'{"type": "Run", "stepIds": ["\\u0000"]}', "NUL"),
        (b'{"type": "Run", "stepIds": ["\\udc00"]}', "surrogate"),
        (b'{"type": "Hold", "holdScheduledRelease": "soon"}', "holdScheduledRelease: 'soon'"),
        (b'{"type": "Hold", "holdScheduledRelease": 9e99}', "holdScheduledRelease"),
        (b'{"type": "Hold", "holdScheduledRelease": 999999999999999999999}', "64 bits"),
        (b'{"type": "Hold", "holdScheduledRelease": 999999999999999999}', "not a moment"),
        (b'{"type": "Hold", "holdScheduledRelease": true}', "holdScheduledRelease"),
        (b'{"type": "Hold", "dependentJobId": 7}', r"\$.dependentJobId"),
        (b'{"type": "Run\xff"}', "UTF-8"),
    ],
)
def test_a_malformed_action_is_refused_by_the_name_of_its_member(raw: bytes, fault: str) -> None:
    with pytest.raises(InvalidValue, match=fault):
        read_action(raw)


def test_more_steps_than_the_limit_are_refused() -> None:
    with pytest.raises(InvalidValue, match="stepIds"):
        action(type="Run", stepIds=[str(number) for number in range(MAX_STEPS_AT_ONCE + 1)])


# ---------------------------------------------------------------- actions out


def test_a_refusal_goes_out_with_all_its_reasons() -> None:
    held = Reason(StepStatus.HELD, "The step is held.", (Lift(LiftKind.TIME, at_ms=1_000),), hold_id="h")
    other = Reason(StepStatus.ASSIGNED_TO_DIFFERENT_USER, "It is bob's.", (Lift(LiftKind.USER, name="bob"),))
    outcome = StepOutcome("a", StepStatus.HELD, "The step is held.", (held, other))
    found = msgspec.to_builtins(render_decision(Decision(JOB, (), (outcome,))))
    assert found == {
        "success": False,
        "stepResponses": [
            {
                "stepId": "a",
                "status": "Held",
                "statusDescription": "The step is held.",
                "reasons": [
                    {
                        "status": "Held",
                        "description": "The step is held.",
                        "liftedBy": [{"kind": "time", "at": "1970-01-01T00:00:01Z"}],
                        "holdId": "h",
                    },
                    {
                        "status": "AssignedToDifferentUser",
                        "description": "It is bob's.",
                        "liftedBy": [{"kind": "user", "name": "bob"}],
                    },
                ],
            }
        ],
    }


def test_success_means_that_every_step_succeeded() -> None:
    done = StepOutcome("a", StepStatus.SUCCESS, "Done.")
    refused = StepOutcome("b", StepStatus.NOT_RUNNING, "It does not run.")
    assert render_decision(Decision(JOB, (), (done,))).success
    assert not render_decision(Decision(JOB, (), (done, refused))).success


def test_automatic_responses_are_there_only_when_a_step_could_not_start() -> None:
    done = StepOutcome("a", StepStatus.SUCCESS, "Done.")
    stuck = StepOutcome("b", StepStatus.STEP_NOT_AUTO, "It needs a person.")
    assert "automaticResponses" not in msgspec.to_builtins(render_decision(Decision(JOB, (), (done,), (done,))))
    found = msgspec.to_builtins(render_decision(Decision(JOB, (), (done,), (done, stuck))))
    assert [each["stepId"] for each in found["automaticResponses"]] == ["b"]


# ---------------------------------------------------------------- requests


def test_all_members_of_a_creation_are_optional_and_null_means_absent() -> None:
    names = [field.encode_name for field in msgspec.structs.fields(CreateJobsBody)]
    nulls = decode(CreateJobsBody, msgspec.json.encode(dict.fromkeys(names)))
    assert nulls == decode(CreateJobsBody, b"{}")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("numberOfJobs", 0),
        ("numberOfJobs", 1_001),
        ("numberOfJobs", "2"),
        ("numberOfJobs", 1.5),
        ("percentComplete", -1),
        ("percentComplete", 101),
        ("percentComplete", "10"),
        ("jobName", 5),
        ("assignedType", "Everybody"),
        ("extendedProperties", [{"value": "x"}]),
        ("extendedProperties", [{"identifier": "t.p", "value": [5]}]),
        ("location", "here"),
        ("startDate", []),
    ],
)
def test_a_wrong_member_of_a_creation_is_named(member: str, value: Any) -> None:
    with pytest.raises(InvalidValue, match=rf"\$\.{member}"):
        decode(CreateJobsBody, msgspec.json.encode({member: value}))


def test_moments_are_text_or_milliseconds() -> None:
    assert read_moment("1970-01-01T00:00:01Z", "x") == 1_000
    assert read_moment(1_000, "x") == 1_000
    assert read_moment(None, "x") is None


@pytest.mark.parametrize("value", ["", "tomorrow", "2026-13-01", 2**62])
def test_a_bad_moment_names_its_member(value: Any) -> None:
    with pytest.raises(InvalidValue, match="dueDate"):
        read_moment(value, "dueDate")


def test_an_unassigned_step_ignores_a_name_and_others_need_one() -> None:
    assert read_assignment(None, "ann") == Assignment()
    assert read_assignment(AssignedType.UNASSIGNED, "ann") == Assignment()
    assert read_assignment(AssignedType.USER, "ann") == Assignment(AssignedType.USER, "ann")
    for name in (None, ""):
        with pytest.raises(InvalidValue, match="assignedTo is missing"):
            read_assignment(AssignedType.GROUP, name)


def test_a_place_is_read_and_its_type_must_fit() -> None:
    geometry = '{"points": [[0, 0]], "spatialReference": {"wkid": 102100}}'
    assert read_place(None) is None
    assert read_place(LocationBody()) is None
    assert isinstance(read_place(LocationBody(geometry_type="Multipoint", geometry=geometry)), Location)
    with pytest.raises(InvalidValue, match="does not fit"):
        read_place(LocationBody(geometry_type="Polygon", geometry=geometry))
    with pytest.raises(InvalidValue):
        read_place(LocationBody(geometry="nowhere"))


@pytest.mark.parametrize("good", ["a", "Q5-nYVlCTBOZ4ShEdDsglA", "{df4c8d20-5c99-457f-0be1-21fa8f830760}", "x" * 64])
def test_an_own_id_may_be_short_or_a_guid(good: str) -> None:
    assert check_own_id(good, "jobId") == good


@pytest.mark.parametrize("bad", ["", "a b", "a/b", "a.b", "é", "x" * 65, "a\n"])
def test_an_own_id_must_fit_into_a_path(bad: str) -> None:
    with pytest.raises(InvalidValue, match="jobId"):
        check_own_id(bad, "jobId")


# ---------------------------------------------------------------- jobs out


def test_a_job_goes_out_without_members_that_have_no_value() -> None:
    assert msgspec.to_builtins(render_job(JOB, [])) == {
        "jobId": "j",
        "jobName": "JOB_1",
        "ownedBy": "ann",
        "createdBy": "ann",
        "createdDate": "1970-01-01T00:00:00Z",
        "percentComplete": 0,
        "priority": "Low",
        "jobStatus": "Ready",
        "diagramId": "d",
        "diagramName": "D",
        "diagramVersion": 2,
        "jobTemplateId": "t",
        "jobTemplateName": "T",
        "currentSteps": [],
        "activeVersions": [],
        "hasLocation": 0,
        "closed": False,
    }
