"""The v3 dialects of the application of ``tests/api``: mira and otto work there, the administrator is Curator."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from app.api.state import Gateway
from app.auth.dialect_tokens import DialectTokens
from app.auth.passwords import hash_password
from app.domain.access import Role
from app.protocol.v3.dialects import USUAL_SCOPES, Bearer, Dialect
from app.protocol.v3.ids import hex_id
from app.services.first_start import ADMIN, ITEM_ID
from app.services.ports import Group, Tx
from tests.api.conftest import Api

MIRA, OTTO = "mira", "otto"
PASSWORD = "s3cret pass"
PULL, ASKING, REPORT = "Follow me", "Ask me first", "Regional report"

_numbers = count(1)


@dataclass
class V3:
    """One of the dialects, as one of its users."""

    client: TestClient
    username: str | None
    dialect: Dialect = Dialect.PRINT
    scopes: frozenset[str] = frozenset(USUAL_SCOPES)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def gateway(self) -> Gateway:
        return cast(Gateway, cast(Any, self.client.app).state.gateway)

    @property
    def token(self) -> str:
        bearer = Bearer(self.dialect, self.username, self.scopes)
        return DialectTokens(self.gateway.tokens).issue(bearer, 3600)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request with the user's token unless headers are given; returns the response."""
        options.setdefault("headers", {"Authorization": f"Bearer {self.token}"})
        if body is not None:
            options["json"] = body
        return self.client.request(method, path, **options)

    def ok(self, method: str, path: str, body: Any = None, status: int = 200, **options: Any) -> Any:
        """The body of a request that must succeed; None for one without."""
        response = self.call(method, path, body, **options)
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    def get(self, path: str, **options: Any) -> Any:
        return self.ok("GET", path, **options)

    def refused(self, method: str, path: str, body: Any = None, status: int = 400, **options: Any) -> Any:
        """The body of a refusal, its shape that of the dialect (told by its members)."""
        response = self.call(method, path, body, **options)
        assert response.status_code == status, response.text
        found = response.json()
        if "code" in found:
            assert set(found) == {"code", "message", "data"}
            assert found["code"] == status
        else:
            assert set(found) <= {"message", "modelState"}
        assert found["message"]
        return found

    def as_(self, username: str | None, *scopes: str) -> "V3":
        """The same dialect, as somebody else, with more scopes (as a program's own: with just these)."""
        more = frozenset(scopes) if username is None else self.scopes | set(scopes)
        return V3(self.client, username, self.dialect, more)

    def in_(self, dialect: Dialect) -> "V3":
        return V3(self.client, self.username, dialect, self.scopes)

    # ------------------------------------------------------------ print jobs

    def spool(self, queue: str = PULL, **members: Any) -> int:
        """Register a job; returns its number."""
        body = {
            "queue": queue,
            "owner": self.username,
            "computer": "DESK-21",
            "name": "q3-report.pdf",
            "uuid": f"u-{next(_numbers)}",
            "size": 48_211,
            "jobInfo": {"pageCount": 12, "colorCount": 3, "copies": 1, "duplex": True, "color": True, "cost": 1.85},
        }
        return cast(int, self.ok("POST", "/v3/jobs/client", body | members)["id"])

    def detail(self, number: int) -> Any:
        return self.get(f"/v3/jobs/{number}")

    def state(self, number: int) -> str:
        return cast(str, self.get(f"/v3/jobs/{number}/state")["state"])

    def process(self, *numbers: int, status: int = 202, **members: Any) -> Any:
        return self.call("POST", "/v3/jobs/process", {"jobIds": [*numbers]} | members), status

    def processed(self, *numbers: int, **members: Any) -> None:
        response, status = self.process(*numbers, **members)
        assert response.status_code == status, response.text

    def answer(self, number: int, key: str, chosen: str, *others: str, **members: Any) -> Any:
        """The response to an answer; ``members`` are of the body."""
        return self.call("POST", f"/v3/jobs/{number}/script", {key: {chosen: True, **dict.fromkeys(others)}} | members)


@pytest.fixture(scope="module")
def people(client: TestClient) -> dict[str, int]:
    """Mira and Otto, who may make jobs and nothing else; everybody's number by name."""
    hashed = hash_password(PASSWORD)

    def fill(tx: Tx) -> dict[str, int]:
        item = next(item for item in tx.items() if item.item_id == ITEM_ID)
        tx.add_group(Group("makers", "Makers"))
        tx.put_role(item, Role("Maker", "Makes jobs.", ("jobCreate",)))
        tx.link_role(item, "makers", "Maker", True)
        for name in (MIRA, OTTO):
            tx.add_user(name, hashed, name.capitalize())
            tx.set_member(name, "makers", True)
        tx.bump_access(item)
        return dict(tx.user_numbers())

    numbers: dict[str, int] = on_store(client, fill)
    return numbers


def on_store(client: TestClient, use_case: Callable[[Tx], Any]) -> Any:
    """Carry out something in the store of the running application."""
    assert client.portal is not None
    return client.portal.call(cast(Any, client.app).state.gateway.engine.store.run, use_case)


@pytest.fixture
def mira(client: TestClient, people: dict[str, int]) -> V3:
    assert people
    return V3(client, MIRA)


@pytest.fixture
def otto(client: TestClient, people: dict[str, int]) -> V3:
    assert people
    return V3(client, OTTO)


@pytest.fixture
def curator(client: TestClient, people: dict[str, int]) -> V3:
    assert people
    return V3(client, ADMIN, Dialect.ANALYTICS)


@pytest.fixture
def program(client: TestClient, people: dict[str, int]) -> V3:
    """A program for itself, with every scope of the print dialect it may have without being given it by name."""
    assert people
    return V3(client, None)


@pytest.fixture
def project(client: TestClient, people: dict[str, int]) -> int:
    """The number of a new project."""
    assert people
    name = f"Project {next(_numbers)}"
    return cast(int, on_store(client, lambda tx: tx.add_project(tx.items()[0], name)).number)


@pytest.fixture(scope="module")
def gated(client: TestClient) -> str:
    """A queue whose jobs need a project."""
    steps = [
        {"id": "parse", "name": "Parse", "automatic": True, "proceedNext": True, "paths": [{"nextStep": "release"}]},
        {
            "id": "release",
            "name": "Release",
            "proceedNext": True,
            "action": {"actionType": "Manual", "args": {"needsProject": True}},
            "paths": [],
        },
    ]
    api = Api(client)
    api.template("With project", api.diagram("With project", steps))
    return "With project"


def job_of(client: TestClient, number: int) -> str:
    """The id by which the workflow API knows a job."""

    def find(tx: Tx) -> str:
        item = next(item for item in tx.items() if item.item_id == ITEM_ID)
        record = tx.job_by_number(item, number)
        assert record is not None
        return record.job.job_id

    return cast(str, on_store(client, find))


def hex_of(client: TestClient, number: int) -> str:
    """The other id of a job."""

    def find(tx: Tx) -> str:
        item = next(item for item in tx.items() if item.item_id == ITEM_ID)
        record = tx.job_by_number(item, number)
        assert record is not None
        return hex_id(number, record.job.created_ms)

    return cast(str, on_store(client, find))


def history(client: TestClient, number: int) -> list[tuple[str, str | None]]:
    """What the workflow API's history says of a job: action and result."""
    api = Api(client)
    lines = api.get(f"jobs/{job_of(client, number)}/history")["jobHistory"]
    return [(line["action"], line.get("result")) for line in lines]
