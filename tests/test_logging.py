"""Logs: one line per event, nobody's token in any of them, nobody's line break either."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app.cli.token import make_token
from app.observability import TRACE, hide_credentials, request_id, set_up_logging
from app.services.first_start import ITEM_ID
from app.settings import Settings
from tests.conftest import StartServer
from tests.support import ServerProcess, deadline

MARK = "MARKED-7f3a-TOKEN"
ITEM = f"/workflow/{ITEM_ID}"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What is logged to, until the test ends; logging is then as it was."""
    names = ("", "app", "uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access", "websockets", "asyncio")
    before = [
        (logging.getLogger(name), logging.getLogger(name).level, logging.getLogger(name).handlers) for name in names
    ]
    yield io.StringIO()
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers


# ---------------------------------------------------------------- one line


def test_a_json_line_has_time_level_logger_message_and_fields(output: io.StringIO) -> None:
    set_up_logging("info", "auto", output)
    logging.getLogger("app.hub").info("cut %s", "ann", extra={"fields": {"unsent": 7, "path": "a\nb"}})
    line = json.loads(output.getvalue())
    assert line.pop("time") > 1_700_000_000_000
    assert line == {"level": "info", "logger": "app.hub", "message": "cut ann", "unsent": 7, "path": "a\nb"}


def test_a_text_line_stays_one_line_whatever_is_in_it(output: io.StringIO) -> None:
    set_up_logging("info", "text", output)
    logging.getLogger("app.hub").info("cut", extra={"fields": {"path": "/a\n00:00:00 INFO forged\u2028line"}})
    assert output.getvalue().count("\n") == 1
    assert "\\n00:00:00" in output.getvalue()
    assert "\\u2028" in output.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_follows_its_line(output: io.StringIO, log_format: str) -> None:
    set_up_logging("info", log_format, output)
    try:
        int("gone")
    except ValueError:
        logging.getLogger("app").exception("it failed")
    assert "it failed" in output.getvalue()
    assert "ValueError: invalid literal" in output.getvalue()


@pytest.mark.parametrize(("level", "heard"), [("trace", 5), ("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_lines_below_the_level_are_not_written(output: io.StringIO, level: str, heard: int) -> None:
    set_up_logging(level, "json", output)
    for number in (TRACE, logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger("app.store").log(number, "line")
    assert len(output.getvalue().splitlines()) == heard


def test_other_peoples_loggers_say_nothing_below_info(output: io.StringIO) -> None:
    set_up_logging("trace", "json", output)
    for name in ("uvicorn.error", "uvicorn.asgi", "websockets.server"):
        logging.getLogger(name).debug("< GET /?token=%s HTTP/1.1", MARK)
        logging.getLogger(name).log(TRACE, "%s", MARK)
    assert not output.getvalue()


def test_uvicorns_line_about_a_websocket_is_dropped(output: io.StringIO) -> None:
    set_up_logging("info", "json", output)
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "1.2.3.4", f"/x?token={MARK}")
    logging.getLogger("uvicorn.error").info("Shutting down")
    assert [json.loads(line)["message"] for line in output.getvalue().splitlines()] == ["Shutting down"]


def test_lines_of_a_request_carry_its_id(output: io.StringIO) -> None:
    set_up_logging("info", "json", output)
    mark = request_id.set("abc-1")
    logging.getLogger("app").info("inside")
    request_id.reset(mark)
    logging.getLogger("app").info("outside")
    inside, outside = (json.loads(line) for line in output.getvalue().splitlines())
    assert inside["request"] == "abc-1"
    assert "request" not in outside


@pytest.mark.parametrize(
    "text",
    [
        f"GET /x?a=1&token={MARK}&b=2",
        f'frame {{"msgType": "subscribe", "token": "{MARK}"}}',
        f"X-Esri-Authorization: Bearer {MARK}",
        f"authorization={MARK}",
        f"{{'token': '{MARK}'}}",
        f"[(b'authorization', b'Bearer {MARK}')]",
    ],
)
def test_what_announces_a_token_hides_it(text: str) -> None:
    hidden = hide_credentials(text)
    assert MARK not in hidden
    assert "***" in hidden


def test_a_signed_token_is_hidden_wherever_it_stands() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl"
    assert hide_credentials(f"user said {token}!") == "user said ***!"


@pytest.mark.parametrize("text", ["the token has expired", "3 tokens", "GET /x 200", "authorization is needed"])
def test_a_sentence_about_tokens_is_left_alone(text: str) -> None:
    assert hide_credentials(text) == text


# ---------------------------------------------------------------- a real server


@pytest.mark.parametrize(
    ("level", "form"), [("trace", "text"), ("debug", "json"), ("info", "text"), ("warning", "json"), ("error", "text")]
)
def test_no_token_is_in_the_log_at_any_level_whichever_way_it_came(
    start_server: StartServer, tmp_path: Path, level: str, form: str
) -> None:
    server = start_server(log_level=level, log_format=form)
    real = make_token(Settings(data_dir=tmp_path / "data"), "admin")
    _refused(server, f"?token={MARK}", {})
    _refused(server, "", {"Authorization": f"Bearer {MARK}"})
    _refused(server, "", {"X-Esri-Authorization": f"Bearer {MARK}"})
    _talk(server, f"?token={real}", {})
    _talk(server, "", {"X-Esri-Authorization": f"Bearer {real}"})
    server.stop()
    for secret in (MARK, real, real.split(".")[2]):
        assert secret not in server.log
    assert (level in {"trace", "debug", "info"}) == ("/notificationWs" in server.log)


def test_requests_are_logged_with_status_and_id_and_probes_are_not(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(log_format="json")
    with pytest.raises(InvalidStatus):
        connect(server.websocket_url + ITEM + "/notificationWs")
    token = make_token(Settings(data_dir=tmp_path / "data"), "admin")
    _talk(server, f"?token={token}", {"X-Request-ID": "mine-1"})
    server.stop()
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    asked = [line for line in lines if line["logger"] == "app.access"]
    assert {line["path"] for line in asked} == {f"{ITEM}/notificationWs"}
    refused, opened, closed = asked
    assert (refused["status"], refused["method"]) == (401, "WEBSOCKET")
    assert (opened["status"], opened["request"]) == ("open", "mine-1")
    assert closed["status"] == 1000
    assert closed["request"] == "mine-1"
    assert closed["ms"] > 0


def _refused(server: ServerProcess, query: str, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(f"{server.websocket_url}{ITEM}/notificationWs{query}", additional_headers=headers)
    assert caught.value.response.status_code == 401
    assert caught.value.response.body is not None
    assert MARK.encode() not in caught.value.response.body


def _talk(server: ServerProcess, query: str, headers: dict[str, str]) -> None:
    """Open a websocket, send a marked token in each kind of frame, and hear an answer."""
    url = f"{server.websocket_url}{ITEM}/notificationWs{query}"
    with connect(url, additional_headers=headers, open_timeout=deadline(1)) as peer:
        assert json.loads(peer.recv(deadline(1))) == {"connected": True}
        for frame in (
            {"msgType": "subscribe", "jobIds": ["x"], "token": MARK},
            {"msgType": "StepInfoResponse", "message": {"jobId": "x", "stepId": "y", "token": MARK}},
            {"msgType": "nonsense", "token": MARK},
        ):
            peer.send(json.dumps(frame))
            assert json.loads(peer.recv(deadline(1)))["msgType"] == "Error"
        peer.send(f'{{"broken": "token={MARK}"')
        assert MARK not in str(peer.recv(deadline(1)))
