"""The client's administration of whole items, and ``stepgate export`` and ``import``, against a real server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import cli
from stepgate_client import Client, NotFound, RequestRefused
from stepgate_client.messages import ExportCompleted, ImportFailed
from tests.support import ServerProcess, deadline

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path_factory.mktemp("server"), {})
    started.start_on_a_free_port()
    yield started
    started.close()


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.token()


@pytest.fixture
async def client(server: ServerProcess, token: str) -> AsyncIterator[Client]:
    async with Client(server.url, token=token, timeout_s=deadline(3)) as made:
        yield made


async def test_an_item_is_made_filled_and_deleted(client: Client) -> None:
    admin = client.administration
    await client.item.update_settings({"key": "s3cret"}, encrypted=True)
    pieces: list[int] = []
    file = await admin.export_configuration(passphrase="horse", on_bytes=pieces.append)
    assert sum(pieces) == len(file)
    item_id = await admin.create_item("Söcond & Co")
    assert await admin.creation_status(item_id) == "Succeeded"
    await admin.upgrade_item(item_id)
    await admin.import_configuration(file, item_id, passphrase="horse")
    again = await admin.export_configuration(item_id, include_other=False, job_template_ids=[], diagram_ids=[])
    assert len(again) < len(file)
    await admin.delete_item(item_id)
    with pytest.raises(NotFound):
        await admin.creation_status(item_id)


async def test_background_work_is_told_and_fetched(server: ServerProcess, token: str, client: Client) -> None:
    admin = client.administration
    job = (await client.create_jobs()).job_ids[0]
    async with client.notifications(job) as messages:
        await anext(messages)
        export_id = await admin.start_export()
        async for message in messages:
            if isinstance(message, ExportCompleted):
                assert message.export_id == export_id
                break
        file = await admin.fetch_export(export_id)
        assert set(json.loads(await admin.fetch_mapping(export_id))) == {"groups", "users"}
        begun = datetime.now(UTC) - timedelta(seconds=5)
        await admin.start_import(file)
        async for message in messages:
            if isinstance(message, ImportFailed):
                assert "has jobs" in message.msg
                break
    assert "has jobs" in (await admin.logs(start=begun, count=1))[0].message
    assert await admin.logs(end=begun - timedelta(days=1)) == []
    with pytest.raises(RequestRefused, match="has jobs"):
        await admin.import_configuration(file)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = cli.run(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


async def test_a_configuration_goes_through_a_file_of_the_command_line(
    server: ServerProcess, token: str, client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands have an event loop of their own, so they run in a thread."""
    file = tmp_path / "a.wmc"
    at = ("--url", server.url, "--token", token)
    item_id = await client.administration.create_item("By command")
    first = "00000000000000000000000000000001"

    def commands() -> None:
        status, out, err = run(capsys, "export", first, str(file), "--passphrase", "horse", *at)
        assert (status, f"({file.stat().st_size:,} bytes)" in out) == (0, True), err
        status, _, err = run(capsys, "export", first, str(file), *at)
        assert (status, "--force" in err) == (1, True)
        assert run(capsys, "export", first, str(file), "--force", "--no-other", *at)[0] == 0
        assert run(capsys, "export", first, str(file), "--force", "--diagram", "none", *at)[0] == 1
        assert run(capsys, "import", item_id, str(file), *at)[0] == 0
        assert run(capsys, "import", item_id, str(file), "--merge", *at)[0] == 0
        status, _, err = run(capsys, "import", item_id, str(tmp_path / "gone"), *at)
        assert (status, "cannot be read" in err) == (1, True)
        file.write_bytes(b"no zip")
        status, _, err = run(capsys, "import", item_id, str(file), *at)
        assert (status, "zip" in err) == (1, True)

    await asyncio.to_thread(commands)


async def test_what_an_import_has_left_out_is_said(
    server: ServerProcess, token: str, client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await client.item.update_settings({"hidden": "s3cret"}, encrypted=True)
    file = tmp_path / "a.wmc"
    file.write_bytes(await client.administration.export_configuration())
    item_id = await client.administration.create_item("Without secrets")
    at = ("--url", server.url, "--token", token)
    status, out, err = await asyncio.to_thread(run, capsys, "import", item_id, str(file), *at)
    assert (status, "was imported" in out, "'hidden'" in err) == (0, True, True)
