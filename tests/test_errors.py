"""Every error has its place on the way out: an HTTP status, a code of the websocket, a line in the documentation."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import app
from app import errors
from app.api.problems import STATUS_OF, problem, status_of
from app.api.responses import JsonResponse
from app.errors import GatewayError
from app.protocol.codes import ReplyCode, reply_code
from app.protocol.errors import error_body

ROOT = Path(app.__file__).parent
for module in pkgutil.walk_packages([str(ROOT)], "app."):
    if not module.name.endswith("__main__") and ".migrations" not in module.name:
        importlib.import_module(module.name)


def family(base: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    yield base
    for child in base.__subclasses__():
        yield from family(child)


EVERY_ERROR = list(family())
TREE = [error for error in EVERY_ERROR if error.__module__ == "app.errors"]


def test_the_table_of_statuses_holds_the_tree_and_nothing_else() -> None:
    assert set(STATUS_OF) == set(TREE)


@pytest.mark.parametrize("error", EVERY_ERROR)
def test_only_what_may_succeed_later_is_told_as_unavailable(error: type[GatewayError]) -> None:
    """Clients repeat 413, 429 and 5xx and then hide the text, so nothing a user must read is told that way."""
    status = status_of(error)
    assert (status == 503) == error.temporary
    assert status not in {413, 429}


@pytest.mark.parametrize("error", [error for error in EVERY_ERROR if error is not GatewayError])
def test_every_error_has_a_reply_code_of_the_websocket_that_means_the_same(error: type[GatewayError]) -> None:
    code = reply_code(error("text"))
    assert code is not ReplyCode.INTERNAL
    assert (code is ReplyCode.UNAVAILABLE) == error.temporary
    assert (code is ReplyCode.UNAUTHENTICATED) == (status_of(error) == 401)


def test_codes_are_unique_and_stable_words() -> None:
    codes = [error.code for error in TREE]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z_]+", code) for code in codes)


def test_the_tree_in_the_docstring_is_the_tree_of_the_module() -> None:
    drawn = re.findall(r"^ {4,}([A-Z][A-Za-z]+)(?: |$)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(drawn) == sorted(error.__name__ for error in TREE)


def test_an_error_object_has_all_its_members() -> None:
    body = msgspec.json.decode(msgspec.json.encode(error_body(404, "JobNotFound", "There is no job.")))
    assert body == {
        "error": {
            "code": 404,
            "type": "JobNotFound",
            "name": "JobNotFound",
            "message": "There is no job.",
            "details": [],
        }
    }


def test_a_problem_says_when_to_come_back_and_how_to_log_in() -> None:
    assert problem(503, "StoreUnavailable", "Later.").headers["retry-after"] == "1"
    assert problem(401, "Unauthenticated", "Log in.").headers["www-authenticate"] == "Bearer"
    assert problem(400, "InvalidValue", "No.").headers["content-type"] == "application/json"


@pytest.mark.parametrize("words", ["invalid token", "Token Required", "INVALID TOKEN"])
def test_words_that_make_a_client_repeat_its_request_are_hidden_from_it(words: str) -> None:
    """The value is the same, the bytes do not hold the words: a POST that echoes them must not run twice."""
    response = JsonResponse({"comment": f"an {words} was seen"})
    assert msgspec.json.decode(response.body) == {"comment": f"an {words} was seen"}
    assert words.encode() not in bytes(response.body)
    assert response.headers["content-length"] == str(len(response.body))


def test_no_sentence_of_ours_holds_those_words() -> None:
    """Literals of the source, in which they would be told by other ways than a JSON answer."""
    loaded = re.compile(r"(?i)invalid token|token required")
    sources = [path for path in ROOT.rglob("*.py") if path.name != "responses.py"]
    assert sources
    assert [str(path) for path in sources if loaded.search(path.read_text())] == []
