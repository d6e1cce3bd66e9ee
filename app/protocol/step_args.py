"""What ``action.args`` of the step kinds this server carries out must look like before a diagram becomes active.

A draft may be unfinished, and unknown kinds may hold anything. Source: rest.md 14.4, "Step types".
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from app.domain.diagram import Diagram, Step, StepKind
from app.errors import InvalidValue


class PromptArgs(msgspec.Struct, rename="camel"):
    """What every interactive step may say."""

    user_prompt: str | None = None


class ChoiceArgs(msgspec.Struct, rename="camel"):
    """One answer of a question; ``value`` is what comes back, ``order`` its place in the list."""

    value: int
    display_name: str | None = None
    name: str | None = None
    order: float | msgspec.UnsetType = msgspec.UNSET


class QuestionArgs(PromptArgs, rename="camel"):
    """A question; its answers come as an object by name (the reference's form) or as an array."""

    question_responses: dict[str, ChoiceArgs] | list[ChoiceArgs] = msgspec.field(default_factory=list)
    question: str = ""


class LocationArgs(PromptArgs, rename="camel"):
    """A place is wanted."""

    geometry_type: str | None = None


class AskedProperty(msgspec.Struct, rename="camel"):
    """A property that is wanted; ``identifier`` is ``table.property``."""

    identifier: str
    required: bool | None = None


class PropertiesArgs(PromptArgs, rename="camel"):
    """Properties are wanted."""

    properties: list[AskedProperty] | None = None


_ARGS_OF: Final[dict[StepKind, type[PromptArgs]]] = {
    StepKind.MANUAL: PromptArgs,
    StepKind.OPEN_APP: PromptArgs,
    StepKind.ATTACHMENT: PromptArgs,
    StepKind.QUESTION: QuestionArgs,
    StepKind.DEFINE_LOCATION: LocationArgs,
    StepKind.UPDATE_PROPERTIES: PropertiesArgs,
}


def check_args(diagram: Diagram) -> None:
    """Refuse a diagram with a step that could not be carried out. Raises InvalidValue; ``details`` has every fault."""
    if faults := [f"step {step.step_id!r} ({step.name}): {fault}" for step in diagram.steps for fault in _faults(step)]:
        raise InvalidValue(f"WorkflowDiagram was invalid: {'; '.join(faults)}.", details=faults)


def _faults(step: Step) -> Iterator[str]:
    schema = _ARGS_OF.get(step.kind)
    if schema is None:
        return
    try:
        args = msgspec.convert(step.args, schema)
    except msgspec.ValidationError as error:
        text = str(error).replace("`$.", "`action.args.")
        yield text[:1].lower() + text[1:]
        return
    if isinstance(args, QuestionArgs):
        yield from _question_faults(args)


def _question_faults(args: QuestionArgs) -> Iterator[str]:
    responses = args.question_responses
    values = [choice.value for choice in (responses.values() if isinstance(responses, dict) else responses)]
    if not values:
        yield "action.args.questionResponses offers no answer"
    if len(set(values)) < len(values):
        yield "action.args.questionResponses gives two answers the same value"
