"""Steps as the authors of diagrams write them."""

from typing import Any

ANSWERS = {
    "Yes": {"displayName": "Yes", "value": 1, "order": 0},
    "No": {"displayName": "No", "value": 0, "order": 1},
}
KINDS: dict[str, dict[str, Any]] = {
    "Manual": {"userPrompt": "Do it"},
    "OpenApp": {"appUrl": {"value": "https://example.com"}},
    "Question": {"question": "Sure?", "questionResponses": ANSWERS},
    "Attachment": {"folder": "General", "userPrompt": "Add it", "acceptEmbedded": True, "acceptLinked": True},
    "DefineLocation": {"geometryType": "Polygon", "methodType": "Draw", "userPrompt": "Draw it"},
}
"""The interactive kinds (rest.md 14.4), with arguments."""


def step(step_id: str, *nexts: str, kind: str = "Manual", **members: Any) -> dict[str, Any]:
    """A step that its user has to do something about; an unconditional path leads to each of ``nexts``."""
    return {
        "id": step_id,
        "name": step_id.title(),
        "automatic": False,
        "proceedNext": True,
        "canSkip": False,
        "action": {"actionType": kind, "args": members.pop("args", KINDS.get(kind, {}))},
        "paths": [{"nextStep": each} for each in nexts],
    } | members


def question(step_id: str = "ask", yes: str = "end", no: str = "nowhere", **members: Any) -> dict[str, Any]:
    """A question; 1 leads to ``yes``, 0 to ``no``."""
    ways = ((1, yes), (0, no))
    paths = [{"nextStep": target, "expression": f"$retVal == {value}"} for value, target in ways]
    return step(step_id, kind="Question", paths=paths, **members)


def quiet(step_id: str, *nexts: str, **members: Any) -> dict[str, Any]:
    """A manual step that asks nothing: it is done once it is run."""
    return step(step_id, *nexts, args={}, **members)


def sets_notes(step_id: str, *nexts: str, **members: Any) -> dict[str, Any]:
    """A step of the server's: it writes "done" into the job's notes."""
    args = {"propertyValues": [{"identifier": "notes", "value": "done"}]}
    return step(step_id, *nexts, kind="UpdateJobProperties", args=args, **members)


def fails(step_id: str, *nexts: str, **members: Any) -> dict[str, Any]:
    """A step of the server's that cannot succeed: no address of a private network may be asked."""
    return step(step_id, *nexts, kind="WebRequest", args={"url": "http://127.0.0.1:9/"}, **members)
