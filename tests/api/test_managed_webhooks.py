"""Webhooks that the server keeps at a feature service, and the whole way of an event from there to a released hold."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.asgi import create_app
from app.auth.signatures import SIGNATURE_HEADER, signature_of
from app.settings import Settings
from app.store.schema import webhook_account, webhook_connection
from app.store.sql import Statement
from app.store.tx import SqlTx
from tests.api.conftest import ITEM, Api, ok
from tests.steps.counterparts import answer, counterpart
from tests.steps.feature_server import FEDERATED, ITEM_ID, ONLINE, PORTAL, FeatureServer
from tests.support import eventually
from tests.support.ports import LOOPBACK

SECRET = "s3cret"
EVENT = b'[{"name":"Parcels","layerId":0,"events":["FeaturesUpdated"]}]'


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("api"),
        admin_password="pw",
        allow_private_addresses=LOOPBACK,
        public_url="https://stepgate.example/flow",
        secret_key="a master key of some length",
    )
    with TestClient(create_app(settings), backend_options={"debug": False}) as client:
        yield client


@pytest.fixture
def server(client: TestClient) -> Iterator[FeatureServer]:
    """A feature service in the loop of the application."""
    assert client.portal is not None
    with client.portal.wrap_async_context_manager(counterpart()) as site:
        yield FeatureServer(site, tokens={"good"})


def body_for(item_id: str, **members: Any) -> dict[str, Any]:
    return {
        "connectionName": "Parcels",
        "itemId": item_id,
        "webhookType": "FeatureService",
        "secret": SECRET,
        "enabled": True,
        "manageWebhook": True,
        "webhookChangeTypes": ["FeaturesUpdated"],
        "username": "admin",
        "userToken": "good",
    } | members


def test_a_webhook_is_kept_at_the_service_as_long_as_the_connection_wants_it(api: Api, server: FeatureServer) -> None:
    created = api.post("webhookConnections", body_for(server.url))
    path = f"webhookConnections/{created['connectionId']}"
    assert created["success"] is True
    (webhook_id,) = server.webhooks
    found = api.get(path)
    managed = {name: found[name] for name in ("webhookActive", "webhookChangeTypes", "managedWebhookId")}
    assert managed == {
        "webhookActive": True,
        "webhookChangeTypes": ["FeaturesUpdated"],
        "managedWebhookId": webhook_id,
    }
    there = server.webhooks[webhook_id]
    assert there["hookUrl"] == f"https://stepgate.example/flow{ITEM}/{path}/executeWebhook"
    assert (there["signatureKey"], there["active"]) == (SECRET, "true")
    edited = body_for(server.url, enabled=False, secret="new", webhookChangeTypes=["FeaturesEdited"])
    assert ok(api.call("PUT", path, json=edited))["success"] is True
    there = server.webhooks[webhook_id]
    assert (there["signatureKey"], there["active"], json.loads(there["changeTypes"])) == (
        "new",
        "false",
        ["FeaturesEdited"],
    )
    assert api.get(path)["webhookActive"] is False
    ok(api.call("PUT", path, json=edited | {"manageWebhook": False}))
    assert server.webhooks == {}
    assert "managedWebhookId" not in api.get(path)
    ok(api.call("PUT", path, json=edited))
    assert len(server.webhooks) == 1
    assert ok(api.call("DELETE", path)) == {"success": True, "connectionId": created["connectionId"]}
    assert server.webhooks == {}


def test_what_the_service_does_not_do_is_told_and_the_rest_is_done(api: Api, server: FeatureServer) -> None:
    refused = api.post("webhookConnections", body_for(server.url, userToken="bad"))
    path = f"webhookConnections/{refused['connectionId']}"
    assert (refused["success"], refused["name"]) == (False, "FailedToCreateManagedWebhook")
    assert "Invalid token" in refused["message"]
    assert "managedWebhookId" not in api.get(path)
    assert ok(api.call("PUT", path, json=body_for(server.url)))["success"] is True
    server.broken = answer(503)
    answered = ok(api.call("PUT", path, json=body_for(server.url, connectionName="Plots", enabled=False)))
    assert (answered["success"], answered["name"]) == (False, "FailedToUpdateManagedWebhook")
    found = api.get(path)
    assert (found["connectionName"], found["enabled"], found["webhookActive"]) == ("Plots", False, True)
    answered = ok(api.call("DELETE", path))
    assert (answered["success"], answered["name"]) == (False, "FailedToDeleteManagedWebhook")
    assert "status 503" in answered["message"]
    assert path.rpartition("/")[2] not in json.dumps(api.get("webhookConnections"))


def test_a_connection_that_is_made_again_under_its_key_tries_again_at_the_service(
    api: Api, server: FeatureServer
) -> None:
    def send() -> Any:
        headers = {"Authorization": f"Bearer {api.token()}", "Idempotency-Key": "once"}
        return ok(api.call("POST", "webhookConnections", json=body_for(server.url), headers=headers))

    server.broken = answer(503)
    first = send()
    assert first["success"] is False
    server.broken = None
    assert send() == {"success": True, "connectionId": first["connectionId"]}
    assert send() == {"success": True, "connectionId": first["connectionId"]}
    assert len(server.webhooks) == 1


def test_a_webhook_that_is_forgotten_here_is_found_again(api: Api, server: FeatureServer) -> None:
    """The process died after the service had made it and before that was written down."""
    server.site.on(f"{ONLINE}/create", _hang_up_after(server))
    lost = api.post("webhookConnections", body_for(server.url))
    assert lost["success"] is False
    assert len(server.webhooks) == 1
    path = f"webhookConnections/{lost['connectionId']}"
    assert ok(api.call("PUT", path, json=body_for(server.url)))["success"] is True
    assert list(server.webhooks) == [api.get(path)["managedWebhookId"]]


def _hang_up_after(server: FeatureServer) -> Callable[..., Any]:
    create = server.site.handlers[f"{ONLINE}/create"]

    async def handle(received: Any, wire: Any) -> None:
        server.broken = b""
        await create(received, wire)
        server.broken = None

    return handle


@pytest.mark.parametrize("webhooks_at", [ONLINE, FEDERATED])
def test_an_event_goes_all_the_way(
    client: TestClient, api: Api, manual: str, server: FeatureServer, webhooks_at: str
) -> None:
    """From a portal's item id to the service, from its event to a released hold, told by the websocket."""
    FeatureServer(server.site, webhooks_at, server.states, server.tokens, server.webhooks)
    if webhooks_at == FEDERATED:
        del server.site.handlers[ONLINE]
    setting = {"propName": "webhookPortalUrl", "value": server.site.url + PORTAL}
    api.post("settings", {"settings": [setting]})
    connection_id = api.post("webhookConnections", body_for(ITEM_ID))["connectionId"]
    server.states[7] = 2
    job_id = api.job(manual)
    details = {"webhookReleaseCondition": "state = 3", "webhookLayerId": 0, "webhookObjectId": 7}
    api.action(job_id, "Hold", webhookConnectionId=connection_id, webhookDependencyDetails=details)
    assert client.portal is not None
    client.portal.call(eventually, lambda: any(request.path.endswith("/query") for request in server.site.requests))
    assert api.action(job_id, "Run")["stepResponses"][0]["status"] == "Held"
    with client.websocket_connect(f"{ITEM}/notificationWs?token={api.token()}") as watcher:
        watcher.receive_json()
        watcher.send_json({"msgType": "subscribe", "jobIds": [job_id]})
        while watcher.receive_json()["msgType"] != "JobState":
            pass
        server.states[7] = 3
        (webhook,) = server.webhooks.values()
        place = webhook["hookUrl"].removeprefix("https://stepgate.example/flow")
        headers = {SIGNATURE_HEADER: signature_of(webhook["signatureKey"], EVENT)}
        for _ in range(3):
            ok(client.post(place, content=EVENT, headers=headers))
        while (told := watcher.receive_json())["msgType"] != "StepHoldReleased":
            pass
        assert told["message"]["releasedBy"] == "admin"
    (hold,) = api.get(f"jobs/{job_id}?holds=true")["holds"]
    assert hold["releasedBy"] == "admin"
    assert api.action(job_id, "Run")["success"]


def test_secrets_and_tokens_lie_sealed_in_the_database(client: TestClient, api: Api, server: FeatureServer) -> None:
    api.post("webhookConnections", body_for(server.url))
    secrets = Statement(select(webhook_connection.c.secret))
    tokens = Statement(select(webhook_account.c.token))

    def read(tx: SqlTx) -> list[bytes]:
        return [bytes(row[0]) for statement in (secrets, tokens) for row in tx.sql.all(statement)]

    assert client.portal is not None
    engine = client.app.state.gateway.engine if isinstance(client.app, Starlette) else None
    assert engine is not None
    found = client.portal.call(engine.store.read, read)
    assert len(found) >= 2
    assert all(value.startswith(b"sealed1:") for value in found)
