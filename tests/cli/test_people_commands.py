"""``stepgate token``, ``user``, ``group``, ``key`` and ``db``: beside a server that runs, on each database."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app import cli
from app.bootstrap import run_gateway
from app.services.first_start import ADMIN_GROUP, ITEM_ID
from app.settings import Settings
from tests.conftest import Settings as ServerSettings
from tests.support import ServerProcess, deadline, eventually

SOCKET = f"/workflow/{ITEM_ID}/notificationWs"

Command = Callable[..., str]
Commander = Callable[[Mapping[str, object]], Command]


class Failure(Exception):
    """A command's status, and what it wrote to standard error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@pytest.fixture
def commander(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commander:
    """Gives a runner of commands in this process for some settings."""

    def use(settings: Mapping[str, object]) -> Command:
        for name in [name for name in os.environ if name.startswith("STEPGATE_") and "_TEST_" not in name]:
            monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(f"STEPGATE_{name.upper()}", str(value))
        return partial(_run, capsys)

    return use


@pytest.fixture
def command(commander: Commander, backend_settings: ServerSettings) -> Command:
    """Run a command with the settings of the test's server: ``command("user", "list")``."""
    return commander(backend_settings)


@pytest.fixture
def offline(commander: Commander, tmp_path: Path) -> Command:
    """Run a command on a SQLite database that was started once and that nobody serves now."""

    async def start_once() -> None:
        async with run_gateway(Settings(data_dir=tmp_path / "data"), lambda _: None):
            pass

    asyncio.run(start_once())
    return commander({"data_dir": tmp_path / "data"})


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    status = cli.run(list(arguments))
    out, err = capsys.readouterr()
    if status:
        raise Failure(status, err)
    assert not err
    return out


def test_token_prints_a_token_that_opens_a_websocket_and_nothing_else(server: ServerProcess) -> None:
    printed = server.command("token", "admin", "--ttl", "60")
    assert printed.count("\n") == 1
    with connect(f"{server.websocket_url}{SOCKET}?token={printed.strip()}") as peer:
        assert json.loads(peer.recv(deadline(1))) == {"connected": True}


def test_a_new_user_is_let_in_and_a_disabled_one_is_shut_out_while_the_server_runs(
    server: ServerProcess, command: Command
) -> None:
    group = command("group", "add", "Field Crew", "--role", "View Jobs").strip()
    command("user", "add", "ann", "--group", "Field Crew", "--full-name", "Ann Example", "--password", "secret")
    assert group in command("group", "list")
    listed = command("user", "list")
    assert "ann" in listed
    assert "Field Crew" in listed
    assert "secret" not in listed
    token = command("token", "ann").strip()
    with connect(f"{server.websocket_url}{SOCKET}?token={token}") as peer:
        peer.recv(deadline(1))
        command("user", "disable", "ann")
        with pytest.raises(ConnectionClosed) as caught:
            peer.recv(deadline(3))
    assert caught.value.rcvd is not None
    assert 4500 <= caught.value.rcvd.code < 5000
    with pytest.raises(InvalidStatus):
        connect(f"{server.websocket_url}{SOCKET}?token={token}")
    with pytest.raises(Failure, match="is disabled"):
        command("token", "ann")
    command("user", "enable", "ann")
    with connect(f"{server.websocket_url}{SOCKET}?token={token}") as peer:
        assert json.loads(peer.recv(deadline(1))) == {"connected": True}


def test_after_a_key_rotation_the_running_server_takes_old_and_new_tokens(
    server: ServerProcess, command: Command
) -> None:
    old = command("token", "admin").strip()
    assert "from now on" in command("key", "rotate")
    new = command("token", "admin").strip()

    def opens(token: str) -> bool:
        try:
            with connect(f"{server.websocket_url}{SOCKET}?token={token}"):
                return True
        except InvalidStatus:
            return False

    asyncio.run(eventually(lambda: opens(new), expected_s=2))
    assert opens(old)


def test_groups_are_joined_left_linked_and_unlinked(server: ServerProcess, command: Command) -> None:
    command("group", "add", "Crew")
    command("user", "add", "ben")
    command("user", "join", "ben", "Crew")
    assert "Crew" in _line(command("user", "list"), "ben")
    command("user", "leave", "ben", "Crew")
    assert "Crew" not in _line(command("user", "list"), "ben")
    command("group", "link", "Crew", "View Jobs")
    assert "View Jobs" in _line(command("group", "list"), "Crew")
    command("group", "unlink", "Crew", "View Jobs")
    assert "View Jobs" not in _line(command("group", "list"), "Crew")
    command("user", "password", "ben", "--password", "another")
    command("user", "remove", "ben")
    assert "ben" not in command("user", "list")


def test_the_databases_feeds_are_verified_and_an_epoch_is_begun(server: ServerProcess, command: Command) -> None:
    command("create", "--url", server.url)
    assert command("db", "migrate") == "The schema is up to date.\n"
    first, second = command("db", "new-epoch"), command("db", "new-epoch")
    assert first != second
    assert command("db", "verify").endswith(" feeds checked, 0 faults found.\n")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("token", "nobody"), 1, "'nobody' does not exist"),
        (("token", "admin", "--ttl", "0"), 2, "--ttl"),
        (("token", "admin", "--ttl", "99999999"), 2, "--token-ttl-s"),
        (("token",), 2, "Missing argument"),
        (("user", "add", "admin"), 1, "already"),
        (("user", "add", "a b"), 2, "cannot be a user name"),
        (("user", "add", "ann", "--group", "Nobody"), 1, f"The groups are: '{ADMIN_GROUP}'"),
        (("user", "remove", "ann"), 1, "no user 'ann'"),
        (("user", "password", "admin", "--password", ""), 2, "cannot be empty"),
        (("group", "add", ADMIN_GROUP), 1, "already"),
        (("group", "add", "Crew", "--role", "Boss"), 1, "no role 'Boss'"),
        (("group", "list", "--item", "f" * 32), 1, "no workflow item"),
        (("user", "fly"), 2, "No such command"),
    ],
)
def test_bad_input_is_one_clear_line_and_a_status(
    offline: Command, arguments: tuple[str, ...], status: int, words: str
) -> None:
    with pytest.raises(Failure) as caught:
        offline(*arguments)
    assert caught.value.status == status
    assert words in str(caught.value)
    assert str(caught.value).count("\n") == 1


def test_without_a_database_commands_say_how_to_get_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "token", "admin", "--data-dir", tmp_path / "none"],
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=deadline(3),
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"stepgate: There is no database in {tmp_path / 'none'} yet: start the server once (stepgate serve).\n"
    )
    assert not done.stdout
    assert not (tmp_path / "none").exists()


def _line(table: str, name: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(name))


def test_items_are_made_listed_and_deleted_while_the_server_runs(server: ServerProcess, command: Command) -> None:
    command("user", "add", "ann")
    item_id = command("item", "create", "Field & Co", "--owner", "ann").strip()
    assert f"Field & Co  {item_id}  workflow      ann" in command("item", "list")
    token = command("token", "ann").strip()
    address = f"{server.websocket_url}/workflow/{item_id}/notificationWs?token={token}"
    with connect(address) as peer:
        assert json.loads(peer.recv(deadline(1))) == {"connected": True}
        assert "Field & Co is deleted" in command("item", "delete", item_id, "--yes")
        with pytest.raises(ConnectionClosed) as caught:
            peer.recv(deadline(3))
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4500
    with pytest.raises(Failure, match="There is no workflow item"):
        command("item", "delete", item_id, "--yes")


def test_items_are_deleted_after_a_question(offline: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    item_id = offline("item", "create", "Second").strip()
    monkeypatch.setattr("typer.confirm", lambda text, abort: ("'Second' with all its jobs" in text and abort) or None)
    offline("item", "delete", item_id)
    assert item_id not in offline("item", "list")
    for wrong in (
        ("item", "delete", ITEM_ID, "--yes"),
        ("item", "create", "Workflow"),
        ("item", "create", "x", "--owner", "z"),
    ):
        with pytest.raises(Failure):
            offline(*wrong)


def test_a_portal_role_is_given_and_listed(offline: Command) -> None:
    offline("user", "add", "ben")
    assert "publisher" in offline("user", "role", "ben", "publisher")
    assert "ben    enabled  publisher" in offline("user", "list")
    with pytest.raises(Failure):
        offline("user", "role", "ben", "king")
    with pytest.raises(Failure, match="There is no user"):
        offline("user", "role", "zoe", "publisher")
