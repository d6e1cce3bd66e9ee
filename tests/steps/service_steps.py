"""Jobs with one step of the server in them, and the clients that such steps use in tests."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from app.services.attachment_files import AttachmentFiles
from app.services.ports import Setting, Store, Vault
from app.steps.addresses import AddressGuard
from app.steps.http import MAX_RESPONSE_BYTES, HttpClient, trust
from app.steps.limits import FairLimit
from app.steps.web_request import WebRequest
from app.steps.web_request_dispatch import WebRequestSender
from app.store.blobs import FileBlobStore
from tests.conftest import Settings
from tests.support.world import World, open_world, step

TLS = trust()

WAYS_OUT = [
    {"nextStep": "good", "expression": "$retVal == $stepSuccess"},
    {"nextStep": "404", "expression": "$retVal == 404"},
    {"nextStep": "text", "expression": "$retVal == 'green'"},
]


@asynccontextmanager
async def http_client(allowed: Iterable[str] = ("127.0.0.0/8",)) -> AsyncIterator[HttpClient]:
    """A client that may reach the counterparts of tests."""
    client = HttpClient(AddressGuard(allowed), tls=TLS)
    try:
        yield client
    finally:
        await client.close()


class Later:
    """A store that is there once its world is open: executors are made before."""

    store: Store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@asynccontextmanager
async def web_world(
    http: HttpClient, settings: Settings, *, per_host: int = 20, **options: Any
) -> AsyncIterator[World]:
    """A world that sends web requests, and tries again without a pause."""
    later = Later()
    folder = Path(str(settings["data_dir"])) / "attachments"
    files = AttachmentFiles(cast("Store", later), FileBlobStore(folder), max_bytes=MAX_RESPONSE_BYTES)
    hosts, pauses_s = FairLimit("host", per_host), (0.0,) * 5
    executor, sender = (
        WebRequest(http, files, hosts, pauses_s=pauses_s),
        WebRequestSender(http, hosts, pauses_s=pauses_s),
    )
    async with open_world(settings, [executor], senders=lambda _: [sender], **options) as world:
        later.store = world.store
        yield world


async def job_with(world: World, kind: str, args: dict[str, Any], **members: Any) -> str:
    """A job whose first step is done by the server; ``good`` follows a success, ``404`` and ``text`` a value."""
    steps = [step("serve", kind, args=args, paths=WAYS_OUT, **members), step("good"), step("404"), step("text")]
    return await world.create(await world.template(steps))


async def ended(world: World, job_id: str, *, seconds: float = 5) -> dict[str, Any]:
    """Wait until the server's step has finished or failed; returns the body of the message that says so."""
    kinds = {"StepFinished", "StepError", "StepStopped", "StepCancelled"}
    await world.ear.until(lambda: kinds & set(world.ear.types(job_id)), seconds)
    (kind,) = kinds & set(world.ear.types(job_id))
    return {"msgType": kind, **world.ear.bodies(job_id, kind)[-1]}


def is_finished(world: World, job_id: str) -> bool:
    """The step has finished, whatever it told before."""
    return "StepFinished" in world.ear.types(job_id)


def told_codes(world: World, job_id: str) -> set[str]:
    """The codes of all progress told so far."""
    return {body["msgCode"] for body in world.ear.bodies(job_id, "StepProgress")}


async def at(world: World, job_id: str) -> list[str]:
    """The ids of the current steps."""
    return [current.step_id for current in (await world.job(job_id)).flow.steps]


async def keep_secret(world: World, vault: Vault, name: str, value: str) -> None:
    """A setting of the item, encrypted."""
    sealed = vault.seal(value.encode())
    await world.execute(lambda unit: unit.tx.put_setting(unit.item, Setting(name, sealed, True)))
