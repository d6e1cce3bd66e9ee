"""Exports and imports that were asked for and are not waited for: done one after the other, whatever dies meanwhile.

A task is a row. This node claims the oldest; the claim holds while the node has its lease, so another takes over what a
dead one has begun. An export may be made twice, and counts once; an import is one transaction with its end.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from app.errors import OWN_FAULT, BackendError, GatewayError
from app.services import item_tasks
from app.services.attachment_files import AttachmentFiles, one_piece
from app.services.engine import Caller, Engine, ItemGone
from app.services.ports import ItemTask, Store, TaskKind
from app.steps.watch import Watch

log = logging.getLogger(__name__)

MAX_TRIES = 3
"""What ends a process each time must not end all of them."""

_LOOK_AGAIN_S = 2.0
"""For tasks that other processes have added, and those of nodes that are gone."""


class ItemTasks:
    """Watches the rows, and does what they say.

    Args:
        node_id: tells this node's present name.
    """

    def __init__(self, store: Store, engine: Engine, files: AttachmentFiles, node_id: Callable[[], str]) -> None:
        self._store = store
        self._engine = engine
        self._files = files
        self._node_id = node_id
        self._watch = Watch("item tasks", self._do_next)

    def open(self) -> None:
        self._watch.open()

    async def close(self) -> None:
        """Stop, in the middle of a task too: another node, or the next start, takes it over."""
        await self._watch.close()

    def changed(self) -> None:
        """There may be something to do."""
        self._watch.changed()

    async def _do_next(self) -> float:
        node_id = self._node_id()
        task = await self._store.run(lambda tx: tx.claim_item_task(node_id))
        if task is None:
            return _LOOK_AGAIN_S
        try:
            await self._carry_out(task, node_id)
        except BackendError:
            raise
        except ItemGone:
            log.info("the %s %s ends with its workflow item", task.kind, task.task_id)
        except item_tasks.NotOurs:
            log.info("the %s %s was taken by another node", task.kind, task.task_id)
        except GatewayError as error:
            await self._fail(task, node_id, str(error))
        except Exception:
            log.exception("the %s %s failed", task.kind, task.task_id)
            await self._fail(task, node_id, OWN_FAULT)
        return 0

    async def _carry_out(self, task: ItemTask, node_id: str) -> None:
        if task.tries > MAX_TRIES:
            await self._fail(task, node_id, "The server stopped each time it was begun.")
        elif task.kind is TaskKind.EXPORT:
            await self._export(task, node_id)
        else:
            await self._import(task, node_id)

    async def _export(self, task: ItemTask, node_id: str) -> None:
        caller = Caller(task.org_id, task.item_id, task.username)
        wanted = item_tasks.read_export(await self._opened(task))
        made = await self._engine.query(caller, partial(item_tasks.export, wanted=wanted))
        packed, mapping = await asyncio.to_thread(item_tasks.packed, *made)
        name = item_tasks.file_name(self._store.now_ms())
        content = await self._files.keep(one_piece(packed), name=name, media_type=item_tasks.ZIP, max_bytes=len(packed))
        await self._engine.execute(
            caller,
            lambda unit: item_tasks.end(unit, task, node_id, content=content, mapping=mapping),
        )

    async def _import(self, task: ItemTask, node_id: str) -> None:
        caller = Caller(task.org_id, task.item_id, task.username)
        wanted = item_tasks.read_import(await self._opened(task))
        packed = await self._files.read(wanted.content)
        prepared = await asyncio.to_thread(item_tasks.prepare_import, packed, wanted)
        await self._engine.execute(caller, lambda unit: item_tasks.carry_in(unit, task, node_id, prepared, wanted))
        await self._files.drop(wanted.content)

    async def _opened(self, task: ItemTask) -> bytes:
        caller = Caller(task.org_id, task.item_id, None)
        return await self._engine.query(caller, lambda unit: unit.vault.open(task.body))

    async def _fail(self, task: ItemTask, node_id: str, problem: str) -> None:
        """Say that it failed, as the server: whoever has asked may have no access any more."""
        caller = Caller(task.org_id, task.item_id, None)
        try:
            await self._engine.execute(caller, lambda unit: item_tasks.end(unit, task, node_id, problem=problem))
        except (ItemGone, item_tasks.NotOurs):
            log.info("the %s %s is nobody's any more", task.kind, task.task_id)
