"""Puts the parts together: the only module that names concrete classes.

``run_gateway`` gives a serving process its parts; ``store_of`` and ``tokens_of`` give a command beside it its own.
Each function imports the classes it names: a command that needs a token need not wait for the server to be imported.
"""

import asyncio
import fcntl
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from app.errors import BackendError, Conflict, GatewayError, StoreUnavailable
from app.settings import Settings

if TYPE_CHECKING:
    from app.api.state import Gateway
    from app.auth.tokens import Tokens
    from app.domain.diagram import Diagram
    from app.services.attachment_files import AttachmentFiles
    from app.services.ports import Bus, Store
    from app.steps.http import HttpClient
    from app.steps.runner import Runner
    from app.store.copying import OnProgress
    from app.store.postgres import PostgresStore

DATABASE_FILE = "stepgate.db"
LOCK_FILE = "serving.lock"

ATTACHMENTS_FOLDER = "attachments"

KEYS_REFRESH_S = 2.0
"""How long another process's new signing key may stay unknown here."""

FILES_SWEEP_S = 5.0
"""How long the bytes of a deleted attachment stay at most, and how often it is looked for such."""

ANSWERS_SWEEP_S = 600.0
"""How often it is looked for answers whose idempotency keys are older than a day."""

ITEMS_SWEEP_S = 2.0
"""How often it is looked for what is left of deleted workflow items."""

_log = logging.getLogger(__name__)

OnFirstStart = Callable[[str], None]
"""Called once in a database's life with the password of ``admin``."""


@asynccontextmanager
async def run_gateway(settings: Settings, on_first_start: OnFirstStart) -> AsyncIterator["Gateway"]:
    """Open everything a serving process needs, in order; close it in the reverse order.

    Raises:
        Conflict: another server serves from this data folder.
        StoreUnavailable: the database cannot be reached, migrated or written, or its keys cannot be opened.
        BusUnavailable: the URL of Redis has an option that makes no sense. A Redis that is away is no error.
    """
    from app.api.state import Gateway
    from app.auth.logins import Logins
    from app.auth.sealing import Sealer
    from app.hub.hub import Hub
    from app.services import item_tasks, items, keyed
    from app.services.engine import Engine
    from app.services.managed_webhooks import ManagedWebhooks
    from app.steps.feature_services import RestFeatureServices
    from app.steps.http import trust
    from app.steps.item_tasks import ItemTasks
    from app.steps.limits import FairLimit
    from app.steps.mailer import Mailer
    from app.steps.registry import executors, senders
    from app.steps.runner import Runner

    async with AsyncExitStack() as parts:
        if settings.uses_sqlite:
            parts.enter_context(_served_alone(settings.data_dir))
        await migrate_database(settings)
        store = await parts.enter_async_context(store_of(settings))
        await _fill_empty_database(settings, store, on_first_start)
        tokens = await tokens_of(settings, store)
        await parts.enter_async_context(_task(_keep_keys_fresh(tokens, store), "signing keys"))
        files = _attachment_files(settings, store)
        for name, sweep, every_s in (
            ("attachment files", files.sweep, FILES_SWEEP_S),
            ("kept answers", partial(keyed.sweep, store), ANSWERS_SWEEP_S),
            ("deleted items", partial(items.sweep, store), ITEMS_SWEEP_S),
            ("old exports and imports", partial(item_tasks.sweep, store), ANSWERS_SWEEP_S),
        ):
            await parts.enter_async_context(_task(_keep_swept(name, sweep, every_s), name))
        bus = await _bus(settings, store)
        hub = Hub(store, bus, settings)
        http = _http_client(settings)
        parts.push_async_callback(http.close)
        mailer = Mailer(settings.email_timeout_s, lambda: trust(settings.trusted_certificates))
        hosts = FairLimit("host", settings.max_steps_per_host)
        runner = Runner(
            store,
            hub.post,
            executors(http, mailer, files, hosts),
            senders(http, mailer, files, hosts),
            lease_s=settings.node_lease_s,
            renew_s=settings.node_renew_s,
            per_template=settings.max_steps_per_template,
        )
        engine = Engine(store, hub, runner, Sealer(settings.secret_key))
        webhooks = ManagedWebhooks(engine, RestFeatureServices(http, hosts))
        runner.attach(engine)
        await hub.open()
        parts.push_async_callback(hub.close)
        await runner.open()
        parts.push_async_callback(_give_up_runs, runner)
        tasks = ItemTasks(store, engine, files, lambda: runner.node_id)
        tasks.open()
        parts.push_async_callback(tasks.close)
        yield Gateway(settings, engine, hub, bus, tokens, files, Logins(store), webhooks, tasks)


@asynccontextmanager
async def store_of(settings: Settings) -> AsyncIterator["Store"]:
    """The open store of the settings, for a server or for a command beside it. Raises StoreUnavailable."""
    store = _store(settings)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def tokens_of(settings: Settings, store: "Store") -> "Tokens":
    """Tokens with the database's keys. Raises StoreUnavailable when STEPGATE_SECRET_KEY is not what it was."""
    from app.auth.sealing import Sealer
    from app.auth.tokens import Tokens

    tokens = Tokens(store.now_ms, Sealer(settings.secret_key))
    await tokens.refresh(store)
    return tokens


async def migrate_database(settings: Settings) -> None:
    """Create the database or bring its schema up to date; one process at a time does it, the others wait."""
    if settings.uses_sqlite:
        _make_folder(settings.data_dir)
    from app.store.migrate import migrate  # Alembic: a third of the time that `stepgate token` would need to start

    await migrate(settings.database_url or f"sqlite:///{_database_file(settings)}")


def copy_to_postgres(
    source: Settings, target: Settings, on_progress: "OnProgress", on_counted: Callable[[int], None]
) -> None:
    """Copy a data folder's database into the empty PostgreSQL database ``target``, and compare the two row by row.

    Args:
        on_counted: called once with the number of rows; then ``on_progress`` hears of each of them twice.

    Raises:
        Conflict: a server serves from the data folder, the target is not empty, or something did not arrive as it was.
        StoreUnavailable: one of the databases cannot be used, or the master key is not the right one.
    """
    from app.auth.sealing import Sealer
    from app.store.copying import copy_database, count_rows
    from app.store.copying_blobs import check_files, copy_files, files_of

    file, folder = _existing_database_file(source), _attachments_folder(source)
    copy_blobs = check_files if _keeps_files(target) else copy_files
    with _served_alone(source.data_dir):
        on_counted(count_rows(file) + len(files_of(folder)))
        sealer = Sealer(target.secret_key)
        copy_database(file, target.database_url or "", sealer, partial(copy_blobs, folder), on_progress)


async def prepare_database(settings: Settings, on_first_start: OnFirstStart) -> None:
    """Do to the database what a start does, before several processes serve from it. Raises StoreUnavailable."""
    await migrate_database(settings)
    async with store_of(settings) as store:
        await _fill_empty_database(settings, store, on_first_start)
        await tokens_of(settings, store)


def new_signing_key(settings: Settings) -> tuple[str, bytes]:
    """The id of a new key, and its 256 random bits as they are to be stored."""
    from app.auth.sealing import Sealer
    from app.services.engine import new_id

    return new_id(), Sealer(settings.secret_key).seal(secrets.token_bytes(32))


def _store(settings: Settings) -> "Store":
    if settings.database_url is not None:
        return _postgres_store(settings, settings.database_url)
    file = _existing_database_file(settings)
    from app.store.sqlite import SqliteStore

    return SqliteStore(file, _parse_diagram, max_waiting=settings.store_queue)


def _postgres_store(settings: Settings, url: str) -> "Store":
    try:
        from app.store.postgres import PostgresStore  # psycopg is an optional part of the installation
    except ImportError as error:
        raise StoreUnavailable("PostgreSQL needs the optional part 'postgres' (or 'all') of this program.") from error
    return PostgresStore(url, _parse_diagram, max_waiting=settings.store_queue, writers=settings.database_connections)


def _attachment_files(settings: Settings, store: "Store") -> "AttachmentFiles":
    from app.services.attachment_files import AttachmentFiles
    from app.store.blobs import DatabaseBlobStore, FileBlobStore

    own = cast("PostgresStore", store)
    blobs = FileBlobStore(_attachments_folder(settings)) if _keeps_files(settings) else DatabaseBlobStore(own)
    return AttachmentFiles(store, blobs, max_bytes=settings.max_attachment_bytes)


def _keeps_files(settings: Settings) -> bool:
    """Attachments are files, not rows."""
    return settings.uses_sqlite or settings.attachments_dir is not None


def _attachments_folder(settings: Settings) -> Path:
    return (settings.attachments_dir or settings.data_dir / ATTACHMENTS_FOLDER).absolute()


def _http_client(settings: Settings) -> "HttpClient":
    """The one client for requests of steps. Raises BackendError."""
    from app.steps.addresses import AddressGuard
    from app.steps.http import HttpClient, trust

    try:
        tls = trust(settings.trusted_certificates)
    except OSError as error:  # ssl.SSLError is one
        file = settings.trusted_certificates
        raise BackendError(f"STEPGATE_TRUSTED_CERTIFICATES: no certificate can be read from {file}.") from error
    return HttpClient(AddressGuard(settings.allowed_addresses), tls=tls)


def _parse_diagram(body: bytes, *, diagram_id: str, version: int) -> "Diagram":
    """Read a stored diagram: imported when the first one is read, for the expressions in it bring a parser along."""
    from app.protocol.diagrams import parse_diagram

    return parse_diagram(body, diagram_id=diagram_id, version=version)


async def _bus(settings: Settings, store: "Store") -> "Bus":
    """The bus of the settings. Channel names begin with the database's epoch: servers of one database hear each other,
    and those of others that use the same Redis do not. Raises BusUnavailable for a URL that makes no sense.
    """
    if settings.redis_url is None:
        from app.bus.memory import MemoryBus

        return MemoryBus()
    from app.bus.redis import RedisBus

    epoch = await store.read(lambda tx: tx.epoch())
    return RedisBus(settings.redis_url, f"stepgate:{epoch}:")


def _database_file(settings: Settings) -> Path:
    return settings.data_dir.absolute() / DATABASE_FILE


def _existing_database_file(settings: Settings) -> Path:
    file = _database_file(settings)
    if not file.exists():
        raise StoreUnavailable(
            f"There is no database in {settings.data_dir} yet: start the server once (stepgate serve)."
        )
    return file


def _make_folder(folder: Path) -> None:
    """Make the data folder, for its owner only: it holds passwords' hashes and keys."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The data folder {folder} cannot be made: {error.strerror}.") from error


@contextmanager
def _served_alone(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock: SQLite means one serving process. A process that dies has let go of it."""
    _make_folder(data_dir)
    with (data_dir / LOCK_FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            other = file.read().strip() or "unknown"
            raise Conflict(
                f"Another server (process {other}) serves from the data folder {data_dir}. Stop it, give another "
                "--data-dir, or use --database-url to serve from several processes."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


async def _fill_empty_database(settings: Settings, store: "Store", on_first_start: OnFirstStart) -> None:
    if await store.read(lambda tx: bool(tx.items())):
        await _ensure_key(settings, store)
        return
    from app.auth.passwords import hash_password
    from app.services.engine import new_id
    from app.services.first_start import FirstPeople, first_start

    password = settings.admin_password or secrets.token_urlsafe(12)
    key_id, secret = new_signing_key(settings)
    hashed = await asyncio.to_thread(hash_password, password)
    people = FirstPeople(hashed, new_id(), key_id, secret)
    try:
        filled = await store.run(lambda tx: first_start(tx, people))
    except Conflict:  # another node was quicker
        filled = await store.run(lambda tx: first_start(tx, people))
    if filled:
        on_first_start(password)


async def _ensure_key(settings: Settings, store: "Store") -> None:
    from app.services.keys import ensure_signing_key

    key_id, secret = new_signing_key(settings)
    await store.run(lambda tx: ensure_signing_key(tx, key_id, secret))


async def _give_up_runs(runner: "Runner") -> None:
    """Close the runner. Without the database it cannot return its lease, which then ends by itself."""
    try:
        await runner.close()
    except BackendError as error:
        _log.warning("the lease could not be returned", extra={"fields": {"error": str(error)}})


async def _keep_keys_fresh(tokens: "Tokens", store: "Store") -> None:
    while True:
        await asyncio.sleep(KEYS_REFRESH_S)
        try:
            await tokens.refresh(store)
        except GatewayError as error:
            _log.warning("the signing keys could not be read", extra={"fields": {"error": str(error)}})


async def _keep_swept(name: str, sweep: Callable[[], Awaitable[Any]], every_s: float) -> None:
    """Remove again and again what is of no more use."""
    while True:
        try:
            await sweep()
        except GatewayError as error:
            _log.warning("%s stay for now", name, extra={"fields": {"error": str(error)}})
        await asyncio.sleep(every_s)


@asynccontextmanager
async def _task(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run a task beside the block; cancel and await it at the end."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
