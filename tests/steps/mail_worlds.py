"""Worlds whose mail server is a test's."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.services.attachment_files import AttachmentFiles
from app.services.engine import Unit
from app.services.ports import DispatchSender, Group, Setting, StepExecutor, Store
from app.steps.email import EmailExecutor
from app.steps.email_dispatch import EmailSender
from app.steps.http import trust
from app.steps.limits import FairLimit
from app.steps.mailer import Mailer
from app.store.blobs import FileBlobStore
from tests.conftest import Settings
from tests.support import deadline
from tests.support.world import World, open_world

SENDER = "stepgate@example.org"
DEFAULT_TLS = trust()


def mailer(*, timeout_s: float | None = None, tls: ssl.SSLContext = DEFAULT_TLS) -> Mailer:
    return Mailer(timeout_s or deadline(1), lambda: tls)


@asynccontextmanager
async def mail_world(
    settings: Settings, port: int | None, *, own: Mailer | None = None, per_host: int = 10, **more: Any
) -> AsyncIterator[World]:
    """A world whose mail server listens on ``port``; None: not set up."""
    made, hosts = own or mailer(), FairLimit("host", per_host)

    def files(store: Store) -> AttachmentFiles:
        return AttachmentFiles(store, blobs_of(settings), max_bytes=10_000_000)

    def known_executors(store: Store) -> Sequence[StepExecutor]:
        return [EmailExecutor(made, files(store), hosts)]

    def known_senders(store: Store) -> Sequence[DispatchSender]:
        return [EmailSender(made, files(store), hosts)]

    async with open_world(settings, known_executors, senders=known_senders, **more) as world:
        if port is not None:
            await configure(world, smtpServer="127.0.0.1", smtpPort=str(port), smtpDefaultSenderEmail=SENDER)
        yield world


def blobs_of(settings: Settings) -> FileBlobStore:
    return FileBlobStore(Path(str(settings["data_dir"])) / "files")


async def configure(world: World, **values: str) -> None:
    def put(unit: Unit) -> None:
        for name, value in values.items():
            unit.tx.put_setting(unit.item, Setting(name, value.encode(), False))

    await world.execute(put)


async def add_people(world: World) -> None:
    """Ann and Bob are reviewers; Cyd too, and has no address; Dan is disabled."""

    def add(unit: Unit) -> None:
        unit.tx.add_group(Group("g1", "Reviewers"))
        for name, address in (
            ("ann", "ann@example.org"),
            ("bob", "bob@example.org"),
            ("cyd", None),
            ("dan", "d@x.org"),
        ):
            unit.tx.add_user(name, None, None, address)
            unit.tx.set_member(name, "g1", True)
        unit.tx.set_disabled("dan", True)

    await world.execute(add)
