"""What went wrong with a mail server, in words for whoever reads the step's error."""

import smtplib
import socket
import ssl
from typing import Final

from app.errors import StepFailed
from app.protocol.codes import MsgCode

MAX_REPLY_CHARS: Final = 300
"""So much of what a mail server says stands in an error."""


class MailNotSent(StepFailed):
    """The message was not taken. ``is_passing``: the same may succeed later."""

    def __init__(self, message: str, *, name: str | None = None, is_passing: bool = True) -> None:
        super().__init__(message, name=name)
        self.is_passing = is_passing


class MailOutcomeUnknown(StepFailed):
    """The connection broke after the whole message was out and before the answer: it may have been taken."""


def explain(error: Exception, place: str, timeout_s: float) -> MailNotSent:
    """Make an error of what the library or the system raised.

    Args:
        place: host and port of the mail server.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _recipients_refused(error, place)
    if isinstance(error, smtplib.SMTPResponseException):
        return _refusal(error, place)
    why, code = _cause(error, timeout_s)
    return MailNotSent(f"The mail server {place} {why}.", name=code, is_passing=True)


def _refusal(error: smtplib.SMTPResponseException, place: str) -> MailNotSent:
    """An answer of the server: 4xx is for now, 5xx for good (RFC 5321 4.2.1)."""
    what = "the e-mail"
    if isinstance(error, smtplib.SMTPConnectError):
        what = "the connection"
    elif isinstance(error, smtplib.SMTPAuthenticationError):
        what = "the user name and password"
    elif isinstance(error, smtplib.SMTPSenderRefused):
        what = f"the sender {error.sender}"
    answer = said(error.smtp_code, error.smtp_error)
    if error.smtp_code < 0:
        text = f"The mail server {place} speaks no SMTP: {answer}."
        return MailNotSent(text, name=MsgCode.CONNECTION_FAILED, is_passing=True)
    text = f"The mail server {place} does not take {what}: {answer}."
    return MailNotSent(text, name=MsgCode.MAIL_REFUSED, is_passing=error.smtp_code < 500)


def _cause(error: Exception, timeout_s: float) -> tuple[str, MsgCode]:
    why, code = f"cannot be used: {one_line(str(error))}", MsgCode.CONNECTION_FAILED
    match error:
        case ssl.SSLCertVerificationError():
            why = f"has a certificate that is not accepted: {error.verify_message.rstrip('.')}"
            code = MsgCode.CERTIFICATE_REFUSED
        case ssl.SSLError():
            why, code = f"makes no safe connection: {error.reason or error}", MsgCode.CERTIFICATE_REFUSED
        case socket.gaierror():
            why, code = "is not found under this name", MsgCode.HOST_NOT_FOUND
        case TimeoutError():
            why, code = f"has not taken the e-mail within {timeout_s:g} s", MsgCode.REQUEST_TIMED_OUT
        case ConnectionRefusedError():
            why = "cannot be reached: connection refused"
    return why, code


def _recipients_refused(error: smtplib.SMTPRecipientsRefused, place: str) -> MailNotSent:
    """None of the recipients is taken."""
    lines = [f"{recipient}: {said(*answer)}" for recipient, answer in error.recipients.items()]
    text = f"The mail server {place} takes none of the recipients. {one_line('; '.join(lines))}."
    is_passing = any(code < 500 for code, _ in error.recipients.values())
    return MailNotSent(text, name=MsgCode.MAIL_REFUSED, is_passing=is_passing)


def said(code: int, text: bytes | str) -> str:
    """A mail server's answer as a short line."""
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return one_line(f"{code} {words}" if code > 0 else words)


def one_line(text: str) -> str:
    """Without control characters, and not too long: it comes from outside and goes into messages."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return (line if len(line) <= MAX_REPLY_CHARS else line[:MAX_REPLY_CHARS] + "...").rstrip(".")
