"""Soundness: what is found, that the runs told really lead there, and that a sound diagram's jobs can always end."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import services
from app.domain import trials
from app.domain.commands import Finish, Run
from app.domain.diagram import Path, Step
from app.domain.job import Answer, PendingStep, ReturnValue, StepState
from app.domain.joins import open_joins
from app.domain.soundness import MAX_FINDINGS, Finding, FindingKind, check_soundness
from app.domain.trials import MAX_LOOKS
from app.expressions.arcade import STEP_ERROR, STEP_SUCCESS
from app.protocol.diagrams import parse_diagram
from tests.domain.builders import Play, diagram, silent, step

TRAPS = {FindingKind.DEAD_END, FindingKind.NEVER_ENDS}
ON_ERROR, ON_1, ON_0 = "$retVal == 'stepError'", "$retVal == 1", "$retVal == 0"


def findings(*steps: Step) -> dict[FindingKind, Finding]:
    return {found.kind: found for found in check_soundness(diagram(*steps))}


# ---------------------------------------------------------------- what is found


def test_a_diagram_with_a_way_to_an_end_from_everywhere_is_sound() -> None:
    question = step("q", "Question", to=[Path("a", ON_1), Path("end", ON_0)])
    assert not findings(step("a", to=["b", "c"]), step("b", to=["q"]), step("c", to=["q"]), question, step("end"))


def test_an_answer_without_a_path_is_named_and_so_is_a_step_that_is_not_there() -> None:
    found = findings(
        step("a", to=["q"]), step("q", "Question", to=[Path("end", ON_1), Path("gone", ON_0)]), step("end")
    )
    assert found.keys() == {FindingKind.NO_PATH, FindingKind.MISSING_STEP}
    assert (found[FindingKind.NO_PATH].values, found[FindingKind.NO_PATH].current) == ((0,), ("q",))
    assert (found[FindingKind.MISSING_STEP].missing, found[FindingKind.MISSING_STEP].step_ids) == (("gone",), ("q",))


def test_a_return_code_that_an_expression_names_needs_a_path() -> None:
    service = step("a", "WebRequest", to=[Path("end", ON_1), Path("end", "$retVal > 5"), Path("gone", "$retVal == 9")])
    assert findings(service, step("end"))[FindingKind.NO_PATH].values == (5,)
    assert not findings(step("a", "WebRequest", to=[Path("end", ON_1), Path("end", "$retVal != 1")]), step("end"))


def test_a_step_whose_paths_never_open_is_a_dead_end() -> None:
    found = findings(step("a", to=["b"]), step("b", to=["gone", Path("end", "1 == 2")]), step("end"))
    assert found[FindingKind.DEAD_END].step_ids == ("b",)
    assert found[FindingKind.DEAD_END].moves == (trials.Move("a", STEP_SUCCESS),)
    assert found[FindingKind.NEVER_REACHED].step_ids == ("end",)


def test_steps_that_lead_only_to_each_other_are_a_dead_end_and_those_before_them_are_not_named() -> None:
    found = findings(step("a", to=["b"]), step("b", to=["c"]), step("c", to=["b"]))
    assert set(found) == {FindingKind.DEAD_END}
    assert found[FindingKind.DEAD_END].step_ids == ("b", "c")


def test_a_failure_is_a_way_out_where_a_path_asks_for_it() -> None:
    assert not findings(step("a", to=[Path("a", "$retVal == $stepSuccess"), Path("end", ON_ERROR)]), step("end"))


def test_what_depends_on_the_job_may_turn_out_either_way() -> None:
    assert not findings(
        step("a", to=["b"]),
        step("b", to=[Path("a", "JobCreator($job) == 'x'"), Path("end", "$job != ''")]),
        step("end"),
    )


def test_a_branch_that_is_begun_again_each_time_never_ends_and_starves_the_join_behind_it() -> None:
    """Every step has a path to the end, and still no job gets there."""
    found = findings(
        step("a", to=["b", "x"]), step("b", to=["j"]), step("x", to=["j", "y"]), step("y", to=["x"]), step("j")
    )
    assert set(found) == {FindingKind.NEVER_ENDS, FindingKind.STARVING_JOIN}
    starving = found[FindingKind.STARVING_JOIN]
    assert (starving.join, starving.step_ids, starving.waiting) == ("j", ("x", "y"), ("j",))


def test_a_join_starves_behind_a_path_that_never_opens() -> None:
    found = findings(
        step("a", to=["b", "x"]), step("b", to=["j"]), step("x", to=["x", Path("j", "$retVal == 7")]), step("j")
    )
    assert found[FindingKind.STARVING_JOIN].join == "j"


def test_an_automatic_loop_is_named_and_one_with_a_person_in_it_is_not() -> None:
    service = step("a", "WebRequest", to=[Path("a", ON_ERROR), Path("end", "$retVal == $stepSuccess")])
    assert not findings(service, step("end"))
    automatic = replace(service, automatic=True, proceed_next=True)
    assert findings(automatic, step("end"))[FindingKind.AUTOMATIC_LOOP].step_ids == ("a",)
    calm = silent("a", to=[Path("a", ON_ERROR), Path("end", "$retVal == $stepSuccess")], automatic=True)
    assert not findings(calm, step("end"))


def test_the_diagrams_of_a_new_item_are_sound() -> None:
    seeds = list((File(services.__file__).parent / "seeds").glob("*_diagram.json"))
    assert seeds
    for seed in seeds:
        assert not check_soundness(parse_diagram(seed.read_bytes(), diagram_id="D", version=1))


# ---------------------------------------------------------------- a thousand steps

N = 1000
IDS = [f"s{number}" for number in range(N)]
LARGE = {
    "chain": [step(each, to=IDS[number + 1 : number + 2]) for number, each in enumerate(IDS)],
    "one round": [step(each, to=[IDS[(number + 1) % N]]) for number, each in enumerate(IDS)],
    "fan": [step("s0", to=IDS[1:-1]), *[step(each, to=["s999"]) for each in IDS[1:-1]], step("s999", to=["gone"])],
    "all stuck": [step("s0", to=IDS[1:]), *[step(each, to=["gone"]) for each in IDS[1:]]],
    "dense": [step(each, to=[IDS[(number * 7 + k * 13) % N] for k in range(5)]) for number, each in enumerate(IDS)],
}


@pytest.mark.parametrize("shape", LARGE)
def test_a_thousand_steps_are_checked_with_bounded_work(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def counted(shape: Any, current: Collection[str], pending: Sequence[PendingStep]) -> Any:
        nonlocal looks
        looks += len(pending) * (len(current) + len(pending))
        return open_joins(shape, current, pending)

    monkeypatch.setattr(trials, "open_joins", counted)
    found = check_soundness(diagram(*LARGE[shape]))
    assert looks <= MAX_LOOKS
    assert len(found) <= MAX_FINDINGS
    assert bool(found) == (shape != "chain")
    if shape in {"fan", "all stuck"}:
        assert found[0].kind is FindingKind.DEAD_END
        assert found[0].step_ids[0] in found[0].current


# ---------------------------------------------------------------- as real jobs go

EXPRESSIONS = [None, None, "$retVal == $stepSuccess", ON_ERROR, ON_1, ON_0, "1 == 2"]
VALUES: list[ReturnValue] = [STEP_SUCCESS, STEP_ERROR, 1, 0]


@st.composite
def steps(draw: st.DrawFn, step_id: str, ids: str) -> Step:
    target = st.sampled_from([*ids, *ids, "gone"])
    ways = st.lists(st.builds(Path, target, st.sampled_from(EXPRESSIONS)), max_size=3)
    kind = draw(st.sampled_from(["Manual", "Manual", "Question", "WebRequest"]))
    skips = draw(st.sampled_from([False, False, True]))
    return step(step_id, kind, to=draw(ways), proceed_next=draw(st.booleans()), can_skip=skips)


@st.composite
def plans(draw: st.DrawFn) -> list[Step]:
    ids = "abcde"[: draw(st.integers(2, 5))]
    return [draw(steps(step_id, ids)) for step_id in ids]


def ended(play: Play, step_id: str, value: ReturnValue) -> Play | None:
    """The job once this step has ended with this value; None where the engine does not let it."""
    after = replace(play, recorded=[])
    visit = after.job.flow.current(step_id).visit_id
    if value is None:
        after.act(Finish((step_id,)))
    elif after.act(Run((step_id,))).success:
        _return(after, step_id, value)
        if (current := after.job.flow.step(step_id)) and current.visit_id == visit:
            after.act(Finish((step_id,)))
    left = after.job.flow.step(step_id)
    return after if left is None or left.visit_id != visit else None


def _return(play: Play, step_id: str, value: ReturnValue) -> None:
    kind = play.diagram.by_id[step_id].kind.value
    if kind == "Question" and isinstance(value, int):
        if play.give(step_id, Answer(question_response=value)) is None:
            play.apply(step_id)
    elif kind == "Manual" and isinstance(value, str):
        if play.give(step_id, Answer(manual_response=value == STEP_SUCCESS)) is None:
            play.apply(step_id)
    elif kind == "WebRequest" and value == STEP_ERROR:
        play.fail(step_id)
    elif kind == "WebRequest":
        play.complete(step_id, value)


def can_end(play: Play) -> bool:
    """Try everything: the engine's own states, from this one on."""
    seen, queue = set(), [play]
    for at in queue:
        if at.job.flow.is_complete:
            return True
        for step_id in at.at:
            for value in (*VALUES, None):
                after = ended(at, step_id, value)
                key = after and (frozenset(after.at), frozenset(after.pending))
                if after and key not in seen:
                    seen.add(key)
                    queue.append(after)
    return False


@settings(max_examples=40, deadline=None)
@given(plans(), st.lists(st.tuples(st.integers(0, 4), st.sampled_from(VALUES)), max_size=6))
def test_a_job_of_a_sound_diagram_can_always_end_and_of_another_the_run_told_shows_why_not(
    given_steps: list[Step], moves: list[tuple[int, ReturnValue]]
) -> None:
    """Against the engine, which shares only the join rule and the expressions with the check."""
    traps = [found for found in check_soundness(diagram(*given_steps)) if found.kind in TRAPS]
    play = Play.created(*given_steps)
    if not traps:
        for where, value in moves:
            if play.at:
                play = ended(play, play.at[where % len(play.at)], value) or play
        assert can_end(play)
    for found in traps:
        played = play
        for move in found.moves:
            following = ended(played, move.step_id, move.value)
            assert following is not None, (move, found)
            played = following
        assert (set(played.at), set(played.pending)) == (set(found.current), set(found.waiting))
        assert not can_end(played)


def test_every_starving_join_stays_shut_in_a_real_job() -> None:
    steps_ = (step("a", to=["b", "x"]), step("b", to=["j"]), step("x", to=["x", Path("j", "$retVal == 7")]), step("j"))
    starving = findings(*steps_)[FindingKind.STARVING_JOIN]
    play = Play.created(*steps_)
    for move in starving.moves:
        following = ended(play, move.step_id, move.value)
        assert following is not None
        play = following
    assert (play.at, play.pending, play.state("x")) == (["x"], ["j"], StepState.READY.value)
    assert not can_end(play)
