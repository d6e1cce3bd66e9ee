"""An item's configuration over REST: exported as a file, imported from one (rest.md 13.3)."""

import asyncio
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.configuration_forms import ImportForm, read_form
from app.api.credentials import token_of
from app.api.downloads import SAFETY, disposition, file_response
from app.api.keyed import answer, carry_out
from app.api.requests import caller_of, path_text, query_word, read_json, refused
from app.api.responses import succeeded
from app.api.state import gateway
from app.errors import NotFound
from app.protocol.configuration_file import pack
from app.protocol.items import ExportBody, ExportStarted
from app.protocol.passphrase import PassphraseCipher
from app.protocol.text import decode
from app.services import configuration_import, item_tasks
from app.services.attachment_files import one_piece
from app.services.engine import Caller, Unit
from app.services.item_tasks import WantedExport
from app.services.people import require_administrator
from app.services.ports import TaskKind

FILE_TYPES: Final = ("wmc", "json")

_export_body = msgspec.json.Decoder(ExportBody)


async def export(request: Request) -> Response:
    """``POST admin/{itemId}/export``: the zip at once. It changes nothing, so an ``Idempotency-Key`` is passed over."""
    caller = caller_of(request)
    wanted = await _wanted_export(request)
    query = refused(lambda unit: item_tasks.export(unit, wanted))
    configuration, _ = await gateway(request).engine.query(caller, query)
    packed = await asyncio.to_thread(pack, configuration)
    name = item_tasks.file_name(gateway(request).engine.store.now_ms())
    return Response(packed, headers={"Content-Disposition": disposition(name), **SAFETY}, media_type=item_tasks.ZIP)


async def export_later(request: Request) -> Response:
    """``POST admin/{itemId}/exportAsync``: the id of an export that is made in the background."""
    caller = caller_of(request)
    wanted = await _wanted_export(request)

    def use_case(unit: Unit) -> str:
        return item_tasks.start(unit, TaskKind.EXPORT, wanted)

    response = await answer(request, caller, use_case, ExportStarted)
    gateway(request).item_tasks.changed()
    return response


async def exported(request: Request) -> Response:
    """``GET admin/{itemId}/exportAsync/{exportId}``: the zip, or with ``fileType=json`` the mapping."""
    parts, export_id = gateway(request), path_text(request, "export_id")
    file_type = query_word(request, "fileType", FILE_TYPES)
    state = await parts.engine.query(caller_of(request), lambda unit: item_tasks.exported(unit, export_id))
    if state.content is None or not await parts.files.is_there(state.content):
        raise NotFound(f"The file of the export {export_id!r} is gone.", name="ExportNotFound")
    if file_type == FILE_TYPES[0]:
        return file_response(request, parts.files, state.content)
    name = state.content.file_name.replace("configuration", "mapping").replace(".wmc", ".json")
    headers = {"Content-Disposition": disposition(name), **SAFETY}
    return Response(state.mapping, headers=headers, media_type="application/json")


async def import_now(request: Request) -> Response:
    """``POST admin/{itemId}/import``: a form with the zip in ``file``. All of it is imported when the answer comes."""
    form, caller = await _form(request)
    wanted = await asyncio.to_thread(form.opened)
    prepared = await asyncio.to_thread(item_tasks.prepare_import, form.packed, wanted)

    def use_case(unit: Unit) -> None:
        configuration_import.apply(unit, prepared, overwrite=form.overwrite)

    return (await carry_out(request, caller, use_case, succeeded, digest=form.digest)).response


async def import_later(request: Request) -> Response:
    """``POST admin/{itemId}/importAsync``: the same in the background; ``ImportCompleted`` tells that it is done.

    What is no configuration at all is refused at once.
    """
    parts = gateway(request)
    form, caller = await _form(request)
    opened = await asyncio.to_thread(form.opened)
    content = await parts.files.keep(
        one_piece(form.packed), name="workflow_configuration.wmc", media_type=item_tasks.ZIP, max_bytes=len(form.packed)
    )
    wanted = msgspec.structs.replace(opened, content=content)

    def use_case(unit: Unit) -> str:
        return item_tasks.start(unit, TaskKind.IMPORT, wanted)

    try:
        done = await carry_out(request, caller, use_case, succeeded, digest=form.digest)
    except BaseException:
        await parts.files.drop(content)
        raise
    if done.again:
        await parts.files.drop(content)
    parts.item_tasks.changed()
    return done.response


async def _wanted_export(request: Request) -> WantedExport:
    body = decode(_export_body, await read_json(request, "ExportBody") or b"{}", "ExportBody")
    if body.passphrase is None:
        return WantedExport(body)
    cipher = await asyncio.to_thread(PassphraseCipher.of, body.passphrase)
    return WantedExport(msgspec.structs.replace(body, passphrase=None), cipher.salt, cipher.key)


async def _form(request: Request) -> tuple[ImportForm, Caller]:
    """Who may not import is told before the file is read, unless the token is in the form as well."""
    engine = gateway(request).engine
    if token_of(request) is not None:
        await engine.query(caller_of(request), refused(require_administrator))
    form = await read_form(request)
    caller = caller_of(request, form.token)
    await engine.query(caller, refused(require_administrator))
    return form, caller
