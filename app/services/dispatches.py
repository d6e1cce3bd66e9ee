"""What happens to jobs, told outside: e-mails of the paths taken, and activities of templates, which are e-mails or web
requests (rest.md 7, 14.4).

Each is made in the transaction of what has happened, and sent after its commit (``steps.dispatcher``): what was
acknowledged is told, and what was rolled back is not. What cannot be made is a line in the job's history.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from app.domain import events as e
from app.domain.job import Job
from app.domain.outcomes import Recorded
from app.errors import StepFailed
from app.protocol.codes import MsgCode
from app.protocol.email import EmailArgs
from app.protocol.web_request import WebRequestArgs
from app.services import item_log, mails, web_requests
from app.services.engine import Unit
from app.services.ports import Dispatch, HistoryEntry, LogLevel
from app.services.stored_templates import EMAIL, WEB_REQUEST
from app.services.texts import texts_about

log = logging.getLogger(__name__)

EMAIL_KIND = "Email"
WEB_REQUEST_KIND = "WebRequest"

_ACTIVITY_OF: dict[type[e.Event], str] = {
    e.JobCreated: "CreateJob",
    e.JobClosed: "CloseJob",
    e.JobDeleted: "DeleteJob",
    e.CommentAdded: "AddComment",
    e.StepReassigned: "AssignJob",
    e.CurrentStepSet: "SetCurrentStep",
}


class Activity(msgspec.Struct, rename="camel", frozen=True):
    """One activity of a job template, as far as it is sent."""

    type_name: str
    action_name: str
    template_id: str


class _Activities(msgspec.Struct, frozen=True):
    activities: list[Activity] | None = None


@lru_cache(maxsize=256)
def activities_of(body: bytes) -> tuple[Activity, ...]:
    """The activities of a stored job template. The body was checked when the template was saved."""
    return tuple(msgspec.json.decode(body, type=_Activities).activities or ())


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A template that is to be sent, and why."""

    kind: str
    occasion: str
    step_id: str | None
    template_id: str


def add(unit: Unit, recorded: Sequence[Recorded], template_id: str) -> list[HistoryEntry]:
    """Add what the events of one job cause; returns the lines of what could not be made, for its history.

    Args:
        template_id: the job's template.
    """
    lines = []
    for each in recorded:
        for wanted in _wanted(unit, each.event, template_id):
            try:
                _add(unit, each, wanted)
            except StepFailed as error:
                text = f"No {_KINDS[wanted.kind].noun} was sent for {wanted.occasion}. {error}"
                log.warning("job %s: %s", each.job.job_id, text)
                item_log.write(unit, LogLevel.ERROR, text, job_id=each.job.job_id, step_id=wanted.step_id)
                by = unit.actor.username
                lines.append(HistoryEntry("Error", by, unit.now_ms, wanted.step_id, text))
    return lines


def _wanted(unit: Unit, event: e.Event, template_id: str) -> Iterator[_Wanted]:
    if isinstance(event, e.StepFinished):
        for each in event.notifications:
            yield _Wanted(EMAIL_KIND, "a path", event.step.step_id, each)
        return
    name = _ACTIVITY_OF.get(type(event))
    template = unit.tx.template(unit.item, template_id) if name else None
    for activity in activities_of(template.body) if template else ():
        if activity.type_name == name:
            yield _Wanted(activity.action_name, activity.type_name, None, activity.template_id)


def _add(unit: Unit, recorded: Recorded, wanted: _Wanted) -> None:
    kind = _KINDS[wanted.kind]
    stored = unit.tx.stored_template(unit.item, kind.template_type, wanted.template_id)
    if stored is None:
        text = f"There is no {kind.noun} template {wanted.template_id!r} any more."
        raise StepFailed(text, name=MsgCode.NOT_CONFIGURED)
    unit.tx.add_dispatch(
        unit.item,
        job_id=recorded.job.job_id,
        step_id=wanted.step_id,
        kind=wanted.kind,
        title=f"the {kind.noun} {stored.name!r} for {wanted.occasion}",
        content=msgspec.json.encode(kind.compose(unit, recorded.job, stored.details)),
        due_ms=unit.now_ms,
    )
    unit.effects.dispatches_added = True


def _email(unit: Unit, job: Job, details: str) -> mails.Mail:
    return mails.compose(unit, job, unit.actor.username, msgspec.json.decode(details, type=EmailArgs))


def _web_request(unit: Unit, job: Job, details: str) -> WebRequestArgs:
    """The secrets of it are put in when it is sent: they are not to lie about in a row."""
    args = msgspec.json.decode(details, type=WebRequestArgs)
    return web_requests.compose(texts_about(unit, job, unit.actor.username), args)


@dataclass(frozen=True, slots=True)
class _Kind:
    """``compose``: what the sender gets, of a job and the details of a stored template. Raises StepFailed."""

    noun: str
    template_type: str
    compose: Callable[[Unit, Job, str], msgspec.Struct]


_KINDS: Mapping[str, _Kind] = {
    EMAIL_KIND: _Kind("e-mail", EMAIL, _email),
    WEB_REQUEST_KIND: _Kind("web request", WEB_REQUEST, _web_request),
}


def end(unit: Unit, dispatch: Dispatch, node_id: str, problem: str | None) -> bool:
    """It was sent, wholly or but for a ``problem``, or is given up because of one: the job's history says so.

    False when ``node_id`` does not have it any more.
    """
    if not unit.tx.delete_dispatch(dispatch.dispatch_id, node_id):
        return False
    record = unit.tx.job(unit.item, dispatch.job_id)
    if problem is not None:
        item_log.write(unit, LogLevel.ERROR, problem, job_id=dispatch.job_id, step_id=dispatch.step_id)
    if problem is not None and record is not None:
        unit.tx.append_history(
            record, [HistoryEntry("Error", unit.actor.username, unit.now_ms, dispatch.step_id, problem)]
        )
    return True
