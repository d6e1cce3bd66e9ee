"""``stepgate client`` and ``stepgate project``: programs and projects of the v3 API, beside no server."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli
from app.bootstrap import run_gateway
from app.services import api_clients
from app.services.ports import ApiClient
from app.settings import Settings
from app.store.sqlite import SqliteStore
from tests.store.databases import parse_diagram

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that was served once."""

    async def start_once() -> None:
        async with run_gateway(Settings(data_dir=tmp_path / "data"), lambda _: None):
            pass

    asyncio.run(start_once())
    return tmp_path / "data"


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command; gives its status and what it wrote."""
    for name in [name for name in os.environ if name.startswith("STEPGATE_") and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STEPGATE_DATA_DIR", str(folder))

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = cli.run(list(arguments))
        return status, *capsys.readouterr()

    return run


def done(command: Command, *arguments: str) -> str:
    status, out, err = command(*arguments)
    assert (status, err) == (0, "")
    return out


def test_projects_are_added_with_a_number_and_listed(command: Command) -> None:
    first, second = done(command, "project", "add", "House style"), done(command, "project", "add", "Other")
    assert int(first) < int(second)
    listed = done(command, "project", "list").splitlines()
    assert listed[0].split() == ["NUMBER", "NAME"]
    assert listed[1] == f"{first.strip():<6}  House style"


@pytest.mark.parametrize(("name", "status"), [("House style", 1), (" ", 2), ("a\nb", 2), ("x" * 201, 2)])
def test_a_project_needs_a_name_of_its_own(command: Command, name: str, status: int) -> None:
    done(command, "project", "add", "House style")
    found, out, err = command("project", "add", name)
    assert (found, out) == (status, "")
    assert err.startswith("stepgate: ")


def test_a_program_is_told_its_secret_once_and_only_its_hash_is_kept(command: Command, folder: Path) -> None:
    client_id, secret = done(command, "client", "add", "Desk", "--scope", "jobs", "--scope", "print.services").split()
    listed = done(command, "client", "list")
    assert client_id in listed
    assert "jobs print.services" in listed
    assert secret not in listed
    assert all(secret.encode() not in file.read_bytes() for file in folder.iterdir() if file.is_file())
    found = asyncio.run(_checked(folder, client_id, secret))
    assert (found.name, found.username) == ("Desk", None)
    assert "gets no more tokens" in done(command, "client", "remove", client_id)
    assert client_id not in done(command, "client", "list")


async def _checked(folder: Path, client_id: str, secret: str) -> ApiClient:
    store = SqliteStore(folder / "stepgate.db", parse_diagram)
    await store.open()
    try:
        return await store.read(lambda tx: api_clients.check(tx, client_id, secret))
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("add", "Desk"), 1, "already"),
        (("add", "X", "--user", "nobody"), 1, "no user 'nobody'"),
        (("add", "X", "--scope", "everything"), 2, "There is no scope 'everything'"),
        (("add", ""), 2, "cannot be"),
        (("remove", "nothing"), 1, "no program"),
    ],
)
def test_a_program_that_cannot_be_is_refused_with_the_reason(
    command: Command, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done(command, "client", "add", "Desk", "--user", "admin")
    found, _, err = command("client", *arguments)
    assert found == status
    assert words in err
