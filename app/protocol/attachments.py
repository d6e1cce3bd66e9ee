"""Attachments on the wire: what is sent to add and change them, and what is answered (rest.md 5.9)."""

from typing import Annotated

from msgspec import Meta

from app.protocol.job_requests import Request
from app.protocol.jobs import Answer

MAX_LINKS_AT_ONCE = 1_000


class AttachmentFields(Request):
    """What may stand beside a file in its form.

    ``alias`` is by default the file's name, ``folder`` the one that the step asks for, else ``General``.
    """

    alias: str | None = None
    folder: str | None = None
    step_id: str | None = None
    token: str | None = None


class AttachmentChange(Request):
    """Another alias, folder or both; what is absent stays."""

    alias: str | None = None
    folder: str | None = None


class LinkBody(Request):
    """A web address, a path, or the text of any document id."""

    url: str
    alias: str | None = None
    folder: str | None = None


class LinksBody(Request):
    """``POST jobs/{jobId}/attachmentslinked``."""

    attachments: Annotated[list[LinkBody], Meta(min_length=1, max_length=MAX_LINKS_AT_ONCE)]
    step_id: str | None = None


class AttachmentAnswer(Answer, kw_only=True):
    """An attachment. ``url`` is the link itself, or the address of the file at this server.

    Ours: ``stepId``, and of a file ``fileName``, ``mediaType``, ``size`` (bytes) and ``sha256``.
    """

    id: str
    alias: str
    folder: str
    url: str
    last_modified_by: str
    last_modified: str
    step_id: str | None = None
    file_name: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None


class AttachmentsAnswer(Answer, kw_only=True):
    """A job's attachments, in the order they were added."""

    attachments: list[AttachmentAnswer]


class AttachmentAddedAnswer(Answer, kw_only=True):
    """A new file; the last segment of ``url`` is its id."""

    alias: str
    url: str


class LinkedAnswer(Answer, kw_only=True):
    """One new link."""

    alias: str
    attachment_id: str


class LinksAddedAnswer(Answer, kw_only=True):
    """New links, in the order of the request."""

    attachments: list[LinkedAnswer]
