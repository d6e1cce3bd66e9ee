"""Workflow items as wholes, on the wire (rest.md 13.3)."""

from typing import Literal

import msgspec


class ItemRequest(msgspec.Struct):
    """How an item is to be made or brought up to date. Both are quick, so with ``async`` they are done as well when the
    answer comes; ``creationStatus`` then says so."""

    is_async: bool | None = msgspec.field(default=None, name="async")


class ItemAnswer(msgspec.Struct, rename="camel"):
    """An item that was made, or brought up to date."""

    item_id: str
    success: bool = True
    status: Literal["Succeeded"] = "Succeeded"


class CreationStatus(msgspec.Struct):
    """An item that can be found was made wholly, and is in the newest form."""

    status: Literal["Succeeded"] = "Succeeded"
