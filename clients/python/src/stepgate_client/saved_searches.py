"""Saved searches and charts (rest.md 10)."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from stepgate_client.models import Model, Success
from stepgate_client.rest import Rest, part

SearchType = Literal["Standard", "Chart"]


class SavedSearch(Model, frozen=True):
    """A saved search; ``definition`` is what a search or the statistics take."""

    search_id: str
    name: str
    search_type: str
    folder: str | None = None
    definition: dict[str, Any] | None = None
    color_ramp: str | None = None
    sort_index: int | None = None


class SavedSearches:
    """Reads and changes saved searches; ``Client.saved_searches`` is one. Calls raise as those of ``Client``; changes
    need the privilege ``adminBasic``."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def all(self, search_type: SearchType | None = None) -> list[SavedSearch]:
        """List the searches one may see; without a type, those of both."""
        return (await self._rest.get("searches", _Searches, searchType=search_type or "All")).searches

    async def create(
        self,
        name: str,
        definition: Mapping[str, Any] | None = None,
        *,
        search_type: SearchType = "Standard",
        search_id: str | None = None,
        folder: str | None = None,
        color_ramp: str | None = None,
        sort_index: int | None = None,
    ) -> str:
        """Save a search, which needs a ``definition``, or a chart, which needs a ``color_ramp``; returns its id."""
        body = {
            "name": name,
            "definition": definition,
            "searchType": search_type,
            "searchId": search_id,
            "folder": folder,
            "colorRamp": color_ramp,
            "sortIndex": sort_index,
        }
        return (await self._rest.post("searches", body, _SearchId)).search_id

    async def replace(self, search: SavedSearch) -> None:
        """Replace the search that has this id; whom it is shared with stays."""
        await self._rest.put(_path(search.search_id), search, Success)

    async def delete(self, search_id: str) -> None:
        """Delete a search."""
        await self._rest.delete(_path(search_id), Success)

    async def share(self, search_id: str, group_ids: Iterable[str]) -> None:
        """Show a search only to members of these groups; without any, to everybody."""
        await self._rest.post(f"{_path(search_id)}/shareWith", _Shared(group_ids=[*group_ids]), Success)

    async def shared_with(self, search_id: str) -> tuple[str, ...]:
        """Read the ids of the groups a search is shared with."""
        return tuple((await self._rest.get(f"{_path(search_id)}/shareWith", _Shared)).group_ids)


class _Searches(Model, frozen=True):
    searches: list[SavedSearch]


class _SearchId(Model, frozen=True):
    search_id: str


class _Shared(Model, frozen=True):
    group_ids: list[str]


def _path(search_id: str) -> str:
    return f"searches/{part(search_id)}"
