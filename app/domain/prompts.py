"""Prompts: what a running step asks, and what an answer to it comes to (websocket.md 2.3, 3.9)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.domain.changes import PropertyFacts
from app.domain.diagram import Step, StepKind
from app.domain.geometry import read_location
from app.domain.job import Answer, Assignment, Job, ReturnValue
from app.domain.paths import scope_of
from app.domain.properties import faults_of
from app.errors import InvalidValue
from app.expressions.arcade import STEP_SUCCESS, ArcadeError, Encoding, evaluate_text, is_expression


class AnswerRefusal(StrEnum):
    """Why an answer was not taken (wire: ``reason`` of a rejected answer)."""

    ALREADY_ANSWERED = "already_answered"
    NOT_WAITING = "not_waiting"
    NOT_ALLOWED = "not_allowed"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused answer: the reason, and a sentence that says what would be right."""

    reason: AnswerRefusal
    msg: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed answer of a question; ``cancels``: it gives the whole job up (``"cancel": true``, ours)."""

    name: str
    value: int
    cancels: bool = False


ANSWER_FIELDS: Mapping[StepKind, str] = {
    StepKind.QUESTION: "questionResponse",
    StepKind.MANUAL: "manualResponse",
    StepKind.OTHER: "manualResponse",
    StepKind.OPEN_APP: "openAppResponse",
    StepKind.DEFINE_LOCATION: "location or failed",
    StepKind.UPDATE_PROPERTIES: "propertyResponses",
    StepKind.ATTACHMENT: "attachmentResponse",
    StepKind.ADVANCED_ASSIGNMENT: "assignmentResponse",
}
"""The member that answers each kind of step."""

FINISHED_BY_ANSWER = frozenset(
    {
        StepKind.QUESTION,
        StepKind.DEFINE_LOCATION,
        StepKind.UPDATE_PROPERTIES,
        StepKind.ATTACHMENT,
        StepKind.ADVANCED_ASSIGNMENT,
    }
)
"""Kinds that an accepted answer finishes whatever ``proceedNext`` says (design.md section 6)."""


def choices(step: Step) -> tuple[Choice, ...]:
    """The allowed answers of a question, in its author's order. Accepts the object form and a list (rest.md 14.4)."""
    raw = step.args.get("questionResponses")
    entries = list(raw.items()) if isinstance(raw, Mapping) else [("", entry) for entry in raw or ()]
    named = [(entry.get("order", number), _choice(key, entry)) for number, (key, entry) in enumerate(entries)]
    return tuple(choice for _, choice in sorted(named, key=lambda pair: pair[0]))


def _choice(key: str, entry: Mapping[str, Any]) -> Choice:
    name = entry.get("displayName") or entry.get("name") or key
    return Choice(str(name), int(entry["value"]), entry.get("cancel") is True)


def cancels(step: Step, answer: Answer) -> bool:
    """The answer gives the job up; it need lead nowhere."""
    if step.kind is not StepKind.QUESTION:
        return False
    return any(choice.cancels and choice.value == answer.question_response for choice in choices(step))


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What an answer is judged by that is not in the job: the user or group that ``assignment_response`` names (None:
    there is nobody of that name), and the properties that may be set."""

    assignee: Assignment | None = None
    properties: PropertyFacts = field(default_factory=PropertyFacts)


def return_value(step: Step, answer: Answer, facts: AnswerFacts) -> ReturnValue:
    """What ``$retVal`` is after this answer; None when the answer says that the step failed.

    Raises:
        InvalidValue: not an answer to this kind of step, or not an allowed one.
    """
    kind = step.kind
    if kind is StepKind.QUESTION:
        return _chosen(step, answer)
    if kind is StepKind.DEFINE_LOCATION:
        return _located(step, answer)
    if kind is StepKind.UPDATE_PROPERTIES:
        return _filled_in(step, answer, facts.properties)
    if kind is StepKind.ADVANCED_ASSIGNMENT:
        return _assigned(answer, facts.assignee)
    given = {StepKind.OPEN_APP: answer.open_app_response, StepKind.ATTACHMENT: answer.attachment_response}.get(
        kind, answer.manual_response
    )
    if given is None:
        raise _wrong_field(step)
    return STEP_SUCCESS if given else None


def _wrong_field(step: Step) -> InvalidValue:
    return InvalidValue(f"A step of type {step.action_type} is answered with {ANSWER_FIELDS[step.kind]}.")


def _chosen(step: Step, answer: Answer) -> int:
    if answer.question_response is None:
        raise _wrong_field(step)
    allowed = choices(step)
    if answer.question_response not in {choice.value for choice in allowed}:
        listed = ", ".join(f"{choice.value} ({choice.name})" for choice in allowed)
        raise InvalidValue(
            f"questionResponse {answer.question_response} is not an answer to this question; use {listed}."
        )
    return answer.question_response


def _located(step: Step, answer: Answer) -> ReturnValue:
    if answer.failed:
        return None
    if answer.location is None:
        raise _wrong_field(step)
    location = read_location(answer.location)
    wanted = step.args.get("geometryType")
    if wanted and wanted.lower() != location.geometry_type.lower():
        raise InvalidValue(f"location is a {location.geometry_type}; this step asks for a {wanted}.")
    return STEP_SUCCESS


def _filled_in(step: Step, answer: Answer, facts: PropertyFacts) -> ReturnValue:
    if answer.property_responses is None:
        raise _wrong_field(step)
    given = given_values(answer)
    asked = {entry["identifier"]: entry for entry in asked_properties(step) if "identifier" in entry}
    unknown = [identifier for identifier in given if asked and identifier not in asked]
    if unknown:
        raise InvalidValue(
            f"propertyResponses: this step does not ask for {unknown[0]!r}; it asks for {', '.join(asked)}."
        )
    missing = [identifier for identifier, entry in asked.items() if entry.get("required") and not given.get(identifier)]
    if missing:
        raise InvalidValue(f"propertyResponses: {', '.join(missing)} must be given.")
    with faults_of("propertyResponses"):
        facts.read(given)
    return STEP_SUCCESS


def given_values(answer: Answer) -> dict[str, str | None]:
    """The values an answer gives, by identifier."""
    return {response.identifier: response.value for response in answer.property_responses or ()}


def asked_properties(step: Step) -> list[Mapping[str, Any]]:
    """The properties that an UpdateJobProperties step asks for, as its author wrote them."""
    entries = step.args.get("properties")
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _assigned(answer: Answer, assignee: Assignment | None) -> ReturnValue:
    if answer.assignment_response is None:
        raise InvalidValue("A step of type AdvancedAssignment is answered with assignmentResponse.")
    if assignee is None:
        raise InvalidValue(f"assignmentResponse: there is no user or group {answer.assignment_response!r}.")
    return STEP_SUCCESS


def app_url(job: Job, step: Step) -> str:
    """The address an OpenApp step opens: ``args.appUrl``, as text or as ``{"value": text}``; the text may be Arcade.

    With ``args.encodeArcadeResults`` the values of job functions are encoded for an address. An expression that cannot
    be evaluated is shown as it stands: the step's user sees what is wrong with it.
    """
    url = step.args.get("appUrl")
    text = url.get("value") if isinstance(url, Mapping) else url
    if not isinstance(text, str):
        return "" if text is None else json.dumps(text)
    if not is_expression(text):
        return text
    try:
        encoding = Encoding.URL if step.args.get("encodeArcadeResults") else Encoding.STANDARD
        return evaluate_text(text, scope_of(job, None, encoding=encoding))
    except ArcadeError:
        return text
