"""A command imports what it needs and nothing else, and the command line helps whoever mistypes."""

import subprocess
import sys

import pytest

from app import cli
from tests.support import deadline

SERVER = ("starlette", "uvicorn", "alembic", "app.api", "app.hub", "app.steps")
STORE = ("sqlalchemy", "sqlite3", "app.store")
NOBODY_THERE = ("--token", "t", "--url", "http://127.0.0.1:1")

CASES = [
    pytest.param(["--help"], (*SERVER, *STORE), id="help"),
    *(
        pytest.param([command, "job", *NOBODY_THERE], (*SERVER, *STORE, "app.services"), id=command)
        for command in ("show", "watch", "answer", "run", "finish", "stop", "hold", "release")
    ),
    pytest.param(["create", *NOBODY_THERE], (*SERVER, *STORE, "app.services"), id="create"),
    pytest.param(["serve", "--workers", "2"], (*SERVER, *STORE), id="serve, asked for in a wrong way"),
]

PROBE = """
import sys
from app import cli
status = cli.run(sys.argv[1:])
print("imported:", *sorted(sys.modules))
"""


def imported_by(*arguments: str, **environment: str) -> set[str]:
    """Run a command in a process of its own; the modules that it has imported by its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        env={"PATH": "", **environment},
        capture_output=True,
        text=True,
        timeout=deadline(4),
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(("arguments", "unwanted"), CASES)
def test_a_command_does_not_import_what_it_does_not_use(arguments: list[str], unwanted: tuple[str, ...]) -> None:
    assert not imported_by(*arguments).intersection(unwanted)


@pytest.mark.parametrize("arguments", [["token", "admin"], ["user", "add", "x", "--password", "y"]])
def test_a_command_on_the_database_imports_no_server(arguments: list[str], database: str) -> None:
    imported = imported_by(*arguments, STEPGATE_DATA_DIR=database)
    assert "app.store.sqlite" in imported, "the command did not get as far as the database"
    assert not imported.intersection((*SERVER, "stepgate_client", "httpx2"))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data folder with an empty database in it: a command opens it and then finds nobody."""
    folder = str(tmp_path_factory.mktemp("data"))
    assert cli.run(["db", "migrate", "--data-dir", folder]) == 0
    return folder


def test_every_command_is_found_where_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    whole = capsys.readouterr().out
    for command in (command for commands in cli.MODULES.values() for command in commands):
        assert f" {command} " in whole
        assert cli.run([command, "--help"]) == 0
        assert f"Usage: stepgate {command} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["frobnicate"], "No such command 'frobnicate'. See: "),
        (["wacth"], "No such command 'wacth'. Did you mean 'watch'? See: "),
        (["hold"], "Missing argument 'JOB'. See: "),
        (["user", "add", "x", "--pasword", "y"], "No such option: --pasword"),
    ],
)
def test_a_wrong_command_line_tells_the_way_to_the_right_one(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2
    written = capsys.readouterr().err
    assert written.startswith(f"stepgate: {told}")
    assert written.endswith("--help\n")
    assert written.count("\n") == 1


def test_no_command_at_all_shows_the_help_and_no_empty_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 2
    output = capsys.readouterr()
    assert "Usage:" in output.out
    assert not output.err
