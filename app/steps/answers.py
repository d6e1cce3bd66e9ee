"""From a service's answer to the job: its return value, extended properties, and outputs for later steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.domain.attachments import NewAttachment
from app.domain.job import ReturnValue
from app.errors import StepFailed
from app.expressions.arcade import STEP_SUCCESS
from app.protocol.codes import MsgCode
from app.protocol.json_path import read_path, value_at
from app.protocol.service_args import STATUS_CODE, AnswerUse
from app.services import attachments
from app.services.engine import Unit
from app.services.ports import RunRecord, Scalar
from app.services.recording import Jobs
from app.services.step_values import set_values
from app.steps.arguments import step_failure

MAX_OUTPUTS = 10_000


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in an answer, to be written with the step's end."""

    return_value: ReturnValue
    properties: Mapping[str, str | None]
    outputs: tuple[Scalar, ...]


def find(use: AnswerUse | None, document: Any, *, status: int | None = None) -> Findings:
    """Take from an answer what the step's arguments ask for.

    Raises StepFailed: there is no value where one is looked for, or none that can be used so.
    """
    if use is None:
        return Findings(STEP_SUCCESS, {}, ())
    value: ReturnValue = STEP_SUCCESS
    if use.return_value == STATUS_CODE:
        value = status
    elif use.return_value is not None:
        value = _scalar(_found(document, use.return_value), use.return_value)
    properties = {each.identifier: _text(_found(document, each.path)) for each in use.properties or ()}
    return Findings(value, properties, _outputs(document, use.outputs))


def keep(
    unit: Unit, jobs: Jobs, run: RunRecord, findings: Findings, attached: NewAttachment | None = None
) -> ReturnValue:
    """Write what was found, in the transaction that finishes the step; returns what ``$retVal`` is to be.

    Raises StepFailed when the job has no such property, or none that takes the value, or does not take the attachment.
    """
    record = jobs.lock(run.job_id)
    unit.tx.set_step_output(record, run.step_id, findings.outputs)
    if attached is not None:
        with step_failure(MsgCode.INVALID_VALUE):
            attachments.add(unit, run.job_id, [attached], jobs=jobs)
    if findings.properties:
        with step_failure(MsgCode.INVALID_VALUE):
            set_values(unit, jobs, run.job_id, findings.properties)
    return findings.return_value


def _found(document: Any, path: str) -> Any:
    try:
        return value_at(document, read_path(path))
    except LookupError as error:
        text = f"The answer has no value at {path}."
        raise StepFailed(text, name=MsgCode.UNEXPECTED_RESPONSE) from error


def _scalar(value: Any, path: str) -> Scalar:
    if value is None or isinstance(value, str | int | float):
        return value
    text = f"The value at {path} is {'an array' if isinstance(value, list) else 'an object'}, not a single value."
    raise StepFailed(text, name=MsgCode.UNEXPECTED_RESPONSE)


def _text(value: Any) -> str | None:
    """A value as properties hold it: text as it is, anything else as JSON."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def _outputs(document: Any, path: str | None) -> tuple[Scalar, ...]:
    if path is None:
        return ()
    found = _found(document, path)
    values: Sequence[Any] = found if isinstance(found, list) else [found]
    if len(values) > MAX_OUTPUTS:
        text = f"The answer has {len(values)} values at {path}; at most {MAX_OUTPUTS} can be given to later steps."
        raise StepFailed(text, name=MsgCode.UNEXPECTED_RESPONSE)
    return tuple(value if isinstance(value, str | int | float | None) else _text(value) for value in values)
