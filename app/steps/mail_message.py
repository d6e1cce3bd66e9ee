"""An e-mail as bytes: headers, a text, its HTML form where the author wrote HTML, and attached files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from html.parser import HTMLParser

from app.services.mails import Mail

_WIRE = SMTP.clone(cte_type="7bit")
"""For any server, also one that takes nothing but ASCII."""

_HTML = re.compile(
    r"<(?:!doctype|html|head|body|p|br|div|span|table|ul|ol|h[1-6]|a|b|i|em|strong|img)\b[^>]*>", re.IGNORECASE
)
_BREAKING = frozenset("p div br tr li h1 h2 h3 h4 h5 h6 table ul ol blockquote pre".split())
_UNSEEN = frozenset({"head", "script", "style", "title"})
_BLANKS = re.compile(r"\s+")
_EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that goes along."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the e-mail is from."""

    address: str
    display_name: str = ""


def message_bytes(
    mail: Mail,
    sender: Sender,
    *,
    message_id: str,
    now_ms: int,
    files: Sequence[AttachedFile] = (),
    links: Sequence[str] = (),
) -> bytes:
    """The message for the wire. ``bcc`` is in none of its headers; ``links`` are listed below the body.

    Args:
        message_id: without brackets; the same one for the same message.
    """
    message = EmailMessage(policy=_WIRE)
    message["From"] = Address(sender.display_name, addr_spec=sender.address)
    for name, addresses in (("To", mail.to), ("Cc", mail.cc)):
        if addresses:
            message[name] = [Address(addr_spec=address) for address in addresses]
    if not mail.to and not mail.cc:
        message["To"] = "undisclosed-recipients:;"
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    message["Message-ID"] = f"<{message_id}>"
    message["Auto-Submitted"] = "auto-generated"  # so that out-of-office programs do not answer (RFC 3834)
    _write_body(message, mail.body, links)
    for file in files:
        kind, _, subtype = file.media_type.partition(";")[0].strip().partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
    return message.as_bytes()


def _write_body(message: EmailMessage, body: str, links: Sequence[str]) -> None:
    below = "".join(f"\n{link}" for link in links)
    if not _HTML.search(body):
        message.set_content(f"{body}\n{below}" if below else body)
        return
    message.set_content(f"{text_of_html(body)}\n{below}" if below else text_of_html(body))
    listed = "".join(f'<br><a href="{escape(link)}">{escape(link)}</a>' for link in links)
    message.add_alternative(f"{body}{listed}", subtype="html")


def text_of_html(html: str) -> str:
    """What a reader without HTML sees: the text, links beside their words, a line for each block."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = "".join(reader.parts).split("\n")
    return _EMPTY_LINES.sub("\n\n", "\n".join(line.strip() for line in lines)).strip()


class _Reader(HTMLParser):
    """Collects the text of a document. It never raises: whatever is no HTML is text."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0
        self._targets: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BREAKING:
            self.parts.append("\n")
        if tag == "a":
            self._targets.append(dict(attrs).get("href"))

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1
        if tag in _BREAKING:
            self.parts.append("\n")
        if tag == "a" and self._targets and (target := self._targets.pop()):
            self.parts.append(f" ({target})")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(_BLANKS.sub(" ", data))
