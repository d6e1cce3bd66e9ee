"""What an error looks like outside, on an application that does nothing but fail."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.api.problems import EXCEPTION_HANDLERS
from app.errors import (
    Conflict,
    GatewayError,
    InvalidValue,
    NotFound,
    PermissionDenied,
    StoreUnavailable,
    Unauthenticated,
)
from app.expressions.arcade import ArcadeError
from tests.api.conftest import error

FAILURES: dict[str, Exception] = {
    "value": InvalidValue("A value is wrong.", name="InvalidDiagram", details=["a", "b"]),
    "subclass": ArcadeError("An expression is wrong."),
    "missing": NotFound("There is no job.", name="JobNotFound"),
    "denied": PermissionDenied("You may not."),
    "unknown": Unauthenticated("Log in."),
    "conflict": Conflict("It is taken."),
    "store": StoreUnavailable("The database is busy."),
    "plain": GatewayError("Something."),
    "bug": RuntimeError("secret detail"),
    "gone": ClientDisconnect(),
}


async def fail(request: Request) -> Response:
    raise FAILURES[request.path_params["name"]]


@pytest.fixture(scope="module")
def failing() -> Iterator[TestClient]:
    app = Starlette(routes=[Route("/{name}", fail)], exception_handlers=EXCEPTION_HANDLERS)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("value", 400, "InvalidDiagram"),
        ("subclass", 400, "ArcadeError"),
        ("missing", 404, "JobNotFound"),
        ("denied", 403, "PermissionDenied"),
        ("unknown", 401, "Unauthenticated"),
        ("conflict", 400, "Conflict"),
        ("store", 503, "StoreUnavailable"),
        ("plain", 500, "GatewayError"),
        ("gone", 400, "ClientDisconnected"),
    ],
)
def test_an_error_has_its_status_and_its_name(failing: TestClient, name: str, status: int, kind: str) -> None:
    found = error(failing.get(f"/{name}"), status)
    assert found["type"] == kind


def test_details_are_told_one_by_one(failing: TestClient) -> None:
    assert error(failing.get("/value"))["details"] == ["a", "b"]


def test_a_busy_database_says_when_to_come_back(failing: TestClient) -> None:
    assert failing.get("/store").headers["retry-after"] == "1"


def test_a_bug_is_told_without_its_details_and_logged_with_them(failing: TestClient) -> None:
    found = error(failing.get("/bug"), 500)
    assert "secret" not in str(found)


def test_a_bug_reaches_whoever_serves_the_application() -> None:
    """Starlette raises it again after the answer; the server's log is where its traceback is found."""
    app = Starlette(routes=[Route("/{name}", fail)], exception_handlers=EXCEPTION_HANDLERS)
    with TestClient(app) as client, pytest.raises(RuntimeError, match="secret detail"):
        client.get("/bug")


def test_a_path_and_a_method_that_are_not_there_get_an_error_object(failing: TestClient) -> None:
    assert error(failing.get("/a/b/c"), 404)["type"] == "NotFound"
    refused: Any = failing.delete("/value")
    assert error(refused, 405)["type"] == "MethodNotAllowed"
    assert "GET" in refused.headers["allow"]


def test_a_told_error_leaves_no_traceback_in_the_log(failing: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        failing.get("/missing")
    assert caplog.records == []
