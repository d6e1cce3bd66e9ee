"""Saved searches and charts on the wire (rest.md 10)."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.errors import InvalidValue
from app.protocol.documents import check_document, members_of
from app.protocol.search import SearchBody
from app.protocol.text import decode


class SearchType(StrEnum):
    """``Chart`` is drawn from statistics, ``Standard`` is a list of jobs."""

    STANDARD = "Standard"
    CHART = "Chart"


class SearchDefinition(SearchBody, rename="camel"):
    """What is searched for, as the search or the statistics take it. Its other members are kept as they are."""

    group_by: str | None = None


class SavedSearchBody(msgspec.Struct, rename="camel", kw_only=True):
    """A saved search as sent, whole. A ``Standard`` one needs its definition, a ``Chart`` its ``colorRamp``."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    search_id: str | None = None
    search_type: SearchType | None = None
    folder: Annotated[str, Meta(max_length=255)] | None = None
    definition: SearchDefinition | None = None
    color_ramp: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    sort_index: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None


class SavedSearchDocument(msgspec.Struct, frozen=True):
    """What a client sent, read; ``definition`` is its JSON text, unknown members included."""

    head: SavedSearchBody
    definition: bytes | None

    @property
    def search_type(self) -> SearchType:
        return self.head.search_type or SearchType.STANDARD


class SavedSearchAnswer(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A saved search, its definition as it was sent."""

    search_id: str
    name: str
    search_type: str
    folder: str | None = None
    definition: msgspec.Raw | None = None
    color_ramp: str | None = None
    sort_index: int | None = None


class SavedSearchList(msgspec.Struct):
    """Saved searches, in the order they were made; ``sortIndex`` is for whoever shows them."""

    searches: list[SavedSearchAnswer]


class SavedSearchCreated(msgspec.Struct, rename="camel"):
    """A new saved search's id."""

    search_id: str


_decoder = msgspec.json.Decoder(SavedSearchBody)


def read_saved_search(body: bytes) -> SavedSearchDocument:
    """Decode and check a SavedSearch. Raises InvalidValue ("SavedSearch was invalid: ...")."""
    head = decode(_decoder, body, "SavedSearch")
    check_document(body, "SavedSearch")
    sent: Any = members_of(body)["definition"] if head.definition else None
    document = SavedSearchDocument(head, bytes(sent) if head.definition else None)
    if faults := _faults(document):
        raise InvalidValue(f"SavedSearch was invalid: {'; '.join(faults)}.", details=faults)
    return document


def _faults(document: SavedSearchDocument) -> list[str]:
    head = document.head
    if document.search_type is SearchType.CHART:
        return [] if head.color_ramp else ["a Chart needs a colorRamp"]
    return [] if head.definition else ["a Standard search needs a definition"]
