"""What ``action.args`` of the step kinds this server carries out must look like before a diagram becomes active.

A draft may be unfinished, and unknown kinds may hold anything. Source: rest.md 14.4, "Step types".
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from app.domain.diagram import Diagram, Step, StepKind
from app.errors import InvalidValue
from app.protocol.create_job import CreateJobArgs, GivenValue, value_faults
from app.protocol.email import EmailArgs
from app.protocol.geoprocessing import GeoprocessingArgs
from app.protocol.web_request import WebRequestArgs


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
    """Properties are wanted of the step's user (``properties``), or set by the server (``propertyValues``)."""

    properties: list[AskedProperty] | None = None
    property_values: list[GivenValue] | None = None

    def faults(self) -> Iterator[str]:
        """What is wrong beyond the types of the members."""
        if self.properties and self.property_values is not None:
            yield "properties has what the step asks for, propertyValues what the server sets; it must be one of them"
        yield from value_faults("propertyValues", self.property_values)


_ARGS_OF: Final[dict[StepKind, type[msgspec.Struct]]] = {
    StepKind.MANUAL: PromptArgs,
    StepKind.OPEN_APP: PromptArgs,
    StepKind.ATTACHMENT: PromptArgs,
    StepKind.QUESTION: QuestionArgs,
    StepKind.DEFINE_LOCATION: LocationArgs,
    StepKind.UPDATE_PROPERTIES: PropertiesArgs,
    StepKind.CREATE_JOB: CreateJobArgs,
    StepKind.EMAIL: EmailArgs,
    StepKind.WEB_REQUEST: WebRequestArgs,
    StepKind.EXECUTE_GP: GeoprocessingArgs,
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
        text = text[:1].lower() + text[1:]
        yield text if "`action.args" in text else f"action.args: {text}"
        return
    if isinstance(args, QuestionArgs):
        yield from _question_faults(args)
    if isinstance(args, PropertiesArgs | CreateJobArgs | WebRequestArgs | GeoprocessingArgs):
        yield from (f"action.args.{fault}" for fault in args.faults())


def _question_faults(args: QuestionArgs) -> Iterator[str]:
    responses = args.question_responses
    values = [choice.value for choice in (responses.values() if isinstance(responses, dict) else responses)]
    if not values:
        yield "action.args.questionResponses offers no answer"
    if len(set(values)) < len(values):
        yield "action.args.questionResponses gives two answers the same value"
