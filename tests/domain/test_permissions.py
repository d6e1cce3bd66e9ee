"""What is shown as allowed is what is done, and what is shown against an act is what the act is refused for."""

from collections.abc import Callable

import pytest

from app.domain.access import Actor
from app.domain.actions import decide
from app.domain.commands import Action, Finish, ManageType, ReleaseHold, Run, SetCurrentStep, SetHold, Stop
from app.domain.manage import PRIVILEGE_OF
from app.domain.permissions import PERMISSION_DENIED, Permission, job_permissions, step_permissions
from app.errors import PermissionDenied, RuleViolation
from tests.domain.builders import ANA, BEN, Play, diagram, person, step

COMMANDS: dict[str, Action] = {
    "Run": Run(("a",)),
    "Finish": Finish(("a",)),
    "Stop": Stop(("a",)),
    "Hold": SetHold(("a",)),
    "ReleaseHold": ReleaseHold(("a",)),
    "SetCurrentStep": SetCurrentStep(("a",)),
}


def ready() -> Play:
    return Play.created(step("a", "Question", to=["b"]), step("b"))


def waiting() -> Play:
    play = ready()
    play.act(Run())
    return play


def held() -> Play:
    play = ready()
    play.act(SetHold(("a",)))
    return play


def closed() -> Play:
    play = ready()
    play.manage(ManageType.CLOSE)
    return play


SITUATIONS = [ready, waiting, held, closed]
PEOPLE = [ANA, BEN, person("ben", "jobUpdateHolds"), person("ana", "jobAssignIndividual", "jobDelete")]


def refusals(permissions: tuple[Permission, ...], name: str) -> list[str]:
    """The sentences against an act."""
    (found,) = [each for each in permissions if each.name == name]
    return [refusal.description for refusal in found.refusals]


def refused(play: Play, kind: ManageType, actor: Actor) -> list[str]:
    """The sentence that the job is not managed for, whoever asks."""
    try:
        play.manage(kind, actor, newest=play.diagram)
    except RuleViolation as error:
        return [error.message]
    return []


@pytest.mark.parametrize("actor", PEOPLE, ids=lambda actor: f"{actor.username} {len(actor.privileges)}")
@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_shown_of_a_steps_actions_is_what_becomes_of_them(situation: Callable[[], Play], actor: Actor) -> None:
    for name, action in COMMANDS.items():
        play = situation()
        shown = refusals(step_permissions(play.job, play.diagram, "a", actor), name)
        try:
            (outcome,) = decide(play.job, play.diagram, action, actor, play.moment).outcomes
        except PermissionDenied:
            assert shown[0].startswith(f"{actor.username!r} does not have the privilege"), name
        else:
            assert shown == [reason.description for reason in outcome.reasons], name


@pytest.mark.parametrize("actor", PEOPLE, ids=lambda actor: f"{actor.username} {len(actor.privileges)}")
@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_shown_of_managing_is_what_becomes_of_it(situation: Callable[[], Play], actor: Actor) -> None:
    for kind in ManageType:
        play = situation()
        shown = refusals(job_permissions(play.job, play.diagram, play.diagram, actor, play.moment), kind.value)
        if not actor.may(PRIVILEGE_OF[kind]):
            assert shown.pop(0).startswith(f"{actor.username!r} does not have the privilege"), kind
        assert shown == refused(play, kind, actor), kind


def test_a_step_that_runs_is_not_given_away_and_somebody_without_the_privilege_gives_nothing_away() -> None:
    assert refusals(step_permissions(ready().job, ready().diagram, "a", ANA), "Assign") == []
    assert "is running" in refusals(step_permissions(waiting().job, waiting().diagram, "a", ANA), "Assign")[0]
    (denied,) = step_permissions(ready().job, ready().diagram, "a", BEN)[-1].refusals
    assert denied.status == PERMISSION_DENIED
    assert [lift.name for lift in denied.lifts] == ["jobAssignAny", "jobAssignGroup", "jobAssignIndividual"]


def test_only_a_geoprocessing_step_has_a_status_to_refresh() -> None:
    play = Play(diagram(step("a", "ExecuteGP"), step("b")), ready().job)
    assert "RefreshStatus" in [each.name for each in step_permissions(play.job, play.diagram, "a", ANA)]
    assert "RefreshStatus" not in [each.name for each in step_permissions(play.job, ready().diagram, "a", ANA)]
