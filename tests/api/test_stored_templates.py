"""Stored templates over REST."""

import json
from typing import Any

import pytest

from tests.api.conftest import Api, error, ok

EMAIL = json.dumps({"to": ["ann"], "subject": "Hello", "body": "", "attachmentSelection": "None"})


def make(api: Api, template_type: str, **members: Any) -> str:
    body = {"templateName": "Greeting", "templateDetails": EMAIL} | members
    created = api.post(f"templates/{template_type}", body)
    assert set(created) == {"templateId"}
    return str(created["templateId"])


def test_a_template_is_stored_read_changed_and_deleted(api: Api, worker: Api) -> None:
    template_id = make(api, "email")
    path = f"templates/email/{template_id}"
    assert {"templateId": template_id, "templateName": "Greeting"} in worker.get("templates/email")["templates"]
    stored = {"templateId": template_id, "templateName": "Greeting", "templateDetails": EMAIL}
    assert worker.get(path) == stored
    changed = stored | {"templateName": "Farewell", "templateDetails": "{}"}
    assert ok(api.call("PUT", path, json=changed)) == {"success": True}
    ok(api.call("PUT", path, json={"templateId": "another", "templateName": None}))
    assert api.get(path) == changed
    assert ok(api.call("DELETE", path)) == {"success": True}
    assert error(api.call("GET", path), 404)["type"] == "TemplateNotFound"
    for response in (api.call("PUT", path, json=changed), api.call("DELETE", path)):
        assert error(response, 400)["type"] == "TemplateNotFound"


def test_a_type_nobody_has_used_is_empty(worker: Api) -> None:
    assert worker.get("templates/unheard of") == {"templates": []}


def test_templates_of_ones_own_type_hold_any_text(api: Api) -> None:
    template_id = make(api, "notes", templateDetails="no JSON at all")
    assert api.get(f"templates/notes/{template_id}")["templateDetails"] == "no JSON at all"
    error(api.call("GET", f"templates/email/{template_id}"), 404)


def test_an_id_of_ones_own_is_taken_once(api: Api) -> None:
    assert make(api, "email", templateId="own-email") == "own-email"
    body = {"templateName": "x", "templateDetails": "{}", "templateId": "own-email"}
    assert api.refused("templates/email", body)["type"] == "Conflict"
    request = json.dumps({"url": "https://gis.example/", "outputs": "unknown members are kept"})
    assert make(api, "webRequest", templateId="own-email", templateDetails=request) == "own-email"
    assert api.get("templates/webRequest/own-email")["templateDetails"] == request
    assert api.get("templates/email/own-email")["templateName"] == "Greeting"


@pytest.mark.parametrize(
    ("template_type", "members", "fault"),
    [
        ("email", {"templateName": None}, "templateName"),
        ("email", {"templateName": ""}, "templateName"),
        ("email", {"templateDetails": None}, "templateDetails"),
        ("email", {"templateDetails": {"to": []}}, "templateDetails"),
        ("email", {"templateDetails": "Hello"}, "templateDetails"),
        ("email", {"templateDetails": '{"to": 5}'}, "templateDetails"),
        ("email", {"templateDetails": "[" * 50_000}, "templateDetails"),
        ("webRequest", {"templateDetails": "[]"}, "templateDetails"),
        ("webRequest", {"templateDetails": "{}"}, "url"),
        ("webRequest", {"templateDetails": '{"url": "https://x.example/", "method": "BREW"}'}, "method"),
        ("webRequest", {"templateDetails": '{"url": "https://x.example/", "query": [{"key": "a"}]}'}, "query[0]"),
        ("webRequest", {"templateDetails": '{"url": "https://x.example/", "response": {}}'}, "response"),
        (
            "webRequest",
            {"templateDetails": '{"url": "https://x.example/", "headers": [{"key": "a", "setting": "smtpPassword"}]}'},
            "headers[0].setting",
        ),
        ("email", {"templateId": "a/b"}, "templateId"),
    ],
)
def test_a_wrong_template_is_refused_and_nothing_is_stored(
    api: Api, template_type: str, members: dict[str, Any], fault: str
) -> None:
    before = api.get(f"templates/{template_type}")
    body = {"templateName": "x", "templateDetails": "{}"} | members
    assert fault in api.refused(f"templates/{template_type}", body)["message"]
    assert api.get(f"templates/{template_type}") == before


def test_templates_need_a_designer_to_be_changed(api: Api, worker: Api, outsider: Api) -> None:
    path = f"templates/email/{make(api, 'email')}"
    body = {"templateName": "x", "templateDetails": "{}"}
    before = api.get("templates/email"), api.get(path)
    writes = [("POST", "templates/email", {"json": body}), ("PUT", path, {"json": body}), ("DELETE", path, {})]
    for method, each, options in writes:
        assert "adminBasic" in error(worker.call(method, each, **options), 400)["message"]
    for method, each, options in [*writes, ("GET", path, {}), ("GET", "templates/email", {})]:
        error(outsider.call(method, each, **options), 403)
    assert (api.get("templates/email"), api.get(path)) == before
