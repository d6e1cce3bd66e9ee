"""Email steps: one e-mail, sent once (rest.md 14.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.commands import ReportProgress
from app.domain.job import Attachment, ReturnValue
from app.errors import StepFailed
from app.expressions.arcade import STEP_SUCCESS
from app.protocol.codes import MsgCode
from app.protocol.email import EmailArgs
from app.services import mails, runs
from app.services.attachment_files import AttachmentFiles
from app.services.engine import Unit
from app.services.mails import Mail
from app.services.ports import Adoption, StepContext
from app.steps.arguments import read_args
from app.steps.limits import FairLimit, in_turn
from app.steps.mail_files import attached
from app.steps.mailer import Mailer, mail_host

_INTENT = "sending"


@dataclass(frozen=True, slots=True)
class _Ready:
    """An e-mail, and what the transaction that composed it saw beside it."""

    mail: Mail
    attachments: Sequence[Attachment]
    now_ms: int


class EmailExecutor:
    """Sends the e-mail of a step. What cannot be undone is noted before it is done, so it is never done twice."""

    action_type = "Email"
    adoption = Adoption.ONCE

    def __init__(self, mailer: Mailer, files: AttachmentFiles, hosts: FairLimit) -> None:
        """Args: hosts: how many steps may be at one host at a time."""
        self._mailer = mailer
        self._files = files
        self._hosts = hosts

    async def execute(self, context: StepContext) -> ReturnValue:
        """Returns ``$stepSuccess``. Who was not reached, while others were, is told as progress."""
        args = read_args(context, EmailArgs)
        found = await context.services.read(lambda unit: _compose(unit, context, args))
        settings = await context.services.settings()
        async with in_turn(self._hosts, mail_host(settings), context, "other e-mails at the same mail server"):
            refused = await self._mailer.send(
                found.mail,
                settings,
                message_id=context.run.run_id,
                now_ms=found.now_ms,
                attached=await attached(found.mail, found.attachments, self._files),
                before_data=lambda: context.services.note(_INTENT),
            )
        if unreached := [*found.mail.missing, *refused]:
            await _tell(context, f"The e-mail was sent, but not to everybody: {'; '.join(unreached)}.")
        return STEP_SUCCESS


def _compose(unit: Unit, context: StepContext, args: EmailArgs) -> _Ready:
    """Compose from the job as it is now: expressions may ask more of it than the context holds."""
    record = unit.tx.job(unit.item, context.run.job_id)
    if record is None:
        raise StepFailed("The job has been deleted.", name=MsgCode.STEP_FAILED)
    mail = mails.compose(unit, record.job, context.started_by, args)
    return _Ready(mail, unit.tx.attachments(record), unit.now_ms)


async def _tell(context: StepContext, text: str) -> None:
    """Tell subscribers, and wait until it is written: the step's end must not overtake it."""
    run = context.run
    told = ReportProgress(run.step_id, run.run_id, text, MsgCode.RECIPIENTS_MISSED)
    await context.services.write(lambda unit: runs.report(unit, run, told))
