"""The whole application in this process, on SQLite, with three people: an administrator, a worker and an outsider."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.api.state import Gateway
from app.asgi import create_app
from app.domain.access import Role
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.services.ports import Group, Tx
from app.settings import Settings

ITEM = f"/{ORG_ID}/{ITEM_ID}"
WORKER, OUTSIDER = "worker", "outsider"
MAX_BODY_BYTES = 200_000
MAX_ATTACHMENT_BYTES = 600_000


@dataclass
class Api:
    """The workflow API of one item, as one of its users."""

    client: TestClient
    username: str = ADMIN

    @property
    def gateway(self) -> Gateway:
        return cast(Gateway, cast(Starlette, self.client.app).state.gateway)

    def token(self, ttl_s: float = 3600) -> str:
        return self.gateway.tokens.issue(self.username, ttl_s)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request below the item, with the user's token unless headers are given; returns the response."""
        options.setdefault("headers", {"Authorization": f"Bearer {self.token()}"})
        return self.client.request(method, f"{ITEM}/{path}".rstrip("/"), **options)

    def get(self, path: str, **options: Any) -> Any:
        """The JSON of a GET that must succeed."""
        return ok(self.call("GET", path, **options))

    def post(self, path: str, body: Any) -> Any:
        """The JSON of a POST that must succeed."""
        return ok(self.call("POST", path, json=body))

    def refused(self, path: str, body: Any, status: int = 400) -> dict[str, Any]:
        """The error object of a POST that must be refused."""
        return error(self.call("POST", path, json=body), status)

    def action(self, job_id: str, kind: str, **members: Any) -> Any:
        return self.post(f"jobs/{job_id}/action", {"type": kind} | members)

    def current(self, job_id: str) -> list[str]:
        return [step["stepId"] for step in self.get(f"jobs/{job_id}")["currentSteps"]]

    def diagram(self, name: str, steps: list[dict[str, Any]], **members: Any) -> str:
        body = {"diagramName": name, "displayGrid": True, "active": True, "steps": steps} | members
        return cast(str, self.post("diagrams", body)["diagramId"])

    def template(self, name: str, diagram_id: str, **members: Any) -> str:
        body = {
            "jobTemplateName": name,
            "diagramId": diagram_id,
            "diagramName": name,
            "defaultPriorityName": "Low",
            "state": "Active",
            "defaultAssignedType": "User",
            "defaultAssignedTo": "JobCreator($job)",
        }
        return cast(str, self.post("jobTemplates", body | members)["jobTemplateId"])

    def job(self, template_id: str, **members: Any) -> str:
        return cast(str, self.post(f"jobTemplates/{template_id}/job", members)["jobIds"][0])


def ok(response: Any) -> Any:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert "error" not in body
    return body


def error(response: Any, status: int = 400) -> dict[str, Any]:
    """The error object of a refused request, its shape checked."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    found: dict[str, Any] = response.json()["error"]
    assert found["code"] == status
    assert found["type"] == found["name"]
    assert found["message"].strip()
    assert all(isinstance(detail, str) for detail in found["details"])
    assert set(response.json()) == {"error"}
    return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("api"),
        admin_password="pw",
        max_body_bytes=MAX_BODY_BYTES,
        max_attachment_bytes=MAX_ATTACHMENT_BYTES,
    )
    app = create_app(settings)
    with TestClient(app) as client:
        assert client.portal is not None
        client.portal.call(app.state.gateway.engine.store.run, _add_people)
        yield client


def _add_people(tx: Tx) -> None:
    item = tx.items()[0]
    for name in (WORKER, OUTSIDER):
        tx.add_user(name, None)
    tx.add_group(Group("workers", "Workers"))
    tx.put_role(item, Role("Worker", "Works on the own steps.", ("jobCreate", "jobAssignIndividual")))
    tx.link_role(item, "workers", "Worker", True)
    tx.set_member(WORKER, "workers", True)
    tx.bump_access(item)


@pytest.fixture
def api(client: TestClient) -> Api:
    return Api(client)


@pytest.fixture
def worker(client: TestClient) -> Api:
    return Api(client, WORKER)


@pytest.fixture
def outsider(client: TestClient) -> Api:
    return Api(client, OUTSIDER)


@pytest.fixture(scope="module")
def templates(client: TestClient) -> Callable[..., str]:
    """Make (once per name) an active template of a diagram with these steps; returns its id."""
    known: dict[str, str] = {}

    def template_of(name: str, steps: list[dict[str, Any]]) -> str:
        if name not in known:
            api = Api(client)
            known[name] = api.template(name, api.diagram(name, steps))
        return known[name]

    return template_of


@pytest.fixture
def manual(templates: Callable[..., str]) -> str:
    """A template of two manual steps, ``one`` and ``two``, that ask nothing and do not proceed by themselves."""
    return templates(
        "Two manual steps",
        [
            {"id": "one", "name": "One", "paths": [{"nextStep": "two"}]},
            {"id": "two", "name": "Two", "canSkip": True, "paths": []},
        ],
    )


@pytest.fixture
def question(templates: Callable[..., str]) -> str:
    """A template whose step ``ask`` asks for 1 (Yes, on to ``end``) or 0 (No, ``ask`` again)."""
    answers = {
        "Yes": {"displayName": "Yes", "value": 1, "order": 0},
        "No": {"displayName": "No", "value": 0, "order": 1},
    }
    return templates(
        "A question",
        [
            {
                "id": "ask",
                "name": "Ask",
                "action": {"actionType": "Question", "args": {"question": "Sure?", "questionResponses": answers}},
                "paths": [
                    {"nextStep": "end", "expression": "$retVal == 1"},
                    {"nextStep": "ask", "expression": "$retVal == 0"},
                ],
            },
            {"id": "end", "name": "End", "paths": []},
        ],
    )
