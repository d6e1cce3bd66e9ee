"""An item's configuration over REST: exported as a file, imported from one (rest.md 13.3)."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.configuration_forms import prepare_form, read_form
from app.api.credentials import token_of
from app.api.downloads import disposition
from app.api.keyed import carry_out
from app.api.requests import caller_of, read_json, refused
from app.api.responses import succeeded
from app.api.state import gateway
from app.protocol.configuration_file import pack
from app.protocol.items import ExportBody
from app.protocol.passphrase import PassphraseCipher
from app.protocol.text import decode
from app.services import configuration_export, configuration_import
from app.services.engine import Unit
from app.services.people import require_administrator

ZIP: Final = "application/zip"

_SAFETY: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

_export_body = msgspec.json.Decoder(ExportBody)


async def export(request: Request) -> Response:
    """``POST admin/{itemId}/export``: the zip at once. It changes nothing, so an ``Idempotency-Key`` is passed over."""
    caller = caller_of(request)
    wanted = decode(_export_body, await read_json(request, "ExportBody") or b"{}", "ExportBody")
    cipher = await asyncio.to_thread(PassphraseCipher, wanted.passphrase) if wanted.passphrase is not None else None
    query = refused(lambda unit: configuration_export.read(unit, wanted, cipher))
    configuration = await gateway(request).engine.query(caller, query)
    packed = await asyncio.to_thread(pack, configuration)
    name = f"workflow_configuration_{datetime.now(UTC):%Y%m%d_%H%M%S}.wmc"
    return Response(packed, headers={"Content-Disposition": disposition(name), **_SAFETY}, media_type=ZIP)


async def import_now(request: Request) -> Response:
    """``POST admin/{itemId}/import``: a form with the zip in ``file``. All of it is imported when the answer comes.

    Who may not do it is told before the file is read, unless the token is in the form as well.
    """
    engine = gateway(request).engine
    if token_of(request) is not None:
        await engine.query(caller_of(request), refused(require_administrator))
    form = await read_form(request)
    caller = caller_of(request, form.token)
    await engine.query(caller, refused(require_administrator))
    prepared = await asyncio.to_thread(prepare_form, form)

    def use_case(unit: Unit) -> list[str]:
        return configuration_import.apply(unit, prepared, overwrite=form.overwrite)

    return (await carry_out(request, caller, use_case, succeeded, digest=form.digest)).response
