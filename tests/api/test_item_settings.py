"""Settings of an item over REST: secrets go in and never come out."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.services.engine import Caller
from app.services.first_start import ITEM_ID, ORG_ID
from app.services.item_settings import opened
from app.store.tx import SqlTx
from tests.api.conftest import Api, error, ok


@pytest.fixture(autouse=True)
def _no_settings(client: TestClient) -> Iterator[None]:
    """The application serves the whole session: other tests find it without settings."""
    yield

    def clear(tx: SqlTx) -> None:
        for setting in tx.settings(tx.items()[0]):
            tx.delete_setting(tx.items()[0], setting.name)

    run(client, Api(client).gateway.engine.store.run, clear)


def run(client: TestClient, function: Any, *arguments: Any) -> Any:
    assert client.portal is not None
    return client.portal.call(function, *arguments)


def post(api: Api, *settings: dict[str, Any]) -> None:
    assert api.post("settings", {"settings": list(settings)}) == {"success": True}


def secrets(api: Api) -> Any:
    return run(api.client, api.gateway.engine.query, Caller(ORG_ID, ITEM_ID, None), opened)


def test_settings_are_merged_and_listed_in_their_order(api: Api, worker: Api) -> None:
    post(api, {"propName": "smtpServer", "value": "mail.example"}, {"propName": "colour", "value": "red"})
    post(api, {"propName": "smtpPort", "value": 2525}, {"propName": "colour", "value": "blue"})
    assert worker.get("settings")["settings"] == [
        {"propName": "smtpServer", "value": "mail.example"},
        {"propName": "colour", "value": "blue"},
        {"propName": "smtpPort", "value": "2525"},
    ]
    for value in ("False", "false", "0"):
        found = api.get(f"settings?includeSystemSettings={value}")
        assert found == {"settings": [{"propName": "colour", "value": "blue"}]}


def test_an_item_with_a_mail_server_says_so(api: Api) -> None:
    assert api.get("")["customSMTP"] is False
    post(api, {"propName": "smtpServer", "value": "mail.example"})
    assert api.get("")["customSMTP"] is True


def test_a_secret_is_stored_and_never_told(api: Api) -> None:
    post(
        api,
        {"propName": "smtpPassword", "value": "hunter2", "encrypted": False},
        {"propName": "apiKey", "value": "k3y", "encrypted": True},
    )
    response = api.call("GET", "settings")
    assert ok(response)["settings"] == [
        {"propName": "smtpPassword", "encrypted": True},
        {"propName": "apiKey", "encrypted": True},
    ]
    assert secrets(api) == {"smtpPassword": "hunter2", "apiKey": "k3y"}


def test_a_list_that_was_read_can_be_sent_back_without_losing_its_secrets(api: Api) -> None:
    post(api, {"propName": "smtpPassword", "value": "hunter2"}, {"propName": "colour", "value": "red"})
    post(api, *api.get("settings")["settings"])
    assert secrets(api) == {"smtpPassword": "hunter2", "colour": "red"}


def test_a_secret_stays_one_until_its_author_says_otherwise_with_a_new_value(api: Api) -> None:
    post(api, {"propName": "apiKey", "value": "one", "encrypted": True})
    post(api, {"propName": "apiKey", "value": "two"})
    assert api.get("settings")["settings"] == [{"propName": "apiKey", "encrypted": True}]
    body = {"settings": [{"propName": "apiKey", "encrypted": False}]}
    assert "without a value" in api.refused("settings", body)["message"]
    post(api, {"propName": "apiKey", "value": "three", "encrypted": False})
    assert api.get("settings")["settings"] == [{"propName": "apiKey", "value": "three"}]


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ({"value": "x"}, "propName"),
        ({"propName": "", "value": "x"}, "propName"),
        ({"propName": "new"}, "has no value"),
        ({"propName": "smtpPort", "value": "70000"}, "1 to 65535"),
        ({"propName": "smtpPort", "value": "-1"}, "1 to 65535"),
        ({"propName": "smtpProtocol", "value": "carrier pigeon"}, "None, STARTTLS, TLS"),
        ({"propName": "x", "value": ["a"]}, "settings[1].value"),
        ({"propName": "x", "value": "a" * 10_001}, "settings[1].value"),
    ],
)
def test_a_wrong_setting_is_refused_and_nothing_is_stored(api: Api, setting: dict[str, Any], fault: str) -> None:
    found = api.refused("settings", {"settings": [{"propName": "colour", "value": "red"}, setting]})
    assert "UpdateSettingsBody was invalid" in found["message"]
    assert fault in found["message"]
    assert api.get("settings") == {"settings": []}


@pytest.mark.parametrize("protocol", ["None", "none", "TLS", "ssl", "StartTLS", "SMTP", ""])
def test_each_word_for_the_protection_of_mail_is_taken(api: Api, protocol: str) -> None:
    post(api, {"propName": "smtpProtocol", "value": protocol})


def test_settings_need_adminAdvanced_to_be_changed(api: Api, worker: Api, outsider: Api) -> None:  # noqa: N802
    body = {"settings": [{"propName": "colour", "value": "red"}]}
    assert "adminAdvanced" in worker.refused("settings", body)["message"]
    error(outsider.call("POST", "settings", json=body), 403)
    error(outsider.call("GET", "settings"), 403)
    assert api.get("settings") == {"settings": []}


def test_another_items_settings_are_its_own(client: TestClient, api: Api) -> None:
    def add(tx: SqlTx) -> None:
        if tx.item(ORG_ID, "f" * 32) is None:
            tx.add_item("f" * 32, ORG_ID, "Another")

    run(client, api.gateway.engine.store.run, add)
    post(api, {"propName": "colour", "value": "red"})
    assert run(client, api.gateway.engine.query, Caller(ORG_ID, "f" * 32, None), opened) == {}
    url = f"/{ORG_ID}/{'f' * 32}/settings"
    error(client.get(url, headers={"Authorization": f"Bearer {api.token()}"}), 403)
