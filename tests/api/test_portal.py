"""The portal facade, asked as the vendor's Python client asks it (python-client.md 3)."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.auth.passwords import hash_password
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.services.ports import Tx
from tests.api.conftest import ITEM, WORKER, Api, ok

PORTALS = ["", "/portal", f"/{ORG_ID}"]
ROOT = "http://testserver"
EMAIL = "worker@example.org"


def asked(api: Api, method: str, path: str, token: str | None = None, **options: Any) -> Any:
    """Send a request as that client does: ``f=json`` in the address of a GET, the token in its own header."""
    headers = {"User-Agent": "Geosaurus/2.4.4", "Referer": "http"}
    if token is not None:
        headers["X-Esri-Authorization"] = f"Bearer {token}"
    if method == "GET":
        options["params"] = {"f": "json"}
    return api.client.request(method, path, headers=headers, **options)


def refusal(response: Any, code: int) -> dict[str, Any]:
    """The error object of an answer that has status 200 all the same."""
    assert response.status_code == 200
    assert set(response.json()) == {"error"}
    found: dict[str, Any] = response.json()["error"]
    assert found["code"] == code
    assert found["message"].strip()
    assert isinstance(found["details"], list)
    return found


def log_in(api: Api, username: str = ADMIN, password: str = "pw", root: str = "", **more: str) -> Any:  # noqa: S107
    form = {
        "username": username,
        "password": password,
        "referer": "http",
        "client": "referer",
        "expiration": "60",
        "f": "json",
    }
    return asked(api, "POST", f"{root}/sharing/rest/generateToken", data=form | more)


@pytest.mark.parametrize("root", PORTALS)
def test_before_a_login_a_client_is_told_where_a_token_is_to_be_had(api: Api, root: str) -> None:
    found = ok(asked(api, "GET", f"{root}/sharing/rest/info"))
    assert found["authInfo"] == {
        "isTokenBasedSecurity": True,
        "tokenServicesUrl": f"{ROOT}{root}/sharing/rest/generateToken",
    }


@pytest.mark.parametrize("root", PORTALS)
@pytest.mark.parametrize("path", ["info", "rest/info", "rest/services"])
def test_no_probe_is_answered_with_a_challenge_that_a_client_would_take_up(api: Api, root: str, path: str) -> None:
    challenge = asked(api, "GET", f"{root}/{path}").headers.get("www-authenticate", "")
    assert challenge in {"", "Bearer"}


@pytest.mark.parametrize("path", ["sharing/rest", "sharing/rest/", "portal/sharing/rest/"])
def test_the_version_reads_as_a_number(api: Api, path: str) -> None:
    version = ok(asked(api, "GET", f"/{path}"))["currentVersion"]
    assert float(version) > 10.3


@pytest.mark.parametrize("root", ["", "/portal"])
def test_the_enterprise_shape_leads_to_the_item(api: Api, root: str) -> None:
    token = api.token()
    portal = ok(asked(api, "GET", f"{root}/sharing/rest/portals/self", token))
    assert portal["isPortal"] is True
    assert float(portal["currentVersion"]) > 10.3
    assert portal["portalName"] != "ArcGIS Online"
    assert portal["user"]["username"] == ADMIN
    (server,) = ok(asked(api, "GET", f"{root}/sharing/rest/portals/{portal['id']}/servers", token))["servers"]
    assert server["serverFunction"] == "WorkflowManager"
    assert ok(asked(api, "GET", f"{server['adminUrl']}/workflow/checkStatus"))["success"] is True
    assert ok(asked(api, "GET", f"{server['url']}/workflow/{ITEM_ID}", token))["itemVersion"]


def test_the_online_shape_leads_to_the_item(api: Api) -> None:
    token = api.token()
    portal = ok(asked(api, "GET", f"/{ORG_ID}/sharing/rest/portals/self", token))
    assert portal["isPortal"] is False
    assert portal["id"] == ORG_ID
    url = portal["helperServices"]["workflowManager"]["url"]
    assert not url.endswith("/")
    assert ok(asked(api, "GET", f"{url}/{portal['id']}/{ITEM_ID}", token))["itemVersion"]
    assert ok(asked(api, "GET", f"/{ORG_ID}/sharing/rest/portals/{ORG_ID}/servers", token)) == {"servers": []}


def test_without_a_token_the_portal_tells_itself_and_nobody_else(api: Api) -> None:
    assert "user" not in ok(asked(api, "GET", "/sharing/rest/portals/self"))
    for path in ("portals/self/servers", f"community/users/{ADMIN}", "community/self", "community/groups/workers"):
        assert refusal(asked(api, "GET", f"/sharing/rest/{path}"), 499)["type"] == "Unauthenticated"
    item = f"/sharing/rest/content/items/{ITEM_ID}"
    refusal(asked(api, "POST", item, data={"f": "json"}), 499)
    assert ok(asked(api, "POST", item, data={"f": "json", "token": api.token()}))["id"] == ITEM_ID


def test_a_token_that_is_not_valid_is_refused_in_words_that_make_no_client_send_it_again(api: Api) -> None:
    gone = Api(api.client, "nobody").token()
    for token in ("nonsense", api.token(ttl_s=-10), gone):
        for path in ("portals/self", "community/self"):
            response = asked(api, "GET", f"/sharing/rest/{path}", token)
            refusal(response, 498)
            assert "invalid token" not in response.text.lower()
            assert token not in response.text


@pytest.fixture
def with_email(api: Api) -> Iterator[str]:
    """A user with an e-mail address."""
    name = "with.email@example.org"

    def add(tx: Tx) -> None:
        tx.add_user(name, None, "With Email", EMAIL)

    assert api.client.portal is not None
    api.client.portal.call(api.gateway.engine.store.run, add)
    yield name
    api.client.portal.call(api.gateway.engine.store.run, lambda tx: tx.delete_user(name))


def test_a_user_is_told_with_what_clients_read_and_the_address_to_its_owner_only(api: Api, with_email: str) -> None:
    path = f"/sharing/rest/community/users/{with_email}"
    found = ok(asked(api, "GET", path, api.token()))
    assert found["username"] == with_email
    assert found["fullName"] == "With Email"
    assert found["privileges"] == []
    assert "roleId" not in found
    assert not found["email"]
    own = Api(api.client, with_email).token()
    assert ok(asked(api, "GET", path, own))["email"] == EMAIL
    refusal(asked(api, "GET", "/sharing/rest/community/users/nobody", own), 404)


def test_a_user_has_the_licence_that_one_client_asks_for(worker: Api) -> None:
    found = ok(asked(worker, "GET", "/sharing/rest/community/self", worker.token()))
    assert found["username"] == WORKER
    assert found["userLicenseTypeExtensions"] == ["workflow"]
    assert [group["title"] for group in found["groups"]] == ["Workers"]


def test_a_group_is_told_by_its_id(worker: Api) -> None:
    token = worker.token()
    found = ok(asked(worker, "GET", "/portal/sharing/rest/community/groups/workers", token))
    assert found == {"id": "workers", "title": "Workers", "owner": "system"}
    refusal(asked(worker, "GET", "/sharing/rest/community/groups/nothing", token), 404)


@pytest.mark.parametrize("root", PORTALS)
def test_an_item_is_found_by_those_who_have_a_role_in_it(api: Api, worker: Api, outsider: Api, root: str) -> None:
    path = f"{root}/sharing/rest/content/items/{ITEM_ID}"
    for each in (api, worker):
        for method in ("GET", "POST"):
            found = ok(asked(each, method, path, each.token(), **({"data": {"f": "json"}} if method == "POST" else {})))
            assert (found["id"], found["type"], found["title"]) == (ITEM_ID, "Workflow", "Workflow")
    unknown = f"{root}/sharing/rest/content/items/{'f' * 32}"
    for each, asked_for in ((outsider, path), (api, unknown)):
        error = refusal(asked(each, "POST", asked_for, each.token(), data={"f": "json"}), 404)
        assert "Item does not exist or is inaccessible" in error["message"]


# ---------------------------------------------------------------- generateToken


@pytest.mark.parametrize("root", PORTALS)
def test_a_name_and_a_password_give_a_token_that_opens_the_item(api: Api, root: str) -> None:
    found = ok(log_in(api, root=root))
    assert 0 < found["expires"] - api.gateway.engine.store.now_ms() <= 3_600_000
    ok(api.client.get(ITEM, headers={"X-Esri-Authorization": f"Bearer {found['token']}"}))


def test_a_token_lasts_as_long_as_asked_but_no_longer_than_the_server_allows(api: Api) -> None:
    most_ms = api.gateway.settings.token_ttl_s * 1_000
    hour_ms = 3_600_000
    expected = {"1": 60_000, "": hour_ms, "-1": hour_ms, "1e9": hour_ms, "99999999": most_ms}
    now_ms = api.gateway.engine.store.now_ms
    for asked_for, lasts_ms in expected.items():
        before_ms = now_ms()
        expires_ms = ok(log_in(api, expiration=asked_for))["expires"]
        assert before_ms + lasts_ms - 1_000 <= expires_ms <= now_ms() + lasts_ms, asked_for


def test_a_wrong_login_is_told_in_the_same_words_whatever_is_wrong(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    answers = [log_in(api, name, "wrong-secret-word").json() for name in ("hanna", WORKER)]
    assert answers[0] == answers[1]
    error = refusal(log_in(api, "hanna", "wrong-secret-word"), 400)
    assert error["type"] == "LoginFailed"
    assert "wrong-secret-word" not in caplog.text


def test_a_login_without_a_password_or_in_the_address_is_refused(api: Api) -> None:
    path = "/sharing/rest/generateToken"
    assert refusal(api.client.post(path, data={"username": ADMIN}), 400)["details"] == ["password"]
    assert refusal(api.client.post(f"{path}?username={ADMIN}&password=pw"), 400)["details"] == ["username", "password"]
    refusal(api.client.post(path, data={"username": ADMIN, "password": "x" * 70_000}), 400)
    refusal(api.client.post(path, content=b"username=%ff&password=pw"), 400)
    refusal(api.client.post(path, data={"username": "a\x00b", "password": "pw"}), 400)
    assert api.client.get(path).status_code == 405


def test_a_disabled_user_cannot_log_in(api: Api) -> None:
    def add(tx: Tx) -> None:
        tx.add_user("ilse", hashed)
        tx.set_disabled("ilse", True)

    hashed = hash_password("secret")
    assert api.client.portal is not None
    api.client.portal.call(api.gateway.engine.store.run, add)
    refusal(log_in(api, "ilse", "secret"), 400)
    api.client.portal.call(api.gateway.engine.store.run, lambda tx: tx.set_disabled("ilse", False))
    ok(log_in(api, "ilse", "secret"))


def test_whoever_guesses_has_to_wait_and_others_need_not(api: Api) -> None:
    """Each guess doubles the wait: a machine that stalls for seconds lets through a few guesses more, not thirty."""
    kinds = [refusal(log_in(api, "greta", "wrong"), 400)["type"] for _ in range(30)]
    assert kinds[:5] == ["LoginFailed"] * 5
    assert "TooManyLogins" in kinds
    ok(log_in(api))
