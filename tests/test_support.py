"""The shared helpers do what the tests that use them rely on."""

import asyncio
import signal
import socket
import urllib.request
from collections.abc import Callable

import psycopg
import pytest

from tests.support import PostgresServer, RedisServer, ServerProcess, deadline, eventually, no_leaks
from tests.support.ports import is_listening

WORKFLOW_ITEM = "workflow/00000000000000000000000000000001"


def test_a_deadline_is_ten_times_the_expected_time_and_scaled_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("STEPGATE_TEST_SCALE", raising=False)
    assert deadline(0.5) == 5
    monkeypatch.setenv("STEPGATE_TEST_SCALE", "3")
    assert deadline(0.5) == 15


@pytest.mark.anyio
async def test_eventually_fails_when_the_condition_never_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPGATE_TEST_SCALE", "0.01")
    with pytest.raises(AssertionError, match="did not hold"):
        await eventually(lambda: False, expected_s=1)


@pytest.mark.anyio
async def test_the_event_loop_of_a_test_is_in_debug_mode() -> None:
    assert asyncio.get_running_loop().get_debug()


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_has_an_empty_database_of_its_own(postgres_url: str, number: int) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE mark (number integer)")
        row = connection.execute("SELECT count(*), current_setting('fsync') FROM mark").fetchone()
    assert row == (0, "on")


def test_a_database_is_dropped_while_a_connection_is_still_open(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url:
        connection = psycopg.connect(url)
    with connection, pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_a_frozen_redis_accepts_a_connection_and_answers_nothing(redis_server: RedisServer) -> None:
    redis_server.freeze()
    with socket.create_connection(("127.0.0.1", redis_server.port)) as connection:
        connection.sendall(b"PING\r\n")
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(16)
        redis_server.thaw()
        connection.settimeout(deadline(1))
        assert connection.recv(16) == b"+PONG\r\n"


def test_a_killed_redis_starts_again_on_the_same_port(redis_server: RedisServer) -> None:
    url = redis_server.url
    redis_server.kill9()
    assert not is_listening(redis_server.port)
    redis_server.start()
    assert redis_server.url == url
    assert is_listening(redis_server.port)


@pytest.mark.anyio
async def test_a_task_that_goes_on_is_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPGATE_TEST_SCALE", "0.01")
    forever = asyncio.Event()
    with pytest.raises(AssertionError, match="endless"):
        async with no_leaks():
            task = asyncio.create_task(forever.wait(), name="endless")
    forever.set()
    await task


@pytest.mark.anyio
async def test_a_descriptor_that_is_closed_late_is_no_leak() -> None:
    async with no_leaks():
        ours, theirs = socket.socketpair()
        asyncio.get_running_loop().call_later(0.05, ours.close)
        theirs.close()


def test_a_killed_server_starts_again_on_the_same_address_and_data(server: ServerProcess) -> None:
    url, token = server.url, server.token("admin")
    server.kill9()
    server.restart()
    assert server.url == url
    request = urllib.request.Request(f"{url}/{WORKFLOW_ITEM}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=deadline(1)) as answer:
        assert answer.status == 200
    assert server.stop() in {0, -signal.SIGTERM}
    assert "Finished server process" in server.log


def test_a_server_that_cannot_start_says_why(start_server: Callable[..., ServerProcess]) -> None:
    with pytest.raises(ChildProcessError, match="STEPGATE_NO_SUCH_SETTING"):
        start_server(no_such_setting=1)


def test_a_command_that_fails_shows_what_it_said(server: ServerProcess) -> None:
    with pytest.raises(AssertionError, match="nobody"):
        server.command("token", "nobody")
