"""The REST API as an OpenAPI 3.1 document: the route table, the operations' table and the structs' own schemas."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import msgspec
from starlette.routing import BaseRoute, Route

from app.api.keyed import MAX_KEY_CHARS
from app.api.operation import ANY, JSON, TEXT, Operation
from app.api.operations import ADMIN, ERRORS, ITEM, OPERATIONS, PATH_PARAMETERS, phrase
from app.api.schemas import Schemas
from app.protocol.errors import ErrorBody

DISTRIBUTION: Final = "stepgate"

_SEGMENT: Final = re.compile(r"\{(\w+)\}")

_SECURITY_SCHEMES: Final[Mapping[str, Any]] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "`stepgate token USER`"},
    "esri": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Esri-Authorization",
        "description": "`Bearer TOKEN`, for clients behind proxies that keep `Authorization` to themselves.",
    },
    "authentication": {
        "type": "apiKey",
        "in": "header",
        "name": "Authentication",
        "description": "`Bearer TOKEN`, as one reference of the v3 dialects spells the header.",
    },
    "query": {"type": "apiKey", "in": "query", "name": "token", "description": "For links and websockets."},
}

_KEY: Final[Mapping[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Carried out once for each key, and answered the same for a day: for requests that are sent again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS, "pattern": "^[ -~]+$"},
}
_KEY_ERRORS: Final = (409, 422)

_ABOUT: Final = """Workflow jobs: create them, act on their steps, answer what they ask, read what became of them.

Every error is `{"error": {"code", "type", "name", "message", "details"}}`, whatever the status; no other answer has a
member `error`. The v3 dialects, print jobs and analytics jobs, say theirs in their own words. Members of a body that
are not known here are ignored, and `null` means absent. Moments are ISO 8601 in UTC. Live messages come over a
websocket at `/{orgId}/{itemId}/notificationWs`: see `/asyncapi.json`.
"""


@lru_cache(maxsize=4)
def openapi_document(routes: tuple[tuple[str, str], ...]) -> Mapping[str, Any]:
    """Build the document for these ``(method, path)`` pairs, as ``described_routes`` gives them.

    Raises:
        LookupError: a route has no entry in ``OPERATIONS``.
    """
    schemas = Schemas("#/components/schemas/")
    paths: dict[str, dict[str, Any]] = {}
    for method, path in routes:
        operation = OPERATIONS[f"{method} {path}"]
        paths.setdefault(path, {})[method.lower()] = _operation(operation, method, path, schemas)
    schemas.of(ErrorBody)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stepgate", "version": version(DISTRIBUTION), "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas.components(), "securitySchemes": _SECURITY_SCHEMES},
    }


def described_routes(routes: Iterable[BaseRoute]) -> tuple[tuple[str, str], ...]:
    """The HTTP routes as ``(method, path)`` with the wire's names in the path; HEAD follows GET and is left out."""
    return tuple(_pairs(routes))


def _pairs(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield method, _SEGMENT.sub(lambda found: f"{{{PATH_PARAMETERS[found[1]][0]}}}", route.path)


def _operation(operation: Operation, method: str, path: str, schemas: Schemas) -> dict[str, Any]:
    is_keyed = method == "POST" and path.startswith((f"{ITEM}/", f"{ADMIN}/")) and not isinstance(operation.answer, str)
    described: dict[str, Any] = {
        "operationId": operation.operation_id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [*_path_parameters(path), *_query_parameters(operation), *([_KEY] if is_keyed else [])],
        "responses": ({} if operation.answer is None else {"200": _answer(operation, schemas)})
        | {str(status): _other(status, media_type) for status, media_type in operation.more.items()}
        | {
            str(status): _error(status, schemas.of(operation.refusal))
            for status in operation.errors + (_KEY_ERRORS if is_keyed else ())
        },
        "security": [{name: []} for name in operation.schemes] if operation.needs_token else [],
    }
    if text := _description(operation):
        described["description"] = text
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {media_type: {"schema": schemas.of(operation.body)} for media_type in operation.media},
        }
    return described


def _description(operation: Operation) -> str:
    needs = f"Needs {operation.privilege}." if operation.privilege else ""
    return " ".join(filter(None, (operation.notes, needs)))


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    about = dict(PATH_PARAMETERS.values())
    for name in _SEGMENT.findall(path):
        yield {"name": name, "in": "path", "required": True, "description": about[name], "schema": TEXT}


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, text in operation.query.items():
        words = operation.words.get(name)
        schema = (
            {"type": "string", "enum": list(words), "default": words[0]}
            if words
            else (TEXT if name in operation.free else {"type": "boolean", "default": name in operation.on})
        )
        yield {"name": name, "in": "query", "description": text, "schema": schema}
    for name, (text, schema) in operation.filters.items():
        yield {"name": name, "in": "query", "description": text, "schema": schema}
    for name, text in operation.texts.items():
        yield {"name": name, "in": "query", "required": True, "description": text, "schema": TEXT}


def _answer(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    if isinstance(operation.answer, str):
        return {"description": phrase(200), "content": {operation.answer: {"schema": _file(operation.answer)}}}
    return {"description": phrase(200), "content": {JSON: {"schema": schemas.of(operation.answer)}}}


def _other(status: int, media_type: str | None) -> dict[str, Any]:
    content = {"content": {media_type: {"schema": _file(media_type)}}} if media_type else {}
    return {"description": phrase(status), **content}


def _file(media_type: str) -> dict[str, Any]:
    """Whatever is in a file of any type, JSON among them."""
    return {} if media_type == ANY else dict(TEXT)


def _error(status: int, refusal: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"description": ERRORS[status], "content": {JSON: {"schema": refusal}}}
    if status == 503:
        found["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return found


def encoded(document: Mapping[str, Any]) -> bytes:
    """The document as JSON for people and programs."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2)
