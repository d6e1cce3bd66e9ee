"""Workflow items as wholes: made, deleted, exported, imported; and what went wrong in one (rest.md 13.3)."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import Any, BinaryIO, Literal
from urllib.parse import quote

from stepgate_client.models import Model, Success
from stepgate_client.rest import Rest, part

OnBytes = Callable[[int], None]
"""Told how many more bytes have come."""


class LogLine(Model, frozen=True):
    """A line of the item's log; ``created_user`` is whom it happened to."""

    log_level: str
    message: str
    created_date: datetime
    created_user: str
    job_id: str | None = None
    step_id: str | None = None


class Administration:
    """Makes and deletes items, and moves configurations between them; ``Client.administration`` is one.

    What concerns one item is about the client's own unless ``item_id`` names another. Making items takes a portal role,
    exports and imports ``adminAdvanced``. Calls raise as those of ``Client``.
    """

    def __init__(self, rest: Rest, item_id: str) -> None:
        self._rest = rest
        self._item_id = item_id

    async def create_item(self, name: str, *, idempotency_key: str | None = None) -> str:
        """Make an item with the contents of a new one; returns its id. One owns it, and administers it."""
        path = f"createWorkflowItem?name={quote(name, safe='')}"
        return (await self._rest.post(path, {"async": True}, _Made, key=idempotency_key)).item_id

    async def creation_status(self, item_id: str | None = None) -> str:
        """Ask whether an item is there: ``Succeeded``, or NotFound is raised."""
        return (await self._rest.get(f"{self._of(item_id)}/creationStatus", _Status)).status

    async def upgrade_item(self, item_id: str | None = None) -> None:
        """Bring an item into the newest form."""
        await self._rest.post(f"{self._of(item_id)}/upgrade", {"async": True}, _Made)

    async def delete_item(self, item_id: str) -> None:
        """Delete an item with all its jobs. Nobody finds it from then on."""
        await self._rest.delete(part(item_id), Success)

    async def export_configuration(
        self,
        item_id: str | None = None,
        *,
        job_template_ids: Iterable[str] | None = None,
        diagram_ids: Iterable[str] | None = None,
        include_other: bool = True,
        passphrase: str | None = None,
        on_bytes: OnBytes | None = None,
    ) -> bytes:
        """Export all that is set up in an item, as the bytes of a zip.

        Args:
            item_id: the item.
            job_template_ids: only these; none of them for an empty list.
            diagram_ids: likewise; each template needs its diagram.
            include_other: with lookups, roles, searches, settings and stored templates.
            passphrase: with secrets, encrypted with it.
            on_bytes: told as the file comes.
        """
        body = _export_body(job_template_ids, diagram_ids, include_other=include_other, passphrase=passphrase)
        return await _joined(self._rest.post_for_file(f"{self._of(item_id)}/export", body), on_bytes)

    async def import_configuration(
        self,
        file: bytes | BinaryIO,
        item_id: str | None = None,
        *,
        passphrase: str | None = None,
        overwrite: bool = True,
        mapping: str | None = None,
    ) -> None:
        """Import a configuration, all of it or nothing.

        Args:
            file: the zip, or a file opened for reading it.
            item_id: the item.
            passphrase: the one it was exported with.
            overwrite: replace what is there, in an item without jobs; otherwise the two are merged.
            mapping: who is meant by users and groups, as JSON (``fetch_mapping``).
        """
        await self._import("import", file, item_id, passphrase, overwrite, mapping)

    async def start_export(
        self,
        item_id: str | None = None,
        *,
        job_template_ids: Iterable[str] | None = None,
        diagram_ids: Iterable[str] | None = None,
        include_other: bool = True,
        passphrase: str | None = None,
    ) -> str:
        """Export in the background; returns the export's id. ``ExportCompleted`` or ``ExportFailed`` comes to every
        websocket of the item. Arguments as in ``export_configuration``."""
        body = _export_body(job_template_ids, diagram_ids, include_other=include_other, passphrase=passphrase)
        return (await self._rest.post(f"{self._of(item_id)}/exportAsync", body, _Export)).export_id

    async def fetch_export(self, export_id: str, item_id: str | None = None) -> bytes:
        """The zip of an export that is done; it is there for a day."""
        return await _joined(self._rest.download(f"{self._of(item_id)}/exportAsync/{part(export_id)}"))

    async def fetch_mapping(self, export_id: str, item_id: str | None = None) -> str:
        """A mapping with everybody whom an export names, as JSON, to be filled in."""
        path = f"{self._of(item_id)}/exportAsync/{part(export_id)}?fileType=json"
        return (await _joined(self._rest.download(path))).decode()

    async def start_import(
        self,
        file: bytes | BinaryIO,
        item_id: str | None = None,
        *,
        passphrase: str | None = None,
        overwrite: bool = True,
        mapping: str | None = None,
    ) -> None:
        """As ``import_configuration``, in the background: ``ImportCompleted`` or ``ImportFailed`` tells the end."""
        await self._import("importAsync", file, item_id, passphrase, overwrite, mapping)

    async def logs(
        self,
        item_id: str | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        skip: int = 0,
        count: int = 100,
    ) -> list[LogLine]:
        """What went wrong in an item, newest first; ``start`` and ``end`` are aware moments."""
        params = {"paginationStart": str(skip), "paginationCount": str(count)}
        moments = {"startTime": start, "endTime": end}
        params |= {name: moment.isoformat() for name, moment in moments.items() if moment is not None}
        return (await self._rest.get(f"{self._of(item_id)}/logs", _Logs, **params)).logs

    async def _import(  # noqa: PLR0917  (what an import is made of)
        self,
        how: Literal["import", "importAsync"],
        file: bytes | BinaryIO,
        item_id: str | None,
        passphrase: str | None,
        overwrite: bool,
        mapping: str | None,
    ) -> None:
        fields = {"passphrase": passphrase, "mappingFile": mapping, "overwriteConfiguration": str(overwrite)}
        await self._rest.upload(
            f"{self._of(item_id)}/{how}",
            ("file", "workflow_configuration.wmc", file, "application/zip"),
            {name: text for name, text in fields.items() if text is not None},
            Success,
        )

    def _of(self, item_id: str | None) -> str:
        return part(item_id or self._item_id)


def _export_body(
    job_template_ids: Iterable[str] | None,
    diagram_ids: Iterable[str] | None,
    *,
    include_other: bool,
    passphrase: str | None,
) -> dict[str, Any]:
    chosen = {"jobTemplateIds": job_template_ids, "diagramIds": diagram_ids}
    body: dict[str, Any] = {name: list(ids) for name, ids in chosen.items() if ids is not None}
    return body | {"includeOtherConfiguration": include_other, "passphrase": passphrase}


async def _joined(pieces: AsyncIterator[bytes], on_bytes: OnBytes | None = None) -> bytes:
    data = bytearray()
    async for piece in pieces:
        data += piece
        if on_bytes is not None:
            on_bytes(len(piece))
    return bytes(data)


class _Made(Model, frozen=True):
    item_id: str


class _Status(Model, frozen=True):
    status: str


class _Export(Model, frozen=True):
    export_id: str


class _Logs(Model, frozen=True):
    logs: list[LogLine]
