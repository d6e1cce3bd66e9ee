"""Webhooks: what another program must prove, what becomes of its request, and what it is told when it is refused."""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from app.asgi import create_app
from app.auth.signatures import SIGNATURE_HEADER
from app.services.first_start import TEMPLATE_ID
from app.services.ports import Tx
from app.settings import Settings
from tests.api.conftest import MAX_BODY_BYTES, WORKER, Api, error, ok

_numbers = count(1)
HEADER, SECRET = "X-Hook", "s3cret"
PLAIN: dict[str, Any] = {"headerSecret": {"key": HEADER, "value": SECRET}}
SIGNED: dict[str, Any] = {"headerSecret": {"key": SIGNATURE_HEADER.upper(), "value": SECRET}}
PROVEN = {HEADER: SECRET}
BODY = b'{"parcel": {"apn": "12-34", "acres": 2.5, "corner": true, "tags": ["a"]}, "nothing": null}'
TABLE = {
    "tableName": "parcel",
    "tableAlias": "Parcel",
    "tableOrder": 0,
    "relationshipType": "OneToOne",
    "extendedPropertyDefinitions": [
        {
            "propertyName": name,
            "propertyAlias": name,
            "propertyOrder": 0,
            "dataType": data_type,
            "defaultValue": default,
            "required": False,
            "editable": True,
            "visible": True,
        }
        for name, data_type, default in (
            ("apn", "String", "none"),
            ("acres", "Double", None),
            ("corner", "Boolean", None),
            ("tags", "String", None),
            ("count", "Integer", "7"),
        )
    ],
}


@pytest.fixture
def template(api: Api, manual: str) -> str:
    """A template of its own, with extended properties of one table of its own."""
    number = next(_numbers)
    table = TABLE | {"tableName": f"parcel{number}"}
    members = {"extendedPropertyTableDefinitions": [table], "defaultAssignedType": "Unassigned"}
    diagram_id = api.get(f"jobTemplates/{manual}")["diagramId"]
    return api.template(f"From outside {number}", diagram_id, **members)


def hook(api: Api, template_id: str, *, enabled: bool = True, **details: Any) -> str:
    """A webhook's path."""
    text = json.dumps(PLAIN | details)
    adds = [{"automationName": "Hook", "automationType": "Webhook", "enabled": enabled, "details": text}]
    path = f"jobTemplates/{template_id}/automatedCreation"
    return f"{path}/{api.post(path, {'adds': adds})['automationIds'][0]}"


def send(api: Api, path: str, body: bytes = BODY, headers: Mapping[str, Any] = PROVEN) -> Any:
    """Execute a webhook, as somebody without a token."""
    return api.call("POST", f"{path}/executeWebhook", content=body, headers=headers)


def made(api: Api, response: Any) -> dict[str, Any]:
    """The one job that a request has made."""
    answer = ok(response)
    assert set(answer) == {"jobIds", "autoExecuted"}
    (job_id,) = answer["jobIds"]
    return cast(dict[str, Any], api.get(f"jobs/{job_id}?extProps=true"))


def refused(response: Any) -> None:
    """Not a word that tells whether there is such a webhook."""
    found = error(response, 404)
    assert found["type"] == "WebhookNotFound"
    assert found["message"].startswith("There is no such webhook here, or the request does not prove its secret")
    assert found["details"] == []


def count_of(api: Api, template_id: str) -> int:
    return cast(int, api.post("jobs/statistics", {"q": f"jobTemplateId='{template_id}'"})["total"])


def test_a_request_with_the_secret_makes_a_job_in_the_name_of_the_user(api: Api, template: str) -> None:
    path = hook(api, template, username=WORKER)
    job = made(api, send(api, path))
    assert (job["createdBy"], job["ownedBy"], job["jobTemplateId"]) == (WORKER, WORKER, template)
    assert (job["automationId"], job["automationType"]) == (path.rpartition("/")[2], "Webhook")
    found = api.get(path)
    assert (found["occurrences"], found["lastDate"]) == (1, job["createdDate"])
    assert api.get(f"jobs/{job['jobId']}/attachments") == {"attachments": []}


def test_without_a_named_user_the_job_is_its_authors(api: Api, template: str) -> None:
    assert made(api, send(api, hook(api, template)))["createdBy"] == "admin"


def test_whoever_does_not_prove_the_secret_is_told_nothing(api: Api, template: str, manual: str) -> None:
    path = hook(api, template)
    automation_id = path.rpartition("/")[2]
    schedule = {"automationName": "S", "automationType": "Scheduled", "enabled": True}
    adds = [schedule | {"details": '{"timeType": "HourOfDay"}'}]
    (scheduled,) = api.post(f"jobTemplates/{template}/automatedCreation", {"adds": adds})["automationIds"]
    for headers in (
        {},
        {HEADER: ""},
        {HEADER: "S3cret"},
        {HEADER: "s3c"},
        {HEADER: b"s\xe9cret"},
        {"X-Other": SECRET},
    ):
        refused(send(api, path, headers=headers))
    refused(send(api, path, headers={"Authorization": f"Bearer {api.token()}"}))
    for other in (
        f"jobTemplates/{template}/automatedCreation/unknown",
        f"jobTemplates/{template}/automatedCreation/{scheduled}",
        f"jobTemplates/{manual}/automatedCreation/{automation_id}",
        f"jobTemplates/unknown/automatedCreation/{automation_id}",
    ):
        refused(send(api, other))
    assert count_of(api, template) == 0
    assert "lastError" not in api.get(path)


def test_a_webhook_that_is_not_enabled_says_so_to_who_knows_the_secret(api: Api, template: str) -> None:
    path = hook(api, template, enabled=False)
    refused(send(api, path, headers={}))
    assert error(send(api, path))["type"] == "AutomationDisabled"
    assert count_of(api, template) == 0


def signature(body: bytes, form: str) -> str:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256)
    text = digest.hexdigest() if form == "hexadecimal" else b64encode(digest.digest()).decode()
    return quote(f"sha256={text}") if form == "quoted" else f"sha256={text}"


@pytest.mark.parametrize("form", ["base64", "hexadecimal", "quoted"])
def test_a_request_that_is_signed_makes_a_job(api: Api, template: str, form: str) -> None:
    path = hook(api, template, **SIGNED)
    headers = {SIGNATURE_HEADER: signature(BODY, form)}
    made(api, send(api, path, headers=headers))
    refused(send(api, path, body=BODY + b" ", headers=headers))
    assert count_of(api, template) == 1


def test_the_secret_itself_is_no_signature(api: Api, template: str) -> None:
    path = hook(api, template, **SIGNED)
    for headers in ({}, {SIGNATURE_HEADER: SECRET}, {SIGNATURE_HEADER: f"sha256={SECRET}"}, PROVEN):
        refused(send(api, path, headers=headers))


def test_a_webhook_without_a_secret_makes_no_jobs(api: Api, template: str) -> None:
    for details in ({"headerSecret": None}, {"headerSecret": PLAIN["headerSecret"] | {"isEnabled": False}}):
        path = hook(api, template, **details)
        refused(send(api, path, headers={}))
        refused(send(api, path))
    assert count_of(api, template) == 0
    assert api.get("")["allowUnsecureWebhooks"] is False


def test_it_does_where_the_operator_allows_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, admin_password="pw", allow_unsecure_webhooks=True)
    with TestClient(create_app(settings)) as client:
        api = Api(client)
        assert api.get("")["allowUnsecureWebhooks"] is True
        made(api, send(api, hook(api, TEMPLATE_ID, headerSecret=None), headers={}))
        refused(send(api, hook(api, TEMPLATE_ID), headers={}))


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'"text"', b"null", b"5"])
def test_the_body_is_any_json_whatever_its_media_type(api: Api, template: str, body: bytes) -> None:
    path = hook(api, template, attachment={})
    job = made(api, send(api, path, body, PROVEN | {"Content-Type": "text/plain"}))
    attached = api.get(f"jobs/{job['jobId']}/attachments")["attachments"]
    assert len(attached) == (body not in {b"", b"null"})


@pytest.mark.parametrize("body", [b"{", b"a=b", b"\xff", b'"\\u0000"', b"[" * 50_000])
def test_a_body_that_is_no_json_is_refused(api: Api, template: str, body: bytes) -> None:
    assert "payload was invalid" in error(send(api, hook(api, template), body))["message"]
    assert count_of(api, template) == 0


def test_a_body_that_is_too_large_is_refused(api: Api, template: str) -> None:
    body = b'"' + b"x" * MAX_BODY_BYTES + b'"'
    assert error(send(api, hook(api, template), body))["type"] == "QuotaExceeded"
    headers = {SIGNATURE_HEADER: signature(body, "base64")}
    refused(send(api, hook(api, template, **SIGNED), body, headers))


def test_the_body_is_attached_as_it_came(api: Api, template: str) -> None:
    """By who created the job, whose privileges are not asked: the author of the webhook wants it."""
    path = hook(api, template, username=WORKER, attachment={"folder": "Payloads"})
    job_id = made(api, send(api, path))["jobId"]
    (attached,) = api.get(f"jobs/{job_id}/attachments")["attachments"]
    assert {name: attached[name] for name in ("alias", "folder", "lastModifiedBy", "mediaType")} == {
        "alias": "payload.json",
        "folder": "Payloads",
        "lastModifiedBy": WORKER,
        "mediaType": "application/json",
    }
    assert api.call("GET", f"jobs/{job_id}/attachments/{attached['id']}").content == BODY
    path = hook(api, template, attachment={"folder": "Payloads", "isEnabled": False})
    assert api.get(f"jobs/{made(api, send(api, path))['jobId']}/attachments") == {"attachments": []}


def test_values_of_the_body_become_extended_properties(api: Api, template: str) -> None:
    table = api.get(f"jobTemplates/{template}")["extendedPropertyTableDefinitions"][0]["tableName"]
    paths = {"apn": "$.parcel.apn", "acres": "$.parcel.acres", "corner": "$.parcel.corner", "tags": "$.parcel.tags"}
    properties = [{"identifier": f"{table}.{name}", "path": path} for name, path in paths.items()]
    path = hook(api, template, properties=[*properties, {"identifier": f"{table}.count", "path": "$.nothing"}])
    assert values(made(api, send(api, path))) == {
        "apn": "12-34", "acres": "2.5", "corner": "true", "tags": '["a"]', "count": "7",
    }  # fmt: skip
    assert values(made(api, send(api, path, b"{}")))["apn"] == "none"


def values(job: dict[str, Any]) -> dict[str, str | None]:
    (table,) = job["extendedProperties"]
    return {each["propertyName"]: each.get("value") for each in table["properties"]}


def test_a_refusal_is_told_and_noted_until_a_job_is_made_and_leaves_no_file(api: Api, template: str) -> None:
    table = api.get(f"jobTemplates/{template}")["extendedPropertyTableDefinitions"][0]["tableName"]
    mapping = [{"identifier": f"{table}.count", "path": "$.count"}]
    path = hook(api, template, properties=mapping, attachment={})
    refusal = error(send(api, path, b'{"count": "many"}'))
    assert f"{table}.count" in refusal["message"]
    found = api.get(path)
    assert (found["lastError"], found["occurrences"]) == (refusal["message"], 0)
    assert count_of(api, template) == 0
    assert loose(api) == []
    made(api, send(api, path, b'{"count": 8}'))
    assert "lastError" not in api.get(path)


def test_a_property_that_the_template_does_not_have_is_told_when_the_webhook_is_added(api: Api, template: str) -> None:
    details = json.dumps(PLAIN | {"properties": [{"identifier": "gone.apn", "path": "$.apn"}]})
    adds = [{"automationName": "Hook", "automationType": "Webhook", "enabled": True, "details": details}]
    edited = api.post(f"jobTemplates/{template}/automatedCreation", {"adds": adds})
    assert edited["message"] == "The webhook 'Hook' sets 'gone.apn', which the job template does not have."
    path = f"jobTemplates/{template}/automatedCreation/{edited['automationIds'][0]}"
    assert "gone.apn" in error(send(api, path, b'{"apn": 1}'))["message"]


def loose(api: Api) -> list[str]:
    """The files that belong to nothing, once those that are let go of are removed."""
    assert api.client.portal is not None
    api.client.portal.call(api.gateway.files.sweep)
    found: list[str] = api.client.portal.call(
        api.gateway.engine.store.read, lambda tx: tx.loose_blobs(tx.now_ms() + 10**9)
    )
    return found


def test_the_fallback_user_creates_the_job_where_the_first_one_may_not(api: Api, template: str) -> None:
    number = next(_numbers)
    gone = f"gone{number}"
    add_user(api, gone)
    path = hook(api, template, username=gone, fallbackUsername=WORKER)
    assert made(api, send(api, path))["createdBy"] == gone
    disable(api, gone)
    assert made(api, send(api, path))["createdBy"] == WORKER
    path = hook(api, template, username=gone, fallbackUsername="outsider")
    refusal = error(send(api, path))
    assert refusal["type"] == "PermissionDenied"
    assert gone in refusal["message"]
    assert "outsider" in refusal["message"]
    assert api.get(path)["lastError"] == refusal["message"]
    assert count_of(api, template) == 2


def add_user(api: Api, name: str) -> None:
    def add(tx: Tx) -> None:
        tx.add_user(name, None)
        tx.set_member(name, "workers", True)
        tx.bump_access(None)

    assert api.client.portal is not None
    api.client.portal.call(api.gateway.engine.store.run, add)


def disable(api: Api, name: str) -> None:
    def change(tx: Tx) -> None:
        tx.set_disabled(name, True)
        tx.bump_access(None)

    assert api.client.portal is not None
    api.client.portal.call(api.gateway.engine.store.run, change)


def test_a_request_that_comes_again_under_its_key_makes_no_other_job(api: Api, template: str) -> None:
    path = hook(api, template, attachment={})
    key = {"Idempotency-Key": "delivery 1"}
    first, again = (send(api, path, headers=PROVEN | key) for _ in range(2))
    assert ok(first) == ok(again)
    assert again.headers["idempotent-replayed"] == "true"
    refused(send(api, path, headers=key))
    assert error(send(api, path, b"{}", PROVEN | key), 422)["type"] == "KeyReused"
    assert (count_of(api, template), loose(api)) == (1, [])


def test_a_deleted_webhook_is_one_that_never_was(api: Api, template: str) -> None:
    path = hook(api, template)
    collection, _, automation_id = path.rpartition("/")
    api.post(collection, {"deletes": [automation_id]})
    refused(send(api, path))
