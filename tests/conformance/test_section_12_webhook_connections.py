"""rest.md 12 and the webhook dependencies of 5.6, 14.1, 15.6 and 15.7."""

from typing import Any

import pytest

from app.auth.signatures import SIGNATURE_HEADER, signature_of
from tests.api.conftest import error, ok
from tests.conformance.people import VIEWER, Person, fresh

SECRET = "s3cret"
MEMBERS = {
    "itemId": "5f2a7c0b9d8e4f31a6b2c3d4e5f60718",
    "webhookType": "FeatureService",
    "secret": SECRET,
    "enabled": True,
    "manageWebhook": False,
}
DETAILS = {"webhookReleaseCondition": "state = 3", "webhookLayerId": 0, "webhookObjectId": 7}


def body(**members: Any) -> dict[str, Any]:
    return {"connectionName": fresh("Parcels"), **MEMBERS} | members


def connected(person: Person, **members: Any) -> str:
    return str(person.post("webhookConnections", body(**members))["connectionId"])


def test_create_webhook_connection_answers_success_and_its_id(designer: Person) -> None:
    answer = designer.post("webhookConnections", body())
    assert set(answer) == {"success", "connectionId"}
    assert answer["success"] is True
    assert len(answer["connectionId"]) == 22


@pytest.mark.parametrize("name", ["connectionName", "itemId", "webhookType", "secret", "enabled", "manageWebhook"])
def test_each_required_member_is_required(designer: Person, name: str) -> None:
    assert name in designer.refused("webhookConnections", body(**{name: None}))["message"]


def test_change_types_are_needed_where_the_server_keeps_the_webhook(designer: Person) -> None:
    kinds: list[list[str] | None] = [None, []]
    for types in kinds:
        designer.refused("webhookConnections", body(manageWebhook=True, webhookChangeTypes=types))
    designer.refused("webhookConnections", body(webhookChangeTypes=["FeaturesDeleted"]))
    connected(designer, webhookChangeTypes=["FeaturesUpdated", "FeaturesEdited"])


def test_what_the_service_does_not_do_is_a_partial_failure(designer: Person) -> None:
    """The item id leads nowhere here, so no service can be told; the connection is there all the same."""
    wanted = body(manageWebhook=True, webhookChangeTypes=["FeaturesUpdated"])
    answer = designer.post("webhookConnections", wanted)
    assert (answer["success"], answer["name"]) == (False, "FailedToCreateManagedWebhook")
    assert answer["message"].strip()
    path = f"webhookConnections/{answer['connectionId']}"
    assert "managedWebhookId" not in designer.get(path)
    deleted = designer.delete(path)
    assert deleted == {
        "success": False,
        "connectionId": answer["connectionId"],
        "message": deleted["message"],
        "name": "FailedToDeleteManagedWebhook",
    }
    error(designer.call("GET", path))


def test_get_webhook_connections_lists_them_without_secrets(designer: Person, basic: Person) -> None:
    given = body(username="designer")
    connection_id = designer.post("webhookConnections", given)["connectionId"]
    line = {
        "connectionId": connection_id,
        "connectionName": given["connectionName"],
        "enabled": True,
        "itemId": given["itemId"],
        "username": "designer",
    }
    for person in (designer, basic):
        assert line in person.get("webhookConnections")["webhookConnections"]


def test_get_webhook_connection_tells_its_secret_to_who_may_design(designer: Person) -> None:
    found = designer.get(f"webhookConnections/{connected(designer)}")
    assert (found["secret"], found["webhookType"]) == (SECRET, "FeatureService")
    assert not {"webhookActive", "webhookChangeTypes", "managedWebhookId", "userToken"} & set(found)


def test_update_webhook_connection_replaces_it_but_for_its_item(designer: Person) -> None:
    path = f"webhookConnections/{connected(designer)}"
    answer = designer.put(path, body(connectionName="Plots", enabled=False))
    assert answer == {"success": True, "connectionId": path.rpartition("/")[2]}
    found = designer.get(path)
    assert (found["connectionName"], found["enabled"]) == ("Plots", False)
    assert "itemId" in error(designer.call("PUT", path, json=body(itemId="another")))["message"]


def test_delete_webhook_connection_answers_success_once(designer: Person) -> None:
    path = f"webhookConnections/{connected(designer)}"
    assert designer.delete(path) == {"success": True, "connectionId": path.rpartition("/")[2]}
    error(designer.call("DELETE", path))


def test_without_the_privilege_nothing_is_told_or_changed(designer: Person, viewer: Person, stranger: Person) -> None:
    path = f"webhookConnections/{connected(designer)}"
    for method, place in (("GET", "webhookConnections"), ("GET", path), ("PUT", path), ("DELETE", path)):
        error(viewer.call(method, place, json=body()), 403 if method == "GET" else 400)
    viewer.refused("webhookConnections", body())
    assert designer.get(path)["enabled"] is True
    error(stranger.call("GET", path))
    assert stranger.get("webhookConnections") == {"webhookConnections": []}


def test_a_user_who_is_named_must_have_opted_in(designer: Person, advanced: Person) -> None:
    named = body(username=advanced.username)
    assert designer.refused("webhookConnections", named)["type"] == "WebhookUserNotOptedIn"
    designer.post("webhookConnections", named | {"userToken": advanced.token()})
    designer.post("webhookConnections", named)
    assert designer.refused("webhookConnections", body(username=VIEWER))["type"] == "InvalidUserType"


# ---------------------------------------------------------------- events


def test_receive_webhook_takes_what_is_signed_with_the_secret(designer: Person) -> None:
    path = f"webhookConnections/{connected(designer)}/executeWebhook"
    event = b'[{"name":"Parcels","layerId":0,"events":["FeaturesUpdated"]}]'
    signature = {SIGNATURE_HEADER: signature_of(SECRET, event)}
    assert ok(designer.call("POST", path, content=event, headers=signature)) == {"success": True}
    error(designer.call("POST", path, content=event + b" ", headers=signature), 404)
    error(designer.call("POST", path, content=event), 404)


def test_answer_webhook_challenge_signs_the_token(designer: Person) -> None:
    path = f"webhookConnections/{connected(designer)}/executeWebhook?crc_token=abc"
    assert ok(designer.call("GET", path, headers={})) == {"response_token": signature_of(SECRET, b"abc")}


# ---------------------------------------------------------------- holds


def test_a_webhook_dependency_holds_a_step_and_is_released_by_its_connection(
    designer: Person, admin: Person, two_steps: str
) -> None:
    connection_id = connected(designer)
    job_id = admin.job(two_steps)
    with admin.watch(job_id) as watcher:
        admin.acts(job_id, "Hold", webhookConnectionId=connection_id, webhookDependencyDetails=DETAILS)
        held = watcher.until("StepHeld")
        assert (held["manual"], held["dependency"], held["webhookDependency"]) == (False, False, True)
        assert held["webhookDependencyDetails"] == {"webhookConnectionId": connection_id, "details": DETAILS}
        assert admin.status(job_id, "Run") == ["Held"]
        assert admin.read(job_id)["currentSteps"][0]["webhookDependency"] is True
        assert admin.status(job_id, "ReleaseHold") == ["NotHeld"]
        assert admin.status(job_id, "ReleaseHold", webhookConnectionId="another") == ["NotHeld"]
        admin.acts(job_id, "ReleaseHold", webhookConnectionId=connection_id)
        assert watcher.until("StepHoldReleased")["releasedBy"] == "admin"
    (hold,) = admin.read(job_id)["holds"]
    assert (hold["webhookConnectionId"], hold["webhookDependencyDetails"]) == (connection_id, DETAILS)
    assert hold["releasedDate"]
    assert {"DependencyAdded", "HoldReleased"} <= set(admin.history(job_id))


@pytest.mark.parametrize(
    "members",
    [
        {"webhookConnectionId": "C"},
        {"webhookConnectionId": "C", "webhookDependencyDetails": {"webhookLayerId": 0, "webhookObjectId": 7}},
        {"webhookDependencyDetails": DETAILS},
        {"webhookConnectionId": "unknown", "webhookDependencyDetails": DETAILS},
        {"webhookConnectionId": "C", "webhookDependencyDetails": DETAILS, "dependentJobId": "J"},
    ],
)
def test_a_webhook_dependency_that_is_not_whole_is_refused(
    designer: Person, admin: Person, two_steps: str, members: dict[str, Any]
) -> None:
    job_id, other = admin.job(two_steps), admin.job(two_steps)
    known = {"C": connected(designer), "J": other}
    given = {name: known.get(value, value) if isinstance(value, str) else value for name, value in members.items()}
    admin.refused(f"jobs/{job_id}/action", {"type": "Hold", **given})
    assert admin.read(job_id)["holds"] == []


def test_a_connection_that_an_open_job_waits_for_stays(designer: Person, admin: Person, two_steps: str) -> None:
    connection_id, job_id = connected(designer), admin.job(two_steps)
    admin.acts(job_id, "Hold", webhookConnectionId=connection_id, webhookDependencyDetails=DETAILS)
    refusal = error(designer.call("DELETE", f"webhookConnections/{connection_id}"))
    assert refusal["type"] == "WebhookConnectionInUse"
    admin.acts(job_id, "ReleaseHold", webhookConnectionId=connection_id)
    designer.delete(f"webhookConnections/{connection_id}")
