"""Who speaks to the served item in the tests of conformance, and how they hear what it tells."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import anyio
from starlette.testclient import TestClient, WebSocketTestSession

from app.domain.access import ADMIN_ROLE, DEFAULT_ROLES, Role
from app.services.first_start import ADMIN, ITEM_ID, ORG_ID
from app.services.ports import Group, Item, Tx
from tests.api.conftest import ITEM, Api, error, ok
from tests.support import deadline

SECOND_ID = "2" * 32
SECOND = f"/{ORG_ID}/{SECOND_ID}"
"""An item of its own, in which nobody of the first one has a role."""

DESIGNER, ADVANCED, BASIC, VIEWER = "designer", "advanced", "basic", "viewer"
ROLE_OF = {
    DESIGNER: "Workflow Designer",
    ADVANCED: "Manage Jobs - Advanced",
    BASIC: "Manage Jobs - Basic",
    VIEWER: "View Jobs",
}
"""A user of each default role, in a group of the same name; ``admin`` has the fifth."""

OUTSIDER, STRANGER = "outsider", "stranger"
"""A user without any role, and the administrator of the second item."""

_numbers = count(1)


def fresh(word: str) -> str:
    """A name or id that no test has used yet."""
    return f"{word}-{next(_numbers)}"


@dataclass
class Person(Api):
    """One user of one item; ``root`` is the item's address. Helpers that must succeed are those of ``Api``."""

    root: str = ITEM

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request below the item, with the user's token unless headers are given; the path is taken as it is."""
        options.setdefault("headers", {"Authorization": f"Bearer {self.token()}"})
        return self.client.request(method, f"{self.root}/{path}" if path else self.root, **options)

    def put(self, path: str, body: Any) -> Any:
        """The JSON of a PUT that must succeed."""
        return ok(self.call("PUT", path, json=body))

    def delete(self, path: str) -> Any:
        """The JSON of a DELETE that must succeed."""
        return ok(self.call("DELETE", path))

    def not_found(self, path: str) -> dict[str, Any]:
        """The error object of a GET of what is not there."""
        return error(self.call("GET", path), 404)

    def made(self, steps: list[dict[str, Any]], **members: Any) -> str:
        """An active template of its own, on an active diagram of these steps; returns its id."""
        name = fresh("Made")
        return self.template(name, self.diagram(name, steps), **members)

    def job_on(self, *steps: dict[str, Any], **members: Any) -> str:
        """A job on a diagram of its own, its first step assigned to this person."""
        return self.job(self.made(list(steps)), **members)

    def read(self, job_id: str) -> dict[str, Any]:
        """A job with all that it has."""
        return cast(dict[str, Any], self.get(f"jobs/{job_id}?extProps=true&holds=true"))

    def status(self, job_id: str, kind: str, **members: Any) -> list[str]:
        """What an action came to, step by step."""
        return [each["status"] for each in self.action(job_id, kind, **members)["stepResponses"]]

    def acts(self, job_id: str, *kinds: str, **members: Any) -> None:
        """Actions that must succeed."""
        for kind in kinds:
            answer = self.action(job_id, kind, **members)
            assert answer["success"], answer

    def history(self, job_id: str) -> list[str]:
        """The actions of a job's history, in order."""
        return [line["action"] for line in self.get(f"jobs/{job_id}/history")["jobHistory"]]

    @contextmanager
    def watch(self, *job_ids: str) -> Iterator["Watcher"]:
        """A websocket that is subscribed to these jobs, the first frames read."""
        with self.client.websocket_connect(f"{self.root}/notificationWs?token={self.token()}") as session:
            watcher = Watcher(session)
            assert watcher.next() == {"connected": True}
            for job_id in job_ids:
                watcher.subscribe(job_id)
            yield watcher


@dataclass
class Watcher:
    """What one websocket hears; ``seqs`` are the numbers of the last messages of the jobs."""

    session: WebSocketTestSession
    seqs: dict[str, int] = field(default_factory=dict)

    def send(self, **frame: Any) -> None:
        self.session.send_json(frame)

    def next(self) -> dict[str, Any]:
        """The next frame."""
        message = self.session.portal.call(self._receive)
        assert message["type"] == "websocket.send", message
        frame: dict[str, Any] = json.loads(message.get("text") or message["bytes"])
        if "seq" in frame:
            self.seqs[frame["message"]["jobId"]] = frame["seq"]
        return frame

    async def _receive(self) -> Any:
        with anyio.fail_after(deadline(1)):
            return await self.session._send_rx.receive()

    def until(self, msg_type: str) -> dict[str, Any]:
        """The body of the next frame of a type; those before it are passed over."""
        while (frame := self.next())["msgType"] != msg_type:
            pass
        return cast(dict[str, Any], frame["message"])

    def types(self, last: str) -> list[str]:
        """The types of the next frames, up to the first one of type ``last``."""
        found = [self.next()["msgType"]]
        while found[-1] != last:
            found.append(self.next()["msgType"])
        return found

    def subscribe(self, job_id: str) -> dict[str, Any]:
        """Its ``JobState``."""
        self.send(msgType="subscribe", jobIds=[job_id])
        state = self.until("JobState")
        self.seqs[job_id] = state["seq"]
        return state

    def answer(self, job_id: str, step_id: str, **members: Any) -> None:
        """Answer a step as clients do."""
        self.send(msgType="StepInfoResponse", message={"jobId": job_id, "stepId": step_id} | members)


# ---------------------------------------------------------------- the house


def furnish(tx: Tx) -> None:
    """Add the people, and the second item with its own administrator."""
    first = tx.item(ORG_ID, ITEM_ID)
    assert first is not None
    for name, role in ROLE_OF.items():
        hire(tx, first, name, role)
    tx.add_user(OUTSIDER, None)
    second = tx.add_item(SECOND_ID, ORG_ID, "Second")
    for each in DEFAULT_ROLES:
        tx.put_role(second, each)
    tx.put_lookups(second, "priority", [("Low", 0)])
    hire(tx, second, STRANGER, ADMIN_ROLE)


def hire(tx: Tx, item: Item, name: str, role_name: str) -> None:
    """Add a user in a group of the same name that has a role."""
    tx.add_user(name, None)
    tx.add_group(Group(name, name.title()))
    tx.set_member(name, name, True)
    tx.link_role(item, name, role_name, True)
    tx.bump_access(item)


def hire_with(client: TestClient, *privileges: str) -> Person:
    """A new user of the first item who has these privileges and no others."""
    name = fresh("user")

    def add(tx: Tx) -> None:
        item = tx.item(ORG_ID, ITEM_ID)
        assert item is not None
        tx.put_role(item, Role(name, "Of one test.", privileges))
        hire(tx, item, name, name)

    run(client, add)
    return Person(client, name)


def run(client: TestClient, use_case: Any) -> Any:
    """Run a use case of the store's."""
    assert client.portal is not None
    return client.portal.call(Person(client, ADMIN).gateway.engine.store.run, use_case)
