"""E-mails as they are to be sent: expressions computed, recipients looked up, in one transaction (rest.md 8.3, 14.4).

Nothing here sends anything. What cannot become an e-mail raises StepFailed with a sentence for the user.
"""

import re
from collections.abc import Iterable, Iterator
from email.errors import MessageError
from email.headerregistry import Address

import msgspec

from app.domain.job import Job
from app.errors import StepFailed
from app.protocol.codes import MsgCode
from app.protocol.email import AttachmentChoice, EmailArgs
from app.services.engine import Unit
from app.services.ports import User
from app.services.texts import texts_about

MAX_RECIPIENTS = 500
"""Of one e-mail, all groups' members counted: mail servers take about as many."""

_SEPARATORS = re.compile(r"[;,]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """An e-mail to send. The recipients are addresses; ``missing`` says who gets none, and why."""

    to: list[str]
    cc: list[str]
    bcc: list[str]
    subject: str
    body: str
    attachments: AttachmentChoice
    folder: str | None = None
    missing: list[str] = []

    @property
    def recipients(self) -> list[str]:
        """Everybody's address, once."""
        return list(dict.fromkeys((*self.to, *self.cc, *self.bcc)))


def compose(unit: Unit, job: Job, username: str, args: EmailArgs) -> Mail:
    """Make an e-mail about a job of what its author wrote.

    Args:
        job: as read in this transaction.
        username: ``$currentUser`` of its expressions.

    Raises StepFailed: an expression cannot be computed, a recipient is nobody we know, nobody is left to send it to, or
    a line break would get into a header.
    """
    people, texts = _People(unit), texts_about(unit, job, username)

    def text(name: str, source: str | None) -> str:
        return texts.text(name, source or "")

    def recipients(name: str, sources: Iterable[str]) -> list[str]:
        names = [text(name, source) for source in sources]
        return list(dict.fromkeys(people.addresses(name, names)))

    users = args.notification_service_recipients.to_users if args.notification_service_recipients else None
    mail = Mail(
        to=recipients("to", (*_listed(args.to), *(users or ()))),
        cc=recipients("cc", _listed(args.cc)),
        bcc=recipients("bcc", _listed(args.bcc)),
        subject=_header(text("subject", args.subject)),
        body=text("body", args.body),
        attachments=args.choice,
        folder=text("attachmentFolder", args.attachment_folder) or None,
        missing=people.missing,
    )
    _check_number(mail)
    return mail


def _listed(given: list[str] | str | None) -> list[str]:
    return [given] if isinstance(given, str) else given or []


def _header(subject: str) -> str:
    """A subject that is one line: what follows a line break would be read as a header of its own."""
    if _CONTROL.search(subject):
        raise _invalid("the subject holds a line break or a control character")
    return subject


def _check_number(mail: Mail) -> None:
    if not mail.recipients:
        why = f" ({'; '.join(mail.missing)})" if mail.missing else ""
        raise _invalid(f"there is nobody to send it to{why}")
    if len(mail.recipients) > MAX_RECIPIENTS:
        raise _invalid(f"it has {len(mail.recipients)} recipients, and may have {MAX_RECIPIENTS}")


def _invalid(fault: str) -> StepFailed:
    return StepFailed(f"The e-mail cannot be sent: {fault}.", name=MsgCode.INVALID_ARGS)


class _People:
    """Looks up who is meant: a user, a group (by id or name), or an address, in this order."""

    def __init__(self, unit: Unit) -> None:
        self._tx = unit.tx
        self.missing: list[str] = []

    def addresses(self, place: str, names: Iterable[str]) -> Iterator[str]:
        """The addresses behind names; one text may hold several, separated by commas or semicolons."""
        for text in names:
            for name in filter(None, (part.strip() for part in _SEPARATORS.split(text))):
                yield from self._found(place, name)

    def _found(self, place: str, name: str) -> Iterator[str]:
        user = self._tx.user(name)
        if user is not None:
            yield from self._of_users([user])
            return
        group = self._tx.group(name) or self._tx.group_by_name(name)
        if group is not None:
            members = [user for user in self._tx.users() if group.group_id in user.groups]
            if not members:
                self.missing.append(f"the group {name!r} has no members")
            yield from self._of_users(members)
        elif "@" in name:
            yield checked_address(name)
        else:
            raise _invalid(f"{place} names {name!r}, which is no user, no group and no address")

    def _of_users(self, users: Iterable[User]) -> Iterator[str]:
        for user in users:
            if user.disabled:
                self.missing.append(f"the user {user.username!r} is disabled")
            elif not user.email:
                self.missing.append(f"the user {user.username!r} has no e-mail address")
            else:
                yield checked_address(user.email)


def checked_address(text: str) -> str:
    """An address as mail servers take it, its domain in ASCII. Raises StepFailed, naming what is wrong."""
    address = text.strip()
    if _CONTROL.search(address):
        raise _invalid("an address holds a line break or a control character")
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise _invalid(f"{text[:200]!r} has letters before the @ that mail servers do not take")
    try:
        parsed = Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")
    except (MessageError, ValueError, IndexError) as error:
        raise _invalid(f"{text[:200]!r} is no e-mail address") from error
    if not parsed.username or not parsed.domain:
        raise _invalid(f"{text[:200]!r} is no e-mail address")
    return parsed.addr_spec
