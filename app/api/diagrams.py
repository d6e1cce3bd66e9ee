"""Diagrams over REST (rest.md 6)."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.api.keyed import answer, answer_query
from app.api.requests import caller_of, path_text, read_body, read_json, refused
from app.api.responses import JsonResponse, success
from app.api.state import gateway
from app.errors import NotFound
from app.protocol.diagrams import (
    DiagramChecked,
    DiagramCreated,
    DiagramDocument,
    DiagramLine,
    DiagramList,
    DiagramUpdated,
    WireFinding,
    WireUpdate,
    read_document,
    render_diagram,
    render_findings,
)
from app.services import diagrams
from app.services.engine import Caller

_update_body = msgspec.json.Decoder(WireUpdate)


async def create(request: Request) -> Response:
    """``POST diagrams``."""
    caller = caller_of(request)
    document = read_document(await read_json(request, "WorkflowDiagram"))
    found = await _findings(request, caller, document)
    return await answer(
        request,
        caller,
        lambda unit: diagrams.create(unit, document),
        lambda diagram_id: DiagramCreated(diagram_id, found),
    )


async def update(request: Request) -> Response:
    """``POST diagrams/{diagramId}``: the next version, or the draft."""
    caller = caller_of(request)
    diagram_id = path_text(request, "diagram_id")
    body = await read_body(request, _update_body, "UpdateDiagramBody")
    document = read_document(bytes(body.diagram))
    delete_draft = body.delete_draft is not False
    found = await _findings(request, caller, document)
    return await answer(
        request,
        caller,
        lambda unit: diagrams.update(unit, diagram_id, document, delete_draft=delete_draft),
        lambda _: DiagramUpdated(success=True, warnings=found),
    )


async def check(request: Request) -> Response:
    """``POST checkDiagram``: what would be wrong with a diagram, were it active. Stores nothing."""
    caller = caller_of(request)
    document = read_document(await read_json(request, "WorkflowDiagram"))
    return await answer_query(
        request,
        caller,
        lambda unit: diagrams.examine(unit, document),
        lambda found: DiagramChecked(render_findings(found)),
    )


async def read(request: Request) -> Response:
    """``GET diagrams/{diagramId}`` and ``GET diagrams/{diagramId}/{version}``."""
    diagram_id, version = path_text(request, "diagram_id"), _version(request)
    record = await gateway(request).engine.query(
        caller_of(request), lambda unit: diagrams.read(unit, diagram_id, version)
    )
    return JsonResponse(render_diagram(record.body, record.diagram))


async def delete(request: Request) -> Response:
    """``DELETE diagrams/{diagramId}``."""
    caller = caller_of(request)
    diagram_id = path_text(request, "diagram_id")
    use_case = refused(lambda unit: diagrams.delete(unit, diagram_id), missing_is_404=True)
    await gateway(request).engine.execute(caller, use_case)
    return success()


async def delete_version(request: Request) -> Response:
    """``DELETE diagrams/{diagramId}/{version}``."""
    caller = caller_of(request)
    diagram_id, version = path_text(request, "diagram_id"), _version_named(request)
    use_case = refused(lambda unit: diagrams.delete_version(unit, diagram_id, version), missing_is_404=True)
    await gateway(request).engine.execute(caller, use_case)
    return success()


async def upgraded(request: Request) -> Response:
    """``GET diagrams/{diagramId}/{version}/upgraded``."""
    caller = caller_of(request)
    diagram_id, version = path_text(request, "diagram_id"), _version_named(request)
    found = await gateway(request).engine.query(caller, lambda unit: diagrams.upgraded(unit, diagram_id, version))
    return JsonResponse(found)


async def list_all(request: Request) -> Response:
    """``GET diagrams``."""
    found = await gateway(request).engine.query(caller_of(request), lambda unit: unit.tx.diagrams(unit.item))
    return JsonResponse(
        DiagramList(
            [
                DiagramLine(
                    diagram_id=each.diagram_id,
                    diagram_name=each.name,
                    description=each.description,
                    active=each.active,
                    draft=each.draft,
                )
                for each in found
            ]
        )
    )


async def _findings(request: Request, caller: Caller, document: DiagramDocument) -> list[WireFinding]:
    """What is wrong with a diagram that is about to be stored: read apart from the change, for it takes a while."""
    check = refused(lambda unit: diagrams.check(unit, document))
    return render_findings(await gateway(request).engine.query(caller, check))


def _version(request: Request) -> int | None:
    return _version_named(request) if "version" in request.path_params else None


def _version_named(request: Request) -> int:
    text = str(request.path_params["version"])
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        raise NotFound(f"There is no version {text[:80]!r}: versions are whole numbers.", name="DiagramNotFound")
    return int(text)
