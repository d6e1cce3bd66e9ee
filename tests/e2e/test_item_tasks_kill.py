"""A server that is killed while it exports, imports or deletes: the next start does what was acknowledged."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from stepgate_client import NotFound, RequestRefused, Unavailable
from stepgate_client.administration import Administration
from tests.conftest import StartServer
from tests.e2e.walker import client_of
from tests.support import eventually
from tests.support.server import ServerProcess

pytestmark = pytest.mark.anyio


async def is_done(admin: Administration, export_id: str, item_id: str) -> bool:
    try:
        return bool(await admin.fetch_export(export_id, item_id))
    except RequestRefused as error:
        if error.type != "ExportNotReady":
            raise
    except Unavailable:
        pass
    return False


async def test_what_was_acknowledged_is_done_after_a_kill(start_server: StartServer, tmp_path: Path) -> None:
    """Killed as soon as the answers have come: whatever was under way then is done by the next start, once."""
    server: ServerProcess = start_server(data_dir=tmp_path / "data", node_lease_s=1.5, node_renew_s=0.5)
    async with client_of(server) as client:
        admin = client.administration
        full, empty = await admin.create_item("Full"), await admin.create_item("Empty")
        file = await admin.export_configuration(full)
        await client.item.replace_lookups("colour", {"Red": 1})
        coloured = await admin.export_configuration()
        exports = [await admin.start_export(full) for _ in range(3)]
        await admin.start_import(coloured, empty)
        await admin.delete_item(await admin.create_item("Gone"))
        server.kill9()
        await asyncio.to_thread(server.start)
        for export_id in exports:
            await eventually(lambda export_id=export_id: is_done(admin, export_id, full), expected_s=5)  # type: ignore[misc]
        assert await admin.fetch_export(exports[-1], full) == file

        async def is_imported() -> bool:
            return await admin.export_configuration(empty) == coloured

        await eventually(is_imported, expected_s=5)

        def is_removed() -> bool:
            with sqlite3.connect(tmp_path / "data" / "stepgate.db") as database:
                return bool(database.execute("SELECT count(*) FROM item WHERE going").fetchone() == (0,))

        await eventually(is_removed, expected_s=5)
        with pytest.raises(NotFound):
            await admin.fetch_export(exports[0], empty)
