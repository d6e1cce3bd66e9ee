"""Attachments of a job: bytes kept by this server (embedded), or a link to something kept elsewhere (rest.md 5.9)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.domain import events as e
from app.domain.access import Actor
from app.domain.actions import Moment
from app.domain.diagram import Diagram, Step, StepKind
from app.domain.job import Attachment, Content, Job
from app.domain.outcomes import Decision
from app.domain.work import Work
from app.errors import InvalidValue, PermissionDenied, RuleViolation

PRIVILEGE = "jobUpdateAttachments"

DEFAULT_FOLDER = "General"

MAX_NAME_CHARS = 255
"""Of an alias, a folder and a file's name."""

MAX_LINK_CHARS = 8_192

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WEB = re.compile(r"(?i)https?://[^\s/]")


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """An attachment to be: exactly one of ``link`` and ``content``, and what its author said of it."""

    link: str | None = None
    content: Content | None = None
    alias: str | None = None
    folder: str | None = None
    step_id: str | None = None


def file_name(text: str | None) -> str:
    """The last part of a path as clients send it, of either kind of slash; ``attachment`` where nothing is left.

    Of a name that is too long the end is kept, for it says the type.
    """
    name = _CONTROL.sub("", re.split(r"[/\\]", text or "")[-1]).strip()[-MAX_NAME_CHARS:].strip()
    return "attachment" if name in {"", ".", ".."} else name


def is_web_link(link: str) -> bool:
    """Tell whether a browser may be sent there: ``http`` or ``https``, and no other scheme."""
    return _WEB.match(link) is not None


def check_may_attach(job: Job, actor: Actor) -> None:
    """Raises PermissionDenied without the privilege, RuleViolation (JobClosed) for a closed job."""
    if not actor.may(PRIVILEGE):
        raise PermissionDenied(
            f"To change attachments takes the privilege {PRIVILEGE}, which {actor.username!r} does not have."
        )
    if job.closed:
        raise RuleViolation(
            "The job is closed, and its attachments stay as they are; reopen it first.", name="JobClosed"
        )


def attach(job: Job, diagram: Diagram, new: Sequence[NewAttachment], actor: Actor, moment: Moment) -> Decision:
    """Add attachments, all or none, in their order.

    One that names an Attachment step must be of a kind the step takes, and is put into the step's folder unless it
    names another. Raises, beside what ``check_may_attach`` raises:
        RuleViolation: no such step in the job's diagram; the step takes no such attachment.
        InvalidValue: an alias, folder or link that cannot be.
    """
    check_may_attach(job, actor)
    added = tuple(_made(diagram, each, actor, moment) for each in new)
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    work.record(e.AttachmentsAdded(added, actor.username))
    return work.decision()


def change(  # noqa: PLR0917  (the order of its siblings)
    job: Job,
    diagram: Diagram,
    attachment: Attachment,
    alias: str | None,
    folder: str | None,
    actor: Actor,
    moment: Moment,
) -> Decision:
    """Give an attachment another alias or folder; None leaves it. The same values again change nothing.

    Raises as ``attach``.
    """
    check_may_attach(job, actor)
    if alias is None and folder is None:
        raise InvalidValue("Give alias, or folder, or both.")
    changed = replace(
        attachment,
        alias=attachment.alias if alias is None else _name(alias, "alias"),
        folder=attachment.folder if folder is None else _folder(folder),
    )
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    if changed != attachment:
        work.record(e.AttachmentChanged(replace(changed, by=actor.username, at_ms=moment.now_ms), actor.username))
    return work.decision()


def detach(job: Job, diagram: Diagram, attachment: Attachment, actor: Actor, moment: Moment) -> Decision:
    """Delete an attachment. Raises as ``check_may_attach``."""
    check_may_attach(job, actor)
    work = Work(job, diagram, actor, now_ms=moment.now_ms, new_id=moment.new_id)
    work.record(e.AttachmentDeleted(attachment, actor.username))
    return work.decision()


def _made(diagram: Diagram, new: NewAttachment, actor: Actor, moment: Moment) -> Attachment:
    step = None
    if new.step_id is not None:
        step = diagram.step(new.step_id)
        if step is None:
            raise RuleViolation(f"stepId: the job's diagram has no step {new.step_id!r}.", name="StepNotInDiagram")
    if step is not None and step.kind is StepKind.ATTACHMENT:
        _check_wanted(step, new)
    link = None if new.link is None else _link(new.link)
    default = new.content.file_name if new.content else (link or "")[:MAX_NAME_CHARS]
    return Attachment(
        attachment_id=moment.new_id(),
        alias=_name(new.alias if new.alias is not None else default, "alias"),
        folder=_folder(new.folder if new.folder is not None else _folder_of(step)),
        by=actor.username,
        at_ms=moment.now_ms,
        step_id=new.step_id,
        link=link,
        content=new.content,
    )


def _folder_of(step: Step | None) -> str:
    if step is None or step.kind is not StepKind.ATTACHMENT:
        return ""
    return str(step.args.get("folder") or "")


def _check_wanted(step: Step, new: NewAttachment) -> None:
    """Refuse what the step's author does not take."""
    args = step.args
    if new.link is not None and args.get("acceptLinked") is False:
        raise RuleViolation(f"The step {step.name!r} takes files, and no links.", name="AttachmentNotAccepted")
    if new.content is None:
        return
    if args.get("acceptEmbedded") is False:
        raise RuleViolation(f"The step {step.name!r} takes links, and no files.", name="AttachmentNotAccepted")
    endings = tuple(_endings(args.get("acceptedFileTypes")))
    if endings and not new.content.file_name.casefold().endswith(endings):
        wanted = ", ".join(endings)
        raise RuleViolation(f"The step {step.name!r} takes files of type {wanted}.", name="AttachmentNotAccepted")


def _endings(text: object) -> Iterator[str]:
    """The endings in a text such as ``.jpg, *.PNG``; none where any file will do."""
    for word in re.split(r"[\s,;]+", text if isinstance(text, str) else ""):
        ending = word.removeprefix("*").removeprefix(".").casefold()
        if ending and ending != "*":
            yield f".{ending}"


def _link(text: str) -> str:
    link = text.strip()
    if not link:
        raise InvalidValue("url must not be empty.", details=["url"])
    if len(link) > MAX_LINK_CHARS or _CONTROL.search(link):
        raise InvalidValue(
            f"url must have at most {MAX_LINK_CHARS} characters, none of them a control character.", details=["url"]
        )
    return link


def _folder(text: str) -> str:
    return _name(text, "folder") if text.strip() else DEFAULT_FOLDER


def _name(text: str, member: str) -> str:
    name = text.strip()
    if not name or len(name) > MAX_NAME_CHARS or _CONTROL.search(name):
        raise InvalidValue(
            f"{member} must have 1 to {MAX_NAME_CHARS} characters, none of them a control character.", details=[member]
        )
    return name
