"""What the modules of queries have in common: a session, and what a transaction is told when it begins."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.diagram import Diagram
from app.store.diagram_cache import DiagramCache
from app.store.sql import Session, Statement


class ParseDiagram(Protocol):
    """Reads a stored diagram document; raises InvalidValue for one that is none."""

    def __call__(self, body: bytes, /, *, diagram_id: str, version: int) -> Diagram: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all transactions of a store share: how to read diagrams, those read already, and the clock."""

    parse_diagram: ParseDiagram
    diagrams: DiagramCache
    now_ms: Callable[[], int]


class Queries:
    """Base of the query modules. Each adds the methods of ``Tx`` of one concept; ``SqlTx`` joins them.

    The only state beside the session is what this transaction has read or written itself.
    """

    def __init__(self, sql: Session, around: Surroundings, command_id: str) -> None:
        self.sql = sql
        self.command_id = command_id
        self._around = around
        self._last_seq: dict[int, int] = {}
        """Of the feeds of the jobs read or written here, by job key."""

    def now_ms(self) -> int:
        return self._around.now_ms()

    def _key_of(self, statement: Statement, **values: Any) -> int:
        """Carry out a change that returns the key of the one row it wrote."""
        ((key,),) = self.sql.all(statement, **values)
        return int(key)
