"""Close, Reopen, Delete, Upgrade, comments; and who may give a step to whom."""

from dataclasses import replace

import pytest

from app.domain.commands import (
    MAX_COMMENT_CHARS,
    AddComment,
    Assign,
    Finish,
    ManageType,
    Run,
    SetCurrentStep,
    SetHold,
)
from app.domain.diagram import Path
from app.domain.job import UNASSIGNED, Assignment, Flow, Hold, PendingStep, StepState
from app.domain.job import Run as JobRun
from app.domain.manage import PRIVILEGE_OF, Assignee, add_comment, assign, require
from app.errors import GatewayError, InvalidValue, PermissionDenied, RuleViolation
from tests.domain.builders import ANA, BEN, START_MS, Play, diagram, group, job, person, silent, step, user, visit

KNOWN = Assignee(exists=True, has_role=True)


def running() -> Play:
    play = Play.created(step("a"))
    play.act(Run())
    return play


# ---------------------------------------------------------------- close, reopen, delete


@pytest.mark.parametrize(("final", "status"), [("Closed", "Closed"), (None, "Ready")])
def test_closing_takes_the_final_status_and_keeps_the_current_step(final: str | None, status: str) -> None:
    play = Play.created(step("a"))
    play.now_ms += 5
    play.manage(ManageType.CLOSE, final_status=final)
    assert (play.job.closed, play.job.closed_by, play.job.ended_ms) == (True, "ana", START_MS + 5)
    assert (play.job.status, play.at, play.job.percent_complete) == (status, ["a"], 0)


def test_closing_a_closed_job_succeeds_and_changes_nothing() -> None:
    play = Play.created(step("a"))
    play.manage(ManageType.CLOSE)
    before = play.job
    assert play.manage(ManageType.CLOSE, BEN).recorded == ()
    assert play.job is before


def test_a_reopened_job_goes_on_where_it_was() -> None:
    play = Play.created(step("a"))
    play.act(SetHold())
    play.manage(ManageType.CLOSE)
    play.manage(ManageType.REOPEN)
    assert (play.job.closed, play.job.closed_by, play.job.ended_ms) == (False, None, None)
    assert (play.at, len(play.job.flow.holds)) == (["a"], 1)


def test_an_open_job_is_not_reopened() -> None:
    with pytest.raises(RuleViolation, match="open already"):
        Play.created(step("a")).manage(ManageType.REOPEN)


def test_a_deleted_job_is_at_no_step() -> None:
    play = Play.created(step("a"))
    play.manage(ManageType.DELETE)
    assert play.names[-1] == "JobDeleted"
    assert play.job.flow == Flow()


@pytest.mark.parametrize("kind", [ManageType.CLOSE, ManageType.DELETE, ManageType.UPGRADE])
def test_a_running_job_is_left_alone(kind: ManageType) -> None:
    play = running()
    with pytest.raises(RuleViolation, match="is running") as refused:
        play.manage(kind, newest=diagram(step("a"), version=2))
    assert refused.value.name == "JobRunning"


@pytest.mark.parametrize("state", [StepState.PAUSED, StepState.CANCELLED, StepState.FAILED, StepState.DONE])
def test_paused_cancelled_failed_and_done_are_not_running(state: StepState) -> None:
    play = Play(diagram(step("a")), job(Flow((visit("a", state=state, run=JobRun("r1", START_MS, "ana")),))))
    play.manage(ManageType.CLOSE)
    assert play.job.closed


@pytest.mark.parametrize("kind", list(ManageType))
def test_each_kind_of_managing_needs_its_privilege(kind: ManageType) -> None:
    require(person("eve", PRIVILEGE_OF[kind]), kind)
    with pytest.raises(PermissionDenied, match=PRIVILEGE_OF[kind]):
        require(BEN, kind)


# ---------------------------------------------------------------- upgrade


def test_an_upgrade_keeps_steps_by_id_and_drops_what_is_gone() -> None:
    paused = visit("a", state=StepState.PAUSED)
    flow = Flow(
        (paused,),
        (PendingStep("join", user("ana"), START_MS), PendingStep("old", user("ana"), START_MS)),
        (Hold("h1", "old", "olga", START_MS), Hold("h2", "a", "olga", START_MS)),
        ("start", "older"),
    )
    play = Play(diagram(step("start"), step("a", to=["join"]), step("join"), step("old"), step("older")), job(flow))
    play.upgrade(step("start"), step("a", to=["join"]), step("join"))
    assert play.job.diagram_version == 2
    assert play.job.flow.steps == (paused,)
    assert (play.pending, play.job.flow.finished) == (["join"], ("start",))
    assert [hold.hold_id for hold in play.job.flow.holds] == ["h2"]
    assert play.names == ["HoldReleased", "JobUpgraded"]


def test_an_upgrade_opens_joins_that_nothing_can_reach_any_more() -> None:
    flow = Flow((visit("a"),), (PendingStep("join", user("ben"), START_MS),))
    play = Play(diagram(step("a", to=["join"]), step("join")), job(flow))
    play.upgrade(step("a", to=["end"]), step("join", automatic=True), step("end"))
    assert (play.at, play.pending) == (["a", "join"], [])
    assert play.names == ["JobUpgraded", "StepsActivated", "StepStarted", "PromptOpened"]
    assert play.job.flow.current("join").assignment == user("ben")


def test_an_upgrade_to_the_version_the_job_is_on_changes_nothing() -> None:
    play = Play.created(step("a"))
    before = play.job
    assert play.manage(ManageType.UPGRADE, newest=play.diagram).recorded == ()
    assert play.job is before


@pytest.mark.parametrize(
    ("closed", "newest", "name"),
    [
        (True, diagram(step("a"), version=2), "JobClosed"),
        (False, None, "DiagramNotActive"),
        (False, diagram(step("b"), version=2), "StepNotInDiagram"),
    ],
)
def test_an_upgrade_that_cannot_be_is_refused(closed: bool, newest: object, name: str) -> None:
    play = Play.created(step("a"))
    play.job = replace(play.job, closed=closed)
    with pytest.raises(RuleViolation) as refused:
        play.manage(ManageType.UPGRADE, newest=newest)
    assert refused.value.name == name


# ---------------------------------------------------------------- comments


def test_anybody_may_comment_also_on_a_closed_job() -> None:
    play = Play.created(step("a"))
    play.manage(ManageType.CLOSE)
    decision = add_comment(play.job, play.diagram, AddComment("Seen", "c1"), BEN, play.moment)
    assert [type(recorded.event).__name__ for recorded in decision.recorded] == ["CommentAdded"]


@pytest.mark.parametrize("comment", ["", "  \n", "x" * (MAX_COMMENT_CHARS + 1)])
def test_a_comment_is_neither_empty_nor_endless(comment: str) -> None:
    play = Play.created(step("a"))
    with pytest.raises(InvalidValue, match="comment"):
        add_comment(play.job, play.diagram, AddComment(comment, "c1"), ANA, play.moment)


# ---------------------------------------------------------------- assignment

ANY, GROUP, INDIVIDUAL = "jobAssignAny", "jobAssignGroup", "jobAssignIndividual"
MINE, CREW, OFFICE, BENS, NOBODY = user("ana"), group("crew"), group("office"), user("ben"), UNASSIGNED

# privilege of ana, who is in the group crew; whose the step is; who shall have it; the groups of that user; may she?
REACH = [
    (ANY, BENS, OFFICE, [], True),
    (ANY, OFFICE, BENS, [], True),
    (GROUP, CREW, BENS, ["crew"], True),
    (GROUP, CREW, BENS, ["office"], False),
    (GROUP, CREW, MINE, ["crew"], True),
    (GROUP, CREW, CREW, [], True),
    (GROUP, CREW, OFFICE, [], False),
    (GROUP, MINE, BENS, ["crew"], True),
    (GROUP, MINE, BENS, ["office"], False),
    (GROUP, MINE, CREW, [], True),
    (GROUP, BENS, MINE, ["crew"], False),
    (GROUP, OFFICE, MINE, ["crew"], False),
    (GROUP, NOBODY, MINE, [], True),
    (GROUP, NOBODY, BENS, ["crew"], True),
    (GROUP, NOBODY, OFFICE, [], False),
    (INDIVIDUAL, CREW, MINE, ["crew"], True),
    (INDIVIDUAL, CREW, BENS, ["crew"], False),
    (INDIVIDUAL, MINE, CREW, [], True),
    (INDIVIDUAL, MINE, OFFICE, [], False),
    (INDIVIDUAL, BENS, MINE, [], False),
    (INDIVIDUAL, NOBODY, MINE, [], True),
    (INDIVIDUAL, NOBODY, BENS, ["crew"], False),
    *((privilege, BENS, NOBODY, [], True) for privilege in (ANY, GROUP, INDIVIDUAL)),
    ("jobClose", MINE, CREW, [], False),
    ("jobClose", MINE, NOBODY, [], False),
]


@pytest.mark.parametrize(("privilege", "present", "wanted", "groups", "allowed"), REACH)
def test_privileges_reach_as_far_as_they_say(
    privilege: str, present: Assignment, wanted: Assignment, groups: list[str], allowed: bool
) -> None:
    play = Play.created(step("a"), assignment=present)
    actor = person("ana", privilege, groups=["crew"])
    if not allowed:
        with pytest.raises(PermissionDenied, match="jobAssign"):
            play.assign("a", wanted, actor, groups)
        return
    play.assign("a", wanted, actor, groups)
    assert play.job.flow.current("a").assignment == wanted
    assert play.names[-1] == "StepReassigned"


def test_the_same_assignee_again_is_told_again() -> None:
    play = Play.created(step("a"))
    play.forget()
    play.assign("a", MINE)
    play.assign("a", MINE)
    assert play.names == ["StepReassigned", "StepReassigned"]


def test_current_step_means_the_own_one_where_there_are_several() -> None:
    play = Play(diagram(step("a"), step("b")), job(Flow((visit("a", BENS), visit("b", CREW)))))
    play.assign(None, MINE)
    assert [current.assignment for current in play.job.flow.steps] == [BENS, MINE]
    play.assign(None, NOBODY, person("eve", ANY))
    assert [current.assignment for current in play.job.flow.steps] == [NOBODY, MINE]


@pytest.mark.parametrize(
    ("flow", "closed", "command", "assignee", "words"),
    [
        (Flow((visit("a"),)), True, Assign("a", BENS), KNOWN, "closed"),
        (Flow((visit("a"),)), False, Assign("b", BENS), KNOWN, "'b' is not a current step"),
        (Flow(), False, Assign(None, BENS), KNOWN, "no current step"),
        (Flow((visit("a", state=StepState.WAITING),)), False, Assign("a", BENS), KNOWN, "running"),
        (Flow((visit("a"),)), False, Assign("a", replace(BENS, to=None)), KNOWN, "must name a user"),
        (Flow((visit("a"),)), False, Assign("a", replace(CREW, to="")), KNOWN, "must name a group"),
        (Flow((visit("a"),)), False, Assign("a", BENS), Assignee(False, False), "there is no user 'ben'"),
        (Flow((visit("a"),)), False, Assign("a", CREW), Assignee(True, False), "has no role"),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(
    flow: Flow, closed: bool, command: Assign, assignee: Assignee, words: str
) -> None:
    play = Play(diagram(step("a"), step("b")), job(flow, closed=closed))
    with pytest.raises(GatewayError, match=words):
        assign(play.job, play.diagram, command, assignee, ANA, play.moment)


# ---------------------------------------------------------------- setting the current step


def test_the_step_set_is_the_only_one_and_inherits_the_assignment_and_does_not_start() -> None:
    play = Play(
        diagram(step("a"), step("b"), step("c", automatic=True)), job(Flow((visit("a", BENS), visit("b", CREW))))
    )
    decision = play.act(SetCurrentStep(("c",)), person("ana", "workflowSetStepCurrent", groups=["crew"]))
    assert decision.success
    assert play.at == ["c"]
    assert play.state("c") == "ready"
    assert play.job.flow.current("c").assignment == CREW


def test_setting_the_step_that_is_current_keeps_its_visit() -> None:
    paused = visit("a", state=StepState.PAUSED)
    play = Play(diagram(step("a"), step("b")), job(Flow((paused, visit("b")))))
    assert play.act(SetCurrentStep(("a",))).success
    assert play.job.flow.steps == (paused,)


def test_a_step_that_is_set_tells_of_the_holds_it_has() -> None:
    play = Play.created(step("a"), step("b"))
    play.act(SetHold(("b",)))
    play.forget()
    play.act(SetCurrentStep(("b",)))
    assert play.names == ["CurrentStepSet", "StepReachedHeld"]


@pytest.mark.parametrize("step_ids", [(), ("a", "b")])
def test_just_one_step_is_set(step_ids: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValue, match="exactly one"):
        Play.created(step("a"), step("b")).act(SetCurrentStep(step_ids))


def test_setting_the_current_step_needs_its_privilege() -> None:
    with pytest.raises(PermissionDenied, match="workflowSetStepCurrent"):
        Play.created(step("a")).act(SetCurrentStep(("a",)), BEN)


def test_a_path_into_a_new_version_can_be_walked() -> None:
    play = Play.created(step("a", to=[Path("b", "1 == 2")], can_skip=True), silent("b"))
    assert not play.act(Finish()).success
    play.upgrade(step("a", to=["b"], can_skip=True), silent("b", automatic=True))
    assert play.act(Finish()).success
    assert play.job.flow.is_complete
