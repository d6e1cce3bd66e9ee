"""Speaks to a mail server: one connection for each message, in threads, under a deadline.

The library (``smtplib``) limits each wait for the other side, not the whole: a server that sends a byte now and then
would hold it for ever. So the event loop watches the clock, and ends a thread by ending its connection.
"""

import asyncio
import smtplib
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from app.errors import StepFailed
from app.protocol.codes import MsgCode
from app.protocol.smtp import SmtpProtocol
from app.steps.smtp_failures import MailOutcomeUnknown, explain, said

T = TypeVar("T")

_READY: Final = 220
_GO_ON: Final = 354
_TAKEN: Final = range(200, 300)
_REFUSED: Final = range(400, 600)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. Without a ``username`` nobody logs in."""

    host: str
    port: int
    protocol: SmtpProtocol
    username: str | None = None
    password: str = ""

    @property
    def place(self) -> str:
        """What errors call it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it goes over the wire (CRLF at the ends of its lines), from whom, and to whom."""

    sender: str
    recipients: Sequence[str]
    content: bytes


async def deliver(
    server: MailServer,
    envelope: Envelope,
    *,
    tls: ssl.SSLContext,
    timeout_s: float,
    before_data: Callable[[], Awaitable[None]],
) -> list[str]:
    """Hand a message to a mail server; returns what it said of the recipients it refused, each as a line.

    A message on its way is not given up when the caller is cancelled.

    Args:
        timeout_s: until the server is ready for the message, and once more until it has taken it.
        before_data: awaited when the server is ready and nothing has been sent: from then on the message may arrive.

    Raises MailNotSent, MailOutcomeUnknown, and what ``before_data`` raises.
    """
    session = _Session(server, tls, timeout_s)
    try:
        refused = await session.in_thread(lambda: session.open(envelope), is_cancellable=True)
        await before_data()
        await session.in_thread(lambda: session.hand_over(envelope.content), is_cancellable=False)
    finally:
        session.abort()
    return refused


class _Session:
    """One connection. ``open`` and ``hand_over`` run in threads, one after the other; all else on the event loop.

    While a thread is at work only it closes the connection: a descriptor closed under it could be another's by the time
    it is used. Others shut the connection down, which wakes the thread.
    """

    def __init__(self, server: MailServer, tls: ssl.SSLContext, timeout_s: float) -> None:
        self._server = server
        self._tls = tls
        self._timeout_s = timeout_s
        self._wait_s = 2 * timeout_s  # for one answer: the deadline comes first, and ends the connection
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._smtp: smtplib.SMTP | None = None
        self._is_busy = False
        self._is_over = False
        self._may_be_taken = False

    async def in_thread(self, work: Callable[[], T], *, is_cancellable: bool) -> T:
        """Run a part in a thread of its own: a shared pool could be filled by servers that do not answer."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._is_busy = True
        threading.Thread(target=self._run, args=(work, done), name=f"mail to {self._server.place}", daemon=True).start()
        try:
            return await _outcome(done, self._timeout_s, is_cancellable=is_cancellable)
        except (OSError, smtplib.SMTPException, ValueError) as error:  # a TimeoutError is an OSError
            raise self._failure(error) from error
        finally:
            done.cancel()

    def abort(self) -> None:
        """End the connection, whatever is being waited for."""
        with self._lock:
            self._is_over = True
            if self._is_busy:
                self._wake()
            else:
                self._close()

    def _wake(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                # not the TLS socket's own method, which first forgets its keys: the thread would go on in the clear
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        if self._connection is not None:
            self._connection.close()

    def _failure(self, error: Exception) -> StepFailed:
        if self._may_be_taken:
            if isinstance(error, TimeoutError):
                what = f"has not said within {self._timeout_s:g} s whether it takes the e-mail"
            else:
                what = "broke the connection off before it said whether it takes the e-mail"
            text = (
                f"The mail server {self._server.place} {what}. Check whether it has arrived, then run the step again."
            )
            return MailOutcomeUnknown(text, name=MsgCode.OUTCOME_UNKNOWN)
        return explain(error, self._server.place, self._timeout_s)

    # ------------------------------------------------------------ in a thread

    def _run(self, work: Callable[[], T], done: "asyncio.Future[T]") -> None:
        result: T | BaseException
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it
            result = error
        with self._lock:
            self._is_busy = False
            if self._is_over:
                self._close()
        with suppress(RuntimeError):  # the event loop is closed, so nobody waits
            done.get_loop().call_soon_threadsafe(_settle, done, result)

    def open(self, envelope: Envelope) -> list[str]:
        """Connect, and come as far as the message itself: nothing has an effect yet."""
        server = self._server
        self._connect()
        smtp = self._smtp = smtplib.SMTP(timeout=self._wait_s)
        smtp.sock = self._connection
        code, text = smtp.getreply()
        if code != _READY:
            raise smtplib.SMTPConnectError(code, text)
        smtp.ehlo_or_helo_if_needed()
        if server.protocol is SmtpProtocol.STARTTLS:
            self._start_tls(smtp)
        if server.username:
            smtp.login(server.username, server.password)
        return _address(smtp, envelope)

    def _connect(self) -> None:
        server = self._server
        self._hold(socket.create_connection((server.host, server.port), self._wait_s))
        if server.protocol is SmtpProtocol.TLS:
            self._encrypt()

    def _start_tls(self, smtp: smtplib.SMTP) -> None:
        if not smtp.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("it does not offer STARTTLS")
        code, text = smtp.docmd("STARTTLS")
        if code != _READY:
            raise smtplib.SMTPResponseException(code, text)
        smtp.sock = self._encrypt()
        smtp.file = None  # what came in the clear after the answer is not the server's
        smtp.esmtp_features = {}
        smtp.ehlo()

    def _encrypt(self) -> socket.socket:
        plain = self._connection
        if plain is None:
            raise RuntimeError("connect comes first")
        # The handshake comes after the new socket is known to whoever may have to wake this thread.
        safe = self._tls.wrap_socket(plain, server_hostname=self._server.host, do_handshake_on_connect=False)
        self._hold(safe)
        safe.do_handshake()
        return safe

    def _hold(self, connection: socket.socket) -> None:
        """Make a connection known to ``abort``, which may have come already."""
        with self._lock:
            self._connection = connection
            if self._is_over:
                raise TimeoutError

    def hand_over(self, content: bytes) -> None:
        """Send the message. Once its last line is out it may have been taken, whatever happens to the answer."""
        smtp = self._smtp
        if smtp is None:
            raise RuntimeError("open comes first")
        code, text = smtp.docmd("DATA")
        if code != _GO_ON:
            raise smtplib.SMTPDataError(code, text)
        smtp.send(_dotted(content))
        self._may_be_taken = True
        smtp.send(b".\r\n")
        code, text = smtp.getreply()
        if code in _REFUSED:
            self._may_be_taken = False
            raise smtplib.SMTPDataError(code, text)
        if code not in _TAKEN:
            raise smtplib.SMTPServerDisconnected(said(code, text))


def _address(smtp: smtplib.SMTP, envelope: Envelope) -> list[str]:
    """Say from whom and to whom; returns a line for each recipient that is refused. All refused is a failure."""
    options = [f"size={len(envelope.content)}"] if smtp.has_extn("size") else []
    code, text = smtp.mail(envelope.sender, options)
    if code not in _TAKEN:
        raise smtplib.SMTPSenderRefused(code, text, envelope.sender)
    answers = {recipient: smtp.rcpt(recipient) for recipient in envelope.recipients}
    refused = {recipient: answer for recipient, answer in answers.items() if answer[0] not in _TAKEN}
    if len(refused) == len(answers):
        raise smtplib.SMTPRecipientsRefused(refused)
    return [f"{recipient}: {said(*answer)}" for recipient, answer in refused.items()]


async def _outcome(done: "asyncio.Future[T]", timeout_s: float, *, is_cancellable: bool) -> T:
    """Wait for a thread. Raises TimeoutError; what must not be disturbed goes on when the caller is cancelled."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s
    while not done.done():
        left_s = end_s - loop.time()
        if left_s <= 0:
            raise TimeoutError
        try:
            await asyncio.wait({done}, timeout=left_s)
        except asyncio.CancelledError:
            if is_cancellable:
                raise
    return done.result()


def _settle(done: "asyncio.Future[T]", result: T | BaseException) -> None:
    if done.done():
        return
    if isinstance(result, BaseException):
        done.set_exception(result)
    else:
        done.set_result(result)


def _dotted(content: bytes) -> bytes:
    """The message with dots doubled at the beginnings of lines (RFC 5321 4.5.2), and a line end at its end."""
    doubled = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in content.split(b"\r\n"))
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"
