"""Webhook connections over REST: what is taken and told, who may, and what comes in from feature services."""

from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from app.auth.signatures import SIGNATURE_HEADER, signature_of
from tests.api.conftest import OUTSIDER, WORKER, Api, error, ok

SECRET = "a secret / of + some = length"
EVENT = b'[{"name":"Parcels","layerId":0,"events":["FeaturesUpdated"],"changesUrl":"https://x/y?a=[1]"}]'
BODY: dict[str, Any] = {
    "connectionName": "Parcels",
    "itemId": "5f2a7c0b9d8e4f31a6b2c3d4e5f60718",
    "webhookType": "FeatureService",
    "secret": SECRET,
    "enabled": True,
    "manageWebhook": False,
}


def make(api: Api, **members: Any) -> str:
    answer = api.post("webhookConnections", BODY | members)
    assert set(answer) == {"success", "connectionId"}
    assert answer["success"] is True
    return str(answer["connectionId"])


def test_a_connection_is_made_read_changed_and_deleted(api: Api) -> None:
    connection_id = make(api, webhookChangeTypes=["FeaturesUpdated"], username="admin")
    path = f"webhookConnections/{connection_id}"
    line = {
        "connectionId": connection_id,
        "connectionName": "Parcels",
        "enabled": True,
        "itemId": BODY["itemId"],
        "username": "admin",
    }
    assert line in api.get("webhookConnections")["webhookConnections"]
    assert api.get(path) == line | {"secret": SECRET, "webhookType": "FeatureService"}
    changed = BODY | {"connectionName": "Plots", "secret": "another", "enabled": False, "unknown": 1, "username": None}
    assert ok(api.call("PUT", path, json=changed)) == {"success": True, "connectionId": connection_id}
    found = api.get(path)
    assert (found["connectionName"], found["secret"], found["enabled"]) == ("Plots", "another", False)
    assert "username" not in found
    assert ok(api.call("DELETE", path)) == {"success": True, "connectionId": connection_id}
    for method in ("GET", "DELETE"):
        assert error(api.call(method, path))["type"] == "WebhookConnectionNotFound"
    assert error(api.call("PUT", path, json=changed))["type"] == "WebhookConnectionNotFound"


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        *(({name: None}, name) for name in BODY),
        ({"connectionName": ""}, "connectionName"),
        ({"secret": ""}, "secret"),
        ({"webhookType": "Geoprocessing"}, "webhookType"),
        ({"enabled": "yes"}, "enabled"),
        ({"manageWebhook": True}, "webhookChangeTypes must name"),
        ({"manageWebhook": True, "webhookChangeTypes": []}, "webhookChangeTypes must name"),
        ({"webhookChangeTypes": ["FeaturesDeleted"]}, "webhookChangeTypes[0]"),
        ({"itemId": "two words"}, "itemId"),
        ({"itemId": "https://gis.example/arcgis/rest/services/Parcels/MapServer"}, "itemId must be"),
        ({"itemId": "https://gis.example/arcgis/rest/services/Parcels/FeatureServer?token=x"}, "itemId must be"),
        ({"itemId": "ftp://gis.example/rest/services/Parcels/FeatureServer"}, "itemId must be"),
        ({"userToken": "t"}, "userToken needs username"),
        ({"fallbackUserToken": "t"}, "fallbackUserToken needs fallbackUsername"),
    ],
)
def test_a_connection_that_is_wrong_is_refused_and_changes_nothing(
    api: Api, members: dict[str, Any], fault: str
) -> None:
    before = api.get("webhookConnections")
    assert fault in api.refused("webhookConnections", BODY | members)["message"]
    assert api.get("webhookConnections") == before


def test_the_item_id_stays(api: Api) -> None:
    path = f"webhookConnections/{make(api)}"
    refusal = error(api.call("PUT", path, json=BODY | {"itemId": "another"}))
    assert "itemId" in refusal["message"]
    assert api.get(path)["itemId"] == BODY["itemId"]


def test_who_may_design_may_change_connections_and_who_may_hold_may_see_them(
    api: Api, worker: Api, outsider: Api
) -> None:
    path = f"webhookConnections/{make(api)}"
    for method, place, body in (
        ("POST", "webhookConnections", BODY),
        ("PUT", path, BODY),
        ("DELETE", path, None),
        ("GET", path, None),
        ("GET", "webhookConnections", None),
    ):
        status = 403 if method == "GET" else 400
        assert "adminBasic" in error(worker.call(method, place, json=body), status)["message"]
        error(outsider.call(method, place, json=body), 403)
    api.post("community/roles/Holder", {"privileges": ["jobUpdateHolds"]})
    api.post("community/groups/workers", {"adds": {"roles": ["Holder"]}})
    try:
        assert worker.get("webhookConnections")["webhookConnections"]
        error(worker.call("GET", path), 403)
    finally:
        api.post("community/groups/workers", {"deletes": {"roles": ["Holder"]}})


def test_a_user_who_is_named_has_opted_in_by_a_token_of_his(api: Api, worker: Api) -> None:
    """Once in an item; the caller by being the caller. Nobody can be named who could not release holds."""
    api.post("community/roles/Releaser", {"privileges": ["jobUpdateHolds"]})
    named = BODY | {"fallbackUsername": WORKER}
    assert api.refused("webhookConnections", named)["type"] == "InvalidUserType"
    api.post("community/groups/workers", {"adds": {"roles": ["Releaser"]}})
    try:
        assert api.refused("webhookConnections", named)["type"] == "WebhookUserNotOptedIn"
        for wrong, fault in ((api.token(), "is not one of 'worker'"), (worker.token(ttl_s=-5), "has expired")):
            refusal = api.refused("webhookConnections", named | {"fallbackUserToken": wrong})
            assert fault in refusal["message"]
            assert refusal["details"] == ["fallbackUserToken"]
        foreign = api.refused("webhookConnections", named | {"fallbackUserToken": "one of a portal"})
        assert foreign["type"] == "WebhookUserNotOptedIn"
        api.post("webhookConnections", named | {"fallbackUserToken": worker.token()})
        api.post("webhookConnections", named | {"fallbackUserToken": "one of a portal"})
        api.post("webhookConnections", named)
        api.post("webhookConnections", BODY | {"username": "admin", "userToken": "one of a portal"})
    finally:
        api.post("community/groups/workers", {"deletes": {"roles": ["Releaser"]}})
    assert api.refused("webhookConnections", BODY | {"username": OUTSIDER})["type"] == "InvalidUserType"


# ---------------------------------------------------------------- holds


def test_a_hold_names_its_connection_and_is_listed_with_it(api: Api, manual: str) -> None:
    job_id, connection_id = api.job(manual), make(api)
    details = {"webhookReleaseCondition": "state = 3", "webhookLayerId": 0, "webhookObjectId": 7}
    waits = {"webhookConnectionId": connection_id, "webhookDependencyDetails": details}
    assert api.action(job_id, "Hold", **waits)["success"]
    job = api.get(f"jobs/{job_id}?holds=true")
    (hold,) = job["holds"]
    assert (hold["webhookConnectionId"], hold["webhookDependencyDetails"]) == (connection_id, details)
    (current,) = job["currentSteps"]
    assert current["webhookDependency"] is True
    assert (current["manualHold"], current["dependencies"]) == (False, False)
    (refused,) = api.action(job_id, "Run")["stepResponses"]
    assert refused["status"] == "Held"
    assert {"kind": "feature", "name": connection_id} in refused["reasons"][0]["liftedBy"]
    in_use = error(api.call("DELETE", f"webhookConnections/{connection_id}"))
    assert (in_use["type"], job_id in in_use["message"]) == ("WebhookConnectionInUse", True)
    assert api.action(job_id, "ReleaseHold")["stepResponses"][0]["status"] == "NotHeld"
    assert api.action(job_id, "ReleaseHold", webhookConnectionId=connection_id)["success"]
    (hold,) = api.get(f"jobs/{job_id}?holds=true")["holds"]
    assert hold["releasedBy"] == "admin"
    history = [line["action"] for line in api.get(f"jobs/{job_id}/history")["jobHistory"]]
    assert [action for action in history if action in {"DependencyAdded", "Held", "HoldReleased"}] == [
        "DependencyAdded",
        "HoldReleased",
    ]
    ok(api.call("DELETE", f"webhookConnections/{connection_id}"))
    unknown = api.refused(f"jobs/{job_id}/action", {"type": "Hold", **waits})
    assert unknown["type"] == "WebhookConnectionNotFound"


def test_a_disabled_connection_takes_no_holds(api: Api, manual: str) -> None:
    details = {"webhookReleaseCondition": "state = 3", "webhookLayerId": 0, "webhookObjectId": 7}
    waits = {"webhookConnectionId": make(api, enabled=False), "webhookDependencyDetails": details}
    refusal = api.refused(f"jobs/{api.job(manual)}/action", {"type": "Hold", **waits})
    assert refusal["type"] == "WebhookConnectionDisabled"


# ---------------------------------------------------------------- events


def send(api: Api, connection_id: str, headers: dict[str, str], body: bytes = EVENT) -> Any:
    path = f"webhookConnections/{connection_id}/executeWebhook"
    return api.call("POST", path, content=body, headers=headers)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {SIGNATURE_HEADER: signature_of(secret, body)}


def form_of(*, signed_bytes: bytes, signature_field: bool) -> tuple[bytes, dict[str, str]]:
    """An event as a form, as ArcGIS Online sends it where it was told to."""
    signature = signature_of(SECRET, signed_bytes)
    payload = quote_plus(EVENT).encode()
    if signature_field:
        return b"payload=" + payload + f"&{SIGNATURE_HEADER}={quote(signature)}".encode(), {}
    return b"payload=" + payload, {SIGNATURE_HEADER: signature}


def test_an_event_is_taken_when_it_is_signed(api: Api) -> None:
    connection_id = make(api)
    assert ok(send(api, connection_id, signed(EVENT))) == {"success": True}
    assert ok(send(api, connection_id, signed(b"{}"), b"{}")) == {"success": True}


@pytest.mark.parametrize("signature_field", [True, False])
@pytest.mark.parametrize("signed_bytes", [EVENT, quote_plus(EVENT).encode()])
def test_a_form_is_taken_however_it_is_signed(api: Api, signed_bytes: bytes, signature_field: bool) -> None:
    body, headers = form_of(signed_bytes=signed_bytes, signature_field=signature_field)
    media_type = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ok(send(api, make(api), headers | media_type, body)) == {"success": True}


def test_an_event_that_is_not_signed_is_refused(api: Api) -> None:
    connection_id = make(api)
    for headers in ({}, signed(EVENT, "wrong"), signed(EVENT + b" "), {SIGNATURE_HEADER: SECRET}):
        refusal = error(send(api, connection_id, headers), 404)
        assert SECRET not in refusal["message"]
    token = {"Authorization": f"Bearer {api.token()}"}
    error(send(api, connection_id, token), 404)
    error(send(api, "unknown", signed(EVENT)), 404)
    path = f"/workflow/nowhere/webhookConnections/{connection_id}/executeWebhook"
    error(api.client.post(path, content=EVENT, headers=signed(EVENT)), 404)


@pytest.mark.parametrize("body", [b"", b"payload=", b"payload=1", b"5", b'"text"', b"[1", b"\xff", b"[" * 100_000])
def test_what_is_signed_and_no_event_is_refused(api: Api, body: bytes) -> None:
    assert "event was invalid" in error(send(api, make(api), signed(body), body))["message"]


def test_an_event_has_its_limit(api: Api) -> None:
    body = b"[" + b" " * 1_000_000 + b"]"
    assert "1,000,000 bytes" in error(send(api, make(api), signed(body), body))["message"]


def test_an_event_for_a_disabled_connection_does_nothing(api: Api) -> None:
    connection_id = make(api, enabled=False)
    assert ok(send(api, connection_id, signed(EVENT))) == {"success": True}
    error(send(api, connection_id, {}), 404)


def test_a_challenge_is_answered_and_what_could_be_an_event_is_none(api: Api) -> None:
    """The answer is a signature that anybody may ask for: it must not serve to forge an event."""
    path = f"webhookConnections/{make(api)}/executeWebhook"
    answer = ok(api.call("GET", path, params={"crc_token": "Q0ZGRg=="}, headers={}))
    assert answer == {"response_token": signature_of(SECRET, b"Q0ZGRg==")}
    for token in ("", "[]", "{}", "payload=%5B%5D", "a" * 301):
        error(api.call("GET", path, params={"crc_token": token}, headers={}))
    error(api.call("GET", path, headers={}))
    error(api.call("GET", "webhookConnections/unknown/executeWebhook?crc_token=a", headers={}), 404)
