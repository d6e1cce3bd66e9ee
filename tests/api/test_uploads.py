"""Uploads over a real connection: slow ones keep nobody waiting, and one that breaks off leaves nothing."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from app.api.state import Gateway
from app.asgi import create_app
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID, TEMPLATE_ID
from app.settings import Settings
from tests.api.served import serve
from tests.support import deadline

pytestmark = pytest.mark.anyio

ITEM = f"/{ORG_ID}/{ITEM_ID}"
PIECE = b"x" * 300_000


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells of: what is in a folder."""
    async with asyncio.timeout(deadline(3)):
        while not condition():  # noqa: ASYNC110 - a folder wakes nobody
            await asyncio.sleep(0.02)


def unfinished(folder: Path) -> int:
    """Files that are being written and have bytes already."""
    return sum(path.stat().st_size > 0 for path in (folder / "attachments" / "unfinished").glob("*"))


async def test_a_slow_upload_is_not_seen_and_holds_up_nobody_and_an_aborted_one_leaves_nothing(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path, admin_password="pw"))
    async with serve(app) as address, httpx2.AsyncClient(base_url=f"http://{address}", timeout=deadline(3)) as client:
        gateway: Gateway = app.state.gateway
        client.headers["Authorization"] = f"Bearer {gateway.tokens.issue(ADMIN, 3600)}"
        made = await client.post(f"{ITEM}/jobTemplates/{TEMPLATE_ID}/job", json={})
        path = f"{ITEM}/jobs/{made.json()['jobIds'][0]}/attachments"
        host, port = address.split(":")
        peers = []
        for _ in range(3):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {client.headers['Authorization']}\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n"
                '--b\r\nContent-Disposition: form-data; name="attachment"; filename="a"\r\n\r\n'.encode()
                + PIECE
            )
            peers.append(writer)
        await until(lambda: unfinished(tmp_path) == len(peers))
        assert (await client.get(path)).json() == {"attachments": []}
        assert (await client.post(path, files={"attachment": ("b", b"quick")})).status_code == 200
        for writer in peers:
            writer.transport.abort()
        await until(lambda: unfinished(tmp_path) == 0)
        async with asyncio.timeout(deadline(3)):
            while await gateway.engine.store.read(lambda tx: tx.loose_blobs(tx.now_ms() + 10**9)):
                await gateway.files.sweep()
        assert [each["alias"] for each in (await client.get(path)).json()["attachments"]] == ["b"]
        assert len(list((tmp_path / "attachments").glob("*.blob"))) == 1


async def test_what_one_server_took_another_hands_out(postgres_url: str, tmp_path: Path) -> None:
    """In the database, without a folder in common; and gone on both when it is deleted through either."""
    one, two = (
        create_app(Settings(data_dir=tmp_path / name, database_url=postgres_url, admin_password="pw"))
        for name in ("one", "two")
    )
    data = PIECE * 3
    async with serve(one) as first, serve(two) as second, httpx2.AsyncClient(timeout=deadline(3)) as client:
        client.headers["Authorization"] = f"Bearer {one.state.gateway.tokens.issue(ADMIN, 3600)}"
        made = await client.post(f"http://{first}{ITEM}/jobTemplates/{TEMPLATE_ID}/job", json={})
        path = f"{ITEM}/jobs/{made.json()['jobIds'][0]}/attachments"
        added = await client.post(f"http://{first}{path}", files={"attachment": ("a.bin", data)})
        file = f"{path}/{added.json()['url'].rpartition('/')[2]}"
        assert (await client.get(f"http://{second}{file}")).content == data
        ranged = await client.get(f"http://{second}{file}", headers={"Range": "bytes=299999-300001"})
        assert (ranged.status_code, ranged.content) == (206, data[299_999:300_002])
        assert (await client.delete(f"http://{second}{file}")).json() == {"success": True}
        assert (await client.get(f"http://{first}{file}")).status_code == 404
