"""Sends e-mails through the mail server in an item's settings: for Email steps, and for what the outbox holds."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping

from app.errors import StepFailed
from app.protocol.codes import MsgCode
from app.protocol.smtp import DEFAULT_PORTS, read_port, read_protocol
from app.services.mails import Mail, checked_address
from app.steps.mail_files import Attached
from app.steps.mail_message import Sender, message_bytes
from app.steps.smtp import Envelope, MailServer, deliver


class Mailer:
    """Sends e-mails of this process; how many at once is its callers' business (``limits.FairLimit``).

    Args:
        timeout_s: how long a mail server may take to be ready for a message, and again to take it.
        tls: whose certificates are trusted; made when first needed.
    """

    def __init__(self, timeout_s: float, tls: Callable[[], ssl.SSLContext]) -> None:
        self._timeout_s = timeout_s
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None

    async def send(
        self,
        mail: Mail,
        settings: Mapping[str, str],
        *,
        message_id: str,
        now_ms: int,
        attached: Attached,
        before_data: Callable[[], Awaitable[None]],
    ) -> list[str]:
        """Send an e-mail; returns a line for each recipient that the mail server refused while it took others.

        Args:
            settings: the item's, secrets included.
            message_id: a name for this message, the same when it is tried again; the sender's domain is added.
            before_data: see ``deliver``.

        Raises StepFailed (also MailNotSent, MailOutcomeUnknown), and what ``before_data`` raises.
        """
        server, sender = mail_server(settings), mail_sender(settings)
        whole_id = f"{message_id}@{sender.address.rpartition('@')[2]}"
        content = message_bytes(
            mail, sender, message_id=whole_id, now_ms=now_ms, files=attached.files, links=attached.links
        )
        envelope = Envelope(sender.address, mail.recipients, content)
        if self._tls is None:
            self._tls = await asyncio.to_thread(self._make_tls)  # it reads files
        return await deliver(server, envelope, tls=self._tls, timeout_s=self._timeout_s, before_data=before_data)


def mail_host(settings: Mapping[str, str]) -> str:
    """The host that e-mails go to, in one form for one host. Raises as ``mail_server``."""
    return mail_server(settings).host.lower().rstrip(".")


def mail_server(settings: Mapping[str, str]) -> MailServer:
    """The server that the settings name. Raises StepFailed when they do not, or not rightly."""
    host = settings.get("smtpServer", "").strip()
    if not host:
        raise _not_configured("smtpServer is not set")
    try:
        protocol = read_protocol(settings.get("smtpProtocol", ""))
        port = read_port(settings.get("smtpPort", "")) or DEFAULT_PORTS[protocol]
    except ValueError as error:
        raise _not_configured(str(error)) from error
    return MailServer(host, port, protocol, settings.get("smtpUsername") or None, settings.get("smtpPassword", ""))


def mail_sender(settings: Mapping[str, str]) -> Sender:
    """Who the settings say e-mails are from; the user name, if it is an address, where they do not say."""
    username = settings.get("smtpUsername", "")
    address = settings.get("smtpDefaultSenderEmail", "").strip() or (username if "@" in username else "")
    if not address:
        raise _not_configured("smtpDefaultSenderEmail is not set")
    name = "".join(each for each in settings.get("smtpDefaultSenderDisplayName", "") if each.isprintable())
    try:
        return Sender(checked_address(address), name)
    except StepFailed as error:
        raise _not_configured(f"smtpDefaultSenderEmail is no e-mail address: {address!r}") from error


def _not_configured(fault: str) -> StepFailed:
    text = f"E-mail is not set up in this workflow item: {fault}. An administrator can set it (settings)."
    return StepFailed(text, name=MsgCode.NOT_CONFIGURED)
