"""Exports and imports in the background: asked for, carried out, and what became of them (rest.md 13.3)."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from app.domain.job import Content
from app.errors import NotFound, QuotaExceeded, RuleViolation
from app.protocol.configuration import Configuration
from app.protocol.configuration_file import pack, unpack
from app.protocol.configuration_mapping import mapped, mapping_of, read_mapping
from app.protocol.items import ExportBody
from app.protocol.passphrase import PassphraseCipher
from app.services import configuration_export, configuration_import, item_log
from app.services.configuration_reading import Prepared, prepare
from app.services.engine import Unit
from app.services.people import require_administrator
from app.services.ports import ItemTask, LogLevel, Store, TaskEnded, TaskKind, TaskState, Tx

ZIP: Final = "application/zip"
KEPT_MS: Final = 86_400_000
"""What became of a task can be asked for a day; the file of an export is there as long."""

_MAX_WAITING: Final = 20
_BATCH: Final = 500


class NotOurs(Exception):
    """Another node has the task now: nothing of what was done here counts."""


class WantedExport(msgspec.Struct):
    """What an export's row knows: what is wanted, and the key that a passphrase has become, never the passphrase."""

    body: ExportBody
    salt: bytes | None = None
    key: bytes | None = None


class WantedImport(msgspec.Struct):
    """What an import's row knows: where the uploaded file is, and how it is to be imported."""

    content: Content
    overwrite: bool
    mapping: bytes | None = None
    salt: bytes | None = None
    key: bytes | None = None


read_export = msgspec.json.Decoder(WantedExport).decode
read_import = msgspec.json.Decoder(WantedImport).decode


def start(unit: Unit, kind: TaskKind, wanted: WantedExport | WantedImport) -> str:
    """Ask for an export or import; returns its id. Raises PermissionDenied without adminAdvanced; QuotaExceeded."""
    require_administrator(unit)
    if unit.tx.waiting_item_tasks(unit.item) >= _MAX_WAITING:
        raise QuotaExceeded(
            f"{_MAX_WAITING} exports and imports of this item wait already. Come back when one is done."
        )
    task_id = unit.new_id()
    body = unit.vault.seal(msgspec.json.encode(wanted))
    unit.tx.add_item_task(unit.item, task_id, kind, unit.actor.username, body)
    return task_id


def export(unit: Unit, wanted: WantedExport) -> tuple[Configuration, dict[str, str]]:
    """The configuration that is wanted, and the names of groups. Raises as ``configuration_export.read``."""
    cipher = _cipher(wanted)
    return configuration_export.read(unit, wanted.body, cipher), configuration_export.group_names(unit)


def packed(configuration: Configuration, group_names: dict[str, str]) -> tuple[bytes, bytes]:
    """The files of an export: the configuration's and the mapping's."""
    mapping = msgspec.json.encode(mapping_of(configuration, group_names))
    return pack(configuration), msgspec.json.format(mapping, indent=2)


def prepare_import(packed: bytes, wanted: WantedImport) -> Prepared:
    """Read an uploaded file. Raises InvalidValue, QuotaExceeded. It takes a while: not for the event loop."""
    rows, unknown = unpack(packed)
    rows = rows if wanted.mapping is None else mapped(rows, read_mapping(wanted.mapping))
    prepared = prepare(rows, _cipher(wanted))
    prepared.notes += [
        f"The file {name!r} of the configuration is not known here: it was left out." for name in unknown
    ]
    return prepared


def carry_in(unit: Unit, task: ItemTask, node_id: str, prepared: Prepared, wanted: WantedImport) -> None:
    """Import, and note that it is done: both or neither. Raises as ``configuration_import.apply``, and NotOurs."""
    configuration_import.apply(unit, prepared, overwrite=wanted.overwrite)
    end(unit, task, node_id)


def end(
    unit: Unit,
    task: ItemTask,
    node_id: str,
    *,
    problem: str | None = None,
    content: Content | None = None,
    mapping: bytes | None = None,
) -> None:
    """Note what has become of a task; the item's sockets are told once this is committed. Raises NotOurs."""
    if not unit.tx.end_item_task(task, node_id, problem, content, mapping):
        raise NotOurs
    if problem is not None:
        item_log.write(
            unit, LogLevel.ERROR, f"The {task.kind} {task.task_id} failed. {problem}", username=task.username
        )
    ended = TaskEnded(task.key, task.item_id, task.task_id, task.kind, task.username, problem)
    unit.effects.tasks_ended.append(ended)


def exported(unit: Unit, export_id: str) -> TaskState:
    """An export that is there to be fetched.

    Raises:
        PermissionDenied: without adminAdvanced. NotFound: no such export, or none any more.
        RuleViolation: it is not done yet, or has failed.
    """
    require_administrator(unit)
    state = unit.tx.item_task(unit.item, export_id)
    if state is None or state.kind is not TaskKind.EXPORT:
        raise NotFound(f"There is no export {export_id!r}, or none any more.", name="ExportNotFound")
    if state.ended_ms is None:
        raise RuleViolation("The export is not done yet: wait for ExportCompleted.", name="ExportNotReady")
    if state.problem is not None:
        raise RuleViolation(f"The export failed. {state.problem}", name="ExportFailed")
    return state


def file_name(now_ms: int) -> str:
    """What an exported configuration is called."""
    return f"workflow_configuration_{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%d_%H%M%S}.wmc"


async def sweep(store: Store) -> int:
    """Forget tasks that ended a day ago; returns how many. On several nodes at once does no harm."""
    count = 0
    while dropped := await store.run(_forget_some):
        count += dropped
    return count


def _forget_some(tx: Tx) -> int:
    return tx.forget_item_tasks(tx.now_ms() - KEPT_MS, _BATCH)


def _cipher(wanted: WantedExport | WantedImport) -> PassphraseCipher | None:
    return PassphraseCipher(wanted.salt, wanted.key) if wanted.salt is not None and wanted.key is not None else None
