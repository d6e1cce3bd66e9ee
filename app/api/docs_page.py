"""``/openapi.json``, ``/asyncapi.json`` and ``/docs``: what the server takes and gives, for programs and for people.

The page is made from the two documents, needs nothing from elsewhere, and has no script.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.api.asyncapi import asyncapi_document
from app.api.openapi import described_routes, encoded, openapi_document
from app.api.operation import JSON

_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; } h3 { margin-top: 2rem; }
code, .path { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #8886; padding: .3rem .6rem .3rem 0; vertical-align: top; }
td:first-child { white-space: nowrap; width: 8rem; }
.method { font-weight: 700; margin-right: .5rem; }
"""


async def openapi(request: Request) -> Response:
    """``GET /openapi.json``."""
    return Response(encoded(openapi_document(described_routes(request.app.routes))), media_type=JSON)


async def asyncapi(_: Request) -> Response:
    """``GET /asyncapi.json``."""
    return Response(encoded(asyncapi_document()), media_type=JSON)


async def page(request: Request) -> Response:
    """``GET /docs``."""
    return HTMLResponse(_page(described_routes(request.app.routes)), headers=_HEADERS)


@cache
def _page(routes: tuple[tuple[str, str], ...]) -> str:
    rest, live = openapi_document(routes), asyncapi_document()
    return "".join(
        [
            "<!doctype html><html lang=en><meta charset=utf-8><title>Stepgate API</title>",
            '<meta name=viewport content="width=device-width">',
            f"<style>{_STYLE}</style><h1>Stepgate {escape(rest['info']['version'])}</h1>",
            _prose(rest["info"]["description"]),
            '<p><a href="openapi.json">openapi.json</a>, <a href="asyncapi.json">asyncapi.json</a></p>',
            *_operations(rest),
            "<h2>Websocket</h2>",
            _prose(live["info"]["description"]),
            *_messages(live),
            "<h2>Types</h2>",
            *_types(rest["components"]["schemas"] | live["components"]["schemas"]),
            "</html>",
        ]
    )


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    for tag, described in by_tag.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from described


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    rows = [(_code(each["name"]), _text(each["description"])) for each in operation["parameters"]]
    if "requestBody" in operation:
        rows.append(("Body", _content(operation["requestBody"])))
    for status, answer in operation["responses"].items():
        rows.append((escape(status), _content(answer) if status == "200" else _text(answer["description"])))
    return (
        f'<h3 id="{escape(operation["operationId"])}">{_text(operation["summary"])}</h3>'
        f"<p class=path><span class=method>{method.upper()}</span>{escape(path)}</p>"
        f"{_prose(operation.get('description', ''))}{_table(rows)}"
    )


def _content(described: Mapping[str, Any]) -> str:
    media_type, content = next(iter(described["content"].items()))
    return _type(content["schema"]) if media_type == JSON else escape(media_type)


def _messages(document: Mapping[str, Any]) -> Iterator[str]:
    messages = document["components"]["messages"]
    for operation in document["operations"].values():
        yield f"<h3>{escape(operation['summary'])}</h3>"
        names = [reference["$ref"].rpartition("/")[2] for reference in operation["messages"]]
        yield _table(
            [
                (
                    _code(name),
                    f"{_text(messages[name]['summary'])}<br>{_type(_body(messages[name]))}",
                )
                for name in names
            ]
        )


def _body(message: Mapping[str, Any]) -> Any:
    """What stands in ``message``, where there is an envelope."""
    payload = message["payload"]
    return payload.get("properties", {}).get("message", payload)


def _types(schemas: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(schemas):
        schema = schemas[name]
        required = schema.get("required", ())
        yield f'<h3 id="type-{escape(name)}">{escape(name)}</h3>{_prose(schema.get("description", ""))}'
        if "properties" not in schema:
            yield f"<p>{_type(schema)}</p>"
            continue
        yield _table(
            [
                (
                    _code(member) + ("" if member in required else " <small>optional</small>"),
                    _type(each),
                )
                for member, each in schema["properties"].items()
            ]
        )


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in one line; types with a name are links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#type-{name}">{name}</a>'
    for word, sign in (("anyOf", " or "), ("allOf", " and ")):
        if word in schema:
            return sign.join(_type(each) for each in schema[word])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " or ".join(_code(str(value)) for value in values)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "properties" in schema:
        members = ", ".join(
            f"<code>{escape(name)}</code>: {_type(each)}" for name, each in schema["properties"].items()
        )
        return "{" + members + "}"
    return escape(schema.get("type", "anything"))


def _table(rows: list[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><td>{left}<td>{right}" for left, right in rows) + "</table>"


def _prose(text: str) -> str:
    """Paragraphs and bullet lists, the two forms our descriptions use."""
    return "".join(_paragraph(part) for part in text.strip().split("\n\n") if part)


def _paragraph(text: str) -> str:
    if text.startswith("- "):
        return f"<ul>{''.join(f'<li>{_text(line[2:])}' for line in text.splitlines())}</ul>"
    return f"<p>{_text(text)}</p>"


def _code(word: str) -> str:
    return f"<code>{escape(word)}</code>"


def _text(text: str) -> str:
    """Words, with what stands in backquotes as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
