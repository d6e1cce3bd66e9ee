"""Attachments over REST: add, link, list, hand out, change, delete (rest.md 5.9)."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.api.credentials import header_token, token_of
from app.api.downloads import file_response, text_as_file
from app.api.keyed import answer, carry_out, digest_of
from app.api.multipart import Part, form_fields, is_form, read_parts
from app.api.requests import body_pieces, caller_of, path_text, public_root, read_body, refused
from app.api.responses import JsonResponse, succeeded, success
from app.api.state import gateway
from app.domain.attachments import NewAttachment, is_web_link
from app.domain.job import Attachment, Content
from app.errors import InvalidValue, NotFound, RuleViolation
from app.protocol.attachments import (
    AttachmentAddedAnswer,
    AttachmentAnswer,
    AttachmentChange,
    AttachmentFields,
    AttachmentsAnswer,
    LinkedAnswer,
    LinksAddedAnswer,
    LinksBody,
)
from app.protocol.text import check_text, iso
from app.services import attachments
from app.services.attachment_files import AttachmentFiles

FILE_FIELD: Final = "attachment"
URL_ENCODED: Final = "application/x-www-form-urlencoded"

MAX_FORM_BYTES: Final = 1024 * 1024
"""What a form may have beside its file."""

UPLOAD_MOST_S: Final = 3600.0

_FIELDS: Final = frozenset({"alias", "folder", "stepId", "token"})

_links_body = msgspec.json.Decoder(LinksBody)
_change_body = msgspec.json.Decoder(AttachmentChange)


async def add(request: Request) -> Response:
    """``POST jobs/{jobId}/attachments``: a form with the file in ``attachment``.

    Who may not do it is told before the file is read, unless the token is in the form as well.
    """
    parts, job_id = gateway(request), path_text(request, "job_id")
    if token_of(request) is not None:
        may_attach = refused(lambda unit: attachments.check_may_attach(unit, job_id))
        await parts.engine.query(caller_of(request), may_attach)
    content, fields = await _read_upload(request)
    new = NewAttachment(
        content=content, alias=fields.alias or None, folder=fields.folder, step_id=fields.step_id or None
    )
    came = digest_of(content.file_name, content.media_type, content.sha256, fields.alias, fields.folder, fields.step_id)
    try:
        done = await carry_out(
            request,
            caller_of(request, fields.token),
            lambda unit: attachments.add(unit, job_id, [new]),
            lambda added: AttachmentAddedAnswer(alias=added[0].alias, url=_address(request, added[0])),
            digest=came,
        )
    except BaseException:
        await parts.files.drop(content)
        raise
    if done.again:
        await parts.files.drop(content)
    return done.response


async def link(request: Request) -> Response:
    """``POST jobs/{jobId}/attachmentslinked``: all, or none."""
    caller = caller_of(request)
    job_id = path_text(request, "job_id")
    body = await read_body(request, _links_body, "LinkedAttachments")
    new = [
        NewAttachment(link=each.url, alias=each.alias or None, folder=each.folder, step_id=body.step_id or None)
        for each in body.attachments
    ]
    return await answer(request, caller, lambda unit: attachments.add(unit, job_id, new), _linked_all)


async def list_all(request: Request) -> Response:
    """``GET jobs/{jobId}/attachments``, in the order they were added."""
    job_id = path_text(request, "job_id")
    found = await gateway(request).engine.query(caller_of(request), lambda unit: attachments.of_job(unit, job_id))
    return JsonResponse(AttachmentsAnswer(attachments=[_answer(request, each) for each in found]))


async def content(request: Request) -> Response:
    """``GET jobs/{jobId}/attachments/{attachmentId}``: the file, or the way to what is linked."""
    job_id, attachment_id = path_text(request, "job_id"), path_text(request, "attachment_id")
    found = await gateway(request).engine.query(
        caller_of(request), lambda unit: attachments.one(unit, job_id, attachment_id)
    )
    if found.content is None:
        return _linked(request, found)
    files = gateway(request).files
    if not await files.is_there(found.content):
        raise NotFound(f"The file of the attachment {attachment_id!r} is gone.", name="AttachmentNotFound")
    return file_response(request, files, found.content)


async def change(request: Request) -> Response:
    """``POST jobs/{jobId}/attachments/{attachmentId}`` with ``alias``, ``folder`` or both: JSON or a form."""
    job_id, attachment_id = path_text(request, "job_id"), path_text(request, "attachment_id")
    wanted: AttachmentFields | AttachmentChange
    if _is_any_form(request):
        wanted = await _read_fields(request)
        caller = caller_of(request, wanted.token)
    else:
        caller = caller_of(request)
        wanted = await read_body(request, _change_body, "AttachmentChange")
    done = await carry_out(
        request,
        caller,
        lambda unit: attachments.change(unit, job_id, attachment_id, alias=wanted.alias, folder=wanted.folder),
        succeeded,
        digest=digest_of(wanted.alias, wanted.folder),
    )
    return done.response


async def delete(request: Request) -> Response:
    """``DELETE jobs/{jobId}/attachments/{attachmentId}``; one that is gone already is an error."""
    job_id, attachment_id = path_text(request, "job_id"), path_text(request, "attachment_id")
    use_case = refused(lambda unit: attachments.delete(unit, job_id, attachment_id))
    await gateway(request).engine.execute(caller_of(request), use_case)
    return success()


# ---------------------------------------------------------------- what comes in


class _Upload:
    """A form with a file, as far as it has come. The file is kept; whoever gives up must ``drop`` it."""

    def __init__(self, files: AttachmentFiles) -> None:
        self._files = files
        self._kept: Content | None = None
        self._texts: dict[str, str] = {}

    async def take(self, part: Part) -> None:
        """Take one part; fields may stand before and after the file."""
        if part.name in _FIELDS:
            self._texts[part.name] = await part.text()
        elif part.name == FILE_FIELD and self._kept is None:
            self._kept = await self._files.keep(part.chunks, name=part.file_name, media_type=part.media_type)
        elif part.name == FILE_FIELD:
            raise InvalidValue("The form has several files; send one at a time.", details=[FILE_FIELD])

    def whole(self) -> tuple[Content, AttachmentFields]:
        """What came, once nothing more does. Raises InvalidValue without a file."""
        if self._kept is None:
            raise InvalidValue(f"The form has no file; it belongs into {FILE_FIELD!r}.", details=[FILE_FIELD])
        return self._kept, _fields(self._texts)

    async def drop(self) -> None:
        if self._kept is not None:
            await self._files.drop(self._kept)


async def _read_upload(request: Request) -> tuple[Content, AttachmentFields]:
    """Read a form with a file, which is kept when this returns, and only then."""
    files = gateway(request).files
    upload = _Upload(files)
    body = body_pieces(request, files.max_bytes + MAX_FORM_BYTES, "max_attachment_bytes")
    try:
        async with asyncio.timeout(UPLOAD_MOST_S), aclosing(read_parts(_media_type(request), body)) as parts:
            async for part in parts:
                await upload.take(part)
        return upload.whole()
    except TimeoutError as error:
        await upload.drop()
        raise RuleViolation("The file took more than an hour to come.", name="UploadTooSlow") from error
    except BaseException:
        await upload.drop()
        raise


async def _read_fields(request: Request) -> AttachmentFields:
    """The fields of a form of either kind; files in it are passed over."""
    if not is_form(_media_type(request)):
        return _fields(dict(form_fields(b"".join([piece async for piece in body_pieces(request)]))))
    texts = {}
    async with aclosing(read_parts(_media_type(request), body_pieces(request))) as parts:
        async for part in parts:
            if part.name in _FIELDS:
                texts[part.name] = await part.text()
    return _fields(texts)


def _fields(texts: dict[str, str]) -> AttachmentFields:
    """Fields that are not known are ignored, and empty ones count as absent."""
    known = {name: text for name, text in texts.items() if name in _FIELDS and text}
    try:
        check_text(known, "the form")
    except InvalidValue as error:
        raise InvalidValue(f"The form was invalid: {error.message}.", details=[error.message]) from None
    return msgspec.convert(known, AttachmentFields)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "")


def _is_any_form(request: Request) -> bool:
    media_type = _media_type(request)
    return is_form(media_type) or media_type.partition(";")[0].strip().lower() == URL_ENCODED


# ---------------------------------------------------------------- what goes out


def _linked_all(added: Sequence[Attachment]) -> LinksAddedAnswer:
    linked = [LinkedAnswer(alias=each.alias, attachment_id=each.attachment_id) for each in added]
    return LinksAddedAnswer(attachments=linked)


def _answer(request: Request, attachment: Attachment) -> AttachmentAnswer:
    kept = attachment.content
    return AttachmentAnswer(
        id=attachment.attachment_id,
        alias=attachment.alias,
        folder=attachment.folder,
        url=attachment.link if attachment.link is not None else _address(request, attachment),
        last_modified_by=attachment.by,
        last_modified=iso(attachment.at_ms),
        step_id=attachment.step_id,
        file_name=kept.file_name if kept else None,
        media_type=kept.media_type if kept else None,
        size=kept.size if kept else None,
        sha256=kept.sha256 if kept else None,
    )


def _address(request: Request, attachment: Attachment) -> str:
    """Where the file is to be had: at ``public_url``, else where the client has found this server."""
    org_id, item_id, job_id = (quote(path_text(request, name), safe="") for name in ("org_id", "item_id", "job_id"))
    return f"{public_root(request)}/{org_id}/{item_id}/jobs/{job_id}/attachments/{attachment.attachment_id}"


def _linked(request: Request, attachment: Attachment) -> Response:
    """Send a browser on to a web address; all else gets the link as text.

    A program that sends its token in a header may send it on to wherever it is redirected (the vendor's Python client
    does), and anybody who may attach could have it sent to a server of their own.
    """
    link = attachment.link or ""
    if is_web_link(link) and header_token(request) is None:
        return RedirectResponse(link, 302, {"Referrer-Policy": "no-referrer", "Cache-Control": "private, no-cache"})
    return text_as_file(link, attachment.alias)
