"""An e-mail as a step's arguments or a stored template describe it (rest.md 8.3, 14.4)."""

from enum import StrEnum

import msgspec


class AttachmentChoice(StrEnum):
    """Which of the job's attachments go along."""

    NONE = "None"
    ALL = "All"
    FOLDER = "Folder"


class Recipients(msgspec.Struct, rename="camel"):
    """Recipients as the notification service names them: users."""

    to_users: list[str] | None = None


class EmailArgs(msgspec.Struct, rename="camel"):
    """``to``, ``cc`` and ``bcc`` name users, groups (id or name) or addresses; they, ``subject``, ``body`` and
    ``attachmentFolder`` may be expressions. ``attachmentSelection``: ``None``, ``All``, or ``Folder`` with its name in
    ``attachmentFolder``."""

    to: list[str] | str | None = None
    cc: list[str] | str | None = None
    bcc: list[str] | str | None = None
    subject: str | None = None
    body: str | None = None
    attachment_selection: AttachmentChoice | None = None
    attachment_folder: str | None = None
    notification_service_recipients: Recipients | None = None

    @property
    def choice(self) -> AttachmentChoice:
        """Which attachments go along: a folder that is named and not asked for is asked for."""
        named = AttachmentChoice.FOLDER if self.attachment_folder else AttachmentChoice.NONE
        return self.attachment_selection or named
