import pytest

from app.errors import StoreUnavailable
from tests.api.conftest import ITEM, Api, error, ok


def test_an_item_tells_its_details(worker: Api) -> None:
    assert worker.get("") == {
        "itemVersion": "1.0",
        "upgradeAvailable": False,
        "isOldestAllowedVersion": False,
        "allowUnsecureWebhooks": False,
        "customSMTP": False,
    }


def test_the_status_is_told_before_a_login(api: Api) -> None:
    found = ok(api.client.get("/workflow/checkStatus?f=json"))
    assert found == {"success": True, "hasAdvancedLicense": True}
    assert ok(api.client.get("/workflow/healthCheck?f=json")) == {"success": True}


def test_each_place_for_the_token_counts(api: Api) -> None:
    token = api.token()
    for headers, query in [
        ({"Authorization": f"Bearer {token}"}, ""),
        ({"X-Esri-Authorization": f"Bearer {token}"}, ""),
        ({}, f"?token={token}"),
    ]:
        ok(api.client.get(ITEM + query, headers=headers))


def test_without_a_valid_token_nothing_is_told(api: Api) -> None:
    token = api.token()
    bad = [None, "", "nonsense", token[:-3] + "xxx", api.token(ttl_s=-10), Api(api.client, "nobody").token()]
    for each in bad:
        headers = {} if each is None else {"Authorization": f"Bearer {each}"}
        response = api.client.get(ITEM, headers=headers)
        assert error(response, 401)["type"] == "Unauthenticated"
        assert response.headers["www-authenticate"] == "Bearer"
        assert not each or each not in response.text


def test_a_user_without_a_role_is_told_so(outsider: Api) -> None:
    assert error(outsider.call("GET", ""), 403)["type"] == "PermissionDenied"
    outsider.refused("jobs/x/action", {"type": "Run"}, 403)


def test_an_item_or_organisation_that_is_not_there_is_not_found(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token()}"}
    for path in ("/workflow/" + "f" * 32, "/elsewhere/" + ITEM.rpartition("/")[2]):
        assert error(api.client.get(path, headers=headers), 404)["type"] == "ItemNotFound"
        assert error(api.client.post(f"{path}/jobs/x/action", headers=headers, json={"type": "Run"}), 404)


def test_an_unknown_path_gets_an_error_object(api: Api) -> None:
    assert error(api.call("GET", "jobs/x/nothing/here"), 404)["type"] == "NotFound"
    assert error(api.call("DELETE", "jobs/x"), 405)["type"] == "MethodNotAllowed"


def test_a_database_that_does_not_answer_is_told_as_bad_health(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailable("The database does not answer.")

    monkeypatch.setattr(type(api.gateway.engine.store), "read", fail)
    assert error(api.client.get("/workflow/healthCheck"), 400)["type"] == "StoreUnavailable"


def test_a_method_that_is_not_allowed_is_told_all_that_are(api: Api) -> None:
    """Two routes share the path; Starlette alone would name the methods of the first."""
    refused = api.call("DELETE", "jobs/x/comments")
    assert error(refused, 405)["type"] == "MethodNotAllowed"
    assert refused.headers["allow"] == "GET, HEAD, POST"
