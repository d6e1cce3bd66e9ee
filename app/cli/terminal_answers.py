"""Asking a person, or a script's options, for the answer to an open question."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from app.cli.terminal_lines import Names
from stepgate_client import Answer, PropertyResponse
from stepgate_client.messages import JobState, StepInfoRequired

YES = frozenset({"yes", "y", "true", "1", "done"})
NO = frozenset({"no", "n", "false", "0"})


def open_questions(state: JobState) -> list[StepInfoRequired]:
    """The questions of a job's current steps, in their order; those for other people are in their short form."""
    details = [step.details for step in state.step_states]
    return [detail for detail in details if isinstance(detail, StepInfoRequired)]


def show_question(question: StepInfoRequired, names: Names) -> None:
    """Print the question with what may be answered."""
    print(f"{names.get(question.step_id, question.step_id)}: {_text(question)}")
    if question.help_text:
        print(question.help_text)
    for choice in question.question_responses:
        print(f"  {choice.value}  {choice.name}")


def answer_of(question: StepInfoRequired, values: Sequence[str], comment: str | None) -> Answer:
    """Make the answer from options, or ask for what they leave open.

    Args:
        question: what the step asks; its ``step_type`` decides how values are read.
        values: of ``--value``; empty means ask. Only a step that asks for properties takes several.
        comment: of ``--comment``; None means ask, where values were asked for too and the step takes comments.

    Raises:
        typer.BadParameter: a value does not fit the question.
    """
    asks = not values
    answer = _READERS.get(question.step_type, _manual)(question, values)
    if comment is None and asks and question.can_comment:
        comment = _ask_comment(required=bool(question.comment_required))
    if question.comment_required and not comment:
        raise typer.BadParameter("This step wants a comment: --comment TEXT.")
    return _with_comment(answer, comment)


def _with_comment(answer: Answer, comment: str | None) -> Answer:
    members = {name: getattr(answer, name) for name in answer.__struct_fields__}
    return Answer(**(members | {"comment": comment or None}))


def _text(question: StepInfoRequired) -> str:
    text = question.question or question.prompt or question.user_prompt or question.msg
    return f"{text} {question.app_url}" if question.app_url else text


def _ask(label: str, default: str | None = None) -> str:
    text: str = typer.prompt(label, default=default, show_default=bool(default))
    return text


def _ask_comment(*, required: bool) -> str:
    return _ask("Comment") if required else _ask("Comment (Enter for none)", default="")


def _one(values: Sequence[str], label: str, default: str | None = None) -> str:
    if len(values) > 1:
        raise typer.BadParameter("This step takes one --value.")
    return values[0] if values else _ask(label, default)


def _question(question: StepInfoRequired, values: Sequence[str]) -> Answer:
    given = _one(values, "Your answer (number or name)")
    for choice in question.question_responses:
        if given.strip() == str(choice.value):
            return Answer(question_response=choice.value)
    for choice in question.question_responses:
        if given.strip().casefold() == choice.name.casefold():
            return Answer(question_response=choice.value)
    names = ", ".join(f"{choice.value} ({choice.name})" for choice in question.question_responses)
    raise typer.BadParameter(f"{given!r} is no answer to this question. The answers are {names}.")


def _yes_or_no(values: Sequence[str], label: str) -> bool:
    given = _one(values, label, default="yes").strip().casefold()
    if given in YES | NO:
        return given in YES
    raise typer.BadParameter(f"{given!r} is neither yes nor no.")


def _manual(_: StepInfoRequired, values: Sequence[str]) -> Answer:
    return Answer(manual_response=_yes_or_no(values, "Done? (yes, no)"))


def _open_app(_: StepInfoRequired, values: Sequence[str]) -> Answer:
    return Answer(open_app_response=_yes_or_no(values, "Opened? (yes, no)"))


def _attachment(_: StepInfoRequired, values: Sequence[str]) -> Answer:
    return Answer(attachment_response=_yes_or_no(values, "Are the attachments there? (yes, no)"))


def _location(question: StepInfoRequired, values: Sequence[str]) -> Answer:
    kind = question.geometry_type or "geometry"
    text = _content(_one(values, f"{kind} as JSON, @FILE, or failed"))
    if text.strip().casefold() == "failed":
        return Answer(failed=True)
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise typer.BadParameter("A location is a geometry as a JSON object, @FILE with one, or failed.")
    return Answer(location=text)


def _content(value: str) -> str:
    """Read ``@FILE``; another value stands for itself."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{value[1:]} cannot be read: {error}.") from error


def _properties(question: StepInfoRequired, values: Sequence[str]) -> Answer:
    pairs = [_pair(value) for value in values] if values else _ask_properties(question)
    known = {detail.identifier: detail for detail in question.properties}
    unknown = [name for name, _ in pairs if name not in known]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)} is not asked for. Asked for are {', '.join(known)}.")
    return Answer(
        property_responses=[
            PropertyResponse(identifier=name, value=value, unique_id=known[name].unique_id) for name, value in pairs
        ]
    )


def _pair(value: str) -> tuple[str, str]:
    name, equals, text = value.partition("=")
    if not equals:
        raise typer.BadParameter(f"{value!r} is not of the form PROPERTY=VALUE.")
    return name.strip(), text


def _ask_properties(question: StepInfoRequired) -> list[tuple[str, str]]:
    ordered = sorted(question.properties, key=lambda detail: detail.order or 0)
    asked = [(detail, _ask(detail.alias or detail.identifier, default=detail.value or "")) for detail in ordered]
    return [(detail.identifier, text) for detail, text in asked]


def _assignment(_: StepInfoRequired, values: Sequence[str]) -> Answer:
    return Answer(assignment_response=_one(values, "Who shall do it (user, or id of a group)").strip())


_READERS = {
    "Question": _question,
    "OpenApp": _open_app,
    "DefineLocation": _location,
    "UpdateJobProperties": _properties,
    "Attachment": _attachment,
    "AdvancedAssignment": _assignment,
}
