"""Sends the e-mails of paths and activities: each once, as Email steps do."""

from collections.abc import Sequence

import msgspec

from app.domain.job import Attachment
from app.services.attachment_files import AttachmentFiles
from app.services.dispatches import EMAIL_KIND
from app.services.engine import Unit
from app.services.mails import Mail
from app.services.ports import Dispatch, StepServices
from app.steps.limits import FairLimit
from app.steps.mail_files import attached
from app.steps.mailer import Mailer, mail_host


class EmailSender:
    """Implements ``DispatchSender``.

    Args:
        hosts: how many e-mails may be at one mail server at a time, those of steps counted.
    """

    kind = EMAIL_KIND

    def __init__(self, mailer: Mailer, files: AttachmentFiles, hosts: FairLimit) -> None:
        self._mailer = mailer
        self._files = files
        self._hosts = hosts

    async def send(self, dispatch: Dispatch, services: StepServices) -> str | None:
        mail = msgspec.json.decode(dispatch.content, type=Mail)
        now_ms, attachments = await services.read(lambda unit: _now(unit, dispatch))
        settings = await services.settings()
        async with self._hosts.turn(mail_host(settings), lambda: None):
            refused = await self._mailer.send(
                mail,
                settings,
                message_id=dispatch.key,
                now_ms=now_ms,
                attached=await attached(mail, attachments, self._files),
                before_data=lambda: services.note("sending"),
            )
        unreached = [*mail.missing, *refused]
        return f"Not everybody got {dispatch.title}: {'; '.join(unreached)}." if unreached else None


def _now(unit: Unit, dispatch: Dispatch) -> tuple[int, Sequence[Attachment]]:
    """The time, and what is attached to the job now; a job that was deleted has nothing any more."""
    record = unit.tx.job(unit.item, dispatch.job_id)
    return unit.now_ms, unit.tx.attachments(record) if record else ()
