"""From a name and a password to a job's websocket, over TLS with the server's own certificate."""

import json
import re
import ssl
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import websockets

from app.services.first_start import ADMIN, ITEM_ID
from tests.conftest import StartServer
from tests.support import deadline

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"


async def test_a_client_finds_its_way_from_the_portal_to_the_websocket(
    start_server: StartServer, tmp_path: Path
) -> None:
    """All three logins; every address followed is one that the server has told."""
    data = tmp_path / "data"
    server = start_server(data_dir=data, tls_self_signed=True, admin_password=PASSWORD)
    trust = ssl.create_default_context(cafile=str(data / "tls-certificate.pem"))
    async with httpx2.AsyncClient(verify=trust, timeout=deadline(3)) as client:
        info = (await client.get(f"{server.url}/portal/sharing/rest/info?f=json")).json()
        form = {"username": ADMIN, "password": PASSWORD, "referer": "http", "expiration": "60", "f": "json"}
        generated = (await client.post(info["authInfo"]["tokenServicesUrl"], data=form)).json()["token"]
        signed_in = await _sign_in(client, server.url)
        for token in (generated, signed_in, server.token()):
            workflow = await _find_item(client, server.url, token)
            address = f"wss{workflow.removeprefix('https')}/notificationWs?token={token}"
            async with websockets.connect(address, ssl=trust, open_timeout=deadline(3)) as socket:
                assert json.loads(await socket.recv())["connected"] is True
    assert PASSWORD not in server.log
    assert "eyJ" not in server.log


async def _sign_in(client: httpx2.AsyncClient, url: str) -> str:
    query = {"response_type": "token", "client_id": "pythonapi", "redirect_uri": url, "state": "s", "expiration": "600"}
    page = (await client.get(f"{url}/sharing/rest/oauth2/authorize", params=query)).text
    found = re.search(r"\{.*\}", page)
    assert found
    form = json.loads(found[0]) | {"username": ADMIN, "password": PASSWORD, "expiration": "600"}
    done = await client.post(f"{url}/sharing/oauth2/signin", data=form)
    assert done.status_code == httpx2.codes.FOUND
    return parse_qs(urlsplit(done.headers["location"]).fragment)["access_token"][0]


async def _find_item(client: httpx2.AsyncClient, url: str, token: str) -> str:
    """The address of the workflow item, by way of the portal's servers."""
    client.headers["X-Esri-Authorization"] = f"Bearer {token}"
    sharing = f"{url}/portal/sharing/rest"
    portal = (await client.get(f"{sharing}/portals/self?f=json")).json()
    assert portal["user"]["username"] == ADMIN
    item = (await client.post(f"{sharing}/content/items/{ITEM_ID}", data={"f": "json"})).json()
    assert item["type"] == "Workflow"
    (server,) = (await client.get(f"{sharing}/portals/{portal['id']}/servers?f=json")).json()["servers"]
    workflow = f"{server['url']}/workflow/{item['id']}"
    assert "itemVersion" in (await client.get(workflow)).json()
    return str(workflow)
