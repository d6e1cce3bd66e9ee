"""The two token endpoints: grants, scopes, refusals as RFC 6749 writes them; and what tokens are good for."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.auth.passwords import hash_password
from app.protocol.v3.dialects import USUAL_SCOPES
from app.services import api_clients
from app.services.api_clients import NewClient
from app.services.engine import Caller
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from tests.api.conftest import Api
from tests.api.v3.conftest import MIRA, PASSWORD, V3, on_store

_numbers = count(1)


@dataclass
class Program:
    """A program that may get tokens."""

    client: TestClient
    id: str
    secret: str

    def ask(self, grant: str, **members: Any) -> Any:
        """The response of the print dialect's endpoint."""
        body = {"grant_type": grant, "client_id": self.id, "client_secret": self.secret} | members
        return self.client.post("/api/auth/token", json=body)

    def log_in(self, scope: str = "jobs", user: str = MIRA, pwd: str = PASSWORD, **members: Any) -> Any:
        return self.ask("login_info", scope=scope, login_info={"type": 3, "user": user, "pwd": pwd}, **members)

    def form(self, headers: dict[str, str] | None = None, **fields: str) -> Any:
        """The response of the analytics dialect's endpoint."""
        return self.client.post("/webapi/oauth2/token", data=fields, headers=headers or {})


@pytest.fixture
def program_of(client: TestClient, people: dict[str, int]) -> Callable[..., Program]:
    """Add a program, a user's or its own."""
    assert people

    def add(username: str | None = None, *scopes: str) -> Program:
        number = next(_numbers)
        new = NewClient(f"Program {number}", f"client-{number}", f"secret-{number}", username, scopes)
        assert client.portal is not None
        caller = Caller(ORG_ID, ITEM_ID, ADMIN)
        engine = client.app.state.gateway.engine  # type: ignore[attr-defined]
        client.portal.call(engine.execute, caller, lambda unit: api_clients.add(unit, new))
        return Program(client, new.client_id, new.secret)

    return add


def granted(response: Any) -> Any:
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()


def refused(response: Any, word: str, status: int = 400) -> None:
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error", "error_description"}
    assert response.json()["error"] == word


def status_with(client: TestClient, token: str, path: str = "/v3/queues") -> int:
    return int(client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code)


# ---------------------------------------------------------------- print dialect


def test_a_login_gives_a_users_token_with_the_scopes_that_were_asked_for(
    client: TestClient, program_of: Callable[..., Program]
) -> None:
    found = granted(program_of().log_in("jobs nonsense impersonate"))
    assert (found["token_type"], found["expires_in"], found["scope"]) == ("Bearer", 1800, "jobs")
    assert "refresh_token" not in found
    assert status_with(client, found["access_token"]) == 200


def test_without_a_scope_all_that_the_program_may_have_is_granted(program_of: Callable[..., Program]) -> None:
    found = granted(program_of().ask("login_info", login_info={"type": 3, "user": MIRA, "pwd": PASSWORD}))
    assert found["scope"].split() == list(USUAL_SCOPES)


def test_scopes_that_act_for_others_are_granted_to_programs_that_were_given_them(
    program_of: Callable[..., Program],
) -> None:
    assert granted(program_of(None, "jobs", "impersonate").log_in("impersonate"))["scope"] == "impersonate"
    refused(program_of().log_in("impersonate"), "invalid_scope")


def test_a_token_is_renewed_until_the_password_changes(client: TestClient, program_of: Callable[..., Program]) -> None:
    on_store(client, lambda tx: tx.add_user("rosa", hash_password(PASSWORD)))
    program = program_of()
    first = granted(program.log_in("jobs offline.access", user="rosa"))
    second = granted(program.ask("refresh_token", refresh_token=first["refresh_token"], scope="jobs offline.access"))
    assert second["scope"] == "jobs offline.access"
    narrower = granted(program.ask("refresh_token", refresh_token=second["refresh_token"], scope="jobs users"))
    assert narrower["scope"] == "jobs"
    assert "refresh_token" not in narrower
    refused(program_of().ask("refresh_token", refresh_token=second["refresh_token"]), "invalid_grant")
    refused(program.ask("refresh_token", refresh_token=first["access_token"]), "invalid_grant")
    on_store(client, lambda tx: tx.set_password("rosa", hash_password("another one")))
    refused(program.ask("refresh_token", refresh_token=second["refresh_token"]), "invalid_grant")


def test_a_disabled_user_gets_no_new_token_and_the_old_one_is_of_no_use(
    client: TestClient, program_of: Callable[..., Program]
) -> None:
    on_store(client, lambda tx: tx.add_user("nils", hash_password(PASSWORD)))
    on_store(client, lambda tx: tx.set_member("nils", "makers", True))
    program, keys = program_of(), program_of("nils")
    found = granted(program.log_in("jobs offline.access", user="nils"))
    assert status_with(client, found["access_token"]) == 200
    on_store(client, lambda tx: tx.set_disabled("nils", True))
    on_store(client, lambda tx: tx.bump_access(None))
    assert status_with(client, found["access_token"]) == 401
    refused(program.ask("refresh_token", refresh_token=found["refresh_token"]), "invalid_grant")
    refused(program.log_in(user="nils"), "invalid_grant")
    refused(
        keys.form(grant_type="client_credentials", client_id=keys.id, client_secret=keys.secret), "invalid_client", 401
    )


def test_a_programs_own_token_is_for_data_and_not_for_jobs(
    client: TestClient, mira: V3, program_of: Callable[..., Program]
) -> None:
    found = granted(program_of(None, "print", "offline.access").ask("client_credentials"))
    assert (found["scope"], "refresh_token" in found) == ("print", False)
    number = mira.spool()
    assert status_with(client, found["access_token"], f"/v3/jobs/{number}") == 403
    assert status_with(client, found["access_token"], f"/webapi/v3/jobs/{number}") == 401
    assert status_with(client, found["access_token"], f"/v3/jobs/{number}/data") == 404


@pytest.mark.parametrize(
    ("members", "word", "status"),
    [
        ({"client_secret": "wrong"}, "invalid_client", 401),
        ({"client_id": "nobody"}, "invalid_client", 401),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type", 400),
        ({"login_info": None}, "invalid_request", 400),
        ({"login_info": {"type": 2, "pwd": "1234"}}, "invalid_request", 400),
        ({"login_info": {"type": 3, "user": MIRA, "pwd": "wrong"}}, "invalid_grant", 400),
        ({"login_info": {"type": 3, "user": "nobody", "pwd": "x"}}, "invalid_grant", 400),
        ({"scope": "no.such"}, "invalid_scope", 400),
        ({"client_id": None}, "invalid_request", 400),
        ({"grant_type": "refresh_token", "refresh_token": None}, "invalid_grant", 400),
    ],
)
def test_what_is_not_right_gets_no_token(
    client: TestClient, program_of: Callable[..., Program], members: dict[str, Any], word: str, status: int
) -> None:
    program = program_of()
    body = {
        "grant_type": "login_info",
        "client_id": program.id,
        "client_secret": program.secret,
        "scope": "jobs",
        "login_info": {"type": 3, "user": MIRA, "pwd": PASSWORD},
    }
    refused(client.post("/api/auth/token", json=body | members), word, status)


# ---------------------------------------------------------------- analytics dialect


@pytest.mark.parametrize("basic", [True, False])
def test_a_users_key_gives_the_users_token_for_an_hour(
    client: TestClient, program_of: Callable[..., Program], basic: bool
) -> None:
    program = program_of(MIRA)
    if basic:
        coded = b64encode(f"{program.id}:{program.secret}".encode()).decode()
        response = program.form({"Authorization": f"Basic {coded}"}, grant_type="client_credentials", scope="admin")
    else:
        response = program.form(grant_type="client_credentials", client_id=program.id, client_secret=program.secret)
    found = granted(response)
    assert (found["token_type"], found["expires_in"], set(found)) == (
        "Bearer", 3600, {"access_token", "token_type", "expires_in"},
    )  # fmt: skip
    assert status_with(client, found["access_token"], "/v3/workflows") == 200
    assert status_with(client, found["access_token"], "/v3/jobs") == 401, "the token's dialect: only Curators list all"


def test_keys_that_are_wrong_or_no_users_are_refused(program_of: Callable[..., Program]) -> None:
    own, of_mira = program_of(), program_of(MIRA)
    refused(
        own.form(grant_type="client_credentials", client_id=own.id, client_secret=own.secret), "unauthorized_client"
    )
    refused(own.form(grant_type="password"), "unsupported_grant_type")
    refused(
        of_mira.form(grant_type="client_credentials", client_id=of_mira.id, client_secret="x"), "invalid_client", 401
    )
    refused(of_mira.form({"Authorization": "Basic %%%"}, grant_type="client_credentials"), "invalid_client", 401)


# ---------------------------------------------------------------- what tokens are good for


def test_a_token_of_a_dialect_is_none_for_the_workflow_api(client: TestClient, mira: V3) -> None:
    response = client.get(f"/{ORG_ID}/{ITEM_ID}/jobs/any", headers={"Authorization": f"Bearer {mira.token}"})
    assert response.status_code == 401
    assert response.json()["error"]["code"] == 401


def test_a_token_of_the_workflow_api_serves_both_dialects(client: TestClient, api: Api, mira: V3) -> None:
    assert mira.username
    headers = {"Authorization": f"Bearer {api.token()}"}
    assert set(client.get("/v3/jobs", headers=headers).json()) == {"jobs", "count"}
    assert set(client.get("/webapi/v3/jobs", headers=headers).json()) == {"data"}


def test_a_token_in_the_address_does_not_count(client: TestClient, mira: V3) -> None:
    assert client.get(f"/v3/queues?token={mira.token}").status_code == 401


def test_a_user_without_a_role_is_refused_in_the_words_of_the_dialect(client: TestClient, people: Any) -> None:
    assert people
    outsider = V3(client, "outsider")
    assert outsider.refused("GET", "/v3/queues", status=403)["code"] == 403
    assert outsider.refused("GET", "/v3/workflows", status=401)["message"].startswith("Authorization")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v3/jobs"), ("PATCH", "/v3/jobs/1"), ("POST", "/v3/jobs/delete"), ("DELETE", "/v3/jobs/1"),
        ("POST", "/v3/jobs/client"), ("POST", "/v3/jobs/process"), ("POST", "/v3/jobs/1/script"), ("GET", "/v3/jobs"),
        ("GET", "/v3/jobs/1"), ("GET", "/v3/jobs/1/state"), ("GET", "/v3/jobs/1/data"), ("GET", "/v3/queues"),
        ("GET", "/v3/projects"), ("GET", "/v3/users"), ("GET", "/v3/users/1/accounts"),
    ],
)  # fmt: skip
def test_each_call_of_the_print_dialect_needs_a_token_and_its_scope(
    client: TestClient, mira: V3, method: str, path: str
) -> None:
    assert client.request(method, path).status_code == 401
    without = V3(client, MIRA, mira.dialect, frozenset({"terminal"}))
    assert "scope" in without.refused(method, path, status=403)["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "members"),
    [
        ("PUT", "/v3/jobs/1", 405, {"code", "message", "data"}),
        ("POST", "/v3/jobs/69a5551400000000000fffff", 405, {"message"}),
        ("PUT", "/v3/workflows", 405, {"message"}),
        ("GET", "/webapi/v3/nothing", 404, {"message"}),
        ("GET", "/api/v3/nothing/at/all", 404, {"code", "message", "data"}),
    ],
)
def test_what_is_not_there_is_told_in_the_words_of_the_dialect(
    client: TestClient, method: str, path: str, status: int, members: set[str]
) -> None:
    response = client.request(method, path)
    assert (response.status_code, set(response.json())) == (status, members)
