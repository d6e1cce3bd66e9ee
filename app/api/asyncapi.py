"""The websocket as an AsyncAPI 3.0 document, made from the structs that are decoded from it and encoded into it."""

import inspect
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import msgspec

from app.api.openapi import DISTRIBUTION
from app.api.operation import TEXT, Either
from app.api.operations import ITEM, PATH_PARAMETERS
from app.api.schemas import Schemas
from app.protocol import notifications as n
from app.protocol.answers import StepInformation
from app.protocol.codes import CLOSE_CODES, RECONNECT, RECONNECT_STANDARD
from app.protocol.prompts import StepInfoRequired
from app.protocol.requests import Subscribe, Unsubscribe

FEED: Final[tuple[type[n.Body], ...]] = (
    n.JobUpdated,
    n.JobAttachmentUpdated,
    n.JobCommentUpdated,
    n.JobLocationUpdated,
    n.StepStarted,
    StepInfoRequired,
    n.StepProgress,
    n.StepFinished,
    n.StepStopping,
    n.StepPaused,
    n.StepCancelled,
    n.StepStopped,
    n.StepWarningStopped,
    n.StepError,
    n.StepReassigned,
    n.StepHeld,
    n.StepHoldReleased,
    n.StepHoldsUpdated,
)
"""Messages of a job's feed: they have a ``seq``, and every subscriber of the job gets each of them once, in order."""

REPLIES: Final[tuple[type[n.Body], ...]] = (n.JobState, n.Ack, n.StepAnswer, n.Error)
"""What one socket is told about its own frames."""

OF_ITEM: Final[tuple[type[n.Body], ...]] = (n.ExportCompleted, n.ExportFailed, n.ImportCompleted, n.ImportFailed)
"""Messages to all sockets of the item, whatever they are subscribed to. They have no ``seq``."""

_CHANNEL: Final = "notifications"
_MESSAGES: Final = f"#/channels/{_CHANNEL}/messages/"

_ABOUT: Final = f"""One websocket for each workflow item; its subscriptions are jobs.

Connect to `{ITEM}/notificationWs` with a token (`?token=`, or a header), wait for `connected`, then subscribe. Every
frame is one JSON text. `timestamp` is in milliseconds since 1970 (UTC). A message of a job's feed has a `seq`, which
counts from 1 without gaps; give the last one back in `since` after a reconnect. The letter case of a client's `msgType`
does not matter. The server closes a socket with one of these codes:

"""


@cache
def asyncapi_document() -> Mapping[str, Any]:
    """Build the document."""
    schemas = Schemas("#/components/schemas/")
    sent = {body.msg_type(): _envelope(body, schemas) for body in FEED + OF_ITEM + REPLIES}
    sent = {"connected": _connected(schemas)} | sent
    received = {
        "subscribe": _flat("subscribe", Subscribe, schemas),
        "unsubscribe": _flat("unsubscribe", Unsubscribe, schemas),
        "StepInformation": _answer(schemas),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Stepgate", "version": version(DISTRIBUTION), "description": _ABOUT + _close_codes()},
        "channels": {_CHANNEL: _channel((*received, *sent))},
        "operations": {
            "fromClients": _operation("receive", received, "What a client may say."),
            "toClients": _operation("send", sent, "What a client hears."),
        },
        "components": {"messages": received | sent, "schemas": schemas.components()},
    }


def _close_codes() -> str:
    lines = [f"- `{each.code}` {each.reason}" for each in CLOSE_CODES]
    again = f"{RECONNECT.start}-{RECONNECT.stop - 1}, {', '.join(map(str, sorted(RECONNECT_STANDARD)))}"
    return "\n".join(lines) + f"\n\nConnect again after {again}; after any other code somebody has to change something."


def _channel(names: tuple[str, ...]) -> dict[str, Any]:
    about = dict(PATH_PARAMETERS.values())
    return {
        "address": f"{ITEM}/notificationWs",
        "parameters": {name: {"description": about[name]} for name in ("orgId", "itemId")},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "query": {"type": "object", "properties": {"token": TEXT}}}},
    }


def _operation(action: str, messages: Mapping[str, Any], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{_CHANNEL}"},
        "summary": summary,
        "messages": [{"$ref": _MESSAGES + name} for name in messages],
    }


def _message(name: str, about: type, payload: Mapping[str, Any]) -> dict[str, Any]:
    summary = inspect.cleandoc(about.__doc__ or "").partition("\n\n")[0].replace("``", "`").replace("\n", " ")
    return {"name": name, "title": name, "summary": summary, "contentType": "application/json", "payload": payload}


def _connected(schemas: Schemas) -> dict[str, Any]:
    return _message("connected", n.Connected, schemas.of(n.Connected))


def _envelope(body: type[n.Body], schemas: Schemas) -> dict[str, Any]:
    """A message of the server; ``StepInfoRequired`` has one form for each type of step."""
    forms: Any = Either((*body.__subclasses__(), body)) if body is StepInfoRequired else body
    name = body.msg_type()
    members: dict[str, Any] = {"msgType": {"const": name}, "timestamp": {"type": "integer"}}
    if body in FEED:
        members["seq"] = {"type": "integer", "minimum": 1}
    members["message"] = schemas.of(forms)
    return _message(name, body, {"type": "object", "properties": members, "required": [*members]})


def _flat(name: str, frame: type[msgspec.Struct], schemas: Schemas) -> dict[str, Any]:
    """A frame whose members stand beside its ``msgType``."""
    kind = {"type": "object", "properties": {"msgType": {"const": name}}, "required": ["msgType"]}
    return _message(name, frame, {"allOf": [kind, schemas.of(frame)]})


def _answer(schemas: Schemas) -> dict[str, Any]:
    """An answer: nested in an envelope, or bare."""
    body = schemas.of(StepInformation)
    kinds = {"enum": ["StepInformation", "StepInfoResponse"]}
    envelope = {
        "type": "object",
        "properties": {"msgType": kinds, "message": body, "requestId": TEXT, "token": TEXT},
        "required": ["msgType", "message"],
    }
    return _message("StepInformation", StepInformation, {"anyOf": [envelope, body]})
