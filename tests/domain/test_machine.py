"""Random jobs played by random people: whatever they do, the rules hold after each step of it."""

from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain import events as e
from app.domain import work
from app.domain.access import PRIVILEGES, SYSTEM, Actor
from app.domain.apply import fold
from app.domain.commands import (
    Action,
    CompleteRun,
    EndStoppedRun,
    FailRun,
    Finish,
    ManageType,
    RefreshStatus,
    ReleaseHold,
    ReportProgress,
    Run,
    SetCurrentStep,
    SetHold,
    Stop,
)
from app.domain.diagram import Path, Schedule, Step
from app.domain.finishing import is_applying
from app.domain.holds import ConnectionFacts, DependencyTarget
from app.domain.job import UNASSIGNED, Answer, AssignedType, CurrentStep, Flow, Job, StepState, WebhookDependency
from app.domain.outcomes import StepOutcome
from app.domain.prompts import Refused
from app.domain.refusals import AllowedActions, allowed_actions
from app.errors import GatewayError, PermissionDenied, RuleViolation
from tests.domain.builders import CHOICES, Ids, Play, diagram, group, job, person, step, user, visit
from tests.domain.lifting import ANSWERS, is_lifted, release_of

HOUR_MS = 3_600_000
MAX_AUTOMATIC_STEPS = 9
"""Fewer than in earnest: many random diagrams go round in circles, and a thousand rounds teach no more than nine."""

STEP_IDS = "abcde"
ANA = person("ana", *(PRIVILEGES - {"jobForceStop", "adminBasic", "adminAdvanced"}), groups=["crew"])
CLEO = person("cleo", "jobAssignGroup", "jobUpdateHolds", groups=["crew"])
BEN = person("ben")
BOSS = person("boss", *PRIVILEGES)
PEOPLE = st.sampled_from([ANA, ANA, ANA, CLEO, BEN, BOSS])
ASSIGNMENTS = st.sampled_from([user("ana"), user("ana"), user("ana"), group("crew"), user("ben"), UNASSIGNED])
OTHER_JOB = DependencyTarget(job(Flow((visit("s1"),)), job_id="J2"), diagram(step("s1")))

KINDS = ["Manual", "Manual", "Question", "Email", "ExecuteGP", "Attachment", "OpenApp", "AdvancedAssignment", "Survey"]
EXPRESSIONS = [None] * 4 + [
    "$retVal == $stepSuccess",
    "$retVal == 'stepError'",
    "$retVal == 1",
    "$retVal == 0",
    "1 == 2",
    "JobCreator(5) == 1",
]
WHOSE = [(AssignedType.UNASSIGNED, None)] * 4 + [
    (AssignedType.USER, "ben"),
    (AssignedType.GROUP, "crew"),
    (AssignedType.USER, "JobCreator(5)"),
]
ACTIONS: list[type[Action]] = [Run, Run, Finish, Finish, Stop, SetCurrentStep, SetHold, ReleaseHold, RefreshStatus]


@st.composite
def paths(draw: st.DrawFn, ids: str) -> Path:
    kind, to = draw(st.sampled_from(WHOSE))
    target = draw(st.sampled_from([*ids, *ids, "gone"]))
    return Path(target, draw(st.sampled_from(EXPRESSIONS)), kind, to, status=draw(st.sampled_from([None, "Busy"])))


@st.composite
def steps(draw: st.DrawFn, step_id: str, ids: str) -> Step:
    kind = draw(st.sampled_from(KINDS))
    later = ids[ids.index(step_id) + 1 :]
    onward = draw(st.sampled_from([[], [later[:1]], [later[:1], later[1:2]], [later[-1:]]])) if later else []
    prompt = {"questionResponses": CHOICES} if kind == "Question" else draw(st.sampled_from([{}, {"userPrompt": "?"}]))
    members: dict[str, Any] = {
        name: draw(st.booleans()) for name in ("automatic", "proceed_next", "can_skip", "can_comment")
    }
    return step(
        step_id,
        kind,
        to=[*filter(None, onward), *draw(st.lists(paths(ids), max_size=2))],
        args=prompt,
        comment_required=draw(st.sampled_from([False, False, True])),
        schedule=draw(st.sampled_from([None, None, None, None, Schedule(after_ms=HOUR_MS)])),
        **members,
    )


@st.composite
def diagrams(draw: st.DrawFn) -> list[Step]:
    ids = STEP_IDS[: draw(st.integers(2, len(STEP_IDS)))]
    return [draw(steps(step_id, ids)) for step_id in ids]


class PlayedJob(RuleBasedStateMachine):
    """Commands of people, results of executors, and time. ``self.play`` is the job."""

    def __init__(self) -> None:
        super().__init__()
        self.ids = Ids()
        self.shorter = patch.object(work, "MAX_AUTOMATIC_STEPS", MAX_AUTOMATIC_STEPS)
        self.shorter.start()

    def teardown(self) -> None:
        self.shorter.stop()

    @initialize(steps=diagrams(), assignment=ASSIGNMENTS)
    def begin(self, steps: list[Step], assignment: Any) -> None:
        """A new job; also once the workflow of the one before is complete."""
        self.play = Play.created(*steps, assignment=assignment)
        self.play.ids = self.ids
        self.ids.given = 10_000  # beyond what the creation has used

    @precondition(lambda self: self.play.job.flow.is_complete)
    @rule(steps=diagrams(), assignment=ASSIGNMENTS)
    def begin_another(self, steps: list[Step], assignment: Any) -> None:
        self.begin(steps, assignment)

    # ------------------------------------------------------------ people

    @precondition(lambda self: self.play.at and not self.play.job.closed)
    @rule(where=st.lists(st.integers(0, 4), min_size=2, max_size=6), by_hand=st.booleans())
    def work(self, where: list[int], by_hand: bool) -> None:
        """What is most natural to do next: get the step running, answer it, let its service succeed, finish it."""
        for number in where:
            if self.play.at:
                self.move(self.play.at[number % len(self.play.at)], by_hand)

    @rule(kind=st.sampled_from(ACTIONS), where=st.integers(0, 7), who=PEOPLE)
    def act(self, kind: type[Action], where: int, who: Actor) -> None:
        action = kind(self.some_steps(where))
        self.try_action(action, who)

    @rule(where=st.integers(0, 7), hours=st.integers(-1, 3), waits=st.booleans(), who=PEOPLE)
    def hold(self, where: int, hours: int, waits: bool, who: Actor) -> None:
        release = self.play.now_ms + hours * HOUR_MS if hours else None
        self.try_action(SetHold(self.some_steps(where), release, "J2" if waits else None), who, OTHER_JOB)

    @rule(where=st.integers(0, 7), who=PEOPLE)
    def hold_for_a_feature(self, where: int, who: Actor) -> None:
        webhook = WebhookDependency("C1", "state = 3", 0, 7)
        self.try_action(SetHold(self.some_steps(where), webhook=webhook), who, connection=ConnectionFacts(True))

    @precondition(lambda self: any(hold.webhook for hold in self.play.job.flow.holds))
    @rule(where=st.integers(0, 7), who=PEOPLE)
    def release_feature(self, where: int, who: Actor) -> None:
        self.try_action(ReleaseHold(self.some_steps(where), webhook_connection_id="C1"), who)

    @precondition(lambda self: any(hold.is_dependency for hold in self.play.job.flow.holds))
    @rule(where=st.integers(0, 7), who=PEOPLE)
    def release_dependency(self, where: int, who: Actor) -> None:
        self.try_action(ReleaseHold(self.some_steps(where), "J2"), who)

    @precondition(lambda self: self.play.job.is_running)
    @rule(
        where=st.integers(0, 7), answer=st.sampled_from([*ANSWERS.values(), Answer(manual_response=False)]), who=PEOPLE
    )
    def answer(self, where: int, answer: Answer, who: Actor) -> None:
        before = self.play.job
        for step_id in self.some_steps(where):
            refused = self.play.give(step_id, answer, who, user("ben"))
            assert (refused is None) == (self.play.job is not before)
            if isinstance(refused, Refused):
                assert refused.msg.endswith(".")
                continue
            current = self.play.job.flow.current(step_id)
            assert is_applying(current)
            return

    @rule(where=st.integers(0, 7), whose=ASSIGNMENTS, who=PEOPLE)
    def assign(self, where: int, whose: Any, who: Actor) -> None:
        before = self.play.job
        try:
            self.play.assign(next(iter(self.some_steps(where)), None), whose, who, ["crew"])
        except (RuleViolation, PermissionDenied) as refused:
            self.check_untouched(before, refused)

    @precondition(lambda self: self.play.job.closed)
    @rule()
    def reopen(self) -> None:
        self.play.manage(ManageType.REOPEN, BOSS)

    @rule(steps=diagrams(), kind=st.sampled_from([ManageType.CLOSE, ManageType.UPGRADE]))
    def close_or_upgrade(self, steps: list[Step], kind: ManageType) -> None:
        before = self.play.job
        try:
            if kind is ManageType.CLOSE:
                self.play.manage(kind, BOSS)
            else:
                self.play.upgrade(*steps)
        except RuleViolation as refused:
            self.check_untouched(before, refused)

    # ------------------------------------------------------------ the server

    @precondition(lambda self: any(map(is_applying, self.play.job.flow.steps)))
    @rule(who=PEOPLE, assignee=st.sampled_from([user("ben"), None]))
    def apply_answers(self, who: Actor, assignee: Any) -> None:
        for current in self.play.job.flow.steps:
            if is_applying(current):
                assert self.play.apply(current.step_id, who, assignee)

    @precondition(
        lambda self: any(current.is_running and not current.last_run.prompt_id for current in self.play.job.flow.steps)
    )
    @rule(value=st.sampled_from(["stepSuccess", 1, 0]), ends=st.sampled_from(["complete", "fail", "stop", "progress"]))
    def report(self, value: str | int, ends: str) -> None:
        for current in self.play.job.flow.steps:
            if self.play.diagram.by_id[current.step_id].is_service and current.is_running:
                step_id, run_id = current.step_id, current.last_run.run_id
                reports: dict[str, CompleteRun | FailRun | EndStoppedRun | ReportProgress] = {
                    "complete": CompleteRun(step_id, run_id, value),
                    "fail": FailRun(step_id, run_id, "It broke", "BROKEN"),
                    "stop": EndStoppedRun(step_id, run_id),
                    "progress": ReportProgress(step_id, run_id, "Half", "HALF"),
                }
                assert self.play.end(reports[ends])
                return

    @precondition(lambda self: any(hold.scheduled_release_ms for hold in self.play.job.flow.holds))
    @rule(hours=st.integers(1, 3))
    def time_passes(self, hours: int) -> None:
        self.play.now_ms += hours * HOUR_MS
        for hold in self.play.job.flow.holds:
            if hold.scheduled_release_ms is not None and hold.scheduled_release_ms <= self.play.now_ms:
                assert self.play.end_hold(hold.hold_id)

    @precondition(lambda self: any(hold.is_dependency for hold in self.play.job.flow.holds))
    @rule()
    def the_other_job_is_done(self) -> None:
        for hold in self.play.job.flow.holds:
            if hold.is_dependency:
                assert self.play.end_hold(hold.hold_id)

    # ------------------------------------------------------------ helpers

    def move(self, step_id: str, by_hand: bool) -> None:
        current, kind = self.play.job.flow.current(step_id), self.play.diagram.by_id[step_id].kind
        if is_applying(current):
            assert self.play.apply(step_id, SYSTEM, user("ben"))
        elif current.state is StepState.WAITING and not by_hand:
            self.play.give(step_id, ANSWERS[kind], SYSTEM, user("ben"))
        elif current.is_running and self.play.diagram.by_id[step_id].is_service:
            self.play.complete(step_id)
        else:
            kinds: list[type[Action]] = [Finish, Run, ReleaseHold]
            for action in kinds if by_hand else (Run, Finish, ReleaseHold):
                if self.play.act(action((step_id,)), SYSTEM).success:
                    return

    def some_steps(self, where: int) -> tuple[str, ...]:
        """No step (all that are meant), a current one, any one of the diagram, and sometimes one that is not in it."""
        current, known = self.play.at, [*self.play.diagram.by_id, "nowhere"]
        if where == 0:
            return ()
        return (current[where % len(current)],) if current and where < 5 else (known[where % len(known)],)

    def try_action(self, action: Action, who: Actor, dependency: DependencyTarget | None = None, **facts: Any) -> None:
        before, given, told = self.play.job, self.ids.given, len(self.play.recorded)
        try:
            decision = self.play.act(action, who, dependency=dependency, **facts)
        except GatewayError as refused:
            self.check_untouched(before, refused)
            assert (self.ids.given, len(self.play.recorded)) == (given, told)
            return
        for outcome in decision.outcomes:
            self.check_outcome(outcome)
        if not any(outcome.is_success for outcome in decision.outcomes):
            assert self.play.job is before
            assert (self.ids.given, len(self.play.recorded)) == (given, told)
            self.check_lifts(action, who, decision.outcomes)

    def check_untouched(self, before: Job, refused: GatewayError) -> None:
        assert str(refused).endswith(".")
        assert self.play.job is before

    def check_outcome(self, outcome: StepOutcome) -> None:
        assert outcome.is_success == (not outcome.reasons)
        if outcome.reasons:
            assert (outcome.status, outcome.description) == (outcome.reasons[0].status, outcome.reasons[0].description)

    def check_lifts(self, action: Action, who: Actor, outcomes: tuple[StepOutcome, ...]) -> None:
        """The first way out that each reason names does what it says."""
        for outcome in outcomes:
            kind = type(action)
            alone = kind((outcome.step_id,)) if outcome.step_id else kind()
            for reason in outcome.reasons:
                for lift in reason.lifts:
                    assert is_lifted(self.play, alone, who, reason, lift), (reason, lift)

    # ------------------------------------------------------------ what always holds

    @invariant()
    def no_step_is_at_two_places(self) -> None:
        places = [*self.play.at, *self.play.pending]
        assert len(places) == len(set(places))
        assert set(places) <= self.play.diagram.by_id.keys()
        visits = [current.visit_id for current in self.play.job.flow.steps]
        assert len(visits) == len(set(visits))

    @invariant()
    def a_step_is_pending_only_while_another_can_reach_it(self) -> None:
        places = {*self.play.at, *self.play.pending}
        for waiting in self.play.pending:
            assert self.play.at
            assert any(self.play.diagram.reaches(place, waiting) for place in places - {waiting})

    @invariant()
    def a_finished_workflow_is_done_to_100_percent(self) -> None:
        flow = self.play.job.flow
        assert flow.is_complete == (self.play.job.percent_complete == 100)
        assert flow.automatic_run <= MAX_AUTOMATIC_STEPS

    @invariant()
    def states_have_what_belongs_to_them(self) -> None:
        for current in self.play.job.flow.steps:
            run, state = current.run, current.state
            assert state is not StepState.WAITING or (run is not None and run.prompt_id and not run.answer)
            assert not current.is_running or run is not None
            assert (current.fault is not None) == (state is StepState.FAILED)
            assert not (self.play.job.closed and current.is_running)

    @invariant()
    def every_current_step_can_be_moved_by_somebody(self) -> None:
        """Or it moves by itself: its executor ends, its answer is applied."""
        if self.play.job.closed:
            return
        for current in self.play.job.flow.steps:
            tries: list[Action] = [kind((current.step_id,)) for kind in (Run, Finish, Stop)]
            holds = self.play.job.flow.holds_of(current.step_id)
            tries += [release_of(hold) for hold in holds]
            busy = current.state is StepState.STOPPING or is_applying(current)
            assert busy or any(not self.play.reasons(action, SYSTEM) for action in tries)

    @invariant()
    def what_is_shown_as_allowed_is_allowed(self) -> None:
        for current in self.play.job.flow.steps:
            shown = allowed_actions(self.play.job, self.play.diagram, current)
            assert shown == self.accepted(current), current

    def accepted(self, current: CurrentStep) -> AllowedActions:
        """What ``decide`` lets the step's assignee do; nobody's step is asked about as the server."""
        to = current.assignment.to or ""
        assignee = person(to, groups=[to]) if current.assignment.to else SYSTEM
        kind = self.play.diagram.by_id[current.step_id].kind.value
        flags: dict[type[Action], AllowedActions] = {
            Stop: AllowedActions.CANCEL if kind in {"Question", "Email", "ExecuteGP"} else AllowedActions.PAUSE,
            Finish: AllowedActions.FINISH,
            RefreshStatus: AllowedActions.REFRESH if kind == "ExecuteGP" else AllowedActions.NONE,
        }
        found = AllowedActions.NONE
        for action, flag in flags.items():
            found |= AllowedActions.NONE if self.play.reasons(action((current.step_id,)), assignee) else flag
        return found

    @invariant()
    def the_events_tell_the_whole_story(self) -> None:
        first, *others = self.play.events
        assert isinstance(first, e.JobCreated)
        assert fold(first, others) == self.play.job
        assert self.play.recorded[-1].job == self.play.job


TestPlayedJob = PlayedJob.TestCase
TestPlayedJob.settings = settings(max_examples=50, stateful_step_count=30)
