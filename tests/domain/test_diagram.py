"""Diagrams: where a job starts, what reaches what, and which versions may become active."""

import pytest

from app.domain.diagram import Diagram, Step, StepKind, check_activation, check_steps, initial_step
from app.errors import InvalidValue
from tests.domain.builders import diagram, step


@pytest.mark.parametrize(
    ("steps", "named", "start"),
    [
        ([step("a")], None, "a"),
        ([step("a", to=["a"])], None, "a"),
        ([step("b"), step("a", to=["b"])], None, "a"),
        ([step("a", to=["b"]), step("b", to=["a"])], "b", "b"),
        ([step("a", to=["b", "gone"]), step("b", to=["b"])], None, "a"),
    ],
)
def test_a_job_starts_at_the_step_that_is_named_or_that_nothing_leads_to(
    steps: list[Step], named: str | None, start: str
) -> None:
    assert initial_step(tuple(steps), named) == start


@pytest.mark.parametrize(
    ("steps", "named", "words"),
    [
        ([step("a", to=["b"]), step("b", to=["a"])], None, "found none"),
        ([step("a"), step("b")], None, "found a, b"),
        ([step("a")], "z", "'z' is not one"),
        ([], None, "found none"),
    ],
)
def test_a_diagram_without_one_start_is_refused(steps: list[Step], named: str | None, words: str) -> None:
    with pytest.raises(InvalidValue, match=words) as refused:
        initial_step(tuple(steps), named)
    assert refused.value.name == "InvalidFirstStep"


def test_every_fault_of_the_ids_is_named() -> None:
    with pytest.raises(InvalidValue) as refused:
        check_steps((step("a"), step(""), step("a"), step("History")))
    assert len(refused.value.details) == 3


def test_a_step_that_cannot_be_reached_keeps_a_version_from_becoming_active() -> None:
    check_activation(diagram(step("a", to=["b", "gone"]), step("b", to=["a"])))
    with pytest.raises(InvalidValue, match="'c'"):
        check_activation(diagram(step("a", to=["b"]), step("b"), step("c", to=["a"])))


def test_a_version_without_steps_does_not_become_active() -> None:
    with pytest.raises(InvalidValue, match="at least one step"):
        check_activation(Diagram("D1", "Empty", 1, (), ""))


def test_reaching_takes_one_path_or_more() -> None:
    shape = diagram(step("a", to=["b"]), step("b", to=["c", "gone"]), step("c", to=["b"]))
    assert shape.reaches("a", "c")
    assert shape.reaches("b", "b")
    assert not shape.reaches("a", "a")
    assert not shape.reaches("a", "gone")
    assert not shape.reaches("gone", "a")


@pytest.mark.parametrize(("action_type", "kind"), [("Email", StepKind.EMAIL), ("Survey123", StepKind.OTHER)])
def test_an_unknown_action_type_is_a_kind_of_its_own(action_type: str, kind: StepKind) -> None:
    assert step("a", action_type).kind is kind
