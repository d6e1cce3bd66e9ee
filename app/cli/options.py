"""What the commands share: the options that name the database, and running a use case on it beside a server."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from app.bootstrap import store_of
from app.services.beside import engine_beside
from app.services.engine import Caller, Unit
from app.services.first_start import ITEM_ID, ORG_ID
from app.services.ports import Store
from app.settings import Settings, read_settings

T = TypeVar("T")

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the SQLite database. (STEPGATE_DATA_DIR, default ./stepgate-data)", show_default=False
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(help="PostgreSQL database, postgresql://... (STEPGATE_DATABASE_URL)", show_default=False),
]
ItemId = Annotated[str, typer.Option("--item", help="Workflow item.", envvar="STEPGATE_ITEM")]
DEFAULT_ITEM = ITEM_ID


def settings_of(**options: Any) -> Settings:
    """The settings of this process; options that are None leave it to the variables. Raises SettingsError."""
    return read_settings(os.environ, options)


def on_store(settings: Settings, job: Callable[[Store], Any]) -> Any:
    """Open the database of the settings, await ``job(store)``, close it and return the result.

    Raises what the job raises, and StoreUnavailable when there is no database yet or it cannot be reached.
    """

    async def work() -> Any:
        async with store_of(settings) as store:
            return await job(store)

    return asyncio.run(work())


def execute(settings: Settings, use_case: Callable[[Unit], T], item_id: str = ITEM_ID) -> T:
    """Run a use case as the server itself, in one transaction beside a server that may be running."""
    caller = Caller(ORG_ID, item_id, None)
    result: T = on_store(settings, lambda store: engine_beside(store).execute(caller, use_case))
    return result


def query(settings: Settings, read: Callable[[Unit], T], item_id: str = ITEM_ID) -> T:
    """Run a read-only use case likewise."""
    caller = Caller(ORG_ID, item_id, None)
    result: T = on_store(settings, lambda store: engine_beside(store).query(caller, read))
    return result
