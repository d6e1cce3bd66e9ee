"""The job's attachments that go along with an e-mail."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.job import Attachment
from app.errors import NotFound, StepFailed
from app.protocol.codes import MsgCode
from app.protocol.email import AttachmentChoice
from app.services.attachment_files import AttachmentFiles
from app.services.mails import Mail
from app.steps.mail_message import AttachedFile

MAX_BYTES = 20_000_000
"""Of all files of one e-mail together; encoded they are a third larger, and more is what most mail servers refuse."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What goes along: files, and links, which stand below the body."""

    files: Sequence[AttachedFile] = ()
    links: Sequence[str] = ()


async def attached(mail: Mail, attachments: Sequence[Attachment], files: AttachmentFiles) -> Attached:
    """Read the attachments that the e-mail asks for.

    Raises StepFailed: together too large, or deleted meanwhile.
    """
    if mail.attachments is AttachmentChoice.NONE:
        return Attached()
    chosen = [each for each in attachments if mail.attachments is AttachmentChoice.ALL or each.folder == mail.folder]
    contents = [(each.alias, each.content) for each in chosen if each.content is not None]
    if sum(content.size for _, content in contents) > MAX_BYTES:
        text = f"The e-mail cannot be sent: its attachments are larger than {MAX_BYTES // 1_000_000} MB together."
        raise StepFailed(text, name=MsgCode.INVALID_ARGS)
    try:
        read = [AttachedFile(name, content.media_type, await files.read(content)) for name, content in contents]
    except NotFound as error:
        text = "The e-mail cannot be sent: one of its attachments has been deleted meanwhile."
        raise StepFailed(text, name=MsgCode.STEP_FAILED) from error
    return Attached(read, [each.link for each in chosen if each.link is not None])
