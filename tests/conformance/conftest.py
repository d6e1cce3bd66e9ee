"""One served application for each module, with an item, people of each role, and a second item with its own people."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.asgi import create_app
from app.services.first_start import ADMIN
from app.settings import Settings
from tests.api.conftest import MAX_ATTACHMENT_BYTES, MAX_BODY_BYTES
from tests.conformance.people import (
    ADVANCED,
    BASIC,
    DESIGNER,
    OUTSIDER,
    SECOND,
    STRANGER,
    VIEWER,
    Person,
    furnish,
    hire_with,
    run,
)

PASSWORD = "pw"


def serve(folder: Path) -> TestClient:
    """The application on a data folder; its loop not in debug mode, which others look after, at thrice the cost."""
    settings = Settings(
        data_dir=folder,
        admin_password=PASSWORD,
        max_body_bytes=MAX_BODY_BYTES,
        max_attachment_bytes=MAX_ATTACHMENT_BYTES,
    )
    return TestClient(create_app(settings), backend_options={"debug": False})


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with everybody in it. A first start costs a second, a copy of its folder nothing."""
    folder = tmp_path_factory.mktemp("conformance")
    with serve(folder) as client:
        run(client, furnish)
    return folder


@pytest.fixture(scope="module")
def client(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("item") / "data"
    shutil.copytree(furnished, folder)
    with serve(folder) as client:
        yield client


@pytest.fixture
def admin(client: TestClient) -> Person:
    """Has the role "Workflow Administrator"."""
    return Person(client, ADMIN)


@pytest.fixture
def designer(client: TestClient) -> Person:
    """Has the role "Workflow Designer"."""
    return Person(client, DESIGNER)


@pytest.fixture
def advanced(client: TestClient) -> Person:
    """Has the role "Manage Jobs - Advanced"."""
    return Person(client, ADVANCED)


@pytest.fixture
def basic(client: TestClient) -> Person:
    """Has the role "Manage Jobs - Basic"."""
    return Person(client, BASIC)


@pytest.fixture
def viewer(client: TestClient) -> Person:
    """Has the role "View Jobs": reads and changes nothing."""
    return Person(client, VIEWER)


@pytest.fixture
def outsider(client: TestClient) -> Person:
    """A user who has no role in any item."""
    return Person(client, OUTSIDER)


@pytest.fixture
def stranger(client: TestClient) -> Person:
    """The administrator of the second item, at work there."""
    return Person(client, STRANGER, SECOND)


@pytest.fixture
def hire(client: TestClient) -> Callable[..., Person]:
    """``hire(*privileges)``: a new user of the first item who has exactly these."""
    return lambda *privileges: hire_with(client, *privileges)


@pytest.fixture(scope="module")
def two_steps(client: TestClient) -> str:
    """A template of two manual steps, ``one`` and ``two``, that ask nothing and do not proceed by themselves."""
    return Person(client).made(
        [
            {"id": "one", "name": "One", "paths": [{"nextStep": "two"}]},
            {"id": "two", "name": "Two", "canSkip": True, "paths": []},
        ]
    )
