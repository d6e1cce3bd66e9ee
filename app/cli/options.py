"""What the commands share: the options that name the database, and running a use case on it beside a server."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from app.settings import Settings, read_settings

if TYPE_CHECKING:
    from app.services.engine import ServerUnit, Unit
    from app.services.ports import Store

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_ORG = "workflow"
DEFAULT_ITEM = "0" * 31 + "1"
"""What the first start makes (``services/first_start.py``), named again: the terminal client imports no services."""

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


def settings_of(**options: Any) -> Settings:
    """The settings of this process; options that are None leave it to the variables. Raises SettingsError."""
    return read_settings(os.environ, options)


def on_store(settings: Settings, job: Callable[["Store"], Any]) -> Any:
    """Open the database of the settings, await ``job(store)``, close it and return the result.

    Raises what the job raises, and StoreUnavailable when there is no database yet or it cannot be reached.
    """
    from app.bootstrap import store_of  # brings the database's libraries along

    async def work() -> Any:
        async with store_of(settings) as store:
            return await job(store)

    return asyncio.run(work())


def execute(settings: Settings, use_case: Callable[["Unit"], T], item_id: str = DEFAULT_ITEM) -> T:
    """Run a use case as the server itself, in one transaction beside a server that may be running."""
    return _beside(settings, "execute", use_case, item_id)


def query(settings: Settings, read: Callable[["Unit"], T], item_id: str = DEFAULT_ITEM) -> T:
    """Run a read-only use case likewise."""
    return _beside(settings, "query", read, item_id)


def administer(settings: Settings, use_case: Callable[["ServerUnit"], T]) -> T:
    """Run a use case that is not carried out within an item, as the operator."""
    from app.services.beside import engine_beside

    result: T = on_store(settings, lambda store: engine_beside(store).administer(None, use_case))
    return result


def _beside(settings: Settings, how: Literal["execute", "query"], use_case: Callable[["Unit"], T], item_id: str) -> T:
    from app.services.beside import engine_beside
    from app.services.engine import Caller

    caller = Caller(DEFAULT_ORG, item_id, None)
    result: T = on_store(settings, lambda store: getattr(engine_beside(store), how)(caller, use_case))
    return result
