"""An e-mail as a step's arguments or a stored template describe it (rest.md 8.3, 14.4)."""

import msgspec


class Recipients(msgspec.Struct, rename="camel"):
    """Recipients as the notification service names them: users."""

    to_users: list[str] | None = None


class EmailArgs(msgspec.Struct, rename="camel"):
    """``to``, ``cc`` and ``bcc`` name users, groups (id or name) or addresses; they, ``subject`` and ``body`` may be
    expressions. ``attachmentSelection``: ``None``, ``All``, or ``Folder`` with the name in ``attachmentFolder``."""

    to: list[str] | str | None = None
    cc: list[str] | str | None = None
    bcc: list[str] | str | None = None
    subject: str | None = None
    body: str | None = None
    attachment_selection: str | None = None
    attachment_folder: str | None = None
    notification_service_recipients: Recipients | None = None
