"""One database transaction, as use cases see it."""

from typing import Protocol

from app.services.ports.tx_administration import AdministrationTx
from app.services.ports.tx_automations import AutomationTx
from app.services.ports.tx_definitions import DefinitionTx
from app.services.ports.tx_jobs import JobTx
from app.services.ports.tx_numbers import NumberTx
from app.services.ports.tx_runs import RunTx
from app.services.ports.tx_webhooks import WebhookTx


class Tx(JobTx, RunTx, DefinitionTx, AutomationTx, AdministrationTx, NumberTx, WebhookTx, Protocol):
    """One database transaction, seen from inside. Synchronous; lives in one database thread; never leaves it.

    Reads of a read-only transaction see one snapshot. A writing one sees its own writes; where several write at once,
    others' commits become visible between its statements, except in what it has locked. On a read-only transaction
    (``Store.read``) the writing methods raise. Text comparison is case-sensitive except where ``folded`` is in the
    name. Lists come in the order they were written unless said otherwise.
    """

    command_id: str
    """The unique id of this transaction, written with every feed row; an unknown COMMIT outcome is looked up by it."""

    def now_ms(self) -> int:
        """The time all nodes agree on: the database's on PostgreSQL, the machine's on SQLite."""
