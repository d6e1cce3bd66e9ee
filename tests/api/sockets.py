"""The whole application behind a real uvicorn, and clients on real websockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.api.state import Gateway
from app.asgi import create_app
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.settings import Settings
from tests.api.served import serve
from tests.support import deadline

ITEM = f"{ORG_ID}/{ITEM_ID}"


@dataclass
class Client:
    """One websocket of the item."""

    socket: ClientConnection

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def next(self, seconds: float = 1) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(deadline(seconds)):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
        return frame

    async def until(self, msg_type: str) -> dict[str, Any]:
        """The body of the next frame of a type; those before it are passed over."""
        while (frame := await self.next())["msgType"] != msg_type:
            pass
        return cast(dict[str, Any], frame["message"])

    async def subscribe(self, job_id: str, **members: Any) -> dict[str, Any]:
        await self.send(msgType="subscribe", jobIds=[job_id], **members)
        return await self.until("JobState")

    async def answer(self, job_id: str, step_id: str, **members: Any) -> None:
        request_id = members.pop("requestId", None)
        await self.send(
            msgType="StepInfoResponse", requestId=request_id, message={"jobId": job_id, "stepId": step_id} | members
        )

    async def closed(self) -> int:
        """Read to the end; the close code."""
        async with asyncio.timeout(deadline(1)):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else 1006


@dataclass
class Site:
    """A served application on an empty database."""

    address: str
    gateway: Gateway
    http: httpx2.AsyncClient

    @property
    def url(self) -> str:
        return f"ws://{self.address}/{ITEM}/notificationWs"

    def token(self, username: str = ADMIN, ttl_s: float = 3600) -> str:
        return self.gateway.tokens.issue(username, ttl_s)

    @asynccontextmanager
    async def connected(self, username: str = ADMIN, ttl_s: float = 3600, **options: Any) -> AsyncIterator[Client]:
        """A websocket with a token in the query, its first frame read."""
        options = {"max_size": None, "open_timeout": deadline(3)} | options
        async with connect(f"{self.url}?token={self.token(username, ttl_s)}", **options) as socket:
            client = Client(socket)
            assert await client.next() == {"connected": True}
            yield client

    async def post(self, path: str, body: Any, username: str = ADMIN) -> Any:
        headers = {"Authorization": f"Bearer {self.token(username)}"}
        response = await self.http.post(f"http://{self.address}/{ITEM}/{path}", json=body, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    async def job(self, steps: list[dict[str, Any]]) -> str:
        """A job on a diagram of these steps, assigned to the administrator."""
        name = f"D{id(steps)}"
        diagram = {"diagramName": name, "displayGrid": True, "active": True, "steps": steps}
        diagram_id = (await self.post("diagrams", diagram))["diagramId"]
        template = {
            "jobTemplateName": name,
            "diagramId": diagram_id,
            "diagramName": name,
            "defaultPriorityName": "Low",
            "state": "Active",
            "defaultAssignedType": "User",
            "defaultAssignedTo": ADMIN,
        }
        template_id = (await self.post("jobTemplates", template))["jobTemplateId"]
        return cast(str, (await self.post(f"jobTemplates/{template_id}/job", {}))["jobIds"][0])

    async def act(self, job_id: str, kind: str, **members: Any) -> Any:
        return await self.post(f"jobs/{job_id}/action", {"type": kind} | members)


@asynccontextmanager
async def open_site(folder: Path, kind: str = "raw", **settings: Any) -> AsyncIterator[Site]:
    """Serve the application from a data folder."""
    wanted = Settings(data_dir=folder, admin_password="pw", **settings)
    app = create_app(wanted)
    async with (
        serve(app, kind, ws_max_size=wanted.max_frame_bytes, lifespan="on") as address,
        httpx2.AsyncClient(verify=False, timeout=deadline(2)) as http,
    ):
        yield Site(address, app.state.gateway, http)


def question(step_id: str = "ask", *nexts: str, **members: Any) -> dict[str, Any]:
    """A question whose answers are 1 (Yes) and 0 (No)."""
    answers = {
        "Yes": {"displayName": "Yes", "value": 1, "order": 0},
        "No": {"displayName": "No", "value": 0, "order": 1},
    }
    return {
        "id": step_id,
        "name": step_id,
        "action": {"actionType": "Question", "args": {"question": "Sure?", "questionResponses": answers}},
        "paths": [{"nextStep": name} for name in nexts],
    } | members


def manual(step_id: str, *nexts: str) -> dict[str, Any]:
    """A manual step that asks nothing."""
    return {"id": step_id, "name": step_id, "proceedNext": True, "paths": [{"nextStep": name} for name in nexts]}
